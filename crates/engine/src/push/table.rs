//! PURE: the table of a pushed count: one row a group, with the count's name and its number.

use crate::count::Group;
use model::{Cell, Column, CopyName, CountName, Key, Kind, Row, Table, Value};
use std::sync::Arc;

/// A column that a count groups by, as the pushed table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouped {
    /// Its name.
    pub name: Arc<str>,
    /// What kind of values it holds.
    pub kind: Kind,
    /// The type as the source declares it.
    pub declared: Arc<str>,
}

/// A pushed count as rows.
pub(super) struct Pushed {
    count: Value,
    pub(super) table: Arc<Table>,
}

impl Pushed {
    /// The table `count, <group columns>, value`; all but the value make its key.
    pub(super) fn new(copy: &CopyName, count: &CountName, by: &[Grouped]) -> Self {
        let column = |name: &str, kind, declared: &str, nullable| Column {
            name: name.into(),
            kind,
            declared: declared.into(),
            nullable,
        };
        let mut columns = vec![column("count", Kind::Text, "text", false)];
        columns.extend(by.iter().map(|by| column(&by.name, by.kind, &by.declared, true)));
        columns.push(column("value", Kind::Int, "bigint", false));
        let key = (0..=by.len()).collect();
        let table = Table { name: copy.as_str().into(), version: 1, columns, key };
        Self { count: Value::Text(count.as_str().into()), table: Arc::new(table) }
    }

    /// The row of a group.
    pub(super) fn row(&self, group: &Group, number: i64) -> (Key, Row) {
        let key: Vec<_> = std::iter::once(&self.count).chain(group.values()).cloned().collect();
        let mut cells: Vec<_> = key.iter().cloned().map(Cell::Value).collect();
        cells.push(Cell::Value(Value::Int(number)));
        (Key::new(key), Row(cells))
    }
}

#[cfg(test)]
mod tests {
    use super::{Grouped, Pushed};
    use crate::count::Group;
    use model::{Key, Kind, Row, Value};

    #[test]
    fn a_group_is_a_row_with_the_name_of_its_count_and_its_number() {
        let pushed = pushed(&["topic", "level"]);
        let group = Group::new([Value::Int(7), Value::from("easy")]);
        let (key, row) = pushed.row(&group, 42);
        let values = [Value::from("questions"), Value::Int(7), Value::from("easy")];
        assert_eq!(key, Key::new(values.clone()));
        assert_eq!(row, Row::new(values.into_iter().chain([Value::Int(42)])));
    }

    #[test]
    fn the_key_of_a_row_is_the_one_that_its_table_gives_it() {
        for by in [&[][..], &["topic"]] {
            let pushed = pushed(by);
            let group = Group::new(by.iter().map(|_| Value::Int(1)));
            let (key, row) = pushed.row(&group, 1);
            assert_eq!(pushed.table.key_of(&row), Some(key));
            assert_eq!(pushed.table.columns.len(), by.len() + 2);
        }
    }

    #[test]
    fn a_row_of_a_group_without_a_value_keeps_the_null() {
        let (key, _) = pushed(&["topic"]).row(&Group::new([Value::Null]), 1);
        assert_eq!(key, Key::new([Value::from("questions"), Value::Null]));
    }

    fn pushed(by: &[&str]) -> Pushed {
        let grouped =
            |name: &&str| Grouped { name: (*name).into(), kind: Kind::Int, declared: "int".into() };
        let by: Vec<_> = by.iter().map(grouped).collect();
        Pushed::new(&"counts".into(), &"questions".into(), &by)
    }
}
