//! PURE: the table of a copy with `create: true`, made from the source's.
//!
//! Columns with their types (`affinity.rs`), NOT NULL, and the key. Checks, collations, defaults and
//! other indexes of the source are not repeated: the source keeps its rules, the copy its rows.

use super::affinity;
use super::sql::quoted;
use crate::copy::CopyTo;
use crate::pieces::list;
use model::{Kind, Table};

/// The statement that makes the table. One key column of whole numbers becomes the row number,
/// which SQLite finds rows by without a further index.
pub(super) fn statement(copy: &CopyTo, table: &Table) -> String {
    let mut columns = Vec::new();
    for (place, column) in table.columns.iter().enumerate() {
        let is_row_number = table.key == [place] && column.kind == Kind::Int && !copy.shard_in_key;
        let declared = if is_row_number { "integer" } else { affinity::declared(column) };
        let name = quoted(copy.renamed(&column.name));
        let not_null = if column.nullable { "" } else { " not null" };
        columns.push(format!("{name} {declared}{not_null}"));
    }
    if let Some(shard) = &copy.shard_column {
        columns.push(format!("{} text not null", quoted(shard)));
    }
    let key = table.key.iter().map(|&place| copy.renamed(&table.columns[place].name));
    let shard = copy.shard_column.as_deref().filter(|_| copy.shard_in_key);
    let key = list(key.chain(shard).map(quoted));
    columns.push(format!("primary key ({key})"));
    format!("create table {} ({})", quoted(&copy.table), list(columns))
}

#[cfg(test)]
mod tests {
    use super::statement;
    use crate::copy::CopyTo;
    use model::{Column, Kind, Table};

    #[test]
    fn a_table_is_made_with_the_names_of_the_copy() {
        let column = |name: &str, kind, declared: &str, nullable| Column {
            name: name.into(),
            kind,
            declared: declared.into(),
            nullable,
            compares: model::Compares::default(),
        };
        let columns = vec![
            column("id", Kind::Int, "bigint", false),
            column("org\"x", Kind::Text, "varchar(9)", false),
            column("at", Kind::TimestampTz, "timestamptz", true),
        ];
        let mut table = Table { name: "s".into(), version: 1, columns, key: vec![0] };
        let copy = CopyTo {
            fields: [("org".into(), "org\"x".into())].into(),
            shard_column: Some("shard".into()),
            ..CopyTo::new("c", "t")
        };
        assert_eq!(
            statement(&copy, &table),
            "create table \"t\" (\"id\" integer not null, \"org\" varchar(9) not null, \
             \"at\" text, \"shard\" text not null, primary key (\"id\"))"
        );
        let copy = CopyTo { shard_in_key: true, ..copy };
        assert_eq!(
            statement(&copy, &table),
            "create table \"t\" (\"id\" bigint not null, \"org\" varchar(9) not null, \
             \"at\" text, \"shard\" text not null, primary key (\"id\", \"shard\"))"
        );
        table.key = vec![1, 0];
        let copy = CopyTo::new("c", "t");
        assert_eq!(
            statement(&copy, &table),
            "create table \"t\" (\"id\" bigint not null, \"org\"\"x\" varchar(9) not null, \
             \"at\" text, primary key (\"org\"\"x\", \"id\"))"
        );
    }
}
