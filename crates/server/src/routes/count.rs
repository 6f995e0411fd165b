//! `GET /v1/counts/{name}`: what a count is, at a position or later.

use crate::answer::{Answer, tagged};
use crate::app::App;
use crate::problem::{Problem, ProblemView};
use crate::query::asked::Asked;
use crate::query::{cursor, pairs};
use crate::shown;
use crate::text::civil::write_instant;
use crate::views::{GroupView, NumberView, PageView, StateView, ToldView};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::response::Response;
use engine::Untold;
use engine::count::Group;
use engine::works::{Answered, AtLeast, BadPosition, Page, Unanswered};
use model::{Code, CountName, Value};
use std::sync::Arc;
use tokio::time::Instant;

/// What a count is: one number where every column is given, else the numbers of its groups.
///
/// Beside the parameters below, each column that the count groups by is one: `topic_id=7`, or
/// `topic_id.is=null` for NULL.
#[utoipa::path(get, path = "/v1/counts/{name}", security(("token" = [])),
    params(
        ("name" = String, Path, description = "The count."),
        ("at_least" = Option<String>, Query,
         description = "A position that the answer must not be before."),
        ("wait" = Option<String>, Query,
         description = "How long to wait for it: `500ms`, `2s`, at most `30s`."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
         description = "How many groups, 100 if not given."),
        ("after" = Option<String>, Query, description = "The `next` of the page before."),
        ("If-None-Match" = Option<String>, Header, description = "A tag of an earlier answer."),
    ),
    responses(
        (status = 200, body = ToldView, description = "The number, or numbers.",
         headers(("ETag" = String, description = "Where it is one number."))),
        (status = 304, description = "The number is the one that the client has."),
        (status = 409, body = ProblemView, content_type = "application/problem+json",
         description = "The server behind the source is another one than before."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
         description = "There is no such count, or no such parameter, or it was refused."),
        (status = 503, body = ProblemView, content_type = "application/problem+json",
         description = "It can not be told now, or has not come to `at_least` in time."),
    ),
)]
pub(crate) async fn count(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(name) = path.map_err(|wrong| Problem::malformed(wrong.body_text()))?;
    let name = CountName::from(name.as_str());
    let by = columns(&app, &name)?;
    let asked = pairs(query.as_deref()).and_then(|pairs| Asked::read(pairs, &by));
    let asked = asked.map_err(Problem::malformed)?;
    let at_least = match &asked.at_least {
        Some(text) => app.works.at_least(&name, text),
        None => Ok(AtLeast::default()),
    };
    let at_least = at_least.map_err(|BadPosition(what)| Problem::malformed(what))?;
    let question = Question { app: &app, name: &name, by: &by, at_least };
    // What waits for a position ends when the API does.
    let answer = app.stop.or(async {
        match asked.whole() {
            Some(columns) => question.number(&columns, &asked, &headers).await,
            None => question.page(&asked).await,
        }
    });
    let stopping = || Problem::not_now(Code::NotReady, "Instep is stopping");
    answer.await.unwrap_or_else(|| Err(stopping()))
}

/// A question to a count that there is.
struct Question<'a> {
    app: &'a App,
    name: &'a CountName,
    by: &'a [Arc<str>],
    at_least: AtLeast,
}

impl Question<'_> {
    async fn number(
        &self,
        columns: &[Vec<Value>],
        asked: &Asked,
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        let works = &self.app.works;
        let until = Instant::now() + asked.wait;
        let told = works.value(self.name, columns, &self.at_least, until).await;
        let Answered { value, position, as_of } = told.map_err(|why| self.unanswered(why))?;
        let group = works.shown_as(self.name, columns);
        let group = group.unwrap_or_else(|| Group::new(Vec::<Value>::new()));
        let group = shown::group(&group, self.by);
        let shown = serde_json::to_string(&group).expect("BUG: a group is JSON");
        let parts = [self.name.as_str(), &shown, &value.to_string(), &position];
        let view = ToldView::Number(NumberView {
            name: self.name.to_string(),
            group,
            value,
            position: position.clone(),
            as_of: as_of.map(write_instant),
            verified_through: None,
            state: StateView::Unverified,
        });
        Ok(tagged(headers, &parts, Answer(view)))
    }

    async fn page(&self, asked: &Asked) -> Result<Response, Problem> {
        let until = Instant::now() + asked.wait;
        let from = (asked.after.as_ref(), asked.limit);
        let works = &self.app.works;
        let told = works.page(self.name, &asked.columns, from, (&self.at_least, until)).await;
        let Answered { value, position, as_of } = told.map_err(|why| self.unanswered(why))?;
        let Page { groups, more } = value;
        let next = groups.last().filter(|_| more).map(|(group, _)| cursor::of_group(group));
        let view = |(group, value): &(Group, i64)| GroupView {
            group: shown::group(group, self.by),
            value: *value,
        };
        let view = ToldView::Page(PageView {
            name: self.name.to_string(),
            position,
            as_of: as_of.map(write_instant),
            verified_through: None,
            state: StateView::Unverified,
            values: groups.iter().map(view).collect(),
            next,
        });
        Ok(Answer(view).into_response())
    }

    fn unanswered(&self, why: Unanswered) -> Problem {
        let name = self.name;
        match why {
            Unanswered::Unknown => unknown(self.app, name),
            Unanswered::NotYet(Untold::Replaying) => {
                let detail = format!("{name} has not come to where the log ended at the start");
                Problem::not_now(Code::CountNotReady, detail)
            }
            Unanswered::NotYet(_) => {
                let detail = format!("the rows of {name} are still being read");
                Problem::not_now(Code::CountNotReady, detail)
            }
            Unanswered::Stopped(trouble) => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, trouble.code, trouble.what)
            }
            Unanswered::NotReached(position) => {
                let detail = format!("{name} stands at {position}");
                Problem::not_now(Code::NotReached, detail)
            }
            Unanswered::SourceChanged(what) => {
                Problem::new(StatusCode::CONFLICT, Code::SourceChanged, what)
            }
        }
    }
}

fn columns(app: &App, name: &CountName) -> Result<Vec<Arc<str>>, Problem> {
    let it = app.works.counts.iter().find(|it| it.count.name == *name);
    it.map(|it| it.count.by.clone()).ok_or_else(|| unknown(app, name))
}

/// The name is often only mistyped.
fn unknown(app: &App, name: &CountName) -> Problem {
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(name.as_str(), other);
    let names = app.works.counts.iter().map(|it| it.count.name.as_str());
    let nearest = names.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let detail = match nearest.filter(|nearest| likeness(nearest) > 0.5) {
        Some(nearest) => format!("there is no count {name}; is it {nearest}?"),
        None => format!("there is no count {name}"),
    };
    Problem::new(StatusCode::NOT_FOUND, Code::CountUnknown, detail)
}
