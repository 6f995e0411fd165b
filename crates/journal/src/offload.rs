//! Offload: where blocking work runs, so that it never blocks the runtime.
//!
//! Every touch of the disk is a job; a write and its sync are two, so that whoever owns the
//! offload (a simulation) can let a crash or a reader fall between them. Must not know: what the
//! jobs do.

use async_trait::async_trait;
use model::{Code, Fault};
use tokio::sync::oneshot;

/// Runs blocking jobs.
#[async_trait]
pub trait Offload: Send + Sync {
    /// Runs the job and returns when it is done. Dropping the future may leave the job undone, or
    /// running on its own.
    async fn run(&self, job: Box<dyn FnOnce() + Send>);
}

/// Runs jobs on the runtime's threads for blocking work.
#[derive(Clone, Copy, Debug, Default)]
pub struct Threads;

#[async_trait]
impl Offload for Threads {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where it is allowed")]
    async fn run(&self, job: Box<dyn FnOnce() + Send>) {
        // A job that panics is noticed by the answer that it does not give.
        let _ = tokio::task::spawn_blocking(job).await;
    }
}

/// Whether someone still waits for the answer; a job that changes anything asks once it holds its
/// lock, so that one whose future was dropped before does nothing later.
pub(crate) type Wanted<'a> = &'a dyn Fn() -> bool;

/// Runs a job and brings back its answer.
pub(crate) async fn answer<T: Send + 'static>(
    offload: &dyn Offload,
    job: impl FnOnce(Wanted<'_>) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let (sender, receiver) = oneshot::channel();
    offload
        .run(Box::new(move || {
            let answer = job(&|| !sender.is_closed());
            // Nobody waits any more: the answer is of no use.
            let _ = sender.send(answer);
        }))
        .await;
    receiver.await.unwrap_or_else(|_| {
        Err(Fault::stop(Code::Broken, "a job of the journal ended without an answer"))
    })
}
