//! PURE: a table as its URL names it: which database, and which table there.

use crate::config::{Service, ServiceKind};
use crate::report::Report;
use connectors::postgres::Access;
use model::{Code, Fault, TableName};
use percent_encoding::percent_decode_str;
use std::path::PathBuf;

/// A database, and the table in it if the URL says one.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// The database.
    pub(super) service: Service,
    /// The table, as it was typed.
    pub(super) table: Option<String>,
}

/// The parameter that says the table.
const TABLE: &str = "table";

/// Why a URL can not be used.
pub(super) enum Unread {
    /// It is none of ours.
    Usage(Report),
    /// It is of PostgreSQL, which does not take it.
    Access(Fault),
}

impl Given {
    /// What a person has typed behind this flag.
    pub(super) fn read(flag: &str, typed: &str) -> Result<Self, Unread> {
        let usage = |what: String, fix: String| Unread::Usage(Report::usage(what, fix));
        let wrong = |what: &str| usage(format!("{flag}: {what}"), how(flag));
        if typed.starts_with("postgres://") || typed.starts_with("postgresql://") {
            let (url, table) = split(typed).map_err(wrong)?;
            let access = Access::parse(&url).map_err(Unread::Access)?;
            return Ok(Given { service: Service::Postgres(Box::new(access)), table });
        }
        let Some(rest) = typed.strip_prefix("sqlite:") else {
            // Whatever it is, it may hold a password.
            let scheme = typed.split(':').next().unwrap_or_default();
            let what = match typed.contains(':') {
                true => {
                    format!("{flag}: {scheme:?} is the beginning of no database that can be read")
                }
                false => format!("{flag} is no URL"),
            };
            return Err(usage(what, how(flag)));
        };
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, table) = match split(rest).map_err(wrong)? {
            // A file may be called anything.
            (_, None) => (rest.to_owned(), None),
            (path, table) if !path.contains('?') => (path, table),
            _ => return Err(wrong("a SQLite file has no other parameter than `table`")),
        };
        if path.is_empty() {
            return Err(wrong("the URL names no file"));
        }
        let path = std::path::absolute(&path).unwrap_or_else(|_| PathBuf::from(path));
        Ok(Given { service: Service::Sqlite(path), table })
    }

    /// What kind of database it is.
    pub(super) fn kind(&self) -> ServiceKind {
        kind(&self.service)
    }
}

/// What kind of database it is.
pub(super) fn kind(service: &Service) -> ServiceKind {
    match service {
        Service::Sqlite(_) => ServiceKind::Sqlite,
        Service::Postgres(_) => ServiceKind::Postgres,
    }
}

/// How a table is written behind this flag.
pub(super) fn how(flag: &str) -> String {
    format!(
        "write {flag} 'postgres://USER@SERVER/DATABASE?table=SCHEMA.NAME' or {flag} 'sqlite:PATH?table=NAME'"
    )
}

/// The names of both tables; where one is left out, it is called like the other one.
pub(super) fn tables(source: &Given, copy: &Given) -> Result<[TableName; 2], Report> {
    let named = |given: &Given| given.table.as_deref().map(|table| named(given.kind(), table));
    let (source_table, copy_table) = match (named(source), named(copy)) {
        (Some(source), Some(copy)) => (source, copy),
        (Some(name), None) => (name.clone(), alike(&name, source, copy, "--copy")?),
        (None, Some(name)) => (alike(&name, copy, source, "--source")?, name),
        (None, None) => {
            let what = "neither URL says which table";
            return Err(Report::usage(what, "write it behind the URL, such as ?table=questions"));
        }
    };
    Ok([source_table.as_str().into(), copy_table.as_str().into()])
}

/// A table of such a database, with the schema that is meant where none is said.
pub(super) fn named(kind: ServiceKind, table: &str) -> String {
    match kind {
        ServiceKind::Postgres if !table.contains('.') => format!("public.{table}"),
        _ => table.to_owned(),
    }
}

/// What a table of one database is called in the other one.
fn alike(name: &str, one: &Given, other: &Given, flag: &str) -> Result<String, Report> {
    match (one.kind(), other.kind()) {
        (ServiceKind::Postgres, ServiceKind::Sqlite) => {
            let bare = name.strip_prefix("public.").map(str::to_owned);
            bare.ok_or_else(|| {
                let what = format!("{flag} does not say which table is compared with {name}");
                Report::usage(what, "write it behind the URL, such as ?table=questions")
            })
        }
        (_, kind) => Ok(named(kind, name)),
    }
}

/// A URL without the parameter that says the table, and what that says.
fn split(url: &str) -> Result<(String, Option<String>), &'static str> {
    let Some((before, query)) = url.split_once('?') else { return Ok((url.to_owned(), None)) };
    let is_table = |pair: &&str| pair.split('=').next() == Some(TABLE);
    let (tables, rest): (Vec<&str>, Vec<&str>) = query.split('&').partition(is_table);
    let table = match tables[..] {
        [] => None,
        [table] => Some(decoded(table.split_once('=').map_or("", |(_, value)| value))?),
        _ => return Err("the URL says `table` more than once"),
    };
    let url = match rest.is_empty() {
        true => before.to_owned(),
        false => format!("{before}?{}", rest.join("&")),
    };
    Ok((url, table))
}

fn decoded(text: &str) -> Result<String, &'static str> {
    let is_broken = |(at, _): (usize, _)| {
        let digits = text.as_bytes().get(at + 1..at + 3);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if text.match_indices('%').any(is_broken) {
        return Err("the table has a `%` without two digits: write %25 for a percent sign");
    }
    let table = percent_decode_str(text).decode_utf8();
    let table = table.map_err(|_| "the table is not UTF-8")?.into_owned();
    match table.is_empty() || table.contains('\0') {
        true => Err("`table` has no name in it"),
        false => Ok(table),
    }
}

/// The code of a URL that PostgreSQL does not take is for the command line here.
pub(super) fn unread(flag: &str, unread: Unread) -> Report {
    match unread {
        Unread::Usage(report) => report,
        Unread::Access(fault) => {
            let what = format!("{flag}: {}", fault.what);
            crate::commands::failing::failed(Fault { what, code: Code::PostgresUrl, ..fault })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(typed: &str) -> Option<Given> {
        Given::read("--copy", typed).ok()
    }

    fn pair(source: &str, copy: &str) -> Option<[String; 2]> {
        let names = tables(&read(source).unwrap(), &read(copy).unwrap()).ok()?;
        Some(names.map(|name| name.to_string()))
    }

    #[test]
    fn the_table_is_taken_out_of_a_url_and_the_rest_stays() {
        let given =
            read("postgres://a:b@c/d?sslmode=disable&table=public.a%20b%25&connect_timeout=3");
        let given = given.unwrap();
        assert_eq!(given.table.as_deref(), Some("public.a b%"));
        let Service::Postgres(access) = given.service else { panic!("it is a PostgreSQL") };
        assert_eq!((access.to_string(), access.connect_timeout.as_secs()), ("c:5432/d".into(), 3));
        for (typed, path, table) in [
            ("sqlite:/a/b.db?table=t", "/a/b.db", Some("t")),
            ("sqlite:///a/b.db?table=x=y", "/a/b.db", Some("x=y")),
            ("sqlite:/a/b.db?c", "/a/b.db?c", None),
            ("sqlite:/a/50%.db", "/a/50%.db", None),
        ] {
            let given = read(typed).unwrap();
            assert_eq!(given.service, Service::Sqlite(path.into()), "{typed}");
            assert_eq!(given.table.as_deref(), table, "{typed}");
        }
        let (one, other) = (read("sqlite:a.db").unwrap(), read("sqlite://a.db").unwrap());
        assert_eq!(one.service, other.service);
    }

    #[test]
    fn a_url_that_can_not_be_used_is_refused() {
        for bad in [
            "",
            "search",
            "mysql://a:s3cret@b/c?table=d",
            "sqlite:",
            "sqlite:?table=a",
            "sqlite:a.db?mode=ro&table=a",
            "sqlite:a.db?table=a&table=b",
            "sqlite:a.db?table=",
            "sqlite:a.db?table=%",
            "sqlite:a.db?table=%ff",
            "sqlite:a.db?table=%00",
            "postgres://a@b:c/d?table=e",
            "postgres://a@b/d?nothing=e&table=e",
        ] {
            let refused = Given::read("--copy", bad).map_err(|it| unread("--copy", it));
            let report = refused.unwrap_err();
            assert_eq!(report.exit as u8, 2, "{bad}");
            assert!(!format!("{report:?}").contains("s3cret"), "{bad}");
        }
    }

    #[test]
    fn a_table_that_is_left_out_is_called_like_the_other_one() {
        let names = |source: &str, copy: &str| Some([source.to_owned(), copy.to_owned()]);
        let (pg, file) = ("postgres://a@b/c", "sqlite:a.db");
        let of = |url: &str, table: &str| format!("{url}?table={table}");
        assert_eq!(pair(&of(pg, "t"), file), names("public.t", "t"));
        assert_eq!(pair(file, &of(pg, "s.t")), None);
        assert_eq!(pair(&of(file, "t"), pg), names("t", "public.t"));
        assert_eq!(pair(&of(pg, "s.t"), pg), names("s.t", "s.t"));
        assert_eq!(pair(file, &of(file, "a.b")), names("a.b", "a.b"));
        assert_eq!(pair(&of(pg, "s.t"), &of(file, "u")), names("s.t", "u"));
        assert_eq!(pair(pg, file), None);
    }
}
