//! PURE: what it takes to have changes recorded by triggers.

use super::lacking::lacking;
use super::sql;
use crate::commands::doctor::check::{Check, Layer};
use connectors::postgres::glance::{Rights, TableRights};
use model::Code;

/// Whether what is recorded has a place, or one can be made.
pub(in crate::commands::doctor::postgres) fn schema(rights: &Rights, is_there: bool) -> Check {
    let (layer, tried) = (Layer::Capability, "ask where changes are recorded");
    let (role, database) = (sql::name(&rights.role), sql::name(&rights.database));
    if is_there {
        return Check::good(layer, tried, "their schema is there");
    }
    if rights.creates || rights.is_superuser {
        return Check::good(layer, tried, "`instep run` makes a schema for them");
    }
    let what = format!("{role} may make no schema in {database}");
    let grant = format!("grant create on database {database} to {role}");
    let why = "what triggers record is kept in a schema of its own";
    let fix = format!("let the owner of the database run `{grant}`");
    lacking(tried, Code::PostgresPrivilege, (what, why), fix)
}

/// Whether changes of a table can be recorded.
pub(in crate::commands::doctor::postgres) fn records(
    rights: &Rights,
    table: &TableRights,
) -> Check {
    let layer = Layer::Capability;
    let tried = format!("ask who may have changes of {} recorded", table.table);
    let (role, name) = (sql::name(&rights.role), sql::table(table.table.as_str()));
    if table.triggers || rights.is_superuser {
        return Check::good(layer, tried, format!("{role} may"));
    }
    let what = format!("{role} may put no trigger on {name}");
    let fix = format!("let {} run `grant trigger on {name} to {role}`", table.owner);
    lacking(tried, Code::PostgresPrivilege, (what, "a trigger records which rows are touched"), fix)
}
