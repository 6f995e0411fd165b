//! Two tables that are compared, and where each is.

use super::given::kind;
use crate::config::{Service, ServiceKind};
use crate::registry;
use compare::End;
use model::TableName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Two tables that are compared.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// The shard of the source, where there are several.
    pub(super) shard: Option<String>,
    /// Where the truth is.
    pub(super) source: Place,
    /// What should be like it.
    pub(super) copy: Place,
    /// Columns that the configuration gives another name: the copy's to the source's.
    pub(super) map: BTreeMap<Arc<str>, Arc<str>>,
    /// Columns of the copy that no source has.
    pub(super) leave_out: Vec<Arc<str>>,
}

/// A table of a database.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The database.
    pub(super) service: Service,
    /// The table.
    pub(super) table: TableName,
    /// Which of its rows.
    pub(super) condition: Option<String>,
}

impl Place {
    /// What kind of database it is in.
    pub(super) fn kind(&self) -> ServiceKind {
        kind(&self.service)
    }

    /// The database, without how to get in.
    pub(super) fn shown(&self) -> String {
        match &self.service {
            Service::Sqlite(path) => path.display().to_string(),
            Service::Postgres(access) => access.to_string(),
        }
    }

    /// As a comparison takes it.
    pub(super) fn end(&self) -> End {
        let condition = self.condition.as_deref().map(Into::into);
        End { store: registry::audit(&self.service), table: self.table.clone(), condition }
    }
}
