//! Guard: who may ask, and how often. Stands in front of every route but the two that say whether
//! the process runs.

pub(crate) mod rate;
pub(crate) mod site;
pub(crate) mod tokens;

use crate::app::{App, Caller, Peer};
use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::Code;
use rate::Allowances;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokens::{Role, Token};
use tokio::time::Instant;

/// Lets a request through with its caller beside it, or says why not.
pub(crate) async fn guard(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    match admit(&app, &request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// What anybody may ask at any time.
const OPEN: [&str; 2] = ["/livez", "/readyz"];

fn admit(app: &App, request: &Request) -> Result<Caller, Problem> {
    let peer = request.extensions().get::<Peer>().map_or(UNKNOWN, |peer| neighbours(peer.0));
    if OPEN.contains(&request.uri().path()) {
        return Ok(Caller::Address(peer));
    }
    let token = match app.tokens.is_empty() {
        true => None,
        false => Some(token(app, request, peer)?),
    };
    let caller = token.map_or(Caller::Address(peer), |token| Caller::Token(token.name().clone()));
    locked(&app.requests).take(caller.clone(), Instant::now()).map_err(too_many)?;
    if token.is_none() {
        check_site(app, request)?;
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        check_role(token)?;
        check_same_site(request)?;
    }
    Ok(caller)
}

/// The token that a request carries. Who tries many wrong ones has to wait.
fn token<'a>(app: &'a App, request: &Request, peer: IpAddr) -> Result<&'a Token, Problem> {
    let now = Instant::now();
    if let Some(wait) = locked(&app.refusals).wait(peer, now) {
        return Err(too_many(wait));
    }
    let mut headers = request.headers().get_all(AUTHORIZATION).iter();
    let (header, none) = (headers.next(), headers.next());
    let header = header.filter(|_| none.is_none()).and_then(|header| header.to_str().ok());
    let secret = header.and_then(tokens::secret_of);
    if let Some(token) = secret.and_then(|secret| tokens::find(&app.tokens, secret)) {
        return Ok(token);
    }
    // Asking without any token is how a client finds out that it needs one.
    let detail = match request.headers().contains_key(AUTHORIZATION) {
        true => {
            locked(&app.refusals).take(peer, now).map_err(too_many)?;
            tracing::warn!(%peer, "a request was refused: its token is not known");
            "the token is none of those that are configured"
        }
        false => {
            locked(&app.requests).take(Caller::Address(peer), now).map_err(too_many)?;
            "there is no token in the request"
        }
    };
    let problem = Problem::new(StatusCode::UNAUTHORIZED, Code::TokenRefused, detail);
    Err(problem.with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"instep\"")))
}

fn check_role(token: Option<&Token>) -> Result<(), Problem> {
    match token {
        Some(token) if token.role() < Role::Operator => {
            tracing::warn!(token = %token.name(), "a request was refused: a viewer only looks");
            let detail = format!("{} is a viewer, and only looks", token.name());
            Err(Problem::new(StatusCode::FORBIDDEN, Code::RoleMissing, detail))
        }
        Some(_) | None => Ok(()),
    }
}

/// Where no token is needed, the name that the client went to has to be one of ours.
fn check_site(app: &App, request: &Request) -> Result<(), Problem> {
    let named = request.uri().authority().map(|authority| authority.as_str());
    let headers = request.headers().get_all(HOST).iter().map(|value| value.to_str().unwrap_or(""));
    let named: Vec<_> = named.into_iter().chain(headers).collect();
    if !named.is_empty() && named.iter().all(|named| site::is_ours(named, app.listens_on)) {
        return Ok(());
    }
    Err(strange("the request was meant for another server"))
}

/// A page of another web site must not decide anything.
fn check_same_site(request: &Request) -> Result<(), Problem> {
    let Some(origin) = request.headers().get(ORIGIN) else { return Ok(()) };
    let named = request.headers().get(HOST).and_then(|value| value.to_str().ok()).unwrap_or("");
    match origin.to_str().is_ok_and(|origin| site::is_same_site(origin, named)) {
        true => Ok(()),
        false => Err(strange("a browser sent the request from another web site")),
    }
}

fn strange(detail: &str) -> Problem {
    tracing::warn!("a request was refused: {detail}");
    Problem::new(StatusCode::FORBIDDEN, Code::SiteRefused, detail)
}

fn too_many(wait: Duration) -> Problem {
    let detail = "this token or address has used up what it may ask for now";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, Code::TooManyRequests, detail).retry_after(wait)
}

fn locked<K>(allowances: &Mutex<Allowances<K>>) -> MutexGuard<'_, Allowances<K>> {
    allowances.lock().unwrap_or_else(PoisonError::into_inner)
}

const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The addresses that one customer of a network has are one.
fn neighbours(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & !(u128::from(u64::MAX));
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        address @ IpAddr::V4(_) => address,
    }
}
