//! Everything that can be wrong in a configuration, with the exact place, code and suggestion.
//!
//! In each text `«` stands before the place that has to be named; it is taken out.

use super::program::Folder;

struct Case {
    code: &'static str,
    /// What the suggestion says, among other things.
    fix: &'static str,
    text: &'static str,
}

const fn case(code: &'static str, fix: &'static str, text: &'static str) -> Case {
    Case { code, fix, text }
}

/// What most texts go on with.
const BASE: &str = "
services:
  a: { sqlite: a.db }
  b: { sqlite: b.db }
  c: { sqlite: c.db }
sources:
  s: { from: a, tables: [t, other] }
  two: { from: [b], tables: [t] }
";

#[test]
fn what_is_wrong_with_keys_is_named_at_the_key() {
    check(KEYS);
}

#[test]
fn what_is_wrong_with_values_is_named_at_the_value() {
    check(VALUES);
}

#[test]
fn what_is_wrong_between_values_is_named_where_it_is_said_second() {
    check(BETWEEN);
}

#[test]
fn what_is_wrong_inside_a_condition_is_named_inside_it() {
    check(CONDITIONS);
}

#[test]
fn what_is_wrong_with_variables_is_named_inside_the_value() {
    check(VARIABLES);
}

#[test]
fn what_is_no_yaml_is_named_where_reading_stops() {
    check(TEXTS);
}

/// Each text has exactly one problem: the one that is named, at the place that is marked.
fn check(cases: &[Case]) {
    for Case { code, fix, text } in cases {
        let whole = if text.contains("version: ") || text.starts_with("«listen") {
            (*text).to_owned()
        } else {
            format!("version: 1{BASE}{text}\n")
        };
        let (before, after) = whole.split_once('«').unwrap();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        let folder = Folder::with(&format!("{before}{after}"));
        let ran = folder.run("--json config check");
        assert_eq!(ran.code, 2, "{text}");
        assert_eq!(ran.problems(), [format!("{line}:{column} {code}")], "{text}\n{}", ran.out);
        let json = ran.json();
        assert_eq!(json["status"], "error");
        assert_eq!(json["problems"][0]["where"]["file"], "./instep.yaml");
        let said = json["problems"][0]["fix"].as_str().unwrap();
        assert!(said.contains(fix), "{text}: {said}");
        let told = folder.run("config check").err;
        let place = format!("instep.yaml:{line}:{column}: {code} ");
        assert!(told.contains(&place), "{text}: {told}");
    }
}

const KEYS: &[Case] = &[
    case("E-CONFIG-UNKNOWN-KEY", "did you mean `sources`?", "version: 1\n«souces: {}\n"),
    case("E-CONFIG-UNKNOWN-KEY", "did you mean `data_dir`?", "version: 1\n«data-dir: x\n"),
    case(
        "E-CONFIG-UNKNOWN-KEY",
        "did you mean `sqlite`?",
        "version: 1\nservices:\n  a:\n    «sqllite: a.db\n",
    ),
    case(
        "E-CONFIG-UNKNOWN-KEY",
        "did you mean `create`?",
        "copies: { x: { of: s/t, to: c/x, «crate: true } }",
    ),
    case(
        "E-CONFIG-UNKNOWN-KEY",
        "did you mean `where`?",
        "counts: { x: { of: s/t, «were: a = 1 } }",
    ),
    case("E-CONFIG-UNKNOWN-KEY", "known here: tokens", "auth: { «teapot: 1 }"),
    case("E-CONFIG-UNKNOWN-KEY", "did you mean `held_keys_max`?", "limits: { «held_key_max: 1 }"),
    case("E-CONFIG-MISSING-KEY", "add `version:`", "«listen: 127.0.0.1:0\n"),
    case("E-CONFIG-MISSING-KEY", "add `to:`", "copies: { «x: { of: s/t } }"),
    case(
        "E-CONFIG-MISSING-KEY",
        "add `tables:`",
        "version: 1\nservices: { a: { sqlite: a } }\nsources: { «s: { from: a } }\n",
    ),
    case("E-CONFIG-MISSING-KEY", "sqlite", "version: 1\nservices: { «a: {} }\n"),
    case("E-CONFIG-MISSING-KEY", "add `role:`", "auth: { tokens: [«{ name: a, token: b }] }"),
    case(
        "E-CONFIG-NOT-YET",
        "run the version",
        "version: 1\nservices: { a: { «http: \"http://a:b@c/d\" } }\n",
    ),
    case("E-CONFIG-NOT-YET", "run the version", "version: 1\nservices: { a: { «mongodb: x } }\n"),
    case("E-CONFIG-NOT-YET", "run the version", "«proof: { every: 30s }"),
    case("E-CONFIG-NOT-YET", "run the version", "«probes: { p: { get: x } }"),
    case("E-CONFIG-NOT-YET", "run the version", "log: { «nats: { url: x } }"),
    case("E-CONFIG-NOT-YET", "run the version", "log: «kafka"),
    case("E-CONFIG-NOT-YET", "run the version", "confirm: «applied"),
    case("E-CONFIG-NOT-YET", "run the version", "limits: { «held_changes_max: 5 }"),
    case("E-CONFIG-NOT-YET", "write 1", "version: «2\n"),
];

const VALUES: &[Case] = &[
    case("E-CONFIG-TYPE", "127.0.0.1:7171", "listen: «nowhere"),
    case("E-CONFIG-TYPE", "in quotes", "listen: «7171"),
    case("E-CONFIG-TYPE", "give it a value", "«data_dir:\n"),
    case("E-CONFIG-TYPE", "give it a value", "data_dir: «~"),
    case("E-CONFIG-TYPE", "write something", "data_dir: «''"),
    case("E-CONFIG-TYPE", "without quotes", "limits: { held_keys_max: «\"5\" }"),
    case("E-CONFIG-TYPE", "without quotes and unit", "limits: { journal_bytes_max: «10GB }"),
    case("E-CONFIG-TYPE", "from 1 to", "limits: { held_keys_max: «0 }"),
    case(
        "E-CONFIG-TYPE",
        "set `part_bytes_max` to 1000000 or less",
        "limits: { record_bytes_max: 2000000, inline_bytes_max: 1000000, part_bytes_max: «1000001 }",
    ),
    case("E-CONFIG-TYPE", "from 1 to", "limits: { held_keys_max: «-1 }"),
    case("E-CONFIG-TYPE", "from 1 to", "limits: { held_keys_max: «99999999999999999999999 }"),
    case("E-CONFIG-TYPE", "plain digits", "limits: { held_keys_max: «1.5 }"),
    case("E-CONFIG-TYPE", "plain digits", "limits: { held_keys_max: «0x10 }"),
    case("E-CONFIG-TYPE", "from 0.1 to 86400", "limits: { lease_seconds: «0.0001 }"),
    case("E-CONFIG-TYPE", "unit", "limits: { lease_seconds: «10s }"),
    case("E-CONFIG-TYPE", "true or false", "copies: { x: { of: s/t, to: c/x, create: «yes } }"),
    case("E-CONFIG-TYPE", "true or false", "copies: { x: { of: s/t, to: c/x, create: «on } }"),
    case(
        "E-CONFIG-TYPE",
        "true or false",
        "copies: { x: { of: s/t, to: c/x, create: «\"true\" } }",
    ),
    case("E-CONFIG-TYPE", "small letters", "copies: { x: { of: s/t, to: c/x, create: «True } }"),
    case("E-CONFIG-TYPE", "write a map", "copies: «[]"),
    case("E-CONFIG-TYPE", "put it in [ ]", "counts: { x: { of: s/t, by: «topic } }"),
    case("E-CONFIG-TYPE", "in quotes", "counts: { x: { of: s/t, where: «true } }"),
    case("E-CONFIG-TYPE", "NAME/TABLE", "copies: { x: { of: «s, to: c/x } }"),
    case("E-CONFIG-TYPE", "did you mean `wait`?", "when_full: «wiat"),
    case(
        "E-CONFIG-TYPE",
        "did you mean `operator`?",
        "auth: { tokens: [{ name: a, role: «opertor, token: b }] }",
    ),
    case(
        "E-CONFIG-TYPE",
        "at least one",
        "version: 1\nservices: { a: { sqlite: a } }\nsources: { s: { from: a, tables: «[] } }\n",
    ),
    case("E-CONFIG-TYPE", "guess", "auth: { tokens: [{ name: a, role: viewer, token: «'' }] }"),
    case(
        "E-CONFIG-TYPE",
        "the secret itself",
        "auth: { tokens: [{ name: a, role: viewer, token: «\"***\" }] }",
    ),
    case(
        "E-CONFIG-TYPE",
        "letters",
        "auth: { tokens: [{ name: a, role: viewer, token: «\"two words\" }] }",
    ),
    case("E-CONFIG-NAME", "a-z", "version: 1\nservices: { «A: { sqlite: a } }\n"),
    case("E-CONFIG-NAME", "a-z", "counts: { «a.b: { of: s/t } }"),
    case("E-CONFIG-NAME", "a-z", "version: 1\nservices:\n  «${X}: { sqlite: a }\n"),
    case("E-CONFIG-NAME", "your own", "copies: { x: { of: s/t, to: «c/Instep_changes } }"),
    case("E-CONFIG-NAME", "write `q`", "copies: { x: { of: s/t, to: «c/public.q } }"),
    case("E-CONFIG-NAME", "another name", "counts: { x: { of: s/t, by: [a, «at_least] } }"),
    case("E-CONFIG-NAME", "another name", "counts: { x: { of: s/t, by: [«wait] } }"),
    case("E-CONFIG-NAME", "another name", "counts: { x: { of: s/t, by: [«limit] } }"),
    case("E-CONFIG-NAME", "another name", "counts: { x: { of: s/t, by: [«after] } }"),
    case("E-CONFIG-NAME", "another name", "counts: { x: { of: s/t, by: [«a.is] } }"),
    case("E-CONFIG-NAME", "another name", "counts: { x: { of: s/t, by: [«value], to: [c/n] } }"),
    case("E-LISTEN-OPEN", "auth.tokens", "listen: «0.0.0.0:7171"),
    case("E-LISTEN-OPEN", "auth.tokens", "listen: «'[::]:7171'"),
];

const BETWEEN: &[Case] = &[
    case(
        "E-CONFIG-REFERENCE",
        "did you mean `a`?",
        "version: 1\nservices: { a: { sqlite: a } }\nsources: { s: { from: «aa, tables: [t] } }\n",
    ),
    case(
        "E-CONFIG-REFERENCE",
        "none to choose",
        "version: 1\nsources: { s: { from: [«a], tables: [t] } }\n",
    ),
    case("E-CONFIG-REFERENCE", "did you mean `two`?", "copies: { x: { of: «towo/t, to: c/x } }"),
    case("E-CONFIG-REFERENCE", "did you mean `other`?", "copies: { x: { of: s/«othr, to: c/x } }"),
    case("E-CONFIG-REFERENCE", "did you mean `t`?", "copies: { x: { of: 's/«T', to: c/x } }"),
    case("E-CONFIG-REFERENCE", "known here: a, b, c", "copies: { x: { of: s/t, to: «nowhere/x } }"),
    case(
        "E-CONFIG-REFERENCE",
        "known here: a, b, c",
        "counts: { x: { of: s/t, to: [\"«nowhere/x\"] } }",
    ),
    case(
        "E-CONFIG-TABLE-TWICE",
        "its own",
        "copies: { x: { of: s/t, to: c/x }, y: { of: two/t, to: «c/x } }",
    ),
    case(
        "E-CONFIG-TABLE-TWICE",
        "its own",
        "copies: { x: { of: s/t, to: c/x }, y: { of: two/t, to: «c/X } }",
    ),
    case(
        "E-CONFIG-TABLE-TWICE",
        "its own",
        "copies: { x: { of: s/t, to: c/x } }\ncounts: { n: { of: two/t, to: [c/y, «c/x] } }",
    ),
    case(
        "E-CONFIG-TABLE-TWICE",
        "its own",
        "version: 1
services: { a: { sqlite: a.db }, b: { sqlite: ./b.db }, b2: { sqlite: ./././b.db } }
sources: { s: { from: a, tables: [t] } }
copies: { x: { of: s/t, to: b/x }, y: { of: s/t, to: «b2/x } }
",
    ),
    case("E-CONFIG-CYCLE", "another table", "copies: { x: { of: s/t, to: «a/t } }"),
    case("E-CONFIG-CYCLE", "another table", "copies: { x: { of: s/t, to: «a/T } }"),
    case(
        "E-CONFIG-CYCLE",
        "another table",
        "copies: { x: { of: s/t, to: b/t }, y: { of: two/t, to: «a/t } }",
    ),
    case(
        "E-CONFIG-CYCLE",
        "another table",
        "counts: { x: { of: s/t, to: [a/other] }, y: { of: s/other, to: [«a/t] } }",
    ),
    case("E-CONFIG-DUPLICATE", "keep one", "counts: { x: { of: s/t, by: [topic, «topic] } }"),
    case(
        "E-CONFIG-DUPLICATE",
        "keep one",
        "version: 1\nservices: { a: { sqlite: a } }\nsources: { s: { from: [a, «a], tables: [t] } }\n",
    ),
    case(
        "E-CONFIG-DUPLICATE",
        "keep one",
        "version: 1\nservices: { a: { sqlite: a } }\nsources: { s: { from: a, tables: [t, «T] } }\n",
    ),
    case(
        "E-CONFIG-DUPLICATE",
        "one source",
        "version: 1
services: { a: { sqlite: a.db }, a2: { sqlite: ./a.db } }
sources: { s: { from: a, tables: [t] }, z: { from: «a2, tables: [u] } }
",
    ),
    case(
        "E-CONFIG-DUPLICATE",
        "name it `b` in both",
        "version: 1
services: { a: { sqlite: a }, b: { sqlite: b.db }, c: { sqlite: ./b.db } }
sources: { s: { from: a, tables: [t, u] } }
copies: { x: { of: s/t, to: b/t }, y: { of: s/u, to: «c/u } }
",
    ),
    case(
        "E-CONFIG-DUPLICATE",
        "keep one",
        "copies: { x: { of: s/t, to: c/x, fields: { a: b, «A: d } } }",
    ),
    case(
        "E-CONFIG-DUPLICATE",
        "its own",
        "auth: { tokens: [{ name: a, role: viewer, token: b }, { name: «a, role: viewer, token: c }] }",
    ),
    case(
        "E-CONFIG-DUPLICATE",
        "its own",
        "auth: { tokens: [{ name: a, role: viewer, token: b }, { name: c, role: viewer, token: «b }] }",
    ),
    case(
        "E-CONFIG-SHARD",
        "remove it",
        "copies: { x: { of: s/t, to: c/x, shard_column: «shard } }",
    ),
    case(
        "E-CONFIG-SHARD",
        "shard_column:",
        "version: 1
services: { a: { sqlite: a }, b: { sqlite: b }, c: { sqlite: c } }
sources: { s: { from: [a, b], tables: [t] } }
copies: { «x: { of: s/t, to: c/x } }
",
    ),
];

const CONDITIONS: &[Case] = &[
    case("E-CONFIG-WHERE", "literal", "counts: { x: { of: s/t, where: a = «= 1 } }"),
    case("E-CONFIG-WHERE", "literal", "counts: { x: { of: s/t, where: '\"é\" = «= 1' } }"),
    case("E-CONFIG-WHERE", "literal", "counts: { x: { of: s/t, where: 'a = «= 1' } }"),
    // Folded, escaped or filled text stands nowhere as it is read.
    case("E-CONFIG-WHERE", "literal", "counts: { x: { of: s/t, where: «'''a'' = = 1' } }"),
    case("E-CONFIG-WHERE", "literal", "counts: { x: { of: s/t, where: «\"${A:-a} = = 1\" } }"),
];

const VARIABLES: &[Case] = &[
    case("E-CONFIG-VARIABLE", "set NOT_SET", "data_dir: x/«${NOT_SET}/y"),
    case("E-CONFIG-VARIABLE", "set NOT_SET", "data_dir: \"é/«${NOT_SET:?say where}\""),
    case("E-CONFIG-VARIABLE", "close it", "data_dir: «${NOT_SET"),
    case("E-CONFIG-VARIABLE", "$$ for", "data_dir: «$HOME/x"),
    case("E-CONFIG-VARIABLE", "${NAME}", "data_dir: «${A-b}"),
    case("E-CONFIG-VARIABLE", "set NOT_SET", "limits: { held_keys_max: \"«${NOT_SET}\" }"),
    case("E-CONFIG-VARIABLE", "set NOT_SET", "data_dir: «\"\\x61${NOT_SET}\""),
];

const TEXTS: &[Case] = &[
    case("E-CONFIG-SYNTAX", "keep one", "version: 1\nlisten: 127.0.0.1:0\n«version: 1\n"),
    case("E-CONFIG-SYNTAX", "tag", "data_dir: !!str «x"),
    case("E-CONFIG-SYNTAX", "one document", "version: 1\n«---\nversion: 1\n"),
    case(
        "E-CONFIG-SYNTAX",
        "in quotes",
        "auth: { tokens: [{ name: a, role: viewer, token: $«{X} }] }",
    ),
    case("E-CONFIG-SYNTAX", "plain words", "version: 1\n? «[a, b]\n: c\n"),
    case("E-CONFIG-SYNTAX", "", "version: 1\ndata_dir: «*unknown\n"),
    case("E-CONFIG-SYNTAX", "", "«%TAG ! tag:x,2000:\n---\nversion: 1\n"),
];
