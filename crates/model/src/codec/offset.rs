//! Offsets as bytes, in records and beside whatever is kept with one.
//!
//! Must not know: what stands at the offset.

use super::malformed::Malformed;
use super::wire::{Reader, put_bytes, put_varint};
use crate::position::{Epoch, Incarnation, Offset, Position};

/// The ordinal is written plus one, which takes [`Offset::WHOLE`] round to a single zero byte.
pub(super) fn put_offset(offset: &Offset, out: &mut Vec<u8>) {
    put_varint(offset.incarnation.0.into(), out);
    put_bytes(offset.position.as_bytes(), out);
    put_varint(offset.epoch.0, out);
    put_varint(offset.ordinal.wrapping_add(1), out);
}

pub(super) fn offset(reader: &mut Reader<'_>) -> Result<Offset, Malformed> {
    Ok(Offset {
        incarnation: Incarnation(reader.u32()?),
        position: Position::new(reader.bytes()?.to_vec()),
        epoch: Epoch(reader.varint()?),
        ordinal: reader.varint()?.wrapping_sub(1),
    })
}
