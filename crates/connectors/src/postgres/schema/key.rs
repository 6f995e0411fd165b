//! PURE: the columns that tell the rows of a table apart, in the stream as well: an update or a
//! delete there says which row it was only by them.

use super::facts::Index;
use crate::postgres::pgoutput::ReplicaIdentity;

/// The names of the key's columns in their order, or what is missing and what to do.
pub(super) fn of(identity: ReplicaIdentity, indexes: &[&Index]) -> Result<Vec<String>, String> {
    let primary = indexes.iter().find(|index| index.is_primary);
    let chosen = indexes.iter().find(|index| index.is_identity);
    let (index, missing) = match identity {
        ReplicaIdentity::Default => (primary, NO_PRIMARY),
        ReplicaIdentity::Index => (chosen, NO_CHOSEN),
        ReplicaIdentity::Full => {
            let fits = |index: &&&Index| columns(index).is_some();
            (primary.filter(fits).or_else(|| indexes.iter().find(fits)), NO_UNIQUE)
        }
        ReplicaIdentity::Nothing => (None, NOTHING),
    };
    let index = index.ok_or_else(|| format!("{missing}: {REMEDY}"))?;
    columns(index).ok_or_else(|| {
        let missing = if index.is_immediate { NOT_USABLE } else { DEFERRABLE };
        format!("{missing}: {REMEDY}")
    })
}

/// The columns of an index that tells every row apart at every moment.
fn columns(index: &Index) -> Option<Vec<String>> {
    let is_whole = index.is_immediate && index.is_usable && !index.columns.is_empty();
    let columns = index.columns.values().map(|column| match column {
        Some((name, true)) => Some(name.clone()),
        Some((_, false)) | None => None,
    });
    columns.collect::<Option<_>>().filter(|_| is_whole)
}

const NO_PRIMARY: &str = "has no primary key, so the server says of no row which one it was";
const NO_CHOSEN: &str = "has lost the index that was to be its replica identity";
const NO_UNIQUE: &str = "has no unique index that is over all rows and never NULL";
const NOTHING: &str =
    "has `replica identity nothing`, so the server says of no row which one it was";
const NOT_USABLE: &str = "has a key whose index is not valid, or that may be NULL";
const DEFERRABLE: &str = "has a key that is deferrable, which the server takes for no identity";
const REMEDY: &str = "`alter table … add primary key (…)`, not deferrable, with `alter table … \
                      replica identity default`; or `alter table … replica identity using index …` \
                      with a unique index over columns that are NOT NULL";

#[cfg(test)]
mod tests {
    use super::super::facts::Index;
    use super::of;
    use crate::postgres::pgoutput::ReplicaIdentity::{self, Default, Full, Nothing};

    fn index(column: Option<(&str, bool)>) -> Index {
        let column = column.map(|(name, is_not_null)| (name.to_owned(), is_not_null));
        Index {
            is_primary: false,
            is_identity: false,
            is_immediate: true,
            is_usable: true,
            columns: [(1, column)].into(),
        }
    }

    fn key(identity: ReplicaIdentity, indexes: &[Index]) -> Option<String> {
        of(identity, &indexes.iter().collect::<Vec<_>>()).ok().map(|it| it.join(","))
    }

    #[test]
    fn the_identity_says_which_index_is_the_key() {
        let one = || index(Some(("a", true)));
        let primary = || Index { is_primary: true, ..index(Some(("p", true))) };
        let chosen = || Index { is_identity: true, ..index(Some(("c", true))) };
        let all = [one(), primary(), chosen()];
        let is = |name: &str| Some(name.to_owned());
        assert_eq!(key(Default, &all), is("p"));
        assert_eq!(key(ReplicaIdentity::Index, &all), is("c"));
        assert_eq!(key(Full, &all), is("p"));
        assert_eq!(key(Nothing, &all), None);
        let deferrable = || Index { is_immediate: false, ..primary() };
        assert_eq!(key(Default, &[one(), deferrable()]), None);
        assert_eq!(key(Full, &[deferrable(), one(), chosen()]), is("a"));
        assert_eq!(key(Default, &[one(), chosen()]), None);
        assert_eq!(key(ReplicaIdentity::Index, &[one(), primary()]), None);
    }

    #[test]
    fn an_index_that_does_not_tell_every_row_apart_is_no_key() {
        let partial = Index { is_usable: false, ..index(Some(("a", true))) };
        let unfit = [index(Some(("a", false))), index(None), partial];
        assert_eq!(key(Full, &unfit), None);
    }
}
