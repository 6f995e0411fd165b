//! History that was lost: found again by comparing with the source.

use crate::rig::{Rig, lane, name, until};
use instep_engine::Catalog;
use model::{Code, Op};
use std::sync::Arc;
use std::time::Duration;
use testkit::conformance::rows::{key, row};
use testkit::faulty::{Call, Reply};
use testkit::memory::log::MemoryLog;
use tokio::time::sleep;

/// P8: a server that went back to a backup gives the same positions out again.
#[tokio::test(start_paused = true)]
async fn a_restored_source_is_followed_from_where_it_is_now() {
    let mut rig = Rig::new(2);
    rig.insert([1, 2, 3]);
    let _running = rig.start_filled().await;
    let backup = rig.database.save();
    rig.change([Op::Delete(key(1)), Op::Insert(row(4, 7, "lost"))]);
    rig.in_step(0).await;
    rig.database.restore(&backup);
    rig.insert([5]);
    rig.in_step(0).await;
    rig.in_step(1).await;
    rig.insert([6]);
    rig.in_step(0).await;
}

/// A history is known by the last transaction before it: a backup from before its beginning that
/// has that one misses nothing, once the source comes past that place without another.
#[tokio::test(start_paused = true)]
async fn a_backup_from_before_a_history_began_without_a_change_in_between_is_followed_on() {
    let mut rig = Rig::new(1);
    rig.insert([1, 2]);
    let backup = rig.database.save();
    rig.database.pass();
    let running = rig.start_filled().await;
    running.crash().await;
    rig.database.restore(&backup);
    rig.database.pass();
    rig.insert([3]);
    let _running = rig.start().await;
    rig.in_step(0).await;
    assert_eq!(incarnation(&rig).await, 1, "nothing was lost");
}

/// The same, but something is committed at that place this time.
#[tokio::test(start_paused = true)]
async fn a_backup_from_before_a_history_began_with_a_change_in_between_is_bridged() {
    let mut rig = Rig::new(1);
    rig.insert([1, 2]);
    let backup = rig.database.save();
    // As many steps as the transaction below takes.
    rig.database.pass();
    rig.database.pass();
    let began = rig.database.end();
    let running = rig.start_filled().await;
    running.crash().await;
    rig.database.restore(&backup);
    rig.change([Op::Delete(key(1))]);
    assert_eq!(rig.database.end(), began);
    rig.insert([3]);
    let _running = rig.start().await;
    rig.in_step(0).await;
    assert_eq!(incarnation(&rig).await, 2, "the history of before is over");
}

async fn incarnation(rig: &Rig) -> u32 {
    let history = rig.notes.history(&lane()).await.expect("notes");
    history.expect("a history").incarnation.0
}

#[tokio::test(start_paused = true)]
async fn a_source_restored_while_everything_was_down_is_bridged() {
    let mut rig = Rig::new(1);
    rig.insert([1, 2, 3]);
    let running = rig.start_filled().await;
    let backup = rig.database.save();
    for id in 10..20 {
        rig.insert([id]);
    }
    rig.in_step(0).await;
    running.crash().await;
    rig.database.restore(&backup);
    for id in 30..60 {
        rig.insert([id]);
    }
    let _running = rig.start().await;
    rig.in_step(0).await;
}

/// At the place where the history began there is a transaction now, and nobody will deliver it.
#[tokio::test(start_paused = true)]
async fn another_transaction_where_the_history_began_is_lost_history() {
    let mut rig = Rig::new(1);
    rig.insert([1, 2]);
    let backup = rig.database.save();
    rig.database.pass();
    rig.database.pass();
    let running = rig.start_filled().await;
    running.crash().await;
    let end = rig.database.end();
    rig.database.restore(&backup);
    rig.insert([3]);
    while rig.database.end() < end {
        rig.database.pass();
    }
    let _running = rig.start().await;
    rig.in_step(0).await;
    assert_eq!(incarnation(&rig).await, 2);
}

/// What was read before a restore says nothing of the rows after it.
#[tokio::test(start_paused = true)]
async fn rows_read_before_a_restore_are_not_placed_after_it() {
    let mut rig = Rig::new(1);
    rig.insert([1]);
    let backup = rig.database.save();
    rig.change([Op::Update { before: key(1), row: row(1, 8, "lost") }]);
    rig.insert([2]);
    let running = rig.start_filled().await;
    running.crash().await;
    rig.targets[0].store.tamper(|kept| kept.passes.clear());
    // Its rows are read at once, but it takes long until it can be followed.
    let long = Duration::from_secs(2);
    rig.source.push(Call::Connect, Reply::RespondSlowly(long, Duration::ZERO));
    let _running = rig.launch();
    sleep(Duration::from_secs(1)).await;
    rig.database.restore(&backup);
    for _ in 0..9 {
        rig.database.pass();
    }
    rig.in_step(0).await;
    sleep(Duration::from_secs(60)).await;
    rig.in_step(0).await;
}

/// PS17: only a person's word makes another server the right one.
#[tokio::test(start_paused = true)]
async fn another_server_is_followed_once_a_person_says_so() {
    let mut rig = Rig::new(1);
    rig.insert([1, 2]);
    let running = rig.start_filled().await;
    rig.database.become_another("server-2");
    let is_refused = || {
        let trouble = running.board.snapshot().capture.trouble;
        trouble.is_some_and(|trouble| trouble.code == Code::SourceChanged)
    };
    until("it is refused", is_refused).await;
    rig.change([Op::Delete(key(1)), Op::Insert(row(3, 7, "there"))]);
    rig.notes.adopt(&lane(), &"server-3".into()).await.expect("noted");
    sleep(Duration::from_secs(60)).await;
    assert!(is_refused(), "the word was about another server");
    assert_eq!(rig.rows(0).len(), 2);
    rig.notes.adopt(&lane(), &"server-2".into()).await.expect("noted");
    rig.in_step(0).await;
}

/// A wrong address is put right again: nobody's word is needed for the server of before.
#[tokio::test(start_paused = true)]
async fn the_server_of_before_is_followed_again_as_soon_as_it_answers() {
    let mut rig = Rig::new(1);
    rig.insert([1, 2]);
    let running = rig.start_filled().await;
    rig.database.become_another("server-2");
    let refused = || running.board.snapshot().capture.trouble.is_some();
    until("it is refused", refused).await;
    rig.database.become_another("server-1");
    rig.insert([3]);
    rig.in_step(0).await;
    assert_eq!(running.board.snapshot().capture.trouble, None);
}

/// An empty source is more likely the wrong one than emptied.
#[tokio::test(start_paused = true)]
async fn an_empty_source_empties_a_copy_only_by_a_persons_word() {
    let mut rig = Rig::new(1);
    rig.insert([1, 2, 3]);
    let running = rig.start_filled().await;
    rig.database.become_another("server-2");
    rig.database.empty();
    running.crash().await;
    rig.notes.adopt(&lane(), &"server-2".into()).await.expect("noted");
    let running = rig.launch();
    let fault = running.stopped(0).await;
    assert!(fault.starts_with("E-DELETES-GUARDED"), "{fault}");
    assert_eq!(rig.rows(0).len(), 3, "the copy keeps what it has");
    running.crash().await;
    rig.notes.allow_deletes(&lane(), &name(0), 3).await.expect("noted");
    let _running = rig.launch();
    until("it is empty", || rig.rows(0).is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn more_deletes_than_allowed_stop_a_bridge() {
    let mut rig = Rig::new(1);
    rig.limits.bridge_deletes_max = 4;
    rig.limits.ask_rows_max = 3;
    rig.insert(0..10);
    let running = rig.start_filled().await;
    running.crash().await;
    rig.change((0..5).map(|id| Op::Delete(key(id))));
    rig.database.forget_all();
    let running = rig.start().await;
    let fault = running.stopped(0).await;
    assert!(fault.starts_with("E-DELETES-GUARDED"), "{fault}");
    assert!(rig.rows(0).len() >= 6, "no more than allowed are gone");
    running.crash().await;
    rig.notes.allow_deletes(&lane(), &name(0), 5).await.expect("noted");
    let _running = rig.start().await;
    rig.in_step(0).await;
}

/// A pass that a second loss of history interrupts begins again.
#[tokio::test(start_paused = true)]
async fn history_lost_again_while_it_is_bridged_is_bridged_again() {
    let mut rig = Rig::new(1);
    rig.limits.ask_rows_max = 5;
    rig.insert(0..100);
    let mut running = rig.start_filled().await;
    for id in 0..4 {
        running.crash().await;
        rig.change([Op::Update { before: key(id), row: row(id, 8, "new") }]);
        rig.database.forget_all();
        running = rig.start().await;
        sleep(Duration::from_millis(5)).await;
    }
    rig.in_step(0).await;
}

/// The data directory is lost after a history has ended: nothing here knows its number any more.
#[tokio::test(start_paused = true)]
async fn a_lost_data_directory_after_a_restore_is_bridged() {
    let mut rig = Rig::new(1);
    rig.insert([1, 2]);
    let running = rig.start_filled().await;
    let backup = rig.database.save();
    rig.insert([3]);
    rig.in_step(0).await;
    rig.database.restore(&backup);
    rig.insert([4]);
    rig.in_step(0).await;
    running.crash().await;
    rig.log = Arc::new(MemoryLog::new());
    rig.notes = Arc::default();
    rig.insert([5]);
    let _running = rig.start().await;
    rig.in_step(0).await;
}
