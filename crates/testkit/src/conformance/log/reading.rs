//! How a reader gets on.

use super::subject::{
    Subject, adopting, append, at, commit, inserts, lane, part, progress, read_all, read_some,
    transactions, whole,
};
use model::{Append, CommittedPart, Entry, Log};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

pub(super) async fn a_transaction_without_changes_is_read(subject: &Subject) {
    append(&*subject.log, vec![whole(1, Vec::new()), whole(2, inserts([1]))]).await;
    let part = |number, changes| {
        Entry::Part(CommittedPart { commit: commit(number), first: 0, changes, last: true })
    };
    assert_eq!(
        read_all(&*subject.log, None, 1 << 20).await,
        [part(1, Vec::new()), part(2, inserts([1]))]
    );
}

pub(super) async fn a_large_transaction_is_read_in_parts(subject: &Subject) {
    let log = &*subject.log;
    two_large_ones(log).await;
    for bytes_max in [1, 300, 5_000, usize::MAX] {
        let entries = read_all(log, None, bytes_max).await;
        assert_eq!(
            transactions(&entries),
            [(at(1), inserts(0..200)), (at(2), inserts(200..400))],
            "{bytes_max}"
        );
        let parts = entries.iter().filter(|entry| matches!(entry, Entry::Part(_))).count();
        assert!(bytes_max > 300 || parts >= 20, "{parts} parts for {bytes_max} bytes each");
    }
}

pub(super) async fn a_reader_may_go_on_after_any_change(subject: &Subject) {
    let log = &*subject.log;
    two_large_ones(log).await;
    for (number, first) in [(1, 0), (2, 200)] {
        for ordinal in [0, 1, 57, 198, 199] {
            let after = at(number).change(ordinal);
            let mut entries = read_some(log, Some(&after), 1 << 20).await.expect("it can be read");
            let Entry::Part(part) = entries.remove(0) else { panic!("it begins with the rest") };
            let begin = i64::try_from(ordinal).expect("small") + 1;
            let count = i64::try_from(part.changes.len()).expect("small");
            assert_eq!((part.first, &part.commit), (ordinal + 1, &commit(number)));
            assert_eq!(part.changes, inserts(first + begin..first + begin + count));
            assert_eq!(part.last, part.changes.len() as u64 == 199 - ordinal);
        }
    }
}

pub(super) async fn a_reader_waits_for_what_is_to_come(subject: &Subject) {
    append(&*subject.log, vec![whole(1, inserts([1]))]).await;
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let log = Arc::clone(&subject.log);
            tokio::spawn(async move { read_some(&*log, Some(&at(1)), 1 << 20).await })
        })
        .collect();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(readers.iter().all(|reader| !reader.is_finished()), "there is nothing to read yet");
    append(&*subject.log, vec![Append::Progress(progress(2))]).await;
    for reader in readers {
        let entries = reader.await.expect("no reader fails").expect("it can be read");
        assert_eq!(entries, [Entry::Progress(progress(2))]);
    }
}

pub(super) async fn a_dropped_read_loses_nothing(subject: &Subject) {
    let log = &*subject.log;
    two_large_ones(log).await;
    let (mut after, mut seen) = (None, Vec::new());
    while after != Some(at(2)) {
        {
            let lane = lane();
            let mut read = pin!(log.read(&lane, after.as_ref(), 700));
            poll_fn(|context| Poll::Ready(read.as_mut().poll(context).is_ready())).await;
        }
        let entries = read_some(log, after.as_ref(), 700).await.expect("it can be read");
        after = entries.last().map(Entry::end);
        seen.extend(entries);
    }
    assert_eq!(transactions(&seen), [(at(1), inserts(0..200)), (at(2), inserts(200..400))]);
}

/// Two transactions of 200 changes, one of them staged in parts of seven.
async fn two_large_ones(log: &dyn Log) {
    append(log, vec![whole(1, inserts(0..200))]).await;
    for first in (200..400).step_by(7) {
        let changes = inserts(first..(first + 7).min(400));
        log.stage(&lane(), part(2, 2, changes)).await.expect("it can be staged");
    }
    append(log, vec![adopting(2)]).await;
}
