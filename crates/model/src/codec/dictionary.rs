//! Dictionary: the numbers of the table versions of one file.
//!
//! Invariant: numbers count up from zero, and no two belong to equal table versions.
//!
//! Must not know: which file, and when a table has to be introduced.

use super::malformed::Malformed;
use crate::table::{Table, TableName};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The table versions introduced in one file, by number.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    tables: Vec<Arc<Table>>,
    /// The numbers by the address of the table in memory. It stays with its table, because
    /// `tables` keeps that alive.
    by_address: BTreeMap<usize, u32>,
    by_name: BTreeMap<TableName, Vec<u32>>,
}

impl Dictionary {
    /// A dictionary without tables, as each file begins with.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of this table version, if it was introduced: at once for the very same table,
    /// by comparing for an equal one.
    pub fn number_of(&self, table: &Arc<Table>) -> Option<u32> {
        if let Some(&number) = self.by_address.get(&address(table)) {
            return Some(number);
        }
        let numbers = self.by_name.get(&table.name)?;
        numbers.iter().rev().copied().find(|&number| self.get(number) == Some(table))
    }

    /// Gives the table version the next number, unless it has one.
    pub fn introduce(&mut self, table: &Arc<Table>) -> u32 {
        if let Some(number) = self.number_of(table) {
            return number;
        }
        let number = self.next_number().expect("BUG: a file has no four billion tables");
        self.push(number, Arc::clone(table));
        number
    }

    /// Takes the number that a file gives to a table version, which must be the next.
    pub fn insert(&mut self, number: u32, table: Arc<Table>) -> Result<(), Malformed> {
        if self.next_number() != Some(number) {
            return Err(Malformed { what: "a table does not have the next number", at: 0 });
        }
        if self.number_of(&table).is_some() {
            return Err(Malformed { what: "a table has a number already", at: 0 });
        }
        self.push(number, table);
        Ok(())
    }

    /// The table version with this number.
    pub fn get(&self, number: u32) -> Option<&Arc<Table>> {
        self.tables.get(usize::try_from(number).ok()?)
    }

    fn next_number(&self) -> Option<u32> {
        u32::try_from(self.tables.len()).ok()
    }

    fn push(&mut self, number: u32, table: Arc<Table>) {
        self.by_address.insert(address(&table), number);
        self.by_name.entry(table.name.clone()).or_default().push(number);
        self.tables.push(table);
    }
}

fn address(table: &Arc<Table>) -> usize {
    Arc::as_ptr(table).addr()
}
