//! What every command says of a configuration that can not be used.

use crate::problem::Problem;
use crate::report::{Exit, Report};
use std::path::Path;

/// The report of a configuration that can not be used.
pub fn refused(file: &Path, problems: Vec<Problem>) -> Report {
    let errors = problems.iter().filter(|problem| !problem.code.is_warning()).count();
    let noun = if errors == 1 { "problem" } else { "problems" };
    let summary = format!("{} can not be used: {errors} {noun}", file.display());
    Report::failed(Exit::Usage, summary, problems)
}
