//! PURE: the pages of docs/reference, made from what they describe.

mod api;
mod metrics;

use crate::cli::Cli;
use crate::config::keys::ROOT;
use crate::config::shape::{Key, Presence, Shape};
use clap::CommandFactory;
use model::Code;
use std::fmt::Write as _;

/// Every page by its file name.
pub fn pages() -> [(&'static str, String); 5] {
    [
        ("config.md", config()),
        ("errors.md", errors()),
        ("cli.md", cli()),
        ("api.md", format!("# HTTP API\n\n{MADE}\n\n{}", api::body(&server::document()))),
        ("metrics.md", format!("# Metrics\n\n{MADE}\n\n{}", metrics::body())),
    ]
}

const MADE: &str =
    "<!-- Made from the code by `UPDATE=1 cargo test -p instep --test it reference`. -->";

fn config() -> String {
    let mut page = format!("# Configuration\n\n{MADE}\n\n{CONFIG}\n\n");
    page.push_str("| key | value | without it | what it is for |\n|---|---|---|---|\n");
    rows(&ROOT, "", &mut page);
    page
}

const CONFIG: &str = "One YAML file: that of `--config`, else that of `INSTEP_CONFIG`, else \
`./instep.yaml`. Paths in it are relative to its own folder. `instep config check` says everything \
that is wrong with it at once, `instep config show` what holds, and `instep config schema` prints a \
schema for editors.

Inside single values `${NAME}` stands for an environment variable, which has to be set; \
`${NAME:-text}` falls back to the text when it is unset or empty; `${NAME:?message}` stops with the \
message then; `$$` is a dollar sign. In `{ }` and `[ ]` such values stand in quotes. Names that you \
give are up to 63 characters of `a-z`, `0-9`, `-` and `_`, beginning with a letter or a digit.";

fn rows(shape: &Shape, path: &str, page: &mut String) {
    let dot = if path.is_empty() { "" } else { "." };
    match shape {
        Shape::Record(keys) => {
            keys.iter().for_each(|key| row(key, &format!("{path}{dot}"), page));
        }
        Shape::Choice(kinds) => {
            let keys = kinds.iter().flat_map(|kind| std::iter::once(&kind.key).chain(kind.beside));
            keys.for_each(|key| row(key, &format!("{path}{dot}"), page));
        }
        Shape::Named(of) => rows(of, &format!("{path}{dot}NAME"), page),
        Shape::List(of) | Shape::OneOrMore(of) => rows(of, &format!("{path}[]"), page),
        _ => {}
    }
}

fn row(key: &Key, path: &str, page: &mut String) {
    if key.is_read() {
        let path = format!("{path}{}", key.name);
        let (wanted, without) = (cell(&key.shape.wanted()), without(key));
        let _ = writeln!(page, "| `{path}` | {wanted} | {without} | {} |", key.about);
        rows(&key.shape, &path, page);
    }
}

fn without(key: &Key) -> String {
    match key.presence {
        Presence::Required => "has to be there".to_owned(),
        Presence::Default(text) => format!("`{text}`"),
        Presence::Optional | Presence::Later => "none".to_owned(),
        Presence::Empty => match key.shape {
            Shape::Record(_) => "the defaults below".to_owned(),
            _ => "none".to_owned(),
        },
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn errors() -> String {
    let mut page = format!("# Codes\n\n{MADE}\n\n{ERRORS}\n");
    for code in Code::all() {
        let _ = write!(page, "\n## {code}\n\n{}\n", code.explain());
    }
    page
}

const ERRORS: &str = "Every problem that Instep reports carries one of these codes. Those that begin \
with `W-` only warn. `instep explain CODE` prints the same text.";

fn cli() -> String {
    let mut page = format!("# Commands\n\n{MADE}\n\n{CLI}\n");
    let mut command = Cli::command();
    command.build();
    describe(&mut command, &mut page);
    page
}

const CLI: &str = "Data goes to standard output, messages to standard error. Colour is for terminals \
alone; `NO_COLOR` turns it off.

With `--json` a command prints one document on standard output, also when it fails: `status` (`ok`, \
`differences`, `unverified` or `error`), `summary`, `problems` (each with `code`, `what`, `why`, `fix` and \
`where`), `next_steps` (each with `text` and `command`) and `data`. Fields are added over time, never \
changed.";

fn describe(command: &mut clap::Command, page: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let _ = write!(page, "\n## {name}\n\n```text\n");
    for line in help.trim_end().lines() {
        let _ = writeln!(page, "{}", line.trim_end());
    }
    page.push_str("```\n");
    for inner in command.get_subcommands_mut().filter(|inner| inner.get_name() != "help") {
        describe(inner, page);
    }
}
