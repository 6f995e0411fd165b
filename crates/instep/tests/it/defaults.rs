//! What holds without a key: the defaults of the configuration are those of the code that they are
//! for.

use engine::{Limits, WhenFull};
use instep::config::{Role, Service, Surroundings, load_text};
use journal::Options;
use std::path::PathBuf;

fn surroundings() -> Surroundings {
    Surroundings { variables: Default::default(), folder: PathBuf::from("/base") }
}

#[test]
fn the_defaults_are_those_of_the_engine_and_the_journal() {
    let loaded = load_text("x", b"version: 1".to_vec(), surroundings()).unwrap();
    assert_eq!(loaded.config.limits, Limits::default());
    assert_eq!(loaded.config.journal, Options::default());
    assert_eq!(loaded.config.listen.to_string(), "127.0.0.1:7171");
    assert_eq!(loaded.config.data_dir, PathBuf::from("/base/instep-data"));
    assert_eq!(loaded.config.when_full, WhenFull::Detach);
    let limits = connectors::postgres::SourceLimits::default();
    assert_eq!(loaded.config.slot_wal_bytes_max, limits.slot_wal_bytes_max);
    assert!(loaded.config.tokens.is_empty() && loaded.config.tls.is_none());
}

#[test]
fn everything_that_is_written_arrives() {
    let text = "
version: 1
services: { a: { sqlite: a.db }, b: { sqlite: /b.db }, c: { sqlite: ../c.db } }
sources: { s: { from: [a, b], tables: [t, u], shard_in_key: true } }
copies:
  one: { of: s/t, to: c/x, fields: { new: old }, create: true, shard_column: owner }
counts:
  n: { of: s/u, by: [p, q], where: p > 1, to: [c/n] }
when_full: wait
auth: { tokens: [{ name: ops, role: operator, token: s3cret }] }
limits: { lease_seconds: 1.25, reread_max: 9, journal_bytes_max: 8192, part_bytes_max: 4096 }
";
    let loaded = load_text("x.yaml", text.into(), surroundings()).unwrap();
    let config = &loaded.config;
    assert_eq!(config.services["b"], Service::Sqlite("/b.db".into()));
    let source = &config.sources[0];
    assert_eq!((source.services.len(), source.tables.len(), source.shard_in_key), (2, 2, true));
    let copy = &config.copies[0];
    assert_eq!((copy.name.as_str(), copy.source.as_str(), copy.table.as_str()), ("one", "s", "t"));
    assert_eq!((copy.to.service.as_str(), copy.to.table.as_str()), ("c", "x"));
    assert_eq!((copy.fields["new"].as_str(), copy.create), ("old", true));
    assert_eq!(copy.shard_column.as_deref(), Some("owner"));
    let count = &config.counts[0];
    assert_eq!((count.source.as_str(), count.to[0].table.as_str()), ("s", "n"));
    assert_eq!(count.definition.by.len(), 2);
    assert_eq!(count.definition.condition.as_ref().unwrap().to_string(), "p > 1");
    assert_eq!(config.when_full, WhenFull::Wait);
    assert_eq!(
        (config.tokens[0].role, config.tokens[0].secret.reveal()),
        (Role::Operator, "s3cret")
    );
    assert_eq!(format!("{:?}", config.tokens[0].secret), "***");
    assert_eq!(config.limits.lease.as_millis(), 1250);
    assert_eq!((config.limits.reread_max, config.journal.journal_bytes_max), (9, 8192));
    assert_eq!(config.part_bytes_max, 4096);
    let place = loaded.place("copies.one.to").unwrap();
    assert_eq!((place.file.as_str(), place.line, place.column), ("x.yaml", 6, 23));
    assert_eq!(loaded.place("copies.none.to"), None);
}
