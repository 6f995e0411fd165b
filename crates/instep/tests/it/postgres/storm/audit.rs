//! Looks at the copy while the storm rages: a sum that never changes, and now and then everything.

use super::bank::{Bank, TOTAL};
use super::writer::LOCK;
use connectors::postgres::{Lsn, Session, Trouble};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What the audits came to.
pub(super) struct Audits {
    /// How many came to their end.
    pub(super) made: usize,
}

/// How long a copy may take to come to a place, whatever breaks meanwhile.
const PATIENCE: Duration = Duration::from_secs(120);

/// Reads the sum again and again; how often that could be done.
pub(super) async fn sums(bank: Arc<Bank>, over: Arc<AtomicBool>) -> usize {
    let mut read = 0;
    while !over.load(Ordering::Relaxed) {
        sleep(Duration::from_millis(50)).await;
        let Some(mut copy) = bank.copy() else { continue };
        let Ok(snapshot) = copy.transaction() else { continue };
        let Some(place) = Bank::reached(&snapshot) else { continue };
        let sum = snapshot.query_row("select sum(balance) from account", [], |row| row.get(0));
        let sum: i64 = sum.expect("a sum");
        assert_eq!(sum, TOTAL, "at {} the copy is at no transaction's end", Lsn(place));
        read += 1;
    }
    read
}

/// Audits again and again.
pub(super) async fn audits(bank: Arc<Bank>, over: Arc<AtomicBool>) -> Audits {
    let mut made = 0;
    while !over.load(Ordering::Relaxed) {
        sleep(Duration::from_secs(2)).await;
        // A server that crashed meanwhile has let the writers go on.
        made += usize::from(audit(&bank).await.is_ok());
    }
    Audits { made }
}

/// Holds up all writers, waits until the copy has come to where they are, and compares everything.
pub(super) async fn audit(bank: &Bank) -> Result<(), Trouble> {
    let session = Session::connect(&bank.access).await?;
    session.query(&format!("select pg_advisory_lock({LOCK})")).await?;
    let token = session.query("select pg_current_wal_insert_lsn()").await?;
    let token: Lsn = token[0][0].as_deref().and_then(|it| it.parse().ok()).expect("a position");
    // Something stands behind it, so that the stream comes past it.
    session.query("select pg_logical_emit_message(true, 'audit', '')").await?;
    let began = Instant::now();
    let is_there = || bank.copy().and_then(|copy| Bank::reached(&copy)) >= Some(token.0);
    while !is_there() {
        let log = || {
            bank.log().lines().rev().take(30).map(|line| format!("{line}\n")).collect::<String>()
        };
        assert!(
            began.elapsed() < PATIENCE,
            "the copy does not come to {token}; at last:\n{}",
            log()
        );
        session.query("select 1").await?;
        sleep(Duration::from_millis(50)).await;
    }
    // Counts are pushed behind the copies.
    let mut differences = bank.differences(&session).await?;
    while !differences.is_empty() && began.elapsed() < PATIENCE {
        let rows = differences.iter().any(|it| !it.contains("item_count"));
        assert!(!rows, "at {token}: {differences:#?}");
        session.query("select 1").await?;
        sleep(Duration::from_millis(50)).await;
        differences = bank.differences(&session).await?;
    }
    assert!(differences.is_empty(), "at {token}: {differences:#?}");
    session.query(&format!("select pg_advisory_unlock({LOCK})")).await.map(drop)
}
