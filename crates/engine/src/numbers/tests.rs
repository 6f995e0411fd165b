//! What may be told of the numbers, and where it is true.

use super::*;
use model::{Incarnation, Position, Value};

#[test]
fn nothing_is_told_before_it_is_filled_and_has_come_to_where_the_log_ended() {
    let numbers = numbers(10);
    assert_eq!(of(&numbers, 1), Err(Untold::Replaying));
    numbers.opened(&at(3), &at(1), &at(5));
    numbers.complete(&at(1));
    numbers.filled(&all());
    assert_eq!(of(&numbers, 1), Err(Untold::Replaying));
    numbers.take(&adds(&[(1, 2)]), &all(), &at(5), 0);
    assert_eq!(of(&numbers, 1), Ok(2));
    numbers.filled(&BTreeSet::new());
    assert_eq!(of(&numbers, 1), Err(Untold::Filling));
    assert_eq!(numbers.of(&"none".into(), &group(1)), Err(Untold::Unknown));
}

#[test]
fn a_number_comes_with_the_place_where_it_is_true() {
    let numbers = open(10);
    numbers.take(&adds(&[(1, 2)]), &all(), &at(7), 70);
    numbers.take(&adds(&[]), &all(), &at(8), 60);
    let told = numbers.of(&name(), &group(1)).expect("told");
    assert_eq!((told.value, told.position, told.as_of), (2, at(8), 70));
}

/// P3: the numbers of half a transaction are no numbers.
#[test]
fn what_comes_of_half_a_transaction_is_not_told() {
    let numbers = open(10);
    numbers.take(&adds(&[(1, 2)]), &all(), &at(7), 0);
    let kept = numbers.take(&adds(&[(1, 1)]), &all(), &at(8).change(4), 0);
    assert_eq!(kept[&name()], [(group(1), 3)].into(), "it is kept all the same");
    assert_eq!(numbers.of(&name(), &group(1)).expect("told").position, at(7));
    assert_eq!(of(&numbers, 1), Ok(2));
    numbers.take(&adds(&[(1, 1)]), &all(), &at(8), 0);
    assert_eq!(of(&numbers, 1), Ok(4));
}

#[test]
fn a_group_changed_in_the_first_half_of_a_transaction_is_a_change_after_it_too() {
    let numbers = open(10);
    numbers.take(&adds(&[(1, 2)]), &all(), &at(7), 0);
    numbers.take(&adds(&[(2, 1)]), &all(), &at(8).change(4), 0);
    numbers.take(&adds(&[]), &all(), &at(8), 0);
    let changed = changes_over([&numbers], &name(), |_| Some(at(7))).expect("told");
    assert_eq!((changed.groups, changed.anew), ([(group(2), 1)].into(), false));
}

#[test]
fn a_number_that_cannot_be_stops_its_count_and_no_other() {
    let counts = ["count", "other"].map(count);
    let numbers = Numbers::new(&"lane".into(), &counts, 10);
    numbers.opened(&at(3), &at(1), &at(3));
    numbers.complete(&at(1));
    numbers.filled(&all());
    let mut outcome = adds(&[(1, -1)]);
    outcome.deltas.insert("other".into(), [(group(1), 5)].into());
    let kept = numbers.take(&outcome, &all(), &at(4), 0);
    assert!(!kept.contains_key(&name()));
    assert!(matches!(of(&numbers, 1), Err(Untold::Stopped(_))));
    assert_eq!(numbers.of(&"other".into(), &group(1)).expect("told").value, 5);
    assert_eq!(numbers.stopped().keys().cloned().collect::<Vec<_>>(), [name()]);
}

#[test]
fn a_text_that_can_be_several_values_means_all_of_them_once() {
    let numbers = open(10);
    let mut outcome = adds(&[(7, 2), (8, 4)]);
    outcome.deltas.get_mut(&name()).expect("it adds").insert(Group::new([Value::from("7")]), 1);
    numbers.take(&outcome, &all(), &at(7), 0);
    let sum = |values: &[Value]| numbers.sum(&name(), &[values.to_vec()]).expect("told").value;
    let seven = [Value::Int(7), Value::from("7"), Value::from(7.0)];
    assert_eq!((sum(&seven), sum(&[Value::Int(7), Value::Int(7)]), sum(&[])), (3, 2, 0));
    assert_eq!(numbers.first_fitting(&name(), &[seven.to_vec()]), Some(group(7)));
    assert_eq!(numbers.first_fitting(&name(), &[vec![Value::Int(9)]]), None);
}

/// P10: groups come and go for ever, such as days, and do not stay behind as zeros.
#[test]
fn groups_that_are_zero_are_forgotten_and_who_has_not_heard_of_it_is_told_all_anew() {
    let numbers = open(100_000);
    let many = 2 * i64::try_from(ZEROS_MAX).expect("a small number");
    let lane = std::slice::from_ref(&numbers);
    let mut kept = BTreeSet::new();
    for day in 0..many {
        let offset = at(10 + 2 * day.unsigned_abs());
        kept.insert(group(day));
        let deltas = [(day, 1), (day - 1, -1)];
        let deltas = if day > 0 { &deltas[..] } else { &deltas[..1] };
        numbers.take(&adds(deltas), &all(), &offset, 0);
        let place = numbers.place(&name()).expect("told").position;
        if let Some(Forgotten { groups, upto }) = numbers.forget_zeros() {
            assert!(upto < place, "what is new is kept");
            for (_, group) in groups {
                assert!(kept.remove(&group), "{group} is forgotten once");
            }
            let missed = |_: &Lane| Some(at(10));
            let told = changes_over(lane, &name(), missed).expect("told");
            assert_eq!((told.groups, told.anew), ([(group(day), 1)].into(), true));
            let told = changes_over(lane, &name(), |_| Some(upto.clone())).expect("told");
            assert!(!told.anew && told.groups.len() > ZEROS_MAX / 3, "{told:?}");
        }
        assert!(kept.len() <= ZEROS_MAX + 2, "{}", kept.len());
    }
    assert_eq!(of(&numbers, many - 1), Ok(1));
    assert_eq!(of(&numbers, 0), Ok(0));
}

#[test]
fn only_what_changed_after_a_place_is_a_change() {
    let numbers = open(10);
    numbers.take(&adds(&[(1, 2), (2, 2)]), &all(), &at(7), 0);
    numbers.take(&adds(&[(2, -2), (3, 1)]), &all(), &at(8), 0);
    let changed = changes_over([&numbers], &name(), |_| Some(at(7))).expect("told");
    assert_eq!(changed.groups, [(group(2), 0), (group(3), 1)].into());
    assert_eq!(changed.at, [("lane".into(), at(8))].into());
    let all = changes_over([&numbers], &name(), |_| None).expect("told");
    assert_eq!((all.groups, all.anew), ([(group(1), 2), (group(3), 1)].into(), true));
}

#[test]
fn what_changed_before_state_began_is_told_anew() {
    let numbers = numbers(10);
    numbers.opened(&at(5), &at(5), &at(5));
    numbers.complete(&at(5));
    numbers.filled(&all());
    let changed = changes_over([&numbers], &name(), |_| Some(at(4))).expect("told");
    assert!(changed.anew);
}

#[test]
fn a_group_that_changed_in_one_lane_is_summed_over_all() {
    let other = Numbers::new(&"other".into(), &[count("count")], 10);
    other.opened(&at(3), &at(1), &at(3));
    other.complete(&at(1));
    other.filled(&all());
    other.take(&adds(&[(1, 40)]), &all(), &at(4), 0);
    let one = open(10);
    one.take(&adds(&[(1, 2)]), &all(), &at(4), 0);
    let after = |lane: &Lane| Some(if lane.as_str() == "other" { at(4) } else { at(3) });
    let changed = changes_over([&one, &other], &name(), after).expect("told");
    assert_eq!((changed.groups, changed.at.len()), ([(group(1), 42)].into(), 2));
}

#[test]
fn changes_of_several_lanes_are_as_of_the_time_that_all_of_them_have_reached() {
    let [one, other] = ["lane", "other"].map(|lane| {
        let numbers = Numbers::new(&lane.into(), &[count("count")], 10);
        numbers.opened(&at(3), &at(1), &at(3));
        numbers.complete(&at(1));
        numbers.filled(&all());
        numbers
    });
    let as_of = || changes_over([&one, &other], &name(), |_| None).expect("told").as_of;
    one.take(&adds(&[(1, 2)]), &all(), &at(4), 50);
    assert_eq!(as_of(), None, "the other source has not told its time");
    other.take(&adds(&[(1, 2)]), &all(), &at(4), 40);
    assert_eq!(as_of(), Some(40));
}

#[test]
fn a_source_that_has_nothing_more_tells_its_time_to_numbers_that_go_as_far() {
    let (numbers, board) = (open(10), Board::new());
    let as_of = || numbers.place(&name()).expect("told").as_of;
    numbers.hear(&board);
    assert_eq!(as_of(), 0, "nothing was heard");
    board.capture().idle(&at(4), 70);
    numbers.hear(&board);
    assert_eq!(as_of(), 0, "the numbers do not go as far");
    numbers.take(&adds(&[]), &all(), &at(4), 60);
    numbers.hear(&board);
    assert_eq!(as_of(), 70);
}

#[test]
fn more_groups_than_allowed_stop_a_count() {
    let numbers = open(1);
    numbers.take(&adds(&[(1, 1), (2, 1)]), &all(), &at(4), 0);
    assert!(matches!(of(&numbers, 1), Err(Untold::Stopped(_))));
}

fn numbers(groups_max: usize) -> Numbers {
    Numbers::new(&"lane".into(), &[count("count")], groups_max)
}

/// State that stands at 3 and may be told.
fn open(groups_max: usize) -> Numbers {
    let numbers = numbers(groups_max);
    numbers.opened(&at(3), &at(1), &at(3));
    numbers.complete(&at(1));
    numbers.filled(&all());
    numbers
}

fn of(numbers: &Numbers, id: i64) -> Result<i64, Untold> {
    numbers.of(&name(), &group(id)).map(|told| told.value)
}

fn adds(deltas: &[(i64, i64)]) -> Outcome {
    let deltas = deltas.iter().map(|(id, delta)| (group(*id), *delta)).collect();
    Outcome { deltas: [(name(), deltas)].into(), ..Outcome::default() }
}

fn count(name: &str) -> Count {
    Count { name: name.into(), of: "t".into(), by: vec!["topic".into()], condition: None }
}

fn name() -> CountName {
    "count".into()
}

fn group(id: i64) -> Group {
    Group::new([Value::Int(id)])
}

fn at(number: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(number))
}

/// Every table, since all of its rows are known.
fn all() -> BTreeSet<TableName> {
    [TableName::from("t")].into()
}
