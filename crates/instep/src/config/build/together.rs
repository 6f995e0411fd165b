//! PURE: copies of one source in one database move together, which takes one name for the database.

use crate::config::span::Span;
use crate::config::trouble::Trouble;
use model::Code;
use std::collections::BTreeMap;

/// By which service each source reaches each database, and which copy said so first.
#[derive(Default)]
pub(super) struct Together {
    reached: BTreeMap<(String, String), (String, String)>,
    troubles: Vec<Trouble>,
}

impl Together {
    /// A copy of a source, by its path in the configuration, in a service that leads to a place.
    pub(super) fn add(
        &mut self,
        (path, span): (&str, Span),
        source: &str,
        (service, place): (&str, String),
    ) {
        let own = || (service.to_owned(), path.to_owned());
        let (first, by) = self.reached.entry((source.to_owned(), place)).or_insert_with(own);
        if first == service {
            return;
        }
        let what = format!(
            "`{path}` reaches by `{service}` the database that `{by}` reaches by `{first}`"
        );
        let why = "copies of one source in one database move together, with one note of how far \
                   they have come; two groups would write over each other's";
        let fix = format!("name it `{first}` in both");
        self.troubles.push(Trouble::new(Code::ConfigDuplicate, span, what, why, fix));
    }

    /// Copies that reach a database by another service than the first of their source.
    pub(super) fn into_troubles(self) -> Vec<Trouble> {
        self.troubles
    }
}
