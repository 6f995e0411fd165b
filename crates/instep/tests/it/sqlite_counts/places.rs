//! What a pushed row says beside its number: where that was true, and when.

use super::running::Running;
use super::values::{asked, pushed};
use rusqlite::Connection;
use std::collections::BTreeMap;

/// What a row says, by its group: its number, its position, and whether its time is one of today.
type Rows = BTreeMap<i64, (i64, String, Option<bool>)>;

/// P4.
#[test]
fn a_row_keeps_its_place_until_its_number_changes() {
    let mut running = Running::new(&config("source", "a"));
    let source = running.open("source.db");
    source.execute_batch("create table t (id integer primary key, a int)").unwrap();
    running.start();
    let target = running.open("target.db");
    source.execute_batch("insert into t (a) values (1), (1), (2)").unwrap();
    running.until_equal("all", || (vec![(1, 2), (2, 1)], values(&target)));
    let before = rows(&target);
    let number = |rows: &Rows, group| rows[&group].1.parse::<u64>().expect("a number");
    assert_eq!(number(&before, 1), number(&before, 2), "one transaction has one place");
    source.execute_batch("insert into t (a) values (2)").unwrap();
    running.until_equal("the next", || (vec![(1, 2), (2, 2)], values(&target)));
    let now = rows(&target);
    assert_eq!(now[&1], before[&1]);
    assert!(number(&now, 2) > number(&before, 2), "{before:?} {now:?}");
    assert_eq!(now[&2].2, Some(true), "its time is known");
    running.start();
    source.execute_batch("insert into t (a) values (3)").unwrap();
    running.until_equal("the last", || (vec![(1, 2), (2, 2), (3, 1)], values(&target)));
    let last = rows(&target);
    assert_eq!((&last[&1], &last[&2]), (&now[&1], &now[&2]), "a restart writes nothing anew");
}

#[test]
fn a_position_names_every_shard_in_the_order_of_the_configuration() {
    let mut running = Running::new(&config("[two, one]", "a"));
    let files = ["one.db", "two.db"].map(|name| running.open(name));
    for file in &files {
        file.execute_batch("create table t (id integer primary key, a int)").unwrap();
        file.execute_batch("insert into t (a) values (1)").unwrap();
    }
    running.start();
    let target = running.open("target.db");
    running.until_equal("the sum", || (vec![(1, 2)], values(&target)));
    let position = &rows(&target)[&1].1;
    let (two, one) = position.split_once(',').expect("two shards");
    let is_of = |part: &str, name| {
        part.strip_prefix(name).is_some_and(|number| number.parse::<u64>().is_ok())
    };
    assert!(is_of(two, "two:") && is_of(one, "one:"), "{position}");
}

/// A table from before there were these columns, or without them for another reason, is not touched
/// but for its numbers; once somebody adds them, they are filled.
#[test]
fn a_table_without_places_goes_on_as_before_until_it_is_given_them() {
    let mut running = Running::new(&config("source", "a"));
    let (source, target) = (running.open("source.db"), running.open("target.db"));
    source.execute_batch("create table t (id integer primary key, a int)").unwrap();
    source.execute_batch("insert into t (a) values (1), (2)").unwrap();
    let noting = "create table t_n (count text not null, a int, value integer not null,
            primary key (count, a));
        create table deleted (a int);
        create trigger t_n_deleted after delete on t_n begin
            insert into deleted values (old.a); end;";
    target.execute_batch(noting).unwrap();
    for topics in [[3, 4], [5, 6]] {
        running.start();
        // What is known at the second change is on the disk before the program is killed.
        for topic in topics {
            source.execute("insert into t (a) values (?1)", [topic]).unwrap();
            running.until_equal("it is pushed", || {
                (asked(&source, "t", &["a"], "true"), pushed(&target, "t", &["a"]))
            });
        }
    }
    let deleted = || -> i64 {
        target.query_row("select count(*) from deleted", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(deleted(), 0, "a restart writes nothing anew");
    assert!(!running.log().contains("E-COPY"), "{}", running.log());
    target.execute_batch("alter table t_n add column position text").unwrap();
    target.execute_batch("alter table t_n add column as_of text").unwrap();
    source.execute_batch("insert into t (a) values (7)").unwrap();
    running.until_equal("every row has a place", || {
        let ask = "select count(*), count(position) from t_n";
        let found = target.query_row(ask, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        ((7, 7), found)
    });
    assert_eq!(deleted(), 6, "all rows were written anew, once");
}

#[test]
fn columns_of_the_group_come_before_those_of_the_place() {
    let mut running = Running::new(&config("source", "position, As_Of"));
    let source = running.open("source.db");
    let table = "create table t (id integer primary key, position int, \"As_Of\" text)";
    source.execute_batch(table).unwrap();
    source.execute_batch("insert into t (position, As_Of) values (7, 'now'), (7, 'then')").unwrap();
    running.start();
    let target = running.open("target.db");
    let by = ["position", "As_Of"];
    running.until_equal("it is pushed", || {
        (asked(&source, "t", &by, "true"), pushed(&target, "t", &by))
    });
    let names: String = target
        .query_row("select group_concat(name) from pragma_table_info('t_n')", [], |row| row.get(0))
        .unwrap();
    assert_eq!(names, "count,position,As_Of,value");
}

#[test]
fn a_group_whose_column_every_pushed_table_has_is_refused() {
    for name in ["count", "Value"] {
        let running = Running::new(&config("source", name));
        let said = running.check();
        let expected = format!("`{name}` is reserved and can not be grouped by");
        assert!(said.contains(&expected) && said.contains("E-CONFIG-NAME"), "{said}");
    }
    assert!(!Running::new(&config("source", "position")).check().contains("E-CONFIG"));
}

/// A count over table `t`, pushed to `t_n`.
fn config(from: &str, by: &str) -> String {
    format!(
        "services:
  source: {{ sqlite: source.db }}
  one: {{ sqlite: one.db }}
  two: {{ sqlite: two.db }}
  to: {{ sqlite: target.db }}
sources:
  s: {{ from: {from}, tables: [t], shard_in_key: true }}
counts:
  t: {{ of: s/t, by: [{by}], to: [to/t_n] }}
"
    )
}

/// The groups with their numbers; none if there is no table yet.
fn values(target: &Connection) -> Vec<(i64, i64)> {
    rows(target).into_iter().map(|(group, (number, ..))| (group, number)).collect()
}

fn rows(target: &Connection) -> Rows {
    let ask = "select a, value, position, abs(julianday(as_of) - julianday('now')) < 1 from t_n";
    let Ok(mut ask) = target.prepare(ask) else { return Rows::new() };
    let rows = ask.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?))));
    rows.unwrap().map(Result::unwrap).collect()
}
