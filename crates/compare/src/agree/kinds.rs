//! PURE: as what the values of two columns are taken, so that they can be compared.

use crate::rule::Rule;
use model::{Column, Kind, LookedColumn};

/// As what the values of two columns are taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// The kinds that are asked of the source, and of the copy.
    pub(super) kinds: [Kind; 2],
    /// What makes them the same.
    pub(super) rule: Rule,
    /// What a person should know of it.
    pub(super) note: Option<String>,
}

/// As what these are taken, or why they can not be compared. In a key the values themselves have to
/// be equal, since rows are looked for by them.
pub(super) fn taken(
    source: (&Column, &LookedColumn),
    copy: (&Column, &LookedColumn),
    is_key: bool,
) -> Result<Taken, String> {
    let (one, other) = (source.0.kind, copy.0.kind);
    let is_single = source.1.is_single || copy.1.is_single;
    let is_padded = source.1.is_padded || copy.1.is_padded;
    let plain = |kind| Taken { kinds: [kind; 2], rule: Rule::Exact, note: None };
    let noted = |kind, note: &str| Taken { note: Some(note.to_owned()), ..plain(kind) };
    Ok(match (one, other) {
        (Kind::Text, Kind::Text) if is_padded && is_key => {
            if source.0.declared != copy.0.declared {
                return Err("blanks fill it up to another length on each side".to_owned());
            }
            plain(Kind::Text)
        }
        (Kind::Text, kind) | (kind, Kind::Text) if is_padded && is_key && is_readable(kind) => {
            return Err("blanks fill it up on one side".to_owned());
        }
        (Kind::Text | Kind::Any, Kind::Text | Kind::Any) if is_padded && !is_key => Taken {
            rule: Rule::Trim,
            ..noted(Kind::Text, "blanks at the end fill the column up, and are left out")
        },
        // Values of any kind decide for themselves; a column that is declared otherwise keeps whole
        // numbers otherwise.
        (Kind::Any, Kind::Any) if source.0.declared != copy.0.declared => Taken {
            rule: Rule::Worth,
            ..noted(Kind::Any, "numbers are compared by what they are worth")
        },
        // Only its shortest digits say what a float of 32 bits is, to a text and to a decimal.
        (Kind::Float, Kind::Text) | (Kind::Text, Kind::Float) if is_single => {
            noted(Kind::Decimal, &format!("texts are read as {}", word(Kind::Decimal)))
        }
        (one, other) if one == other => plain(one),
        (Kind::Any, kind) | (kind, Kind::Any) => {
            noted(kind, &format!("values of any kind are read as {}", word(kind)))
        }
        (Kind::Int | Kind::Float | Kind::Decimal, Kind::Int | Kind::Float | Kind::Decimal) => {
            // Rows are looked for by their keys, so these have to be of one kind.
            let is_shortest = is_single && (one == Kind::Decimal || other == Kind::Decimal);
            let kinds = if is_key || is_shortest { [Kind::Decimal; 2] } else { [one, other] };
            let note = "numbers are compared by what they are worth".to_owned();
            Taken { kinds, rule: Rule::Worth, note: Some(note) }
        }
        (Kind::Bool, Kind::Int) | (Kind::Int, Kind::Bool) => {
            noted(Kind::Bool, "0 and 1 are read as false and true")
        }
        (Kind::Text, kind) | (kind, Kind::Text) if is_readable(kind) => {
            noted(kind, &format!("texts are read as {}", word(kind)))
        }
        (one, other) => {
            return Err(format!(
                "{} at the source and {} in the copy are not comparable; leave it out with \
                 --leave-out {}",
                word(one),
                word(other),
                copy.0.name
            ));
        }
    })
}

/// Whether a text says all that a value of this kind is.
fn is_readable(kind: Kind) -> bool {
    !matches!(kind, Kind::Bytes | Kind::Array | Kind::Any)
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "true or false",
        Kind::Int => "whole numbers",
        Kind::Float => "floats",
        Kind::Decimal => "decimals",
        Kind::Text => "texts",
        Kind::Bytes => "bytes",
        Kind::Date => "dates",
        Kind::Time => "times of day",
        Kind::TimeTz => "times of day with an offset",
        Kind::Timestamp => "times without a zone",
        Kind::TimestampTz => "instants",
        Kind::Interval => "spans of time",
        Kind::Uuid => "uuids",
        Kind::Json => "JSON",
        Kind::Array => "arrays",
        Kind::Any => "values of any kind",
    }
}
