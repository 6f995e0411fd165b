//! The schema for editors and the reader agree, because they are made from the same keys.

use super::program::Folder;
use instep::config::schema::schema;
use instep::config::{Surroundings, load_text};
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn good() -> Value {
    json!({
           "version": 1,
           "data_dir": "./data",
           "listen": "127.0.0.1:0",
           "services": {
               "a": { "sqlite": "a.db" }, "b": { "sqlite": "b.db" },
               "p": { "postgres": "postgres://app@db/quiz", "password": "s3cret" },
           },
           "sources": {
               "q": { "from": "p", "tables": ["public.t"] },
    "s": { "from": "a", "tables": ["t", "u"], "shard_in_key": false },
           },
           "copies": { "c": { "of": "s/t", "to": "b/t", "fields": { "x": "y" }, "create": true } },
           "counts": { "n": { "of": "s/u", "by": ["topic"], "where": "x = 1", "to": ["b/n"] } },
           "log": "embedded",
           "confirm": "durable",
           "when_full": "wait",
           "limits": { "held_keys_max": 5, "lease_seconds": 2.5 },
           "auth": { "tokens": [{ "name": "ops", "role": "viewer", "token": "s3cret" }] },
       })
}

/// The codes that the reader finds, by the names that users see.
fn codes(config: &Value) -> BTreeSet<&'static str> {
    let around = Surroundings { variables: Default::default(), folder: PathBuf::from("/base") };
    let read = load_text("x", config.to_string().into_bytes(), around);
    let problems = read.map_or_else(|problems| problems, |loaded| loaded.warnings);
    problems.iter().map(|problem| problem.code.name()).collect()
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

#[test]
fn the_schema_is_one_and_is_what_the_command_prints() {
    assert!(jsonschema::meta::is_valid(&schema()));
    let ran = Folder::new().run("config schema");
    assert_eq!((ran.code, serde_json::from_str::<Value>(&ran.out).unwrap()), (0, schema()));
    assert_eq!(Folder::new().run("--json config schema").json()["data"], schema());
    assert!(validator().is_valid(&good()));
    assert_eq!(codes(&good()), BTreeSet::new());
}

#[test]
fn a_default_fits_its_own_schema() {
    fn check(schema: &Value) {
        if let Some(default) = schema.get("default") {
            assert!(jsonschema::is_valid(schema, default), "{schema}");
        }
        for inner in schema["properties"].as_object().into_iter().flat_map(|map| map.values()) {
            check(inner);
        }
    }
    check(&schema());
}

/// The paths of every value in a document, the outermost first.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, inner)| paths(inner, &format!("{path}/{key}"), found));
        }
        Value::Array(items) => {
            let inner = items.iter().enumerate();
            inner.for_each(|(at, inner)| paths(inner, &format!("{path}/{at}"), found));
        }
        _ => {}
    }
}

/// Puts a value somewhere, adds a key there, or takes one away.
fn mutate(config: &mut Value, at: &Index, new: Value, key: &'static str) {
    let mut all = Vec::new();
    paths(config, "", &mut all);
    let place = config.pointer_mut(&all[at.index(all.len())]).unwrap();
    match (place.as_object_mut(), key) {
        (Some(map), "") => {
            let first = map.keys().next().cloned();
            first.map(|first| map.remove(&first));
        }
        (Some(map), key) => {
            map.insert(key.to_owned(), new);
        }
        (None, _) => *place = new,
    }
}

const KEYS: [&str; 13] = [
    "",
    "nope",
    "sqlite",
    "postgres",
    "password",
    "file",
    "tables",
    "shard_column",
    "proof",
    "held_keys_max",
    "to",
    "UPPER",
    "token",
];

fn value() -> impl Strategy<Value = Value> {
    let values = json!([
        null, true, 1, 0, -5, 2.5, 1e30, "", "x", "s/t", "127.0.0.1:1", "${A:-b}", "viewer", "1",
        [], ["a"], ["a", "a"], {}, { "sqlite": "x" }, { "file": "x" }, "***",
        "postgres://a@b/c", "postgres://a:***@b/c", "public.t"
    ]);
    select(values.as_array().unwrap().clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn what_the_reader_takes_the_schema_takes_and_what_has_wrong_keys_neither_does(
        changes in prop::collection::vec((any::<Index>(), value(), select(&KEYS[..])), 1..4),
    ) {
        let mut config = good();
        for (at, new, key) in changes {
            mutate(&mut config, &at, new, key);
        }
        let found = codes(&config);
        let valid = validator().is_valid(&config);
        let about_keys = ["E-CONFIG-UNKNOWN-KEY", "E-CONFIG-MISSING-KEY", "E-CONFIG-NOT-YET"];
        if found.is_empty() {
            prop_assert!(valid, "{config}");
        }
        if about_keys.iter().any(|code| found.contains(code)) {
            prop_assert!(!valid, "{config}: {found:?}");
        }
    }
}
