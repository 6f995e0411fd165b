//! PURE: when the values of a unique index are not known before the row is written.
//!
//! The triggers that look for rows in the way run before that. Two things come later: with `or
//! replace` a NULL that may not be one becomes its default, and a new row that brings no number is
//! given one. Where an index is over an expression or a generated column that is made of such a
//! column, nobody can say which row is in the way, so every row counts as touched.

use super::index_text::{columns, words};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What of a table is needed to tell.
#[derive(Debug)]
pub(super) struct Inputs {
    /// The generated columns, each with the words of which it is made, in small letters.
    generated: BTreeMap<String, BTreeSet<String>>,
    /// Columns with a default that may not be NULL.
    filled: BTreeSet<Arc<str>>,
    /// The column that is the row's number, if there is one.
    number: Option<Arc<str>>,
}

/// When the values of an index are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unsure {
    /// If one of these columns is NULL.
    pub(super) null: Vec<Arc<str>>,
    /// If a new row does not bring its number, which is this column.
    pub(super) number: Option<Arc<str>>,
}

impl Inputs {
    /// From the table's text, with the names of its generated columns; nothing if the text is not
    /// understood.
    pub(super) fn new(
        sql: &str,
        generated: &[String],
        filled: BTreeSet<Arc<str>>,
        number: Option<Arc<str>>,
    ) -> Option<Self> {
        let mut columns = columns(sql)?;
        let made_of = |name: &String| {
            let name = name.to_lowercase();
            columns.remove(&name).map(|words| (name, words))
        };
        let generated = generated.iter().map(made_of).collect::<Option<_>>()?;
        Some(Self { generated, filled, number })
    }

    /// When the values of an index are not known that is over these columns, and over these
    /// expressions and conditions.
    pub(super) fn unsure(&self, columns: &[&str], expressions: &[&str]) -> Unsure {
        let mut direct: BTreeSet<_> = expressions.iter().flat_map(|text| words(text)).collect();
        let columns: BTreeSet<_> = columns.iter().map(|name| name.to_lowercase()).collect();
        let mut open: Vec<_> = direct.union(&columns).cloned().collect();
        let mut within = BTreeSet::new();
        while let Some(name) = open.pop() {
            for word in self.generated.get(&name).into_iter().flatten() {
                if within.insert(word.clone()) {
                    open.push(word.clone());
                }
            }
        }
        let null = self.filled.iter().filter(|name| within.contains(&name.to_lowercase()));
        let null = null.cloned().collect();
        direct.append(&mut within);
        let number = self.number.clone().filter(|name| direct.contains(&name.to_lowercase()));
        Unsure { null, number }
    }
}
