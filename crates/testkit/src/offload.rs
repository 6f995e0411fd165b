//! Jobs done in place, one at a time: nothing depends on threads, so a seed replays.

use async_trait::async_trait;
use journal::{Job, Offload};

/// Does each job where it is asked for, and lets others run before and after it: an append can be
/// dropped, and a reader can look, between a write and its sync.
#[derive(Clone, Copy, Debug, Default)]
pub struct InPlace;

#[async_trait]
impl Offload for InPlace {
    async fn run(&self, job: Job) {
        tokio::task::yield_now().await;
        job();
        // What the job woke may use one of them up.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
    }
}
