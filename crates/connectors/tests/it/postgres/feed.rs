//! The stream of changes: what comes, what is confirmed, and what a slow owner does not break.

use super::rig::{Database, Followed, PATIENCE, follow, limits, trouble_of, until};
use instep_connectors::postgres::replication::{Carried, FeedLimits};
use instep_connectors::postgres::{Lsn, Replication};
use std::time::Duration;
use testkit::postgres::{Settings, start};
use tokio::time::timeout;

const TABLE: &str = "create table public.questions (id int primary key, body text)";

#[tokio::test]
async fn what_is_committed_comes_in_order() {
    let Some(database) = Database::new().await else { return };
    database.run(TABLE).await;
    let slot = database.slot().await;
    database.run("insert into public.questions values (1, 'one'), (2, null)").await;
    database.run("delete from public.questions where id = 1").await;
    let mut followed = database.follow(&slot, false).await;
    let shown = followed.until("Delete").await;
    let kinds: Vec<&str> = shown.iter().filter_map(|it| it.split([' ', '(']).next()).collect();
    let expected = ["Begin", "Relation", "Insert", "Insert", "Commit", "Begin", "Delete"];
    assert_eq!(kinds[..7], expected);
    database.run("insert into public.questions values (3, 'now')").await;
    let shown = followed.until("Insert").await;
    assert!(shown.iter().any(|it| it.contains("110, 111, 119")), "{shown:?}");
}

/// PS1, PS5: what the server may forget is what we said we have.
#[tokio::test]
async fn what_was_confirmed_does_not_come_again() {
    let Some(database) = Database::new().await else { return };
    database.run(TABLE).await;
    let slot = database.slot().await;
    database.run("insert into public.questions values (1, 'one')").await;
    let mut followed = database.follow(&slot, false).await;
    followed.until("Commit").await;
    followed.alive_at(current(&database).await).await;
    followed.feed.confirm(followed.end);
    followed.feed.end(PATIENCE).await.unwrap();
    until("the slot is let go", async || database.one(&active(&slot)).await == "f").await;
    database.run("insert into public.questions values (2, 'two')").await;
    let shown = database.follow(&slot, false).await.until("Commit").await;
    assert_eq!(shown.iter().filter(|it| it.starts_with("Insert")).count(), 1, "{shown:?}");
}

#[tokio::test]
async fn what_was_not_confirmed_comes_again() {
    let Some(database) = Database::new().await else { return };
    database.run(TABLE).await;
    let slot = database.slot().await;
    database.run("insert into public.questions values (1, 'one')").await;
    let first = database.follow(&slot, false).await.until("Commit").await;
    until("the slot is let go", async || database.one(&active(&slot)).await == "f").await;
    let mut again = database.follow(&slot, false).await;
    assert_eq!(again.until("Commit").await, first);
}

/// PS3: or the server would keep its whole log for a table that nobody writes.
#[tokio::test]
async fn an_idle_slot_moves_with_the_rest_of_the_server() {
    let Some(database) = Database::new().await else { return };
    let slot = database.slot().await;
    let mut followed = database.follow(&slot, false).await;
    // None of this is for the slot, whose publication knows another table only.
    database.run("drop publication everything; create table public.other (n int)").await;
    database.run("create publication everything").await;
    database.run("insert into public.other select generate_series(1, 1000)").await;
    let now = current(&database).await;
    followed.alive_at(now).await;
    followed.feed.confirm(followed.end);
    let confirmed = format!(
        "select confirmed_flush_lsn >= '{now}' from pg_replication_slots where slot_name = '{slot}'"
    );
    until("the slot has moved", async || database.one(&confirmed).await == "t").await;
}

/// PS20: for longer than the server waits for a word. On the runtime of the product, and with a
/// timeout that a busy machine keeps: the server ends whoever it has not heard of for so long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_owner_does_not_lose_the_connection() {
    let lines = vec!["wal_sender_timeout = '15s'".to_owned()];
    let Some(server) = start(&Settings { lines, ..Settings::default() }) else { return };
    let database = Database::of(&server).await.unwrap();
    database.run(TABLE).await;
    let slot = database.slot().await;
    let many =
        "insert into public.questions select n, repeat('x', 100) from generate_series(1, 100000) n";
    database.run(many).await;
    let mut followed = database.follow(&slot, false).await;
    // Nobody takes what comes; the server, which has more to send, would have given up by then.
    let old = "select count(*) from pg_stat_replication where now() - backend_start > '25s'";
    until("the stream is old", async || database.one(old).await == "1").await;
    assert_eq!(followed.rows_until_commit().await, 100_000);
}

/// PS21: as a connection that is half open.
#[tokio::test]
async fn a_server_that_says_nothing_counts_as_gone() {
    let Some(database) = Database::new().await else { return };
    let slot = database.slot().await;
    let replication = Replication::connect(&database.access).await.unwrap();
    // Half of it is what a busy server may take for an answer.
    let limits = FeedLimits { silence: Duration::from_secs(20), ..limits() };
    let mut feed = replication.follow(&follow(&slot, false), &limits).await.unwrap();
    // While it is there it answers, however idle it is.
    let mut alive = 0;
    while alive < 2 {
        let lump = timeout(PATIENCE, feed.next()).await.expect("a lump").unwrap();
        let is_alive = |it: &Carried<'_>| matches!(it, Carried::Alive { .. });
        alive += lump.carried().filter(|it| it.as_ref().is_ok_and(is_alive)).count();
    }
    let pid = format!("select active_pid from pg_replication_slots where slot_name = '{slot}'");
    let pid = database.one(&pid).await;
    let stopped = Stopped::now(pid);
    let silent = trouble_of(&mut feed).await;
    drop(stopped);
    assert!(silent.to_string().contains("nothing came from the server for 20 s"), "{silent}");
}

/// PC18.
#[tokio::test]
async fn a_large_transaction_comes_while_it_is_open_and_in_parts_that_may_be_undone() {
    let lines = vec!["logical_decoding_work_mem = '64kB'".to_owned()];
    let Some(server) = start(&Settings { lines, ..Settings::default() }) else { return };
    let database = Database::of(&server).await.unwrap();
    database.run(TABLE).await;
    let slot = database.slot().await;
    database
        .run(
            "begin;
             insert into public.questions select n, repeat('x', 200) from generate_series(1, 3000) n;
             savepoint a;
             insert into public.questions select n, repeat('y', 200) from generate_series(3001, 6000) n;
             rollback to a;
             insert into public.questions select n, repeat('z', 200) from generate_series(6001, 9000) n;
             commit",
        )
        .await;
    let mut followed = database.follow(&slot, true).await;
    let shown = followed.until("StreamCommit").await;
    let count = |begin: &str| shown.iter().filter(|it| it.starts_with(begin)).count();
    assert!(count("StreamStart") > 1, "{:?}", &shown[..3]);
    assert_eq!(count("StreamStart"), count("StreamStop"));
    assert_eq!(count("StreamAbort"), 1);
    assert!((6_000..=9_000).contains(&count("Insert")), "{}", count("Insert"));
    assert!(shown.iter().filter(|it| it.starts_with("Insert")).all(|it| it.contains("Some(")));
}

/// Where the log is now; the server does come this far, as something is committed behind it.
async fn current(database: &Database) -> Lsn {
    let now = database.one("select pg_current_wal_insert_lsn()").await.parse().unwrap();
    database.run("comment on schema public is 'later'").await;
    now
}

fn active(slot: &str) -> String {
    format!("select active from pg_replication_slots where slot_name = '{slot}'")
}

/// A process of the server that stands still until this is dropped, also by a failing test: others
/// may wait for it.
struct Stopped(String);

impl Stopped {
    fn now(pid: String) -> Self {
        assert!(signal("-STOP", &pid), "kill -STOP {pid}");
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        signal("-CONT", &self.0);
    }
}

fn signal(signal: &str, pid: &str) -> bool {
    std::process::Command::new("kill").args([signal, pid]).status().is_ok_and(|it| it.success())
}

#[tokio::test]
async fn dropping_a_wait_loses_nothing() {
    let Some(database) = Database::new().await else { return };
    database.run(TABLE).await;
    let slot = database.slot().await;
    let mut followed: Followed = database.follow(&slot, false).await;
    let many = "insert into public.questions select n, 'x' from generate_series(1, 20000) n";
    let write = database.run(many);
    tokio::pin!(write);
    let mut rows = 0;
    let mut written = false;
    let all = async {
        while rows < 20_000 {
            tokio::select! {
                biased;
                () = tokio::task::yield_now() => {}
                () = &mut write, if !written => written = true,
            }
            let wait = timeout(Duration::from_millis(1), followed.feed.next());
            let Ok(lump) = wait.await else { continue };
            let lump = lump.unwrap();
            let is_row =
                |it: &Carried<'_>| matches!(it, Carried::Message { message: [b'I', ..], .. });
            rows += lump.carried().filter(|it| it.as_ref().is_ok_and(is_row)).count();
        }
    };
    timeout(PATIENCE, all).await.expect("every row comes");
    assert_eq!(rows, 20_000);
}
