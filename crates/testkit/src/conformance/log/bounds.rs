//! What a log may drop, what it must keep, and how much it takes.

use super::subject::{
    Subject, adopting, append, at, commit, inserts, lane, part, progress, read_all, transactions,
    whole,
};
use model::{Append, Code, Commit, Epoch, Fate, Log, Offset, Placed, Read};

/// A round of appends in the tests that trim; large enough to fill several files.
const TRANSACTIONS: u64 = 60;

pub(super) async fn trimming_drops_nothing_above_its_offset(subject: &Subject) {
    let log = &*subject.log;
    fill(log, 1..=TRANSACTIONS).await;
    for upto in [1, 7, 30, TRANSACTIONS - 1, TRANSACTIONS] {
        log.trim(&lane(), &at(upto)).await.expect("it can be trimmed");
        let bounds = log.bounds(&lane()).await.expect("bounds");
        assert!(bounds.trimmed <= Some(at(upto)), "{bounds:?} after a trim to {upto}");
        assert_eq!(bounds.last, Some(at(TRANSACTIONS)));
        let seen = transactions(&read_all(log, Some(&at(upto)), 1 << 20).await);
        let expected: Vec<_> = (upto + 1..=TRANSACTIONS).map(expected).collect();
        assert_eq!(seen, expected, "after a trim to {upto}");
    }
    fill(log, TRANSACTIONS + 1..=TRANSACTIONS + 3).await;
    let seen = transactions(&read_all(log, Some(&at(TRANSACTIONS)), 1).await);
    assert_eq!(seen.len(), 3);
}

pub(super) async fn what_is_gone_is_said_to_be_gone(subject: &Subject) {
    let log = &*subject.log;
    fill(log, 1..=TRANSACTIONS).await;
    log.trim(&lane(), &at(TRANSACTIONS)).await.expect("it can be trimmed");
    let bounds = log.bounds(&lane()).await.expect("bounds");
    let trimmed = bounds.trimmed.expect("most of what may be dropped is dropped");
    let inside = trimmed.change(0);
    for after in [None, Some(&at(1)), Some(&inside)] {
        let read = log.read(&lane(), after, 1 << 20).await.expect("it answers");
        assert_eq!(read, Read::Gone { trimmed: trimmed.clone() }, "{after:?}");
    }
}

pub(super) async fn the_last_transaction_is_known_after_it_was_trimmed(subject: Subject) {
    let Subject { mut log, reopen, claims } = subject;
    for round in 0..3 {
        let first = round * 200;
        fill(&*log, first + 1..=first + TRANSACTIONS).await;
        let mut number = first + TRANSACTIONS;
        assert_eq!(last_commit(&*log).await, Some(commit(number)));
        if round > 0 {
            number += 1;
            log.stage(&lane(), part(number, number, inserts([1]))).await.expect("staged");
            append(&*log, vec![adopting(number)]).await;
        }
        let placed = Placed::gap(Offset { epoch: Epoch(1), ordinal: 0, ..at(number) });
        append(&*log, vec![Append::Placed(placed), Append::Progress(progress(number + 1))]).await;
        assert_eq!(last_commit(&*log).await, Some(commit(number)), "the rest is no transaction");
        log.trim(&lane(), &at(number + 1)).await.expect("it can be trimmed");
        for _ in 0..2 {
            assert_eq!(last_commit(&*log).await, Some(commit(number)));
            if claims.survives_reopen {
                drop(log);
                log = reopen();
            }
        }
    }
}

async fn last_commit(log: &dyn Log) -> Option<Commit> {
    log.bounds(&lane()).await.expect("bounds").last_commit
}

pub(super) async fn what_was_appended_survives_reopening(subject: Subject) {
    let Subject { mut log, reopen, .. } = subject;
    fill(&*log, 1..=20).await;
    let mut offset = at(20);
    for number in 21..=24 {
        log.stage(&lane(), part(number, number, inserts([1, 2]))).await.expect("staged");
        log.stage(&lane(), part(number, 99, inserts([3]))).await.expect("staged");
        log.unstage(&lane(), model::TransactionId(number), model::TransactionId(99))
            .await
            .expect("dropped");
        log.append(&lane(), vec![adopting(number)], Epoch(number)).await.expect("adopted");
        let before = log.bounds(&lane()).await.expect("bounds");
        let entries = read_all(&*log, None, 700).await;
        drop(log);
        log = reopen();
        assert_eq!(log.bounds(&lane()).await.expect("bounds"), before);
        assert_eq!(read_all(&*log, None, 700).await, entries);
        offset = before.last.expect("there is a last entry");
    }
    let old = log.append(&lane(), vec![whole(25, inserts([1]))], Epoch(23)).await;
    assert_eq!(old.expect_err("an older epoch").code, Code::Superseded);
    let same = log.append(&lane(), vec![whole(24, inserts([1]))], Epoch(24)).await;
    assert_eq!(same.expect_err("not above the last").code, Code::OutOfOrder);
    log.append(&lane(), vec![whole(25, inserts([7]))], Epoch(24)).await.expect("it follows");
    let seen = transactions(&read_all(&*log, Some(&offset), 1).await);
    assert_eq!(seen, [(at(25), inserts([7]))]);
}

pub(super) async fn what_was_staged_is_forgotten_at_reopening(subject: Subject) {
    let Subject { mut log, reopen, .. } = subject;
    fill(&*log, 1..=2).await;
    log.stage(&lane(), part(3, 3, inserts([1]))).await.expect("staged");
    drop(log);
    log = reopen();
    let fault = log.append(&lane(), vec![adopting(3)], Epoch::LIVE).await.expect_err("forgotten");
    assert_eq!(fault.code, Code::Broken);
    log.stage(&lane(), part(3, 3, inserts([2]))).await.expect("staged again");
    append(&*log, vec![adopting(3)]).await;
    assert_eq!(transactions(&read_all(&*log, Some(&at(2)), 1).await), [(at(3), inserts([2]))]);
}

pub(super) async fn a_full_log_refuses_input_and_recovers_by_trimming(subject: &Subject) {
    let log = &*subject.log;
    let mut number = 0;
    for _ in 0..3 {
        let begun = number;
        let fault = loop {
            let entries = vec![whole(number + 1, inserts(0..100))];
            match log.append(&lane(), entries, Epoch::LIVE).await {
                Ok(()) => number += 1,
                Err(fault) => break fault,
            }
            assert!(number < begun + 10_000, "it never gets full");
        };
        assert_eq!((fault.code, fault.fate), (Code::JournalFull, Fate::Retry), "{fault}");
        assert!(number > begun, "there was room after the trim");
        // What it has is still read, and what was refused is not there.
        let after = (begun > 0).then(|| at(begun));
        let seen = transactions(&read_all(log, after.as_ref(), 1 << 20).await);
        assert_eq!(seen.len() as u64, number - begun);
        log.trim(&lane(), &at(number)).await.expect("a full log can be trimmed");
    }
}

/// Appends transactions of a few changes, one by one.
async fn fill(log: &dyn Log, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        let (_, changes) = expected(number);
        append(log, vec![whole(number, changes)]).await;
    }
}

fn expected(number: u64) -> (Offset, Vec<model::Change>) {
    let first = i64::try_from(number).expect("small");
    (at(number), inserts(first..first + 20))
}
