//! What stands in a database so that changes are recorded: a schema of the follower's own, with a
//! table of changes, and for each followed table a function and two triggers.

use crate::postgres::quote;
use crate::postgres::schema::Described;
use crate::postgres::session::Session;
use crate::postgres::source::unready::Unready;
use crate::postgres::trouble::Trouble;
use crate::postgres::types::Form;
use model::{Code, Fault};
use std::collections::BTreeMap;

/// What stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// The number of the schema.
    pub(super) schema: u32,
    /// The number of the trigger on each table where both are there and enabled.
    pub(super) tables: BTreeMap<u32, u32>,
}

/// What stands there now; nothing if there is not even the schema.
pub(super) async fn look(session: &Session, schema: &str) -> Result<Option<Standing>, Trouble> {
    let of = quote::text(schema);
    let look = format!("select oid from pg_namespace where nspname = {of}");
    let Some(row) = session.query(&look).await?.pop() else { return Ok(None) };
    let mut standing = Standing { schema: number(row.first())?, ..Standing::default() };
    let triggers = format!(
        "select tgrelid, min(oid) from pg_trigger where tgname in ({of}, {}) and tgenabled <> 'D' \
         and not tgisinternal group by tgrelid having count(*) = 2",
        quote::text(&whole(schema))
    );
    for row in session.query(&triggers).await? {
        standing.tables.insert(number(row.first())?, number(row.get(1))?);
    }
    Ok(Some(standing))
}

/// Puts there what is missing, all at once, and gives what stands there then.
pub(super) async fn ensure(
    session: &Session,
    schema: &str,
    tables: &[Described],
) -> Result<Standing, Unready> {
    let there = look(session, schema).await?;
    let is_there = |table: &&Described| {
        there.as_ref().is_some_and(|there| there.tables.contains_key(&table.oid))
    };
    let missing: Vec<_> = tables.iter().filter(|table| !is_there(table)).collect();
    if let (Some(there), true) = (&there, missing.is_empty()) {
        return Ok(there.clone());
    }
    let mut statements = "begin; set local lock_timeout = '3s';".to_owned();
    if there.is_none() {
        statements += &books(schema);
    }
    statements.extend(missing.iter().map(|table| recording(schema, table)));
    let done = session.query(&(statements + "commit")).await;
    if let Err(trouble) = done {
        drop(session.query("rollback").await);
        return Err(refused(trouble, schema, &missing));
    }
    look(session, schema).await?.ok_or_else(|| {
        Fault::retry(Code::SourceUnavailable, "what records the changes was dropped just now")
            .into()
    })
}

/// Takes everything away; whether there was anything.
pub(super) async fn remove(session: &Session, schema: &str) -> Result<bool, Trouble> {
    let was_there = look(session, schema).await?.is_some();
    // The triggers stand on the functions in it.
    session.query(&format!("drop schema if exists {} cascade", quote::name(schema))).await?;
    Ok(was_there)
}

/// PURE: the tables of a follower.
fn books(schema: &str) -> String {
    let name = quote::name(schema);
    format!(
        "create schema {name};
         create table {name}.changes (
             seq bigint generated always as identity primary key,
             xid xid8 not null default pg_current_xact_id(),
             tbl oid not null,
             key text[]);
         create index changes_xid on {name}.changes (xid);
         create table {name}.readings (
             place pg_lsn primary key,
             snapshot pg_snapshot not null,
             number xid8 not null,
             read_at bigint not null);"
    )
}

/// PURE: the function and the triggers of a table. The function does what it does as its owner, so
/// that writers need no right of ours; what it calls is named in full, so that nobody can put
/// something else in its way.
fn recording(schema: &str, table: &Described) -> String {
    let (name, oid) = (quote::name(schema), table.oid);
    let columns: Vec<_> = table.table.key_names().map(quote::name).collect();
    let cells = |row: &str| {
        let cells = columns.iter().map(|column| format!("{row}.{column}::pg_catalog.text"));
        format!("array[{}]", cells.collect::<Vec<_>>().join(", "))
    };
    let rows = |row: &str| {
        let cells = columns.iter().map(|column| format!("{row}.{column}"));
        format!("row({})", cells.collect::<Vec<_>>().join(", "))
    };
    let (old, new, old_key, new_key) = (cells("old"), cells("new"), rows("old"), rows("new"));
    let record = format!("insert into {name}.changes (tbl, key) values ({oid}, ");
    let settings = settings(table);
    let (row_trigger, whole_trigger) = (&name, quote::name(&whole(schema)));
    let on = on(table);
    format!(
        "create or replace function {name}.record_{oid}() returns trigger language plpgsql \
         security definer set search_path = pg_catalog, pg_temp {settings} as $record$ begin
           if tg_op = 'TRUNCATE' then {record} null); return null; end if;
           if tg_op <> 'INSERT' then {record} {old}); end if;
           if tg_op = 'INSERT' then {record} {new});
           elsif tg_op = 'UPDATE' then
             if {new_key} is distinct from {old_key} then {record} {new}); end if;
           end if;
           return null;
         end $record$;
         drop trigger if exists {row_trigger} on {on};
         drop trigger if exists {whole_trigger} on {on};
         create trigger {row_trigger} after insert or update or delete on {on} \
           for each row execute function {name}.record_{oid}();
         create trigger {whole_trigger} after truncate on {on} \
           for each statement execute function {name}.record_{oid}();"
    )
}

/// Values of most kinds are written in one way only.
fn settings(table: &Described) -> &'static str {
    let is_plain = |form: &Form| {
        matches!(form, Form::Int | Form::Text | Form::Uuid | Form::Bool | Form::Decimal)
    };
    match table.table.key.iter().all(|&at| is_plain(&table.columns[at].form)) {
        true => "",
        false => {
            "set datestyle = 'ISO' set intervalstyle = 'iso_8601' set timezone = 'UTC' \
             set extra_float_digits = 1 set bytea_output = 'hex'"
        }
    }
}

/// The name of the trigger that sees a table emptied.
fn whole(schema: &str) -> String {
    format!("{schema}_all")
}

/// A table's name as SQL: the schema ends at the first dot.
pub(super) fn on(table: &Described) -> String {
    let name = table.table.name.as_str();
    let (schema, name) = name.split_once('.').unwrap_or(("", name));
    format!("{}.{}", quote::name(schema), quote::name(name))
}

fn refused(trouble: Trouble, schema: &str, tables: &[&Described]) -> Unready {
    let state = trouble.refused().map(|refused| refused.sqlstate.clone()).unwrap_or_default();
    let names: Vec<_> = tables.iter().map(|table| on(table)).collect();
    match state.as_str() {
        "42501" => {
            let what = format!(
                "{trouble}; to record changes in the schema {schema} the role needs: grant create on \
                 database … to it, and grant select, trigger on {} to it",
                names.join(", ")
            );
            Fault::retry(Code::PostgresPrivilege, what).into()
        }
        "55P03" => {
            let what =
                format!("somebody is writing to {} all the while: {trouble}", names.join(", "));
            Fault::retry(Code::SourceUnavailable, what).into()
        }
        _ => Unready::Trouble(trouble),
    }
}

fn number(cell: Option<&Option<String>>) -> Result<u32, Trouble> {
    let number = cell.and_then(Option::as_ref).and_then(|cell| cell.parse().ok());
    number.ok_or_else(|| Trouble::malformed("the catalog shows a number that is none"))
}
