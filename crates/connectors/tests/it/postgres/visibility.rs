//! A placement contains exactly the transactions whose rows were shown, whatever writers do.
//!
//! Each transaction writes a row with its own number, so that rows show which were seen. The stream
//! says where each was committed.

use super::rig::{Database, limits};
use instep_connectors::postgres::pgoutput::{Decoder, Message};
use instep_connectors::postgres::replication::Carried;
use instep_connectors::postgres::{PostgresRows, Replication, Session};
use model::{
    Answer, At, Cell, Key, Placement, Position, Row, Rows, Selection, Service, TransactionId, Value,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::timeout;

const MADE: &str = "create table public.t (id bigint generated always as identity primary key,
    transaction bigint not null)";

const INSERT: &str = "insert into public.t (transaction)
    values (pg_current_xact_id()::text::bigint)";

/// PC24, BF1, BF6.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_placement_contains_exactly_the_transactions_that_its_rows_show() {
    let Some(database) = Database::new().await else { return };
    database.run(MADE).await;
    let slot = database.slot().await;
    let done = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for number in 0..8 {
        let session = Session::connect(&database.access).await.unwrap();
        writers.push(tokio::spawn(write(session, number, Arc::clone(&done))));
    }
    let mut rows = PostgresRows::new(database.access.clone()).connect().await.unwrap();
    let table = rows.table(&"public.t".into()).await.unwrap().unwrap();
    let mut answers: Vec<(RangeInclusive<i64>, Placement, BTreeSet<i64>)> = Vec::new();
    while answers.len() < 300 {
        // What is open still has one of the last numbers.
        let newest = answers.last().and_then(|(.., shown)| shown.last().copied());
        let after = newest.map_or(0, |newest| newest - 100);
        let selection = Selection::Range { after: Some(Key::new([after])), upto: None };
        let answer = rows.rows(&table, &selection, 10_000).await.unwrap();
        let Answer { at: At::Source(placement), found: Rows { rows: found, upto } } = answer else {
            panic!("a source answers")
        };
        let shown: BTreeSet<i64> = found.iter().map(|(_, row, _)| numbers(row).0).collect();
        let upto = upto.and_then(|_| shown.last().copied()).unwrap_or(i64::MAX);
        answers.push((after + 1..=upto, placement, shown));
    }
    done.store(true, Ordering::Relaxed);
    let mut written = BTreeSet::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    let committed = committed(&database, &slot, &written).await;
    let all = database.session.query("select id::text, transaction::text from public.t").await;
    let all = all.unwrap().into_iter().map(|row| {
        let number = |place: usize| row[place].as_ref().unwrap().parse::<i64>().unwrap();
        (number(0), number(1))
    });
    let all: Vec<(i64, i64)> = all.collect();
    let (mut logged_unseen, mut later) = (0, 0);
    for (range, placement, shown) in &answers {
        for (id, transaction) in all.iter().filter(|(id, _)| range.contains(id)) {
            let transaction = u64::try_from(*transaction).unwrap();
            let position = Position::from_number(committed[&transaction]);
            let is_seen = placement.sees.contains(&position, TransactionId(transaction));
            let is_contained = is_seen && position <= placement.reached;
            assert_eq!(is_contained, shown.contains(id), "{transaction} in {placement:?}");
            assert_eq!(is_contained, is_seen, "{transaction} is beyond {placement:?}");
            // By its position alone it would be contained.
            logged_unseen += usize::from(!is_seen && position <= placement.reached);
            later += usize::from(!is_seen && position > placement.reached);
        }
    }
    assert!(later > 0, "nothing was written while rows were read");
    println!("{logged_unseen} commits stood before a snapshot that did not see them");
}

/// The row's own number, and that of its transaction.
fn numbers(row: &Row) -> (i64, i64) {
    match &row.0[..] {
        [Cell::Value(Value::Int(id)), Cell::Value(Value::Int(transaction))] => (*id, *transaction),
        other => panic!("{other:?}"),
    }
}

/// Writes until it is told to stop: short transactions, open ones, some that are rolled back, and
/// some with parts of their own. The numbers of those that were committed.
async fn write(session: Session, number: u64, done: Arc<AtomicBool>) -> BTreeSet<u64> {
    let mut committed = BTreeSet::new();
    let mut turn = number;
    while !done.load(Ordering::Relaxed) {
        turn += 1;
        let commit = if turn.is_multiple_of(7) { "rollback" } else { "commit" };
        let asynchronous = if turn.is_multiple_of(2) { "off" } else { "on" };
        session
            .query(&format!("begin; set local synchronous_commit = {asynchronous}"))
            .await
            .unwrap();
        let rows = session.query("select pg_current_xact_id()::text").await.unwrap();
        let transaction: u64 = rows[0][0].as_ref().unwrap().parse().unwrap();
        session.query(INSERT).await.unwrap();
        if turn.is_multiple_of(3) {
            session
                .query(&format!("savepoint s; {INSERT}; rollback to s; {INSERT}"))
                .await
                .unwrap();
        }
        session.query(commit).await.unwrap();
        if commit == "commit" {
            committed.insert(transaction);
        }
    }
    committed
}

/// Where each of these was committed, as the stream says.
async fn committed(database: &Database, slot: &str, written: &BTreeSet<u64>) -> BTreeMap<u64, u64> {
    let replication = Replication::connect(&database.access).await.unwrap();
    let follow = super::rig::follow(slot, false);
    let mut feed = replication.follow(&follow, &limits()).await.unwrap();
    let (mut decoder, mut committed, mut open) = (Decoder::new(), BTreeMap::new(), 0);
    while committed.len() < written.len() {
        let lump = timeout(super::rig::PATIENCE, feed.next()).await.expect("a lump").unwrap();
        for carried in lump.carried() {
            let Carried::Message { message, .. } = carried.unwrap() else { continue };
            match decoder.read(message).unwrap() {
                Message::Begin { transaction, .. } => open = u64::from(transaction),
                Message::Commit(ended) if written.contains(&open) => {
                    committed.insert(open, ended.end.0);
                }
                _ => {}
            }
        }
    }
    committed
}
