//! SQLite: one file with its write-ahead log, shared with the programs that write to it.
//!
//! ```text
//!   source              follows the file's tables, and reads their rows
//!   target              copies and counts in its tables
//!   glance              looks at a file without writing to it or beside it
//!   audit               compares its tables with others, in the same way
//!   file                opens connections, each on a thread of its own
//!   schema              what a table looks like
//!   affinity            what it makes of a declared type
//!   value               SQLite's values and ours
//!   quote               names and texts as SQL
//!   literal             names and values in statements that people run
//!   inode               which file a path names
//!   fault  trouble      SQLite's errors, judged
//! ```

mod affinity;
mod audit;
mod fault;
mod file;
pub mod glance;
mod inode;
pub mod literal;
mod quote;
mod schema;
mod source;
pub mod target;
mod trouble;
mod value;

pub use audit::SqliteAudit;
pub use file::File;
pub use source::{
    Installation, Noted, Recording, SourceLimits, SqliteRows, SqliteSource, adopt, detach,
};
pub use target::{Notes, SqliteCopyRows, SqliteTarget};
