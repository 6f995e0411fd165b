//! PURE: the table of a pushed count: one row a group, with the count's name and its number.

use crate::count::Group;
use model::{Cell, Code, Column, CopyName, CountName, Fault, Key, Kind, Row, Table, Value};
use std::sync::Arc;

/// A pushed count as rows.
pub(super) struct Pushed {
    count: Value,
    pub(super) table: Arc<Table>,
}

impl Pushed {
    /// The table `count, <group columns>, value`; all but the value make its key. The group columns
    /// are as the counted table has them.
    pub(super) fn new(
        copy: &CopyName,
        count: &CountName,
        by: &[Arc<str>],
        of: &Table,
    ) -> Result<Self, Fault> {
        let own = |name: &str, kind, declared: &str| Column {
            name: name.into(),
            kind,
            declared: declared.into(),
            nullable: false,
            compares: model::Compares::default(),
        };
        let mut columns = vec![own("count", Kind::Text, "text")];
        for name in by {
            let column =
                of.columns.iter().find(|column| column.name == *name).ok_or_else(|| {
                    let what = format!("{count}: {} has no column {name}", of.name);
                    Fault::retry(Code::CountWrong, what)
                })?;
            columns.push(Column { nullable: true, ..column.clone() });
        }
        columns.push(own("value", Kind::Int, "bigint"));
        let key = (0..=by.len()).collect();
        let table = Table { name: copy.as_str().into(), version: 1, columns, key };
        Ok(Self { count: Value::Text(count.as_str().into()), table: Arc::new(table) })
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
    use super::Pushed;
    use crate::count::Group;
    use model::{Column, Key, Kind, Row, Table, Value};

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

    #[test]
    fn a_column_that_the_table_lacks_is_named() {
        let fault =
            Pushed::new(&"c".into(), &"q".into(), &["level".into()], &questions(&["topic"]));
        assert_eq!(
            fault.err().map(|fault| fault.what).as_deref(),
            Some("q: questions has no column level")
        );
    }

    fn pushed(by: &[&str]) -> Pushed {
        let names: Vec<_> = by.iter().map(|&name| name.into()).collect();
        Pushed::new(&"counts".into(), &"questions".into(), &names, &questions(by)).expect("a table")
    }

    fn questions(columns: &[&str]) -> Table {
        let column = |name: &&str| Column {
            name: (*name).into(),
            kind: Kind::Int,
            declared: "int".into(),
            nullable: false,
            compares: model::Compares::default(),
        };
        let columns = columns.iter().map(column).collect();
        Table { name: "questions".into(), version: 1, columns, key: vec![0] }
    }
}
