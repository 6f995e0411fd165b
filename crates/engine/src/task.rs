//! Tasks: long-running work, supervised here and nowhere else.

use crate::backoff::Backoff;
use crate::board::Reporter;
use async_trait::async_trait;
use futures_util::future::{Either, select};
use model::attack::{Mark, reached};
use model::{Code, Fate, Fault};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Work that goes on until it is stopped. `run` starts from the durable state alone, so that it
/// can be called again after any failure.
#[async_trait]
pub(crate) trait Task: Send {
    /// Works until `stop` says so, or until a fault.
    async fn run(&mut self, stop: &Stop) -> Result<(), Fault>;
}

/// Runs a task, again and again after faults that time may heal, and reports its end.
pub(crate) async fn supervise(
    mut task: Box<dyn Task>,
    reporter: Reporter,
    mut backoff: Backoff,
    stop: Stop,
) {
    loop {
        let steps_before = reporter.steps();
        let fault = match task.run(&stop).await {
            Ok(()) => return reporter.ended(),
            Err(fault) => fault,
        };
        if fault.fate != Fate::Retry {
            return reporter.stopped(&fault);
        }
        for _ in 0..(reporter.steps() - steps_before).min(10) {
            backoff.succeeded();
        }
        reporter.retrying(&fault);
        reached(Mark::TaskRestarted);
        if stop.or(tokio::time::sleep(backoff.pause())).await.is_none() {
            return reporter.ended();
        }
    }
}

/// What a server answers, or a fault that gives its connection up when it takes too long. What was
/// asked may still happen there later; a new connection fences it off.
pub(crate) async fn answer<T>(
    within: Duration,
    code: Code,
    call: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    match timeout(within, call).await {
        Ok(answer) => answer,
        Err(_) => Err(Fault::retry(code, format!("no answer within {} s", within.as_secs()))),
    }
}

/// A request to stop, seen by everyone who holds a clone.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<(AtomicBool, Notify)>);

impl Stop {
    /// Nothing is asked to stop yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everyone to stop.
    pub fn ask(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        self.0.1.notify_waiters();
    }

    /// Whether a stop was asked for.
    pub fn asked(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }

    /// Waits until a stop is asked for.
    pub async fn wait(&self) {
        let mut notified = pin!(self.0.1.notified());
        notified.as_mut().enable();
        if !self.asked() {
            notified.await;
        }
    }

    /// The future's output, or nothing if a stop is asked for first; the future is dropped then.
    pub async fn or<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        match select(pin!(self.wait()), pin!(future)).await {
            Either::Left(((), _)) => None,
            Either::Right((output, _)) => Some(output),
        }
    }
}
