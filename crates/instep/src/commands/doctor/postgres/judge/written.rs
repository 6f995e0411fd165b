//! PURE: what it takes to write to a server's tables, and to keep books there.

use super::lacking::lacking;
use super::sql;
use crate::commands::doctor::check::{Check, Layer};
use crate::problem::Problem;
use connectors::postgres::glance::{Rights, ServerFacts, WrittenTable};
use model::Code;

/// Whether its transactions write unless they say otherwise.
pub(in crate::commands::doctor::postgres) fn takes_writes(
    server: &ServerFacts,
    rights: &Rights,
) -> Check {
    let (layer, tried) = (Layer::Role, "ask whether transactions may write");
    if !server.only_reads {
        return Check::good(layer, tried, "they may");
    }
    let what = "default_transaction_read_only is on for what Instep does there";
    let why = "whatever is written there is refused";
    let (role, database) = (sql::name(&rights.role), sql::name(&rights.database));
    let fix = format!(
        "run `alter role {role} in database {database} set default_transaction_read_only = off`"
    );
    Check::problem(layer, tried, Problem::new(Code::TargetUnavailable, what, why, fix))
}

/// Whether Instep can note there how far it has come, beside the rows.
pub(in crate::commands::doctor::postgres) fn books(
    rights: &Rights,
    books: &[WrittenTable],
) -> Check {
    let (layer, tried) = (Layer::Capability, "ask where Instep notes how far it has come");
    let (role, database) = (sql::name(&rights.role), sql::name(&rights.database));
    let Some(any) = books.first() else {
        return Check::not_measured(layer, tried, "the server did not say");
    };
    let why = "how far a copy has come is noted in the transaction that writes its rows";
    let schema = sql::schema(any.table.as_str());
    if !any.has_schema {
        if rights.creates || rights.is_superuser {
            return Check::good(layer, tried, format!("`instep run` makes the schema {schema}"));
        }
        let what = format!("{role} may make no schema in {database}, and there is no {schema}");
        let fix = format!(
            "let the owner of the database run `create schema {schema} authorization {role}`"
        );
        return lacking(tried, Code::PostgresPrivilege, (what, why), fix);
    }
    let mut grants = Vec::new();
    if !any.uses_schema {
        grants.push(format!("grant usage on schema {schema} to {role}"));
    }
    if !any.creates && books.iter().any(|it| it.owner.is_none()) {
        grants.push(format!("grant create on schema {schema} to {role}"));
    }
    grants.extend(books.iter().filter_map(|it| grant(it, &role)));
    if !grants.is_empty() {
        let what = format!("{role} may not do in the schema {schema} what Instep has to");
        let fix = format!("let the owner of {schema} run `{}`", grants.join("; "));
        return lacking(tried, Code::PostgresPrivilege, (what, why), fix);
    }
    Check::good(layer, tried, format!("in its schema {schema}, which is there"))
}

/// What has to be done to the books, and to the table of a copy or of a pushed count.
const NEEDED: [&str; 4] = ["select", "insert", "update", "delete"];

/// Whether a table can be written to, or made; nothing where it is for its copy to say that it is
/// missing.
pub(in crate::commands::doctor::postgres) fn writes(
    rights: &Rights,
    table: &WrittenTable,
    is_made: bool,
) -> Option<Check> {
    let (layer, tried) = (Layer::Capability, format!("ask who may write to {}", table.table));
    let role = sql::name(&rights.role);
    let (name, schema) = (sql::table(table.table.as_str()), sql::schema(table.table.as_str()));
    let Some(owner) = &table.owner else {
        return is_made.then(|| makes(rights, table));
    };
    let mut grants = Vec::new();
    if !table.uses_schema {
        grants.push(format!("grant usage on schema {schema} to {role}"));
    }
    grants.extend(grant(table, &role));
    if !grants.is_empty() {
        let what = format!("{role} may not write to {name} as a copy is written");
        let fix = format!("let {owner} run `{}`", grants.join("; "));
        let why = "rows are read, inserted, updated and deleted there";
        return Some(lacking(tried, Code::PostgresPrivilege, (what, why), fix));
    }
    if table.sees_some_rows {
        let what = format!("policies decide which rows of {name} the role {role} sees");
        let fix = format!("let a superuser run `alter role {role} bypassrls`");
        let why = "rows that are hidden would look like rows that are missing";
        return Some(lacking(tried, Code::PostgresPrivilege, (what, why), fix));
    }
    let empties = if table.lacks.is_empty() { "" } else { ", and empties it row by row" };
    Some(Check::good(layer, tried, format!("{role} may{empties}")))
}

/// Whether a table that is not there can be made.
fn makes(rights: &Rights, table: &WrittenTable) -> Check {
    let (layer, tried) = (Layer::Capability, format!("ask who may make {}", table.table));
    let (role, schema) = (sql::name(&rights.role), sql::schema(table.table.as_str()));
    let why = "the table is made by `instep run`, in a schema that is there";
    if !table.has_schema {
        let what = format!("there is no schema {schema} for it");
        let fix = format!(
            "let the owner of the database run `create schema {schema} authorization {role}`"
        );
        return lacking(tried, Code::PostgresPrivilege, (what, why), fix);
    }
    if !(table.creates && table.uses_schema) {
        let what = format!("{role} may make no table in the schema {schema}");
        let fix = format!(
            "let the owner of the schema run `grant usage, create on schema {schema} to {role}`"
        );
        return lacking(tried, Code::PostgresPrivilege, (what, why), fix);
    }
    Check::good(layer, tried, format!("{role} may"))
}

/// The statement that grants what is lacking.
fn grant(table: &WrittenTable, role: &str) -> Option<String> {
    let is_needed = |it: &&String| NEEDED.contains(&it.as_str());
    let lacks: Vec<_> = table.lacks.iter().filter(is_needed).map(String::as_str).collect();
    let name = sql::table(table.table.as_str());
    (!lacks.is_empty()).then(|| format!("grant {} on {name} to {role}", lacks.join(", ")))
}
