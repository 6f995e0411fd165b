//! `GET /v1/status`: everything of an instance, in one look.

use crate::answer::Answer;
use crate::app::App;
use crate::bare::Bare;
use crate::problem::ProblemView;
use crate::shown;
use crate::views::StatusView;
use axum::extract::State;
use std::sync::Arc;

/// Everything of this instance, and what is wrong with it.
#[utoipa::path(get, path = "/v1/status", security(("token" = [])), responses(
    (status = 200, body = StatusView, description = "How everything is doing."),
    (status = "4XX", body = ProblemView, content_type = "application/problem+json",
     description = "It was refused."),
))]
pub(crate) async fn status(State(app): State<Arc<App>>, _: Bare) -> Answer<StatusView> {
    let works = &app.works;
    let (sources, copies) = (works.source_status(), works.copy_status());
    let (counts, targets) = (works.count_status(), works.target_status());
    let mut problems = shown::troubles(&sources, &copies, &counts, &targets);
    let log = match works.log_status().await {
        Ok(log) => Some(shown::log(log)),
        Err(fault) => {
            problems.push(shown::trouble(fault.code, "log", &fault.what));
            None
        }
    };
    Answer(StatusView {
        version: env!("CARGO_PKG_VERSION"),
        state: shown::worst(&copies, &counts),
        sources: sources.iter().map(shown::source).collect(),
        log,
        copies: copies.iter().map(shown::copy).collect(),
        counts: counts.iter().map(shown::count_brief).collect(),
        problems,
    })
}
