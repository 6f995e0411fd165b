//! PURE: the table of a pushed count: one row a group, with the count's name, its number, and where
//! that was true when the row was written.

use crate::count::Group;
use model::{Cell, Code, Column, CopyName, CountName, Fault, Key, Kind, Moment, Row, Table, Value};
use std::sync::Arc;

/// A pushed count as rows.
pub(super) struct Pushed {
    count: Value,
    pub(super) table: Arc<Table>,
    /// Whether rows have each of [`TOLD`].
    has: [bool; 2],
}

/// Columns that say where a number is true. They may be NULL, so that rows can be written without
/// them; one whose name a group column has is left out.
const TOLD: [(&str, Kind, &str); 2] =
    [("position", Kind::Text, "text"), ("as_of", Kind::TimestampTz, "timestamptz")];

/// Where numbers are true: the values of [`TOLD`].
pub(super) struct Told([Value; 2]);

impl Told {
    /// At this position, when the source's clock showed so many microseconds since 1970.
    pub(super) fn new(position: Option<String>, as_of: Option<i64>) -> Self {
        let position = position.map_or(Value::Null, |position| Value::Text(position.into()));
        let as_of = as_of.map_or(Value::Null, |micros| Value::TimestampTz(Moment::At(micros)));
        Self([position, as_of])
    }
}

impl Pushed {
    /// The table `count, <group columns>, value, position, as_of`; what stands before the value makes
    /// its key. The group columns are as the counted table has them.
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
        // Not every store tells capitals from small letters in names.
        let has = TOLD.map(|(name, ..)| !by.iter().any(|it| it.eq_ignore_ascii_case(name)));
        for ((name, kind, declared), _) in TOLD.into_iter().zip(has).filter(|(_, has)| *has) {
            columns.push(Column { nullable: true, ..own(name, kind, declared) });
        }
        let key = (0..=by.len()).collect();
        let table = Table { name: copy.as_str().into(), version: 1, columns, key };
        Ok(Self { count: Value::Text(count.as_str().into()), table: Arc::new(table), has })
    }

    /// The row of a group.
    pub(super) fn row(&self, group: &Group, number: i64, told: &Told) -> (Key, Row) {
        let key: Vec<_> = std::iter::once(&self.count).chain(group.values()).cloned().collect();
        let mut cells: Vec<_> = key.iter().cloned().map(Cell::Value).collect();
        cells.push(Cell::Value(Value::Int(number)));
        let told = told.0.iter().zip(self.has).filter(|(_, has)| *has);
        cells.extend(told.map(|(value, _)| Cell::Value(value.clone())));
        (Key::new(key), Row(cells))
    }
}

#[cfg(test)]
mod tests {
    use super::{Pushed, Told};
    use crate::count::Group;
    use model::{Column, Key, Kind, Moment, Row, Table, Value};

    #[test]
    fn a_group_is_a_row_with_the_name_of_its_count_its_number_and_where_that_is_true() {
        let pushed = pushed(&["topic", "level"]);
        let group = Group::new([Value::Int(7), Value::from("easy")]);
        let (key, row) = pushed.row(&group, 42, &Told::new(Some("a:7,b:9".into()), Some(70)));
        let values = [Value::from("questions"), Value::Int(7), Value::from("easy")];
        assert_eq!(key, Key::new(values.clone()));
        let told = [Value::from("a:7,b:9"), Value::TimestampTz(Moment::At(70))];
        assert_eq!(row, Row::new(values.into_iter().chain([Value::Int(42)]).chain(told)));
        let names: Vec<_> = pushed.table.columns.iter().map(|column| &*column.name).collect();
        assert_eq!(names, ["count", "topic", "level", "value", "position", "as_of"]);
    }

    #[test]
    fn what_is_not_known_of_a_place_is_null() {
        let (_, row) = pushed(&[]).row(&Group::new([Value::Null; 0]), 42, &Told::new(None, None));
        let values = [Value::from("questions"), Value::Int(42), Value::Null, Value::Null];
        assert_eq!(row, Row::new(values));
        let nullable = |name: &str| {
            let pushed = pushed(&[]);
            pushed.table.columns.iter().find(|column| *column.name == *name).map(|it| it.nullable)
        };
        let names = ["count", "value", "position", "as_of"];
        assert_eq!(names.map(nullable), [false, false, true, true].map(Some));
    }

    #[test]
    fn a_column_of_the_group_keeps_its_name() {
        let told = Told::new(Some("7".into()), Some(70));
        let at = Value::TimestampTz(Moment::At(70));
        let expected = |last: &[Value]| {
            let first = [Value::from("questions"), Value::Int(1), Value::Int(42)];
            Row::new(first.into_iter().chain(last.iter().cloned()))
        };
        let group = Group::new([Value::Int(1)]);
        for (name, last) in [("position", at), ("As_Of", Value::from("7"))] {
            let pushed = pushed(&[name]);
            assert_eq!(pushed.row(&group, 42, &told).1, expected(&[last]), "{name}");
            assert_eq!(pushed.table.columns.len(), 4, "{name}");
        }
    }

    #[test]
    fn the_key_of_a_row_is_the_one_that_its_table_gives_it() {
        for by in [&[][..], &["topic"]] {
            let pushed = pushed(by);
            let group = Group::new(by.iter().map(|_| Value::Int(1)));
            let (key, row) = pushed.row(&group, 1, &Told::new(None, None));
            assert_eq!(pushed.table.key_of(&row), Some(key));
            assert_eq!(pushed.table.columns.len(), by.len() + 4);
        }
    }

    #[test]
    fn a_row_of_a_group_without_a_value_keeps_the_null() {
        let told = Told::new(None, None);
        let (key, _) = pushed(&["topic"]).row(&Group::new([Value::Null]), 1, &told);
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
