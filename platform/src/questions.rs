//! The question service: people write questions here, and nowhere else. They are spread over shards
//! by their number.

mod second;
mod shard;
mod totals;

use crate::addresses::Mode;
use crate::count::{self, Asked};
use crate::store::Store;
use crate::trouble::Trouble;
use axum::extract::{Path, Query, State};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) use second::Others;
pub(crate) use shard::QUESTIONS;
use shard::Written;
pub(crate) use totals::TOTALS;

/// The service.
pub(crate) struct Questions {
    /// The files that the questions are spread over.
    pub(crate) shards: Vec<Store>,
    /// The file of totals.
    pub(crate) totals: Store,
    /// Who else has to know of a change; nobody where they follow it themselves.
    pub(crate) others: Option<Others>,
}

impl Questions {
    /// Its routes.
    pub(crate) fn routes(self) -> Router {
        Router::new()
            .route("/questions/{id}", put(write).delete(remove).get(read))
            .route("/questions/count", get(counted))
            .with_state(Arc::new(self))
    }

    fn shard(&self, id: i64) -> &Store {
        let shards = i64::try_from(self.shards.len()).unwrap_or(i64::MAX);
        let place = usize::try_from(id.rem_euclid(shards)).unwrap_or_default();
        &self.shards[place]
    }

    /// What has to be done once a change is committed.
    async fn written(&self, written: &Written) {
        if let Some(others) = &self.others {
            totals::add(&self.totals, written).await;
            others.write(written).await;
        }
    }
}

#[derive(Deserialize)]
struct Question {
    topic: String,
    text: String,
}

/// Writes a question, whether it was there or not.
async fn write(
    State(service): State<Arc<Questions>>,
    Path(id): Path<i64>,
    Json(Question { topic, text }): Json<Question>,
) -> Result<Json<Value>, Trouble> {
    let written = service.shard(id).ask(move |file| shard::write(file, id, topic, text)).await?;
    if let Some(written) = &written {
        service.written(written).await;
    }
    Ok(Json(json!({ "id": id, "changed": written.is_some() })))
}

/// Deletes a question.
async fn remove(
    State(service): State<Arc<Questions>>,
    Path(id): Path<i64>,
) -> Result<Json<Value>, Trouble> {
    let written = service.shard(id).ask(move |file| shard::delete(file, id)).await?;
    if let Some(written) = &written {
        service.written(written).await;
    }
    Ok(Json(json!({ "id": id, "changed": written.is_some() })))
}

/// Reads a question; null if there is none.
async fn read(
    State(service): State<Arc<Questions>>,
    Path(id): Path<i64>,
) -> Result<Json<Value>, Trouble> {
    let row = service.shard(id).ask(move |file| shard::read(file, id)).await?;
    Ok(Json(row.map_or(Value::Null, |row| json!({ "topic": row.topic, "text": row.text }))))
}

/// Counting two shards at every request is too slow, so totals are answered.
async fn counted(
    State(service): State<Arc<Questions>>,
    asked: Query<Asked>,
) -> Result<Json<Value>, Trouble> {
    let numbers = match service.mode() {
        Mode::Legacy => totals::cached(&service.totals, &service.shards).await?,
        Mode::Followed => count::told(service.totals.ask(|file| count::pushed(file)).await?)?,
    };
    Ok(count::answer(asked, &numbers))
}

impl Questions {
    fn mode(&self) -> Mode {
        match self.others {
            Some(_) => Mode::Legacy,
            None => Mode::Followed,
        }
    }
}
