//! Offload: where blocking work runs, so that it never blocks the runtime.
//!
//! Every touch of the disk is a job; a write and its sync are two, so that whoever owns the
//! offload (a simulation) can let a crash or a reader fall between them. Must not know: what the
//! jobs do.

use async_trait::async_trait;
use futures_util::future::join;
use model::{Code, Fault};
use tokio::sync::oneshot;

/// Runs blocking jobs.
#[async_trait]
pub trait Offload: Send + Sync {
    /// Runs the job and returns when it is done. Dropping the future may leave the job undone, or
    /// running on its own.
    async fn run(&self, job: Job);

    /// Runs two jobs, the second behind the first; the same holds for each.
    async fn run_in_turn(&self, first: Job, second: Job) {
        self.run(first).await;
        self.run(second).await;
    }
}

/// Something that blocks.
pub type Job = Box<dyn FnOnce() + Send>;

/// Runs jobs on the runtime's threads for blocking work.
#[derive(Clone, Copy, Debug, Default)]
pub struct Threads;

#[async_trait]
impl Offload for Threads {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where it is allowed")]
    async fn run(&self, job: Job) {
        // A job that panics is noticed by the answer that it does not give.
        let _ = tokio::task::spawn_blocking(job).await;
    }

    /// Both on one thread: between them nobody needs to be woken.
    async fn run_in_turn(&self, first: Job, second: Job) {
        self.run(Box::new(move || {
            first();
            second();
        }))
        .await;
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
    let (job, answer) = asked(job);
    offload.run(job).await;
    answer.await.unwrap_or_else(|_| Err(none()))
}

/// Runs a job, and behind it another with what it made; what the first gives up is freed while the
/// second is at work. Once the first has begun to write, the second is wanted by all.
pub(crate) async fn answer_in_turn<M: Send + 'static, L: Send + 'static>(
    offload: &dyn Offload,
    first: impl FnOnce(Wanted<'_>) -> Result<(M, L), Fault> + Send + 'static,
    second: impl FnOnce(M) -> Result<(), Fault> + Send + 'static,
) -> Result<(), Fault> {
    let (hand_on, handed) = std::sync::mpsc::channel();
    let (first, left) = asked(move |wanted| {
        let (made, left) = first(wanted)?;
        // The other side is the second job, which comes later.
        let _ = hand_on.send(made);
        Ok(left)
    });
    let (second, done) = asked(move |_| handed.try_recv().map_or(Ok(()), second));
    let freed = async { left.await.unwrap_or_else(|_| Err(none())).map(drop) };
    let ((), freed) = join(offload.run_in_turn(first, second), freed).await;
    freed?;
    done.await.unwrap_or_else(|_| Err(none()))
}

/// The job, and where its answer comes.
fn asked<T: Send + 'static>(
    job: impl FnOnce(Wanted<'_>) -> Result<T, Fault> + Send + 'static,
) -> (Job, oneshot::Receiver<Result<T, Fault>>) {
    let (sender, receiver) = oneshot::channel();
    let job = move || {
        let answer = job(&|| !sender.is_closed());
        // Nobody waits any more: the answer is of no use.
        let _ = sender.send(answer);
    };
    (Box::new(job), receiver)
}

fn none() -> Fault {
    Fault::stop(Code::Broken, "a job of the journal ended without an answer")
}
