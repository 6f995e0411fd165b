//! PURE: what the role lacks, with the statement that grants it.

use crate::commands::doctor::check::{Check, Layer};
use crate::problem::Problem;
use model::Code;

/// A check that failed because the role lacks something.
pub(super) fn lacking(
    tried: impl Into<String>,
    code: Code,
    (what, why): (String, &str),
    fix: String,
) -> Check {
    Check::problem(Layer::Capability, tried, Problem::new(code, what, why, fix))
}
