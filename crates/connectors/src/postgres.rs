//! PostgreSQL: servers followed by their write-ahead log, written to, and asked by ordinary queries.
//!
//! ```text
//!   source              tables followed by the log
//!   access              where a database is and how to get in, from a URL
//!   session             ordinary queries, and rows read in bulk
//!   replication         the stream of changes, and what is asked on its connection
//!   pgoutput            the messages in that stream
//!   rows                rows read back, and exactly where they stand
//!   audit               any table, looked at in order to compare it
//!   target              tables that copies and counts are written to
//!   outbox              the table that services insert their own named changes into
//!   types               its types and our values
//!   glance              what can be seen of a server without changing anything there
//!   fault  trouble      its errors, judged
//!   link  login  tries  a connection, logged in, to the first server that will do
//!   lsn  quote          its positions; names and texts as SQL
//!   literal             names and values in statements that people run
//! ```

pub mod access;
mod audit;
mod fault;
mod fixed;
pub mod glance;
mod link;
pub mod literal;
mod login;
mod lsn;
mod outbox;
mod packet;
pub mod pgoutput;
mod quote;
pub mod replication;
mod rows;
pub mod schema;
mod session;
mod source;
mod target;
mod tries;
mod trouble;
pub mod types;
mod wire;

pub use access::Access;
pub use audit::PostgresAudit;
pub use fault::{Side, judge};
pub use lsn::Lsn;
pub use outbox::Outbox;
pub use replication::{Feed, Follow, Replication};
pub use rows::PostgresRows;
pub use session::{Cells, CopyRows, Session};
pub use source::{
    PostgresSource, PostgresTriggers, SourceLimits, detach, detach_triggers, identity,
    publication_name, slot_name,
};
pub use target::{PostgresCopyRows, PostgresTarget};
pub use trouble::{Refused, Trouble};
