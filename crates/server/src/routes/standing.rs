//! `GET /livez`, `GET /readyz`: whether the process runs, and whether it takes work. Neither asks a
//! source or a target: what is wrong there is no reason to restart this process.

use crate::answer::Answer;
use crate::app::App;
use crate::problem::{Problem, ProblemView};
use crate::views::StandingView;
use axum::extract::State;
use model::Code;
use std::sync::Arc;

/// Whether the process runs.
#[utoipa::path(get, path = "/livez", security(()), responses(
    (status = 200, body = StandingView, description = "It runs."),
))]
pub(crate) async fn livez() -> Answer<StandingView> {
    Answer(StandingView { status: "live" })
}

/// Whether the instance takes work: its configuration is loaded and its log is recovered.
#[utoipa::path(get, path = "/readyz", security(()), responses(
    (status = 200, body = StandingView, description = "It does."),
    (status = 503, body = ProblemView, content_type = "application/problem+json",
     description = "It is starting or stopping."),
))]
pub(crate) async fn readyz(State(app): State<Arc<App>>) -> Result<Answer<StandingView>, Problem> {
    match app.ready.is_set() && !app.stop.asked() {
        true => Ok(Answer(StandingView { status: "ready" })),
        false => Err(Problem::not_now(Code::NotReady, "Instep is starting or stopping")),
    }
}
