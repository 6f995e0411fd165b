//! The quiz service: it asks questions from its own copy of them, so that it needs nobody else.

use crate::addresses::Mode;
use crate::count::{self, Asked, Numbers};
use crate::store::Store;
use crate::trouble::Trouble;
use axum::extract::{Path, Query, State};
use axum::routing::{get, put};
use axum::{Json, Router};
use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;
use serde_json::{Value, json};

/// What its store holds where the question service writes it.
pub(crate) const COPY: &str = "create table if not exists questions (id integer primary key,
    topic text not null, text text not null, revision integer not null)";

/// How many questions a quiz has.
const QUIZ: i64 = 10;

/// Its routes.
pub(crate) fn routes(mode: Mode, store: Store) -> Router {
    let router =
        Router::new().route("/quizzes/{topic}", get(quiz)).route("/questions/count", get(counted));
    let router = match mode {
        Mode::Legacy => router.route("/copies/{id}", put(copy).delete(remove)),
        Mode::Followed => router,
    };
    router.with_state(store)
}

/// Some questions about a topic.
async fn quiz(
    State(store): State<Store>,
    Path(topic): Path<String>,
) -> Result<Json<Value>, Trouble> {
    let about = topic.clone();
    let questions = store.ask(move |file| drawn(file, &about)).await?;
    Ok(Json(json!({ "topic": topic, "questions": questions })))
}

fn drawn(file: &Connection, topic: &str) -> rusqlite::Result<Vec<Value>> {
    if !is_made(file)? {
        return Ok(Vec::new());
    }
    let draw = "select id, text from questions where topic = ?1 order by random() limit ?2";
    let mut statement = file.prepare_cached(draw)?;
    let drawn = statement.query_map((topic, QUIZ), |row| {
        let (id, text): (i64, String) = (row.get(0)?, row.get(1)?);
        Ok(json!({ "id": id, "text": text }))
    })?;
    drawn.collect()
}

async fn counted(State(store): State<Store>, asked: Query<Asked>) -> Result<Json<Value>, Trouble> {
    let recount = "select topic, count(*) from questions group by topic";
    let numbers: Option<Numbers> = store
        .ask(move |file| match is_made(file)? {
            true => count::numbers(file, recount).map(Some),
            false => Ok(None),
        })
        .await?;
    Ok(count::answer(asked, &count::told(numbers)?))
}

/// Whether there is a copy at all.
fn is_made(file: &Connection) -> rusqlite::Result<bool> {
    let made = "select 1 from sqlite_master where type = 'table' and name = 'questions'";
    Ok(file.query_row(made, [], |_| Ok(())).optional()?.is_some())
}

#[derive(Deserialize)]
struct Copied {
    topic: String,
    text: String,
    revision: i64,
}

/// Takes a question as the question service has it.
async fn copy(
    State(store): State<Store>,
    Path(id): Path<i64>,
    Json(Copied { topic, text, revision }): Json<Copied>,
) -> Result<Json<Value>, Trouble> {
    let put = "insert or replace into questions values (?1, ?2, ?3, ?4)";
    store.ask(move |file| file.execute(put, (id, topic, text, revision))).await?;
    Ok(Json(json!({})))
}

/// Forgets a question.
async fn remove(State(store): State<Store>, Path(id): Path<i64>) -> Result<Json<Value>, Trouble> {
    store.ask(move |file| file.execute("delete from questions where id = ?1", [id])).await?;
    Ok(Json(json!({})))
}
