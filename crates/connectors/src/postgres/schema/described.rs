//! A table that can be followed.

use crate::postgres::pgoutput::ReplicaIdentity;
use crate::postgres::quote;
use crate::postgres::types::Form;
use model::{Table, TableName};
use std::sync::Arc;

/// A table that can be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// As everybody else knows it: without generated columns, which the stream does not carry.
    pub table: Arc<Table>,
    /// Its number, another one if it is dropped and made again.
    pub oid: u32,
    /// What is said about its rows as they were; of a partitioned table each leaf says it itself.
    pub identity: ReplicaIdentity,
    /// What the server knows about each column, in the order of the table's.
    pub columns: Vec<DescribedColumn>,
    /// Whether its rows are in others, its leaves.
    pub is_partitioned: bool,
    /// Every table that has rows of it, if it is partitioned. Each fits: what the stream says about
    /// a row of it as it was has the key.
    pub leaves: Vec<Leaf>,
}

impl Described {
    /// The table as SQL, to be read from or to be published: this one, without those that inherit
    /// from it. They have keys of their own, or none.
    pub fn only(&self) -> String {
        let (schema, name) = self.table.name.as_str().split_once('.').unwrap_or_default();
        let only = if self.is_partitioned { "" } else { "only " };
        format!("{only}{}.{}", quote::name(schema), quote::name(name))
    }
}

/// What the server knows about a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedColumn {
    /// Its place among all that the table ever had, from 1.
    pub number: i16,
    /// The number of its type.
    pub kind: u32,
    /// What its type was given in brackets, such as a length; -1 for nothing.
    pub modifier: i32,
    /// What its values become.
    pub form: Form,
    /// How the server is asked for our order of them.
    pub order: Order,
}

/// How the server is asked for our order of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It is the server's own.
    Own,
    /// By bytes: `collate "C"`.
    Bytes,
    /// By the bytes of what is written.
    Written,
    /// By the bytes of what is written, and so whether values are equal: the server refuses labels
    /// that an enumeration has no more, reads no composite from a text alone, and finds operators of
    /// extensions only where it is told to.
    WrittenOnly,
    /// Not at all, for this reason; such a column is in no key.
    Unlike(&'static str),
}

/// A table that has rows of a partitioned one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its number.
    pub oid: u32,
    /// Its name, with its schema.
    pub name: TableName,
    /// The number of the file that its rows are in, another one after each rewrite and truncation.
    pub file: u32,
    /// The number of its attachment and those of the partitions that it is in: another one after it
    /// was detached for a while.
    pub attached: u32,
    /// The transaction that changed it last, as a whole: one that emptied it, for one.
    pub changed_by: u32,
    /// Whether it, and each partition that it is in, was made as what it is. One that was made by
    /// itself and attached later brought rows with it, of which the stream says nothing.
    pub is_born: bool,
    /// What is said about its rows as they were.
    pub identity: ReplicaIdentity,
}
