//! `instep demo`: a quiz platform as it is today beside the same one with Instep, both under the same
//! changes, and a full comparison at the end.
//!
//! ```text
//!   folder      where everything is; files: reads it by itself
//!   plan        which changes are made; script: what is broken when
//!   side        one of the two platforms; instance: the process of Instep
//!   stage       all of it, a round at a time; breaking: what is broken now
//!   moment      what is seen; picture, line, screen: how it is told; keys
//!   last        waits for the last change, and reads everything
//!   compare     what is equal and what is not; verdict: the report
//! ```

mod breaking;
mod chance;
mod compare;
mod files;
mod folder;
mod instance;
mod keys;
mod last;
mod line;
mod moment;
mod numbers;
mod picture;
mod plan;
mod screen;
mod script;
mod side;
mod stage;
mod tally;
mod verdict;

use super::signals::Signals;
use crate::cli::{DemoArguments, Globals};
use crate::report::{Exit, Report};
use folder::Folder;
use keys::Keys;
use screen::Screen;
use stage::Stage;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// How long a demo may take.
const DURATION: RangeInclusive<Duration> = Duration::from_secs(3)..=Duration::from_secs(3_600);

/// Shows it, compares, and leaves nothing behind.
pub fn run(globals: &Globals, arguments: &DemoArguments) -> Report {
    if !DURATION.contains(&arguments.duration) {
        return Report::usage("a demo takes from 3s to 60m", "such as `--duration 20s`");
    }
    let runtime = match Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return Report::ended(Exit::Unexpected, format!("no runtime can be had: {error}"));
        }
    };
    let ended = runtime.block_on(perform(globals, arguments));
    runtime.shutdown_background();
    ended.unwrap_or_else(|report| report)
}

/// From the first signal that may come to the last file that is taken away.
async fn perform(globals: &Globals, arguments: &DemoArguments) -> Result<Report, Report> {
    let mut signals = Signals::listen();
    // A terminal that is closed ends the demo as well, and so does its other key.
    let mut hung_up = signal(SignalKind::hangup()).ok();
    let mut quit = signal(SignalKind::quit()).ok();
    let folder = Folder::make(arguments.keep.as_deref())?;
    let mut screen = Screen::open(globals.json);
    let started = Stage::start(&folder, (arguments.seed, arguments.duration)).await;
    let ended = match started {
        Err(what) => Err(Report::ended(Exit::Unexpected, what)),
        Ok(mut stage) => {
            let ended = tokio::select! {
                ended = show(&mut stage, &mut screen, arguments) => ended,
                code = signals.next() => Err(stopped(code, arguments.keep.as_deref())),
                Some(()) = async { hung_up.as_mut()?.recv().await } => {
                    Err(stopped(143, arguments.keep.as_deref()))
                }
                Some(()) = async { quit.as_mut()?.recv().await } => {
                    Err(stopped(130, arguments.keep.as_deref()))
                }
            };
            stage.instance.kill();
            stage.today.stop().await;
            stage.followed.stop().await;
            ended
        }
    };
    drop(screen);
    if let Err(error) = folder.close() {
        let what = format!("the folder of the demo can not be taken away: {error}");
        return ended.and(Err(Report::ended(Exit::Unexpected, what)));
    }
    ended
}

async fn show(
    stage: &mut Stage,
    screen: &mut Screen,
    arguments: &DemoArguments,
) -> Result<Report, Report> {
    let keys = if screen.is_live() { Keys::listen() } else { None };
    let played = stage.play(screen, keys).await;
    played.map_err(|what| last::broken(&what, &stage.instance))?;
    let compared = last::compare(stage).await?;
    Ok(compared.report(arguments.seed, &stage.tally, arguments.keep.as_deref()))
}

/// Somebody had enough of it.
fn stopped(code: i32, keep: Option<&Path>) -> Report {
    let exit = if code == 130 { Exit::Interrupted } else { Exit::Terminated };
    let left = match keep {
        Some(folder) => format!("what there is stays in {}", folder.display()),
        None => "nothing is left".to_owned(),
    };
    Report::ended(exit, format!("stopped before the comparison; {left}"))
}
