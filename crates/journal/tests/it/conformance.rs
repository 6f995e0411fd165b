//! The suite of the log port: over the real disk, over the one that fails, and in memory.

use crate::support::{TempDir, dir};
use ::model::Log;
use instep_journal::{Disk, Journal, Offload, Options, RealDisk, Threads};
use std::path::PathBuf;
use std::sync::Arc;
use testkit::conformance::log::{Claims, Subject, suite};
use testkit::disk::FaultyDisk;
use testkit::memory::log::MemoryLog;
use testkit::offload::InPlace;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_on_a_real_disk_keeps_the_promises_of_a_log() {
    let temp = TempDir::new();
    let count = std::cell::Cell::new(0);
    suite(async || {
        count.set(count.get() + 1);
        subject(Arc::new(RealDisk), temp.0.join(count.get().to_string()), Arc::new(Threads))
    })
    .await;
}

#[tokio::test]
async fn the_journal_on_a_disk_in_memory_keeps_the_promises_of_a_log() {
    suite(async || subject(Arc::new(FaultyDisk::new()), dir().to_owned(), Arc::new(InPlace))).await;
}

#[tokio::test]
async fn the_memory_log_keeps_the_promises_of_a_log() {
    suite(async || {
        let log = MemoryLog::new();
        let again = log.clone();
        Subject {
            log: Arc::new(log),
            claims: Claims::default(),
            reopen: Box::new(move || Arc::new(again.clone())),
        }
    })
    .await;
}

fn subject(disk: Arc<dyn Disk>, dir: PathBuf, offload: Arc<dyn Offload>) -> Subject {
    let options =
        Options { segment_bytes_max: 4_000, journal_bytes_max: 200_000, ..Options::default() };
    let open = move || -> Arc<dyn Log> {
        let (disk, offload) = (Arc::clone(&disk), Arc::clone(&offload));
        Arc::new(Journal::open(disk, &dir, options.clone(), offload).unwrap())
    };
    let claims = Claims { survives_reopen: true, bounded: true };
    Subject { log: open(), claims, reopen: Box::new(open) }
}
