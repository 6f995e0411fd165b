//! PURE: which columns of a source a column of a copy can keep, so that what is read back is what
//! was written.
//!
//! A column that could hold some of the values, such as a narrower integer, is fit: the rows beyond
//! it are refused, and seen. One that would change values in silence, as one that rounds, is not.

use super::elements::{element, is_plain_array};
use super::shape::ColumnTraits;
use crate::postgres::schema::{ColumnFacts, compares};
use crate::postgres::types::{Form, is_plain_text};
use model::{Column, Kind};

/// Whether the column here can keep that of the source, or why not.
pub(super) fn check(
    column: &Column,
    is_key: bool,
    (here, traits): (&ColumnFacts, &ColumnTraits),
    form: &Form,
) -> Result<(), String> {
    let fits = match column.kind {
        Kind::Bool => *form == Form::Bool,
        Kind::Int => is_number(form, here) || is_alike(column, here) || is_text(form, here, is_key),
        Kind::Float => *form == Form::Float8 || *form == Form::Float4 && is_narrow(column),
        Kind::Decimal => {
            *form == Form::Decimal && (is_number(form, here) || is_alike(column, here))
                || is_text(form, here, is_key)
        }
        Kind::Text => *form == Form::Text && (is_any_text(here) || is_alike(column, here)),
        Kind::Bytes => *form == Form::Bytes,
        Kind::Date => *form == Form::Date || is_text(form, here, is_key),
        Kind::Time => *form == Form::Time || is_text(form, here, is_key),
        Kind::TimeTz => *form == Form::TimeTz || is_text(form, here, is_key),
        Kind::Timestamp => *form == Form::Timestamp || is_text(form, here, is_key),
        Kind::TimestampTz => *form == Form::TimestampTz || is_text(form, here, is_key),
        Kind::Interval => *form == Form::Interval || is_text(form, here, is_key),
        Kind::Uuid => *form == Form::Uuid || *form == Form::Text && is_any_text(here),
        Kind::Json => *form == Form::Json || is_text(form, here, is_key),
        Kind::Array => matches!(form, Form::Array(..)) && has_elements_of(column, traits),
        Kind::Any => {
            matches!(form, Form::Bool | Form::Float8 | Form::Bytes)
                || is_number(form, here)
                || *form == Form::Text && is_any_text(here)
        }
    };
    let (name, of, is) = (&here.name, &column.declared, &here.declared);
    if !fits {
        let of = if of.is_empty() { "values of any kind" } else { of };
        return Err(format!("its column {name} is {is}, which can not keep {of}"));
    }
    let is_same = *column.declared == *here.declared;
    if is_bounded(here, traits, form) && !is_same && !is_within(&column.declared, &traits.base) {
        let of = if of.is_empty() { "no type" } else { of };
        return Err(format!(
            "its column {name} is {is}, which would change values of a column declared as {of}"
        ));
    }
    let collation = compares(here, form).collation;
    if let Some(collation) = collation.filter(|it| is_key && !it.equal_by_bytes) {
        return Err(format!(
            "its column {name} is part of the key, and {} calls different texts equal",
            collation.name
        ));
    }
    Ok(())
}

/// Whether it is a column of numbers that have a sign; those without change what is below zero.
fn is_number(form: &Form, here: &ColumnFacts) -> bool {
    matches!(form, Form::Int | Form::Decimal)
        && matches!(&*here.output, "int2out" | "int4out" | "int8out" | "numeric_out")
}

/// Whether it is an array of what the source has in its own. What stands behind a name of the
/// user's is seen with the first row.
fn has_elements_of(column: &Column, traits: &ColumnTraits) -> bool {
    if !is_plain_array(&column.declared) || !is_plain_array(&traits.base) {
        return true;
    }
    let (of, is) = (element(&column.declared), element(&traits.base));
    let are = |kind: &[&str]| kind.contains(&of) && kind.contains(&is);
    of == is
        || is_plain_text(of) && is_plain_text(is)
        || are(&["smallint", "integer", "bigint"])
        || (of, is) == ("real", "double precision")
}

/// Whether it is a column of texts, for what is none: its order is another, so it is no key.
fn is_text(form: &Form, here: &ColumnFacts, is_key: bool) -> bool {
    *form == Form::Text && is_any_text(here) && !is_key
}

/// Whether the column takes any text and keeps it as it is.
fn is_any_text(here: &ColumnFacts) -> bool {
    matches!(&*here.output, "textout" | "varcharout")
}

/// Whether both are declared alike, whatever the schema of the type and what stands in brackets.
fn is_alike(column: &Column, here: &ColumnFacts) -> bool {
    let bare = |declared: &str| {
        let word = declared.split('(').next().unwrap_or_default().trim();
        word.rsplit('.').next().unwrap_or_default().to_owned()
    };
    bare(&column.declared) == bare(&here.declared)
}

fn is_narrow(column: &Column) -> bool {
    &*column.declared == "real"
}

/// Whether a bound of the type would bend values instead of refusing them: scales and precisions
/// round, and texts of a fixed length are filled with blanks.
fn is_bounded(here: &ColumnFacts, traits: &ColumnTraits, form: &Form) -> bool {
    match form {
        Form::Decimal
        | Form::Time
        | Form::TimeTz
        | Form::Timestamp
        | Form::TimestampTz
        | Form::Interval => traits.modifier >= 0,
        Form::Text => here.output == "bpcharout" || traits.base.starts_with("character("),
        Form::Array(element, _) => is_bounded(here, traits, element),
        _ => false,
    }
}

/// Whether the type of a source has the same bounds, or narrower ones.
fn is_within(of: &str, here: &str) -> bool {
    if of == here {
        return true;
    }
    let (Some((scale_of, whole_of)), Some((scale, whole))) = (digits(of), digits(here)) else {
        return false;
    };
    scale_of <= scale && whole_of <= whole
}

/// How many digits a type has behind the point, and before it.
fn digits(declared: &str) -> Option<(i32, i32)> {
    let inside = declared.split_once('(')?.1.split_once(')')?.0;
    let mut numbers = inside.split(',').map(|it| it.trim().parse::<i32>());
    let first = numbers.next()?.ok()?;
    match numbers.next() {
        Some(scale) => {
            let scale = scale.ok()?;
            Some((scale, first - scale))
        }
        None if declared.starts_with("numeric") => Some((0, first)),
        // Of a time: how many digits a second has.
        None if declared.starts_with("ti") || declared.starts_with("interval") => Some((first, 0)),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_within;

    #[test]
    fn narrower_bounds_are_within_wider_ones() {
        for (of, here, is) in [
            ("numeric(10,2)", "numeric(10,2)", true),
            ("numeric(10,2)", "numeric(12,2)", true),
            ("numeric(10,2)", "numeric(12,4)", true),
            ("numeric(10,2)", "numeric(10,4)", false),
            ("numeric", "numeric(10,2)", false),
            ("numeric(5)", "numeric(7,2)", true),
            ("timestamp(3) with time zone", "timestamp(3) with time zone", true),
            ("timestamp(0) with time zone", "timestamp(3) with time zone", true),
            ("timestamp with time zone", "timestamp(3) with time zone", false),
            ("character(5)", "character(5)", true),
            ("character(4)", "character(5)", false),
            ("text", "character(5)", false),
        ] {
            assert_eq!(is_within(of, here), is, "{of} in {here}");
        }
    }
}
