//! PURE: where a pushed count stands in every lane, as one place in a lane of its own.
//!
//! A store keeps one watermark; this one begins with a number that rises with every push, and names
//! behind it the offset of each lane that the numbers are true at.

use model::codec::memo::{put_offset, read_offset};
use model::{Incarnation, Lane, Offset, Position};
use std::collections::BTreeMap;

/// An offset in each lane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place(BTreeMap<Lane, Offset>);

impl Place {
    /// The offset in a lane.
    pub(super) fn of(&self, lane: &Lane) -> Option<&Offset> {
        self.0.get(lane)
    }

    /// The place of these offsets.
    pub(super) fn of_lanes(lanes: BTreeMap<Lane, Offset>) -> Self {
        Self(lanes)
    }

    /// The place as a watermark.
    pub(super) fn offset(&self, number: u64) -> Offset {
        let mut bytes = number.to_be_bytes().to_vec();
        for (lane, offset) in &self.0 {
            put_piece(&mut bytes, lane.as_str().as_bytes());
            let mut offset_bytes = Vec::new();
            put_offset(offset, &mut offset_bytes);
            put_piece(&mut bytes, &offset_bytes);
        }
        Offset::whole(Incarnation(1), Position::new(bytes))
    }

    /// The number of a watermark.
    pub(super) fn number(watermark: &Offset) -> u64 {
        let number = watermark.position.as_bytes().first_chunk();
        number.map_or(0, |number| u64::from_be_bytes(*number))
    }

    /// The place of a watermark, if it is one.
    pub(super) fn read(watermark: &Offset) -> Option<Self> {
        let mut bytes = watermark.position.as_bytes().get(8..)?;
        let mut lanes = BTreeMap::new();
        while !bytes.is_empty() {
            let lane = std::str::from_utf8(piece(&mut bytes)?).ok()?.into();
            lanes.insert(lane, read_offset(piece(&mut bytes)?).ok()?);
        }
        Some(Self(lanes))
    }
}

/// The offset in each lane that a pushed count is true at.
pub fn lanes_at(watermark: &Offset) -> Option<BTreeMap<Lane, Offset>> {
    Place::read(watermark).map(|place| place.0)
}

fn put_piece(out: &mut Vec<u8>, piece: &[u8]) {
    let length = u32::try_from(piece.len()).expect("BUG: a name or position above its bound");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(piece);
}

fn piece<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (piece, rest) =
        rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *bytes = rest;
    Some(piece)
}

#[cfg(test)]
mod tests {
    use super::Place;
    use model::{Incarnation, Lane, Offset, Position};

    #[test]
    fn a_place_is_read_back_and_later_ones_sort_behind_it() {
        let at = |number| Offset::whole(Incarnation(1), Position::from_number(number));
        let place = Place::of_lanes([(Lane::from("a"), at(7)), (Lane::from("b"), at(9))].into());
        let first = place.offset(1);
        assert_eq!(Place::read(&first).as_ref(), Some(&place));
        assert!(first < Place::default().offset(2));
        assert_eq!(Place::number(&first), 1);
        for length in 8..first.position.as_bytes().len() {
            let cut = Position::new(first.position.as_bytes()[..length].to_vec());
            assert_ne!(
                Place::read(&Offset::whole(Incarnation(1), cut)).as_ref(),
                Some(&place),
                "cut at {length}"
            );
        }
    }
}
