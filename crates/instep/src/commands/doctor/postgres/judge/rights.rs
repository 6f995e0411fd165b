//! PURE: what the role that we are may do, with the statements that grant what it lacks.

use super::lacking::lacking;
use super::sql;
use crate::commands::doctor::check::{Check, Layer};
use connectors::postgres::glance::{Publication, Rights, TableRights};
use model::{Code, TableName};

/// Whether it may have the stream of changes.
pub(in crate::commands::doctor::postgres) fn replicates(rights: &Rights) -> Check {
    let (layer, tried) = (Layer::Capability, "ask whether the role may replicate");
    let role = sql::name(&rights.role);
    if rights.replicates {
        return Check::good(layer, tried, format!("{role} may"));
    }
    let fix = match &rights.managed_by {
        Some(managed) => format!("run `grant {} to {role}`", sql::name(managed)),
        None => format!("let a superuser run `alter role {role} replication`"),
    };
    let fix =
        format!("{fix}; or have triggers record the changes, with the key capture of the source");
    let what = format!("{role} may not have the stream of changes");
    let why = "the stream of changes is given to roles with that right alone";
    lacking(tried, Code::PostgresPrivilege, (what, why), fix)
}

/// Whether it may read all rows of a table.
pub(in crate::commands::doctor::postgres) fn reads(rights: &Rights, table: &TableRights) -> Check {
    let (layer, tried) = (Layer::Capability, format!("ask who may read {}", table.table));
    let (role, name) = (sql::name(&rights.role), sql::table(table.table.as_str()));
    let mut grants = Vec::new();
    if !table.uses_schema {
        let schema = sql::schema(table.table.as_str());
        grants.push(format!("grant usage on schema {schema} to {role}"));
    }
    if !table.selects {
        grants.push(format!("grant select on {name} to {role}"));
    }
    if !grants.is_empty() {
        let what = format!("{role} may not read {name}");
        let fix = format!("let {} run `{}`", table.owner, grants.join("; "));
        let why = "copies are filled from what it reads";
        return lacking(tried, Code::PostgresPrivilege, (what, why), fix);
    }
    if table.sees_some_rows {
        let what = format!("policies decide which rows of {name} the role {role} sees");
        let fix = format!("let a superuser run `alter role {role} bypassrls`");
        let why = "rows that are hidden would look like rows that are gone";
        return lacking(tried, Code::PostgresPrivilege, (what, why), fix);
    }
    Check::good(layer, tried, format!("{role} may"))
}

/// What is to be published.
pub(in crate::commands::doctor::postgres) struct Wanted<'a> {
    pub(in crate::commands::doctor::postgres) tables: &'a [TableRights],
    /// Whether one of them has its rows in partitions.
    pub(in crate::commands::doctor::postgres) has_root: bool,
    /// Under which name; not known before the first run.
    pub(in crate::commands::doctor::postgres) name: Option<&'a str>,
}

/// Whether the publication is as it has to be, or can be made so.
pub(in crate::commands::doctor::postgres) fn publication(
    rights: &Rights,
    wanted: &Wanted<'_>,
    found: Option<&Publication>,
) -> Check {
    match (wanted.name, found) {
        (Some(name), Some(found)) => there(rights, wanted, (name, found)),
        _ => to_make(rights, wanted),
    }
}

fn there(rights: &Rights, wanted: &Wanted<'_>, (name, found): (&str, &Publication)) -> Check {
    let tried = format!("look at the publication {name}");
    let (layer, name, tables) = (Layer::Capability, sql::name(name), wanted.tables);
    let is_lacking = |it: &&TableRights| !found.tables.contains(&it.table);
    let lacking_tables: Vec<_> = tables.iter().filter(is_lacking).collect();
    let is_cut = |it: &&TableRights| found.cut.contains(&it.table);
    let cut: Vec<_> = tables.iter().filter(is_cut).collect();
    let (mut whats, mut statements) = (Vec::new(), Vec::new());
    if !found.is_whole || !found.is_via_root && wanted.has_root {
        whats.push("it leaves out kinds of changes, or names partitions".to_owned());
        statements.push(format!("alter publication {name} set ({OPTIONS})"));
    }
    if !cut.is_empty() {
        let names = || cut.iter().map(|it| &it.table);
        whats.push(format!("it leaves out rows or columns of {}", listed(names())));
        statements.push(format!("alter publication {name} drop table {}", written(names())));
    }
    let to_add = || lacking_tables.iter().chain(&cut).map(|it| &it.table);
    if !lacking_tables.is_empty() {
        let names = lacking_tables.iter().map(|it| &it.table);
        whats.push(format!("it lacks {}", listed(names)));
    }
    if to_add().next().is_some() {
        statements.push(format!("alter publication {name} add table {}", written(to_add())));
    }
    if statements.is_empty() {
        return Check::good(layer, tried, format!("it is there, with {} tables", tables.len()));
    }
    let owns_all = lacking_tables.iter().chain(&cut).all(|it| it.owns);
    if rights.is_superuser || found.owns && owns_all {
        let found = format!("{}; `instep run` mends that", whats.join(", "));
        return Check::good(layer, tried, found);
    }
    let fix = format!("let {} run `{}`", found.owner, statements.join("; "));
    lacking(tried, Code::PostgresPublication, (whats.join(", "), UNPUBLISHED), fix)
}

/// What is told: every kind of change, and of partitions as of the table that they are parts of.
const OPTIONS: &str =
    "publish = 'insert, update, delete, truncate', publish_via_partition_root = true";

fn to_make(rights: &Rights, wanted: &Wanted<'_>) -> Check {
    let (layer, tried) = (Layer::Capability, "ask whether a publication can be made");
    let (role, database) = (sql::name(&rights.role), sql::name(&rights.database));
    let others: Vec<_> = wanted.tables.iter().filter(|it| !it.owns).collect();
    if rights.is_superuser || rights.creates && others.is_empty() {
        return Check::good(layer, tried, "`instep run` makes it");
    }
    let (mut whats, mut grants) = (Vec::new(), Vec::new());
    if !rights.creates {
        whats.push(format!("may not make anything in the database {database}"));
        grants.push(format!("grant create on database {database} to {role}"));
    }
    if !others.is_empty() {
        whats.push(format!("does not own {}", listed(others.iter().map(|it| &it.table))));
        let mut owners: Vec<_> = others.iter().map(|it| sql::name(&it.owner)).collect();
        owners.sort_unstable();
        owners.dedup();
        grants.extend(owners.iter().map(|owner| format!("grant {owner} to {role}")));
    }
    let what = format!("{role} can not make it: it {}", whats.join(", and "));
    let instead = match wanted.name {
        Some(name) => format!(
            "let the owner of the tables run `create publication {} for table {} with ({OPTIONS})`",
            sql::name(name),
            written(wanted.tables.iter().map(|it| &it.table))
        ),
        None => "start `instep run` once: it says which publication the owner of the tables has \
                 to make"
            .to_owned(),
    };
    // Whoever is given the place of a superuser may do everything.
    let fix = match others.iter().any(|it| it.is_superusers) {
        true => instead,
        false => format!("{instead}; or grant what is lacking: `{}`", grants.join("; ")),
    };
    lacking(tried, Code::PostgresPublication, (what, UNPUBLISHED), fix)
}

/// Why a publication that is not as it has to be stops everything.
const UNPUBLISHED: &str = "the server tells of the tables of the publication alone, and the owner of a \
     table decides who is told of it";

fn listed<'a>(tables: impl Iterator<Item = &'a TableName>) -> String {
    tables.map(TableName::as_str).collect::<Vec<_>>().join(", ")
}

/// Tables as a publication takes them: without those that inherit from them, whose writers would
/// else be refused what their own keys do not allow.
fn written<'a>(tables: impl Iterator<Item = &'a TableName>) -> String {
    let only = |table: &TableName| format!("only {}", sql::table(table.as_str()));
    tables.map(only).collect::<Vec<_>>().join(", ")
}
