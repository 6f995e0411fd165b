//! PURE: whether a database is the one that was followed before.

use super::check::{Check, Layer};
use crate::problem::Problem;
use engine::Pinned;
use model::{Code, Fault, Identity};

/// What a kind of database is called where it is another one than before.
pub(super) struct Words {
    /// That it is.
    what: &'static str,
    /// What to do if it should not be.
    mend: &'static str,
    /// What holds of one that is known, and was not followed from here.
    unknown: &'static str,
}

/// A file.
pub(super) const FILE: Words = Words {
    what: "another file stands at this path than the one that was followed",
    mend: "put the right file there",
    unknown: "of which nothing is noted here any more",
};

/// A database of a server.
pub(super) const SERVER: Words = Words {
    what: "another server or database answers at this address than the one that was followed",
    mend: "mend the address",
    unknown: "which the first run pins",
};

/// Whether it is the database that was followed before.
pub(super) fn identity(
    source: &str,
    words: &Words,
    pinned: Result<Option<Pinned>, Fault>,
    found: Option<&Identity>,
) -> Check {
    let (layer, tried) = (Layer::Identity, "compare it with the one that was followed before");
    let pinned = match pinned {
        Ok(pinned) => pinned,
        Err(fault) => {
            return Check::not_measured(
                layer,
                tried,
                format!("the catalog can not be read: {fault}"),
            );
        }
    };
    match (pinned, found) {
        (None, None) => Check::good(layer, tried, "none was; the first run pins this one"),
        (None, Some(found)) => {
            Check::good(layer, tried, format!("it is {found}, {}", words.unknown))
        }
        (Some(pinned), Some(found)) if pinned.identity == *found => {
            Check::good(layer, tried, format!("it is {found}"))
        }
        (Some(pinned), Some(found)) if pinned.adopted.as_ref() == Some(found) => {
            Check::good(layer, tried, format!("it is {found}, which a person adopted"))
        }
        (Some(pinned), found) => {
            let found = found.map_or("one that was never followed".to_owned(), ToString::to_string);
            let fix =
                format!("{}, or say `instep source adopt {source}` if this one is", words.mend);
            let why = Code::SourceChanged.why();
            let problem = Problem::new(Code::SourceChanged, words.what, why, fix);
            let evidence = format!("followed was {}, this is {found}", pinned.identity);
            Check::problem(layer, tried, problem).because(evidence)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    fn code(check: &Check) -> Option<Code> {
        check.problem.as_ref().map(|problem| problem.code)
    }

    #[test]
    fn another_file_than_the_pinned_one_is_refused_unless_it_was_adopted() {
        let (one, other) = (Identity::from("one"), Identity::from("other"));
        let pinned = |adopted: Option<&Identity>| {
            Ok(Some(Pinned { identity: one.clone(), adopted: adopted.cloned() }))
        };
        for (pinned, found, expected) in [
            (Ok(None), None, None),
            (Ok(None), Some(&one), None),
            (pinned(None), Some(&one), None),
            (pinned(Some(&other)), Some(&other), None),
            (pinned(None), Some(&other), Some(Code::SourceChanged)),
            (pinned(None), None, Some(Code::SourceChanged)),
        ] {
            assert_eq!(code(&identity("quiz", &FILE, pinned, found)), expected);
        }
        let unread = Err(Fault::stop(Code::CatalogDamaged, "damaged"));
        assert_eq!(identity("quiz", &SERVER, unread, None).state, State::NotMeasured);
    }
}
