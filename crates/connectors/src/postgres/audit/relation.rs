//! A table of the server that is looked at, and what is to be known of each column.

use crate::postgres::types::Form;
use model::{Kind, Looked};
use std::sync::Arc;

/// A table, a view, or whatever else has rows.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    /// As everybody else knows it.
    pub(super) looked: Looked,
    /// More about each column, in their order.
    pub(super) columns: Vec<Held>,
    /// Its name in SQL, to be read from: a plain table without those that inherit from it.
    pub(super) only: String,
    /// Its name in SQL as a column of it is called by.
    pub(super) name: String,
    /// Whether the server tells one state of a row from another, and we may ask for that.
    pub(super) has_versions: bool,
}

/// What is to be known of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) name: Arc<str>,
    /// Its name in SQL.
    pub(super) sql: String,
    pub(super) nullable: bool,
    pub(super) form: Form,
    pub(super) base: Base,
}

/// What a column's type is once domains are taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    /// Its name if it is one of the system's own, else nothing.
    pub(super) system: String,
    /// Its name in SQL, which says nothing of a length.
    pub(super) cast: String,
    pub(super) is_enumeration: bool,
    /// The schema of its operators in SQL, where they are not the system's own.
    pub(super) operators: Option<String>,
}

impl Held {
    /// Whether it is one of the types whose values are any text, with blanks at the end or not.
    pub(super) fn is_any_text(&self) -> bool {
        matches!(&*self.base.system, "text" | "varchar" | "name" | "bpchar")
    }

    /// An operator of its type.
    pub(super) fn operator(&self, operator: &str) -> String {
        match &self.base.operators {
            Some(schema) => format!("operator({schema}.{operator})"),
            None => operator.to_owned(),
        }
    }
}

/// A column of a relation that is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) held: &'a Held,
    /// As what kind its values are wanted.
    pub(super) kind: Kind,
}
