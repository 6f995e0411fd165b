//! Ahead: what is read from the log next, while what was read before is worked on.
//!
//! Must not know: what becomes of the entries.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, MaybeDone, maybe_done, select};
use model::{Fault, Lane, Log, Offset, Read};
use std::pin::{Pin, pin};
use std::sync::Arc;

/// One reading under way.
pub(crate) struct Ahead {
    after: Option<Offset>,
    reading: Pin<Box<MaybeDone<Reading>>>,
}

type Reading = BoxFuture<'static, Result<Read, Fault>>;

impl Ahead {
    /// Begins to read what comes after an offset, about so many bytes of it.
    pub(crate) fn new(
        log: &Arc<dyn Log>,
        lane: &Lane,
        after: Option<&Offset>,
        bytes_max: usize,
    ) -> Self {
        let (log, lane, after) = (log.clone(), lane.clone(), after.cloned());
        let begun = after.clone();
        let reading = async move { log.read(&lane, begun.as_ref(), bytes_max).await };
        let reading: Reading = Box::pin(reading);
        Self { after, reading: Box::pin(maybe_done(reading)) }
    }

    /// Whether it reads what comes after this offset.
    pub(crate) fn is_after(&self, offset: Option<&Offset>) -> bool {
        self.after.as_ref() == offset
    }

    /// Does the work, and lets the reading go on beside it.
    pub(crate) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        match select(pin!(work), &mut self.reading).await {
            Either::Left((done, _)) => done,
            Either::Right(((), work)) => work.await,
        }
    }

    /// Waits until it is read, however long the log takes. May be given up and called again.
    pub(crate) async fn read(&mut self) {
        self.reading.as_mut().await;
    }

    /// What was read, if it is there without waiting.
    pub(crate) fn at_hand(&mut self) -> Option<Result<Read, Fault>> {
        self.read().now_or_never()?;
        self.take()
    }

    /// What was read; nothing before it is, or a second time.
    pub(crate) fn take(&mut self) -> Option<Result<Read, Fault>> {
        self.reading.as_mut().take_output()
    }
}
