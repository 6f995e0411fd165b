//! `GET /v1/copies`: how the copies are doing.

use crate::answer::Answer;
use crate::app::App;
use crate::bare::Bare;
use crate::problem::ProblemView;
use crate::shown;
use crate::views::CopiesView;
use axum::extract::State;
use std::sync::Arc;

/// The copies.
#[utoipa::path(get, path = "/v1/copies", security(("token" = [])), responses(
    (status = 200, body = CopiesView, description = "How each of them is doing."),
    (status = "4XX", body = ProblemView, content_type = "application/problem+json",
     description = "It was refused."),
))]
pub(crate) async fn copies(State(app): State<Arc<App>>, _: Bare) -> Answer<CopiesView> {
    Answer(CopiesView { copies: app.works.copy_status().iter().map(shown::copy).collect() })
}
