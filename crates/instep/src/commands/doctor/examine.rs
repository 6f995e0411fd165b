//! What is looked at, layer by layer: each with a bound on its time, and none below one that failed.
//!
//! A kind of service adds its looks as one file that implements [`Database`].

use super::check::{Check, Group, Layer, State};
use crate::config::Copy;
use async_trait::async_trait;
use model::{Table, TableName};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long the looks of one layer may take.
const LAYER_MAX: Duration = Duration::from_secs(5);

/// Something that can be looked at.
#[async_trait]
pub(super) trait Examine: Send {
    /// Its name, and what it is.
    fn about(&self) -> (String, String);

    /// The layers that there are, from the top down.
    fn layers(&self) -> &'static [Layer];

    /// Looks at one of them, and changes nothing. What does not apply is left out.
    async fn look(&mut self, layer: Layer) -> Vec<Check>;
}

/// A service of any kind.
#[async_trait]
pub(super) trait Database: Examine {
    /// What it is called in the configuration.
    fn service(&self) -> &str;

    /// The tables that are followed and were found to fit for that.
    fn tables(&self) -> &BTreeMap<TableName, Arc<Table>>;

    /// How rows of a table, as a shard of its source has it, fit into a copy's.
    async fn fit(&self, copy: &Copy, shard: &str, table: &Arc<Table>) -> Vec<Check>;
}

/// Looks at everything about it.
pub(super) async fn examine(subject: &mut (impl Examine + ?Sized)) -> Group {
    examine_within(subject, LAYER_MAX).await
}

async fn examine_within(subject: &mut (impl Examine + ?Sized), max: Duration) -> Group {
    let (name, about) = subject.about();
    let mut group = Group::new(name, about);
    let mut layers = subject.layers().iter().copied();
    for layer in layers.by_ref() {
        let looked = within(layer, max, subject.look(layer)).await;
        group.checks.extend(looked.checks);
        if looked.is_over || group.state() == State::Failed {
            break;
        }
    }
    group.skipped = layers.collect();
    group
}

/// What came of looks with a bound on their time.
struct Looked {
    checks: Vec<Check>,
    /// Whether the time was up, so that nobody waits for the same thing once more.
    is_over: bool,
}

async fn within(layer: Layer, max: Duration, looks: impl Future<Output = Vec<Check>>) -> Looked {
    match timeout(max, looks).await {
        Ok(checks) => Looked { checks, is_over: false },
        Err(_) => {
            let why = format!("there was no answer within {max:?}");
            let check = Check::not_measured(layer, "wait for an answer", why);
            Looked { checks: vec![check], is_over: true }
        }
    }
}

/// The same for a look that belongs to two addresses.
pub(super) async fn look_within(
    layer: Layer,
    looks: impl Future<Output = Vec<Check>>,
) -> Vec<Check> {
    within(layer, LAYER_MAX, looks).await.checks
}

/// Does what may block on a thread of its own. One that never returns is left behind: whoever waits
/// gives up, and the process ends without it.
pub(super) async fn apart<T: Send + 'static>(
    job: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, done) = oneshot::channel();
    let work = move || drop(sender.send(job()));
    thread::Builder::new().name("doctor".to_owned()).spawn(work).ok()?;
    done.await.ok()
}

/// The same for one question with a bound on its time.
pub(super) async fn answered<T: Send + 'static>(
    job: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let answer = timeout(LAYER_MAX, apart(job)).await.ok().flatten();
    answer.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Code;

    struct Subject(&'static [Option<Code>]);

    #[async_trait]
    impl Examine for Subject {
        fn about(&self) -> (String, String) {
            ("app".to_owned(), String::new())
        }

        fn layers(&self) -> &'static [Layer] {
            &[Layer::Name, Layer::Connect, Layer::Role]
        }

        async fn look(&mut self, layer: Layer) -> Vec<Check> {
            let place = self.layers().iter().position(|it| *it == layer).unwrap();
            match self.0.get(place) {
                None => std::future::pending().await,
                Some(None) => vec![Check::good(layer, "", "")],
                Some(Some(code)) => vec![Check::bad(layer, "", *code, "")],
            }
        }
    }

    async fn states(codes: &'static [Option<Code>]) -> (Vec<State>, usize) {
        let group = examine_within(&mut Subject(codes), Duration::from_millis(100)).await;
        (group.checks.iter().map(|it| it.state).collect(), group.skipped.len())
    }

    #[tokio::test]
    async fn nothing_is_looked_at_below_what_failed() {
        use State::{Failed, Good, NotMeasured, Warning};
        assert_eq!(states(&[None, None, None]).await, (vec![Good; 3], 0));
        assert_eq!(states(&[None, Some(Code::DiskLow), None]).await.0, [Good, Warning, Good]);
        let unknown = states(&[None, Some(Code::NotMeasured), None]).await;
        assert_eq!(unknown, (vec![Good, NotMeasured, Good], 0));
        let failed = states(&[None, Some(Code::FileMissing), None]).await;
        assert_eq!(failed, (vec![Good, Failed], 1));
    }

    #[tokio::test]
    async fn a_look_that_never_ends_is_not_measured_and_the_last_one() {
        let states = states(&[None]).await;
        assert_eq!(states, (vec![State::Good, State::NotMeasured], 1));
    }
}
