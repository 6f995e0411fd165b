//! PURE: puts variables into a single value: `${NAME}`, `${NAME:-text}`, `${NAME:?message}`, `$$`.
//!
//! Invariant: what a variable holds stays inside its value; it can neither add a key nor be read
//! as YAML. A value may be a secret, so trouble repeats nothing of it but names of variables.

use std::collections::BTreeMap;

/// The environment: each variable's value; none where it is not UTF-8.
pub(super) type Variables = BTreeMap<String, Option<String>>;

/// A value with its variables in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filled {
    /// The value.
    pub text: String,
    /// Whether anything stood there to be replaced.
    pub changed: bool,
}

/// Why a value could not be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfilled {
    /// The byte of the value at which it shows.
    pub at: usize,
    /// How many bytes of the value are concerned.
    pub length: usize,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub fix: String,
}

/// Replaces every variable of a value.
pub(super) fn fill(value: &str, variables: &Variables) -> Result<Filled, Unfilled> {
    let mut text = String::with_capacity(value.len());
    let mut next = 0;
    while let Some(found) = value[next..].find('$') {
        let at = next + found;
        text.push_str(&value[next..at]);
        let rest = &value[at + 1..];
        next = if rest.starts_with('$') {
            text.push('$');
            at + 2
        } else if let Some(inside) = rest.strip_prefix('{') {
            let end = at + 2 + closing(inside, at, value.len())?;
            let wrong = |(what, fix)| Unfilled { at, length: end + 1 - at, what, fix };
            text.push_str(&one(&value[at + 2..end], variables).map_err(wrong)?);
            end + 1
        } else {
            refuse_bare(rest, at)?;
            text.push('$');
            at + 1
        };
    }
    text.push_str(&value[next..]);
    Ok(Filled { changed: text != value, text })
}

/// The same value with nothing in it to replace.
pub(super) fn escape(value: &str) -> String {
    value.replace('$', "$$")
}

fn closing(inside: &str, at: usize, end: usize) -> Result<usize, Unfilled> {
    inside.find('}').ok_or_else(|| Unfilled {
        at,
        length: end - at,
        what: "`${` has no `}`".to_owned(),
        fix: "close it with `}`, or write `$${` for the characters themselves".to_owned(),
    })
}

/// `$NAME` means a variable to some programs, and five characters to others.
fn refuse_bare(rest: &str, at: usize) -> Result<(), Unfilled> {
    let name: String = rest.chars().take_while(|c| is_part(*c)).collect();
    if !name.starts_with(is_first) {
        return Ok(());
    }
    Err(Unfilled {
        at,
        length: name.len() + 1,
        what: "`$` before a name is neither a variable nor plain text".to_owned(),
        fix: "write ${NAME} for a variable, or $$ for the character itself".to_owned(),
    })
}

/// What stands for the inside of one `${…}`; else what is wrong, and what to do.
fn one(inside: &str, variables: &Variables) -> Result<String, (String, String)> {
    let end = inside.find(|c| !is_part(c)).unwrap_or(inside.len());
    let (name, rest) = inside.split_at(end);
    if !name.starts_with(is_first) {
        let what = "`${` is not followed by the name of a variable".to_owned();
        return Err((what, "write ${NAME}, with a name of letters, digits and _".to_owned()));
    }
    let value = match variables.get(name) {
        Some(None) => {
            let what = format!("the variable {name} is not UTF-8");
            return Err((what, format!("set {name} to text in UTF-8")));
        }
        Some(Some(value)) => Some(value.as_str()),
        None => None,
    };
    let value = if rest.is_empty() {
        value.ok_or_else(|| unset(name))?.to_owned()
    } else if let Some(fallback) = rest.strip_prefix(":-") {
        check_fallback(fallback)?;
        let value = value.filter(|value| !value.is_empty());
        value.map_or_else(|| fallback.replace("$$", "$"), str::to_owned)
    } else if let Some(message) = rest.strip_prefix(":?") {
        let value = value.filter(|value| !value.is_empty());
        value.ok_or_else(|| stopped(name, message))?.to_owned()
    } else {
        let what = format!("what follows {name} in `${{` means nothing");
        let fix = "write ${NAME}, ${NAME:-text} or ${NAME:?message}";
        return Err((what, fix.to_owned()));
    };
    if value.contains(char::is_control) {
        let what = format!("the variable {name} holds a line break or another control character");
        let fix = format!("set {name} to one line, or keep the value in a file");
        return Err((what, fix));
    }
    Ok(value)
}

fn unset(name: &str) -> (String, String) {
    let fix = format!("set {name}, or write ${{{name}:-text}} for what to use without it");
    (format!("the variable {name} is not set"), fix)
}

fn stopped(name: &str, message: &str) -> (String, String) {
    let message = if message.is_empty() { "it is needed" } else { message };
    (format!("the variable {name} is not set: {message}"), format!("set {name}"))
}

fn check_fallback(fallback: &str) -> Result<(), (String, String)> {
    if fallback.replace("$$", "").contains('$') {
        let what = "what stands after `:-` has a variable of its own".to_owned();
        return Err((what, "write plain text there, and $$ for a dollar sign".to_owned()));
    }
    Ok(())
}

fn is_first(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn variables() -> Variables {
        let set = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        let mut variables =
            Variables::from([set("A", "one"), set("EMPTY", ""), set("TWO", "1\n2")]);
        variables.insert("BYTES".to_owned(), None);
        variables
    }

    fn filled(value: &str) -> String {
        fill(value, &variables()).unwrap().text
    }

    fn refused(value: &str) -> (usize, usize, String) {
        let refused = fill(value, &variables()).unwrap_err();
        (refused.at, refused.length, refused.what)
    }

    #[test]
    fn a_variable_is_replaced_as_often_as_it_stands() {
        assert_eq!(filled("<${A}|${A}>"), "<one|one>");
        assert_eq!(filled("${EMPTY}"), "");
        assert_eq!(filled("plain"), "plain");
    }

    #[test]
    fn a_fallback_stands_for_what_is_unset_or_empty() {
        assert_eq!(filled("${B:-two}${EMPTY:-three}${A:-four}"), "twothreeone");
        assert_eq!(filled("${B:-}"), "");
        assert_eq!(filled("${B:-$$5}"), "$5");
        assert!(refused("${B:-${A}}").2.contains("after `:-`"));
    }

    #[test]
    fn a_message_stops_for_what_is_unset_or_empty() {
        assert_eq!(filled("${A:?why}"), "one");
        assert_eq!(refused("x ${B:?say it}"), (2, 12, "the variable B is not set: say it".into()));
        assert_eq!(refused("${EMPTY:?}").2, "the variable EMPTY is not set: it is needed");
    }

    #[test]
    fn a_dollar_sign_is_itself_when_doubled_or_alone() {
        assert_eq!(filled("$$A $${A} 5$ $5"), "$A ${A} 5$ $5");
        assert_eq!(refused("see $A").0, 4);
    }

    #[test]
    fn what_can_not_be_used_is_named() {
        assert_eq!(refused("${B}"), (0, 4, "the variable B is not set".into()));
        assert_eq!(refused("${BYTES}").2, "the variable BYTES is not UTF-8");
        assert!(refused("${TWO}").2.contains("line break"));
        for broken in ["${", "${A", "${}", "${1}", "${A-b}", "${A:=b}", "${ A}"] {
            assert!(fill(broken, &variables()).is_err(), "{broken}");
        }
    }

    proptest! {
        #[test]
        fn any_text_escaped_comes_back_as_itself(text in "\\PC*") {
            prop_assert_eq!(filled(&escape(&text)), text);
        }

        #[test]
        fn any_text_is_filled_or_refused_inside_itself(text in "[$AB{}:?é -]{0,20}") {
            if let Err(refused) = fill(&text, &variables()) {
                prop_assert!(text.get(refused.at..refused.at + refused.length).is_some());
            }
        }
    }
}
