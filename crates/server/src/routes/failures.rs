//! `GET /v1/failures`, `POST /v1/failures/{id}/retry`, `POST /v1/failures/{id}/discard`: the keys
//! that targets refused, and what a person decides about each.

use crate::answer::Answer;
use crate::app::{App, Caller};
use crate::bare::Bare;
use crate::body::NoBody;
use crate::clock::now;
use crate::problem::{Problem, ProblemView};
use crate::query::{Pairs, cursor, paging, pairs};
use crate::shown;
use crate::views::{DecidedView, FailuresView};
use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use engine::works::NotDecided;
use model::Code;
use std::sync::Arc;

/// The keys that are held, the oldest first.
#[utoipa::path(get, path = "/v1/failures", security(("token" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
         description = "How many, 100 if not given."),
        ("after" = Option<String>, Query, description = "The `next` of the page before."),
    ),
    responses(
        (status = 200, body = FailuresView, description = "What is held, and why."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
         description = "There is no such parameter, or it was refused."),
    ),
)]
pub(crate) async fn failures(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Answer<FailuresView>, Problem> {
    let (limit, after) = pairs(query.as_deref()).and_then(page).map_err(Problem::malformed)?;
    let mut failures = app.works.failures();
    failures
        .retain(|it| after.as_ref().is_none_or(|after| (it.since, &it.id) > (after.0, &after.1)));
    let has_more = failures.len() > limit;
    failures.truncate(limit);
    let next = failures.last().filter(|_| has_more);
    let next = next.map(|failure| cursor::of_failure(failure.since, &failure.id));
    let now = now();
    let failures = failures.iter().map(|failure| shown::failure(failure, now)).collect();
    Ok(Answer(FailuresView { failures, next }))
}

/// Tries a held key again at once.
#[utoipa::path(post, path = "/v1/failures/{id}/retry", security(("token" = [])),
    params(("id" = String, Path, description = "The failure.")),
    responses(
        (status = 200, body = DecidedView, description = "It is being tried."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
         description = "There is no such failure, or it was refused."),
        (status = 503, body = ProblemView, content_type = "application/problem+json",
         description = "Another instance writes its target."),
    ),
)]
pub(crate) async fn retry(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    _: Bare,
    Extension(caller): Extension<Caller>,
    _: NoBody,
) -> Result<Answer<DecidedView>, Problem> {
    let Path(id) = path.map_err(|wrong| Problem::malformed(wrong.body_text()))?;
    app.works.retry(&id).map_err(|why| undecided(why, &id))?;
    tracing::info!(?caller, failure = id, "a failure is tried again");
    Ok(Answer(DecidedView { id, status: "retrying" }))
}

/// Ends a hold: what the target has of the key stays as it is, and later changes are applied.
#[utoipa::path(post, path = "/v1/failures/{id}/discard", security(("token" = [])),
    params(("id" = String, Path, description = "The failure.")),
    responses(
        (status = 200, body = DecidedView, description = "It is gone."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
         description = "There is no such failure, or it was refused."),
        (status = 503, body = ProblemView, content_type = "application/problem+json",
         description = "Nobody writes its target now, or another instance does."),
    ),
)]
pub(crate) async fn discard(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    _: Bare,
    Extension(caller): Extension<Caller>,
    _: NoBody,
) -> Result<Answer<DecidedView>, Problem> {
    let Path(id) = path.map_err(|wrong| Problem::malformed(wrong.body_text()))?;
    app.works.discard(&id).await.map_err(|why| undecided(why, &id))?;
    tracing::info!(?caller, failure = id, "a failure was discarded");
    Ok(Answer(DecidedView { id, status: "discarded" }))
}

/// How many are asked for, and after which.
fn page(pairs: Pairs) -> Result<(usize, Option<(i64, String)>), String> {
    let (mut limit, mut after) = (None, None);
    for (name, value) in pairs {
        let is_new = match name.as_str() {
            "limit" => limit.replace(paging::limit(&value)?).is_none(),
            "after" => {
                let wrong = || format!("after is {value:?}, which is no `next` of this list");
                after.replace(cursor::failure(&value).ok_or_else(wrong)?).is_none()
            }
            _ => return Err(format!("{name:?} is no parameter; those are limit and after")),
        };
        if !is_new {
            return Err(format!("{name} is given twice"));
        }
    }
    Ok((limit.unwrap_or(paging::LIMIT), after))
}

fn undecided(why: NotDecided, id: &str) -> Problem {
    match why {
        NotDecided::Unknown => {
            let detail = format!("there is no failure {id}");
            Problem::new(StatusCode::NOT_FOUND, Code::FailureUnknown, detail)
        }
        NotDecided::NotNow => {
            let detail = format!("this instance does not write the target of {id} now");
            Problem::not_now(Code::FailureNotNow, detail)
        }
    }
}
