//! What folding promises: the outcome of the writes, never their number, stays the same.

use model::{
    Cell, Claim, CopyName, Effect, Incarnation, Key, Offset, Position, Row, Table, Value, Write,
};
use std::collections::BTreeMap;
use std::sync::Arc;

#[test]
fn later_writes_of_a_row_take_the_place_of_earlier_ones() {
    let folded = fold(writes([put_over(1, "a"), put(2, "b"), put_over(1, "c")]));
    assert_eq!(effects(&folded), [put(2, "b"), put_over(1, "c")]);
    assert_eq!(folded[1].version.ordinal, 2, "the version is the last one's");
}

/// AP5: with immediate foreign keys the parent has to be there before its child.
#[test]
fn a_row_made_in_the_batch_stays_before_those_made_after_it() {
    for change in [put(1, "changed"), patch(1, 9)] {
        let folded = fold(writes([put(1, "parent"), put(2, "child"), change]));
        let keys: Vec<_> = folded.iter().flat_map(|write| write.effect.keys()).collect();
        assert_eq!(keys, [&key(1), &key(2)]);
        assert_eq!(folded[0].version.ordinal, 2);
    }
}

#[test]
fn an_unchanged_cell_takes_what_the_same_batch_wrote_before() {
    let folded = fold(writes([put(1, "long"), patch(1, 9)]));
    let row = Row(vec![Cell::from(1), Cell::from(9), Cell::from("long")]);
    assert_eq!(effects(&folded), [Effect::Put { key: key(1), row, new: true }]);
}

#[test]
fn a_row_that_comes_and_goes_is_deleted() {
    assert_eq!(effects(&fold(writes([put(1, "a"), delete(1)]))), [delete(1)]);
}

#[test]
fn a_row_that_goes_and_comes_is_not_called_new() {
    let folded = fold(writes([delete(1), put(1, "a")]));
    assert!(matches!(folded[..], [Write { effect: Effect::Put { new: false, .. }, .. }]));
}

#[test]
fn a_move_of_a_row_written_before_becomes_a_delete_and_a_put() {
    let folded = fold(writes([put(1, "long"), moved(1, 2)]));
    let row = Row(vec![Cell::from(2), Cell::from(0), Cell::from("long")]);
    assert_eq!(effects(&folded), [delete(1), Effect::Put { key: key(2), row, new: false }]);
}

#[test]
fn without_transactions_a_move_is_never_split() {
    let steps = [put(1, "long"), moved(1, 2)];
    for claim in [Claim::Versioned, Claim::Idempotent] {
        assert_eq!(effects(&super::fold(writes(steps.clone()), claim)), steps);
    }
}

#[test]
fn nothing_is_folded_over_a_move_whose_row_is_not_known() {
    let steps = [patch(1, 5), moved(1, 2), put(1, "b"), patch(2, 6)];
    assert_eq!(effects(&fold(writes(steps.clone()))), steps);
}

#[test]
fn a_truncate_takes_away_what_the_batch_wrote_to_its_copy_only() {
    let mut all = writes([put(1, "a"), Effect::Truncate, put(2, "b")]);
    all.insert(0, Write { copy: "other".into(), ..all[0].clone() });
    let folded = fold(all);
    assert_eq!(folded.len(), 3);
    assert_eq!(folded[0].copy, "other".into());
    assert_eq!(effects(&folded[1..]), [Effect::Truncate, put(2, "b")]);
}

/// Every sequence of four effects over two keys, so nothing is left to luck.
#[test]
fn folded_writes_leave_the_same_rows_as_unfolded_ones() {
    let kinds = [
        put(1, "a"),
        put(2, "b"),
        patch(1, 5),
        patch(2, 6),
        delete(1),
        delete(2),
        moved(1, 2),
        moved(2, 1),
        Effect::Truncate,
    ];
    let mut checked = 0;
    for number in 0..kinds.len().pow(4) {
        let steps = [0, 1, 2, 3].map(|place| kinds[number / kinds.len().pow(place) % 9].clone());
        for start in 0..4 {
            let start = BTreeMap::from_iter(
                [(key(1), row(1, "old-1")), (key(2), row(2, "old-2"))]
                    .into_iter()
                    .enumerate()
                    .filter(|(index, _)| start & (1 << index) != 0)
                    .map(|(_, row)| row),
            );
            // Steps that no source could take are passed over: a patch or a move of no row, a
            // move onto a row.
            let Some(expected) = run(&start, &steps) else {
                continue;
            };
            let folded = fold(writes(steps.clone()));
            assert_eq!(run(&start, &effects(&folded)), Some(expected), "{steps:?} on {start:?}");
            checked += 1;
        }
    }
    assert!(checked > 5_000, "only {checked} sequences were possible");
}

fn fold(writes: Vec<Write>) -> Vec<Write> {
    super::fold(writes, Claim::Transactional)
}

fn run(start: &BTreeMap<Key, Row>, effects: &[Effect]) -> Option<BTreeMap<Key, Row>> {
    let mut rows = start.clone();
    for effect in effects {
        match effect.clone() {
            Effect::Put { key, row, .. } => {
                rows.insert(key, row);
            }
            Effect::Patch(key, mut row) => {
                row.fill_unchanged_from(rows.get(&key)?);
                rows.insert(key, row);
            }
            Effect::Move { before, key, mut row } => {
                if rows.contains_key(&key) {
                    return None;
                }
                row.fill_unchanged_from(&rows.remove(&before)?);
                rows.insert(key, row);
            }
            Effect::Delete(key) => {
                rows.remove(&key);
            }
            Effect::Truncate => rows.clear(),
        }
    }
    Some(rows)
}

fn writes(effects: impl IntoIterator<Item = Effect>) -> Vec<Write> {
    let table = Arc::new(Table { name: "t".into(), version: 1, columns: vec![], key: vec![0] });
    let whole = Offset::whole(Incarnation(1), Position::from_number(1));
    let copy = CopyName::from("copy");
    (0..)
        .zip(effects)
        .map(|(ordinal, effect)| Write {
            copy: copy.clone(),
            table: table.clone(),
            version: whole.change(ordinal),
            effect,
        })
        .collect()
}

fn effects(writes: &[Write]) -> Vec<Effect> {
    writes.iter().map(|write| write.effect.clone()).collect()
}

fn put(id: i64, body: &str) -> Effect {
    Effect::Put { key: key(id), row: row(id, body), new: true }
}

fn put_over(id: i64, body: &str) -> Effect {
    Effect::Put { key: key(id), row: row(id, body), new: false }
}

fn patch(id: i64, topic: i64) -> Effect {
    Effect::Patch(key(id), Row(vec![Cell::from(id), Cell::from(topic), Cell::Unchanged]))
}

fn moved(before: i64, id: i64) -> Effect {
    let row = Row(vec![Cell::from(id), Cell::from(0), Cell::Unchanged]);
    Effect::Move { before: key(before), key: key(id), row }
}

fn delete(id: i64) -> Effect {
    Effect::Delete(key(id))
}

fn row(id: i64, body: &str) -> Row {
    Row(vec![Cell::from(id), Cell::from(0), Cell::from(body)])
}

fn key(id: i64) -> Key {
    Key::new([Value::Int(id)])
}
