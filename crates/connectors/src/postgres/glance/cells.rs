//! PURE: cells of an answer as what they stand for.

/// What a cell stands for, unless it is NULL or something else.
pub(super) fn number<T: std::str::FromStr>(cell: &Option<String>) -> Option<T> {
    cell.as_deref()?.parse().ok()
}

/// Whether a cell is true.
pub(super) fn flag(cell: &Option<String>) -> Option<bool> {
    match cell.as_deref()? {
        "t" | "true" => Some(true),
        "f" | "false" => Some(false),
        _ => None,
    }
}

/// The text of a cell.
pub(super) fn text(cell: &Option<String>) -> Option<String> {
    cell.clone()
}
