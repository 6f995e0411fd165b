//! PURE: groups of checks as a person reads them.

use super::check::{Check, Group, State};
use crate::paint::Paint;
use std::fmt::Write as _;

/// A group as a block of lines.
pub(super) fn group(group: &Group, paint: Paint) -> String {
    let Group { name, about, checks, skipped } = group;
    let mut said = String::new();
    let _ = writeln!(said, "{} {}  {}", mark(group.state(), paint), paint.bold(name), about);
    for one in checks {
        said.push_str(&check(one, paint));
    }
    if !skipped.is_empty() {
        let names: Vec<_> = skipped.iter().map(|layer| layer.name()).collect();
        let _ = writeln!(said, "       not looked at: {}", names.join(", "));
    }
    said
}

fn check(check: &Check, paint: Paint) -> String {
    let Check { layer, tried, state, found, evidence, problem } = check;
    let mut said = String::new();
    let layer = layer.name();
    let _ = writeln!(said, "  {} {layer:<14}  {tried}: {found}", mark(*state, paint));
    let mut line = |label: &str, text: &str| {
        let label = paint.dim(&format!("{label}:"));
        let _ = writeln!(said, "       {label} {text}");
    };
    if let Some(problem) = problem {
        line("reason", &problem.why);
    }
    if let Some(evidence) = evidence {
        line("evidence", evidence);
    }
    if let Some(problem) = problem {
        line("fix", &format!("{}  [{}]", problem.fix, problem.code));
    }
    said
}

/// The last line of all.
pub(super) fn verdict(state: State, summary: &str, paint: Paint) -> String {
    format!("{} {}\n", mark(state, paint), paint.bold(summary))
}

/// How a look went, at a glance; in plain letters where signs may not be shown.
fn mark(state: State, paint: Paint) -> String {
    match (state, paint.is_on()) {
        (State::Good, true) => paint.green("✔"),
        (State::Warning, true) => paint.yellow("!"),
        (State::NotMeasured, true) => paint.yellow("?"),
        (State::Failed, true) => paint.red("✖"),
        (State::Good, false) => "ok  ".to_owned(),
        (State::Warning, false) => "warn".to_owned(),
        (State::NotMeasured, false) => "?   ".to_owned(),
        (State::Failed, false) => "FAIL".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Layer;
    use super::*;
    use model::Code;

    #[test]
    fn a_failed_look_says_what_happened_why_and_what_to_do() {
        let failed = Check::bad(Layer::Name, "look for a.db", Code::FileMissing, "not there");
        let mut group = Group::new("app", "sqlite a.db");
        group.checks =
            vec![Check::good(Layer::Config, "read", "fine"), failed.because("ls says so")];
        group.skipped = vec![Layer::Connect, Layer::Role];
        let said = super::group(&group, Paint::none());
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines[0], "FAIL app  sqlite a.db");
        assert_eq!(lines[1], "  ok   config          read: fine");
        assert_eq!(lines[2], "  FAIL name            look for a.db: not there");
        assert!(lines[3].starts_with("       reason: There is no file"), "{said}");
        assert_eq!(lines[4], "       evidence: ls says so");
        assert!(lines[5].ends_with("[E-FILE-MISSING]"), "{said}");
        assert_eq!(lines[6], "       not looked at: connect, role");
    }
}
