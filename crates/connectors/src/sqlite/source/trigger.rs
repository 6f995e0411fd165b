//! PURE: the triggers that record which keys a statement touches.
//!
//! A row is recorded by its key alone and read later, as it is then; so it does no harm to record a
//! key too many, and each doubt is settled that way. `replace` deletes rows through any unique index
//! without firing their delete triggers: before each row is written, the keys of all rows that share
//! a unique value with it are recorded, one trigger for each index, so that an index that is dropped
//! takes nothing else with it.
//!
//! They run in the writer's SQLite, which may be an old one, and must never make his statement fail:
//! plain old syntax, no constraint, nothing evaluated that his index does not evaluate, too.

use super::shape::{Shape, Term, Unique};
use crate::sqlite::quote;
use model::TableName;

/// A trigger as it is to stand in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Trigger {
    /// Its name.
    pub(super) name: String,
    /// The statement that makes it, letter by letter as SQLite keeps it.
    pub(super) sql: String,
}

/// What every name begins with that stands in a file because of us.
pub(in crate::sqlite) const PREFIX: &str = "instep_";

/// The time, in microseconds since 1970. SQLite's clock knows milliseconds: what is below tells
/// histories apart that count the same changes. It never goes back.
pub(super) const NOW: &str = "max(cast((julianday('now') - 2440587.5) * 86400000.0 as integer) * 1000 \
     + abs(random() % 1000), coalesce((select at from instep_changes order by seq desc limit 1), 0))";

/// The number of the last change has to stand in SQLite's own table even while a statement runs: if
/// it ends with `or fail`, SQLite does not write it, and writers read their token there.
pub(super) const NUMBER: &str = "update sqlite_sequence set seq = \
     (select max(seq) from instep_changes) where name = 'instep_changes';";

/// The name of the trigger that records what is inserted.
pub(super) fn insert_name(table: &TableName) -> String {
    name(table, "insert")
}

fn name(table: &TableName, what: &str) -> String {
    format!("{PREFIX}{table}:{what}")
}

/// All triggers of a table.
pub(super) fn triggers(shape: &Shape) -> Vec<Trigger> {
    let table = Writer { shape, table: quote::name(shape.table.name.as_str()) };
    let touch_old = table.touch("old", "");
    let touch_new = table.touch("new", "");
    let moved = format!("when {}", changed(shape.table.key_names()));
    let mut triggers = vec![
        table.trigger("insert", "after insert", "", &[&touch_new, NUMBER]),
        table.trigger("delete", "before delete", "", &[&touch_old, NUMBER]),
        table.trigger("update", "before update", "", &[&touch_old, NUMBER]),
        table.trigger("move", "before update", &moved, &[&touch_new, NUMBER]),
        // With `or replace` a key that is NULL has become its default only now.
        table.trigger("moved", "after update", &moved, &[&touch_new, NUMBER]),
    ];
    for unique in &shape.uniques {
        let found = format!(" from {} where {}", table.table, table.finds(unique));
        let touch_found = table.touch(&table.table, &found);
        let (insert, update) =
            (format!("insert:{}", unique.name), format!("update:{}", unique.name));
        triggers.push(table.trigger(&insert, "before insert", "", &[&touch_found]));
        let may_meet = may_meet_others(unique);
        triggers.push(table.trigger(&update, "before update", &may_meet, &[&touch_found]));
        triggers.extend(table.touch_all_if_unsure(unique));
    }
    triggers
}

/// Whether an update can meet another row at all: not if its columns stay as they are. What an
/// expression makes of equal values nobody knows.
fn may_meet_others(unique: &Unique) -> String {
    let columns = unique.terms.iter().map(|term| term.column.as_deref());
    match columns.collect::<Option<Vec<_>>>() {
        Some(columns) if unique.condition.is_none() => format!("when {}", changed(columns)),
        _ => String::new(),
    }
}

/// Whether an update changes one of these columns.
fn changed<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    let names = columns.into_iter().map(quote::name);
    let changed = names.map(|name| format!("old.{name} is not new.{name} collate binary"));
    changed.collect::<Vec<_>>().join(" or ")
}

struct Writer<'a> {
    shape: &'a Shape,
    /// The table's name, quoted.
    table: String,
}

impl Writer<'_> {
    fn trigger(&self, what: &str, when: &str, which: &str, statements: &[&str]) -> Trigger {
        let name = name(&self.shape.table.name, what);
        let (quoted, table) = (quote::name(&name), &self.table);
        let statements = statements.join(" ");
        let sql =
            format!("CREATE TRIGGER {quoted} {when} on {table} {which} begin {statements} end");
        Trigger { name, sql }
    }

    /// Records the keys of rows: of the old or the new one, or of those found in the table.
    fn touch(&self, row: &str, which: &str) -> String {
        let key = &self.shape.table.key;
        let columns: Vec<_> = (1..=key.len()).map(|place| format!("k{place}")).collect();
        let names = self.shape.table.key_names();
        let values: Vec<_> = names.map(|name| format!("{row}.{}", quote::name(name))).collect();
        let table = quote::text(self.shape.table.name.as_str());
        let (columns, values) = (columns.join(", "), values.join(", "));
        format!(
            "insert into instep_changes (at, tbl, {columns}) select {NOW}, {table}, {values}{which};"
        )
    }

    /// Records every row where nobody can say which one is in the way of the new one.
    fn touch_all_if_unsure(&self, unique: &Unique) -> impl Iterator<Item = Trigger> {
        let null = unique.unsure.null.iter().map(|column| {
            let column = quote::name(column);
            format!("new.{column} is null")
        });
        let null: Vec<_> = null.collect();
        let mut insert = null.clone();
        // SQLite shows -1 where it will give a number.
        insert.extend(unique.unsure.number.iter().map(|column| {
            let column = quote::name(column);
            format!("coalesce(new.{column}, -1) = -1")
        }));
        let touch_all = self.touch(&self.table, &format!(" from {}", self.table));
        let whens = [("insert", insert), ("update", null)];
        whens.into_iter().filter(|(_, unsure)| !unsure.is_empty()).map(move |(when, unsure)| {
            let what = format!("{when}-all:{}", unique.name);
            let which = format!("when {}", unsure.join(" or "));
            self.trigger(&what, &format!("before {when}"), &which, &[&touch_all])
        })
    }

    /// Which rows share a unique value with the new one.
    fn finds(&self, unique: &Unique) -> String {
        let mut finds = Vec::new();
        finds.extend(unique.condition.as_ref().map(|condition| format!("({condition})")));
        for Term { indexed, column, collation } in &unique.terms {
            let collation = quote::name(collation);
            let there = match column {
                Some(column) => format!("{}.{}", self.table, quote::name(column)),
                None => format!("({indexed})"),
            };
            let here = match column {
                Some(column) if unique.condition.is_none() => self.written(column),
                _ => self.evaluated(indexed, unique.condition.as_deref()),
            };
            finds.push(format!("{there} = {here} collate {collation}"));
        }
        finds.join(" and ")
    }

    /// The value that a column of the new row will have. With `or replace` a NULL that may not be
    /// one becomes the default, after this trigger.
    fn written(&self, column: &str) -> String {
        let name = quote::name(column);
        match self.shape.defaults.get(column) {
            Some(default) => format!("coalesce(new.{name}, {default})"),
            None => format!("new.{name}"),
        }
    }

    /// An expression over the new row, as the index evaluates it: the row poses as the table. Where
    /// the index does not evaluate it, neither does this.
    fn evaluated(&self, indexed: &str, condition: Option<&str>) -> String {
        let texts = [Some(indexed), condition].map(|text| text.unwrap_or("").to_lowercase());
        let columns = self.shape.table.columns.iter();
        // A column that is named here can not be dropped, so no more of them than are needed.
        let named = columns.filter(|column| {
            let name = column.name.to_lowercase().replace('"', "\"\"");
            texts.iter().any(|text| text.contains(&name))
        });
        let row: Vec<_> = named
            .map(|column| {
                format!("{} as {}", self.written(&column.name), quote::name(&column.name))
            })
            .collect();
        let row = if row.is_empty() { "1".to_owned() } else { row.join(", ") };
        let value = match condition {
            Some(condition) => format!("case when ({condition}) then ({indexed}) end"),
            None => format!("({indexed})"),
        };
        format!("(select {value} from (select {row}) as {})", self.table)
    }
}
