//! A PostgreSQL that copies and counts are written to, from files and from databases, by the program
//! as its users run it.

use super::seen::{QUESTION, Quiz, fix, found};
use crate::contract::http::Api;
use crate::contract::process::Process;
use crate::contract::waiting::{until, until_some};
use crate::program::Folder;
use crate::rig::open;
use serde_json::{Value, json};
use testkit::postgres::{Server, shared};

/// Short pauses, so that healing is soon seen.
const TOP: &str = "version: 1
data_dir: data
listen: 127.0.0.1:0
limits: { retry_pause_seconds: 0.5, lease_seconds: 2, hold_retry_seconds: 1 }
";

/// A database that is written to, and a folder with a configuration.
struct World {
    server: &'static Server,
    database: String,
    folder: Folder,
}

impl World {
    /// A new database; in the configuration `TARGET` stands for its URL. None where there is no
    /// PostgreSQL.
    fn new(config: &str) -> Option<Self> {
        let server = shared()?;
        let database = server.database();
        let config = config.replace("TARGET", &server.url(&database));
        let folder = Folder::with(&format!("{TOP}{config}"));
        Some(Self { server, database, folder })
    }

    /// Runs the program until the process is dropped.
    fn run(&self) -> (Process, Api) {
        Process::start(&self.folder)
    }

    /// Writes to a file of the folder.
    fn file(&self, name: &str, statements: &str) {
        open(&self.folder.path().join(name)).execute_batch(statements).unwrap();
    }

    /// Runs statements in the database that is written to.
    fn sql(&self, statements: &str) -> String {
        self.server.sql(&self.database, statements)
    }

    /// What a query says there; nothing while it can not be asked.
    fn asked(&self, query: &str) -> Option<String> {
        let output = self.server.try_sql(&self.database, query);
        let rows = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        output.status.success().then_some(rows)
    }

    /// Waits until a query says this there.
    fn says(&self, query: &str, rows: &str) {
        until(&format!("{query} says {rows:?}"), || self.asked(query).as_deref() == Some(rows));
    }
}

/// The codes of what the API says is wrong.
fn problems(api: &Api) -> Vec<String> {
    let status = api.json("/v1/status");
    let problems = status["problems"].as_array().unwrap().iter();
    problems.map(|it| it["code"].as_str().unwrap().to_owned()).collect()
}

fn failures(api: &Api) -> Vec<Value> {
    api.json("/v1/failures")["failures"].as_array().unwrap().clone()
}

const FROM_A_FILE: &str = "
services:
  app: { sqlite: app.db }
  report: { postgres: \"TARGET\" }
sources:
  quiz: { from: app, tables: [question] }
copies:
  questions:
    of: quiz/question
    to: report/public.entry
    create: true
    fields: { body: text, \"Odd name\": topic }
";

#[test]
fn a_table_of_a_file_is_copied_into_a_database_through_kills() {
    let Some(world) = World::new(FROM_A_FILE) else { return };
    world.file(
        "app.db",
        "create table question (id integer primary key, topic int, text text);
         insert into question values (1, 7, 'one'), (2, 7, 'it''s two'), (3, null, null)",
    );
    let all = "select id, \"Odd name\", body from public.entry order by id";
    let running = world.run();
    world.says(all, "1|7|one\n2|7|it's two\n3||");
    drop(running);
    world.file(
        "app.db",
        "update question set topic = 8 where id = 1; update question set id = 9 where id = 2;
         delete from question where id = 3; insert into question values (4, 1, 'ü\t\\N')",
    );
    let _running = world.run();
    world.says(all, "1|8|one\n4|1|ü\t\\N\n9|7|it's two");
    world.file("app.db", "delete from question");
    world.says(all, "");
}

const FROM_A_DATABASE: &str = "
services:
  app: { postgres: \"SOURCE\" }
  report: { postgres: \"TARGET\" }
sources:
  quiz: { from: app, tables: [public.thing] }
copies:
  things: { of: quiz/public.thing, to: report/copied.Thing, create: true }
counts:
  by-topic: { of: quiz/public.thing, by: [topic], to: [report/copied.counted] }
";

#[test]
fn a_table_of_a_database_is_copied_into_another_value_by_value() {
    let Some(server) = shared() else { return };
    let source = server.database();
    server.sql(
        &source,
        "create table thing (id bigint primary key, topic int, text text, price numeric(12, 2),
             is_live bool, at timestamptz, on_day date, number double precision, bytes bytea,
             own uuid);
         insert into thing select n, n % 3, 'thing ' || n, n * 1.25, n % 2 = 0,
             timestamptz '2026-11-21 12:00:00.123456+01' + n * interval '1 hour',
             date '2026-11-21' - n, n / 7.0::float8, decode(lpad(to_hex(n), 8, '0'), 'hex'),
             gen_random_uuid() from generate_series(1, 1000) n;
         insert into thing (id, price, number, at)
             values (0, 0, 'NaN', 'infinity'), (-1, -0.01, '-Infinity', '-infinity')",
    );
    let config = FROM_A_DATABASE.replace("SOURCE", &server.url(&source));
    let Some(world) = World::new(&config) else { return };
    world.sql("create schema copied");
    let columns = "id, topic, text, price, is_live, at, on_day, number, bytes, own";
    let told = |from: &str| {
        format!(
            "select count(*), md5(string_agg(it::text, ' ' order by id)) from (select {columns} from {from}) it"
        )
    };
    let is_equal = || {
        let copied = world.asked(&told("copied.\"Thing\""));
        copied == Some(server.sql(&source, &told("thing")))
    };
    let counted = || {
        let wanted = "select coalesce(topic::text, '-'), count(*) from thing group by 1 order by 1";
        let pushed = "select coalesce(topic::text, '-'), value from copied.counted order by 1";
        world.asked(pushed) == Some(server.sql(&source, wanted))
    };
    let running = world.run();
    until("the copy is filled", is_equal);
    until("the count is pushed", counted);
    server.sql(
        &source,
        "update thing set price = -price, topic = 2 where id % 7 = 0;
         update thing set id = id + 5000 where id % 5 = 0; delete from thing where id % 11 = 0",
    );
    until("the copy follows", is_equal);
    until("the count follows", counted);
    drop(running);
    server.sql(&source, "truncate thing; insert into thing (id, topic) values (1, 1)");
    let _running = world.run();
    until("what was truncated meanwhile is", is_equal);
    until("and is not counted", counted);
}

#[test]
fn two_instances_write_to_one_database_one_after_the_other() {
    let Some(server) = shared() else { return };
    let source = server.database();
    server.sql(&source, "create table thing (id bigint primary key, topic int)");
    let config = FROM_A_DATABASE.replace("SOURCE", &server.url(&source));
    let Some(world) = World::new(&config) else { return };
    world.sql("create schema copied");
    let add = |id: u32| drop(server.sql(&source, &format!("insert into thing values ({id}, 1)")));
    let all = "select string_agg(id::text, ' ' order by id) from copied.\"Thing\"";
    let counted = "select value from copied.counted";
    add(1);
    let first = world.run();
    world.says(all, "1");
    let other = World {
        server,
        database: world.database.clone(),
        folder: Folder::with(&format!(
            "{TOP}{}",
            config.replace("TARGET", &server.url(&world.database))
        )),
    };
    let second = other.run();
    // Both follow; one of them writes.
    let slots =
        format!("select count(*) from pg_replication_slots where active and database = '{source}'");
    world.says(&slots, "2");
    add(2);
    world.says(all, "1 2");
    world.says(counted, "2");
    drop(first);
    add(3);
    world.says(all, "1 2 3");
    world.says(counted, "3");
    let _first = world.run();
    drop(second);
    add(4);
    world.says(all, "1 2 3 4");
    world.says(counted, "4");
    server.sql(&source, "delete from thing where id < 4");
    world.says(all, "4");
    world.says(counted, "1");
}

const SHARDS: &str = "
services:
  a: { postgres: \"SHARD-A\" }
  b: { postgres: \"SHARD-B\" }
  report: { postgres: \"TARGET\" }
sources:
  quiz: { from: [a, b], tables: [public.question] }
copies:
  questions: { of: quiz/public.question, to: report/public.question, create: true, shard_column: shard }
";

#[test]
fn two_shards_are_one_copy_in_which_each_row_knows_whose_it_is() {
    let Some(server) = shared() else { return };
    let shards = [server.database(), server.database()];
    for (shard, first) in shards.iter().zip([1, 1_001]) {
        let fill = format!("insert into question select generate_series({first}, {first} + 99), 1");
        let make = "create table question (id bigint primary key, topic int)";
        server.sql(shard, &format!("{make}; {fill}"));
    }
    let config = SHARDS
        .replace("SHARD-A", &server.url(&shards[0]))
        .replace("SHARD-B", &server.url(&shards[1]));
    let Some(world) = World::new(&config) else { return };
    let owned = "select shard, count(*) from public.question group by shard order by shard";
    let _running = world.run();
    world.says(owned, "quiz/a|100\nquiz/b|100");
    // A row goes from one shard to the other, and the first one is emptied of all others.
    server.sql(&shards[1], "insert into question values (1, 2)");
    server.sql(&shards[0], "delete from question");
    world.says(owned, "quiz/b|101");
    world.says("select topic from public.question where id = 1", "2");
    // A truncate spares the rows of the other shard.
    server.sql(&shards[0], "insert into question values (2, 3)");
    world.says(owned, "quiz/a|1\nquiz/b|101");
    server.sql(&shards[1], "truncate question");
    world.says(owned, "quiz/a|1");
}

const PUSHED: &str = "
services:
  app: { sqlite: app.db }
  report: { postgres: \"TARGET\" }
sources:
  quiz: { from: app, tables: [question] }
counts:
  by-topic: { of: quiz/question, by: [topic], where: text is not null, to: [report/public.counted] }
  all: { of: quiz/question, to: [report/public.all_of_them] }
";

#[test]
fn counts_are_pushed_into_tables_that_are_made_for_them() {
    let Some(world) = World::new(PUSHED) else { return };
    world.file(
        "app.db",
        "create table question (id integer primary key, topic int, text text);
         insert into question values (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c'), (4, 2, null)",
    );
    let counted = "select count, topic, value from public.counted order by topic";
    let total = "select count, value from public.all_of_them";
    let running = world.run();
    world.says(counted, "by-topic|1|2\nby-topic|2|1");
    world.says(total, "all|4");
    drop(running);
    // What is true while Instep is down is said by the database alone.
    assert_eq!(world.sql(counted), "by-topic|1|2\nby-topic|2|1");
    world.file("app.db", "update question set topic = 2; delete from question where id = 3");
    let _running = world.run();
    world.says(counted, "by-topic|2|2");
    world.says(total, "all|3");
}

/// A copy into a table that a person has made.
const INTO_A_TABLE: &str = "
services:
  app: { sqlite: app.db }
  report: { postgres: \"TARGET\" }
sources:
  quiz: { from: app, tables: [item] }
copies:
  items: { of: quiz/item, to: report/public.item }
";

const ITEMS: &str = "create table item (id integer primary key, price int);
    insert into item values (1, 5), (2, -1), (3, 6)";

#[test]
fn a_missing_table_is_told_of_with_the_key_that_makes_it() {
    let Some(world) = World::new(INTO_A_TABLE) else { return };
    world.file("app.db", ITEMS);
    let (_process, api) = world.run();
    let problem = until_some("it is told of", || {
        let status = api.json("/v1/status");
        let mut all = status["problems"].as_array().unwrap().iter();
        all.find(|it| it["code"] == "E-COPY-TABLE-MISSING").cloned()
    });
    assert!(problem.to_string().contains("create: true"), "{problem}");
    assert!(problem["what"].as_str().unwrap().contains("public.item"), "{problem}");
    world.sql("create table item (id bigint primary key, price bigint)");
    world.says("select id, price from public.item order by id", "1|5\n2|-1\n3|6");
    until("nothing is wrong any more", || problems(&api).is_empty());
}

/// Whether it runs meanwhile or not.
#[test]
fn a_table_that_is_dropped_and_made_again_gets_the_rows_from_before_too() {
    const ANEW: &str =
        "drop table if exists item; create table item (id bigint primary key, price bigint)";
    let Some(world) = World::new(INTO_A_TABLE) else { return };
    world.sql(ANEW);
    world.file("app.db", ITEMS);
    let (process, api) = world.run();
    let all = "select id, price from public.item order by id";
    world.says(all, "1|5\n2|-1\n3|6");
    world.file("app.db", "update item set price = 7 where id = 3");
    world.says(all, "1|5\n2|-1\n3|7");
    world.sql(ANEW);
    world.says(all, "1|5\n2|-1\n3|7");
    until("nothing is wrong any more", || problems(&api).is_empty());
    drop((process, api));
    world.sql(ANEW);
    world.file("app.db", "insert into item values (4, 8)");
    let _running = world.run();
    world.says(all, "1|5\n2|-1\n3|7\n4|8");
}

#[test]
fn a_refused_row_is_a_failure_until_it_is_accepted_and_all_others_go_on() {
    let Some(world) = World::new(INTO_A_TABLE) else { return };
    world.file("app.db", ITEMS);
    world.sql(
        "create table item (id bigint primary key, price bigint constraint paid check (price >= 0),
             seen int not null default 7, doubled bigint generated always as (price * 2) stored,
             number bigint generated by default as identity)",
    );
    let (_process, api) = world.run();
    let all = "select id, price, seen, doubled from public.item order by id";
    world.says(all, "1|5|7|10\n3|6|7|12");
    let held = until_some("a key is held", || Some(failures(&api)).filter(|it| it.len() == 1));
    let about = (&held[0]["target"], &held[0]["table"], &held[0]["key"]);
    assert_eq!(about, (&json!("items"), &json!("item"), &json!([2])));
    assert!(held[0]["reason"].as_str().unwrap().contains("paid"), "{}", held[0]);
    // What is the copy's own stays, and others go on.
    world.sql("update item set seen = 8 where id = 1");
    world.file("app.db", "update item set price = 50 where id = 1; insert into item values (4, 1)");
    world.says(all, "1|50|8|100\n3|6|7|12\n4|1|7|2");
    assert_eq!(failures(&api).len(), 1);
    world.sql("alter table item drop constraint paid");
    world.says(all, "1|50|8|100\n2|-1|7|-2\n3|6|7|12\n4|1|7|2");
    until("nothing is held any more", || failures(&api).is_empty());
}

#[test]
fn the_doctor_says_how_rows_fit_into_a_table_of_a_database() {
    let (Some(quiz), Some(server)) = (Quiz::new(), shared()) else { return };
    let target = server.database();
    let config = format!(
        "version: 1\ndata_dir: data\nlisten: 127.0.0.1:0\n\
         services:\n  app: {{ postgres: \"{}\" }}\n  report: {{ postgres: \"{}\" }}\n\
         sources:\n  quiz: {{ from: app, tables: [public.question] }}\n\
         copies:\n  questions: {{ of: quiz/public.question, to: report/public.question }}\n",
        quiz.url(),
        server.url(&target)
    );
    quiz.folder.write("instep.yaml", &config);
    let json = quiz.finds(3, &["E-COPY-TABLE-MISSING"]);
    assert!(fix(&json, "E-COPY-TABLE-MISSING").contains("create: true"), "{json:#}");
    quiz.folder.write("instep.yaml", config.replace("question }\n", "question, create: true }\n"));
    let json = quiz.finds(0, &[]);
    assert!(found(&json, "copies", "capability").contains("makes the table"), "{json:#}");
    assert!(found(&json, "report", "capability").contains("makes the schema instep"), "{json:#}");
    let nothing = "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('instep', 'public')";
    assert_eq!(server.sql(&target, nothing), "0", "the doctor has written");
    quiz.folder.write("instep.yaml", &config);
    server.sql(
        &target,
        "create table topic (id int primary key);
         create table question (id bigint primary key, topic_id int references topic, title text)",
    );
    let json = quiz.finds(0, &["W-COPY-REFERS"]);
    let said = found(&json, "copies", "capability");
    assert!(said.contains("3 columns fit") && said.contains("deleted_at"), "{json:#}");
    server.sql(&target, &format!("drop table question; {QUESTION}; alter table question drop id"));
    quiz.finds(3, &["E-COPY-COLUMNS"]);
}
