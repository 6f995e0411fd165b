//! What is asked of a PostgreSQL that copies and counts are written to.

use super::judge;
use crate::commands::doctor::check::Check;
use connectors::postgres::Trouble;
use connectors::postgres::glance::Glance;
use model::TableName;
use std::collections::BTreeMap;

/// Whether there are books, or can be, and whether these tables can be written to. Each comes with
/// whether it is made.
pub(super) async fn written(
    glance: &Glance,
    tables: &BTreeMap<TableName, bool>,
) -> Result<Vec<Check>, Trouble> {
    let rights = glance.rights().await?;
    let names: Vec<_> = tables.keys().cloned().collect();
    let found = glance.written(&names).await?;
    let is_made = |table: &TableName| tables.get(table).copied().unwrap_or(false);
    let writes = found.iter().filter_map(|it| judge::writes(&rights, it, is_made(&it.table)));
    let books = judge::books(&rights, &glance.books().await?);
    Ok(std::iter::once(books).chain(writes).collect())
}
