//! `GET /metrics`: what a Prometheus scrapes.

use crate::app::App;
use crate::metrics::{Facts, MEDIA_TYPE, page};
use crate::problem::ProblemView;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use std::sync::Arc;

/// Everything that is counted and measured, in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", security(("token" = [])), responses(
    (status = 200, body = String, content_type = "text/plain", description = "The samples."),
    (status = "4XX", body = ProblemView, content_type = "application/problem+json",
     description = "It was refused."),
))]
pub(crate) async fn metrics(
    State(app): State<Arc<App>>,
) -> ([(HeaderName, &'static str); 1], String) {
    let journal_bytes = app.works.log_status().await.ok().map(|log| log.bytes);
    let page = page(Facts {
        version: env!("CARGO_PKG_VERSION"),
        sources: &app.works.source_status(),
        targets: app.works.target_status(),
        journal_bytes,
    });
    ([(CONTENT_TYPE, MEDIA_TYPE)], page)
}
