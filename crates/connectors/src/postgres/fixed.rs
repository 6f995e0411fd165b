//! PURE: the settings under which values are written the same way on every connection.

use super::quote;

/// What each connection sets, whatever the server, the database and the role say.
pub(super) const SETTINGS: [(&str, &str); 7] = [
    ("client_encoding", "UTF8"),
    ("datestyle", "ISO"),
    ("intervalstyle", "iso_8601"),
    ("timezone", "UTC"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    // Names that are values are then written with their schema, all but those of the system.
    ("search_path", "pg_catalog"),
];

/// The statements that set them.
pub(super) fn statements() -> String {
    let set = |(name, value): (&str, &str)| format!("set {name} = {};", quote::text(value));
    SETTINGS.map(set).concat()
}
