//! Observe: what happens around every request: its time is bounded, a panic ends nothing but it, it
//! is logged without anything that it carries, and its answer tells a browser to be careful.

use crate::app::App;
use crate::problem::Problem;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use model::Code;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::time::{Instant, timeout};

/// Runs a request.
pub(crate) async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unknown", MatchedPath::as_str);
    let running = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = match timeout(app.bounds.request, running).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            let detail = "the request was given up";
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Problem::new(status, Code::Unexpected, detail).into_response()
        }
        Err(_) => {
            let detail = format!("it took longer than {} s", app.bounds.request.as_secs());
            Problem::not_now(Code::RequestSlow, detail).into_response()
        }
    };
    careful(&mut response);
    let (status, ms) = (response.status().as_u16(), began.elapsed().as_millis());
    // That it is too early for an answer is nothing to be looked into, and may be often.
    match status {
        500..=502 | 504.. => tracing::warn!(%method, route, status, ms, "a request failed"),
        _ => tracing::debug!(%method, route, status, ms, "a request was answered"),
    }
    response
}

fn careful(response: &mut Response) {
    const ALWAYS: [(HeaderName, &str); 3] = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Bounds, Settings};
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use engine::Works;
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;
    use std::time::Duration;
    use testkit::memory::log::MemoryLog;

    async fn ask(path: &str) -> (u16, String) {
        let works = Works {
            sources: Vec::new(),
            copies: Vec::new(),
            counts: Vec::new(),
            log: Arc::new(MemoryLog::new()),
        };
        let request = Duration::from_millis(50);
        let bounds = Bounds { request, ..Bounds::default() };
        let settings = Settings { bounds, ..Settings::default() };
        let listens_on = ([127, 0, 0, 1], 1).into();
        let app = Arc::new(App::new(settings, Arc::new(works), listens_on));
        let broken = get(|| async { panic!("canary") as () });
        let router = Router::new()
            .route("/broken", broken)
            .route("/slow", get(std::future::pending::<()>))
            .layer(from_fn_with_state(app, observe));
        let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
        let reply = TowerToHyperService::new(router).call(request).await.expect("a reply");
        let status = reply.status().as_u16();
        let body = to_bytes(reply.into_body(), 10_000).await.expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_that_tells_nothing_of_it() {
        let (status, body) = ask("/broken").await;
        assert_eq!(status, 500);
        assert!(body.contains("E-UNEXPECTED") && !body.contains("canary"), "{body}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_is_given_up() {
        let (status, body) = ask("/slow").await;
        assert_eq!(status, 503);
        assert!(body.contains("E-REQUEST-SLOW"), "{body}");
    }
}
