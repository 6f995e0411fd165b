//! What the answers of a PostgreSQL mean, answer by answer.

use super::*;
use crate::commands::doctor::check::{Check, State};
use crate::commands::doctor::postgres::dial::Tried;
use connectors::postgres::Access;
use connectors::postgres::access::Server;
use connectors::postgres::glance::{
    Kept, Open, Publication, Rights, ServerFacts, TableRights, Whose, WrittenTable,
};
use model::{Code, Fault};
use std::io;
use std::time::Duration;

fn code(check: &Check) -> Option<Code> {
    check.problem.as_ref().map(|problem| problem.code)
}

fn fix(check: &Check) -> &str {
    &check.problem.as_ref().unwrap().fix
}

fn server() -> ServerFacts {
    ServerFacts {
        version: 150_020,
        version_text: "15.20".to_owned(),
        wal_level: "logical".to_owned(),
        is_standby: false,
        only_reads: false,
        slots: (10, 0),
        senders: (10, 1),
        kept_mib_max: Some(1_024),
        tls: None,
        address: Some("10.0.0.7:5432".to_owned()),
        clock_micros: 0,
    }
}

#[test]
fn versions_are_refused_warned_of_or_good() {
    for (number, expected) in [
        (140_018, Some(Code::PostgresVersion)),
        (90_600, Some(Code::PostgresVersion)),
        (150_012, Some(Code::PostgresDoubtful)),
        (150_013, None),
        (160_008, Some(Code::PostgresDoubtful)),
        (170_004, Some(Code::PostgresDoubtful)),
        (170_005, None),
        (180_000, None),
        (190_000, Some(Code::PostgresDoubtful)),
    ] {
        assert_eq!(
            code(&version(&ServerFacts { version: number, ..server() }, true)),
            expected,
            "{number}"
        );
    }
}

#[test]
fn a_standby_and_a_server_that_writes_too_little_are_refused() {
    assert_eq!(primary(&server()).state, State::Good);
    let standby = primary(&ServerFacts { is_standby: true, ..server() });
    assert_eq!(code(&standby), Some(Code::PostgresStandby));
    for level in ["minimal", "replica"] {
        let server = ServerFacts { wal_level: level.to_owned(), ..server() };
        assert_eq!(code(&wal_level(&server)), Some(Code::PostgresWalLevel));
    }
}

#[test]
fn room_is_needed_only_before_there_is_a_slot() {
    let full = ServerFacts { slots: (4, 4), senders: (3, 5), ..server() };
    let codes = |checks: Vec<Check>| checks.iter().map(code).collect::<Vec<_>>();
    let none = Some(Code::PostgresSlot);
    assert_eq!(codes(room(&server(), false, false)), [None; 2]);
    assert_eq!(codes(room(&full, false, false)), [none; 2]);
    assert_eq!(codes(room(&full, false, true)), [none, None]);
    assert_eq!(codes(room(&full, true, false)), [None; 2]);
}

#[test]
fn a_server_that_keeps_any_amount_is_warned_of() {
    assert_eq!(bound(&server(), 1).state, State::Good);
    let endless = ServerFacts { kept_mib_max: None, ..server() };
    for (max, words) in [(0, "no bound either"), (64 << 30, "beyond 64.0 GiB")] {
        let check = bound(&endless, max);
        assert_eq!(code(&check), Some(Code::PostgresWalKept));
        assert!(check.problem.unwrap().why.contains(words));
    }
}

#[test]
fn slots_that_are_lost_or_left_behind_are_warned_of() {
    let slot = |name: &str, reader, standing: &str, bytes| Kept {
        slot: name.to_owned(),
        database: "quiz".to_owned(),
        reader,
        standing: standing.to_owned(),
        bytes,
    };
    let found = |all: &[Kept]| kept(all, Some("instep_a_1")).iter().map(code).collect::<Vec<_>>();
    let warned = Some(Code::PostgresWalKept);
    assert_eq!(found(&[]), []);
    assert_eq!(found(&[slot("instep_a_1", Some(7), "reserved", 1)]), [None]);
    assert_eq!(found(&[slot("instep_a_1", None, "extended", 1)]), [None]);
    for standing in ["unreserved", "lost"] {
        assert_eq!(found(&[slot("instep_a_1", None, standing, 1)]), [warned]);
    }
    // Another Instep that reads its own is none of our business.
    assert_eq!(found(&[slot("instep_b_1", Some(7), "reserved", 1)]), []);
    let left: Vec<_> =
        (0..30).map(|n| slot(&format!("instep_{n}_1"), None, "reserved", n)).collect();
    let told = kept(&left, None);
    assert_eq!(told.len(), 10);
    assert!(fix(&told[0]).contains("instep_29_1"), "the largest first");
}

#[test]
fn transactions_are_long_by_their_age_or_because_they_stay() {
    let one = |number, seconds| Open {
        number,
        whose: Whose::Process(7),
        role: Some("ann".to_owned()),
        seconds,
    };
    let prepared = |seconds| Open {
        whose: Whose::Prepared("it's".to_owned()),
        role: None,
        ..one(9, Some(seconds))
    };
    let found = |first: &[Open], second: &[Open]| code(&open(first, second));
    let waits = Some(Code::PostgresWaits);
    for (all, expected) in [
        (vec![], None),
        (vec![one(1, Some(29)), prepared(2)], None),
        (vec![one(1, Some(30))], waits),
        (vec![prepared(1_000)], waits),
    ] {
        assert_eq!(found(&all, &all), expected, "{all:?}");
    }
    assert!(!has_hidden(&[one(1, Some(2))]) && has_hidden(&[one(1, Some(2)), one(2, None)]));
    assert_eq!(found(&[one(1, None)], &[one(2, None)]), None, "another one");
    assert_eq!(found(&[one(1, None)], &[one(1, None)]), waits);
    let many: Vec<_> = (0..9).map(|number| one(number, Some(100))).collect();
    assert!(open(&many, &many).found.ends_with("and 4 more"));
    let quoted = open(&[prepared(99)], &[prepared(99)]);
    assert!(fix(&quoted).contains("rollback prepared 'it''s'"), "{quoted:?}");
}

fn rights() -> Rights {
    Rights {
        role: "App".to_owned(),
        database: "quiz".to_owned(),
        database_oid: 5,
        is_superuser: false,
        replicates: true,
        creates: true,
        managed_by: None,
    }
}

fn table(name: &str) -> TableRights {
    TableRights {
        table: name.into(),
        owner: "boss".to_owned(),
        is_superusers: false,
        owns: true,
        uses_schema: true,
        selects: true,
        triggers: true,
        sees_some_rows: false,
    }
}

#[test]
fn what_a_managed_service_calls_the_right_to_replicate_is_said() {
    assert_eq!(replicates(&rights()).state, State::Good);
    let lacking = Rights { replicates: false, ..rights() };
    assert!(fix(&replicates(&lacking)).contains("alter role \"App\" replication"));
    let managed = Rights { managed_by: Some("rds_replication".to_owned()), ..lacking };
    assert!(fix(&replicates(&managed)).contains("grant rds_replication to \"App\""));
}

#[test]
fn a_publication_is_made_mended_or_asked_for() {
    let (mine, theirs) = (table("public.a"), TableRights { owns: false, ..table("public.b") });
    let both = [mine.clone(), theirs.clone()];
    let publication_of = |owns, tables: &[&str]| Publication {
        owner: "boss".to_owned(),
        owns,
        is_whole: true,
        is_via_root: true,
        tables: tables.iter().map(|&name| name.into()).collect(),
        cut: [].into(),
    };
    let whole = publication_of(false, &["public.a", "public.b"]);
    let none = Rights { creates: false, ..rights() };
    let all = Rights { is_superuser: true, ..none.clone() };
    let (yes, no) = (None, Some(Code::PostgresPublication));
    let cut = Publication { cut: ["public.a".into()].into(), ..whole.clone() };
    let part = Publication { is_via_root: false, ..publication_of(true, &["public.a"]) };
    let apart = Publication { is_via_root: false, ..whole.clone() };
    for (rights, tables, found, expected) in [
        (&rights(), &both[..1], None, yes),
        (&rights(), &both[..], None, no),
        (&none, &both[..1], None, no),
        (&all, &both[..], None, yes),
        (&none, &both[..], Some(&whole), yes),
        (&none, &both[..], Some(&publication_of(true, &["public.a"])), no),
        (&none, &both[..], Some(&publication_of(true, &["public.b"])), yes),
        (&none, &both[..1], Some(&publication_of(false, &[])), no),
        (&none, &both[..1], Some(&part), yes),
        (&none, &both[..], Some(&cut), no),
        (&all, &both[..], Some(&cut), yes),
        (&none, &both[..], Some(&apart), no),
    ] {
        let wanted = Wanted { tables, has_root: true, name: Some("instep_x") };
        let check = publication(rights, &wanted, found);
        assert_eq!(code(&check), expected, "{rights:?} {tables:?} {found:?}: {check:?}");
    }
    let without = |found| Wanted { tables: &both, has_root: false, name: found };
    assert_eq!(code(&publication(&none, &without(Some("instep_x")), Some(&apart))), yes);
    let asked = publication(&none, &without(Some("instep_x")), None);
    assert!(
        fix(&asked)
            .contains("create publication instep_x for table only public.a, only public.b with")
    );
    let high = [TableRights { is_superusers: true, ..both[1].clone() }];
    let high = Wanted { tables: &high, has_root: false, name: None };
    assert!(!fix(&publication(&none, &high, None)).contains("grant"), "nobody is made a superuser");
    let unknown = publication(&none, &without(None), None);
    assert!(!fix(&unknown).contains("create publication") && fix(&unknown).contains("grant boss"));
}

#[test]
fn names_and_texts_stand_in_statements_as_they_are() {
    for (name, written) in
        [("a_1", "a_1"), ("A", "\"A\""), ("1a", "\"1a\""), ("a\"b", "\"a\"\"b\""), ("", "\"\"")]
    {
        assert_eq!(sql::name(name), written);
    }
    assert_eq!(sql::table("public.My.Table"), "public.\"My.Table\"");
    assert_eq!((sql::schema("S.t"), sql::text("it's")), ("\"S\"".to_owned(), "'it''s'".to_owned()));
}

#[test]
fn one_server_that_answers_is_enough() {
    let tried = |name: &str, outcome: io::Result<Duration>| Tried {
        server: Server::Tcp { name: name.to_owned(), port: 1 },
        outcome,
    };
    let away = || Err(io::ErrorKind::ConnectionRefused.into());
    let code_away = Code::TargetUnavailable;
    let one = answers(&[tried("a", away()), tried("b", Ok(Duration::ZERO))], code_away);
    assert_eq!(one.state, State::Good);
    let none = answers(&[tried("a", away()), tried("b", away())], code_away);
    assert_eq!(code(&none), Some(code_away));
    assert!(none.found.contains("a:1: ") && none.found.contains("b:1: "), "{none:?}");
}

#[test]
fn a_connection_that_others_can_read_is_warned_of_beyond_this_machine() {
    for (url, is_encrypted, expected) in [
        ("postgres://a@localhost/x", false, None),
        ("postgres://a@127.0.0.1/x?sslmode=require", true, None),
        ("postgres://a@/x?host=/run", false, None),
        ("postgres://a@db/x", true, None),
        ("postgres://a@db/x?sslmode=verify-ca", true, None),
        ("postgres://a@db/x?sslmode=require", true, Some(Code::PostgresPlain)),
        ("postgres://a@db/x?sslmode=disable", false, Some(Code::PostgresPlain)),
        ("postgres://a@localhost,db/x?sslmode=prefer", false, Some(Code::PostgresPlain)),
    ] {
        let access = Access::parse(url).unwrap();
        assert_eq!(code(&encryption(&access, is_encrypted)), expected, "{url}");
    }
}

#[test]
fn the_address_of_a_pooler_is_evidence() {
    let fault = || Fault::stop(Code::PostgresPooler, "refused");
    for (url, has_evidence) in [
        ("postgres://a@db-pooler.example/x", true),
        ("postgres://a@db:6432/x", true),
        ("postgres://a@db/x", false),
    ] {
        let access = Access::parse(url).unwrap();
        assert_eq!(refused("", &access, &fault()).evidence.is_some(), has_evidence, "{url}");
    }
}

#[test]
fn clocks_are_apart_by_more_than_the_time_of_the_question() {
    let second = 1_000_000;
    for (before, server, after, expected) in [
        (0, 5, 10, None),
        (0, 4 * second, 1, None),
        (0, 60 * second, 58 * second, None),
        (0, 60 * second, 1, Some(Code::ClockApart)),
        (60 * second, 0, 61 * second, Some(Code::ClockApart)),
    ] {
        assert_eq!(code(&clock(before, server, after)), expected, "{before} {server} {after}");
    }
    assert_eq!(latency("", Duration::from_secs(2)).state, State::Warning);
}

/// A table with everything that it takes to write to it.
fn written(table: &str) -> WrittenTable {
    WrittenTable {
        table: table.into(),
        has_schema: true,
        uses_schema: true,
        creates: true,
        owner: Some("app".to_owned()),
        lacks: Vec::new(),
        sees_some_rows: false,
    }
}

fn missing(table: &str) -> WrittenTable {
    WrittenTable { owner: None, ..written(table) }
}

#[test]
fn a_server_that_is_only_written_to_may_have_faults_in_its_log_and_no_other() {
    let of = |version| version_code(&ServerFacts { version, ..server() });
    assert_eq!(of(150_001), None);
    assert_eq!(of(140_018), Some(Code::PostgresVersion));
    assert_eq!(of(190_000), Some(Code::PostgresDoubtful));
    assert_eq!(takes_writes(&server(), &rights()).state, State::Good);
    let check = takes_writes(&ServerFacts { only_reads: true, ..server() }, &rights());
    assert_eq!(code(&check), Some(Code::TargetUnavailable));
    assert!(fix(&check).contains("set default_transaction_read_only = off"), "{}", fix(&check));
}

fn version_code(server: &ServerFacts) -> Option<Code> {
    code(&version(server, false))
}

#[test]
fn books_have_a_schema_or_a_place_for_one() {
    let able = Rights { creates: true, ..rights() };
    let unable = Rights { creates: false, is_superuser: false, ..rights() };
    let no_schema = WrittenTable { has_schema: false, ..missing("instep.holds") };
    assert_eq!(books(&able, std::slice::from_ref(&no_schema)).state, State::Good);
    let check = books(&unable, &[no_schema]);
    assert!(fix(&check).contains("create schema instep authorization"), "{}", fix(&check));
    let own = [written("instep.holds"), missing("instep.leases")];
    assert_eq!(books(&unable, &own).state, State::Good);
    // Nothing has to be made where all of it is there, and nobody empties a book at once.
    let kept = WrittenTable {
        creates: false,
        lacks: vec!["truncate".to_owned()],
        ..written("instep.holds")
    };
    assert_eq!(books(&unable, std::slice::from_ref(&kept)).state, State::Good);
    let lacking = WrittenTable {
        uses_schema: false,
        lacks: vec!["insert".to_owned(), "delete".to_owned(), "truncate".to_owned()],
        ..kept
    };
    let others = WrittenTable { creates: false, ..missing("instep.leases") };
    let check = books(&unable, &[lacking, others]);
    assert_eq!(code(&check), Some(Code::PostgresPrivilege));
    for statement in [
        "grant usage on schema instep to ",
        "grant create on schema instep to ",
        "grant insert, delete on instep.holds to ",
    ] {
        assert!(fix(&check).contains(statement), "{statement}: {}", fix(&check));
    }
    assert_eq!(books(&unable, &[]).state, State::NotMeasured);
}

#[test]
fn a_table_that_is_written_to_is_there_for_it_or_can_be_made() {
    let judged = |table: &WrittenTable, is_made| writes(&rights(), table, is_made);
    assert_eq!(judged(&written("a.b"), false).unwrap().state, State::Good);
    // That it is missing, its copy says.
    assert!(judged(&missing("a.b"), false).is_none());
    assert_eq!(judged(&missing("a.b"), true).unwrap().state, State::Good);
    let fixed = |table: &WrittenTable, is_made| {
        let check = judged(table, is_made).unwrap();
        assert_eq!(code(&check), Some(Code::PostgresPrivilege));
        fix(&check).to_owned()
    };
    let slow = WrittenTable { lacks: vec!["truncate".to_owned()], ..written("a.b") };
    assert!(judged(&slow, false).unwrap().found.ends_with("may, and empties it row by row"));
    let lacks = vec!["insert".to_owned(), "truncate".to_owned()];
    let lacking = WrittenTable { lacks, uses_schema: false, ..written("a.B") };
    let said = fixed(&lacking, false);
    assert!(said.contains("grant usage on schema a to "), "{said}");
    assert!(said.contains("grant insert on a.\"B\" to "), "{said}");
    let hidden = WrittenTable { sees_some_rows: true, ..written("a.b") };
    assert!(fixed(&hidden, false).contains("bypassrls"));
    let nowhere = WrittenTable { has_schema: false, ..missing("a.b") };
    assert!(fixed(&nowhere, true).contains("create schema a authorization"));
    let closed = WrittenTable { creates: false, ..missing("a.b") };
    assert!(fixed(&closed, true).contains("grant usage, create on schema a to "));
}
