//! PURE: whether a text can be what its key takes it for. What a table may be called is for
//! `tables` to say.

use super::shape::{COLUMN_CHARS_MAX, Form, NAME_CHARS_MAX};
use model::Code;
use std::net::{Ipv4Addr, SocketAddr};

/// Why a text can not be that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// The code of its trouble.
    pub code: Code,
    /// What is wrong with it, to be read after the text.
    pub what: String,
    /// What to do about it.
    pub fix: String,
}

/// Says whether a text fits its form. Conditions have a grammar of their own, and fit here.
pub(super) fn check(form: Form, text: &str) -> Result<(), Misfit> {
    match form {
        Form::Condition => Ok(()),
        _ if text.is_empty() => Err(misfit(Code::ConfigType, "is empty", "write something")),
        _ if text.contains(char::is_control) => {
            Err(misfit(Code::ConfigType, "holds a control character", "write it in one line"))
        }
        Form::Name => check_name(text),
        Form::Path => Ok(()),
        Form::Address => match address(text) {
            Some(_) => Ok(()),
            None => Err(misfit(Code::ConfigType, "is no address", ADDRESS)),
        },
        Form::Table | Form::Column => check_length(text),
        Form::Reference => match reference(text) {
            Some((_, table)) => check_length(table),
            None => Err(misfit(Code::ConfigType, "has no table", "write NAME/TABLE")),
        },
    }
}

/// Why nothing can be grouped by a column, be it pushed or not; nothing if it can.
pub(crate) fn group_misfit(column: &str) -> Option<&'static str> {
    match check(Form::Column, column) {
        Ok(()) => reserved_for_groups(column, true),
        Err(_) => Some("the configuration can not name it"),
    }
}

/// What else a column's name means where rows are grouped by it.
pub(super) fn reserved_for_groups(column: &str, is_pushed: bool) -> Option<&'static str> {
    if ASKED.contains(&column) || column.ends_with(".is") {
        Some("the API gives this word a meaning of its own when it is asked for a group")
    } else if is_pushed && PUSHED.iter().any(|own| own.eq_ignore_ascii_case(column)) {
        Some("a pushed table has a column of that name itself")
    } else {
        None
    }
}

/// Words of the API that stand beside the columns of a group.
const ASKED: [&str; 4] = ["at_least", "wait", "limit", "after"];

/// Columns that every pushed table has besides those of the group; not every database tells capitals
/// from small letters in their names. Where a group has a column `position` or `as_of`, the table goes
/// without its own.
const PUSHED: [&str; 2] = ["count", "value"];

/// The address in a text; `localhost` is this machine.
pub(super) fn address(text: &str) -> Option<SocketAddr> {
    if let Some(port) = text.strip_prefix("localhost:") {
        return Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().ok()?)));
    }
    text.parse().ok()
}

/// The name and the table of `NAME/TABLE`. A name has no slash, so the first one ends it.
pub(super) fn reference(text: &str) -> Option<(&str, &str)> {
    text.split_once('/').filter(|(name, table)| !name.is_empty() && !table.is_empty())
}

const ADDRESS: &str = "write an IP address and a port, such as 127.0.0.1:7171 or [::1]:7171";

fn check_name(text: &str) -> Result<(), Misfit> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if begins && text.chars().all(fits) && text.chars().count() <= NAME_CHARS_MAX {
        return Ok(());
    }
    let fix = format!(
        "use up to {NAME_CHARS_MAX} characters of a-z, 0-9, - and _, beginning with a letter or a digit"
    );
    Err(misfit(Code::ConfigName, "can not be a name", fix))
}

fn check_length(text: &str) -> Result<(), Misfit> {
    if text.chars().count() <= COLUMN_CHARS_MAX {
        return Ok(());
    }
    let what = format!("has more than {COLUMN_CHARS_MAX} characters");
    Err(misfit(Code::ConfigName, what, "use a shorter name"))
}

fn misfit(code: Code, what: impl Into<String>, fix: impl Into<String>) -> Misfit {
    Misfit { code, what: what.into(), fix: fix.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(form: Form, texts: &[&str]) -> Vec<Option<Code>> {
        texts.iter().map(|text| check(form, text).err().map(|misfit| misfit.code)).collect()
    }

    #[test]
    fn a_name_has_few_characters_and_an_end() {
        let long = "x".repeat(NAME_CHARS_MAX);
        for good in ["a", "questions-b", "7_up", &long] {
            assert_eq!(check(Form::Name, good), Ok(()), "{good}");
        }
        for bad in ["A", "-a", "_a", "a b", "a.b", "a/b", "é", &format!("{long}x")] {
            assert_eq!(codes(Form::Name, &[bad]), [Some(Code::ConfigName)], "{bad}");
        }
    }

    #[test]
    fn an_address_is_numbers_and_a_port() {
        for good in ["127.0.0.1:0", "[::1]:7171", "0.0.0.0:80", "localhost:1"] {
            assert!(address(good).is_some(), "{good}");
        }
        for bad in ["7171", ":7171", "127.0.0.1", "::1:80", "db-a:1", "localhost:65536"] {
            assert_eq!(codes(Form::Address, &[bad]), [Some(Code::ConfigType)], "{bad}");
        }
    }

    #[test]
    fn a_column_is_not_grouped_by_where_a_pushed_table_needs_its_name() {
        for name in ["count", "value", "Count", "VALUE"] {
            assert!(reserved_for_groups(name, true).is_some(), "{name}");
            assert_eq!(reserved_for_groups(name, false), None, "{name}");
        }
        for name in ["position", "as_of", "As_Of", "counts"] {
            assert_eq!(reserved_for_groups(name, true), None, "{name}");
        }
    }

    #[test]
    fn a_reference_ends_its_name_at_the_first_slash() {
        assert_eq!(reference("forms/a/b"), Some(("forms", "a/b")));
        for bad in ["forms", "forms/", "/a", ""] {
            assert_eq!(reference(bad), None, "{bad}");
        }
    }
}
