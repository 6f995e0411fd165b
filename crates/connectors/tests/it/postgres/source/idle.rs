//! What happens while little or nothing does, and on connections that are slow or dead.

use super::super::rig::{Database, PATIENCE, until};
use super::rig::{Reader, followed, followed_within, limits, server, table};
use instep_connectors::postgres::{PostgresSource, SourceLimits};
use model::{Code, Fate};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

const TABLE: &str = "create table public.t (id int primary key, v text)";

/// Commits of those who do not wait for the disk, on a server that takes its time to write.
#[tokio::test]
async fn a_mark_brings_a_step_behind_everything_also_behind_asynchronous_commits() {
    let Some(server) = server(&["wal_writer_delay = 10s", "bgwriter_delay = 10s"]) else { return };
    let database = Database::of(&server).await.expect("a database");
    database.run(TABLE).await;
    // Nobody asks an idle server.
    let limits = SourceLimits { idle_pause: PATIENCE, ..limits() };
    let mut reader = Reader::fresh(&followed_within(&database, &["public.t"], limits)).await;
    database.run("set synchronous_commit = off").await;
    for id in 0..50 {
        database.run(&format!("insert into public.t values ({id}, 'x')")).await;
    }
    let end = database.end().await;
    reader.source.mark();
    reader.upto(&end).await;
    assert_eq!(reader.copies["public.t"].len(), 50);
    // Nobody waits for a standby that may never come.
    server.sql("postgres", "alter system set synchronous_standby_names = 'nobody'");
    server.sql("postgres", "select pg_reload_conf()");
    until("it is in force", async || {
        database.one("show synchronous_standby_names").await == "nobody"
    })
    .await;
    for id in 50..53 {
        database.run(&format!("insert into public.t values ({id}, 'x')")).await;
        let end = database.end().await;
        reader.source.mark();
        reader.upto(&end).await;
    }
    let waits = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";
    assert_eq!(database.one(waits).await, "0");
}

/// PS20.
#[tokio::test]
async fn somebody_who_takes_long_over_a_step_keeps_his_connection() {
    let Some(server) = server(&["wal_sender_timeout = 3s"]) else { return };
    let database = Database::of(&server).await.expect("a database");
    database.run(TABLE).await;
    let mut reader = Reader::fresh(&followed(&database, &["public.t"])).await;
    let pid = "select active_pid from pg_replication_slots";
    let reads = database.one(pid).await;
    database
        .run("insert into public.t select i, repeat('x', 500) from generate_series(1, 20000) i")
        .await;
    // More than twice as long as the server waits for a sign of life.
    for _ in 0..14 {
        reader.step().await.unwrap();
        sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(reader.changes().await.len(), 20_000);
    assert_eq!(database.one(pid).await, reads);
}

/// PS21: nothing comes any more, and nothing says so.
#[tokio::test]
async fn a_half_open_connection_counts_as_gone() {
    let Some((database, reader)) = table(TABLE).await else { return };
    let resume = reader.resume.clone();
    drop(reader);
    let server = &database.access.servers[0];
    let proxy = Proxy::before(&server.to_string()).await;
    let access = instep_connectors::postgres::Access::parse(&format!(
        "postgres://postgres@127.0.0.1:{}/{}",
        proxy.port, database.name
    ));
    let limits = SourceLimits { silence_max: Duration::from_secs(2), ..limits() };
    let service = PostgresSource::new(access.unwrap(), vec!["public.t".into()], "test", limits);
    let mut reader = Reader::resumed(&service, &resume).await;
    database.run("insert into public.t values (1, 'a')").await;
    assert_eq!(reader.shown().await, "+t 1,a");
    proxy.stuck.store(true, Ordering::Release);
    let fault = reader.fault().await;
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::SourceUnavailable), "{fault}");
}

/// Stands before a server, and may stop to pass anything on.
struct Proxy {
    port: u16,
    stuck: Arc<AtomicBool>,
}

impl Proxy {
    async fn before(server: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stuck = Arc::new(AtomicBool::new(false));
        let (server, is_stuck) = (server.to_owned(), stuck.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(pass(from_client, to_server, is_stuck.clone()));
                tokio::spawn(pass(from_server, to_client, is_stuck.clone()));
            }
        });
        Self { port, stuck }
    }
}

/// Passes on what comes; keeps both ends open when it does so no more.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    stuck: Arc<AtomicBool>,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if stuck.load(Ordering::Acquire) {
            std::future::pending::<()>().await;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
}
