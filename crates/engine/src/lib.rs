//! The work: changes flow from a source into the log, and from the log into targets.
//!
//! Read in this order:
//!
//! ```text
//!   pipeline            one lane: its source, the log, its groups; starts and stops every task
//!   ├─ capture          Task: source -> log, then confirm       (capture/gather: pure)
//!   ├─ apply            Task: log -> one group of copies        (apply/plan, apply/fold: pure)
//!   └─ retention        Task: lowest watermark -> trim the log
//!   task                supervise(): the only restart, the only backoff (backoff: pure)
//!   group, instance     what is brought forward, and by whom
//!   board               what the tasks tell each other and the outside
//!   catalog             the durable notes that are not data
//!   limits              every bound, with its unit
//! ```
//!
//! Invariants, checked in release builds too:
//! - E1 Capture appends, then confirms; it never confirms what is not durable in the log.
//! - E2 What is at or below a watermark is not applied again; what is above it is, in order.
//! - E3 A batch ends at the end of a source transaction, unless the transaction alone is too large.
//! - E4 Only what every group holds durably is trimmed.
//!
//! Must not know: any database, SQL, HTTP, the configuration file, environment variables.

mod apply;
mod backoff;
mod board;
mod capture;
mod catalog;
mod group;
mod instance;
mod limits;
mod pipeline;
mod retention;
mod task;

pub use board::{Board, GroupStatus, Phase, Snapshot, TaskStatus};
pub use catalog::{Catalog, History};
pub use group::{Copy, Group};
pub use instance::Instance;
pub use limits::Limits;
pub use pipeline::Pipeline;
pub use task::Stop;
