//! One instance of a world: its disk, its process, and one that is taken for dead.

use super::frame::Frame;
use crate::keep::Notes;
use crate::process::{Around, LaneAround, Opened, Process, PushAround, Stopped};
use crate::setup::Setup;
use crate::trace::Trace;
use model::{Code, Fault};
use std::sync::Arc;
use testkit::disk::FaultyDisk;
use tokio::time::Instant;

/// One instance.
pub(super) struct InstanceWorld {
    pub(super) around: Around,
    pub(super) process: Option<Process>,
    /// A process that is taken for dead, and until which step it goes on.
    pub(super) undead: Option<(Process, u64)>,
    /// How often the process was started.
    pub(super) runs: u64,
    /// Since when connections are counted.
    pub(super) started: Instant,
    /// When the disk takes writes again.
    pub(super) full_until: Option<u64>,
}

impl InstanceWorld {
    /// An instance that was never started.
    pub(super) fn new(
        index: usize,
        lanes: Vec<LaneAround>,
        push: Option<PushAround>,
        frame: &Frame<'_>,
    ) -> Self {
        let around = Around {
            name: format!("instance-{index}"),
            lanes,
            push,
            disk: Arc::new(FaultyDisk::new()),
            catalog: Arc::new(Notes::default()),
            plant: frame.planted,
            seed: frame.seed ^ ((index as u64) << 32),
        };
        let (process, undead, full_until) = (None, None, None);
        Self { around, process, undead, runs: 0, started: Instant::now(), full_until }
    }

    /// Opens the journal; a sync that fails meanwhile is answered as an init system would.
    pub(super) fn open(&mut self, setup: &Setup, trace: &Trace) -> Result<Opened, Fault> {
        match Process::open(&self.around, setup, self.runs) {
            Err(fault) if fault.code == Code::JournalDisk => {
                trace.note(format_args!("opened again after {fault}"));
                self.around.disk.release_locks();
                Process::open(&self.around, setup, self.runs)
            }
            opened => opened,
        }
    }

    /// The tasks that have stopped for good.
    pub(super) fn stopped(&self) -> Vec<Stopped> {
        self.process.as_ref().map_or_else(Vec::new, |process| process.stopped(&self.around))
    }

    /// Whether the disk ever gave the journal a reason to close itself.
    pub(super) fn disk_has_failed(&self) -> bool {
        let counts = self.around.disk.counts();
        counts.failed_syncs + counts.failed_writes + counts.without_power > 0
    }
}
