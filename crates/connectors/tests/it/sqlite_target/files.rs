//! The file itself: missing, replaced, restored, locked by others, and left in the middle.

use super::rig::{Led, Rig, TABLE, at, copy_name, hand, tenure};
use instep_connectors::CopyTo;
use model::{Code, Fate, Leadership, Mode, Outcome, Pass, Purpose};
use std::fs;
use testkit::conformance::rows::{self, key, row};

#[tokio::test]
async fn a_missing_file_is_a_fault_that_names_create() {
    let rig = Rig::new(TABLE);
    fs::remove_file(rig.path()).expect("it is there");
    let fault = rig.connect().await.err().expect("there is no file");
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::TargetUnavailable));
    assert!(fault.what.contains("create: true"), "{fault}");
    assert!(!rig.path().exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let rig = Rig::new(TABLE);
    fs::write(rig.path(), "these are somebody's notes, and no database at all".repeat(99)).unwrap();
    let fault = rig.connect().await.err().expect("it is no database");
    assert_eq!((fault.fate, fault.code), (Fate::Stop, Code::TargetDamaged), "{fault}");
    assert!(fs::read_to_string(rig.path()).unwrap().starts_with("these are"));
}

#[tokio::test]
async fn a_file_that_is_replaced_or_deleted_is_written_no_more() {
    for replaced in [true, false] {
        let rig = Rig::new(TABLE);
        let mut led = rig.lead().await;
        assert_eq!(led.together(1, vec![rig.put(row(1, 1, "a"))]).await, None);
        let aside = rig.path().with_extension("old");
        fs::rename(rig.path(), &aside).expect("it works");
        if replaced {
            hand(&rig.path()).execute_batch(TABLE).expect("it works");
        }
        let batch = led.batch(2, vec![rig.put(row(2, 2, "b"))]);
        let fault = led.target.apply(&batch, Mode::Together).await.expect_err("it is another");
        assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::TargetUnavailable));
        let fault = led.target.standing(&led.lane).await.expect_err("it is another");
        assert_eq!(fault.fate, Fate::Retry);
        let kept =
            hand(&aside).query_row("select count(*) from questions_copy", [], |it| it.get(0));
        assert_eq!(kept, Ok(1));
        if replaced {
            // The file that is there now speaks for itself.
            let mut led = rig.lead().await;
            let standing = led.target.standing(&led.lane).await.expect("a standing");
            assert_eq!(standing.watermark, None);
        }
    }
}

#[tokio::test]
async fn a_deleted_file_is_made_anew_and_takes_nothing_from_the_log_that_was_left() {
    let copy = CopyTo { create: true, ..CopyTo::new("copy", "questions_copy") };
    let rig = Rig::without_file(copy, rows::table("questions"));
    let mut led = rig.lead().await;
    assert_eq!(led.together(1, vec![rig.put(row(1, 1, "a"))]).await, None);
    fs::remove_file(rig.path()).expect("it is there");
    assert!(rig.path().with_extension("db-wal").exists(), "the log is left");
    let batch = led.batch(2, vec![rig.put(row(2, 2, "b"))]);
    led.target.apply(&batch, Mode::Together).await.expect_err("the file is gone");
    let mut led = rig.lead().await;
    let standing = led.target.standing(&led.lane).await.expect("a standing");
    assert_eq!(standing.watermark, None);
    assert_eq!(led.together(1, vec![rig.put(row(3, 3, "c"))]).await, None);
    assert_eq!(rig.dump("select id from questions_copy"), "3");
    assert_eq!(rig.dump("pragma integrity_check"), "ok");
}

#[tokio::test]
async fn a_file_from_yesterday_says_where_it_stands() {
    let rig = Rig::new(TABLE);
    assert_eq!(rig.lead().await.together(1, vec![rig.put(row(1, 1, "a"))]).await, None);
    let yesterday = rig.path().with_extension("yesterday");
    fs::copy(rig.path(), &yesterday).expect("it works");
    assert_eq!(rig.lead().await.together(2, vec![rig.put(row(2, 2, "b"))]).await, None);
    fs::rename(&yesterday, rig.path()).expect("it works");
    let mut led = rig.lead().await;
    let standing = led.target.standing(&led.lane).await.expect("a standing");
    assert_eq!(standing.watermark, Some(at(1)));
}

#[tokio::test]
async fn another_program_that_holds_the_file_locked_is_a_fault_to_try_again() {
    let rig = Rig::new(TABLE);
    let mut led = rig.lead().await;
    let other = rig.hand();
    other.execute_batch("begin immediate").expect("it works");
    let batch = led.batch(1, vec![rig.put(row(1, 1, "a"))]);
    let fault = led.target.apply(&batch, Mode::Together).await.expect_err("it is locked");
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::TargetUnavailable));
    other.execute_batch("commit").expect("it works");
    assert_eq!(led.together(1, vec![rig.put(row(1, 1, "a"))]).await, None);
}

#[tokio::test]
async fn a_reader_that_keeps_a_commit_waiting_leaves_nothing_behind() {
    let rig = Rig::new(TABLE);
    let mut led = rig.lead().await;
    let other = rig.hand();
    other.execute_batch("begin; select count(*) from questions_copy").expect("it works");
    let batch = led.batch(1, vec![rig.put(row(1, 1, "a"))]);
    let fault = led.target.apply(&batch, Mode::Together).await.expect_err("the file is read");
    assert_eq!(fault.fate, Fate::Retry);
    other.execute_batch("commit").expect("it works");
    let mut led = rig.lead().await;
    assert_eq!(led.target.standing(&led.lane).await.expect("a standing").watermark, None);
    assert_eq!(led.together(1, vec![rig.put(row(1, 1, "a"))]).await, None);
}

#[tokio::test]
async fn a_connection_that_is_dropped_in_the_middle_leaves_nothing() {
    let rig = Rig::new(TABLE);
    let mut led = rig.lead().await;
    let mut batch = led.batch(1, vec![rig.put(row(1, 1, "a"))]);
    batch.last = false;
    led.target.apply(&batch, Mode::Together).await.expect("taken");
    drop(led);
    let mut led = rig.lead().await;
    assert_eq!(led.target.standing(&led.lane).await.expect("a standing").watermark, None);
    assert_eq!(rig.dump("select * from questions_copy"), "");
}

#[tokio::test]
async fn a_lost_reply_is_settled_by_where_the_file_stands() {
    let rig = Rig::new(TABLE);
    let mut led = rig.lead().await;
    let batch = led.batch(1, vec![rig.put(row(1, 1, "a"))]);
    // Asked and not waited for, as when the answer takes too long.
    let _ = poll_once(led.target.apply(&batch, Mode::Together)).await;
    drop(led);
    let mut led = rig.lead().await;
    let standing = led.target.standing(&led.lane).await.expect("a standing");
    assert_eq!(standing.watermark, Some(at(1)));
    assert_eq!(rig.dump("select id, body from questions_copy"), "1|a");
}

#[tokio::test]
async fn a_lease_is_renewed_while_a_transaction_is_open_and_outlives_it() {
    let rig = Rig::new(TABLE);
    let mut led = rig.lead().await;
    let mut batch = led.batch(1, vec![rig.put(row(1, 1, "a"))]);
    batch.last = false;
    led.target.apply(&batch, Mode::Together).await.expect("taken");
    let again = led.target.lead(&led.lane, &tenure(1)).await.expect("an answer");
    assert_eq!(again, Leadership::Held(led.epoch));
    // A later term of the same instance, also while the transaction is open.
    let later = led.target.lead(&led.lane, &tenure(2)).await.expect("an answer");
    assert!(matches!(later, Leadership::Held(epoch) if epoch > led.epoch), "{later:?}");
    let fault = led.target.apply(&batch, Mode::Together).await.expect_err("its epoch is over");
    assert_eq!(fault.code, Code::Superseded);
    assert_eq!(rig.dump("select epoch, connection from instep_leases"), "2|2");
    assert_eq!(rig.dump("select * from questions_copy"), "");
}

#[tokio::test]
async fn who_takes_over_does_not_wait_for_what_an_earlier_connection_left_open() {
    let rig = Rig::new(TABLE);
    let mut earlier = rig.lead().await;
    let mut batch = earlier.batch(1, vec![rig.put(row(1, 1, "a"))]);
    batch.last = false;
    earlier.target.apply(&batch, Mode::Together).await.expect("taken");
    let mut later = rig.lead().await;
    assert_eq!(later.together(1, vec![rig.put(row(2, 2, "b"))]).await, None);
    let late = earlier.batch(1, vec![rig.put(row(3, 3, "c"))]);
    let fault = earlier.target.apply(&late, Mode::Together).await.expect_err("it is over");
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::Superseded));
    assert_eq!(rig.dump("select id from questions_copy"), "2");
}

#[tokio::test]
async fn asking_where_a_lane_stands_gives_up_what_is_open() {
    let rig = Rig::new(TABLE);
    let mut led = rig.lead().await;
    let mut batch = led.batch(1, vec![rig.put(row(1, 1, "a"))]);
    batch.last = false;
    led.target.apply(&batch, Mode::Together).await.expect("taken");
    assert_eq!(led.target.standing(&led.lane).await.expect("a standing").watermark, None);
    assert_eq!(led.together(1, vec![rig.put(row(2, 2, "b"))]).await, None);
    assert_eq!(rig.dump("select id from questions_copy"), "2");
}

#[tokio::test]
async fn in_a_file_with_a_log_only_a_batch_without_rows_is_durable_at_once() {
    for (journal, synced) in [("wal", false), ("delete", true)] {
        let rig = Rig::new(&format!("pragma journal_mode = {journal}; {TABLE}"));
        let mut led = rig.lead().await;
        for (writes, expected) in [(vec![rig.put(row(1, 1, "a"))], synced), (vec![], true)] {
            let batch = led.batch(1, writes);
            let outcome = led.target.apply(&batch, Mode::Together).await.expect("written");
            let flushed = expected.then(|| batch.watermark.clone());
            assert_eq!(outcome, Outcome::Written { flushed, refused: vec![] });
        }
        let kept: String =
            rig.hand().pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(kept, journal, "the owner's choice");
    }
}

#[tokio::test]
async fn what_is_noted_can_be_read_by_people_and_refuses_a_newer_format() {
    let rig = Rig::new(TABLE);
    let mut led = rig.lead().await;
    let pass = Pass::Under { purpose: Purpose::Fill, began: at(1), upto: Some(key(7)), deleted: 3 };
    let mut batch = led.batch(1, vec![rig.put(row(13, 1, "refused"))]);
    batch.passes = vec![(copy_name(), pass)];
    led.target.apply(&batch, Mode::RowByRow).await.expect("written");
    assert_eq!(rig.dump("select lane, position from instep_watermarks"), "lane|1:1");
    let holds = rig.dump("select copy, shown_key, shown_change, reason from instep_holds");
    assert_eq!(holds, "copy|[Int(13)]|1:1#0|CHECK constraint failed: body <> 'refused'");
    let shown = rig.dump("select purpose, deleted, shown from instep_passes");
    assert_eq!(shown, "fill|3|under way, up to [Int(7)]");
    rig.hand().execute("update instep_target set format = 2", []).expect("it works");
    let fault = rig.connect().await.err().expect("it is newer");
    assert_eq!((fault.fate, fault.code), (Fate::Stop, Code::TargetDamaged));
}

#[tokio::test]
async fn lanes_of_one_file_stand_each_for_itself() {
    let rig = Rig::new(TABLE);
    let (mut one, mut two) = (Led::new(&rig, "one").await, Led::new(&rig, "two").await);
    assert_eq!(one.together(1, vec![rig.put(row(1, 1, "a"))]).await, None);
    assert_eq!(two.together(5, vec![rig.put(row(2, 2, "b"))]).await, None);
    for (led, number) in [(&mut one, 1), (&mut two, 5)] {
        let standing = led.target.standing(&led.lane).await.expect("a standing");
        assert_eq!(standing.watermark, Some(at(number)));
    }
}

/// Polls once; the answer, if it is there.
async fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => Some(answer),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
