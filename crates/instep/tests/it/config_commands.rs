//! The commands about configurations: which file is read, what is shown, what differs.

use super::program::Folder;
use std::fs;

const GOOD: &str = r#"
version: 1
listen: 127.0.0.1:0
services:
  a: { sqlite: "${DB:-a.db}" }
  b: { sqlite: data/b.db }
sources:
  s: { from: a, tables: [t, "other table"] }
copies:
  c: { of: s/t, to: b/t, fields: { "Order": sort, price: "cost $$" }, create: true }
counts:
  all: { of: s/other table }
  some:
    of: s/t
    by: [topic, "yes", "5", "a: b"]
    where: deleted_at is null and label <> '$$x' and note = 'é "quoted" \ back'
    to: [b/some]
limits: { held_keys_max: 7, lease_seconds: 2.5 }
when_full: wait
"#;

const TOKEN: &str = "auth: { tokens: [{ name: ops, role: operator, token: \"${OPS}\" }] }\n";

#[test]
fn a_configuration_in_order_is_said_to_be() {
    let ran = Folder::with(GOOD).run("config check");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("in order"), "{}", ran.out);
    let json = Folder::with(GOOD).run("config check --json").json();
    assert_eq!((&json["status"], &json["problems"]), (&"ok".into(), &serde_json::json!([])));
    assert_eq!(json["data"]["counts"], 2);
}

#[test]
fn the_flag_goes_before_the_variable_and_the_variable_before_the_folder() {
    let folder = Folder::with("version: 1\nnowhere: 1\n").variable("INSTEP_CONFIG", "second.yaml");
    folder.write("second.yaml", "version: 1\nlisten: 127.0.0.1:2\n");
    folder.write("third.yaml", "version: 1\nlisten: 127.0.0.1:3\n");
    assert!(folder.run("config show").out.contains("127.0.0.1:2"));
    for line in ["--config third.yaml config show", "config show --config=third.yaml"] {
        assert!(folder.run(line).out.contains("127.0.0.1:3"), "{line}");
    }
    let folder = folder.variable("INSTEP_CONFIG", "");
    assert_eq!(folder.run("config check").code, 2);
}

#[test]
fn paths_are_relative_to_the_configuration() {
    let folder = Folder::new();
    folder.write("deep/er/instep.yaml", GOOD);
    let json = folder.run("--json --config deep/er/instep.yaml config show").json();
    let base = fs::canonicalize(folder.path()).unwrap();
    assert_eq!(json["data"]["data_dir"], base.join("deep/er/instep-data").to_str().unwrap());
    let sqlite = json["data"]["services"]["b"]["sqlite"].as_str().unwrap();
    assert_eq!(sqlite, base.join("deep/er/data/b.db").to_str().unwrap());
}

#[test]
fn a_variable_stands_for_its_value_and_never_for_keys() {
    let db = "x.db }, evil: { sqlite: y.db";
    let json = Folder::with(GOOD).variable("DB", db).run("--json config show").json();
    assert_eq!(json["data"]["services"].as_object().unwrap().len(), 2);
    assert!(json["data"]["services"]["a"]["sqlite"].as_str().unwrap().ends_with(db));
    let number = "version: 1\nlimits: { held_keys_max: \"${N}\" }\n";
    let json = Folder::with(number).variable("N", "12").run("--json config show").json();
    assert_eq!(json["data"]["limits"]["held_keys_max"], 12);
    let broken = Folder::with(number).variable("N", "12\n13").run("--json config check");
    assert_eq!(broken.problems(), ["2:27 E-CONFIG-VARIABLE"]);
}

#[test]
fn what_is_shown_is_a_configuration_that_holds_the_same() {
    let folder = Folder::with(GOOD);
    let shown = folder.run("config show");
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
    folder.write("again.yaml", &shown.out);
    let again = folder.run("--config again.yaml config check");
    assert_eq!(again.code, 0, "{}\n{}", again.err, shown.out);
    assert_eq!(folder.run("--config again.yaml config show").out, shown.out);
    let json = |line: &str| folder.run(line).json()["data"].clone();
    assert_eq!(json("--json --config again.yaml config show"), json("--json config show"));
    let where_ = json("--json config show")["counts"]["some"]["where"].clone();
    assert_eq!(where_, "deleted_at is null and label <> '$x' and note = 'é \"quoted\" \\ back'");
}

#[test]
fn a_secret_is_shown_nowhere() {
    let folder = Folder::with(&format!("{GOOD}{TOKEN}")).variable("OPS", "s3cret-value");
    for line in ["config show", "--json config show", "config check", "--json config check"] {
        let ran = folder.run(line);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(!format!("{}{}", ran.out, ran.err).contains("s3cret"), "{line}");
        assert!(ran.out.contains("***") || line.contains("check"), "{line}");
    }
    let masked = folder.run("config show").out;
    folder.write("masked.yaml", masked);
    let again = folder.run("--config masked.yaml config check");
    assert!(again.err.contains("is a mask"), "{}", again.err);
}

#[test]
fn a_secret_beside_a_mistake_is_not_shown_with_its_line() {
    for text in [
        "auth: { tokens: [{ name: o, role: x, token: s3cret }] }",
        "auth: { tokens: [{ name: o, role: viewer, tokn: s3cret }] }",
        "auth: { token: s3cret }",
        "auth: { tokens: [{ \"name\": \"o\", \"token\" : \"s3cret\" ]",
        "auth:\n  tokens:\n    - token: |\n        s3cret\n\t\n        s3cret: [",
        "auth:\n  tokens:\n    - token: >\n\n        [s3cret\n    - *s3",
        "auth: { tokens: [{ name: o, role: viewer, token: \"a$s3cret\" }] }",
        "auth: { tokens: [{ name: o, role: viewer, token: \"a${s3cret\" }] }",
        "auth: { tokens: [{ name: o, role: viewer, token: \"a${-s3cret}\" }] }",
        "auth: { tokens: [{ name: o, role: viewer, token: \"a${N-s3cret}\" }] }",
        "auth: { tokens: [{ name: o, role: viewer, token: s3cret, token: s3cret }] }",
        "tokens: [{ name: o, token: s3cret }]",
        "auth: { tokens: [{ name: o, role: viewer, token: 's3cret }] }",
        "auth: { tokens: [{ name: o, role: viewer, token: \"s3cret 2\" }] }",
        "services: { a: { postgres: \"postgres://u:s3cret@db/x\", x: 1 } }",
        "services: { a: { postgres: \"postgres://u@db/x?password=s3cret\", x: 1 } }",
        "services: { a: { postgres: \"postgres://u:s3cret@db/x\", password: s3cret } }",
        "services: { a: { postgres: \"postgres://u:s3cret\" } }",
        "services: { a: { postgres: \"postgres://u:s3cret@db:x/y\" } }",
        "services: { a: { postgres: \"postgres://u@db/x?password=a&s3cret\" } }",
        "services: { a: { postgres: \"postgres:s3cret\" } }",
        "services: { a: { postgres: s3cret } }",
        "services: { a: { postgres: \"${S}\" } }",
        "services: { a: { postgres: [s3cret] } }",
        "services: { a: { postgres: \"postgres://u@db/x\", password: s3cret, x: 1 } }",
        "services: { a: { sqlite: x, password: s3cret } }",
        "services: { a: { password: s3cret } }",
        "services: { a: { \"password\" : \"s3cret\" ]",
        "services:\n  a:\n    postgres: postgres://u@db/x?password=s3cret\n    password: [s3cret",
        "services: { a: { postgress: \"postgres://u:s3cret@db/x\" } }",
        "data_dir: \"${X:?s}\"\nauth: { tokens: [{ name: o, role: \"${S}\", token: s3cret }] }",
        "listen: \"${S}\"",
    ] {
        let folder = Folder::with(&format!("version: 1\n{text}\n")).variable("S", "s3cret");
        for line in ["config check", "--json config check"] {
            let ran = folder.run(line);
            assert_eq!(ran.code, 2, "{text}");
            assert!(!format!("{}{}", ran.out, ran.err).contains("s3cret"), "{text}: {}", ran.err);
        }
    }
}

#[test]
fn what_differs_is_named_by_its_key() {
    let folder = Folder::with(&format!("{GOOD}{TOKEN}")).variable("OPS", "one");
    let other = GOOD.replace("held_keys_max: 7, ", "").replace("b/some]", "b/some, b/more]");
    folder.write("other.yaml", format!("{other}{}", TOKEN.replace("${OPS}", "two")));
    let same = folder.run("config diff instep.yaml");
    assert_eq!(same.code, 0, "{}", same.err);
    let ran = folder.run("--json config diff other.yaml");
    assert_eq!(ran.code, 3, "{}", ran.out);
    let json = ran.json();
    assert_eq!(json["status"], "differences");
    let paths = ["auth.tokens[0].token", "counts.some.to[1]", "limits.held_keys_max"];
    let found = json["data"]["differences"].as_array().unwrap();
    assert_eq!(found.iter().map(|one| &one["path"]).collect::<Vec<_>>(), paths);
    assert_eq!((&found[0]["left"], &found[0]["right"]), (&"***".into(), &"***".into()));
    assert_eq!((&found[1]["left"], &found[1]["right"]), (&().into(), &"b/more".into()));
    assert_eq!((&found[2]["left"], &found[2]["right"]), (&"7".into(), &"10000".into()));
    let text = folder.run("config diff other.yaml");
    assert!(text.out.contains("- limits.held_keys_max: 7\n+ limits.held_keys_max: 10000\n"));
    folder.write("broken.yaml", "version: 1\nx: y\n");
    let broken = folder.run("--json config diff broken.yaml");
    assert_eq!(
        (broken.code, broken.json()["problems"][0]["where"]["file"].clone()),
        (2, "broken.yaml".into())
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once_in_the_order_of_the_file() {
    let folder = Folder::with(
        "version: 1\nwrong: 1\nlisten: nowhere\nservices: { a: { sqlite: \"${NO}\" } }\n\
         sources: { s: { from: z, tables: [t] } }\ncounts: { n: { of: s/u, where: \"=\" } }\n",
    );
    let ran = folder.run("--json config check");
    let expected = [
        "2:1 E-CONFIG-UNKNOWN-KEY",
        "3:9 E-CONFIG-TYPE",
        "4:27 E-CONFIG-VARIABLE",
        "5:23 E-CONFIG-REFERENCE",
        "6:22 E-CONFIG-REFERENCE",
        "6:33 E-CONFIG-WHERE",
    ];
    assert_eq!(ran.problems(), expected);
    let text = folder.run("config check");
    assert_eq!(text.out, "");
    assert!(text.err.contains("  3 | listen: nowhere\n    |         ^^^^^^^\n"), "{}", text.err);
    assert!(text.err.ends_with("6 problems\n"), "{}", text.err);
    assert!(!text.err.contains('\u{1b}'));
}
