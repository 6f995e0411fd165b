//! The four answers of a failing system, put in front of any implementation of a port.
//!
//! Refuse: never ran. Fail after write: ran, but the caller is told that it failed. Hold the reply:
//! ran, and the answer waits until it is released. Respond slowly: both ways take time. And a fifth,
//! the worst: the caller is told that it failed, and it runs later all the same.

use async_trait::async_trait;
use model::{
    Answer, Batch, Claim, Code, Digest, Fault, Inspect, Lane, Leadership, Mode, Outcome, Position,
    Resume, Rows, Seed, Selection, Service, Source, Standing, Started, Step, Table, TableName,
    Target, Tenure,
};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The calls that can be answered badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// Opening a connection.
    Connect,
    /// `Source::start`.
    Start,
    /// `Source::next`.
    Next,
    /// `Target::lead`.
    Lead,
    /// `Target::standing`.
    Standing,
    /// `Target::apply`.
    Apply,
    /// Any call of `Inspect`.
    Inspect,
}

/// How a call is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// As the system itself answers.
    Honest,
    /// Never ran.
    Refuse,
    /// Ran, but its answer was lost.
    FailAfterWrite,
    /// Ran; the answer is held until this is notified.
    HoldReply(Arc<Notify>),
    /// Took this long to arrive, and this long to come back.
    RespondSlowly(Duration, Duration),
    /// Fails at once for the caller, and runs after this long. Only a write to a target can;
    /// anything else is refused.
    ArriveLate(Duration),
}

/// Decides how each call is answered.
pub trait Replies: Send + Sync {
    /// The reply to this call.
    fn next(&self, call: Call) -> Reply;
}

/// Replies queued per call; honest when a queue is empty.
#[derive(Debug, Default)]
pub struct Queued(Mutex<BTreeMap<Call, VecDeque<Reply>>>);

impl Queued {
    /// Queues a reply to the next call of this kind that has none yet.
    pub fn push(&self, call: Call, reply: Reply) {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queues.entry(call).or_default().push_back(reply);
    }
}

impl Replies for Queued {
    fn next(&self, call: Call) -> Reply {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queues.get_mut(&call).and_then(VecDeque::pop_front).unwrap_or(Reply::Honest)
    }
}

/// A service whose connections answer as told.
pub struct Faulty<Port: ?Sized> {
    inner: Arc<dyn Service<Port>>,
    replies: Arc<dyn Replies>,
    code: Code,
}

impl<Port: ?Sized> fmt::Debug for Faulty<Port> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").field("code", &self.code).finish_non_exhaustive()
    }
}

impl Faulty<dyn Source> {
    /// A source behind these replies.
    pub fn source(inner: Arc<dyn Service<dyn Source>>, replies: Arc<dyn Replies>) -> Arc<Self> {
        Arc::new(Self { inner, replies, code: Code::SourceUnavailable })
    }
}

impl Faulty<dyn Inspect> {
    /// Something to read from behind these replies; unreachable, it fails as `code`.
    pub fn inspect(
        inner: Arc<dyn Service<dyn Inspect>>,
        replies: Arc<dyn Replies>,
        code: Code,
    ) -> Arc<Self> {
        Arc::new(Self { inner, replies, code })
    }
}

impl Faulty<dyn Target> {
    /// A target behind these replies.
    pub fn target(inner: Arc<dyn Service<dyn Target>>, replies: Arc<dyn Replies>) -> Arc<Self> {
        Arc::new(Self { inner, replies, code: Code::TargetUnavailable })
    }
}

#[async_trait]
impl Service<dyn Source> for Faulty<dyn Source> {
    async fn connect(&self) -> Result<Box<dyn Source>, Fault> {
        let between = Between { replies: self.replies.clone(), code: self.code };
        let inner = between.call(Call::Connect, self.inner.connect()).await?;
        Ok(Box::new(FaultySource { inner, between }))
    }
}

#[async_trait]
impl Service<dyn Target> for Faulty<dyn Target> {
    async fn connect(&self) -> Result<Box<dyn Target>, Fault> {
        let between = Between { replies: self.replies.clone(), code: self.code };
        let inner = between.call(Call::Connect, self.inner.connect()).await?;
        Ok(Box::new(FaultyTarget { claim: inner.claim(), inner: Some(inner), between }))
    }
}

#[async_trait]
impl Service<dyn Inspect> for Faulty<dyn Inspect> {
    async fn connect(&self) -> Result<Box<dyn Inspect>, Fault> {
        let between = Between { replies: self.replies.clone(), code: self.code };
        let inner = between.call(Call::Connect, self.inner.connect()).await?;
        Ok(Box::new(FaultyInspect { inner, between }))
    }
}

/// What stands between a caller and a system.
struct Between {
    replies: Arc<dyn Replies>,
    code: Code,
}

impl Between {
    async fn call<T>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        self.reply(self.replies.next(call), call, work).await
    }

    async fn reply<T>(
        &self,
        reply: Reply,
        call: Call,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        match reply {
            Reply::Honest => work.await,
            Reply::Refuse | Reply::ArriveLate(_) => {
                Err(Fault::retry(self.code, format!("{call:?} was refused")))
            }
            Reply::FailAfterWrite => {
                let _ = work.await;
                Err(Fault::retry(self.code, format!("the answer to {call:?} was lost")))
            }
            Reply::HoldReply(release) => {
                let answer = work.await;
                release.notified().await;
                answer
            }
            Reply::RespondSlowly(there, back) => {
                tokio::time::sleep(there).await;
                let answer = work.await;
                tokio::time::sleep(back).await;
                answer
            }
        }
    }
}

struct FaultySource {
    inner: Box<dyn Source>,
    between: Between,
}

#[async_trait]
impl Source for FaultySource {
    async fn start(&mut self, after: Option<&Resume>) -> Result<Started, Fault> {
        self.between.call(Call::Start, self.inner.start(after)).await
    }

    async fn next(&mut self) -> Result<Step, Fault> {
        // An answer taken and then lost would break the port's promise about dropped futures, so
        // a connection that loses one is broken: the fault comes instead of the step.
        match self.between.replies.next(Call::Next) {
            Reply::Refuse | Reply::FailAfterWrite | Reply::ArriveLate(_) => {
                Err(Fault::retry(self.between.code, "the connection was cut"))
            }
            Reply::RespondSlowly(there, _) => {
                tokio::time::sleep(there).await;
                self.inner.next().await
            }
            Reply::HoldReply(release) => {
                release.notified().await;
                self.inner.next().await
            }
            Reply::Honest => self.inner.next().await,
        }
    }

    fn confirm(&self, position: &Position) {
        self.inner.confirm(position);
    }

    fn mark(&self) {
        self.inner.mark();
    }
}

struct FaultyInspect {
    inner: Box<dyn Inspect>,
    between: Between,
}

#[async_trait]
impl Inspect for FaultyInspect {
    async fn table(&mut self, name: &TableName) -> Result<Option<Arc<Table>>, Fault> {
        self.between.call(Call::Inspect, self.inner.table(name)).await
    }

    async fn rows(
        &mut self,
        table: &Arc<Table>,
        selection: &Selection,
        rows_max: usize,
    ) -> Result<Answer<Rows>, Fault> {
        self.between.call(Call::Inspect, self.inner.rows(table, selection, rows_max)).await
    }

    /// Nothing hangs on it, so that it never fails.
    async fn estimate(&mut self, table: &Arc<Table>) -> Result<Option<u64>, Fault> {
        self.inner.estimate(table).await
    }

    async fn digests(
        &mut self,
        table: &Arc<Table>,
        selections: &[Selection],
        seed: Seed,
    ) -> Result<Answer<Vec<Digest>>, Fault> {
        self.between.call(Call::Inspect, self.inner.digests(table, selections, seed)).await
    }
}

struct FaultyTarget {
    claim: Claim,
    /// Gone once a batch is on its way that nobody waits for.
    inner: Option<Box<dyn Target>>,
    between: Between,
}

impl FaultyTarget {
    /// The connection, and what stands between.
    fn parts(&mut self) -> Result<(&mut Box<dyn Target>, &Between), Fault> {
        match &mut self.inner {
            Some(inner) => Ok((inner, &self.between)),
            None => Err(Fault::retry(self.between.code, "the connection was cut")),
        }
    }

    /// Sends a batch on its way; the connection is gone for the caller.
    fn send_late(&mut self, batch: &Batch, mode: Mode, after: Duration) {
        if let Some(mut inner) = self.inner.take() {
            let batch = batch.clone();
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                let _ = inner.apply(&batch, mode).await;
            });
        }
    }
}

#[async_trait]
impl Target for FaultyTarget {
    fn claim(&self) -> Claim {
        self.claim
    }

    async fn lead(&mut self, lane: &Lane, tenure: &Tenure) -> Result<Leadership, Fault> {
        let (inner, between) = self.parts()?;
        between.call(Call::Lead, inner.lead(lane, tenure)).await
    }

    async fn standing(&mut self, lane: &Lane) -> Result<Standing, Fault> {
        let (inner, between) = self.parts()?;
        between.call(Call::Standing, inner.standing(lane)).await
    }

    async fn apply(&mut self, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        let reply = self.between.replies.next(Call::Apply);
        if let Reply::ArriveLate(after) = reply {
            self.send_late(batch, mode, after);
        }
        let (inner, between) = self.parts()?;
        between.reply(reply, Call::Apply, inner.apply(batch, mode)).await
    }
}
