//! PURE: what is asked for, found in the table as it is.

use super::convert::{key_value, value};
use super::literal::literal;
use super::relation::{Asked, Held, Relation};
use crate::postgres::trouble::Trouble;
use crate::postgres::types::NoValue;
use model::{Ask, Cell, Code, Fault, Key, Row, Value, Wanted};

/// What is asked for, found in the table as it is.
pub(super) struct Question<'a> {
    pub(super) key: Vec<Asked<'a>>,
    pub(super) columns: Vec<Asked<'a>>,
    pub(super) condition: Option<&'a str>,
    pub(super) from: Option<(Asked<'a>, &'a Value)>,
    pub(super) seeds: [i64; 2],
}

impl<'a> Question<'a> {
    /// Fails if the table has no such columns.
    pub(super) fn new(relation: &'a Relation, ask: &'a Ask) -> Result<Self, Fault> {
        let all = |wanted: &'a [Wanted]| -> Result<Vec<_>, Fault> {
            wanted.iter().map(|it| asked(relation, it)).collect()
        };
        let from = match &ask.from {
            Some((wanted, value)) => Some((asked(relation, wanted)?, value)),
            None => None,
        };
        Ok(Self {
            key: all(&ask.key)?,
            columns: all(&ask.columns)?,
            condition: ask.condition.as_deref(),
            from,
            seeds: ask.seeds,
        })
    }

    /// The key in the first cells of a row of the answer.
    pub(super) fn key_of(&self, cells: &[Option<String>]) -> Result<Key, Trouble> {
        key(&self.key, cells)
    }

    /// The row in these cells.
    pub(super) fn row_of(&self, cells: &[Option<String>]) -> Result<Row, Trouble> {
        if cells.len() != self.columns.len() {
            return Err(odd());
        }
        let cells = self.columns.iter().zip(cells);
        let cells = cells.map(|(asked, cell)| value(asked, cell.as_deref()).map(Cell::Value));
        Ok(Row(cells.collect::<Result<_, _>>().map_err(|wrong| unread(&wrong))?))
    }
}

/// The key in the first cells of a row, one for each of these columns.
pub(super) fn key(columns: &[Asked<'_>], cells: &[Option<String>]) -> Result<Key, Trouble> {
    let cells = cells.get(..columns.len()).ok_or_else(odd)?;
    let values = columns.iter().zip(cells);
    let values = values.map(|(asked, cell)| key_value(asked, cell.as_deref()));
    Ok(Key::new(values.collect::<Result<Vec<_>, _>>().map_err(|wrong| unread(&wrong))?))
}

/// A column of a table as it is wanted.
pub(super) fn asked<'a>(relation: &'a Relation, wanted: &Wanted) -> Result<Asked<'a>, Fault> {
    Ok(Asked { held: held(relation, &wanted.name)?, kind: wanted.kind })
}

/// The column of this name.
pub(super) fn held<'a>(relation: &'a Relation, name: &str) -> Result<&'a Held, Fault> {
    let missing = || {
        let table = &relation.looked.table.name;
        let what = format!("the table {table} has no column {name}");
        Fault::stop(Code::PostgresRefused, what)
    };
    relation.columns.iter().find(|it| &*it.name == name).ok_or_else(missing)
}

/// What each column of a key is equal to: nothing for NULL. None if the columns cannot hold the key.
pub(super) fn literals<'a>(
    columns: &[Asked<'a>],
    key: &Key,
) -> Option<Vec<(&'a Held, Option<String>)>> {
    let values = key.values();
    if values.len() != columns.len() {
        return None;
    }
    let each = columns.iter().zip(values).map(|(asked, value)| match value {
        Value::Null => Some((asked.held, None)),
        value => Some((asked.held, Some(literal(asked.held, value)?))),
    });
    each.collect()
}

/// A cell that its column cannot have written.
pub(super) fn unread(wrong: &NoValue) -> Trouble {
    Trouble::malformed(wrong.to_string())
}

/// Another answer than that to what was asked.
pub(super) fn odd() -> Trouble {
    Trouble::malformed("the server answers in a way that is not known")
}
