//! Files: the configuration's own, those of secrets and those of certificates.

use super::program::{Folder, Ran};
use std::fs;

const BOOK: &str = "version: 1\n";

fn token(folder: &Folder, token: &str) -> Ran {
    let tokens = format!("auth: {{ tokens: [{{ name: o, role: viewer, token: {token} }}] }}\n");
    folder.write("instep.yaml", format!("{BOOK}{tokens}"));
    folder.run("--json config check")
}

#[test]
fn a_configuration_that_can_not_be_read_is_said_to_be() {
    let folder = Folder::new();
    let ran = folder.run("--json config check");
    assert_eq!((ran.code, ran.problems()), (2, vec!["E-CONFIG-FILE".to_owned()]));
    assert!(ran.json()["problems"][0]["what"].as_str().unwrap().contains("./instep.yaml"));
    let as_folder = folder.run("--json --config . config check");
    assert_eq!((as_folder.code, as_folder.problems()), (2, vec!["E-CONFIG-FILE".to_owned()]));
    folder.write("instep.yaml", "#".repeat((1 << 20) + 1));
    let large = folder.run("--json config check");
    assert_eq!((large.code, large.problems()), (2, vec!["E-CONFIG-FILE".to_owned()]));
}

#[test]
fn an_empty_configuration_lacks_its_version() {
    for text in ["", "\n\n", "# nothing\n", "---\n", "\u{feff}"] {
        let ran = Folder::with(text).run("--json config check");
        assert_eq!(ran.problems(), ["1:1 E-CONFIG-MISSING-KEY"], "{text:?}");
    }
    let ran = Folder::with("[]").run("--json config check");
    assert_eq!(ran.problems(), ["1:1 E-CONFIG-TYPE"]);
}

#[test]
fn text_of_other_programs_is_read_too() {
    let good = "version: 1\nlisten: 127.0.0.1:0\n";
    for text in [format!("\u{feff}{good}"), good.replace('\n', "\r\n"), format!("---\n{good}...\n")]
    {
        let ran = Folder::with(&text).run("config check");
        assert_eq!(ran.code, 0, "{text:?}: {}", ran.err);
    }
    let json = r#"{"version": 1, "services": {"a": {"sqlite": "a.db"}}}"#;
    assert_eq!(Folder::with(json).run("config check").code, 0);
    let folder = Folder::new();
    folder.write("instep.yaml", b"version: 1\ndata_dir: \xff\xfe\n");
    assert_eq!(folder.run("--json config check").problems(), ["2:11 E-CONFIG-SYNTAX"]);
}

#[test]
fn a_secret_may_stand_in_a_file() {
    let folder = Folder::new();
    for text in ["s3cret", "s3cret\n", "s3cret\r\n"] {
        private(&folder, "ops.token", text);
        let ran = token(&folder, "{ file: ops.token }");
        assert_eq!((ran.code, ran.problems()), (0, vec![]), "{text:?}");
    }
    folder.write(
        "plain.yaml",
        "version: 1\nauth: { tokens: [{ name: o, role: viewer, token: s3cret }] }\n",
    );
    assert_eq!(folder.run("config diff plain.yaml").code, 0);
    assert!(folder.run("config show").out.contains("token: \"***\""));
}

#[test]
fn a_file_that_holds_no_secret_is_refused() {
    let folder = Folder::new();
    let long = "x".repeat(5_000);
    for (text, code) in [("", "TYPE"), ("\n", "TYPE"), ("a\nb\n", "TYPE"), (&long, "TYPE")] {
        private(&folder, "ops.token", text);
        let ran = token(&folder, "{ file: ops.token }");
        assert_eq!(ran.problems(), [format!("2:58 E-CONFIG-{code}")], "{text:?}");
    }
    for missing in ["nowhere.token", "."] {
        let ran = token(&folder, &format!("{{ file: {missing} }}"));
        assert_eq!(ran.problems(), ["2:58 E-CONFIG-FILE"], "{missing}");
    }
    let ran = token(&folder, "{ fil: ops.token }");
    assert_eq!(ran.problems(), ["2:43 E-CONFIG-MISSING-KEY", "2:52 E-CONFIG-UNKNOWN-KEY"]);
}

#[cfg(unix)]
#[test]
fn a_secret_that_everybody_may_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let path = folder.write("ops.token", "s3cret\n");
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = token(&folder, "{ file: ops.token }");
    assert_eq!((ran.code, ran.problems()), (0, vec!["2:58 W-SECRET-READABLE".to_owned()]));
    assert_eq!(ran.json()["status"], "ok");
    let text = folder.run("config check");
    assert!(text.err.contains("chmod 600 ops.token") && text.out.contains("in order"));
}

#[cfg(unix)]
#[test]
fn two_ways_to_one_file_are_one_database() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("data")).unwrap();
    std::os::unix::fs::symlink("data", folder.path().join("link")).unwrap();
    let book =
        "services: { a: { sqlite: a.db }, b: { sqlite: data/b.db }, c: { sqlite: link/b.db } }";
    let source = "sources: { s: { from: a, tables: [t] } }";
    let copies = "copies: { x: { of: s/t, to: b/x }, y: { of: s/t, to: c/x } }";
    folder.write("instep.yaml", format!("{BOOK}{book}\n{source}\n{copies}\n"));
    let twice = ["4:54 E-CONFIG-TABLE-TWICE"];
    assert_eq!(folder.run("--json config check").problems(), twice);
    folder.write("data/b.db", "");
    assert_eq!(folder.run("--json config check").problems(), twice);
}

#[test]
fn certificates_are_looked_for() {
    let folder = Folder::with(&format!("{BOOK}tls: {{ cert: a.pem, key: b.pem }}\n"));
    let ran = folder.run("--json config check");
    assert_eq!(ran.problems(), ["2:14 E-CONFIG-FILE", "2:26 E-CONFIG-FILE"]);
    private(&folder, "a.pem", "x");
    private(&folder, "b.pem", "");
    assert_eq!(folder.run("--json config check").problems(), ["2:26 E-CONFIG-FILE"]);
    private(&folder, "b.pem", "x");
    assert_eq!(folder.run("--json config check").code, 0);
}

#[test]
fn an_open_address_wants_a_token_and_better_a_certificate() {
    let folder = Folder::new();
    let tokens = "auth: { tokens: [{ name: o, role: viewer, token: s3cret }] }\n";
    folder.write("instep.yaml", format!("{BOOK}listen: 0.0.0.0:0\n{tokens}"));
    let ran = folder.run("--json config check");
    assert_eq!((ran.code, ran.problems()), (0, vec!["2:9 W-LISTEN-PLAIN".to_owned()]));
    private(&folder, "a.pem", "x");
    let tls = "tls: { cert: a.pem, key: a.pem }\n";
    folder.write("instep.yaml", format!("{BOOK}listen: 0.0.0.0:0\n{tokens}{tls}"));
    assert_eq!(folder.run("--json config check").problems(), [""; 0]);
    for loopback in
        ["127.0.0.1:0", "127.9.9.9:1", "'[::1]:0'", "localhost:0", "'[::ffff:127.0.0.1]:0'"]
    {
        folder.write("instep.yaml", format!("{BOOK}listen: {loopback}\n"));
        assert_eq!(folder.run("config check").code, 0, "{loopback}");
    }
}

/// Writes a file that its owner alone may read.
fn private(folder: &Folder, name: &str, text: &str) {
    let path = folder.write(name, text);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    #[cfg(not(unix))]
    drop(path);
}
