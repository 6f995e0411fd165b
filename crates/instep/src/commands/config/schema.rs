//! `config schema`: what a configuration may hold, for editors.

use crate::config::schema::schema;
use crate::report::Report;

/// Prints the schema of this version's configuration.
pub fn run() -> Report {
    let schema = schema();
    Report::done("the schema of the configuration").with(format!("{schema:#}\n"), schema)
}
