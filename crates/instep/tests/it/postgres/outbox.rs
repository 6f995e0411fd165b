//! An outbox in the program: its configuration, what the doctor says of it, and that copies of its
//! kinds keep what is taken out.

use super::seen::{Quiz, found};
use crate::program::Folder;
use crate::rig::{Rig, until};
use connectors::postgres::Outbox;
use testkit::postgres::shared;

const GOOD: &str = "version: 1
services:
  app: { postgres: \"postgres://app@db/quiz\" }
  target: { sqlite: target.db }
sources:
  quiz: { from: app, tables: [], outbox: { kinds: [answer_given, user_left] } }
copies:
  given: { of: quiz/answer_given, to: target/given, create: true }
";

#[test]
fn an_outbox_that_can_not_be_one_is_named_with_what_to_do() {
    assert!(Folder::with(GOOD).run("--json config check").problems().is_empty());
    let mut wrong = Vec::new();
    let count = "counts:\n  all: { of: quiz/answer_given }\n";
    for (from, to, problem, words) in [
        (
            "tables: []",
            "tables: [public.outbox]",
            "6:31 E-CONFIG-DUPLICATE",
            "under `outbox` alone",
        ),
        ("[answer_given, ", "[a.b, answer_given, ", "6:52 E-CONFIG-NAME", "without a dot"),
        ("[answer_given, user_left]", "[]", "6:51 E-CONFIG-TYPE", "is empty"),
        ("kinds: [answer", "table: outbox, kinds: [answer", "6:51 E-CONFIG-NAME", "public.outbox"),
        (
            "of: quiz/answer_given",
            "of: quiz/answer_gven",
            "8:21 E-CONFIG-REFERENCE",
            "answer_given",
        ),
        (
            "create: true }\n",
            &format!("create: true }}\n{count}"),
            "10:14 E-CONFIG-TYPE",
            "count there",
        ),
        ("app, tables", "app, capture: triggers, tables", "6:31 E-CONFIG-TYPE", "write-ahead log"),
        (
            "postgres: \"postgres://app@db/quiz\"",
            "sqlite: app.db",
            "6:42 E-CONFIG-TYPE",
            "under `tables`",
        ),
    ] {
        let ran = Folder::with(&GOOD.replace(from, to)).run("--json config check");
        let said = ran.problems().into_iter().next().unwrap_or_default();
        if said != problem || !ran.out.contains(words) {
            wrong.push(format!("{to}: {said} instead of {problem}, {words}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_doctor_reads_an_outbox_as_one() {
    let Some(quiz) = Quiz::new() else { return };
    let config = GOOD
        .replace("postgres://app@db/quiz", &quiz.url())
        .replace("version: 1", "version: 1\ndata_dir: data\nlisten: 127.0.0.1:0");
    quiz.folder.write("instep.yaml", config);
    let json = quiz.doctor().json();
    assert!(json["problems"].to_string().contains("E-TABLE-MISSING"), "{json:#}");
    quiz.sql("create table public.outbox (id bigint primary key, kind text)");
    let json = quiz.doctor().json();
    assert!(json["problems"].to_string().contains("E-TABLE-UNSUITABLE"), "{json:#}");
    quiz.sql(&format!("drop table public.outbox; {}", Outbox::sql(&"public.outbox".into())));
    let json = quiz.finds(0, &[]);
    assert!(found(&json, "app", "capability").contains("2 kinds are followed"), "{json:#}");
}

/// The copies of what was told, as their file has them.
fn copied(rig: &Rig) -> Option<Vec<String>> {
    rig.ask("target.db", "select key, data from given order by id")
}

#[tokio::test]
async fn a_copy_of_a_kind_keeps_what_the_outbox_has_no_more_also_when_history_was_lost() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let sql = |statements: &str| server.sql(&database, statements);
    let tell = |key: &str| {
        let insert = "insert into outbox (kind, key, data) values ('answer_given'";
        sql(&format!("{insert}, '{key}', '{{\"right\": true}}')"));
    };
    let rows = |keys: &[&str]| {
        let row = |key: &&str| format!("'{key}'|'{{\"right\": true}}'");
        keys.iter().map(row).collect::<Vec<_>>()
    };
    sql(&Outbox::sql(&"public.outbox".into()));
    tell("before");
    let config = GOOD.replace("postgres://app@db/quiz", &server.url(&database));
    let rig = Rig::new(config.trim_start_matches("version: 1\n"), &[]);
    let running = rig.run().await;
    let has = async |keys: &[&str]| {
        let wanted = Some(rows(keys));
        let has = until("the copy has what was told", || copied(&rig) == wanted).await;
        assert!(has, "{:?} is not {wanted:?}\n{}", copied(&rig), rig.log());
    };
    let left = async |keys: &str| {
        let ask = "select string_agg(key, ' ' order by id) from outbox";
        let left = until("the outbox is trimmed", || sql(ask) == keys).await;
        assert!(left, "{} is not {keys}\n{}", sql(ask), rig.log());
    };
    has(&["before"]).await;
    tell("told");
    has(&["before", "told"]).await;
    left("before").await;
    running.stop().await;

    sql("delete from outbox");
    tell("unseen");
    sql("select pg_drop_replication_slot(slot_name) from pg_replication_slots
        where database = current_database()");
    let running = rig.run().await;
    has(&["before", "told", "unseen"]).await;
    tell("after");
    has(&["before", "told", "unseen", "after"]).await;
    left("unseen").await;
    assert!(rig.log().contains("E-SOURCE-HISTORY-LOST"), "{}", rig.log());
    assert_eq!(copied(&rig), Some(rows(&["before", "told", "unseen", "after"])));
    running.stop().await;
}
