//! What each message says.

use super::tuple::Tuple;
use crate::postgres::lsn::Lsn;

/// One message. Inside a block of a transaction that is still open, `sub` names the
/// sub-transaction; elsewhere there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A transaction begins, which is committed already.
    Begin {
        /// Where its commit stands.
        commit: Lsn,
        /// When it was committed, in microseconds since 1970.
        committed_at: i64,
        /// Its number, of 32 bits.
        transaction: u32,
    },
    /// It ends.
    Commit(Ended),
    /// It was replicated into the server from elsewhere.
    From {
        /// Where its commit stood there.
        commit: Lsn,
        /// What that place is called here.
        name: &'a str,
    },
    /// What a table looks like from here on.
    Relation {
        /// The sub-transaction.
        sub: Option<u32>,
        /// The table.
        relation: Relation<'a>,
    },
    /// What a type of somebody's own is called.
    Type {
        /// The sub-transaction.
        sub: Option<u32>,
        /// Its number.
        oid: u32,
        /// The schema that it is in; empty for the system's own.
        schema: &'a str,
        /// Its name.
        name: &'a str,
    },
    /// A row came.
    Insert {
        /// The sub-transaction.
        sub: Option<u32>,
        /// The number of the table.
        relation: u32,
        /// The row.
        new: Tuple<'a>,
    },
    /// A row changed.
    Update {
        /// The sub-transaction.
        sub: Option<u32>,
        /// The number of the table.
        relation: u32,
        /// What it was; none where its key is as it was.
        before: Option<Before<'a>>,
        /// What it is.
        new: Tuple<'a>,
    },
    /// A row went.
    Delete {
        /// The sub-transaction.
        sub: Option<u32>,
        /// The number of the table.
        relation: u32,
        /// What it was.
        before: Before<'a>,
    },
    /// All rows of some tables went.
    Truncate {
        /// The sub-transaction.
        sub: Option<u32>,
        /// The numbers of the tables.
        relations: Vec<u32>,
        /// Whether those that refer to them went as well; they are among them.
        cascade: bool,
        /// Whether numbers begin anew.
        restart: bool,
    },
    /// A message that somebody wrote into the log.
    Logical {
        /// The sub-transaction.
        sub: Option<u32>,
        /// Whether it belongs to a transaction, and comes only if that is committed.
        transactional: bool,
        /// Where it stands.
        at: Lsn,
        /// What it begins with, so that it is known whose it is.
        prefix: &'a str,
        /// What it says.
        content: &'a [u8],
    },
    /// A block of a transaction that is still open begins.
    StreamStart {
        /// Its number.
        transaction: u32,
        /// Whether it is its first block.
        first: bool,
    },
    /// The block ends.
    StreamStop,
    /// A transaction that came in blocks is committed.
    StreamCommit {
        /// Its number.
        transaction: u32,
        /// Where and when.
        ended: Ended,
    },
    /// A transaction that came in blocks, or a part of it, is rolled back.
    StreamAbort {
        /// Its number.
        transaction: u32,
        /// The sub-transaction; the same number if all of it is.
        sub: u32,
    },
    /// A transaction that came in blocks is prepared.
    StreamPrepare(Prepared<'a>),
    /// A transaction begins that is prepared already.
    BeginPrepare(Prepared<'a>),
    /// It ends; whether it will be committed is open.
    Prepare(Prepared<'a>),
    /// A prepared transaction is committed.
    CommitPrepared(Prepared<'a>),
    /// A prepared transaction is rolled back.
    RollbackPrepared {
        /// Where the preparation ended.
        prepared_end: Lsn,
        /// Where the rollback ended.
        end: Lsn,
        /// When it was prepared, in microseconds since 1970.
        prepared_at: i64,
        /// When it was rolled back.
        rolled_back_at: i64,
        /// Its number.
        transaction: u32,
        /// The name under which it was prepared.
        name: &'a str,
    },
}

/// Where and when a transaction was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Where its commit begins in the log.
    pub commit: Lsn,
    /// Where its commit ends; what is committed later ends behind it.
    pub end: Lsn,
    /// When, in microseconds since 1970.
    pub committed_at: i64,
}

/// Where and when a transaction was prepared, or a prepared one committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared<'a> {
    /// Where that begins in the log.
    pub at: Lsn,
    /// Where it ends.
    pub end: Lsn,
    /// When, in microseconds since 1970.
    pub time: i64,
    /// The transaction's number.
    pub transaction: u32,
    /// The name under which it was prepared.
    pub name: &'a str,
}

/// What is said about a row as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before<'a> {
    /// The columns of its key; the others are NULL here, whatever they were.
    Key(Tuple<'a>),
    /// The whole row.
    Row(Tuple<'a>),
}

/// What a table looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation<'a> {
    /// Its number, another one if it is dropped and made again.
    pub oid: u32,
    /// Its schema; empty for the system's own.
    pub schema: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What is said about rows as they were.
    pub identity: ReplicaIdentity,
    /// Its columns, those that are published.
    pub columns: Vec<Column<'a>>,
}

/// What is said about rows as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReplicaIdentity {
    /// Their primary key, if they have one.
    Default,
    /// Nothing.
    Nothing,
    /// All of it.
    Full,
    /// The columns of an index.
    Index,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column<'a> {
    /// Whether it is said of rows as they were.
    pub in_key: bool,
    /// Its name.
    pub name: &'a str,
    /// The number of its type.
    pub kind: u32,
    /// What its type was given in brackets, such as a length; -1 for nothing.
    pub modifier: i32,
}
