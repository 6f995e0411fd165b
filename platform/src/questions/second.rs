//! Second writes: once a change is committed, the services that keep something of it are told. What
//! fails then is noted, and that is all: the first write stands, and can not be taken back.

use super::shard::Written;
use crate::caller::Caller;
use crate::network::{Network, Way};
use crate::trouble::Trouble;
use serde_json::{Value, json};
use std::sync::Arc;

/// The services that are told of each change.
pub(crate) struct Others {
    pub(crate) quiz: Caller,
    pub(crate) reporting: Caller,
    pub(crate) network: Arc<Network>,
}

/// How often a counter is asked for the same addition before it is given up.
const TRIES: u64 = 2;

/// Calls that go to different services, or are repeated, fail apart from each other.
const QUIZ: u64 = 1;
const REPORTING: u64 = 2;

impl Others {
    /// Tells the others of a change.
    pub(super) async fn write(&self, written: &Written) {
        if self.copy(written).await.is_err() {
            self.network.note_failure();
        }
        for (topic, by) in written.numbers() {
            if self.count(written, topic, by).await.is_err() {
                self.network.note_failure();
            }
        }
    }

    /// The quiz service keeps a copy of the question.
    async fn copy(&self, written: &Written) -> Result<Value, Trouble> {
        let path = format!("/copies/{}", written.id);
        let call = async {
            match &written.after {
                None => self.quiz.delete(&path).await,
                Some(row) => {
                    let (topic, text, revision) = (&row.topic, &row.text, row.revision);
                    let body = json!({ "topic": topic, "text": text, "revision": revision });
                    self.quiz.put(&path, &body).await
                }
            }
        };
        self.over(self.network.way(&call_of(QUIZ, written, 0, 0)), call).await
    }

    /// The reporting service adds to the number of a topic. An answer that does not come may mean
    /// that the request did not arrive, so it is made again.
    async fn count(&self, written: &Written, topic: &str, by: i64) -> Result<Value, Trouble> {
        let path = format!("/counters/{topic}");
        let body = json!({ "by": by });
        let mut last = Trouble::Call("it was never made".to_owned());
        for tried in 0..TRIES {
            let way = self.network.way(&call_of(REPORTING, written, by, tried));
            match self.over(way, self.reporting.post(&path, &body)).await {
                Ok(answer) => return Ok(answer),
                Err(trouble) => last = trouble,
            }
        }
        Err(last)
    }

    /// Makes a call over the network as it is.
    async fn over(
        &self,
        way: Way,
        call: impl Future<Output = Result<Value, Trouble>>,
    ) -> Result<Value, Trouble> {
        let lost = || Trouble::Call("the connection was reset".to_owned());
        match way {
            Way::Whole => call.await,
            Way::RequestLost => Err(lost()),
            Way::AnswerLost => {
                call.await?;
                Err(lost())
            }
        }
    }
}

/// The numbers that tell a call from all others.
fn call_of(to: u64, written: &Written, by: i64, tried: u64) -> [u64; 5] {
    let (id, revision) = (written.id.cast_unsigned(), written.revision().cast_unsigned());
    [to, id, revision, by.cast_unsigned(), tried]
}
