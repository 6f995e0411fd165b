//! Where something stands: in a source, in a lane, in a target.
//!
//! Offsets order everything that happens in a lane, the same way in every log and every instance;
//! the offset of a row's last change is the row's version.

use bytes::Bytes;
use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as a user wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self(name.into())
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}
pub(crate) use name;

name! {
    /// One source shard in commit order.
    Lane
}
name! {
    /// A copy, a group of copies or a count: whatever changes are applied to.
    TargetName
}
name! {
    /// A copy's name, as the configuration gives it.
    CopyName
}
name! {
    /// A count's name, as the configuration gives it.
    CountName
}
name! {
    /// Who a server says it is; a position means nothing at another one.
    Identity
}

/// A source's own place: opaque bytes that sort as the source's commits do.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(Bytes);

impl Position {
    /// A position from bytes that sort as the source's commits do.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// A position from a number, for sources that count.
    pub fn from_number(number: u64) -> Self {
        Self(Bytes::copy_from_slice(&number.to_be_bytes()))
    }

    /// The number again, if this position was made from one.
    pub fn to_number(&self) -> Option<u64> {
        Some(u64::from_be_bytes(self.0.as_ref().try_into().ok()?))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_number() {
            Some(number) => write!(f, "{number}"),
            None => self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

/// A position together with the server that it belongs to: what a source is resumed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The server's own identity.
    pub identity: Identity,
    /// The place in its history.
    pub position: Position,
    /// What the source needs to tell later whether its history up to here is still the same; its
    /// own bytes, empty if it needs nothing.
    pub witness: Bytes,
}

/// One unbroken history of a source. A new one begins when history was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Incarnation(pub u32);

/// Whose turn it is to write: rises with every lease won. Live changes have epoch zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch of live changes.
    pub const LIVE: Epoch = Epoch(0);
}

/// The source's own number of a transaction, 64 bits wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransactionId(pub u64);

/// A place in a lane, and a row's version. Orders by history, then by the source, then by epoch:
/// a placed entry comes after the live transaction at the same position and before the next one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offset {
    /// Which history of the source.
    pub incarnation: Incarnation,
    /// Where in that history.
    pub position: Position,
    /// Zero for live changes, else the epoch of whoever placed the entry.
    pub epoch: Epoch,
    /// The change within a transaction, or the entry among those placed there; [`Offset::WHOLE`]
    /// for a transaction as a whole.
    pub ordinal: u64,
}

impl Offset {
    /// The ordinal of a transaction as a whole; sorts after each of its changes.
    pub const WHOLE: u64 = u64::MAX;

    /// The offset of a whole transaction, or of progress without one.
    pub fn whole(incarnation: Incarnation, position: Position) -> Self {
        Self { incarnation, position, epoch: Epoch::LIVE, ordinal: Self::WHOLE }
    }

    /// The offset of the change with this ordinal in the transaction that ends here.
    #[must_use]
    pub fn change(&self, ordinal: u64) -> Self {
        Self { ordinal, ..self.clone() }
    }

    /// Whether this stands inside a live transaction: more of it is to come.
    pub fn is_inside(&self) -> bool {
        self.epoch == Epoch::LIVE && self.ordinal != Self::WHOLE
    }
}

impl fmt::Debug for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:?}", self.incarnation.0, self.position)?;
        match (self.epoch, self.ordinal) {
            (Epoch::LIVE, Self::WHOLE) => Ok(()),
            (Epoch::LIVE, ordinal) => write!(f, "#{ordinal}"),
            (epoch, ordinal) => write!(f, "+{}.{ordinal}", epoch.0),
        }
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The offset up to which a target holds every effect. One that stands inside a transaction says
/// so itself ([`Offset::is_inside`]); a copy then reports no position.
pub type Watermark = Offset;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placed_entry_sorts_between_its_head_and_the_next_transaction() {
        let head = Offset::whole(Incarnation(1), Position::from_number(7));
        let placed = Offset { epoch: Epoch(1), ordinal: 0, ..head.clone() };
        let next = Offset::whole(Incarnation(1), Position::from_number(8));
        assert!(head.change(3) < head && head < placed && placed < next.change(0));
        assert!(head.change(3).is_inside() && !head.is_inside() && !placed.is_inside());
    }
}
