//! The few pages of a process that is only watched: `/metrics`, `/livez` and `/readyz`, on a loopback
//! address, without tokens.

use crate::answer::Answer;
use crate::connection::NO_ROOM_PAUSE;
use crate::guard::site::is_ours;
use crate::metrics::MEDIA_TYPE;
use crate::problem::Problem;
use crate::serve::Listener;
use crate::settings::Bounds;
use crate::views::StandingView;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HOST, HeaderName};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use model::Code;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// What is watched.
pub trait Watched: Send + Sync + 'static {
    /// Whether there is anything to see yet.
    fn is_ready(&self) -> bool;

    /// Everything that is counted and measured, in Prometheus' text format.
    fn metrics(&self) -> String;
}

/// Connections that may be open at once: a scrape or two, and whoever looks.
const CONNECTIONS_MAX: usize = 32;

/// Answers until `stop` is over.
pub async fn serve_watched(
    listener: Listener,
    watched: Arc<dyn Watched>,
    stop: impl Future<Output = ()>,
) {
    let address = listener.address();
    let routes = Router::new()
        .route("/livez", get(async || Answer(StandingView { status: "live" })))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(async || {
            Problem::new(
                StatusCode::NOT_FOUND,
                Code::RouteUnknown,
                "there are /metrics, /livez and /readyz",
            )
        })
        .layer(middleware::from_fn_with_state(address, only_ours))
        .with_state(watched);
    let mut connections = JoinSet::new();
    let accepting = async {
        loop {
            match listener.accept().await {
                // The kernel keeps the next ones waiting.
                Ok(_) if connections.len() >= CONNECTIONS_MAX => {}
                Ok(stream) => drop(connections.spawn(attend(stream, routes.clone()))),
                Err(_) => sleep(NO_ROOM_PAUSE).await,
            }
            while connections.try_join_next().is_some() {}
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop => {}
    }
}

/// One connection, for as long as it may stay open.
async fn attend(stream: TcpStream, routes: Router) {
    let bounds = Bounds::default();
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    // What a client does wrong is its own business.
    let _ = timeout(bounds.connection, connection).await;
}

async fn readyz(State(watched): State<Arc<dyn Watched>>) -> Result<Answer<StandingView>, Problem> {
    match watched.is_ready() {
        true => Ok(Answer(StandingView { status: "ready" })),
        false => Err(Problem::not_now(Code::NotReady, "there is no verdict yet")),
    }
}

async fn metrics(
    State(watched): State<Arc<dyn Watched>>,
) -> ([(HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, MEDIA_TYPE)], watched.metrics())
}

/// Refuses what a page of another site sends by a name of its own.
async fn only_ours(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    let authority = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    match authority.is_none_or(|authority| is_ours(authority, address)) {
        true => next.run(request).await,
        false => {
            let detail = "the name in the request is not that of a loopback address";
            Problem::new(StatusCode::FORBIDDEN, Code::SiteRefused, detail).into_response()
        }
    }
}
