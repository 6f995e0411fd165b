//! Fuzzing: the tests in modules named `fuzz`, each told how long to go on.
//!
//! The gate runs the same tests for a moment. Nothing has to be installed for it.

use crate::shell::{self, Failure, Outcome};

/// Runs the fuzz tests whose name has this in it, one after the other.
pub(crate) fn run(name: Option<&str>, seconds: u64, seed: u64) -> Outcome {
    // The fuzzer's own tests fuzz nothing.
    let all = "cargo test --locked --workspace --exclude instep-testkit --all-features";
    let line = format!("{all} {FILTER}");
    let mut line = shell::words(&line);
    line.extend(["--", "--nocapture", "--test-threads=2"]);
    line.extend(name);
    let mut command = shell::program(&line);
    command.env("INSTEP_FUZZ_SECONDS", seconds.to_string());
    command.env("INSTEP_FUZZ_SEED", seed.to_string());
    let status = command.status().map_err(|error| {
        Failure::new(format!("cargo could not be run: {error}"), "see that cargo is on the PATH")
    })?;
    if status.success() {
        return Ok(());
    }
    let mend = "make a test of the input that is shown, mend what it shows, and fuzz again";
    Err(Failure::new("an input was found that breaks its reader", mend).with_code(status.code()))
}

/// What the names of all fuzz tests have in them.
const FILTER: &str = "fuzz::";
