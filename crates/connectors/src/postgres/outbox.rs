//! PURE: an outbox, the table that services insert their own named changes into, and how a table of
//! one of these names looks.
//!
//! The name of a kind has no schema, and that of every other table has one, so they never meet.

use model::{Code, Column, Fault, Kind, Table, TableName};
use std::sync::Arc;

/// A table whose inserted rows are changes of the kinds that they name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbox {
    /// The table, with its schema.
    pub table: TableName,
    /// The kinds that are followed; each is a table, whose name has no schema.
    pub kinds: Vec<TableName>,
}

/// Where an outbox has what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The column that names the kind.
    pub(super) kind: usize,
    /// The columns that the table of a kind has, its key first.
    pub(super) told: [usize; 4],
}

impl Outbox {
    /// The statement that makes one of this name.
    pub fn sql(table: &TableName) -> String {
        format!(
            "create table {table} (id bigint generated always as identity primary key, kind text not \
             null, key text not null, data jsonb not null default '{{}}', at timestamptz not null \
             default now(), xid xid8 not null default pg_current_xact_id())"
        )
    }

    /// The tables of the kinds that are followed, where the outbox looks like this; refused is a table
    /// that is no outbox.
    pub fn tables(&self, table: &Table) -> Result<Vec<Arc<Table>>, Fault> {
        let layout = Layout::of(table)?;
        Ok(self.kinds.iter().map(|kind| layout.table(table, kind)).collect())
    }

    /// Whether this is a kind that is followed.
    pub(super) fn has(&self, name: &TableName) -> bool {
        self.kinds.contains(name)
    }

    /// Why these tables, and this outbox beside them, can not be followed together.
    pub(super) fn check(&self, tables: &[TableName]) -> Result<(), Fault> {
        let Self { table, kinds } = self;
        if tables.contains(table) {
            let what =
                format!("the table {table} is the outbox: follow the kinds that it tells of");
            return Err(Fault::stop(Code::TableUnsuitable, what));
        }
        let is_odd = |(place, kind): &(usize, &TableName)| {
            let name = kind.as_str();
            name.is_empty() || name.contains('.') || kinds[..*place].contains(kind)
        };
        match kinds.iter().enumerate().find(is_odd) {
            None => Ok(()),
            Some((_, kind)) => {
                let what = format!(
                    "`{kind}` can be no kind of the outbox {table}: a kind is named once, and its name \
                     has no dot"
                );
                Err(Fault::stop(Code::TableUnsuitable, what))
            }
        }
    }
}

impl Layout {
    /// Of this table; refused is one that is no outbox, with the statement that makes one.
    pub(super) fn of(table: &Table) -> Result<Self, Fault> {
        let find = |name: &str, fits: &dyn Fn(&Column) -> bool| {
            let place = table.columns.iter().position(|it| &*it.name == name && fits(it));
            place.ok_or_else(|| {
                let what = format!(
                    "the table {} is no outbox: it has no column {name} that fits; make it by: {}",
                    table.name,
                    Outbox::sql(&table.name)
                );
                Fault::retry(Code::TableUnsuitable, what)
            })
        };
        let is = |kind: Kind| move |column: &Column| column.kind == kind;
        let is_text = |column: &Column| {
            *column.declared == *"text" || column.declared.starts_with("character varying")
        };
        let id = find("id", &is(Kind::Int))?;
        let in_key = |_: &Column| table.key == [id];
        find("id", &in_key)?;
        find("xid", &|column| *column.declared == *"xid8")?;
        Ok(Self {
            kind: find("kind", &is_text)?,
            told: [
                id,
                find("key", &is_text)?,
                find("data", &is(Kind::Json))?,
                find("at", &is(Kind::TimestampTz))?,
            ],
        })
    }

    /// The table of a kind, where this is the layout of the outbox. Its number is that of the outbox.
    pub(super) fn table(&self, outbox: &Table, kind: &TableName) -> Arc<Table> {
        let columns = self.told.iter().map(|&at| outbox.columns[at].clone()).collect();
        Arc::new(Table { name: kind.clone(), version: outbox.version, columns, key: vec![0] })
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, Kind, Layout, Outbox, Table};
    use model::{Code, Compares};

    fn outbox(columns: &[(&str, Kind, &str)]) -> Table {
        let column = |&(name, kind, declared): &(&str, Kind, &str)| Column {
            name: name.into(),
            kind,
            declared: declared.into(),
            nullable: false,
            compares: Compares::default(),
        };
        let columns = columns.iter().map(column).collect();
        Table { name: "public.outbox".into(), version: 7, columns, key: vec![0] }
    }

    const COLUMNS: [(&str, Kind, &str); 7] = [
        ("id", Kind::Int, "bigint"),
        ("kind", Kind::Text, "text"),
        ("note", Kind::Int, "integer"),
        ("key", Kind::Text, "character varying(80)"),
        ("data", Kind::Json, "jsonb"),
        ("at", Kind::TimestampTz, "timestamp with time zone"),
        ("xid", Kind::Text, "xid8"),
    ];

    #[test]
    fn a_kind_has_four_of_the_columns_and_other_ones_do_no_harm() {
        let outbox = outbox(&COLUMNS);
        let layout = Layout::of(&outbox).unwrap();
        let table = layout.table(&outbox, &"answer_given".into());
        let names: Vec<_> = table.columns.iter().map(|it| &*it.name).collect();
        assert_eq!((names, &table.key), (vec!["id", "key", "data", "at"], &vec![0]));
        assert_eq!((table.version, layout.kind), (7, 1));
    }

    #[test]
    fn a_table_without_one_of_the_columns_is_refused_with_the_statement_that_makes_it() {
        for (place, (name, ..)) in
            COLUMNS.iter().enumerate().filter(|(_, (name, ..))| *name != "note")
        {
            let mut columns = COLUMNS.to_vec();
            columns[place].0 = "other";
            let fault = Layout::of(&outbox(&columns)).unwrap_err();
            assert_eq!(fault.code, Code::TableUnsuitable);
            assert!(fault.what.contains(&format!("no column {name} ")), "{fault}");
            assert!(fault.what.contains("create table public.outbox (id bigint"), "{fault}");
        }
        let other_key = Table { key: vec![3], ..outbox(&COLUMNS) };
        assert!(Layout::of(&other_key).is_err());
    }

    #[test]
    fn a_kind_is_named_once_and_without_a_dot() {
        let checked = |kinds: &[&str], tables: &[&str]| {
            let kinds = kinds.iter().map(|&it| it.into()).collect();
            let tables: Vec<_> = tables.iter().map(|&it| it.into()).collect();
            Outbox { table: "public.outbox".into(), kinds }.check(&tables).is_ok()
        };
        assert!(checked(&["a", "b"], &["public.t"]));
        assert!(!checked(&["a", "a"], &[]) && !checked(&["public.a"], &[]) && !checked(&[""], &[]));
        assert!(!checked(&["a"], &["public.outbox"]));
    }
}
