//! The configuration: addresses, passwords, tables with their schemas, and what is of later versions.

use crate::program::Folder;
use instep::config::{Service, Surroundings, load_text};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::{fs, path::PathBuf};

const GOOD: &str = "version: 1
listen: 127.0.0.1:0
services:
  a: { postgres: \"postgres://app:c4nary@db-a:5432/quiz\" }
  b: { postgres: \"postgres://app@db-b,db-c:6000/quiz?sslrootcert=ca.pem\", password: { file: b.pw } }
  file: { sqlite: file.db }
sources:
  quiz: { from: [a, b], tables: [public.questions, Sales.Order] }
copies:
  questions: { of: quiz/public.questions, to: file/questions, create: true, shard_column: shard }
counts:
  all: { of: quiz/Sales.Order, to: [file/counted] }
limits: { slot_wal_bytes_max: 0 }
";

fn folder(config: &str) -> Folder {
    let folder = Folder::with(config);
    let file = folder.write("b.pw", "c4nary too \u{e9}\n");
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

#[test]
fn a_password_is_shown_nowhere_wherever_it_stands() {
    let folder = folder(GOOD);
    for line in ["config check", "config show", "--json config show", "config diff other.yaml"] {
        folder.write("other.yaml", GOOD.replace("c4nary", "c4nary2").replace("b.pw", "./b.pw"));
        let ran = folder.run(line);
        assert!(ran.code == 0 || line.contains("diff"), "{line}: {}{}", ran.out, ran.err);
        assert!(!format!("{}{}", ran.out, ran.err).contains("c4nary"), "{line}: {}", ran.out);
    }
    let shown = folder.run("--json config show").json()["data"]["services"].clone();
    assert_eq!(shown["a"], json!({ "postgres": "postgres://app:***@db-a:5432/quiz" }));
    assert_eq!(shown["b"]["password"], "***");
    let diff = folder.run("--json config diff other.yaml").json();
    assert_eq!(diff["data"]["differences"][0]["path"], "services.a.postgres");
    // What is shown in place of a password is none.
    folder.write("shown.yaml", folder.run("config show").out);
    let again = folder.run("--json --config shown.yaml config check");
    assert_eq!(again.problems(), ["8:15 E-CONFIG-TYPE", "11:15 E-CONFIG-TYPE"], "{}", again.out);
}

#[test]
fn what_is_written_arrives() {
    let folder = folder(GOOD);
    let around = Surroundings { variables: Default::default(), folder: folder.path().to_owned() };
    let config = load_text("x.yaml", GOOD.into(), around).unwrap().config;
    let access = |name: &str| match &config.services[name] {
        Service::Postgres(access) => access.as_ref().clone(),
        Service::Sqlite(path) => panic!("{} is a file", path.display()),
    };
    let (a, b) = (access("a"), access("b"));
    assert_eq!(
        (a.to_string(), b.to_string()),
        ("db-a:5432/quiz".into(), "db-b:5432,db-c:6000/quiz".into())
    );
    assert!(a.password.is_some() && b.password.is_some() && a.password != b.password);
    assert_eq!(b.files.root, Some(folder.path().join("ca.pem")), "relative to the configuration");
    assert!(!format!("{config:?}").contains("c4nary"));
    assert_eq!(config.slot_wal_bytes_max, 0);
    assert_eq!(config.sources[0].tables[1].as_str(), "Sales.Order");
}

/// Each text has exactly these problems, with these words.
#[test]
fn what_is_wrong_is_named_with_what_to_do() {
    let mut wrong = Vec::new();
    for (from, to, problem, words) in [
        ("db-a:5432", "db-a:x", "4:18 E-POSTGRES-URL", "is no port"),
        (
            "postgres://app:c4nary@db-a",
            "mysql://db-a",
            "4:18 E-POSTGRES-URL",
            "does not begin with",
        ),
        ("?sslrootcert", "?sslrot", "5:18 E-POSTGRES-URL", "known are"),
        ("b.pw", "no.pw", "5:93 E-CONFIG-FILE", "no.pw"),
        ("app@db-b", "app:c4nary@db-b", "5:92 E-CONFIG-DUPLICATE", "two passwords"),
        (
            "password: { file: b.pw }",
            "pasword: x",
            "5:75 E-CONFIG-UNKNOWN-KEY",
            "did you mean `password`?",
        ),
        (
            "postgres: \"postgres://app:c4nary",
            "sqlite: x.db, postgres: \"postgres://app:c4nary",
            "4:22 E-CONFIG-TYPE",
            "has both",
        ),
        ("public.questions, S", "questions, S", "8:34 E-CONFIG-NAME", "write `public.questions`"),
        ("Sales.Order]", "pg_catalog.pg_class]", "8:52 E-CONFIG-NAME", "reserved"),
        ("from: [a, b]", "from: [a, file]", "8:21 E-CONFIG-TYPE", "two kinds"),
        ("file/questions", "a/questions", "10:47 E-CONFIG-NAME", "write `public.questions`"),
        ("file/questions", "a/instep.leases", "10:47 E-CONFIG-NAME", "reserved"),
        ("file/questions", "b/public.questions", "10:47 E-CONFIG-CYCLE", "the table that it reads"),
        ("[file/counted]", "[file/a, b/b]", "12:45 E-CONFIG-NAME", "write `public.b`"),
        ("[file/counted]", "[file/a, b/Sales.Order]", "12:45 E-CONFIG-CYCLE", "round without end"),
        ("file/questions", "file/public.questions", "10:47 E-CONFIG-NAME", "write `questions`"),
        ("slot_wal_bytes_max: 0", "slot_wal_bytes_max: 64GB", "13:31 E-CONFIG-TYPE", "unit"),
    ] {
        let text = GOOD.replace(from, to);
        let ran = folder(&text).run("--json config check");
        let said = ran.problems().into_iter().next().unwrap_or_default();
        if (ran.code, said.as_str()) != (2, problem) || !ran.out.contains(words) {
            wrong.push(format!("{to}: {said} instead of {problem}, {words}"));
        }
        assert!(!ran.out.contains("c4nary"), "{to}: {}", ran.out);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_database_is_read_by_one_source_however_it_is_spelt() {
    let two = |one: &str, other: &str| {
        let text = format!(
            "version: 1\nservices:\n  a: {{ postgres: \"{one}\" }}\n  b: {{ postgres: \"{other}\" }}\n\
             sources:\n  one: {{ from: a, tables: [public.t] }}\n  two: {{ from: b, tables: [public.u] }}\n"
        );
        Folder::with(&text).run("--json config check").problems()
    };
    for (one, other) in [
        ("postgres://a@db/x", "postgres://b@DB:5432/x?sslmode=require"),
        ("postgres://a@localhost/x", "postgres://a@127.0.0.1/x"),
        ("postgres://a@[::1]:6000/x", "postgres://a@localhost:6000/x"),
        ("postgres://a@one,two/x", "postgres://a@two:5432/x"),
        ("postgres:///x?user=a&host=/run/pg", "postgres://a@localhost/x"),
        ("postgres://x@db", "postgres://a@db/x"),
    ] {
        assert_eq!(two(one, other), ["7:16 E-CONFIG-DUPLICATE"], "{one} {other}");
    }
    for (one, other) in [
        ("postgres://a@db/x", "postgres://a@db/X"),
        ("postgres://a@db/x", "postgres://a@db:5433/x"),
        ("postgres://a@db/x", "postgres://a@db2/x"),
    ] {
        assert!(two(one, other).is_empty(), "{one} {other}");
    }
}

/// A source of one database, copies and counts into another, and what stands against them.
fn flows(services: &str, sources: &str, more: &str) -> Vec<String> {
    let text =
        format!("version: 1\nservices: {{ {services} }}\nsources: {{ {sources} }}\n{more}\n");
    Folder::with(&text).run("--json config check").problems()
}

const TWO: &str = "a: { postgres: \"postgres://a@db/x\" }, b: { postgres: \"postgres://a@db/y\" }";
const QUIZ: &str = "quiz: { from: a, tables: [public.t, public.u] }";

#[test]
fn copies_and_counts_go_into_tables_of_postgresql() {
    for more in [
        "copies: { c: { of: quiz/public.t, to: b/public.t, create: true, fields: { no: id } } }",
        "copies: { c: { of: quiz/public.t, to: a/public.v } }",
        "copies: { c: { of: quiz/public.t, to: b/Copies.T }, d: { of: quiz/public.t, to: b/Copies.t } }",
        "copies: { c: { of: quiz/public.t, to: b/public.t, fields: { id: a, Id: b } } }",
        "counts: { c: { of: quiz/public.t, by: [topic], to: [a/public.counted, b/public.counted] } }",
    ] {
        assert!(flows(TWO, QUIZ, more).is_empty(), "{more}: {:?}", flows(TWO, QUIZ, more));
    }
    let shards =
        "quiz: { from: [a, b], tables: [public.t] }, rest: { from: c, tables: [public.t] }";
    let three = format!("{TWO}, c: {{ postgres: \"postgres://a@db/z\" }}");
    let copy = |more: &str| {
        flows(&three, shards, &format!("copies: {{ c: {{ of: quiz/public.t, {more} }} }}"))
    };
    assert!(copy("to: c/public.v, shard_column: shard").is_empty());
    assert_eq!(copy("to: c/public.v"), ["4:11 E-CONFIG-SHARD"]);
    let named = copy("to: c/public.v, fields: { s: t }, shard_column: s");
    assert_eq!(named, ["4:83 E-CONFIG-DUPLICATE"]);
}

#[test]
fn a_table_of_postgresql_has_one_writer_however_its_database_is_spelt() {
    let two = "copies: { c: { of: quiz/public.t, to: b/public.t }, d: { of: quiz/public.u, to: other/public.t } }";
    let pushed = "copies: { c: { of: quiz/public.t, to: b/public.t } }\n\
                  counts: { d: { of: quiz/public.u, to: [other/public.t] } }";
    for url in ["postgres://z:pw@DB:5432/y?connect_timeout=3", "postgres://b@spare,db/y"] {
        let services = format!("{TWO}, other: {{ postgres: \"{url}\" }}");
        assert_eq!(flows(&services, QUIZ, two), ["4:81 E-CONFIG-TABLE-TWICE"], "{url}");
        assert_eq!(flows(&services, QUIZ, pushed), ["5:40 E-CONFIG-TABLE-TWICE"], "{url}");
    }
    let apart = format!("{TWO}, other: {{ postgres: \"postgres://a@db2/y\" }}");
    assert!(flows(&apart, QUIZ, two).is_empty());
}

#[test]
fn copies_of_one_source_reach_one_database_by_one_service() {
    let services = format!("{TWO}, other: {{ postgres: \"postgres://z@DB/y\" }}");
    let copies = "copies: { c: { of: quiz/public.t, to: b/public.t }, d: { of: quiz/public.u, to: other/public.u } }";
    assert_eq!(flows(&services, QUIZ, copies), ["4:81 E-CONFIG-DUPLICATE"]);
    // Those of two sources, and counts, have a note each.
    let sources = "quiz: { from: a, tables: [public.t] }, rest: { from: c, tables: [public.u] }";
    let services = format!("{services}, c: {{ postgres: \"postgres://z@db/z\" }}");
    assert!(
        flows(&services, sources, &copies.replace("quiz/public.u", "rest/public.u")).is_empty()
    );
    let count = "copies: { c: { of: quiz/public.t, to: b/public.t } }\n\
                 counts: { d: { of: quiz/public.t, to: [other/public.u] } }";
    assert!(flows(&services, sources, count).is_empty());
}

#[test]
fn nothing_comes_back_to_its_table_by_any_way_and_any_spelling() {
    let there = "a2: { postgres: \"postgres://me@DB:5432/x\" }";
    let by_way = "way: { postgres: \"postgres://me@spare,db/x\" }, a2: { postgres: \"postgres://me@spare/x\" }";
    for services in [there, by_way] {
        let services = format!("{TWO}, {services}");
        let own = "copies: { c: { of: quiz/public.t, to: a2/public.t } }";
        assert_eq!(flows(&services, QUIZ, own), ["4:39 E-CONFIG-CYCLE"]);
        let sources = format!("{QUIZ}, back: {{ from: b, tables: [public.t] }}");
        let round = "copies: { c: { of: quiz/public.t, to: b/public.t }, d: { of: back/public.t, to: a2/public.t } }";
        assert_eq!(flows(&services, &sources, round), ["4:81 E-CONFIG-CYCLE"]);
    }
    let outbox = "quiz: { from: a, tables: [], outbox: { table: public.box, kinds: [made] } }";
    let boxed = "copies: { c: { of: quiz/made, to: a/public.box } }";
    assert_eq!(flows(TWO, outbox, boxed), ["4:35 E-CONFIG-CYCLE"]);
}

#[test]
fn tables_of_postgresql_that_differ_in_capitals_are_two() {
    let text = "version: 1\nservices: { a: { postgres: \"postgres://a@db/x\" } }\n\
                sources: { s: { from: a, tables: [public.t, public.T] } }\n";
    assert!(Folder::with(text).run("--json config check").problems().is_empty());
}

#[test]
fn a_url_from_a_variable_is_read_and_not_shown() {
    let text = "version: 1\nservices: { a: { postgres: \"${DB}\" } }\n";
    let good = Folder::with(text).variable("DB", "postgres://a:c4nary@db/x");
    let ran = good.run("config show");
    assert!(
        ran.code == 0 && ran.out.contains("a:***@db") && !ran.out.contains("c4nary"),
        "{}",
        ran.out
    );
    let bad = Folder::with(text).variable("DB", "c4nary");
    let ran = bad.run("--json config check");
    assert_eq!(ran.problems(), ["2:28 E-POSTGRES-URL"]);
    assert!(!ran.out.contains("c4nary"));
    let around = Surroundings { variables: Default::default(), folder: PathBuf::from("/") };
    assert!(load_text("x", text.into(), around).is_err());
}
