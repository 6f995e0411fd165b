//! Lump: what one reading of the stream brought, whole packets only.

use super::carried::{Carried, carried};
use crate::postgres::packet::{HEAD, head};
use crate::postgres::trouble::Trouble;
use bytes::Bytes;

/// What one reading brought.
#[derive(Clone, Debug)]
pub struct Lump {
    bytes: Bytes,
}

impl Lump {
    /// Of whole packets.
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { bytes }
    }

    /// How much memory it takes.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// What it carries, in order.
    pub fn carried(&self) -> Lumped<'_> {
        Lumped { rest: &self.bytes }
    }
}

/// What is left to be taken out of a lump.
#[derive(Clone, Debug)]
pub struct Lumped<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lumped<'a> {
    type Item = Result<Carried<'a>, Trouble>;

    fn next(&mut self) -> Option<Self::Item> {
        let (_, length) = head(self.rest, usize::MAX).ok()??;
        let (packet, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(carried(&packet[HEAD..]))
    }
}
