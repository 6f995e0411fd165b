//! What the doctor finds of a server, a database and its tables.

use super::seen::{Quiz, checks, fix, found};
use crate::program::Folder;
use connectors::postgres::{Access, Session};
use std::net::TcpListener;

const LIVE: &str = "copies:\n  questions: { of: quiz/public.question, to: report/question, create: true }\n\
    counts:\n  by-topic: { of: quiz/public.question, by: [topic_id], where: deleted_at is null }\n";

#[test]
fn a_server_on_which_all_is_in_order_is_good() {
    let Some(quiz) = Quiz::new() else { return };
    quiz.add(LIVE);
    let json = quiz.finds(0, &[]);
    for (layer, words) in [
        ("name", "127.0.0.1"),
        ("connect", "answers in"),
        ("tls", "stays on this machine"),
        ("authentication", "postgres is let in"),
        ("identity", "it is postgres:"),
        ("role", "PostgreSQL 1"),
        ("role", "it is at 127.0.0.1"),
        ("capability", "it is logical"),
        ("capability", "slots are in use"),
        ("capability", "it can be followed: 5 columns, key id"),
        ("capability", "`instep run` makes it"),
        ("capability", "there is none that has been open for long"),
        ("latency", "s apart"),
    ] {
        assert!(found(&json, "app", layer).contains(words), "{layer} {words}: {json:#}");
    }
    assert!(found(&json, "copies", "capability").contains("makes the table"), "{json:#}");
    assert!(found(&json, "counts", "capability").contains("are there"), "{json:#}");
    let told = quiz.folder.run("doctor");
    // Slots that other tests have left on the server are warned of.
    let shown = ["ok  ", "warn"].map(|state| format!("{state} app  postgres 127.0.0.1:"));
    assert!(shown.iter().any(|it| told.out.contains(it)), "{}", told.out);
}

#[test]
fn a_server_that_does_not_write_down_enough_is_found() {
    let Some(quiz) = Quiz::of(&["wal_level = replica"], &[]) else { return };
    let json = quiz.finds(3, &["E-POSTGRES-WAL-LEVEL"]);
    assert!(fix(&json, "E-POSTGRES-WAL-LEVEL").contains("alter system set wal_level"), "{json:#}");
}

#[test]
fn a_server_without_room_for_a_slot_and_a_bound_is_found() {
    let lines = ["max_replication_slots = 1", "max_wal_senders = 3", "max_slot_wal_keep_size = -1"];
    let Some(quiz) = Quiz::of(&lines, &[]) else { return };
    quiz.finds(0, &["W-POSTGRES-WAL-KEPT"]);
    quiz.sql("select pg_create_physical_replication_slot('other')");
    let json = quiz.finds(3, &["E-POSTGRES-SLOT", "W-POSTGRES-WAL-KEPT"]);
    assert!(fix(&json, "E-POSTGRES-SLOT").contains("max_replication_slots = 6"), "{json:#}");
    let Some(closed) = Quiz::of(&["wal_level = minimal", "max_wal_senders = 0"], &[]) else {
        return;
    };
    let json = closed.finds(3, &["E-POSTGRES-WAL-LEVEL", "E-POSTGRES-SLOT"]);
    assert!(found(&json, "app", "authentication").contains("for queries"), "{json:#}");
}

#[test]
fn a_slot_that_nobody_reads_is_found_with_what_it_keeps() {
    let Some(quiz) = Quiz::of(&[], &[]) else { return };
    quiz.sql("select pg_create_logical_replication_slot('instep_0123_5', 'pgoutput')");
    let json = quiz.finds(0, &["W-POSTGRES-WAL-KEPT"]);
    let fix = fix(&json, "W-POSTGRES-WAL-KEPT");
    assert!(fix.contains("select pg_drop_replication_slot('instep_0123_5')"), "{fix}");
}

#[test]
fn tables_that_can_not_be_followed_are_found_each_with_its_reason() {
    let Some(quiz) = Quiz::new() else { return };
    quiz.sql(
        "create table plain (id int); create view seen as select 1 as id;
         create materialized view kept as select 1 as id;
         create unlogged table quick (id int primary key);
         create table late (id int primary key deferrable initially deferred);
         create table parted (id int, at date, primary key (id, at)) partition by range (at);
         create table parted_1 partition of parted default;
         alter table parted_1 replica identity nothing",
    );
    for (table, code) in [
        ("public.nowhere", "E-TABLE-MISSING"),
        ("nowhere.question", "E-TABLE-MISSING"),
        ("public.Question", "E-TABLE-MISSING"),
        ("public.plain", "E-TABLE-NO-KEY"),
        ("public.late", "E-TABLE-NO-KEY"),
        ("public.parted", "E-TABLE-NO-KEY"),
        ("public.seen", "E-TABLE-UNSUITABLE"),
        ("public.kept", "E-TABLE-UNSUITABLE"),
        ("public.quick", "E-TABLE-UNSUITABLE"),
    ] {
        quiz.follow(&quiz.url(), table);
        quiz.finds(3, &[code]);
    }
    quiz.sql("alter table parted_1 replica identity default");
    quiz.follow(&quiz.url(), "public.parted");
    let json = quiz.finds(0, &[]);
    assert!(found(&json, "app", "capability").contains("in 1 partitions"), "{json:#}");
}

#[test]
fn columns_that_a_count_needs_are_looked_for() {
    let Some(quiz) = Quiz::new() else { return };
    quiz.add("counts:\n  lost: { of: quiz/public.question, by: [subject] }\n");
    let json = quiz.finds(3, &["E-CONFIG-WHERE"]);
    assert!(found(&json, "counts", "capability").contains("subject"), "{json:#}");
}

#[tokio::test]
async fn transactions_that_hold_up_a_slot_are_warned_of() {
    let Some(quiz) = Quiz::of(&[], &[]) else { return };
    quiz.sql("begin; insert into question values (99, 1); prepare transaction 'left over'");
    let access = Access::parse(&quiz.url()).unwrap();
    let session = Session::connect(&access).await.unwrap();
    session.query("begin; insert into public.question values (98, 1)").await.unwrap();
    // They are young, and may be somebody's work.
    quiz.finds(0, &[]);
    // Who may not see since when a session has one open looks twice.
    let role = quiz.role("replication");
    quiz.sql(&format!(
        "grant create on database {} to {role}; create table mine (id int primary key);
         alter table mine owner to {role}",
        quiz.database
    ));
    quiz.follow(&quiz.url_as(&role), "public.mine");
    let json = quiz.finds(0, &["W-POSTGRES-WAITS"]);
    assert!(fix(&json, "W-POSTGRES-WAITS").contains("pg_terminate_backend"), "{json:#}");
    session.query("rollback").await.unwrap();
    quiz.finds(0, &[]);
}

#[test]
fn who_is_not_let_in_is_told_why() {
    let Some(quiz) = Quiz::of(
        &[],
        &["host all locked 127.0.0.1/32 scram-sha-256", "host replication all 127.0.0.1/32 reject"],
    ) else {
        return;
    };
    quiz.sql("create role locked login superuser password 'right'");
    for (login, code, words) in [
        ("locked:c4nary", "E-POSTGRES-LOGIN", "password authentication failed"),
        ("locked", "E-POSTGRES-LOGIN", "password"),
        ("nobody", "E-POSTGRES-LOGIN", "does not exist"),
    ] {
        quiz.follow(&quiz.url_as(login), "public.question");
        let json = quiz.finds(3, &[code]);
        let said = found(&json, "app", "authentication");
        assert!(said.contains(words) && !json.to_string().contains("c4nary"), "{login}: {said}");
        assert_eq!(checks(&json, "app").last().unwrap()["layer"], "authentication");
    }
    quiz.follow(&quiz.url_as("locked:right"), "public.question");
    quiz.finds(0, &[]);
    quiz.follow(&quiz.url().replace(&quiz.database, "no_such"), "public.question");
    quiz.finds(3, &["E-POSTGRES-LOGIN"]);
    quiz.follow(&format!("{}?sslmode=require", quiz.url()), "public.question");
    quiz.finds(3, &["E-POSTGRES-TLS"]);
}

#[test]
fn a_server_that_is_away_is_found_and_others_are_tried() {
    let Some(quiz) = Quiz::new() else { return };
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    // Nobody accepts there, but nobody else can take it either.
    let port = free.local_addr().unwrap().port();
    let away = format!("postgres://a@127.0.0.1:{port}/x?connect_timeout=1");
    quiz.follow(&away, "public.question");
    quiz.finds(3, &["E-SOURCE-UNAVAILABLE"]);
    quiz.follow("postgres://a@no-such-server.invalid/x", "public.question");
    let json = quiz.finds(3, &["E-SOURCE-UNAVAILABLE"]);
    assert_eq!(checks(&json, "app").len(), 1, "nothing is looked at below its name");
    let both = quiz.url().replace('@', "@no-such-server.invalid:1,");
    quiz.follow(&both, "public.question");
    let json = quiz.finds(0, &["W-POSTGRES-PLAIN"]);
    assert!(found(&json, "app", "name").contains("leads nowhere"), "{json:#}");
}

#[test]
fn a_standby_is_told_from_its_primary() {
    let Some(quiz) = Quiz::new() else { return };
    let standby = format!("{}?target_session_attrs=standby", quiz.url());
    quiz.follow(&standby, "public.question");
    quiz.finds(3, &["E-SOURCE-UNAVAILABLE"]);
}

#[test]
fn a_service_that_no_source_names_is_only_let_in() {
    let Some(quiz) = Quiz::new() else { return };
    let folder = Folder::with(&format!(
        "version: 1\nlisten: 127.0.0.1:0\nservices: {{ spare: {{ postgres: \"{}\" }} }}\n",
        quiz.url()
    ));
    let json = folder.run("--json doctor").json();
    assert_eq!(json["status"], "ok", "{json:#}");
    let layers: Vec<_> = checks(&json, "spare").iter().map(|it| it["layer"].clone()).collect();
    assert_eq!(layers, ["name", "connect", "tls", "authentication"]);
}
