//! `GET /v1/counts`: which counts there are, and how they are doing.

use crate::answer::Answer;
use crate::app::App;
use crate::bare::Bare;
use crate::problem::ProblemView;
use crate::shown;
use crate::views::CountsView;
use axum::extract::State;
use std::sync::Arc;

/// The counts.
#[utoipa::path(get, path = "/v1/counts", security(("token" = [])), responses(
    (status = 200, body = CountsView, description = "How each of them is doing."),
    (status = "4XX", body = ProblemView, content_type = "application/problem+json",
     description = "It was refused."),
))]
pub(crate) async fn counts(State(app): State<Arc<App>>, _: Bare) -> Answer<CountsView> {
    Answer(CountsView { counts: app.works.count_status().into_iter().map(shown::count).collect() })
}
