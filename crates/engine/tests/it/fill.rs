//! A copy of a source that has rows already, and goes on changing them.

use crate::rig::{Rig, until};
use crate::workload::Workload;
use model::{Claim, Op, Pass, Table};
use std::sync::Arc;
use std::time::Duration;
use testkit::conformance::rows::{key, row};
use testkit::faulty::{Call, Reply};
use testkit::memory::store::Manners;
use tokio::time::sleep;

/// BF3, BF4: rows are read while transactions commit that are delivered before they can be seen.
#[tokio::test(start_paused = true)]
async fn a_copy_filled_while_its_source_changes_equals_it() {
    for seed in 0..12 {
        for claim in [Claim::Transactional, Claim::Versioned] {
            let mut rig = small(Manners::plain(claim));
            rig.insert(0..60);
            let _running = rig.start().await;
            Workload::new(seed).run(&rig, 150).await;
            rig.in_step(0).await;
        }
    }
}

/// BF6: the source empties the table while it is read.
#[tokio::test(start_paused = true)]
async fn a_table_emptied_while_it_is_read_is_filled_again() {
    for seed in 0..6 {
        let mut rig = small(Manners::plain(Claim::Transactional));
        rig.insert(0..60);
        let running = rig.start().await;
        let mut workload = Workload::new(seed);
        workload.truncates = true;
        workload.run(&rig, 40).await;
        rig.change([Op::Truncate]);
        workload.run(&rig, 40).await;
        rig.in_step(0).await;
        until("it is filled", || running.is_filled(0)).await;
    }
}

/// BF7: keys of several columns.
#[tokio::test(start_paused = true)]
async fn a_table_with_a_key_of_two_columns_is_filled() {
    for seed in 0..6 {
        let mut rig = small(Manners::plain(Claim::Transactional));
        rig.table = Arc::new(Table { key: vec![1, 0], version: 2, ..Table::clone(&rig.table) });
        rig.database.define(&rig.table);
        rig.insert(0..60);
        let running = rig.start().await;
        Workload::new(seed).run(&rig, 100).await;
        rig.in_step(0).await;
        until("it is filled", || running.is_filled(0)).await;
    }
}

/// A stretch is one transaction at its target, also where that takes several calls.
#[tokio::test(start_paused = true)]
async fn a_pass_whose_last_stretch_took_several_calls_is_told_to_be_through() {
    let mut rig = Rig::with([Manners::plain(Claim::Transactional)]);
    rig.limits.batch_changes_max = 10;
    rig.insert(0..35);
    let running = rig.start().await;
    rig.in_step(0).await;
    until("it is told", || running.is_filled(0)).await;
    let rows = running.board.snapshot().groups[&"target-0".into()].written.values().sum::<u64>();
    assert_eq!(rows, 35, "also those of the calls before the last");
}

/// BF5: what is filled already is not read once more.
#[tokio::test(start_paused = true)]
async fn a_restart_in_the_middle_goes_on_from_where_the_target_stands() {
    let mut rig = small(Manners::plain(Claim::Transactional));
    rig.insert(0..200);
    rig.limits.batch_changes_max = 10;
    // What lies in the log ahead of the target is read once more.
    rig.limits.stretches_ahead_max = 2;
    for _ in 0..60 {
        let slow = Reply::RespondSlowly(Duration::from_millis(5), Duration::ZERO);
        rig.targets[0].replies.push(Call::Apply, slow);
    }
    let running = rig.start().await;
    until("some of it is there", || rig.rows(0).len() > 50).await;
    running.crash().await;
    let before = rig.targets[0].store.kept().passes.into_values().next().expect("a pass");
    let Pass::Under { began, upto, .. } = before else { panic!("it is done: {before:?}") };
    let running = rig.launch();
    let groups = || running.board.snapshot().groups;
    let pass = || groups().get(&"target-0".into())?.passes.values().next().cloned();
    until("it goes on", || pass().is_some()).await;
    let Some(Pass::Under { began: again, upto: now, .. }) = pass() else { panic!("under way") };
    assert!(began == again && now >= upto, "from {upto:?}, but {now:?}");
    rig.in_step(0).await;
    assert!(rig.targets[0].store.look(|kept| kept.ledger.len()) < 220);
}

#[tokio::test(start_paused = true)]
async fn restarts_of_everything_lose_no_row() {
    for seed in 0..10 {
        let mut rig = small(Manners { flush_every: 7, ..Manners::plain(Claim::Transactional) });
        rig.insert(0..80);
        let mut workload = Workload::new(seed);
        for _ in 0..6 {
            let running = rig.start().await;
            let transactions = usize::try_from(workload.draw(20)).expect("small");
            workload.run(&rig, transactions).await;
            match workload.draw(3) {
                0 => rig.database.crash(),
                1 => rig.targets[0].store.crash(),
                _ => {}
            }
            sleep(Duration::from_millis(workload.draw(30))).await;
            running.crash().await;
        }
        let _running = rig.start().await;
        rig.in_step(0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_a_target_had_before_it_was_filled_are_gone() {
    let mut rig = Rig::new(1);
    let running = rig.start_filled().await;
    rig.insert([1, 2, 3]);
    rig.in_step(0).await;
    running.crash().await;
    // Somebody has written to it, and nobody knows any more how far it was.
    rig.targets[0].store.tamper(|kept| {
        kept.passes.clear();
        kept.watermarks.clear();
    });
    rig.change([Op::Delete(key(2)), Op::Update { before: key(3), row: row(3, 9, "new") }]);
    let _running = rig.start_filled().await;
    rig.in_step(0).await;
}

/// P9: a table that is not there holds up no other.
#[tokio::test(start_paused = true)]
async fn a_copy_of_a_missing_table_holds_up_no_other() {
    let mut rig = small(Manners::plain(Claim::Transactional));
    rig.insert(0..60);
    rig.more_copies = vec![("a missing copy".into(), "a missing table".into())];
    let _running = rig.start().await;
    rig.in_step(0).await;
}

/// A copy that was taken out of the configuration and put back has missed what came between.
#[tokio::test(start_paused = true)]
async fn a_copy_that_was_away_for_a_while_is_compared_again() {
    let mut rig = Rig::new(1);
    rig.insert([1, 2]);
    let running = rig.start_filled().await;
    rig.in_step(0).await;
    running.crash().await;
    rig.without_copy = true;
    rig.more_copies = vec![("other".into(), rig.table.name.clone())];
    let running = rig.start_filled().await;
    rig.change([Op::Delete(key(1)), Op::Insert(row(3, 7, "body"))]);
    let others = || {
        rig.targets[0]
            .store
            .look(|kept| kept.rows[&"other".into()].keys().cloned().collect::<Vec<_>>())
    };
    until("the other copy follows", || others() == [key(2), key(3)]).await;
    running.crash().await;
    rig.without_copy = false;
    let _running = rig.start().await;
    rig.in_step(0).await;
}

/// A pass over a copy that is no longer configured is nobody's.
#[tokio::test(start_paused = true)]
async fn a_copy_that_is_gone_from_the_configuration_keeps_nobody_from_reporting_a_position() {
    let mut rig = Rig::new(1);
    rig.insert([1, 2]);
    rig.more_copies = vec![("a missing copy".into(), "a missing table".into())];
    let running = rig.start().await;
    rig.in_step(0).await;
    running.crash().await;
    rig.more_copies.clear();
    let running = rig.start().await;
    let group = || running.board.snapshot().groups[&"target-0".into()].clone();
    until("it reports where it stands", || group().position().is_some()).await;
}

/// A table is larger than the log: what is read for a target that is slow must not fill it.
#[tokio::test(start_paused = true)]
async fn a_fill_does_not_run_far_ahead_of_its_target() {
    let mut rig = small(Manners::plain(Claim::Transactional));
    rig.insert(0..1_000);
    rig.targets[0].replies.push(Call::Apply, Reply::Honest);
    rig.targets[0].replies.push(Call::Apply, Reply::HoldReply(Arc::default()));
    let _running = rig.start().await;
    sleep(Duration::from_secs(20)).await;
    let bytes = rig.log.bounds(&crate::rig::lane()).await.expect("bounds").bytes;
    assert!(bytes < 50_000, "{bytes} bytes in the log");
}

/// A pipeline that reads a few rows at a time.
fn small(manners: Manners) -> Rig {
    let mut rig = Rig::with([manners]);
    rig.limits.ask_rows_max = 5;
    rig.limits.reread_pause = Duration::from_millis(5);
    rig
}
