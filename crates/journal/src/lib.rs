//! The journal: Instep's built-in log, lanes of entries in segment files.
//!
//! ```text
//!   journal            the port's verbs, as jobs
//!   append  stage  reader  trim  recovery        what a job does
//!        └─ roll    adopted ─┘                   begins a segment; reads a staged file
//!   lane               one lane's state; what is visible; the group sync
//!   staging  hints  basket  recent
//!   writer  walk       frames into a file, frames out of it
//!   segment            one file: name, header, tables, waypoints
//!   frame  header  lane_dir                      the bytes; pure
//!   disk  offload      the two seams to the outside
//!   room  spare  options  fault
//! ```
//!
//! What always holds:
//!
//! - J1 When an append returns, its entries survive any crash; of one that did not, a prefix of
//!   whole entries may, and of one refused for want of room none.
//! - J2 Readers see nothing that is not durable.
//! - J3 Every byte is checked on every read of a file; nothing is skipped.
//! - J4 A frame is taken only in the place where it was written.
//! - J5 After a failed sync nothing is taken until the journal is opened anew, and no sync is tried
//!   again; what was durable stays readable.
//! - J6 The journal is bounded, and trimming always has room.
//! - J7 A file that was renamed, moved, cut short or left out is damage.
//! - J8 Staged parts belong to a lane only through the record that adopts them.
//! - J9 Only the last segment can have a torn tail.
//! - J10 Offsets rise, epochs never fall.
//! - J11 A reader gets every change after its offset once, in order.
//! - J12 Trimming removes nothing above the offset it was given.
//! - J13 A torn tail is cut, damage is refused. The limit: damage to what the very last sync wrote,
//!   with nothing written after it, looks like a torn tail and is cut. The source's own record of
//!   what was confirmed then shows that history is missing.
//!
//! Must not know: any database, HTTP, the configuration. One process opens a directory at a time.

mod adopted;
mod append;
mod basket;
mod disk;
mod fault;
mod frame;
mod header;
mod hints;
mod journal;
mod lane;
mod lane_dir;
mod offload;
mod options;
mod reader;
mod recent;
mod recovery;
mod roll;
mod room;
mod segment;
mod spare;
mod stage;
mod staging;
mod trim;
mod walk;
mod writer;

pub use disk::{Disk, DiskFile, Lock, RealDisk};
pub use journal::Journal;
pub use offload::{Job, Offload, Threads};
pub use options::Options;
