//! Random statements of every shape against random tables, from every kind of connection: whoever
//! follows them has after each reading what the tables have.

use super::rig::{Reader, Rig, open};
use instep_connectors::sqlite::SourceLimits;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::Config;
use rusqlite::Connection;
use std::fmt::Write;
use std::time::Duration;
use tokio::runtime::Builder;

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(64) })]

    #[test]
    fn a_reader_has_what_the_tables_have_whatever_statements_are_run(
        schema in schema(),
        transactions in prop::collection::vec(transaction(), 1..12),
    ) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follow(&schema, &transactions));
    }
}

async fn follow(schema: &Schema, transactions: &[Transaction]) {
    let rig = Rig::new(&schema.sql());
    let journal = if schema.options { "wal" } else { "delete" };
    rig.open().pragma_update(None, "journal_mode", journal).expect("nobody else is there");
    let limits =
        SourceLimits { look_pause_max: Duration::from_millis(2), ..SourceLimits::default() };
    let service = rig.service_with(&["it's", "child"], limits);
    let mut reader = Reader::begin(&service).await;
    let users = Users::new(&rig);
    for transaction in transactions {
        transaction.run(schema, &users);
        if transaction.is_read {
            compare(&rig, &mut reader).await;
        }
    }
    compare(&rig, &mut reader).await;
}

async fn compare(rig: &Rig, reader: &mut Reader) {
    reader.catch_up(rig).await;
    for table in ["it's", "child"] {
        assert_eq!(reader.rows(table), rig.rows(table).await, "{table}");
    }
}

/// A table `it's` with a key and unique columns, and another that refers to it.
#[derive(Clone, Debug)]
struct Schema {
    key: Key,
    indexes: Vec<&'static str>,
    options: bool,
    reference: &'static str,
    triggers: Vec<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    RowNumber,
    Text,
    Number,
    Two,
}

/// Each makes some rows stand in the way of others.
const INDEXES: [&str; 12] = [
    "create unique index i1 on \"it's\" (a);",
    "create unique index i2 on \"it's\" (a, \"b b\");",
    "create unique index i3 on \"it's\" (t collate nocase);",
    "create unique index i4 on \"it's\" (\"b b\") where a > 1;",
    "create unique index i5 on \"it's\" (a + \"b b\");",
    "create unique index i6 on \"it's\" (lower(t) desc, a);",
    "create unique index i7 on \"it's\" (sum);",
    "create unique index i8 on \"it's\" (n);",
    "create unique index \"i 9\" on \"it's\" (abs(\"b b\") % 3, t /* , */) -- )\n where t <> 'B' and a;",
    "create unique index i11 on \"it's\" (a + k);",
    "create unique index i12 on \"it's\" (sum) where k + n > 2;",
    "create unique index i10 on \"it's\" (json_extract(t, '$')) where json_valid(t);",
];

/// What a user's own triggers may do.
const TRIGGERS: [&str; 6] = [
    "create trigger u1 after insert on \"it's\" when new.a = 2 begin
        update \"it's\" set \"b b\" = 4 where a = 1; end;",
    "create trigger u2 before insert on \"it's\" when new.a = 3 begin
        delete from \"it's\" where \"b b\" = new.\"b b\"; end;",
    "create trigger u3 before update on \"it's\" when new.a = 4 begin
        insert or replace into child (c, d) values (new.a, new.\"b b\"); end;",
    "create trigger u4 after delete on \"it's\" begin
        insert or ignore into child (c, d) values (old.a, 9); end;",
    "create trigger u5 before insert on \"it's\" when new.\"b b\" = 0 begin
        select raise(ignore); end;",
    "create trigger u6 after insert on \"it's\" when new.a = 1 begin
        select raise(ignore); end;",
];

impl Schema {
    fn sql(&self) -> String {
        let (columns, key, without_rowid) = match self.key {
            Key::RowNumber => ("k integer primary key", "", false),
            Key::Text => ("k text not null", ", primary key (k)", self.options),
            Key::Number => ("k int not null", ", primary key (k)", self.options),
            Key::Two => (
                "k text not null, \"k 2\" int not null default 7",
                ", primary key (\"k 2\", k)",
                self.options,
            ),
        };
        let options = if without_rowid { "without rowid" } else { "" };
        let mut sql = format!(
            "create table \"it's\" ({columns}, a int, \"b b\" int, t text, n int not null default 3,
             sum int as (a + n) {}{key}) {options};
             create table child (c integer primary key, d int unique, k {});",
            if self.options { "stored" } else { "virtual" },
            self.reference,
        );
        self.indexes.iter().chain(&self.triggers).for_each(|it| sql.push_str(it));
        sql
    }

    fn columns(&self) -> &'static [&'static str] {
        match self.key {
            Key::Two => &["k", "\"k 2\"", "a", "\"b b\"", "t", "n"],
            _ => &["k", "a", "\"b b\"", "t", "n"],
        }
    }
}

fn schema() -> impl Strategy<Value = Schema> {
    let key = select(vec![Key::RowNumber, Key::Text, Key::Number, Key::Two]);
    let indexes = prop::sample::subsequence(INDEXES.to_vec(), 0..=4);
    let triggers = prop::sample::subsequence(TRIGGERS.to_vec(), 0..=2);
    let reference = select(vec![
        "",
        "references \"it's\" (k) on delete cascade on update cascade",
        "references \"it's\" (k) on delete set null on update set null",
    ]);
    (key, indexes, any::<bool>(), reference, triggers).prop_map(
        |(key, indexes, options, reference, triggers)| {
            // A part of a key is nothing that others can refer to.
            let reference = if key == Key::Two { "" } else { reference };
            Schema { key, indexes, options, reference, triggers }
        },
    )
}

/// Statements of one user in one transaction.
#[derive(Clone, Debug)]
struct Transaction {
    user: Index,
    statements: Vec<Statement>,
    end: &'static str,
    is_read: bool,
}

fn transaction() -> impl Strategy<Value = Transaction> {
    let statements = prop::collection::vec(statement(), 1..6);
    let end = select(vec!["commit", "commit", "commit", "rollback"]);
    (any::<Index>(), statements, end, any::<bool>())
        .prop_map(|(user, statements, end, is_read)| Transaction { user, statements, end, is_read })
}

impl Transaction {
    fn run(&self, schema: &Schema, users: &Users) {
        let user = self.user.get(&users.0);
        user.execute_batch("begin immediate").expect("it works");
        for statement in &self.statements {
            // What is refused is a part of the game, and `or rollback` ends the transaction.
            let _ = user.execute_batch(&statement.sql(schema));
        }
        if !user.is_autocommit() {
            user.execute_batch(self.end)
                .or_else(|_| user.execute_batch("rollback"))
                .expect("it works");
        }
    }
}

#[derive(Clone, Debug)]
enum Statement {
    Insert { or: &'static str, rows: Vec<[Value; 6]>, upsert: &'static str, leaves_key: bool },
    RowNumber { or: &'static str, number: u8, row: [Value; 6] },
    Update { or: &'static str, set: &'static str, to: &'static str, is: Value, all: bool },
    Delete { column: &'static str, is: Value, all: bool },
    Child { or: &'static str, row: [Value; 3] },
    DeleteChild { is: Value },
    Savepoint(&'static str),
}

type Value = &'static str;

const VALUES: [Value; 9] = ["0", "1", "2", "3", "4", "null", "'a'", "'A'", "'B'"];
const OR: [&str; 7] =
    ["", "or replace", "or replace", "or ignore", "or fail", "or abort", "or rollback"];
const UPSERTS: [&str; 4] = [
    "",
    "",
    "on conflict do nothing",
    "on conflict (k) do update set a = excluded.a, \"b b\" = excluded.\"b b\"",
];

fn statement() -> impl Strategy<Value = Statement> {
    let value = || select(VALUES.to_vec());
    let or = || select(OR.to_vec());
    let row = || prop::array::uniform6(value());
    let column = || select(vec!["k", "a", "\"b b\"", "t", "n"]);
    let to = select(vec!["a + 1", "\"b b\"", "1", "2", "null", "'A'", "k", "4 - n", "k + 1"]);
    prop_oneof![
        6 => (or(), prop::collection::vec(row(), 1..4), select(UPSERTS.to_vec()), any::<bool>())
            .prop_map(|(or, rows, upsert, leaves_key)| Statement::Insert { or, rows, upsert, leaves_key }),
        1 => (or(), 0..5_u8, row()).prop_map(|(or, number, row)| Statement::RowNumber { or, number, row }),
        5 => (or(), column(), to, value(), any::<bool>())
            .prop_map(|(or, set, to, is, all)| Statement::Update { or, set, to, is, all }),
        2 => (column(), value(), prop::bool::weighted(0.1))
            .prop_map(|(column, is, all)| Statement::Delete { column, is, all }),
        2 => (or(), prop::array::uniform3(value())).prop_map(|(or, row)| Statement::Child { or, row }),
        1 => value().prop_map(|is| Statement::DeleteChild { is }),
        1 => select(vec!["savepoint s", "rollback to s", "release s"]).prop_map(Statement::Savepoint),
    ]
}

impl Statement {
    fn sql(&self, schema: &Schema) -> String {
        let columns = schema.columns();
        match self {
            Statement::Insert { or, rows, upsert, leaves_key } => {
                // A key that is left out is made up by SQLite.
                let first = usize::from(*leaves_key && schema.key == Key::RowNumber);
                let mut sql =
                    format!("insert {or} into \"it's\" ({}) values ", columns[first..].join(", "));
                for (place, row) in rows.iter().enumerate() {
                    let comma = if place > 0 { ", " } else { "" };
                    write!(sql, "{comma}({})", row[first..columns.len()].join(", "))
                        .expect("it works");
                }
                let upsert =
                    if schema.key == Key::Two && upsert.contains("(k)") { "" } else { upsert };
                format!("{sql} {upsert}")
            }
            Statement::RowNumber { or, number, row } => format!(
                "insert {or} into \"it's\" (rowid, {}) values ({number}, {})",
                columns[1..].join(", "),
                row[1..columns.len()].join(", ")
            ),
            Statement::Update { or, set, to, is, all } => {
                let which = if *all { String::new() } else { format!("where {set} = {is}") };
                format!("update {or} \"it's\" set {set} = {to} {which}")
            }
            Statement::Delete { column, is, all } => {
                let which = if *all { String::new() } else { format!("where {column} = {is}") };
                format!("delete from \"it's\" {which}")
            }
            Statement::Child { or, row } => {
                format!("insert {or} into child (c, d, k) values ({})", row.join(", "))
            }
            Statement::DeleteChild { is } => format!("delete from child where d = {is}"),
            Statement::Savepoint(sql) => (*sql).to_owned(),
        }
    }
}

/// Connections as programs have them.
struct Users(Vec<Connection>);

impl Users {
    fn new(rig: &Rig) -> Self {
        let attached = Connection::open_in_memory().expect("it works");
        attached
            .execute("attach ?1 as \"the file\"", [rig.path().to_str().expect("it works")])
            .expect("it works");
        let users = vec![rig.open(), rig.open(), open(&rig.path()), attached];
        for user in &users {
            user.execute_batch("pragma synchronous = off").expect("it works");
        }
        users[1]
            .execute_batch("pragma recursive_triggers = on; pragma foreign_keys = on")
            .expect("it works");
        users[2].execute_batch("pragma foreign_keys = off").expect("it works");
        users[3].execute_batch("pragma foreign_keys = on").expect("it works");
        Self(users)
    }
}
