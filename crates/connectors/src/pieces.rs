//! PURE: SQL from its pieces.

/// Pieces with commas between them.
pub(crate) fn list(pieces: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    joined(pieces, ", ")
}

/// Pieces with a word between them.
pub(crate) fn joined(pieces: impl IntoIterator<Item = impl AsRef<str>>, between: &str) -> String {
    let mut sql = String::new();
    for piece in pieces {
        if !sql.is_empty() {
            sql.push_str(between);
        }
        sql.push_str(piece.as_ref());
    }
    sql
}
