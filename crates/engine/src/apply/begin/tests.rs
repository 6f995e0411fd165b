//! What has to begin before a group can follow the log.

use super::*;
use crate::catalog::History;
use crate::group::{Copy, WhenFull};
use async_trait::async_trait;
use bytes::Bytes;
use model::{Code, Fault, Hold, Incarnation, Position, Service, Target};
use std::sync::Arc;

#[test]
fn a_group_that_stands_nowhere_is_filled_from_the_end_of_the_log() {
    let begun = beginning(&group(), &Standing::default(), &extent());
    let begun = begun.expect("passes begin");
    assert_eq!(begun.watermark, at(1, 9));
    assert_eq!(begun.passes, [("a".into(), fill(9)), ("b".into(), fill(9))]);
}

#[test]
fn a_group_within_the_history_follows_as_it_stands() {
    for passes in [Pass::Done, fill(6)] {
        let standing = standing(at(1, 5), [("a", passes.clone()), ("b", passes)]);
        assert_eq!(beginning(&group(), &standing, &extent()), None);
    }
}

#[test]
fn a_copy_that_is_new_is_filled_and_the_others_go_on() {
    let standing = standing(at(1, 7), [("a", Pass::Done)]);
    let begun = beginning(&group(), &standing, &extent()).expect("one begins");
    assert_eq!(begun, Beginning { watermark: at(1, 7), passes: vec![("b".into(), fill(7))] });
}

/// P8: no log has what comes between a watermark and a history that began after it.
#[test]
fn a_watermark_from_before_the_history_is_bridged() {
    for before in [at(1, 4), at(0, 99)] {
        let standing = standing(before, [("a", Pass::Done), ("b", fill(2))]);
        let begun = beginning(&group(), &standing, &extent()).expect("passes begin");
        assert_eq!(begun.watermark, at(1, 9));
        assert_eq!(begun.passes, [("a".into(), bridge(9)), ("b".into(), fill(9))]);
    }
}

#[test]
fn a_bridge_that_begins_again_is_still_a_bridge() {
    let standing = standing(at(1, 5), [("a", bridge(5)), ("b", Pass::Done)]);
    let begun = bridging(&group(), &standing, &at(2, 1));
    assert!(begun.passes.iter().all(|(_, pass)| matches!(
        pass,
        Pass::Under { purpose: Purpose::Bridge, upto: None, deleted: 0, .. }
    )));
}

fn standing<const N: usize>(watermark: Offset, passes: [(&str, Pass); N]) -> Standing {
    let passes = passes.into_iter().map(|(copy, pass)| (copy.into(), pass)).collect();
    Standing {
        watermark: Some(watermark),
        holds: Vec::<Hold>::new(),
        passes,
        ..Standing::default()
    }
}

fn extent() -> Extent {
    let (incarnation, began) = (Incarnation(1), Position::from_number(5));
    let history = History { incarnation, identity: "server".into(), began, witness: Bytes::new() };
    Extent { history, end: at(1, 9), is_reached: true }
}

fn fill(began: u64) -> Pass {
    under(Purpose::Fill, began)
}

fn bridge(began: u64) -> Pass {
    under(Purpose::Bridge, began)
}

fn under(purpose: Purpose, began: u64) -> Pass {
    Pass::Under { purpose, began: at(1, began), upto: None, deleted: 0 }
}

fn at(incarnation: u32, number: u64) -> Offset {
    Offset::whole(Incarnation(incarnation), Position::from_number(number))
}

fn group() -> Group {
    let copy = |name: &str| Copy { name: name.into(), of: "t".into(), inspect: None, keeps: false };
    let (name, service) = ("group".into(), Arc::new(Nowhere));
    Group { name, service, copies: vec![copy("a"), copy("b")], when_full: WhenFull::Detach }
}

struct Nowhere;

#[async_trait]
impl Service<dyn Target> for Nowhere {
    async fn connect(&self) -> Result<Box<dyn Target>, Fault> {
        Err(Fault::retry(Code::TargetUnavailable, "nothing connects here"))
    }
}
