//! From the source into the log.

use crate::rig::{Rig, lane, until};
use instep_engine::Catalog;
use model::{Op, Read, TransactionId};
use std::sync::Arc;
use std::time::Duration;
use testkit::conformance::rows::{key, row};
use testkit::faulty::{Call, Reply};
use tokio::sync::Notify;
use tokio::time::sleep;

/// PS1: the source may forget only what the log holds.
#[tokio::test(start_paused = true)]
async fn a_position_is_confirmed_once_the_log_holds_it() {
    let mut rig = Rig::new(1);
    let running = rig.start().await;
    rig.insert([1, 2]);
    let end = rig.database.end();
    until("it is confirmed", || rig.database.confirmed() == end).await;
    let bounds = rig.log.bounds(&lane()).await.expect("bounds");
    assert_eq!(bounds.last.expect("an entry").position, end);
    drop(running);
}

/// PS5: what a source delivers again after its crash is not logged again.
#[tokio::test(start_paused = true)]
async fn what_a_source_delivers_again_is_logged_once() {
    let mut rig = Rig::new(2);
    rig.database.deliver_again(true);
    // The second target keeps the whole log from being trimmed.
    rig.targets[1].replies.push(Call::Apply, Reply::HoldReply(Arc::new(Notify::new())));
    let _running = rig.start().await;
    rig.insert([1]);
    rig.in_step(0).await;
    rig.database.crash();
    rig.insert([2]);
    rig.in_step(0).await;
    let read = rig.log.read(&lane(), None, 1 << 20).await.expect("a read");
    let Read::Entries(entries) = read else { panic!("{read:?}") };
    let ends: Vec<_> = entries.iter().map(model::Entry::end).collect();
    assert!(ends.is_sorted_by(|one, other| one < other), "{ends:?}");
    assert!(rig.targets[0].store.look(|kept| kept.ledger.values().all(|times| *times == 1)));
}

/// PC18: a transaction larger than memory allows goes through the log's staging, and arrives whole.
#[tokio::test(start_paused = true)]
async fn a_transaction_larger_than_its_bound_arrives_whole() {
    let mut rig = Rig::new(1);
    rig.limits.inline_bytes_max = 2_000;
    rig.limits.batch_changes_max = 7;
    let _running = rig.start().await;
    let transaction = rig.database.begin();
    for id in 0..100 {
        let change = testkit::conformance::rows::insert(&rig.table, row(id, 1, "body"));
        rig.database.write(transaction, transaction, change);
        if id % 9 == 0 {
            rig.database.stream(transaction);
            sleep(Duration::from_millis(3)).await;
        }
    }
    assert_eq!(rig.rows(0).len(), 0, "nothing is visible before its commit");
    rig.database.commit(transaction);
    rig.database.show(transaction);
    rig.in_step(0).await;
    assert_eq!(rig.rows(0).len(), 100);
}

#[tokio::test(start_paused = true)]
async fn what_was_staged_before_a_cut_connection_is_not_staged_twice() {
    let mut rig = Rig::new(1);
    rig.limits.inline_bytes_max = 1;
    let running = rig.start().await;
    let transaction = rig.database.begin();
    for id in 0..10 {
        let row = row(id, 1, "body");
        let change = testkit::conformance::rows::insert(&rig.table, row);
        rig.database.write(transaction, transaction, change);
    }
    rig.database.stream(transaction);
    sleep(Duration::from_millis(50)).await;
    rig.source.push(Call::Next, Reply::Refuse);
    rig.database.pass();
    until("the connection was cut", || running.board.snapshot().capture.retries > 0).await;
    rig.database.commit(transaction);
    rig.database.show(transaction);
    rig.in_step(0).await;
    assert_eq!(rig.rows(0).len(), 10);
}

/// P8: history that is gone is bridged by comparing with the source; nothing is skipped.
#[tokio::test(start_paused = true)]
async fn what_a_source_forgot_before_it_was_logged_is_bridged() {
    let mut rig = Rig::new(1);
    let running = rig.start_filled().await;
    rig.insert([1, 2, 3]);
    rig.in_step(0).await;
    running.crash().await;
    rig.change([Op::Delete(key(1)), Op::Update { before: key(2), row: row(2, 8, "new") }]);
    rig.insert([4]);
    rig.database.forget_all();
    let _running = rig.start().await;
    rig.in_step(0).await;
    rig.insert([5]);
    rig.in_step(0).await;
}

/// PS17: another server with the same tables is not followed.
#[tokio::test(start_paused = true)]
async fn nothing_of_another_server_behind_the_address_is_read() {
    let mut rig = Rig::new(1);
    let running = rig.start().await;
    rig.insert([1]);
    rig.in_step(0).await;
    rig.database.become_another("server-2");
    rig.insert([2]);
    let trouble = || running.board.snapshot().capture.trouble;
    until("it is refused", || trouble().is_some()).await;
    sleep(Duration::from_secs(100)).await;
    let trouble = trouble().expect("a reason").to_string();
    assert!(trouble.starts_with("E-SOURCE-CHANGED"), "{trouble}");
    assert_eq!(rig.rows(0).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_rolled_back_reaches_no_copy() {
    let mut rig = Rig::new(1);
    let _running = rig.start().await;
    let transaction = rig.database.begin();
    let sub = rig.database.begin_sub();
    assert_ne!(sub, TransactionId(0));
    let row = |id| {
        let row = row(id, 1, "body");
        testkit::conformance::rows::insert(&rig.table, row)
    };
    rig.database.write(transaction, transaction, row(1));
    rig.database.write(transaction, sub, row(2));
    rig.database.stream(transaction);
    rig.database.roll_back_sub(transaction, sub);
    rig.database.commit(transaction);
    rig.database.show(transaction);
    rig.in_step(0).await;
    assert_eq!(rig.rows(0).len(), 1);
}

/// P8: a source does not know a transaction again that has left nothing behind. It is not the one
/// by which a history is known, however large it was on its way.
#[tokio::test(start_paused = true)]
async fn a_large_transaction_that_left_nothing_does_not_end_a_history() {
    let mut rig = Rig::new(1);
    rig.limits.inline_bytes_max = 1;
    let running = rig.start_filled().await;
    rig.insert([1]);
    let transaction = rig.database.begin();
    let sub = rig.database.begin_sub();
    let change = testkit::conformance::rows::insert(&rig.table, row(2, 1, "body"));
    rig.database.write(transaction, sub, change);
    rig.database.stream(transaction);
    rig.database.roll_back_sub(transaction, sub);
    let end = rig.database.commit(transaction);
    rig.database.show(transaction);
    until("it is confirmed", || rig.database.confirmed() == end).await;
    running.crash().await;
    let _running = rig.start().await;
    rig.insert([3]);
    rig.in_step(0).await;
    let history = rig.notes.history(&lane()).await.expect("notes").expect("a history");
    assert_eq!(history.incarnation.0, 1, "nothing was lost");
}
