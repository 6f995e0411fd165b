//! PURE: what of a change row memory takes while it is being filled.
//!
//! It takes changes of the rows that the pass has come through; the others it will find as they are
//! then. A row that comes from where the pass has not been is an update of a row not remembered.

use model::{Change, Key, Op, Pass, Stretch};

/// Where a stretch moves the pass; nowhere if it is of another one, or does not begin where this one
/// has been. What was placed twice overlaps, and its rows are those of its own place all the same.
pub(super) fn moved(pass: &Pass, stretch: &Stretch) -> Option<Pass> {
    let Pass::Under { purpose, began, upto, .. } = pass else { return None };
    if *began != stretch.began || stretch.after > *upto {
        return None;
    }
    let Some(end) = &stretch.upto else { return Some(Pass::Done) };
    let upto = upto.as_ref().map_or(end, |upto| upto.max(end)).clone();
    let (purpose, began) = (*purpose, began.clone());
    Some(Pass::Under { purpose, began, upto: Some(upto), deleted: 0 })
}

/// The change as far as it concerns rows that the pass has come to.
pub(super) fn within(pass: &Pass, change: Change) -> Option<Change> {
    let upto = match pass {
        Pass::Done => return Some(change),
        Pass::Under { upto, .. } => upto,
    };
    let come_to = |key: &Key| upto.as_ref().is_some_and(|upto| key <= upto);
    let Change { table, op } = change;
    let op = match op {
        Op::Truncate => Op::Truncate,
        Op::Insert(row) => {
            if !table.key_of(&row).is_none_or(|key| come_to(&key)) {
                return None;
            }
            Op::Insert(row)
        }
        Op::Delete(key) => {
            if !come_to(&key) {
                return None;
            }
            Op::Delete(key)
        }
        Op::Update { before, row } => {
            let key = table.key_of(&row).unwrap_or_else(|| before.clone());
            match (come_to(&before), come_to(&key)) {
                (true, true) => Op::Update { before, row },
                (true, false) => Op::Delete(before),
                (false, true) => Op::Update { before: key, row },
                (false, false) => return None,
            }
        }
    };
    Some(Change { table, op })
}

#[cfg(test)]
mod tests {
    use super::{moved, within};
    use model::{
        Change, Column, Incarnation, Key, Kind, Offset, Op, Pass, Position, Purpose, Row, Stretch,
        Table, Value,
    };
    use std::sync::Arc;

    #[test]
    fn a_row_that_crosses_the_place_of_the_pass_goes_or_comes() {
        let took = |before, now| within(&upto(5), update(before, now)).map(|change| change.op);
        assert_eq!(took(3, 4), Some(update(3, 4).op));
        assert_eq!(took(3, 8), Some(Op::Delete(key(3))));
        assert_eq!(took(8, 3), Some(update(3, 3).op), "it was never remembered under its old key");
        assert_eq!(took(8, 9), None);
    }

    #[test]
    fn before_the_first_stretch_only_a_truncate_counts() {
        let pass = under(None);
        assert_eq!(within(&pass, update(3, 3)), None);
        let truncate = Change { op: Op::Truncate, ..update(3, 3) };
        assert_eq!(within(&pass, truncate.clone()), Some(truncate));
    }

    /// What was read again after a restart ends at other keys than what was placed before it.
    #[test]
    fn stretches_that_overlap_move_a_pass_on() {
        let stretch = |after: i64, upto: Option<i64>| Stretch {
            copy: "t".into(),
            began: Offset::whole(Incarnation(1), Position::from_number(1)),
            after: Some(key(after)),
            upto: upto.map(key),
            source_is_empty: false,
        };
        assert_eq!(moved(&upto(20), &stretch(10, Some(19))), Some(upto(20)));
        assert_eq!(moved(&upto(20), &stretch(19, Some(29))), Some(upto(29)));
        assert_eq!(moved(&upto(20), &stretch(21, Some(29))), None, "something is missing");
        assert_eq!(moved(&upto(20), &stretch(15, None)), Some(Pass::Done));
        assert_eq!(moved(&Pass::Done, &stretch(15, None)), None);
    }

    fn upto(id: i64) -> Pass {
        under(Some(key(id)))
    }

    fn under(upto: Option<Key>) -> Pass {
        let began = Offset::whole(Incarnation(1), Position::from_number(1));
        Pass::Under { purpose: Purpose::Fill, began, upto, deleted: 0 }
    }

    fn update(before: i64, now: i64) -> Change {
        let id = Column {
            name: "id".into(),
            kind: Kind::Int,
            declared: "bigint".into(),
            nullable: false,
            compares: model::Compares::default(),
        };
        let table = Table { name: "t".into(), version: 1, columns: vec![id], key: vec![0] };
        let row = Row::new([Value::Int(now)]);
        Change { table: Arc::new(table), op: Op::Update { before: key(before), row } }
    }

    fn key(id: i64) -> Key {
        Key::new([Value::Int(id)])
    }
}
