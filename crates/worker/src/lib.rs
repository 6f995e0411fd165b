//! Worker: one value on a thread of its own, for work that blocks.
//!
//! Jobs run one after the other in the order in which they were handed over, and never on the
//! runtime. SQLite connections and files of state live on such threads.
//!
//! Must not know: what the value is.

use model::{Code, Fault};
use std::thread::{Builder, JoinHandle};
use tokio::sync::{mpsc, oneshot};

/// A value and the thread that alone touches it.
#[derive(Debug)]
pub struct Worker<V> {
    jobs: Option<mpsc::Sender<Job<V>>>,
    thread: Option<JoinHandle<()>>,
}

type Job<V> = Box<dyn FnOnce(&mut V) + Send>;

/// How many jobs may wait; whoever comes later waits with his own.
const JOBS_MAX: usize = 64;

impl<V: 'static> Worker<V> {
    /// Opens the value on a new thread; what `open` says beside it is handed back.
    pub async fn open<T: Send + 'static>(
        name: &str,
        open: impl FnOnce() -> Result<(V, T), Fault> + Send + 'static,
    ) -> Result<(Self, T), Fault> {
        let (jobs, mut waiting) = mpsc::channel::<Job<V>>(JOBS_MAX);
        let (sender, opened) = oneshot::channel();
        let work = move || match open() {
            Ok((mut value, said)) => {
                // If nobody waits for it any more, the jobs have ended, too.
                let _ = sender.send(Ok(said));
                while let Some(job) = waiting.blocking_recv() {
                    job(&mut value);
                }
            }
            Err(fault) => drop(sender.send(Err(fault))),
        };
        let thread = Builder::new().name(name.to_owned()).spawn(work).map_err(|error| {
            Fault::stop(Code::Broken, "the system gives no further thread").because(error)
        })?;
        let worker = Self { jobs: Some(jobs), thread: Some(thread) };
        Ok((worker, opened.await.unwrap_or_else(|_| Err(ended()))?))
    }

    /// Runs a job and brings back its answer. A job that is handed over runs, whoever still waits.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut V) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (sender, answer) = oneshot::channel();
        let job: Job<V> = Box::new(move |value| drop(sender.send(job(value))));
        let jobs = self.jobs.as_ref().expect("BUG: the jobs end when the worker is dropped");
        jobs.send(job).await.map_err(|_| ended())?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}

impl<V> Drop for Worker<V> {
    /// Waits for the thread, so that files and locks are free when this returns.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was already answered as a fault.
            let _ = thread.join();
        }
    }
}

fn ended() -> Fault {
    Fault::stop(Code::Broken, "a thread that does blocking work has ended")
}
