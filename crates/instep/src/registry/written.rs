//! PURE: what is written to a target, as connectors take it.

use crate::config::{Copy, Source, TableAt};
use connectors::CopyTo;
use model::CopyName;

/// A copy of this source, as its store has it.
pub(super) fn copy_to(copy: &Copy, source: &Source) -> CopyTo {
    let fields = copy.fields.iter().map(|(to, from)| (to.as_str().into(), from.as_str().into()));
    CopyTo {
        name: copy.name.clone(),
        table: copy.to.table.as_str().into(),
        fields: fields.collect(),
        create: copy.create,
        shard_column: copy.shard_column.as_deref().map(Into::into),
        shard_in_key: source.shard_in_key,
    }
}

/// A pushed count as its store has it, whose table is made.
pub(super) fn count_to(to: &TableAt) -> CopyTo {
    CopyTo { create: true, ..CopyTo::new(pushed(to), &to.table) }
}

/// The name under which a pushed count stands in its store: no copy of a user has a slash in it.
pub(super) fn pushed(to: &TableAt) -> CopyName {
    to.to_string().as_str().into()
}
