//! PURE: what a request asks of a count.
//!
//! A parameter is a column that the count groups by, with a value or as `column.is=null`, or one of
//! the four names that no column may have.

use super::{Pairs, cursor, paging};
use crate::text::readings;
use engine::count::Group;
use model::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What is asked of a count.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The values that each column may have, in the order in which the count names them; nothing
    /// for a column that was not given.
    pub(crate) columns: Vec<Option<Vec<Value>>>,
    /// The position that the answer must not be before, as it was written.
    pub(crate) at_least: Option<String>,
    pub(crate) wait: Duration,
    pub(crate) limit: usize,
    pub(crate) after: Option<Group>,
}

impl Asked {
    /// Reads what is asked of a count that groups by these columns.
    pub(crate) fn read(pairs: Pairs, by: &[Arc<str>]) -> Result<Self, String> {
        let mut columns = vec![None; by.len()];
        let mut others = BTreeMap::new();
        for (name, value) in pairs {
            let is_new = match column(&name, &value, by)? {
                Some((column, values)) => columns[column].replace(values).is_none(),
                None => others.insert(name.clone(), value).is_none(),
            };
            if !is_new {
                return Err(format!("{name} is given twice"));
            }
        }
        let mut take = |name: &str| others.remove(name);
        let after = |text: String| {
            let wrong = || format!("after is {text:?}, which is no `next` of this count");
            cursor::group(&text, by.len()).ok_or_else(wrong)
        };
        Ok(Self {
            columns,
            at_least: take("at_least"),
            wait: take("wait").map_or(Ok(Duration::ZERO), |text| paging::wait(&text))?,
            limit: take("limit").map_or(Ok(paging::LIMIT), |text| paging::limit(&text))?,
            after: take("after").map(after).transpose()?,
        })
    }

    /// The values of every column, if all were given.
    pub(crate) fn whole(&self) -> Option<Vec<Vec<Value>>> {
        self.columns.iter().cloned().collect()
    }
}

/// Which column a parameter names, and the values that it may have there; nothing for the reserved
/// names.
fn column(name: &str, value: &str, by: &[Arc<str>]) -> Result<Option<(usize, Vec<Value>)>, String> {
    let place = |name: &str| by.iter().position(|column| **column == *name);
    if let Some(column) = place(name) {
        return Ok(Some((column, readings(value))));
    }
    if let Some(column) = name.strip_suffix(".is").and_then(place) {
        return match value.eq_ignore_ascii_case("null") {
            true => Ok(Some((column, vec![Value::Null]))),
            false => Err(format!("{name} is {value:?}; the only thing that it can be is null")),
        };
    }
    if RESERVED.contains(&name) {
        return Ok(None);
    }
    let known = match by {
        [] => "this count has no columns".to_owned(),
        _ => format!("the columns of this count are {}", by.join(", ")),
    };
    Err(format!("{name:?} is no parameter of this count; {known}"))
}

/// Names that no column of a count has.
const RESERVED: [&str; 4] = ["at_least", "wait", "limit", "after"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::pairs;
    use proptest::prelude::*;

    fn read(query: &str) -> Result<Asked, String> {
        Asked::read(pairs(Some(query)).expect("a query"), &["topic".into(), "place.is".into()])
    }

    #[test]
    fn columns_are_read_as_every_value_that_is_written_so() {
        let asked = read("topic=7").expect("a question");
        assert_eq!(asked.whole(), None);
        assert!(asked.columns[0].as_ref().is_some_and(|it| it.contains(&Value::from("7"))));
        let asked = read("place.is.is=NULL&topic.is=null&limit=5&wait=1s").expect("a question");
        assert_eq!(asked.whole(), Some(vec![vec![Value::Null]; 2]));
        assert_eq!((asked.limit, asked.wait), (5, Duration::from_secs(1)));
        let asked = read("place.is=").expect("a question");
        assert_eq!(asked.columns[1], Some(vec![Value::from(""), Value::Bytes([].into())]));
        let none = Asked::read(vec![], &[]).expect("a question");
        assert_eq!(none.whole(), Some(vec![]));
    }

    #[test]
    fn what_is_no_parameter_is_refused_with_the_columns_that_there_are() {
        let said = read("topik=7").expect_err("a mistake");
        let columns = "the columns of this count are topic, place.is";
        assert_eq!(said, format!("\"topik\" is no parameter of this count; {columns}"));
        for wrong in
            ["topic=1&topic=2", "topic=1&topic.is=null", "topic.is=7", "wait=1&", "after=x"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read("limit=1&limit=1").is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_asked_is_read_or_refused(name in "[a-z_.]{0,12}", value in ".{0,30}") {
            let by: [Arc<str>; 2] = ["a".into(), "b".into()];
            for name in [name, "a".into(), "after".into(), "wait".into(), "b.is".into()] {
                let _ = Asked::read(vec![(name, value.clone())], &by);
            }
        }
    }
}
