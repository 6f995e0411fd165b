//! The simulation's front: hands everything to the sim crate's own command line.

use crate::shell::{self, Failure, Outcome};

/// The line that runs the simulation, up to its own arguments.
pub(crate) const LINE: &str = "cargo run --locked -p instep-sim --";

/// Runs the simulation with these arguments and ends with its exit code.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut line = shell::words(LINE);
    line.extend(arguments.iter().map(String::as_str));
    let status = shell::run(&line)?;
    if status.success() {
        return Ok(());
    }
    let failure = Failure::new(
        "the simulation did not end well",
        "if it names a seed, `cargo xtask sim --seed SEED` replays that world",
    );
    Err(failure.with_code(status.code()))
}
