//! The one gate: every check that a change must pass, in one order, never writing to the tree.
//!
//! What is quick to mend (format, lints, house rules) is shown all at once; after that the first
//! failing step ends the run. The tests' totals are the last line whenever the tests ran.

use crate::shell::{self, Failure, Outcome};
use crate::{needs, sim, tidy, versions};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The lints, as strict as the gate is.
pub(crate) const LINTS: &str =
    "cargo clippy --workspace --all-targets --all-features --locked -- -D warnings";

/// The lints of what ships, without the feature that plants bugs: code that only stands without it
/// would meet no lint otherwise.
const LINTS_SHIPPED: &str =
    "cargo clippy -p instep-model -p instep-journal -p instep-engine --locked -- -D warnings";

/// Runs every step; the totals come after everything else, a failure's words included.
pub(crate) fn run() -> ExitCode {
    let mut totals = Totals::default();
    let code = match steps(&mut totals) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    };
    if totals != Totals::default() {
        println!("\n{}", totals.line());
    }
    code
}

fn steps(totals: &mut Totals) -> Outcome {
    all_hold(&[step("needs", needs::check)])?;
    all_hold(&[
        step("format", || cargo(FORMAT)),
        step("lints", lints),
        step("tidy", || tidy::run(&[])),
    ])?;
    all_hold(&[step("tests", || tests(totals))])?;
    all_hold(&[step("versions", || versions::test(|line| totals.add(line)))])?;
    all_hold(&[step("simulation", simulation)])?;
    all_hold(&[step("documentation", documentation)])
}

const FORMAT: &str = "cargo fmt --all --check";
const TESTS: &str = "cargo test --workspace --all-features --locked --no-fail-fast";
// The same features everywhere, so that each dependency is built once.
const DOCUMENTATION: &str = "cargo doc --workspace --all-features --no-deps --locked";

/// How a step ended: its name as an error if it does not hold.
type Ended = Result<(), &'static str>;

/// Runs one step under a heading, and says how long it took and how it ended.
fn step(name: &'static str, work: impl FnOnce() -> Outcome) -> Ended {
    println!("\n== {name}");
    let started = now();
    let outcome = work();
    let took = seconds(started.elapsed());
    match outcome {
        Ok(()) => {
            println!("-- {name}: holds ({took})");
            Ok(())
        }
        Err(failure) => {
            println!("-- {name}: FAILED ({took})\n{failure}");
            Err(name)
        }
    }
}

/// Stops the gate if any of these steps failed.
fn all_hold(ended: &[Ended]) -> Outcome {
    let failed: Vec<&str> = ended.iter().filter_map(|ended| ended.err()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        format!("the gate stops: {} failed", failed.join(" and ")),
        "the end of each failed step says how to see it alone",
    ))
}

fn cargo(line: &str) -> Outcome {
    println!("{line}");
    if shell::run(&shell::words(line))?.success() { Ok(()) } else { Err(alone(line)) }
}

fn lints() -> Outcome {
    cargo(LINTS)?;
    cargo(LINTS_SHIPPED)
}

fn tests(totals: &mut Totals) -> Outcome {
    println!("{TESTS}");
    let status = shell::stream(&shell::words(TESTS), |line| totals.add(line))?;
    if !status.success() {
        totals.fail();
        return Err(alone(TESTS));
    }
    if totals.passed == 0 {
        return Err(Failure::new("no test ran", "a gate without tests holds nothing: add them"));
    }
    Ok(())
}

fn simulation() -> Outcome {
    cargo(&format!("{} gate", sim::LINE))
}

fn documentation() -> Outcome {
    let shown = format!("RUSTDOCFLAGS=\"-D warnings\" {DOCUMENTATION}");
    println!("{shown}");
    let mut command = shell::program(&shell::words(DOCUMENTATION));
    let status = command.env("RUSTDOCFLAGS", "-D warnings").status();
    if status.is_ok_and(|status| status.success()) { Ok(()) } else { Err(alone(&shown)) }
}

fn alone(line: &str) -> Failure {
    Failure::new("this step failed", format!("see it alone with: {line}"))
}

/// The sums over every test program that cargo ran.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Totals {
    /// Adds the counts of a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
    fn add(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else {
            return;
        };
        let counts = counts.split_once(". ").map_or(counts, |(_, counts)| counts);
        for part in counts.split(';') {
            let Some((number, word)) = part.trim().split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }

    /// A test program that died, or was never built, has no counts; it is one failure at least.
    fn fail(&mut self) {
        self.failed = self.failed.max(1);
    }

    fn line(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[expect(clippy::disallowed_methods, reason = "the gate is no part of a simulated world")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_add_up_over_every_test_program() {
        let mut totals = Totals::default();
        totals.add("running 3 tests");
        totals.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out");
        totals.add("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; finished");
        assert_eq!(totals.line(), "4 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn a_test_program_that_dies_is_a_failure() {
        let mut totals = Totals::default();
        totals.add("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured");
        totals.fail();
        assert_eq!(totals.line(), "3 passed, 1 failed, 0 skipped");
    }

    #[test]
    fn every_crate_that_bugs_are_planted_in_is_linted_without_them() {
        let crates = shell::root().join("crates");
        let mut planted = 0;
        for folder in std::fs::read_dir(crates).unwrap() {
            let manifest = std::fs::read_to_string(folder.unwrap().path().join("Cargo.toml"));
            let Ok(manifest) = manifest.unwrap_or_default().parse::<toml::Table>() else {
                continue;
            };
            if manifest.get("features").is_some_and(|features| features.get("attack").is_some()) {
                let name = manifest["package"]["name"].as_str().unwrap();
                assert!(LINTS_SHIPPED.contains(&format!(" -p {name} ")), "{name}");
                planted += 1;
            }
        }
        assert!(planted > 0);
        assert!(!LINTS_SHIPPED.contains("features"));
    }

    #[test]
    fn every_failed_step_is_named() {
        let ended = [
            step("format", || Err(alone("cargo fmt"))),
            step("lints", || Ok(())),
            step("tidy", || Err(alone("cargo xtask tidy"))),
        ];
        let failure = all_hold(&ended).unwrap_err();
        assert!(failure.to_string().contains("format and tidy failed"));
        assert!(all_hold(&[Ok(())]).is_ok());
    }
}
