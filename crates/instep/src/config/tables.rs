//! PURE: what a table may be called, which the kind of its service decides.

use super::forms::{self, Misfit};
use super::shape::Form;
use super::types::ServiceKind;
use model::Code;

/// Why the configuration can not name a table of such a service; nothing if it can.
pub(crate) fn table_misfit(kind: ServiceKind, table: &str) -> Option<String> {
    let read = forms::check(Form::Table, table);
    read.and_then(|()| check(kind, table)).err().map(|misfit| misfit.what)
}

/// Says whether a table of such a service can be called that.
pub(super) fn check(kind: ServiceKind, table: &str) -> Result<(), Misfit> {
    match kind {
        ServiceKind::Sqlite => in_sqlite(table),
        ServiceKind::Postgres => in_postgres(table),
    }
}

/// The longest name of a schema or a table that a PostgreSQL keeps as it is.
const NAME_BYTES_MAX: usize = 63;

/// Prefixes of tables that belong to the database or to Instep.
const RESERVED: [&str; 2] = ["instep_", "sqlite_"];

/// The schema in which Instep keeps its books in a PostgreSQL.
const BOOKS: &str = "instep";

/// Schemas that a table name may be written with elsewhere.
const SCHEMAS: [&str; 3] = ["main.", "temp.", "public."];

fn in_sqlite(table: &str) -> Result<(), Misfit> {
    let lower = table.to_ascii_lowercase();
    if let Some(prefix) = RESERVED.iter().find(|prefix| lower.starts_with(**prefix)) {
        return Err(reserved(prefix));
    }
    if let Some(schema) = SCHEMAS.iter().find(|schema| lower.starts_with(**schema)) {
        let what = format!("has the schema `{schema}`, and SQLite tables are named without one");
        let fix = format!("write `{}`", table.get(schema.len()..).unwrap_or_default());
        return Err(misfit(what, fix));
    }
    Ok(())
}

/// The name of a schema ends at the first dot; the rest is the table's, whatever is in it.
fn in_postgres(table: &str) -> Result<(), Misfit> {
    let (schema, name) = match table.split_once('.') {
        Some((schema, name)) if !schema.is_empty() && !name.is_empty() => (schema, name),
        _ => {
            let bare = table.trim_matches('.');
            let what = "has no schema, and PostgreSQL tables are named with theirs";
            let fix = format!("write `public.{bare}`, or the schema that it is in for `public`");
            return Err(misfit(what, fix));
        }
    };
    if schema.starts_with("pg_") || schema == "information_schema" || schema == BOOKS {
        return Err(reserved(&format!("{schema}.")));
    }
    if name.starts_with("instep_") {
        return Err(reserved("instep_"));
    }
    match [schema, name].iter().any(|part| part.len() > NAME_BYTES_MAX) {
        true => {
            let what = format!("has a name of more than {NAME_BYTES_MAX} bytes");
            Err(misfit(what, "name it as PostgreSQL does, which cuts what is longer"))
        }
        false => Ok(()),
    }
}

fn reserved(prefix: &str) -> Misfit {
    misfit(format!("begins with `{prefix}`, which is reserved"), "name a table of your own")
}

fn misfit(what: impl Into<String>, fix: impl Into<String>) -> Misfit {
    Misfit { code: Code::ConfigName, what: what.into(), fix: fix.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_a_file_have_no_schema_and_no_reserved_name() {
        for bad in ["Instep_changes", "sqlite_sequence", "main.a", "public.a", "TEMP.x"] {
            assert!(check(ServiceKind::Sqlite, bad).is_err(), "{bad}");
        }
        for good in ["a.b", "my table", "instep", "pg_class"] {
            assert_eq!(check(ServiceKind::Sqlite, good), Ok(()), "{good}");
        }
        assert_eq!(check(ServiceKind::Sqlite, "public.T").unwrap_err().fix, "write `T`");
    }

    #[test]
    fn tables_of_postgresql_have_a_schema_that_is_a_users() {
        let (long, longest) = (format!("a.{}", "é".repeat(32)), format!("a.{}", "x".repeat(63)));
        for bad in [
            "a",
            ".a",
            "a.",
            "pg_catalog.pg_class",
            "information_schema.x",
            "x.instep_y",
            "instep.watermarks",
            &long,
        ] {
            assert!(check(ServiceKind::Postgres, bad).is_err(), "{bad}");
        }
        for good in ["public.a", "public.a.b", "Sales.\"Odd\"", "sqlite_x.instep", &longest] {
            assert_eq!(check(ServiceKind::Postgres, good), Ok(()), "{good}");
        }
        let fix = check(ServiceKind::Postgres, "questions").unwrap_err().fix;
        assert!(fix.contains("write `public.questions`"), "{fix}");
        assert!(table_misfit(ServiceKind::Postgres, &"x".repeat(999)).is_some());
    }
}
