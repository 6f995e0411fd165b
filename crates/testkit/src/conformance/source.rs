//! The suite of the source port.

use super::rows::{delete, insert, row, row_with_same_body, update};
use async_trait::async_trait;
use model::{
    Change, Commit, Fate, Identity, Incarnation, Key, Offset, Op, Place, Position, Resume, Row,
    Service, Source, Started, Step, Table, TransactionId,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// An implementation to judge: a fresh, empty source, a hand that writes to it, and what it claims.
pub struct Subject {
    /// Opens connections to it.
    pub service: Arc<dyn Service<dyn Source>>,
    /// Writes to it as its users do.
    pub hand: Box<dyn Hand>,
    /// A table as [`super::rows::table`] describes it.
    pub table: Arc<Table>,
    /// Whether it tells which columns kept what they had, instead of repeating them.
    pub tells_unchanged: bool,
    /// What its transactions say.
    pub tells: Tells,
}

/// What a source knows of what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// Each transaction, as it was made.
    EachChange,
    /// What several transactions together have left of the rows that they touched.
    RowsAsTheyAre,
}

/// A user of the source.
#[async_trait]
pub trait Hand: Send + Sync {
    /// Does these changes in one transaction.
    async fn transact(&self, changes: Vec<Change>);
    /// Does these changes and takes them back.
    async fn roll_back(&self, changes: Vec<Change>);
    /// Makes the source forget everything that was not confirmed; false if it never forgets.
    async fn forget_all(&self) -> bool;
}

/// Runs everything that the subject's claims imply, each on a fresh subject.
pub async fn suite(make: impl AsyncFn() -> Subject) {
    transactions_come_whole_in_order_and_once(&make().await).await;
    what_is_rolled_back_never_comes(&make().await).await;
    a_resumed_start_goes_on_right_after_the_place(&make().await).await;
    what_was_not_confirmed_is_not_forgotten(&make().await).await;
    a_key_change_is_one_change_with_two_keys(&make().await).await;
    a_dropped_next_loses_nothing(&make().await).await;
    another_server_is_refused(&make().await).await;
    gone_history_is_lost_not_skipped(&make().await).await;
    the_last_transaction_that_a_reader_has_lets_it_go_on(&make().await).await;
    another_transaction_than_the_last_that_a_reader_has_means_a_lost_history(&make().await).await;
    a_place_behind_the_end_means_a_lost_history(&make().await).await;
    a_mark_brings_a_step_on_an_idle_source(&make().await).await;
    let subject = make().await;
    if subject.tells_unchanged {
        an_unchanged_column_is_said_to_be_unchanged(&subject).await;
    }
}

async fn transactions_come_whole_in_order_and_once(subject: &Subject) {
    let (mut source, _) = fresh(subject).await;
    let first =
        vec![insert(&subject.table, row(1, 7, "a")), insert(&subject.table, row(2, 7, "b"))];
    let second = vec![update(&subject.table, 1, row(1, 8, "c")), delete(&subject.table, 2)];
    let seen = transact_each(subject, source.as_mut(), vec![first.clone(), second.clone()]).await;
    same(subject, &seen[0].1, &first);
    same(subject, &seen[1].1, &second);
    assert!(seen[0].0 < seen[1].0, "positions rise: {seen:?}");
}

async fn what_is_rolled_back_never_comes(subject: &Subject) {
    let (mut source, _) = fresh(subject).await;
    subject.hand.roll_back(vec![insert(&subject.table, row(1, 7, "never"))]).await;
    let kept = vec![insert(&subject.table, row(2, 7, "kept"))];
    subject.hand.transact(kept.clone()).await;
    same(subject, &take(source.as_mut(), 1).await[0].1, &kept);
}

async fn a_resumed_start_goes_on_right_after_the_place(subject: &Subject) {
    let (mut source, begun) = fresh(subject).await;
    let inserts = (1..=3).map(|id| vec![insert(&subject.table, row(id, 7, "a"))]).collect();
    let seen = transact_each(subject, source.as_mut(), inserts).await;
    drop(source);
    let place = Place {
        identity: begun.identity,
        position: seen[0].0.clone(),
        witness: Default::default(),
    };
    let mut source = resumed(subject, &at(&place)).await;
    // Transactions before the place may come again; what counts is that none after it is missing.
    let mut again = take(source.as_mut(), 1).await;
    while again.last().map(|(position, _)| position) < seen.last().map(|(position, _)| position) {
        again.extend(take(source.as_mut(), 1).await);
    }
    again.retain(|(position, _)| *position > place.position);
    same_steps(subject, &again, &seen[1..]);
}

async fn what_was_not_confirmed_is_not_forgotten(subject: &Subject) {
    let (mut source, begun) = fresh(subject).await;
    let inserts = (1..=2).map(|id| vec![insert(&subject.table, row(id, 7, "a"))]).collect();
    let seen = transact_each(subject, source.as_mut(), inserts).await;
    source.confirm(&seen[0].0);
    drop(source);
    let place = Place {
        identity: begun.identity,
        position: seen[0].0.clone(),
        witness: Default::default(),
    };
    let mut source = resumed(subject, &at(&place)).await;
    let mut next = take(source.as_mut(), 1).await;
    while next[0].0 <= seen[0].0 {
        next = take(source.as_mut(), 1).await;
    }
    same_steps(subject, &next, &seen[1..]);
}

async fn a_key_change_is_one_change_with_two_keys(subject: &Subject) {
    let (mut source, _) = fresh(subject).await;
    let made = vec![insert(&subject.table, row(1, 7, "a"))];
    let moved = vec![update(&subject.table, 1, row(2, 7, "b"))];
    let seen = transact_each(subject, source.as_mut(), vec![made, moved.clone()]).await;
    same(subject, &seen[1].1, &moved);
}

async fn an_unchanged_column_is_said_to_be_unchanged(subject: &Subject) {
    let (mut source, _) = fresh(subject).await;
    subject.hand.transact(vec![insert(&subject.table, row(1, 7, "long"))]).await;
    subject.hand.transact(vec![update(&subject.table, 1, row_with_same_body(1, 8))]).await;
    let seen = take(source.as_mut(), 2).await;
    let Op::Update { row, .. } = &seen[1].1[0].op else { panic!("an update: {seen:?}") };
    assert_eq!(*row, row_with_same_body(1, 8));
}

async fn a_dropped_next_loses_nothing(subject: &Subject) {
    let (mut source, _) = fresh(subject).await;
    let change = vec![insert(&subject.table, row(1, 7, "a"))];
    for _ in 0..5 {
        let dropped = tokio::time::timeout(Duration::from_millis(1), source.next());
        // At most what time it is there.
        let is_nothing = matches!(dropped.await, Err(_) | Ok(Ok(Step::Progress { .. })));
        assert!(is_nothing, "nothing was written yet");
    }
    subject.hand.transact(change.clone()).await;
    same(subject, &take(source.as_mut(), 1).await[0].1, &change);
}

async fn another_server_is_refused(subject: &Subject) {
    let (source, begun) = fresh(subject).await;
    drop(source);
    let mut source = subject.service.connect().await.expect("a connection");
    let place = Place { identity: Identity::from("another server"), ..begun };
    match source.start(Some(&at(&place))).await {
        Err(fault) => assert_eq!(fault.fate, Fate::Lost, "{fault}"),
        Ok(started) => assert!(matches!(started, Started::Lost { .. }), "{started:?}"),
    }
}

async fn gone_history_is_lost_not_skipped(subject: &Subject) {
    let (source, begun) = fresh(subject).await;
    subject.hand.transact(vec![insert(&subject.table, row(1, 7, "a"))]).await;
    drop(source);
    if !subject.hand.forget_all().await {
        return;
    }
    let mut source = subject.service.connect().await.expect("a connection");
    match source.start(Some(&at(&begun))).await {
        Err(fault) => assert_eq!(fault.fate, Fate::Lost, "{fault}"),
        Ok(started) => assert!(matches!(started, Started::Lost { .. }), "{started:?}"),
    }
}

async fn the_last_transaction_that_a_reader_has_lets_it_go_on(subject: &Subject) {
    let (resume, _) = after_one(subject).await;
    let later = vec![insert(&subject.table, row(2, 7, "b"))];
    subject.hand.transact(later.clone()).await;
    let mut source = resumed(subject, &resume).await;
    let mut next = take(source.as_mut(), 1).await;
    while next[0].0 <= resume.place.position {
        next = take(source.as_mut(), 1).await;
    }
    same(subject, &next[0].1, &later);
}

async fn another_transaction_than_the_last_that_a_reader_has_means_a_lost_history(
    subject: &Subject,
) {
    let (resume, last) = after_one(subject).await;
    let others = [
        Commit { transaction: TransactionId(last.transaction.0 + 1), ..last.clone() },
        Commit { committed_at: last.committed_at - 1, ..last },
    ];
    for other in others {
        lost(subject, &Resume { last: Some(other), ..resume.clone() }).await;
    }
}

async fn a_place_behind_the_end_means_a_lost_history(subject: &Subject) {
    let (resume, _) = after_one(subject).await;
    let mut beyond = resume.place.position.as_bytes().to_vec();
    *beyond.first_mut().expect("a position has bytes") = 0x7f;
    let place = Place { position: Position::new(beyond), ..resume.place.clone() };
    lost(subject, &Resume { place, ..resume }).await;
}

async fn a_mark_brings_a_step_on_an_idle_source(subject: &Subject) {
    let (mut source, _) = fresh(subject).await;
    subject.hand.transact(vec![insert(&subject.table, row(1, 7, "a"))]).await;
    let seen = take(source.as_mut(), 1).await;
    source.mark();
    let progress = async {
        loop {
            match source.next().await.expect("a step") {
                Step::Progress { position, .. } if position > seen[0].0 => break,
                Step::Progress { .. } => {}
                other => panic!("nobody wrote anything: {other:?}"),
            }
        }
    };
    tokio::time::timeout(MARK_TIME, progress).await.expect("a step comes");
}

/// How long a source may take to come to a marker.
const MARK_TIME: Duration = Duration::from_secs(30);

/// Reads one transaction, and where to go on behind it.
async fn after_one(subject: &Subject) -> (Resume, Commit) {
    let (mut source, begun) = fresh(subject).await;
    subject.hand.transact(vec![insert(&subject.table, row(1, 7, "a"))]).await;
    loop {
        let step = source.next().await.expect("a step");
        if let Step::Commit { transaction, position, committed_at } = step {
            let offset = Offset::whole(Incarnation(1), position.clone());
            let last = Commit { offset, transaction, committed_at };
            let place = Place { identity: begun.identity, position, witness: Default::default() };
            return (Resume { place, last: Some(last.clone()) }, last);
        }
    }
}

/// Starts where the history is another one. It may be found only while what is not confirmed comes
/// again; nothing new comes then, and the next start says it.
async fn lost(subject: &Subject, resume: &Resume) {
    let mut source = subject.service.connect().await.expect("a connection");
    let mut started = source.start(Some(resume)).await.expect("an answer");
    if started == Started::Resumed {
        loop {
            match source.next().await {
                Ok(Step::Commit { position, .. } | Step::Progress { position, .. }) => {
                    assert!(position <= resume.place.position, "it is of another history");
                }
                Ok(Step::Part { .. } | Step::Abort { .. }) => {}
                Err(_) => break,
            }
        }
        drop(source);
        source = subject.service.connect().await.expect("a connection");
        started = source.start(Some(resume)).await.expect("an answer");
    }
    assert!(matches!(started, Started::Lost { same_history: false, .. }), "{started:?}");
}

/// After a place, with no transaction at hand.
fn at(place: &Place) -> Resume {
    Resume { place: place.clone(), last: None }
}

async fn fresh(subject: &Subject) -> (Box<dyn Source>, Place) {
    let mut source = subject.service.connect().await.expect("a connection");
    match source.start(None).await.expect("a start") {
        Started::Fresh(place) => (source, place),
        other => panic!("a first start is fresh: {other:?}"),
    }
}

async fn resumed(subject: &Subject, resume: &Resume) -> Box<dyn Source> {
    let mut source = subject.service.connect().await.expect("a connection");
    assert_eq!(source.start(Some(resume)).await.expect("a start"), Started::Resumed);
    source
}

/// Does these transactions, and reads each before the next, so that no two of them are joined.
async fn transact_each(
    subject: &Subject,
    source: &mut dyn Source,
    transactions: Vec<Vec<Change>>,
) -> Vec<(Position, Vec<Change>)> {
    let mut seen = Vec::new();
    if subject.tells == Tells::EachChange {
        let count = transactions.len();
        for changes in transactions {
            subject.hand.transact(changes).await;
        }
        return take(source, count).await;
    }
    for changes in transactions {
        subject.hand.transact(changes).await;
        seen.extend(take(source, 1).await);
    }
    seen
}

/// What was seen is what was done, as far as the source tells it.
fn same(subject: &Subject, seen: &[Change], done: &[Change]) {
    match subject.tells {
        Tells::EachChange => assert_eq!(seen, done),
        Tells::RowsAsTheyAre => assert_eq!(left_by(seen), left_by(done)),
    }
}

/// What was seen is what was seen before, the same transactions or several as one.
fn same_steps(
    subject: &Subject,
    seen: &[(Position, Vec<Change>)],
    before: &[(Position, Vec<Change>)],
) {
    if subject.tells == Tells::EachChange {
        return assert_eq!(seen, before);
    }
    let all = |steps: &[(Position, Vec<Change>)]| -> Vec<Change> {
        steps.iter().flat_map(|(_, changes)| changes.clone()).collect()
    };
    same(subject, &all(seen), &all(before));
    // What is read again may stand at a later place.
    assert!(seen.last().map(|(at, _)| at) >= before.last().map(|(at, _)| at));
}

/// What changes leave of the rows that they touch.
fn left_by(changes: &[Change]) -> BTreeMap<Key, Option<Row>> {
    let mut left = BTreeMap::new();
    for change in changes {
        let (first, second) = change.keys();
        left.extend(first.into_iter().chain(second).map(|key| (key, None)));
        if let Op::Insert(row) | Op::Update { row, .. } = &change.op {
            left.insert(change.table.key_of(row).expect("a key"), Some(row.clone()));
        }
    }
    left
}

/// The next so many transactions, with their changes.
async fn take(source: &mut dyn Source, count: usize) -> Vec<(Position, Vec<Change>)> {
    let mut open: BTreeMap<TransactionId, Vec<(TransactionId, Change)>> = BTreeMap::new();
    let mut taken = Vec::new();
    while taken.len() < count {
        match source.next().await.expect("a step") {
            Step::Part { transaction, sub, changes } => {
                let changes = changes.into_iter().map(|change| (sub, change));
                open.entry(transaction).or_default().extend(changes);
            }
            Step::Commit { transaction, position, .. } => {
                let changes = open.remove(&transaction).unwrap_or_default();
                taken.push((position, changes.into_iter().map(|(_, change)| change).collect()));
            }
            Step::Abort { transaction, sub } if transaction == sub => {
                open.remove(&transaction);
            }
            Step::Abort { transaction, sub } => {
                open.entry(transaction).or_default().retain(|(of, _)| *of != sub);
            }
            Step::Progress { .. } => {}
        }
    }
    taken
}
