//! PURE: what is done to an outbox, to changes of the kinds that its rows name.
//!
//! A row that is inserted is a change. That rows are taken out again, and whatever else is done to
//! them, is no change of a kind: it is how an outbox is kept small.

use crate::postgres::outbox::{Layout, Outbox};
use model::{Cell, Change, Fault, Op, Row, Table, TableName, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The kinds of an outbox that are followed, as their tables look.
#[derive(Clone, Debug)]
pub(super) struct Kinds {
    layout: Layout,
    tables: BTreeMap<TableName, Arc<Table>>,
}

impl Kinds {
    /// Those of this outbox, if it looks like this; refused is a table that is no outbox.
    pub(super) fn new(outbox: &Outbox, table: &Table) -> Result<Self, Fault> {
        let layout = Layout::of(table)?;
        let of_kind = |kind: &TableName| (kind.clone(), layout.table(table, kind));
        Ok(Self { layout, tables: outbox.kinds.iter().map(of_kind).collect() })
    }

    /// What a change of the outbox is a change of, if it is one of a kind that is followed.
    pub(super) fn told(&self, change: Change) -> Option<Change> {
        let Op::Insert(Row(mut cells)) = change.op else { return None };
        let Some(Cell::Value(Value::Text(kind))) = cells.get(self.layout.kind) else { return None };
        let table = Arc::clone(self.tables.get(&TableName::from(&**kind))?);
        let mut take = |at: usize| {
            let cell = cells.get_mut(at).expect("BUG: a row is as long as its table is wide");
            std::mem::replace(cell, Cell::Unchanged)
        };
        let row = Row(self.layout.told.iter().map(|&at| take(at)).collect());
        Some(Change { table, op: Op::Insert(row) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Change, Kinds, Op, Outbox, Row, Table, Value};
    use model::{Column, Compares, Key, Kind};
    use std::sync::Arc;

    fn outbox() -> Arc<Table> {
        let columns = [
            ("at", Kind::TimestampTz, "timestamp with time zone"),
            ("kind", Kind::Text, "text"),
            ("key", Kind::Text, "text"),
            ("data", Kind::Json, "jsonb"),
            ("id", Kind::Int, "bigint"),
            ("xid", Kind::Text, "xid8"),
        ];
        let column = |(name, kind, declared): (&str, Kind, &str)| Column {
            name: name.into(),
            kind,
            declared: declared.into(),
            nullable: true,
            compares: Compares::default(),
        };
        let columns = columns.into_iter().map(column).collect();
        Arc::new(Table { name: "public.outbox".into(), version: 1, columns, key: vec![4] })
    }

    fn row(kind: Value) -> Row {
        let cells = [
            Value::Null,
            kind,
            Value::from("q1"),
            Value::Json("{\"a\": []}".into()),
            Value::Int(5),
            Value::from("740"),
        ];
        Row(cells.map(Cell::Value).to_vec())
    }

    fn told(op: Op) -> Option<Change> {
        let outbox = outbox();
        let followed = Outbox { table: outbox.name.clone(), kinds: vec!["a".into(), "b".into()] };
        Kinds::new(&followed, &outbox).unwrap().told(Change { table: outbox, op })
    }

    #[test]
    fn an_inserted_row_is_a_change_of_the_kind_that_it_names() {
        let change = told(Op::Insert(row("b".into()))).unwrap();
        assert_eq!(change.table.name, "b".into());
        let cells =
            [Value::Int(5), Value::from("q1"), Value::Json("{\"a\": []}".into()), Value::Null];
        let Op::Insert(row) = change.op else { panic!("{:?}", change.op) };
        assert_eq!(row, Row(cells.map(Cell::Value).to_vec()));
        assert_eq!(change.table.key_of(&row), Some(Key::new([Value::Int(5)])));
    }

    #[test]
    fn nothing_else_is_a_change() {
        let key = || Key::new([Value::Int(5)]);
        for op in [
            Op::Insert(row("c".into())),
            Op::Insert(row(Value::Null)),
            Op::Update { before: key(), row: row("a".into()) },
            Op::Delete(key()),
            Op::Truncate,
        ] {
            assert!(told(op.clone()).is_none(), "{op:?}");
        }
    }
}
