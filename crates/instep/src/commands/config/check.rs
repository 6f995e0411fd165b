//! `config check`: is the configuration right?

use super::refused::refused;
use crate::cli::Globals;
use crate::config::{Config, load};
use crate::report::Report;
use serde_json::json;

/// Checks the configuration.
pub fn run(globals: &Globals) -> Report {
    let file = globals.config_file();
    match load(&file) {
        Err(problems) => refused(&file, problems),
        Ok(loaded) => {
            let Config { services, sources, copies, counts, .. } = &loaded.config;
            let (services, sources) = (services.len(), sources.len());
            let (copies, counts) = (copies.len(), counts.len());
            let summary = format!(
                "{} is in order; services: {services}, sources: {sources}, copies: {copies}, \
                 counts: {counts}",
                file.display()
            );
            let data = json!({ "services": services, "sources": sources, "copies": copies,
                "counts": counts });
            let steps = Report::done(summary).with("", data).warned(loaded.warnings);
            steps.next("see what holds, with every default", "instep config show")
        }
    }
}
