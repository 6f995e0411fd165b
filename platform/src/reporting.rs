//! The reporting service: how many questions there are, from a table of counts in its own store.

use crate::addresses::Mode;
use crate::count::{self, Asked, Numbers};
use crate::store::Store;
use crate::trouble::Trouble;
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use rusqlite::OptionalExtension;
use serde::Deserialize;
use serde_json::{Value, json};

/// What its store holds where it counts itself.
pub(crate) const COUNTERS: &str = "create table if not exists counters (topic text primary key not null, number integer not null)";

/// Its routes.
pub(crate) fn routes(mode: Mode, store: Store) -> Router {
    let router = Router::new().route("/questions/count", get(counted));
    let router = match mode {
        Mode::Legacy => router.route("/counters/{topic}", post(add)),
        Mode::Followed => router,
    };
    router.with_state(Reporting { mode, store })
}

#[derive(Clone)]
struct Reporting {
    mode: Mode,
    store: Store,
}

async fn counted(
    State(reporting): State<Reporting>,
    asked: Query<Asked>,
) -> Result<Json<Value>, Trouble> {
    let numbers: Option<Numbers> = match reporting.mode {
        Mode::Legacy => {
            let all = "select topic, number from counters";
            reporting.store.ask(|file| count::numbers(file, all).map(Some)).await?
        }
        Mode::Followed => reporting.store.ask(|file| count::pushed(file)).await?,
    };
    Ok(count::answer(asked, &count::told(numbers)?))
}

#[derive(Deserialize)]
struct Added {
    by: i64,
}

/// Adds to a counter as a mapper of objects does: the row is loaded, changed and saved.
async fn add(
    State(reporting): State<Reporting>,
    Path(topic): Path<String>,
    Json(Added { by }): Json<Added>,
) -> Result<Json<Value>, Trouble> {
    let loaded = {
        let topic = topic.clone();
        let load = "select number from counters where topic = ?1";
        reporting.store.ask(move |file| file.query_row(load, [topic], |row| row.get(0)).optional())
    };
    let number = loaded.await?.unwrap_or(0_i64) + by;
    let save = "insert into counters values (?1, ?2)
                on conflict (topic) do update set number = excluded.number";
    reporting.store.ask(move |file| file.execute(save, (topic, number))).await?;
    Ok(Json(json!({ "number": number })))
}
