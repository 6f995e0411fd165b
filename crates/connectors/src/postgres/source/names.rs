//! PURE: what we make in a database is named for who follows it.

use crate::postgres::lsn::Lsn;
use model::{Identity, Position};

/// How the name of each slot of ours begins.
pub(super) const SLOT_PREFIX: &str = "instep_";

/// The name of a follower's slot. Slots are of the whole server, so the database is in it.
pub fn slot_name(follower: &str, database_oid: u32) -> String {
    format!("{SLOT_PREFIX}{}_{database_oid}", plain(follower))
}

/// The name of a follower's publication, in each database that it follows.
pub fn publication_name(follower: &str) -> String {
    format!("instep_{}", plain(follower))
}

/// How a database is told apart from every other.
pub fn identity(system: u64, database_oid: u32) -> Identity {
    format!("postgres:{system}/{database_oid}").as_str().into()
}

/// What a slot's name may hold, and not too much of it.
fn plain(follower: &str) -> String {
    let plain = follower.chars().map(|it| it.to_ascii_lowercase());
    plain.filter(|it| it.is_ascii_digit() || it.is_ascii_lowercase()).take(32).collect()
}

/// The place behind everything up to here.
pub(super) fn position(end: Lsn) -> Position {
    Position::from_number(end.0)
}

/// The place in the write-ahead log that a position is.
pub(super) fn lsn(position: &Position) -> Option<Lsn> {
    position.to_number().map(Lsn)
}

#[cfg(test)]
mod tests {
    use super::{publication_name, slot_name};

    #[test]
    fn names_are_such_as_the_server_takes() {
        assert_eq!(slot_name("00ff", 16_384), "instep_00ff_16384");
        assert_eq!(publication_name("A-b \"c"), "instep_abc");
        assert!(slot_name(&"x".repeat(100), u32::MAX).len() <= 63);
    }
}
