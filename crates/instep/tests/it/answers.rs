//! How the program answers: usage, codes, completions, help, exit codes.

use super::program::Folder;
use instep::cli::Cli;
use instep::{Exit, Report};
use model::Code;

#[test]
fn a_line_that_can_not_be_understood_exits_with_two() {
    let folder = Folder::new();
    for line in ["", "confg", "config", "config chek", "explain", "--nope", "completions tcsh"] {
        let ran = folder.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}");
        assert!(!ran.err.is_empty(), "{line}");
        let json = folder.run(&format!("--json {line}"));
        assert_eq!((json.code, json.problems()), (2, vec!["E-USAGE".to_owned()]), "{line}");
    }
    let wrong = folder.run("confg").err;
    assert!(wrong.contains("'config'") && wrong.contains("[E-USAGE]"), "{wrong}");
}

#[test]
fn every_code_is_explained_without_a_configuration() {
    let folder = Folder::new();
    for code in Code::all() {
        let ran = folder.run(&format!("--json explain {code}"));
        assert_eq!(ran.code, 0, "{code}");
        assert_eq!(ran.json()["data"]["explanation"], code.explain());
    }
    let text = folder.run("explain config-type").out;
    assert!(text.starts_with("E-CONFIG-TYPE\n\n"));
    assert!(text.lines().all(|line| line.chars().count() <= 88));
    let unknown = folder.run("--json explain E-CONFG-TYPE");
    assert_eq!(unknown.code, 2);
    assert_eq!(unknown.json()["problems"][0]["fix"], "did you mean `E-CONFIG-TYPE`?");
}

#[test]
fn completions_name_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = Folder::new().run(&format!("completions {shell}"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{shell}");
        for word in ["config", "explain", "completions", "schema"] {
            assert!(ran.out.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn help_shows_examples_first_and_is_no_failure() {
    let folder = Folder::new();
    for line in ["--help", "config --help", "config diff -h", "explain --help", "help config"] {
        let ran = folder.run(line);
        assert_eq!(ran.code, 0, "{line}");
        assert!(ran.out.starts_with("Examples:\n  instep "), "{line}: {}", ran.out);
    }
    let version = folder.run("--version");
    assert_eq!((version.code, version.out.split(' ').next()), (0, Some("instep")));
}

#[test]
fn the_definition_of_the_commands_is_sound() {
    <Cli as clap::CommandFactory>::command().debug_assert();
}

#[test]
fn the_exit_codes_are_those_of_the_contract() {
    let codes = [
        (Exit::Done, 0, "ok"),
        (Exit::Unexpected, 1, "error"),
        (Exit::Usage, 2, "error"),
        (Exit::Differences, 3, "differences"),
        (Exit::Unreachable, 4, "error"),
        (Exit::Denied, 5, "error"),
        (Exit::Unverified, 6, "unverified"),
        (Exit::Refused, 7, "error"),
        (Exit::TimedOut, 8, "error"),
    ];
    for (exit, number, status) in codes {
        assert_eq!(exit as u8, number);
        let json = serde_json::to_value(Report::failed(exit, "summary", Vec::new())).unwrap();
        assert_eq!(json["status"], status, "{number}");
    }
}
