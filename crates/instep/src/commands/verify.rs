//! `instep verify`: compares a table with its copy while both are written to, and changes nothing.
//!
//! ```text
//!   pairs               what is compared with what, from URLs or the configuration
//!     place               two tables, and where each is
//!     given               a table by its URL                       (pure)
//!     configured          a copy of the configuration              (pure)
//!   asked               what is typed, as terms of a comparison    (pure)
//!   rounds              a comparison once, or again and again
//!     work                one comparison, from its start to its verdicts
//!     watch               what each comparison left behind; the page of metrics  (pure)
//!   told                verdicts and what came of all together     (pure)
//!     human  document  csv  sql    how that is said                (pure)
//!   screen, bar         how far it has come, on a terminal
//!   refused             why it does not begin
//! ```
//!
//! Invariants: what was not read on both sides is never said to be equal; values of rows are shown
//! where that was asked for, and passwords never.

mod asked;
mod bar;
mod configured;
mod csv;
mod document;
mod given;
mod human;
mod pairs;
mod place;
mod refused;
mod rounds;
mod screen;
mod sql;
mod told;
mod watch;
mod whole;
mod work;

#[cfg(test)]
mod sampled;

use crate::cli::{Globals, Output, VerifyArguments};
use crate::report::{Exit, Report};
use std::hash::{BuildHasher, RandomState};
use tokio::runtime::Builder;
pub use watch::FAMILIES;

/// Compares.
pub fn run(globals: &Globals, arguments: &VerifyArguments) -> Report {
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return Report::ended(Exit::Unexpected, format!("no runtime can be had: {error}"));
        }
    };
    let ended = runtime.block_on(verify(globals, arguments));
    // A server that does not answer is not waited for.
    runtime.shutdown_background();
    ended.unwrap_or_else(|report| report)
}

async fn verify(globals: &Globals, arguments: &VerifyArguments) -> Result<Report, Report> {
    let output = match (globals.json, arguments.output) {
        (true, Output::Human | Output::Json) => Output::Json,
        (true, Output::Csv | Output::Sql) => {
            let what = "--json and --output ask for two different things";
            return Err(Report::usage(what, "leave one of them out"));
        }
        (false, output) => output,
    };
    asked::check(arguments, output)?;
    let pairs = pairs::read(globals, arguments)?;
    let asked = asked::asked(arguments, output, pairs[0].copy.kind(), chance())?;
    match arguments.every {
        None => rounds::once(&pairs, &asked).await,
        Some(every) => rounds::again(&pairs, &asked, every, arguments.listen).await,
    }
}

/// Another number in each comparison, so that what two rows have in one by chance they do not have in
/// the next.
fn chance() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
