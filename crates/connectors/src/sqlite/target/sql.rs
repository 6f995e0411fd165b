//! PURE: pieces of SQL.

/// A name as SQL has it, whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Pieces with commas between them.
pub(super) fn list(pieces: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    joined(pieces, ", ")
}

/// Pieces with a word between them.
pub(super) fn joined(pieces: impl IntoIterator<Item = impl AsRef<str>>, between: &str) -> String {
    let mut sql = String::new();
    for piece in pieces {
        if !sql.is_empty() {
            sql.push_str(between);
        }
        sql.push_str(piece.as_ref());
    }
    sql
}
