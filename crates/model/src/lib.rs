//! The nouns and the ports: everything the other crates say to each other.
//!
//! ```text
//!   value  decimal          one typed cell that loses nothing
//!     └─ row  table         cells in the order of a table's columns; its key
//!          └─ change        insert, update, delete, truncate
//!               └─ entry    what a lane holds: transactions, progress, placed rows
//!   position                where something stands: Position, Offset, Watermark
//!   batch                   what a target is asked to write, and its answer
//!   source  log  target  inspect     the four ports of a pipeline
//!   audit                   the port of a comparison without one
//!   service                 where connections to them come from
//!   codec  digest           the only bytes, and what proves two rows equal
//!   fault  code             what went wrong, and what to do about it
//! ```
//!
//! Must not know: a runtime, files, drivers, the configuration, JSON of the API.

pub mod attack;
pub mod audit;
pub mod batch;
pub mod change;
pub mod code;
pub mod codec;
pub mod compares;
pub mod decimal;
pub mod digest;
pub mod entry;
pub mod fault;
pub mod inspect;
pub mod log;
pub mod position;
pub mod row;
pub mod service;
pub mod source;
pub mod table;
pub mod target;
pub mod value;

pub use audit::{
    Ask, Audit, Flaw, Found, Groups, Listed, Looked, LookedColumn, Mark, Reference, Sum, Wanted,
};
pub use batch::{Batch, Effect, Hold, Mode, Outcome, Pass, Refusal, Write};
pub use change::{Change, Op};
pub use code::Code;
pub use compares::{Affinity, Collation, Compares};
pub use decimal::Decimal;
pub use digest::{Digest, Seed};
pub use entry::{
    Append, Changes, Commit, CommittedPart, Entry, Placed, Progress, Purpose, Stretch,
};
pub use fault::{Fate, Fault};
pub use inspect::{Answer, At, Inspect, Placement, Rows, Sees, Selection};
pub use log::{Bounds, Log, Read, StagedPart};
pub use position::{
    CopyName, CountName, Epoch, Identity, Incarnation, Lane, Offset, Place, Position, TargetName,
    TransactionId, Watermark,
};
pub use row::{Cell, Key, Row};
pub use service::Service;
pub use source::{News, Resume, Source, Started, Step};
pub use table::{Column, Kind, Table, TableName};
pub use target::{Claim, Leadership, Standing, Target, Tenure};
pub use value::{Array, Dimension, Float, Interval, Moment, Value};
