//! Transactions that are staged before their commit.

use super::subject::{
    Subject, adopting, append, at, commit, inserts, lane, part, read_all, transactions, whole,
};
use model::{Append, Changes, Code, Commit, Epoch, Fate, Log, TransactionId};

pub(super) async fn staged_changes_are_seen_only_with_their_commit(subject: &Subject) {
    let log = &*subject.log;
    stage(log, 1, 1, [1, 2]).await;
    assert_eq!(log.bounds(&lane()).await.expect("bounds").last, None);
    stage(log, 1, 1, [3]).await;
    append(log, vec![whole(5, inserts([9]))]).await;
    assert_eq!(transactions(&read_all(log, None, 1 << 20).await), [(at(5), inserts([9]))]);
    append(log, vec![adopting_at(1, 6)]).await;
    assert_eq!(
        transactions(&read_all(log, None, 1 << 20).await),
        [(at(5), inserts([9])), (at(6), inserts([1, 2, 3]))]
    );
}

pub(super) async fn staged_transactions_may_interleave(subject: &Subject) {
    let log = &*subject.log;
    for round in 0..3 {
        stage(log, 1, 1, [round]).await;
        stage(log, 2, 2, [10 + round]).await;
    }
    append(log, vec![adopting(1), whole(3, inserts([20]))]).await;
    append(log, vec![adopting_at(2, 4)]).await;
    assert_eq!(
        transactions(&read_all(log, None, 1).await),
        [(at(1), inserts(0..3)), (at(3), inserts([20])), (at(4), inserts(10..13))]
    );
}

pub(super) async fn a_dropped_sub_transaction_is_left_out(subject: &Subject) {
    let log = &*subject.log;
    stage(log, 1, 1, [1]).await;
    stage(log, 1, 7, [2, 3]).await;
    stage(log, 1, 8, [4]).await;
    stage(log, 1, 7, [5]).await;
    unstage(log, 1, 7).await;
    unstage(log, 1, 99).await;
    stage(log, 1, 1, [6]).await;
    stage(log, 2, 3, [7]).await;
    unstage(log, 2, 3).await;
    append(log, vec![adopting(1), adopting(2)]).await;
    for bytes_max in [1, 1 << 20] {
        assert_eq!(
            transactions(&read_all(log, None, bytes_max).await),
            [(at(1), inserts([1, 4, 6])), (at(2), inserts([]))]
        );
    }
}

pub(super) async fn a_dropped_transaction_is_forgotten(subject: &Subject) {
    let log = &*subject.log;
    stage(log, 1, 1, [1]).await;
    stage(log, 1, 7, [2]).await;
    unstage(log, 1, 1).await;
    unstage(log, 44, 44).await;
    stage(log, 1, 7, [3]).await;
    append(log, vec![adopting(1)]).await;
    assert_eq!(transactions(&read_all(log, None, 1).await), [(at(1), inserts([3]))]);
}

pub(super) async fn a_commit_must_say_truly_where_its_changes_are(subject: &Subject) {
    let log = &*subject.log;
    stage(log, 1, 1, [1]).await;
    for entries in [vec![adopting(2)], vec![whole(1, inserts([1]))]] {
        let fault = log.append(&lane(), entries, Epoch::LIVE).await.expect_err("a contradiction");
        assert_eq!((fault.code, fault.fate), (Code::Broken, Fate::Stop), "{fault}");
    }
    append(log, vec![adopting(1)]).await;
    assert_eq!(transactions(&read_all(log, None, 1).await), [(at(1), inserts([1]))]);
}

/// The commit of a staged transaction, elsewhere than its number says.
fn adopting_at(number: u64, offset: u64) -> Append {
    Append::Commit(Commit { offset: at(offset), ..commit(number) }, Changes::Staged)
}

async fn stage(log: &dyn Log, number: u64, sub: u64, ids: impl IntoIterator<Item = i64>) {
    log.stage(&lane(), part(number, sub, inserts(ids))).await.expect("it can be staged");
}

async fn unstage(log: &dyn Log, number: u64, sub: u64) {
    let (transaction, sub) = (TransactionId(number), TransactionId(sub));
    log.unstage(&lane(), transaction, sub).await.expect("it can be dropped");
}
