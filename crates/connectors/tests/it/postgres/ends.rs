//! How a stream ends when it is not to: each end is told apart from the others.

use super::rig::{Database, follow, limits, trouble_of};
use instep_connectors::postgres::{Feed, Replication, Side, Trouble, judge};
use model::{Code, Fate};

fn judged(trouble: Trouble) -> (Fate, Code, String) {
    let fault = judge(Side::Source, "db", trouble);
    (fault.fate, fault.code, fault.what)
}

async fn follow_it(database: &Database, slot: &str) -> Result<Feed, Trouble> {
    let replication = Replication::connect(&database.access).await?;
    replication.follow(&follow(slot, false), &limits()).await
}

#[tokio::test]
async fn a_sender_that_is_ended_is_tried_again() {
    let Some(database) = Database::new().await else { return };
    let slot = database.slot().await;
    let mut feed = follow_it(&database, &slot).await.unwrap();
    let end = "select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name";
    database.run(&format!("{end} = '{slot}'")).await;
    let (fate, code, what) = judged(trouble_of(&mut feed).await);
    assert_eq!((fate, code), (Fate::Retry, Code::SourceUnavailable), "{what}");
    assert!(what.contains("57P01"), "{what}");
    assert!(feed.next().await.is_err());
}

/// PS19.
#[tokio::test]
async fn a_slot_that_another_follows_is_waited_for() {
    let Some(database) = Database::new().await else { return };
    let slot = database.slot().await;
    let first = follow_it(&database, &slot).await.unwrap();
    let (fate, code, what) = judged(follow_it(&database, &slot).await.unwrap_err());
    assert_eq!((fate, code), (Fate::Retry, Code::SourceUnavailable), "{what}");
    drop(first);
}

/// PS7, PS12.
#[tokio::test]
async fn a_slot_or_a_publication_that_is_not_there_stops() {
    let Some(database) = Database::new().await else { return };
    let slot = database.slot().await;
    for (slot, publication) in [("missing", "everything"), (&*slot, "missing")] {
        let mut follow = follow(slot, false);
        follow.publications = vec![publication.to_owned()];
        database.run("create table if not exists public.t (id int primary key)").await;
        let replication = Replication::connect(&database.access).await.unwrap();
        if publication == "missing" && replication.version() >= 180_000 {
            // From here on the server only warns, in its own log: who follows has to look before.
            continue;
        }
        let trouble = match replication.follow(&follow, &limits()).await {
            Err(trouble) => trouble,
            // The publication is only looked for when there is a change.
            Ok(mut feed) => {
                database.run("insert into public.t values (1)").await;
                trouble_of(&mut feed).await
            }
        };
        let (fate, code, what) = judged(trouble);
        assert_eq!((fate, code), (Fate::Retry, Code::PostgresRefused), "{what}");
        assert!(what.contains("missing") && what.contains("42704"), "{what}");
    }
}

#[tokio::test]
async fn a_role_without_the_right_to_replicate_is_told_so() {
    let Some(database) = Database::new().await else { return };
    let slot = database.slot().await;
    database.run(&format!("create role {}_reader login", database.name)).await;
    let mut access = database.access.clone();
    access.user = format!("{}_reader", database.name);
    let tried = match Replication::connect(&access).await {
        Ok(replication) => replication.follow(&follow(&slot, false), &limits()).await.map(drop),
        Err(trouble) => Err(trouble),
    };
    let (fate, code, what) = judged(tried.unwrap_err());
    assert_eq!((fate, code), (Fate::Retry, Code::PostgresPrivilege), "{what}");
}

/// PS17, PS25, BF1.
#[tokio::test]
async fn a_server_says_who_it_is_and_keeps_a_slot_until_it_is_dropped() {
    let Some(database) = Database::new().await else { return };
    let mut replication = Replication::connect(&database.access).await.unwrap();
    let identified = replication.identify().await.unwrap();
    let system = database.one("select system_identifier from pg_control_system()").await;
    assert_eq!((identified.system.to_string(), identified.timeline), (system, 1));
    assert!(replication.version() >= 150_000, "{}", replication.version());
    let slot = replication.create_slot("it's \"odd\"", false, false).await.unwrap_err();
    assert_eq!(judged(slot).1, Code::PostgresRefused);
    let slot = replication.create_slot("kept", true, true).await.unwrap();
    assert!(slot.consistent >= identified.flushed, "{slot:?} {identified:?}");
    let snapshot = slot.snapshot.unwrap();
    database.run("create table public.after_it (n int)").await;
    let seen = format!(
        "begin isolation level repeatable read; set transaction snapshot '{snapshot}';
         select count(*) from pg_class where relname = 'after_it'; commit"
    );
    assert_eq!(database.one(&seen).await, "0");
    replication.drop_slot("kept").await.unwrap();
    let kept = "select count(*) from pg_replication_slots where slot_name = 'kept'";
    assert_eq!(database.one(kept).await, "0");
}
