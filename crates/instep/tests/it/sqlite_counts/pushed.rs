//! The whole way, from the programs that write to a file to the table of numbers in another: there
//! stands at the end what SQLite counts itself.

use super::running::Running;
use super::values::{Numbers, asked, pushed};
use rusqlite::Connection;
use std::fmt::Write;

/// A table, and a count over it.
struct Case {
    table: &'static str,
    columns: &'static str,
    by: &'static [&'static str],
    condition: &'static str,
}

const CASES: [Case; 6] = [
    Case {
        table: "loose",
        columns: "(id integer primary key, a int, b, c text collate nocase, u unique)",
        by: &["b"],
        condition: "a >= '1' and a <> 1.50 or b is null",
    },
    Case {
        table: "numbers",
        columns: "(id integer primary key, a real, b numeric, c, u unique)",
        by: &["a", "b"],
        condition: "c = 1 or c in ('1', 'a', 1.5) or not (b < 'a')",
    },
    Case {
        table: "texts",
        columns: "(id text primary key not null, a text, b varchar(9), c blob, u unique) \
                  without rowid",
        by: &["a"],
        condition: "b between 1 and 'a' or c > 'a'",
    },
    Case {
        table: "\"order\"",
        columns: "(id integer primary key, a integer, b text, c any, u any unique) strict",
        by: &["c"],
        condition: "a < 2 or a = true or b = ''",
    },
    Case {
        table: "whole",
        columns: "(id int primary key not null, a, b as (a) stored, c text as (a), u unique)",
        by: &["b", "c"],
        condition: "a is not null and c <> '1'",
    },
    Case {
        table: "ungrouped",
        columns: "(id integer primary key, a, b, c, u unique)",
        by: &[],
        condition: "(a = b) is null or c = 9007199254740993",
    },
];

/// CN3, CN4, CN5, CN6, CN7: groups change, rows come and go and are replaced, all of them at once,
/// and all of it while the counts are filled, and while the program is killed.
#[test]
fn pushed_numbers_equal_those_of_sqlite_after_changes_of_every_kind() {
    let mut running = Running::new(&config());
    let open = |case: &'static Case| {
        let source = running.open(&format!("{}.db", name(case)));
        source.execute_batch(&format!("create table {}{}", case.table, case.columns)).unwrap();
        (case, source)
    };
    let sources: Vec<_> = CASES.iter().map(open).collect();
    let mut chance = Chance(7);
    for (case, source) in &sources {
        change(source, &mut chance, case.table, 60);
    }
    running.start();
    let target = running.open("target.db");
    for round in 0..3 {
        for (case, source) in &sources {
            change(source, &mut chance, case.table, 120);
        }
        if round == 1 {
            running.start();
        }
        for (case, source) in &sources {
            running.until_equal(case.table, || {
                let expected = asked(source, case.table, case.by, case.condition);
                (expected, pushed(&target, &name(case), case.by))
            });
        }
    }
    assert!(pushed(&target, "refused", &["c"]).is_empty());
    let why = "column c: it cannot be grouped by: its texts compare as nocase does";
    running.until_equal("it says why", || (true, running.log().contains(why)));
}

/// CN14.
#[test]
fn a_count_of_another_definition_is_counted_anew() {
    let config = |by: &str, condition: &str| {
        format!(
            "services: {{ from: {{ sqlite: source.db }}, to: {{ sqlite: target.db }} }}
sources: {{ s: {{ from: from, tables: [t] }} }}
counts: {{ t: {{ of: s/t, by: [{by}], where: \"{condition}\", to: [to/t_n] }} }}
"
        )
    };
    let mut running = Running::new(&config("a", "b > 1"));
    let source = running.open("source.db");
    source.execute_batch("create table t (id integer primary key, a, b, c, u unique)").unwrap();
    let mut chance = Chance(23);
    let target = running.open("target.db");
    for condition in ["b > 1", "b is null or b <> 'a'", "c = 1"] {
        running.configure(&config("a", condition));
        running.start();
        change(&source, &mut chance, "t", 60);
        running.until_equal(condition, || {
            (asked(&source, "t", &["a"], condition), pushed(&target, "t", &["a"]))
        });
    }
}

/// A source and a count for each table, and one count that can not be: the others do not mind.
fn config() -> String {
    let (mut services, mut sources, mut counts) = (String::new(), String::new(), String::new());
    for case in &CASES {
        let (name, by, condition) = (name(case), case.by.join(", "), case.condition);
        writeln!(services, "  {name}: {{ sqlite: {name}.db }}").unwrap();
        writeln!(sources, "  {name}: {{ from: {name}, tables: [{name}] }}").unwrap();
        writeln!(
            counts,
            "  {name}: {{ of: {name}/{name}, by: [{by}], where: \"{condition}\", to: [to/{name}_n] }}"
        )
        .unwrap();
    }
    format!(
        "services:\n  to: {{ sqlite: target.db }}\n{services}sources:\n{sources}counts:\n{counts}  \
         refused: {{ of: loose/loose, by: [c], to: [to/refused_n] }}\n"
    )
}

#[test]
fn a_count_over_two_files_is_the_sum_of_both() {
    let config = "
services:
  one: { sqlite: one.db }
  two: { sqlite: two.db }
  to: { sqlite: target.db }
sources:
  s: { from: [one, two], tables: [t], shard_in_key: true }
counts:
  t: { of: s/t, by: [a, b], where: \"c <> 'a' or c is null\", to: [to/t_n] }
";
    let mut running = Running::new(config);
    let files = ["one.db", "two.db"].map(|name| running.open(name));
    let mut chance = Chance(11);
    for file in &files {
        let table = "create table t (id integer primary key, a int, b, c text, u unique)";
        file.execute_batch(table).unwrap();
        change(file, &mut chance, "t", 40);
    }
    running.start();
    let target = running.open("target.db");
    for round in 0..3 {
        for file in &files {
            change(file, &mut chance, "t", 100);
        }
        if round == 1 {
            running.start();
        }
        running.until_equal("t", || {
            let condition = "c <> 'a' or c is null";
            let mut sum = Numbers::new();
            for file in &files {
                for (group, number) in asked(file, "t", &["a", "b"], condition) {
                    *sum.entry(group).or_default() += number;
                }
            }
            (sum, pushed(&target, "t", &["a", "b"]))
        });
    }
}

fn name(case: &Case) -> String {
    case.table.trim_matches('"').to_owned()
}

/// Changes rows of a table, in transactions of some statements; what a table refuses is not done.
fn change(source: &Connection, chance: &mut Chance, table: &str, count: usize) {
    for _ in 0..count / 6 {
        source.execute_batch("begin").unwrap();
        for _ in 0..6 {
            let _ = source.execute_batch(&statement(chance, table));
        }
        let end = if chance.below(8) == 0 { "rollback" } else { "commit" };
        source.execute_batch(end).unwrap();
    }
}

fn statement(chance: &mut Chance, table: &str) -> String {
    const VALUES: [&str; 16] = [
        "null",
        "0",
        "1",
        "1.0",
        "1.5",
        "'1'",
        "'1.50'",
        "'a'",
        "'A'",
        "''",
        "x'61'",
        "9e999",
        "9007199254740993",
        "9007199254740992.0",
        // Texts that are not UTF-8.
        "cast(x'61ff' as text)",
        "cast(x'ff' as text)",
    ];
    let mut value = || VALUES[chance.below(VALUES.len())];
    let values = [value(), value(), value(), value()];
    let (id, other) = (chance.below(30), chance.below(30));
    let columns = if table == "whole" { "id, a, u" } else { "id, a, b, c, u" };
    let row = match table {
        "whole" => format!("{id}, {}, {other}", values[0]),
        _ => format!("{id}, {}, {}, {}, {other}", values[0], values[1], values[2]),
    };
    if chance.below(60) == 0 {
        return format!("delete from {table}");
    }
    match chance.below(12) {
        0..4 => format!("insert into {table} ({columns}) values ({row})"),
        4..6 => format!("insert or replace into {table} ({columns}) values ({row})"),
        6..8 => format!("update {table} set a = {} where id = {id}", values[3]),
        8 => {
            format!("update or replace {table} set id = {other}, a = {} where id = {id}", values[3])
        }
        9 => format!("update or ignore {table} set id = id + 1 where id > {id}"),
        10 => format!("delete from {table} where id = {id}"),
        _ => format!("update or replace {table} set u = {other} where id = {id}"),
    }
}

/// Numbers as if by chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}
