//! The messages of `pgoutput`, the plugin that decodes the write-ahead log.
//!
//! ```text
//!   message    what each says
//!   tuple      the cells of a row in it
//!   decode     bytes to messages, in protocols 1 to 3
//!   relations  the tables that were described so far
//! ```
//!
//! Invariant: no bytes whatever make the decoder panic, or take memory that is not there.
//!
//! Must not know: connections, types of values.

mod cursor;
mod decode;
mod malformed;
mod message;
mod relations;
mod tuple;

pub use decode::Decoder;
pub use malformed::Malformed;
pub use message::{Before, Column, Ended, Message, Prepared, Relation, ReplicaIdentity};
pub use relations::Relations;
pub use tuple::{Datum, Tuple};
