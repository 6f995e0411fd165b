//! PURE: a copy of the configuration, as pairs of tables: one for each service of its source.

use super::given::kind;
use super::place::{Pair, Place};
use crate::config::{Config, Copy, ServiceKind, Source};
use crate::registry;
use crate::report::Report;
use crate::suggest;
use connectors::{postgres, sqlite};
use model::Value;

/// The pairs of a copy, with what else is asked of the rows of both sides.
pub(super) fn read(
    config: &Config,
    name: &str,
    [of_source, of_copy]: [Option<String>; 2],
) -> Result<Vec<Pair>, Report> {
    let copy = config.copies.iter().find(|copy| copy.name.as_str() == name);
    let copy = copy.ok_or_else(|| unknown(config, name))?;
    let source = config.sources.iter().find(|source| source.name == copy.source);
    let source = source.ok_or_else(|| unknown(config, name))?;
    if source.has_kind(&copy.table) {
        let what =
            format!("{} is a kind of an outbox, whose rows the source does not keep", copy.table);
        return Err(Report::usage(what, "compare copies of tables"));
    }
    let pair = |service: &String| {
        let condition = shard(config, copy, source, service)?;
        Ok(Pair {
            shard: (source.services.len() > 1).then(|| service.clone()),
            source: Place {
                service: config.services[service].clone(),
                table: copy.table.clone(),
                condition: of_source.clone(),
            },
            copy: Place {
                service: config.services[&copy.to.service].clone(),
                table: copy.to.table.as_str().into(),
                condition: both(of_copy.clone(), condition),
            },
            map: copy
                .fields
                .iter()
                .map(|(to, of)| (to.as_str().into(), of.as_str().into()))
                .collect(),
            leave_out: copy.shard_column.iter().map(|column| column.as_str().into()).collect(),
        })
    };
    source.services.iter().map(pair).collect()
}

/// Nobody has said which copy.
pub(super) fn unnamed(config: &Config) -> Report {
    let names = names(config);
    let fix = match names.is_empty() {
        true => "the configuration has none; say --source URL and --copy URL".to_owned(),
        false => format!("say one of the configuration's: --copy {}", names.join(", --copy ")),
    };
    Report::usage("nothing says which copy is compared", fix)
}

fn unknown(config: &Config, name: &str) -> Report {
    let what = format!("the configuration has no copy {name:?}");
    Report::usage(what, suggest::fix(name, names(config)))
}

fn names(config: &Config) -> Vec<&str> {
    config.copies.iter().map(|copy| copy.name.as_str()).collect()
}

/// Which rows of the copy come from this service, as a condition of the copy's database; none where
/// all do.
fn shard(
    config: &Config,
    copy: &Copy,
    source: &Source,
    service: &str,
) -> Result<Option<String>, Report> {
    if source.services.len() < 2 {
        return Ok(None);
    }
    let Some(column) = &copy.shard_column else {
        let what = format!(
            "the copy {} does not say from which service of {} a row comes",
            copy.name, source.name
        );
        return Err(Report::usage(
            what,
            "give the copy a `shard_column`, or compare with --source URL and --copy URL",
        ));
    };
    let lane = Value::from(registry::lane(&source.name, service).as_str());
    Ok(Some(match kind(&config.services[&copy.to.service]) {
        ServiceKind::Sqlite => {
            format!("{} = {}", sqlite::literal::column(column), sqlite::literal::literal(&lane))
        }
        ServiceKind::Postgres => {
            let lane = postgres::literal::literal(&lane).unwrap_or_default();
            format!("{} = {lane}", postgres::literal::column(column))
        }
    }))
}

/// Both conditions. What a person writes may end in a comment.
fn both(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => Some(format!("({one}\n) and {other}")),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Surroundings, load_text};
    use std::path::Path;

    fn config(more: &str) -> Config {
        let text = format!(
            "version: 1
services:
  {{ a: {{ sqlite: a.db }}, b: {{ sqlite: b.db }}, c: {{ sqlite: c.db }}, to: {{ sqlite: to.db }} }}
sources:
  one: {{ from: c, tables: [t] }}
  two: {{ from: [a, b], tables: [u] }}
copies:
{more}"
        );
        let around = Surroundings::of(Path::new("/x/instep.yaml"));
        load_text("instep.yaml", text.into_bytes(), around)
            .map_err(|it| format!("{it:?}"))
            .unwrap()
            .config
    }

    #[test]
    fn a_copy_is_compared_with_each_service_of_its_source() {
        let config = config(
            "  plain: { of: one/t, to: to/x, fields: { c: d } }
  parts: { of: two/u, to: to/y, shard_column: \"the'shard\" }\n",
        );
        let pairs = read(&config, "plain", [None, Some("n > 1".to_owned())]).unwrap();
        let [pair] = &pairs[..] else { panic!("{pairs:?}") };
        assert_eq!((pair.shard.as_deref(), pair.source.table.as_str()), (None, "t"));
        assert_eq!(pair.copy.condition.as_deref(), Some("n > 1"));
        assert_eq!(pair.map.get("c").map(|it| &**it), Some("d"));
        let pairs = read(&config, "parts", [None, Some("n > 1 -- all".to_owned())]).unwrap();
        let shards: Vec<_> = pairs.iter().filter_map(|it| it.shard.as_deref()).collect();
        assert_eq!(shards, ["a", "b"]);
        let condition = pairs[1].copy.condition.as_deref();
        assert_eq!(condition, Some("(n > 1 -- all\n) and \"the'shard\" = 'two/b'"));
        assert_eq!(pairs[1].source.condition, None);
        assert_eq!(pairs[1].leave_out, ["the'shard".into()]);
    }

    #[test]
    fn a_copy_that_is_not_there_is_refused_with_those_that_are() {
        let config = config("  plain: { of: one/t, to: to/x }\n");
        let refused = read(&config, "plian", [None, None]).unwrap_err();
        assert!(refused.problems[0].fix.contains("did you mean `plain`?"), "{refused:?}");
        assert!(unnamed(&config).problems[0].fix.contains("--copy plain"));
    }
}
