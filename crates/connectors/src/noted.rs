//! PURE: what a target's books say, in the bytes and words that every store keeps alike.

use model::codec::memo::{put_key, put_offset};
use model::{Key, Offset, Purpose};

const PURPOSES: [(Purpose, &str); 4] = [
    (Purpose::Fill, "fill"),
    (Purpose::Reread, "reread"),
    (Purpose::Repair, "repair"),
    (Purpose::Bridge, "bridge"),
];

/// The word for a purpose.
pub(crate) fn purpose_name(purpose: Purpose) -> &'static str {
    PURPOSES.iter().find(|(of, _)| *of == purpose).map_or("", |(_, name)| name)
}

/// The purpose that a word is for.
pub(crate) fn purpose(name: &str) -> Option<Purpose> {
    PURPOSES.iter().find(|(_, it)| *it == name).map(|(purpose, _)| *purpose)
}

/// An offset as bytes.
pub(crate) fn offset_bytes(offset: &Offset) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_offset(offset, &mut bytes);
    bytes
}

/// A key as bytes.
pub(crate) fn key_bytes(key: &Key) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_key(key, &mut bytes);
    bytes
}
