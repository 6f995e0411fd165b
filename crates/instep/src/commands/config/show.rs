//! `config show`: the configuration as it holds.

use super::refused::refused;
use crate::cli::Globals;
use crate::config::{load, to_json, to_yaml};
use crate::report::Report;

/// Shows the configuration with variables in place, defaults filled in and secrets masked.
pub fn run(globals: &Globals) -> Report {
    let file = globals.config_file();
    match load(&file) {
        Err(problems) => refused(&file, problems),
        Ok(loaded) => {
            let yaml = to_yaml(&loaded.settings, &loaded.around);
            let json = to_json(&loaded.settings, &loaded.around);
            let summary = format!("{} as it holds", file.display());
            Report::done(summary).with(yaml, json).warned(loaded.warnings)
        }
    }
}
