//! Port: one table of a store, looked at in order to compare it with another one.
//!
//! Unlike [`crate::inspect`] it needs nothing of ours in the store: no position, no watermark, no
//! privilege but that of reading. So an answer says nothing about when it is from, and whoever
//! compares looks again at what seems to differ.

use crate::code::Code;
use crate::fault::Fault;
use crate::inspect::Selection;
use crate::row::{Key, Row};
use crate::table::{Kind, Table, TableName};
use crate::value::Value;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Looks at tables of one store, and leaves no trace there.
///
/// Each call is one statement or one snapshot, short enough to be in nobody's way. A call that
/// fails leaves nothing open, and the next one connects again. A selection's ends are in the order
/// in which the store itself sorts the key; which rows lie between two keys is for each store to say,
/// and two stores may differ about it.
#[async_trait]
pub trait Audit: Send {
    /// The table as it looks now, with any key or none; nothing if there is no such table.
    async fn look(&mut self, name: &TableName) -> Result<Option<Looked>, Fault>;

    /// Whether the store takes what is asked for, its condition above all; reads no rows.
    async fn admit(&mut self, ask: &Ask) -> Result<(), Fault>;

    /// The key of the row that stands so many rows above this one, in the store's own order; none
    /// if fewer are left.
    async fn cut(
        &mut self,
        ask: &Ask,
        after: Option<&Key>,
        rows: u64,
    ) -> Result<Option<Key>, Fault>;

    /// The sum over the marks of the selected rows, made where the rows are. Only where
    /// [`Looked::sums`] says so.
    async fn sum(&mut self, ask: &Ask, of: &Selection) -> Result<Sum, Fault>;

    /// The marks of the selected rows, made where the rows are; the first so many in the store's own
    /// order. Only where [`Looked::sums`] says so.
    async fn marks(
        &mut self,
        ask: &Ask,
        of: &Selection,
        rows_max: usize,
    ) -> Result<Listed<Mark>, Fault>;

    /// The selected rows, the first so many in the store's own order.
    async fn rows(
        &mut self,
        ask: &Ask,
        of: &Selection,
        rows_max: usize,
    ) -> Result<Listed<Row>, Fault>;

    /// The rows of these keys, whether or not the condition holds for them. Equal are keys whose
    /// values are, byte by byte, whatever the store calls equal.
    async fn find(&mut self, ask: &Ask, keys: &[Key]) -> Result<BTreeMap<Key, Found>, Fault>;

    /// What makes the selected rows' keys useless for telling them apart, if anything does: in a
    /// range, a key that several rows have. Rows with NULL in their key are in no range, and looked
    /// for when nothing is selected.
    async fn flaw(&mut self, ask: &Ask, of: &Selection) -> Result<Option<Flaw>, Fault>;

    /// How many rows there are in each group, at most so many groups.
    async fn groups(&mut self, ask: &Ask, groups: &Groups) -> Result<Listed<i64>, Fault>;

    /// Among the selected rows the first so many that refer to a row which is not there.
    async fn orphans(
        &mut self,
        ask: &Ask,
        refers: &Reference,
        of: &Selection,
        rows_max: usize,
    ) -> Result<Listed<()>, Fault>;

    /// The value that this column has in the row that is the so-manieth from its greatest; none if
    /// there are fewer rows, or it is NULL there.
    async fn newest(&mut self, ask: &Ask, by: &Wanted, rows: u64) -> Result<Option<Value>, Fault>;

    /// The store's position now, where it has one that can be read without more privileges.
    async fn position(&mut self) -> Result<Option<String>, Fault>;
}

/// A table, as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Its columns, all of them; the key is the primary key, and empty if there is none.
    pub table: Table,
    /// More about each column, in their order.
    pub columns: Vec<LookedColumn>,
    /// Each list of columns in which no two rows have the same values, and none is NULL.
    pub unique: Vec<Vec<Arc<str>>>,
    /// How the store can make marks itself: stores that call it the same make the same.
    pub sums: Option<&'static str>,
    /// About how many rows there are, where that is known.
    pub rows: Option<u64>,
    /// The store in a few words, such as `PostgreSQL 15.4`.
    pub store: String,
}

/// More about a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookedColumn {
    /// How values are written before the store makes a mark of them. Where two stores call it the
    /// same, equal texts are equal values.
    pub written: Option<Arc<str>>,
    /// By which order the store sorts the column: where two stores call it the same, it is the same.
    pub sorted: Option<Arc<str>>,
    /// Whether floats are of 32 bits.
    pub is_single: bool,
    /// Whether texts are filled up with blanks.
    pub is_padded: bool,
    /// Why nobody can compare its values, if so.
    pub unreadable: Option<(Code, String)>,
}

/// What is asked of a store: which rows of which table, and what of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The table, by its name in this store.
    pub table: TableName,
    /// The columns that tell its rows apart.
    pub key: Vec<Wanted>,
    /// The columns that are compared, in the order of a row's cells; those of the key are not among
    /// them.
    pub columns: Vec<Wanted>,
    /// Which rows: a condition as the store itself takes it.
    pub condition: Option<Arc<str>>,
    /// Which rows: only those in which this column is not less than this value.
    pub from: Option<(Wanted, Value)>,
    /// What marks are made with; another one in each comparison.
    pub seeds: [i64; 2],
}

/// A column that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name in this store.
    pub name: Arc<str>,
    /// As what kind its values are wanted. A value that cannot be read as that comes as it is.
    pub kind: Kind,
}

/// What stands for a row: equal for equal rows, and for others as good as never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub [i64; 2]);

/// Many rows in one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub rows: u64,
    /// The sums of the halves of their marks.
    pub marks: [i128; 2],
}

/// Something about each of some rows, in the store's own order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// By key.
    pub found: Vec<(Key, T)>,
    /// Whether there are more behind the last.
    pub more: bool,
}

/// A row that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its cells, in the order of the columns that were asked for.
    pub row: Row,
    /// Which state of the row it is, as far as the store can tell; another one after each write.
    pub version: u64,
    /// Whether it is among the rows that were asked for.
    pub is_within: bool,
}

/// What makes a key useless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Several rows have this one.
    Twice(Key),
    /// So many rows have NULL in it.
    Null(u64),
}

/// Groups of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// The columns whose values make a group; NULL makes one as well.
    pub by: Vec<Wanted>,
    /// The column in which the rows keep the number of their group; without it they are counted.
    pub value: Option<Arc<str>>,
    /// Only these groups; without it all.
    pub only: Option<Vec<Key>>,
    /// No more than so many.
    pub groups_max: usize,
}

/// A column whose values are keys of rows of another table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The column, by its name in this store.
    pub column: Arc<str>,
    /// The table that it refers to.
    pub table: TableName,
    /// The column there.
    pub key: Arc<str>,
}

impl Sum {
    /// The same rows and this one.
    pub fn add(&mut self, mark: Mark) {
        self.rows += 1;
        let halves = self.marks.iter_mut().zip(mark.0);
        halves.for_each(|(sum, half)| *sum = sum.wrapping_add(half.into()));
    }
}
