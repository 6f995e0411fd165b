//! PostgreSQL: servers followed by their write-ahead log.
//!
//! ```text
//!   pgoutput            the messages in the stream of changes
//!   lsn                 its positions
//! ```

mod lsn;
pub mod pgoutput;

pub use lsn::Lsn;
