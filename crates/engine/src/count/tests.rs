//! What counts promise (P4), one way at a time in which such numbers go wrong elsewhere.

mod definitions;
mod history;
mod rig;

use super::{Folds, Group, Known, Memory, Tally};
use model::{Cell, Code, Decimal, Epoch, Offset, Op, Row, Value};
use rig::{
    Rig, at, by_topic, change, count, delete, insert, key, question, questions, truncate, update,
};
use std::collections::BTreeMap;

const NULL: Cell = Cell::Value(Value::Null);

// CN1
#[test]
fn what_is_delivered_again_counts_once() {
    let mut rig = Rig::new(vec![by_topic()]);
    let changes = [
        insert(1, question(1, "a", false)),
        update(2, 1, question(1, "b", false)),
        insert(3, question(2, "b", false)),
        delete(4, 2),
        truncate(5),
        insert(6, question(3, "b", false)),
    ];
    rig.take(&changes);
    for first in 0..changes.len() {
        for end in first + 1..=changes.len() {
            let outcome = rig.take(&changes[first..end]);
            assert!(outcome.deltas.is_empty() && outcome.emptied.is_empty());
            assert_eq!((rig.number("a"), rig.number("b")), (0, 1));
        }
    }
}

// CN1
#[test]
fn a_memo_passes_over_what_it_has_seen_even_without_a_known_offset() {
    let mut rig = Rig::new(vec![by_topic()]);
    let again = insert(1, question(1, "a", false));
    rig.take(&[again.clone(), update(2, 1, question(2, "b", false))]);
    rig.forget_through();
    assert!(rig.take(&[update(2, 1, question(2, "b", false))]).deltas.is_empty());
    assert!(rig.take(&[insert(2, question(2, "b", false))]).deltas.is_empty());
    assert!(rig.take(&[delete(2, 2)]).deltas.is_empty());
    assert_eq!((rig.number("a"), rig.number("b")), (0, 1));
}

// CN1
#[test]
fn what_comes_twice_in_one_batch_counts_once() {
    let mut rig = Rig::new(vec![by_topic()]);
    let (one, gone) = (insert(1, question(1, "a", false)), delete(2, 1));
    let (all, new) = (truncate(3), insert(4, question(2, "a", false)));
    let outcome = rig.take(&[
        one.clone(),
        one.clone(),
        gone.clone(),
        one.clone(),
        gone.clone(),
        all.clone(),
        one,
        gone,
        new.clone(),
        all,
        new,
    ]);
    assert_eq!(outcome.emptied.len(), 1);
    assert_eq!(rig.number("a"), 1);
}

// CN2
#[test]
fn an_older_change_never_replaces_a_newer_one() {
    let mut rig = Rig::new(vec![by_topic()]);
    rig.take(&[insert(5, question(1, "new", false)), update(4, 1, question(1, "old", false))]);
    rig.forget_through();
    rig.take(&[update(3, 1, question(1, "older", false))]);
    rig.forget_through();
    rig.take(&[delete(2, 1)]);
    assert_eq!(rig.number("new"), 1);
    assert_eq!(rig.tallies[0].groups().len(), 1);
}

// CN3
#[test]
fn a_row_that_moves_to_another_group_leaves_its_old_one() {
    let mut rig = Rig::new(vec![by_topic()]);
    rig.take(&[insert(1, question(1, "a", false))]);
    rig.take(&[update(2, 1, question(1, "b", false))]);
    assert_eq!((rig.number("a"), rig.number("b")), (0, 1));
    let outcome =
        rig.take(&[update(3, 1, question(1, "c", false)), update(4, 1, question(1, "b", false))]);
    let deltas = outcome.deltas.values().flat_map(BTreeMap::values);
    assert!(deltas.into_iter().all(|delta| *delta == 0), "there and back is nothing");
    assert_eq!((rig.number("b"), rig.number("c")), (1, 0));
}

// CN3
#[test]
fn unchanged_cells_are_what_row_memory_says() {
    let mut rig = Rig::new(vec![by_topic()]);
    rig.take(&[insert(1, question(1, "a", false))]);
    rig.take(&[update(2, 1, question(1, Cell::Unchanged, true))]);
    assert_eq!(rig.number("a"), 0);
    rig.take(&[
        update(3, 1, question(1, Cell::Unchanged, false)),
        update(4, 1, question(1, Cell::Unchanged, Cell::Unchanged)),
    ]);
    assert_eq!(rig.number("a"), 1);
    assert_eq!(rig.memos[&"questions".into()][&key(1)].offset, at(4));
}

// CN3
#[test]
fn a_key_change_takes_the_memo_along() {
    let mut rig = Rig::new(vec![by_topic()]);
    rig.take(&[insert(1, question(1, "a", false)), insert(2, question(3, "c", false))]);
    rig.take(&[update(3, 1, question(2, Cell::Unchanged, false))]);
    assert_eq!(rig.number("a"), 1);
    rig.take(&[update(4, 2, question(3, Cell::Unchanged, false))]);
    assert_eq!((rig.number("a"), rig.number("c")), (1, 0), "what stood at the new key is gone");
    rig.take(&[delete(5, 1), delete(6, 2)]);
    assert_eq!(rig.number("a"), 1, "the old keys mean nothing any more");
    rig.take(&[delete(7, 3)]);
    assert!(rig.tallies[0].groups().is_empty() && rig.memos[&"questions".into()].is_empty());
}

// CN3
#[test]
fn a_row_that_is_not_known_is_asked_for_and_counts_nothing() {
    let mut rig = Rig::new(vec![by_topic()]);
    let outcome = rig.take(&[
        update(1, 1, question(1, Cell::Unchanged, false)),
        update(2, 2, question(3, Cell::Unchanged, false)),
    ]);
    let asked: Vec<_> = outcome.unknown[&"questions".into()].iter().collect();
    assert_eq!(asked, [&key(1), &key(3)]);
    assert!(outcome.deltas.is_empty() && outcome.memos.is_empty());
    let placed = Offset { epoch: Epoch(1), ..at(2) };
    let outcome = rig.take(&[(placed, change(Op::Insert(question(1, "a", false))))]);
    assert!(outcome.unknown.is_empty());
    assert_eq!(rig.number("a"), 1);
}

// CN3
#[test]
fn a_row_that_becomes_known_or_goes_in_the_same_batch_is_not_asked_for() {
    let partial = |number, before, id| update(number, before, question(id, Cell::Unchanged, false));
    let asked = |second| {
        let mut rig = Rig::new(vec![by_topic()]);
        let outcome = rig.take(&[partial(1, 1, 1), second]);
        outcome.unknown.into_values().flatten().collect::<Vec<_>>()
    };
    assert_eq!(asked(partial(2, 1, 1)), [key(1)]);
    assert_eq!(asked(partial(2, 1, 2)), [key(2)], "it is asked for where it is now");
    assert_eq!(asked(update(2, 1, question(1, "a", false))), []);
    assert_eq!(asked(update(2, 1, question(2, "a", false))), []);
    assert_eq!(asked(insert(2, question(1, "a", false))), []);
    assert_eq!(asked(delete(2, 1)), []);
    assert_eq!(asked(truncate(2)), []);
}

// CN3
#[test]
fn a_new_row_never_takes_cells_of_the_row_before_it() {
    let mut rig = Rig::new(vec![by_topic()]);
    rig.take(&[insert(1, question(1, "a", false))]);
    let outcome = rig.take(&[insert(2, question(1, Cell::Unchanged, false))]);
    assert_eq!((rig.number("a"), outcome.unknown.len()), (0, 1));
}

// CN4
#[test]
fn deleting_a_row_that_is_not_known_changes_nothing() {
    let mut rig = Rig::new(vec![by_topic()]);
    rig.take(&[insert(1, question(1, "a", false))]);
    let outcome = rig.take(&[delete(2, 7)]);
    assert!(outcome.deltas.is_empty() && outcome.memos.is_empty());
    assert_eq!(rig.number("a"), 1);
}

// CN5
#[test]
fn a_filled_row_and_its_live_changes_count_once() {
    let mut rig = Rig::new(vec![by_topic()]);
    let placed = |number, id, topic: &str| {
        let offset = Offset { epoch: Epoch(3), ordinal: 0, ..at(number) };
        (offset, change(Op::Insert(question(id, topic, false))))
    };
    rig.take(&[update(1, 1, question(1, "live", false))]);
    rig.take(&[placed(1, 1, "filled"), placed(1, 2, "filled")]);
    assert_eq!((rig.number("live"), rig.number("filled")), (0, 2));
    rig.take(&[update(2, 1, question(1, "live", false))]);
    rig.forget_through();
    rig.take(&[placed(1, 1, "filled"), placed(1, 2, "filled")]);
    assert_eq!((rig.number("live"), rig.number("filled")), (1, 1), "the fill came again, too late");
}

// CN6
#[test]
fn soft_deletes_and_filter_flips_move_the_number_both_ways() {
    let mut rig = Rig::new(vec![by_topic()]);
    rig.take(&[insert(1, question(1, "a", false)), insert(2, question(2, "a", true))]);
    let flips = [(1, true, 0), (1, true, 0), (2, false, 1), (1, false, 2), (2, true, 1)];
    for (number, (id, deleted, left)) in (3..).zip(flips) {
        rig.take(&[update(number, id, question(id, Cell::Unchanged, deleted))]);
        assert_eq!(rig.number("a"), left);
    }
    rig.take(&[update(9, 1, question(1, "a", NULL))]);
    assert_eq!(rig.number("a"), 0, "what is unknown does not count");
}

// CN6
#[test]
fn null_is_a_group_and_a_missing_field_is_in_it() {
    let mut rig = Rig::new(vec![by_topic()]);
    rig.take(&[
        insert(1, question(1, NULL, false)),
        insert(2, question(2, Cell::Missing, false)),
        insert(3, question(3, "", false)),
    ]);
    assert_eq!((rig.number(Value::Null), rig.number("")), (2, 1));
    rig.take(&[update(4, 2, question(2, "a", false))]);
    assert_eq!((rig.number(Value::Null), rig.number("a")), (1, 1));
}

// CN7
#[test]
fn a_truncate_ends_everything_before_it_and_nothing_after() {
    let mut rig = Rig::new(vec![by_topic(), count("all", &[], "")]);
    rig.take(&[insert(1, question(1, "a", false)), insert(2, question(2, "a", false))]);
    let outcome = rig.take(&[
        update(3, 1, question(1, "b", false)),
        insert(4, question(3, "a", false)),
        truncate(5),
        insert(6, question(1, "c", false)),
        update(7, 2, question(2, Cell::Unchanged, false)),
        delete(8, 3),
    ]);
    assert_eq!(rig.tallies[0].groups(), &BTreeMap::from([(Group::new(["c"]), 1)]));
    assert_eq!(rig.tallies[1].groups(), &BTreeMap::from([(Group::new([0_i64; 0]), 1)]));
    assert_eq!(outcome.zeroed.len(), 2);
    assert_eq!(outcome.emptied, BTreeMap::from([("questions".into(), at(5))]));
    let asked: Vec<_> = outcome.unknown.into_values().flatten().collect();
    assert_eq!(asked, [key(2)], "what was remembered before the truncate is not the row after it");
    let memos: Vec<_> = rig.memos[&"questions".into()].keys().collect();
    assert_eq!(memos, [&key(1)]);
}

// CN8
#[test]
fn a_number_below_zero_is_a_fault_and_changes_nothing() {
    let group = |topic: &str| Group::new([topic]);
    let mut tally = Tally::new("questions".into(), 10);
    tally.add(&BTreeMap::from([(group("a"), 2), (group("b"), 1)])).unwrap();
    let before = tally.clone();
    let fault = tally.add(&BTreeMap::from([(group("a"), 5), (group("b"), -2)])).unwrap_err();
    assert_eq!(fault.code, Code::CountWrong);
    assert_eq!(
        fault.to_string(),
        "E-COUNT-WRONG: count questions, group ('b'): would be -1, and a count is never negative"
    );
    assert_eq!(tally, before);
    assert!(tally.add(&BTreeMap::from([(group("new"), -1)])).is_err());
    tally.add(&BTreeMap::from([(group("b"), -1)])).unwrap();
    assert_eq!((tally.of(&group("b")), tally.groups().len()), (0, 1), "zero is no group");
}

// CN8
#[test]
fn a_number_beyond_64_bits_is_a_fault_and_changes_nothing() {
    let group = Group::new([Value::Null]);
    let most = BTreeMap::from([(group.clone(), i64::MAX)]);
    let mut tally = Tally::new("questions".into(), 10);
    tally.add(&most).unwrap();
    let fault = tally.add(&BTreeMap::from([(group.clone(), 1)])).unwrap_err();
    assert_eq!(fault.code, Code::CountWrong);
    assert_eq!(tally.of(&group), i64::MAX);
    let mut other = Tally::new("questions".into(), 10);
    other.add(&BTreeMap::from([(group.clone(), 1)])).unwrap();
    assert!(Tally::sum_of("questions".into(), [&tally, &other]).is_err());
    let sum = Tally::sum_of("questions".into(), [&other, &other]).unwrap();
    assert_eq!(sum.of(&group), 2);
}

#[test]
fn groups_are_found_by_the_values_that_each_column_may_have() {
    let group = |one: Value, two: &str| Group::new([one, Value::from(two)]);
    let groups = [
        (group(Value::Int(7), "a"), 1),
        (group(Value::Int(7), "b"), 2),
        (group(Value::from("7"), "a"), 4),
        (group(Value::Int(70), "a"), 8),
    ];
    let mut tally = Tally::new("questions".into(), 10);
    tally.add(&groups.clone().into()).unwrap();
    let sum = |columns: &[Vec<Value>]| tally.fitting(columns).values().sum::<i64>();
    let seven = vec![Value::Int(7), Value::from("7"), Value::from(7.0)];
    assert_eq!(sum(&[seven.clone(), vec!["a".into()]]), 5);
    assert_eq!(sum(&[seven.clone(), vec!["a".into(), "b".into(), "b".into()]]), 7);
    assert_eq!(sum(&[seven, vec!["c".into()]]), 0);
    let many: Vec<_> = (0..100).map(Value::Int).collect();
    assert_eq!(sum(&[many.clone(), many.clone()]), 0);
    assert_eq!(tally.fitting(&[many, vec!["a".into()]]).len(), 2);
    let mut one = Tally::new("all".into(), 10);
    assert_eq!(one.fitting(&[]).len(), 0);
    one.add(&[(Group::new(Vec::<Value>::new()), 3)].into()).unwrap();
    assert_eq!(one.fitting(&[]).values().sum::<i64>(), 3);
}

// CN8
#[test]
fn too_many_groups_are_a_fault_that_names_the_limit() {
    let mut tally = Tally::new("questions".into(), 2);
    let groups = |range: std::ops::Range<i64>, by| {
        range.map(|id| (Group::new([id]), by)).collect::<BTreeMap<_, _>>()
    };
    tally.add(&groups(0..2, 1)).unwrap();
    let mut exchanged = groups(0..1, -1);
    exchanged.extend(groups(2..3, 1));
    tally.add(&exchanged).unwrap();
    let fault = tally.add(&groups(5..6, 1)).unwrap_err();
    assert_eq!(fault.code, Code::CountGroups);
    assert!(fault.what.contains("3 groups are more than groups_max (2)"), "{fault}");
    assert_eq!(tally.groups().len(), 2);
}

// CN9
#[test]
fn a_repaired_row_moves_its_count_like_any_other() {
    let mut rig = Rig::new(vec![by_topic()]);
    rig.take(&[insert(1, question(1, "wrong", false)), insert(2, question(2, "extra", false))]);
    let offset = Offset { epoch: Epoch(1), ordinal: 0, ..at(2) };
    rig.take(&[
        (offset.clone(), change(Op::Insert(question(1, "right", false)))),
        (offset, change(Op::Delete(key(2)))),
    ]);
    assert_eq!(rig.tallies[0].groups(), &BTreeMap::from([(Group::new(["right"]), 1)]));
}

// CN10
#[test]
fn decimals_of_one_value_are_one_group() {
    let mut rig = Rig::new(vec![count("by_weight", &["weight"], "")]);
    let weighed = |number, id, weight: &str| {
        let weight = Cell::Value(Value::Decimal(weight.parse().unwrap()));
        insert(number, Row(vec![Cell::from(id), NULL, NULL, weight]))
    };
    rig.take(&[
        weighed(1, 1, "1.50"),
        weighed(2, 2, "1.5"),
        weighed(3, 3, "-0.0"),
        weighed(4, 4, "0"),
    ]);
    let half: Decimal = "1.5".parse().unwrap();
    assert_eq!(rig.number(Value::Decimal(half)), 2);
    assert_eq!(rig.number(Value::Decimal(Decimal::from(0))), 2);
}

// CN11
#[test]
fn texts_are_groups_byte_by_byte_exactly_as_stored() {
    let mut rig = Rig::new(vec![by_topic()]);
    let topics = ["a", "A", "a ", "\u{e9}", "e\u{301}", ""];
    for (number, topic) in (1..).zip(topics) {
        let id = i64::try_from(number).unwrap();
        rig.take(&[insert(number, question(id, topic, false))]);
    }
    assert_eq!(rig.tallies[0].groups().len(), topics.len());
    assert!(topics.into_iter().all(|topic| rig.number(topic) == 1));
}

// CN13
#[test]
fn numbers_after_any_batch_are_those_of_its_last_offset() {
    let changes = [
        insert(1, question(1, "a", false)),
        insert(2, question(2, "a", false)),
        update(3, 1, question(1, "b", false)),
        delete(4, 2),
    ];
    let expected = [(1, 0), (2, 0), (1, 1), (0, 1)];
    for end in 1..=changes.len() {
        let mut rig = Rig::new(vec![by_topic()]);
        rig.take(&changes[..end]);
        assert_eq!((rig.number("a"), rig.number("b")), expected[end - 1]);
    }
}

#[test]
fn a_change_that_does_not_fit_its_table_is_a_broken_promise() {
    let rig = Rig::new(vec![by_topic()]);
    let short = Row(vec![Cell::from(1_i64)]);
    let keyless = question(1, "a", false).0.into_iter().skip(1).chain([NULL]);
    let mut keyless: Vec<_> = keyless.collect();
    keyless[0] = Cell::Missing;
    for row in [short, Row(keyless)] {
        assert_eq!(rig.outcome_of(&[insert(1, row)]).unwrap_err().code, Code::Broken);
    }
    let folds = Folds::new(&[by_topic()], &questions(2)).unwrap();
    let (offset, change) = insert(1, question(1, "a", false));
    let mut outcome = super::Outcome::default();
    let fault = super::fold(&folds, &Memory::default(), &change, &offset, &mut outcome);
    assert_eq!(fault.unwrap_err().code, Code::Broken);
}

#[test]
fn a_removed_memo_says_which_change_removed_it() {
    let mut rig = Rig::new(vec![by_topic()]);
    rig.take(&[insert(1, question(1, "a", false))]);
    let outcome = rig.take(&[delete(2, 1)]);
    let known = &outcome.memos[&"questions".into()][&key(1)];
    assert_eq!((known, known.offset()), (&Known::Gone(at(2)), &at(2)));
}

#[cfg(feature = "attack")]
mod planted {
    use super::*;
    use model::attack::{Bug, plant};

    #[test]
    fn a_count_from_old_images_never_moves_a_group() {
        let mut rig = Rig::new(vec![by_topic()]);
        rig.take(&[insert(1, question(1, "a", false))]);
        plant(Some(Bug::CountFromOldImage));
        rig.take(&[update(2, 1, question(1, "b", false))]);
        plant(None);
        assert_eq!((rig.number("a"), rig.number("b")), (1, 0));
    }

    #[test]
    fn dropped_unchanged_cells_end_in_the_group_of_null() {
        let mut rig = Rig::new(vec![by_topic()]);
        rig.take(&[insert(1, question(1, "a", false))]);
        plant(Some(Bug::UnchangedDropped));
        rig.take(&[update(2, 1, question(1, Cell::Unchanged, false))]);
        plant(None);
        assert_eq!((rig.number("a"), rig.number(Value::Null)), (0, 1));
    }
}
