//! What the desk promises to those who leave wishes on it.

use super::*;
use crate::ask::Reading;
use model::inspect::Sees;
use model::{Placement, Position, Purpose, Stretch, Table, Value};
use std::collections::{BTreeMap, BTreeSet};

#[tokio::test(start_paused = true)]
async fn a_held_key_comes_up_after_a_pause_that_doubles_each_time() {
    let (desk, limits) = (Desk::default(), Limits::default());
    desk.lead(&target(), Epoch(1), None);
    desk.want_key(&target(), &"t".into(), &key(1), &limits);
    let mut pause = limits.hold_retry_first;
    for _ in 0..4 {
        let asked = Instant::now();
        let ask = answered(&desk, &limits).await;
        assert_eq!(asked.elapsed(), pause);
        desk.settled(&ask, &limits);
        pause *= 2;
    }
}

#[tokio::test(start_paused = true)]
async fn a_released_key_comes_up_no_more() {
    let (desk, limits) = (Desk::default(), Limits::default());
    desk.lead(&target(), Epoch(1), None);
    desk.want_key(&target(), &"t".into(), &key(1), &limits);
    desk.release_key(&target(), &"t".into(), &key(1));
    assert!(next(&desk, &limits).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_pass_is_read_stretch_by_stretch_to_its_end() {
    let (desk, limits) = (Desk::default(), Limits::default());
    pass(&desk, None);
    read(&desk, &limits, Some(5)).await;
    read(&desk, &limits, Some(9)).await;
    read(&desk, &limits, None).await;
    assert!(next(&desk, &limits).await.is_none(), "it has come to its end");
}

#[tokio::test(start_paused = true)]
async fn a_pass_goes_on_from_where_the_target_stands() {
    let (desk, limits) = (Desk::default(), Limits::default());
    pass(&desk, Some(7));
    let Some(Errand::Stretch { wish, .. }) = next(&desk, &limits).await else {
        panic!("a stretch")
    };
    assert_eq!(wish.upto, Some(key(7)));
}

#[tokio::test(start_paused = true)]
async fn no_more_readings_are_asked_for_than_allowed() {
    let (desk, limits) = (Desk::default(), Limits { asks_max: 2, ..Limits::default() });
    pass(&desk, None);
    let first = read(&desk, &limits, Some(5)).await;
    read(&desk, &limits, Some(6)).await;
    assert!(next(&desk, &limits).await.is_none());
    desk.settled(&first, &limits);
    assert!(next(&desk, &limits).await.is_some());
}

/// What a slow target has still to take lies in the log.
#[tokio::test(start_paused = true)]
async fn a_pass_is_read_no_farther_than_its_target_follows() {
    let limits = Limits { stretches_ahead_max: 2, ..Limits::default() };
    let desk = Desk::default();
    pass(&desk, None);
    for upto in [5, 9] {
        let ask = read(&desk, &limits, Some(upto)).await;
        desk.settled(&ask, &limits);
    }
    assert!(next(&desk, &limits).await.is_none());
    want_pass(&desk, "copy", wish(Some(4)));
    assert!(next(&desk, &limits).await.is_none(), "it has taken neither");
    want_pass(&desk, "copy", wish(Some(5)));
    let Some(Errand::Stretch { wish, .. }) = next(&desk, &limits).await else {
        panic!("a stretch")
    };
    assert_eq!(wish.upto, Some(key(9)));
}

/// What the target will never see is not waited for.
#[tokio::test(start_paused = true)]
async fn a_pass_waits_for_no_stretch_that_is_read_again() {
    let limits = Limits { stretches_ahead_max: 2, ..Limits::default() };
    let desk = Desk::default();
    pass(&desk, None);
    let [first, second] = [5, 9].map(Some);
    let first = read(&desk, &limits, first).await;
    read(&desk, &limits, second).await;
    assert!(next(&desk, &limits).await.is_none());
    desk.dropped(&first, &limits);
    assert!(next(&desk, &limits).await.is_some(), "dropped");
    desk.begin_anew(None);
    read(&desk, &limits, Some(5)).await;
    read(&desk, &limits, Some(9)).await;
    desk.begin_anew(None);
    assert!(next(&desk, &limits).await.is_some(), "capture has begun anew");
    desk.begin_anew(None);
    read(&desk, &limits, Some(5)).await;
    read(&desk, &limits, Some(9)).await;
    let again = PassWish { began: at(2), ..wish(None) };
    want_pass(&desk, "copy", again);
    assert!(next(&desk, &limits).await.is_some(), "the pass has begun anew");
    desk.withdraw(&target());
    pass(&desk, None);
    assert!(next(&desk, &limits).await.is_some(), "led anew");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_stretch_and_those_behind_it_are_read_again() {
    let (desk, limits) = (Desk::default(), Limits::default());
    pass(&desk, None);
    let placed = read(&desk, &limits, Some(5)).await;
    desk.settled(&placed, &limits);
    let dropped = read(&desk, &limits, Some(6)).await;
    let behind = read(&desk, &limits, Some(7)).await;
    desk.dropped(&dropped, &limits);
    desk.dropped(&behind, &limits);
    let Some(Errand::Stretch { wish, .. }) = next(&desk, &limits).await else {
        panic!("a stretch")
    };
    assert_eq!(wish.upto, Some(key(5)));
}

/// One that was on its way while those before it were dropped.
#[tokio::test(start_paused = true)]
async fn a_stretch_placed_behind_a_dropped_one_moves_no_place() {
    let (desk, limits) = (Desk::default(), Limits::default());
    pass(&desk, None);
    let dropped = read(&desk, &limits, Some(6)).await;
    let behind = read(&desk, &limits, Some(7)).await;
    desk.dropped(&dropped, &limits);
    desk.settled(&behind, &limits);
    desk.begin_anew(None);
    let Some(Errand::Stretch { wish, .. }) = next(&desk, &limits).await else {
        panic!("a stretch")
    };
    assert_eq!(wish.upto, None, "the target has taken neither");
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_before_capture_began_anew_does_not_count() {
    let (desk, limits) = (Desk::default(), Limits::default());
    pass(&desk, None);
    let Some(errand) = next(&desk, &limits).await else { panic!("an errand") };
    let ticket = desk.ticket();
    desk.begin_anew(None);
    desk.answer(answer_to(errand, ticket, None));
    assert!(desk.take_answers().0.is_empty());
    assert_eq!(desk.oldest_ticket(), None);
    assert!(next(&desk, &limits).await.is_some(), "it is asked for again");
}

#[tokio::test(start_paused = true)]
async fn a_pass_begun_again_makes_what_was_read_for_it_unwanted() {
    let (desk, limits) = (Desk::default(), Limits::default());
    pass(&desk, None);
    let ask = read(&desk, &limits, Some(5)).await;
    assert!(desk.is_wanted(&ask));
    let wish = PassWish { began: at(2), ..wish(None) };
    want_pass(&desk, "copy", wish);
    assert!(!desk.is_wanted(&ask));
    assert!(next(&desk, &limits).await.is_some());
}

/// What was asked for under an earlier lead may be placed below what the target has by now.
#[tokio::test(start_paused = true)]
async fn what_was_asked_for_under_an_earlier_lead_is_not_wanted() {
    let (desk, limits) = (Desk::default(), Limits::default());
    pass(&desk, None);
    let ask = read(&desk, &limits, Some(5)).await;
    desk.withdraw(&target());
    assert!(!desk.is_wanted(&ask));
    desk.lead(&target(), Epoch(2), Some(&at(9)));
    want_pass(&desk, "copy", wish(None));
    assert!(!desk.is_wanted(&ask));
}

#[test]
fn whoever_leads_places_above_all_that_the_target_has() {
    let desk = Desk::default();
    desk.lead(&target(), Epoch(3), Some(&Offset { epoch: Epoch(9), ordinal: 0, ..at(1) }));
    assert!(desk.epoch() > Epoch(9));
    desk.lead(&"other".into(), Epoch(20), None);
    assert!(desk.epoch() > Epoch(20));
}

#[tokio::test(start_paused = true)]
async fn a_failed_errand_comes_again() {
    let (desk, limits) = (Desk::default(), Limits { asks_max: 1, ..Limits::default() });
    desk.want_look();
    let look = next(&desk, &limits).await.expect("an errand");
    desk.failed(look, Duration::ZERO);
    assert!(matches!(next(&desk, &limits).await, Some(Errand::Look)));
    pass(&desk, None);
    desk.want_key(&target(), &"t".into(), &key(1), &limits);
    for _ in 0..3 {
        let errand = desk.errand(&limits).await;
        desk.failed(errand, Duration::ZERO);
    }
}

/// P9: what can not be read holds up nothing else.
#[tokio::test(start_paused = true)]
async fn a_failed_stretch_lets_others_go_first() {
    let (desk, limits) = (Desk::default(), Limits::default());
    pass(&desk, None);
    want_pass(&desk, "next", wish(None));
    let mut copies = BTreeSet::new();
    for _ in 0..2 {
        let errand = next(&desk, &limits).await.expect("an errand");
        let Errand::Stretch { copy, .. } = &errand else { panic!("a stretch") };
        copies.insert(copy.clone());
        desk.failed(errand, Duration::ZERO);
    }
    assert_eq!(copies.len(), 2);
}

/// Rows that refer to others would be refused one by one until these are there.
#[tokio::test(start_paused = true)]
async fn a_pass_over_rows_that_refer_to_others_comes_behind_theirs() {
    let (desk, limits) = (Desk::default(), Limits::default());
    pass(&desk, None);
    let behind = |copy: &str| PassWish { behind: [copy.into()].into(), ..wish(None) };
    want_pass(&desk, "a", behind("copy"));
    let copy_of = |errand| match errand {
        Some(Errand::Stretch { copy, .. }) => Some(copy.as_str().to_owned()),
        _ => None,
    };
    for _ in 0..2 {
        let errand = next(&desk, &limits).await.expect("an errand");
        let Errand::Stretch { copy, .. } = &errand else { panic!("a stretch") };
        assert_eq!(copy.as_str(), "copy");
        desk.failed(errand, Duration::ZERO);
    }
    // Whoever waits for an errand already is told.
    let first = next(&desk, &limits).await.expect("an errand");
    desk.failed(first, Duration::from_secs(100));
    let waiting = tokio::spawn({
        let (desk, limits) = (desk.clone(), limits.clone());
        async move { copy_of(next(&desk, &limits).await) }
    });
    tokio::task::yield_now().await;
    pass_done(&desk, "copy");
    assert_eq!(waiting.await.unwrap().as_deref(), Some("a"));
    // It is enough that the other one stands in the log.
    want_pass(&desk, "copy", wish(None));
    want_pass(&desk, "d", behind("copy"));
    let all = read(&desk, &limits, None).await;
    assert!(next(&desk, &limits).await.is_none(), "it is read, and not placed yet");
    desk.settled(&all, &limits);
    assert_eq!(copy_of(next(&desk, &limits).await).as_deref(), Some("d"));
    pass_done(&desk, "copy");
    pass_done(&desk, "d");
    // Those of a circle wait for none.
    want_pass(&desk, "b", behind("c"));
    want_pass(&desk, "c", behind("b"));
    pass_done(&desk, "a");
    assert!(copy_of(next(&desk, &limits).await).is_some());
}

/// A reader that is waiting gets to see all of them.
#[tokio::test(start_paused = true)]
async fn of_passes_that_begin_together_the_one_that_others_wait_for_is_read_first() {
    let (desk, limits) = (Desk::default(), Limits::default());
    desk.lead(&target(), Epoch(1), None);
    let waiting = tokio::spawn({
        let (desk, limits) = (desk.clone(), limits.clone());
        async move { desk.errand(&limits).await }
    });
    tokio::task::yield_now().await;
    let behind = PassWish { behind: ["b".into()].into(), ..wish(None) };
    let both = vec![("a".into(), Some(behind)), ("b".into(), Some(wish(None)))];
    desk.want_passes(&target(), both);
    let Errand::Stretch { copy, .. } = waiting.await.unwrap() else { panic!("a stretch") };
    assert_eq!(copy.as_str(), "b");
}

fn want_pass(desk: &Desk, copy: &str, wish: PassWish) {
    desk.want_passes(&target(), vec![(copy.into(), Some(wish))]);
}

fn pass_done(desk: &Desk, copy: &str) {
    desk.want_passes(&target(), vec![(copy.into(), None)]);
}

/// The next errand, if one comes within no time.
async fn next(desk: &Desk, limits: &Limits) -> Option<Errand> {
    let soon = Duration::from_millis(999);
    tokio::time::timeout(soon, desk.errand(limits)).await.ok()
}

/// Reads the next keys.
async fn answered(desk: &Desk, limits: &Limits) -> Ask {
    let errand = desk.errand(limits).await;
    take(desk, errand, None)
}

/// Reads the next stretch up to here.
async fn read(desk: &Desk, limits: &Limits, upto: Option<i64>) -> Ask {
    let errand = next(desk, limits).await.expect("an errand");
    take(desk, errand, upto)
}

fn take(desk: &Desk, errand: Errand, upto: Option<i64>) -> Ask {
    let ticket = desk.ticket();
    desk.answer(answer_to(errand, ticket, upto));
    let (mut answers, _) = desk.take_answers();
    desk.close([ticket]);
    let Some(Answer::First(ask, _)) = answers.pop() else { panic!("an answer") };
    *ask
}

fn answer_to(errand: Errand, ticket: u64, upto: Option<i64>) -> Answer {
    let (reached, rows) = (Position::from_number(1), BTreeMap::new());
    let placement = Placement { sees: Sees::Upto(reached.clone()), reached };
    let reading = Reading { ticket, placement, rows };
    let table = Table { name: "t".into(), version: 1, columns: vec![], key: vec![0] };
    let table = Arc::new(table);
    let (target, wanted, behind) = match errand {
        Errand::Keys { target, keys, behind, .. } => (target, Wanted::Keys(keys), behind),
        Errand::Stretch { target, copy, wish, behind } => {
            let (after, upto) = (wish.upto, upto.map(key));
            let stretch = Stretch { copy, began: wish.began, after, upto, source_is_empty: false };
            (target, Wanted::Stretch(stretch, BTreeMap::new()), behind)
        }
        Errand::Look | Errand::SentBack(_) => panic!("no ask"),
    };
    Answer::First(Box::new(Ask { target, purpose: Purpose::Fill, table, wanted, behind }), reading)
}

fn pass(desk: &Desk, upto: Option<i64>) {
    desk.lead(&target(), Epoch(1), Some(&at(1)));
    want_pass(desk, "copy", wish(upto));
}

fn wish(upto: Option<i64>) -> PassWish {
    let (purpose, began, upto) = (Purpose::Fill, at(1), upto.map(key));
    PassWish { table: "t".into(), purpose, began, upto, inspect: None, behind: BTreeSet::new() }
}

fn at(number: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(number))
}

fn key(id: i64) -> Key {
    Key::new([Value::Int(id)])
}

fn target() -> TargetName {
    "group".into()
}
