//! The counterpart of the gate that may write: mends what a machine can mend.

use crate::shell::{self, Failure, Outcome};
use crate::{gate, tidy};

/// Formats, applies the lints' suggestions, and says what a person must still do.
pub(crate) fn run() -> Outcome {
    must(FORMAT)?;
    must(APPLY)?;
    must(FORMAT)?;
    let lints_hold = shell::run(&shell::words(gate::LINTS))?.success();
    let findings = tidy::check_all()?;
    tidy::print(&findings);
    match left(lints_hold, findings.len()) {
        None => {
            println!("Nothing is left to mend; `cargo xtask test` is the gate.");
            Ok(())
        }
        Some(left) => Err(Failure::new(left, "mend these by hand, then run `cargo xtask test`")),
    }
}

const FORMAT: &str = "cargo fmt --all";
const APPLY: &str =
    "cargo clippy --fix --workspace --all-targets --all-features --allow-dirty --allow-staged";

fn must(line: &str) -> Outcome {
    if shell::run(&shell::words(line))?.success() {
        return Ok(());
    }
    Err(Failure::new(
        format!("`{line}` failed"),
        "mend what it names above; a machine cannot go on before that",
    ))
}

fn left(lints_hold: bool, findings: usize) -> Option<String> {
    match (lints_hold, findings) {
        (true, 0) => None,
        (true, n) => Some(format!("{n} findings of tidy are left for a person")),
        (false, 0) => Some("the lints above are left for a person".to_owned()),
        (false, n) => Some(format!("the lints above and {n} findings of tidy are left")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_named() {
        assert_eq!(left(true, 0), None);
        assert!(left(true, 2).is_some_and(|text| text.contains("2 findings")));
        assert!(left(false, 0).is_some_and(|text| text.contains("lints")));
    }
}
