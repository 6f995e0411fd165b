//! `config diff`: what differs between two configurations.

use super::refused::refused;
use crate::cli::Globals;
use crate::config::{Difference, differ, load};
use crate::report::{Exit, Report};
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;

/// Compares the configuration with another one, both as they hold.
pub fn run(globals: &Globals, other: &Path) -> Report {
    let file = globals.config_file();
    let (left, right) = match (load(&file), load(other)) {
        (Ok(left), Ok(right)) => (left, right),
        (Err(problems), Ok(_)) => return refused(&file, problems),
        (Ok(_), Err(problems)) => return refused(other, problems),
        (Err(mut problems), Err(others)) => {
            problems.extend(others);
            return refused(&file, problems);
        }
    };
    let differences = differ(&left.settings, &right.settings);
    let between = format!("between {} and {}", file.display(), other.display());
    let data = json!({ "differences": differences });
    let warnings = left.warnings.into_iter().chain(right.warnings).collect();
    let report = match differences.len() {
        0 => Report::done(format!("no differences {between}")),
        1 => Report::failed(Exit::Differences, format!("1 difference {between}"), Vec::new()),
        many => {
            Report::failed(Exit::Differences, format!("{many} differences {between}"), Vec::new())
        }
    };
    report.with(listed(&differences), data).warned(warnings)
}

fn listed(differences: &[Difference]) -> String {
    let mut text = String::new();
    for Difference { path, left, right } in differences {
        let sides = [("-", left), ("+", right)];
        for (sign, value) in sides.iter().filter_map(|(sign, value)| Some((sign, value.as_ref()?)))
        {
            let _ = writeln!(text, "{sign} {path}: {value}");
        }
    }
    text
}
