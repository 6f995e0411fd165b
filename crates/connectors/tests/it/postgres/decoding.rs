//! The decoder against what the server itself says is in a slot.

use super::rig::{Database, PATIENCE, limits};
use instep_connectors::postgres::pgoutput::{Decoder, Message, ReplicaIdentity};
use instep_connectors::postgres::replication::Carried;
use instep_connectors::postgres::{Follow, Lsn, Replication};
use tokio::time::timeout;

/// Every kind of change that a table can see, and transactions of every kind.
const STATEMENTS: [&str; 20] = [
    "create type public.mood as enum ('sad', 'glad')",
    "create table public.a (id int primary key, body text, mood public.mood, extra numeric(10, 2))",
    "create table public.whole (x int, y text); alter table public.whole replica identity full",
    "create table public.by_index (k text not null, v int); create unique index by_k on public.by_index (k);
     alter table public.by_index replica identity using index by_k",
    "alter table public.a alter column body set storage external",
    "insert into public.a values (1, repeat('long', 3000), 'sad', 1.50), (2, null, null, 'NaN')",
    "update public.a set extra = 2 where id = 1",
    "update public.a set id = 3 where id = 2",
    "delete from public.a where id = 3",
    "insert into public.whole values (1, 'x'), (null, null); update public.whole set y = 'z'; delete from public.whole",
    "insert into public.by_index values ('a', 1); update public.by_index set v = 2; update public.by_index set k = 'b'",
    "delete from public.by_index",
    "begin; insert into public.a values (10, 'in', 'glad', 0); savepoint s; insert into public.a values (11, 'undone');
     rollback to s; insert into public.a values (12, 'kept'); commit",
    "begin; insert into public.a values (20, 'undone'); rollback",
    "alter table public.a add column more int default 7; insert into public.a values (30, 'more')",
    "alter table public.a rename column body to text",
    "insert into public.a values (31, 'renamed')",
    "truncate public.a, public.whole restart identity cascade",
    "select pg_logical_emit_message(true, 'instep', 'within'), pg_logical_emit_message(false, 'instep', 'beside')",
    "begin; insert into public.by_index values ('p', 1); prepare transaction 'first'; commit prepared 'first';
     begin; insert into public.by_index values ('q', 1); prepare transaction 'second'; rollback prepared 'second'",
];

async fn written(two_phase: bool) -> Option<(Database, String)> {
    let database = Database::new().await?;
    database.run("create publication everything for all tables").await;
    let slot = format!("slot_{}", database.name);
    let phases = if two_phase { "true" } else { "false" };
    let make = "select pg_create_logical_replication_slot";
    database.run(&format!("{make}('{slot}', 'pgoutput', false, {phases})")).await;
    for statements in STATEMENTS {
        // Each by a connection of its own kind: several statements would be one transaction.
        for statement in statements.split(';') {
            // The names of prepared transactions are those of the whole server.
            let statement = statement.replace("'first'", &format!("'first {slot}'"));
            let statement = statement.replace("'second'", &format!("'second {slot}'"));
            database.run(&statement).await;
        }
    }
    Some((database, slot))
}

#[tokio::test]
async fn the_stream_is_what_the_server_shows_and_all_of_it_can_be_read() {
    for (protocol, streaming, two_phase) in
        [(1, false, false), (2, true, false), (3, false, true), (3, true, true)]
    {
        let Some((database, slot)) = written(two_phase).await else { return };
        let streams = if streaming { ", 'streaming', 'on'" } else { "" };
        let phases = if two_phase { ", 'two_phase', 'on'" } else { "" };
        let peek = format!(
            "select encode(data, 'hex') from pg_logical_slot_peek_binary_changes('{slot}', null, null,
             'proto_version', '{protocol}', 'publication_names', 'everything', 'messages', 'true'
             {streams}{phases})"
        );
        let shown: Vec<String> = database
            .session
            .query(&peek)
            .await
            .unwrap()
            .into_iter()
            .map(|row| row[0].clone().unwrap())
            .collect();
        assert!(shown.len() > 50, "{}", shown.len());
        let follow = Follow {
            slot: slot.clone(),
            after: Lsn(0),
            publications: vec!["everything".into()],
            streaming,
            two_phase,
            local_only: false,
        };
        let replication = Replication::connect(&database.access).await.unwrap();
        let mut feed = replication.follow(&follow, &limits()).await.unwrap();
        let (mut decoder, mut came) = (Decoder::new(), Vec::new());
        while came.len() < shown.len() {
            let lump = timeout(PATIENCE, feed.next()).await.expect("a lump").unwrap();
            for carried in lump.carried() {
                if let Carried::Message { message, .. } = carried.unwrap() {
                    decoder.read(message).unwrap_or_else(|it| panic!("{it}: {message:02x?}"));
                    came.push(message.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
                }
            }
        }
        assert!(came == shown, "protocol {protocol}: the two differ");
    }
}

/// PC1, PC3, PC4, PC5, PC7, PC9, PC19, PS4.
#[tokio::test]
async fn each_message_says_what_was_done() {
    let Some((database, slot)) = written(true).await else { return };
    let peek = format!(
        "select encode(data, 'hex') from pg_logical_slot_peek_binary_changes('{slot}', null, null,
         'proto_version', '3', 'publication_names', 'everything', 'messages', 'true', 'two_phase', 'on')"
    );
    let rows = database.session.query(&peek).await.unwrap();
    let all: Vec<Vec<u8>> = rows.iter().map(|row| bytes(row[0].as_deref().unwrap())).collect();
    let mut decoder = Decoder::new();
    let messages: Vec<Message<'_>> = all.iter().map(|it| decoder.read(it).unwrap()).collect();
    let relations = messages.iter().filter_map(|it| match it {
        Message::Relation { relation, .. } => Some((relation.name, relation.identity)),
        _ => None,
    });
    let relations: Vec<_> = relations.collect();
    for expected in [
        ("a", ReplicaIdentity::Default),
        ("whole", ReplicaIdentity::Full),
        ("by_index", ReplicaIdentity::Index),
    ] {
        assert!(relations.contains(&expected), "{expected:?} in {relations:?}");
    }
    let shown: Vec<String> = messages.iter().map(|it| format!("{it:?}")).collect();
    let count = |words: &[&str]| {
        shown.iter().filter(|it| words.iter().all(|word| it.contains(word))).count()
    };
    assert_eq!(count(&["Update", "Unchanged"]), 1);
    assert_eq!(count(&["Update", "before: Some(Key("]), 2);
    assert_eq!(count(&["Update", "before: Some(Row("]), 2);
    assert_eq!(count(&["Update", "before: None"]), 2);
    assert_eq!(count(&["Delete", "Key("]), 2);
    assert_eq!(count(&["Delete", "Row("]), 2);
    assert_eq!(count(&["Truncate", "cascade: true, restart: true"]), 1);
    assert!(count(&["Type", "name: \"mood\""]) >= 1);
    assert_eq!(count(&["Logical", "prefix: \"instep\""]), 2);
    assert_eq!(count(&["Logical", "transactional: true"]), 1);
    assert_eq!(count(&["BeginPrepare", "name: \"first "]), 1);
    assert_eq!(count(&["CommitPrepared", "name: \"first "]), 1);
    assert_eq!(count(&["RollbackPrepared", "name: \"second "]), 1);
    assert_eq!(count(&["undone"]), 0);
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}
