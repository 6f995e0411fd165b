//! What an append does, and what it refuses.

use super::subject::{
    Subject, append, at, commit, inserts, lane, progress, read_all, transactions, whole,
};
use model::{
    Append, Bounds, Code, CommittedPart, Entry, Epoch, Fate, Lane, Offset, Placed, Purpose,
};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

pub(super) async fn an_unknown_lane_is_empty(subject: &Subject) {
    let bounds = subject.log.bounds(&lane()).await.expect("bounds");
    assert_eq!(bounds, Bounds::default());
}

pub(super) async fn what_was_appended_is_read_in_order(subject: &Subject) {
    let log = &*subject.log;
    let placed = Placed {
        offset: Offset { epoch: Epoch(1), ordinal: 0, ..at(2) },
        targets: vec!["copy".into()],
        purpose: Purpose::Fill,
        stretch: None,
        changes: inserts([9]),
    };
    let entries = vec![
        Append::Progress(progress(1)),
        whole(2, inserts([1, 2])),
        Append::Placed(placed.clone()),
    ];
    append(log, entries).await;
    append(log, vec![whole(3, inserts([3]))]).await;
    let part = |number, changes| {
        Entry::Part(CommittedPart { commit: commit(number), first: 0, changes, last: true })
    };
    let expected = [
        Entry::Progress(progress(1)),
        part(2, inserts([1, 2])),
        Entry::Placed(placed),
        part(3, inserts([3])),
    ];
    assert_eq!(read_all(log, None, 1 << 20).await, expected);
    assert_eq!(read_all(log, None, 1).await.last(), expected.last());
    assert_eq!(read_all(log, Some(&at(1)), 1 << 20).await, expected[1..]);
    let bounds = log.bounds(&lane()).await.expect("bounds");
    assert_eq!((bounds.trimmed, bounds.last), (None, Some(at(3))));
    assert_eq!(bounds.epoch, Some(Epoch::LIVE));
    assert!(bounds.bytes > 0);
}

pub(super) async fn lanes_are_apart(subject: &Subject) {
    let log = &*subject.log;
    let other = Lane::from("lane/ONE");
    append(log, vec![whole(5, inserts([1]))]).await;
    log.append(&other, vec![whole(2, inserts([2]))], Epoch(3)).await.expect("another lane");
    assert_eq!(log.bounds(&lane()).await.expect("bounds").last, Some(at(5)));
    assert_eq!(log.bounds(&other).await.expect("bounds").last, Some(at(2)));
    append(log, vec![whole(6, inserts([3]))]).await;
    assert_eq!(transactions(&read_all(log, Some(&at(5)), 1).await), [(at(6), inserts([3]))]);
}

pub(super) async fn an_offset_that_does_not_rise_is_refused(subject: &Subject) {
    let log = &*subject.log;
    append(log, vec![whole(5, inserts([1]))]).await;
    let before = log.bounds(&lane()).await.expect("bounds");
    for entries in [
        vec![whole(5, inserts([2]))],
        vec![whole(4, inserts([2]))],
        vec![Append::Progress(progress(5))],
        vec![whole(7, inserts([2])), whole(6, inserts([3]))],
        vec![whole(7, inserts([2])), whole(7, inserts([3]))],
    ] {
        let fault = log.append(&lane(), entries, Epoch::LIVE).await.expect_err("it does not rise");
        assert_eq!((fault.code, fault.fate), (Code::OutOfOrder, Fate::Stop), "{fault}");
    }
    assert_eq!(log.bounds(&lane()).await.expect("bounds"), before);
    append(log, vec![whole(6, inserts([2]))]).await;
}

pub(super) async fn an_older_epoch_is_refused(subject: &Subject) {
    let log = &*subject.log;
    log.append(&lane(), vec![whole(1, inserts([1]))], Epoch(4)).await.expect("the first");
    log.append(&lane(), vec![whole(2, inserts([2]))], Epoch(4)).await.expect("the same");
    log.append(&lane(), Vec::new(), Epoch(6)).await.expect("a higher one, to announce itself");
    for epoch in [Epoch::LIVE, Epoch(4), Epoch(5)] {
        let entries = vec![whole(3, inserts([3]))];
        let fault = log.append(&lane(), entries, epoch).await.expect_err("an older epoch");
        assert_eq!((fault.code, fault.fate), (Code::Superseded, Fate::Stop), "{fault}");
    }
    let bounds = log.bounds(&lane()).await.expect("bounds");
    assert_eq!((bounds.last, bounds.epoch), (Some(at(2)), Some(Epoch(6))));
}

pub(super) async fn a_refused_append_leaves_nothing(subject: &Subject) {
    let log = &*subject.log;
    append(log, vec![whole(1, inserts([1]))]).await;
    let entries = vec![whole(2, inserts([2])), whole(1, inserts([3]))];
    log.append(&lane(), entries, Epoch(9)).await.expect_err("the second does not rise");
    let bounds = log.bounds(&lane()).await.expect("bounds");
    assert_eq!((bounds.last, bounds.epoch), (Some(at(1)), Some(Epoch::LIVE)));
    assert_eq!(transactions(&read_all(log, None, 1).await), [(at(1), inserts([1]))]);
}

pub(super) async fn appends_of_many_tasks_all_arrive(subject: &Subject) {
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let log = Arc::clone(&subject.log);
            let lane = Lane::from(format!("lane {task}").as_str());
            tokio::spawn(async move {
                for number in 1..=20 {
                    let entries = vec![whole(number, inserts([task]))];
                    log.append(&lane, entries, Epoch::LIVE).await.expect("its own lane");
                }
                assert_eq!(log.bounds(&lane).await.expect("bounds").last, Some(at(20)));
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no task fails");
    }
}

pub(super) async fn a_dropped_append_is_there_or_can_be_made_again(subject: &Subject) {
    let log = &*subject.log;
    for number in 1..=10 {
        let entries = || vec![whole(number, inserts([1, 2]))];
        {
            // Polled some times, then dropped wherever it stands.
            let lane = lane();
            let mut append = pin!(log.append(&lane, entries(), Epoch::LIVE));
            for _ in 0..number % 4 {
                let done = poll_fn(|context| Poll::Ready(append.as_mut().poll(context).is_ready()));
                if done.await {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        if log.bounds(&lane()).await.expect("bounds").last != Some(at(number)) {
            append(log, entries()).await;
        }
    }
    let seen = transactions(&read_all(log, None, 1 << 20).await);
    let expected: Vec<_> = (1..=10).map(|number| (at(number), inserts([1, 2]))).collect();
    assert_eq!(seen, expected);
}
