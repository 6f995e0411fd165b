//! The work: changes flow from a source into the log, and from the log into targets.
//!
//! Read in this order:
//!
//! ```text
//!   pipeline            one lane: its source, the log, its groups; starts and stops every task
//!   ├─ capture          Task: source -> log, then confirm; places rows  (gather, touched, place: pure)
//!   ├─ apply            Task: log -> one group of copies      (plan, copies, fold, begin: pure)
//!   ├─ remember         Task: log -> row memory and counts               (layout, reach: pure)
//!   ├─ survey           Task: source -> rows that somebody wants placed
//!   └─ retention        Task: lowest watermark -> trim the log
//!   push                Task: counts -> a store                             (place, table: pure)
//!   desk, ask           who wants which rows, and what was answered
//!   task                supervise(): the only restart, the only backoff         (backoff: pure)
//!   count               what a change does to counts                                      (pure)
//!   works               all pipelines of an instance, seen and asked from outside
//!   numbers             counts as they may be asked, each exact at its position
//!   positions           how a place in several shards is written                          (pure)
//!   led                 a connection that leads its target
//!   extent              which history a lane follows, and how far its log reaches
//!   group, instance     what is brought forward, and by whom
//!   board               what the tasks tell each other and the outside
//!   catalog             what can not be computed again                          (catalog/sqlite)
//!   state               what can be: row memory and numbers                       (state/sorted)
//!   limits              every bound, with its unit
//! ```
//!
//! Invariants, checked in release builds too:
//! - E1 Capture appends, then confirms; it never confirms what is not durable in the log.
//! - E2 What is at or below a watermark is not applied again; what is above it is, in order.
//! - E3 A batch ends at the end of a source transaction, unless the transaction alone is too large.
//! - E4 Only what every group and row memory hold durably is trimmed, but for those let go.
//! - E5 A row is placed only where it is the source's row; a pass moves by whole stretches.
//! - E6 A number is told with the offset at which it is true, and only once all rows are known.
//!
//! Must not know: any database but the file of its own notes, SQL elsewhere, HTTP, the
//! configuration file, environment variables.

mod ahead;
mod apply;
mod ask;
mod backoff;
mod board;
mod capture;
mod catalog;
pub mod count;
mod desk;
mod extent;
mod group;
mod instance;
mod led;
mod limits;
mod numbers;
mod pipeline;
mod positions;
pub mod push;
mod remember;
mod retention;
mod state;
mod survey;
mod task;
pub mod works;

pub use board::{
    Board, Fill, GroupStatus, Latency, Notice, Phase, Progress, Snapshot, TaskStatus, Trouble,
};
pub use catalog::sqlite::{OpenedCatalog, Pinned, SqliteCatalog, named, pinned};
pub use catalog::{Catalog, History};
pub use group::{Copy, Group, WhenFull};
pub use instance::Instance;
pub use limits::Limits;
pub use numbers::{Numbers, Told, Untold};
pub use pipeline::{Counting, Pipeline};
pub use push::Push;
pub use state::State;
pub use state::sorted::{OpenedState, SetAside, SortedState, StateBounds};
pub use task::Stop;
pub use works::Works;
