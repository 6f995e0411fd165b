//! PURE: cursors, the places from which a list goes on, which nobody but us has to understand.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::count::Group;
use model::codec::memo::{put_group, read_group};

/// The place after a group of a count.
pub(crate) fn of_group(group: &Group) -> String {
    let mut bytes = Vec::new();
    put_group(group.values(), &mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The group that a cursor stands after, if it is a cursor over groups of so many columns.
pub(crate) fn group(cursor: &str, columns: usize) -> Option<Group> {
    let values = read_group(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    (values.len() == columns).then(|| Group::new(values))
}

/// The place after a failure: since when it is held, and its id.
pub(crate) fn of_failure(since: i64, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{since} {id}"))
}

/// The failure that a cursor stands after.
pub(crate) fn failure(cursor: &str) -> Option<(i64, String)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (since, id) = text.split_once(' ')?;
    Some((since.parse().ok()?, id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Value;
    use proptest::prelude::*;

    #[test]
    fn a_cursor_leads_back_to_where_it_was_made() {
        let made = Group::new([Value::Null, Value::from("é"), Value::Int(-7)]);
        assert_eq!(group(&of_group(&made), 3), Some(made.clone()));
        assert_eq!(group(&of_group(&made), 2), None, "of another count");
        assert_eq!(failure(&of_failure(-5, "abc")), Some((-5, "abc".to_owned())));
    }

    proptest! {
        #[test]
        fn whatever_else_a_client_sends_is_refused(text in ".{0,60}", bytes: Vec<u8>) {
            let encoded = URL_SAFE_NO_PAD.encode(&bytes);
            for cursor in [text, encoded] {
                if let Some(group) = group(&cursor, 1) {
                    prop_assert_eq!(group.values().len(), 1);
                }
                let _ = failure(&cursor);
            }
        }
    }
}
