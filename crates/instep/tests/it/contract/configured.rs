//! The configuration: every key of the contract, what is of a later version, and where errors are.

use crate::program::Folder;
use serde_json::Value;

const WHOLE: &str = "
version: 1
data_dir: ./d
listen: 127.0.0.1:0
log: embedded
confirm: durable
when_full: detach
auth: { tokens: [{ name: ops, role: operator, token: s3cret }] }
services: { a: { sqlite: a.db }, a2: { sqlite: a2.db }, b: { sqlite: b.db } }
sources: { s: { from: [a, a2], tables: [t], shard_in_key: false } }
copies: { c: { of: s/t, to: b/t, fields: { x: y }, create: true, shard_column: z } }
counts: { n: { of: s/t, by: [x], where: x is not null, to: [b/n] } }
";

#[test]
fn every_key_of_the_contract_is_known_and_shown() {
    let folder = Folder::with(WHOLE);
    let ran = folder.run("--json config show");
    assert_eq!((ran.code, ran.problems()), (0, vec![]), "{}", ran.out);
    let data = ran.json()["data"].clone();
    assert_eq!(data["auth"]["tokens"][0]["token"], "***");
    assert!(!ran.out.contains("s3cret"));
    let limits = data["limits"].as_object().unwrap();
    for limit in
        ["journal_bytes_max", "part_bytes_max", "touched_max", "reread_max", "held_keys_max"]
    {
        assert!(limits[limit].is_u64(), "{limit} has a default");
    }
    let has_unit = |name: &String| name.ends_with("_max") || name.ends_with("_seconds");
    assert!(limits.keys().all(has_unit), "{limits:?}");
    let schema = folder.run("config schema");
    let schema: Value = serde_json::from_str(&schema.out).unwrap();
    for key in data.as_object().unwrap().keys() {
        assert!(schema["properties"][key].is_object(), "{key}");
    }
}

#[test]
fn a_key_of_a_later_version_is_said_to_be_one() {
    for text in [
        "services: { a: { mongodb: \"mongodb://db/x\" } }",
        "services: { a: { redis: \"redis://db/0\" } }",
        "log: nats",
        "log: { kafka: {} }",
        "proof: { every: 30s }",
        "probes: { p: { get: \"http://x\" } }",
        "confirm: applied",
        "limits: { held_changes_max: 5 }",
    ] {
        let ran = Folder::with(&format!("version: 1\n{text}\n")).run("--json config check");
        assert_eq!(ran.code, 2, "{text}");
        assert!(ran.out.contains("not in this version"), "{text}: {}", ran.out);
        let problems = ran.json()["problems"].clone();
        assert_eq!(problems[0]["code"], "E-CONFIG-NOT-YET", "{text}");
    }
}

#[test]
fn tables_of_sqlite_have_no_schema_before_them() {
    let good = "version: 1\nservices: { a: { sqlite: a.db }, b: { sqlite: b.db } }\n\
                sources: { s: { from: a, tables: [item] } }\n\
                copies: { c: { of: s/item, to: b/item } }\n";
    assert_eq!(Folder::with(good).run("config check").code, 0);
}

#[test]
fn what_the_api_has_a_meaning_for_can_not_be_grouped_by() {
    for name in ["at_least", "wait", "limit", "after"] {
        let text = format!(
            "version: 1\nservices: {{ a: {{ sqlite: a.db }} }}\n\
             sources: {{ s: {{ from: a, tables: [t] }} }}\n\
             counts: {{ n: {{ of: s/t, by: [{name}] }} }}\n"
        );
        let ran = Folder::with(&text).run("--json config check");
        assert_eq!(
            (ran.code, ran.problems()),
            (2, vec!["4:30 E-CONFIG-NAME".to_owned()]),
            "{name}"
        );
    }
}

#[test]
fn errors_are_at_their_file_line_and_column_for_people_and_for_programs() {
    let folder = Folder::new();
    folder.write("conf/my.yaml", "version: 1\nlisten: 127.0.0.1:0\ncopys: {}\nlog: 5\n");
    let json = folder.run("--json --config conf/my.yaml config check").json();
    let place = |problem: &Value| {
        let at = &problem["where"];
        format!("{}:{}:{}", at["file"].as_str().unwrap(), at["line"], at["column"])
    };
    let places: Vec<_> = json["problems"].as_array().unwrap().iter().map(place).collect();
    assert_eq!(places, ["conf/my.yaml:3:1", "conf/my.yaml:4:6"]);
    let fix = json["problems"][0]["fix"].as_str().unwrap();
    assert!(fix.contains("copies"), "a suggestion: {fix}");
    let text = folder.run("--config conf/my.yaml config check").err;
    assert!(text.contains("conf/my.yaml:3:1: E-CONFIG-UNKNOWN-KEY"), "{text}");
    assert!(text.contains("conf/my.yaml:4:6: E-CONFIG-TYPE"), "{text}");
    assert!(text.contains("4 | log: 5\n    |      ^\n"), "the line itself: {text}");
    let run = folder.run("--config conf/my.yaml run").err;
    assert_eq!(run, text, "`run` says the same");
}
