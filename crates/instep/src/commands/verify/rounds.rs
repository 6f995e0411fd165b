//! A comparison once, or again and again until somebody has enough of it.

use super::asked::Asked;
use super::place::Pair;
use super::screen::Screen;
use super::told;
use super::watch::{Watch, state};
use super::whole::Whole;
use super::work::{Ready, compare, described, ready};
use crate::cli::Output;
use crate::commands::failing::failed;
use crate::commands::signals::Signals;
use crate::report::{Exit, Report};
use serde_json::json;
use server::{Listener, Watched, serve_watched, write_instant};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, sleep_until};

/// Who asks for the end, and who is told.
struct Stopping {
    asked: engine::Stop,
    told: compare::Stop,
}

impl Stopping {
    /// From now on the first signal asks for the end, and a second one ends the process.
    fn listen() -> Self {
        let stopping = Self { asked: engine::Stop::new(), told: compare::Stop::default() };
        let (asked, told) = (stopping.asked.clone(), stopping.told.clone());
        let signals = Signals::listen();
        tokio::spawn(async move {
            signals.wait(&asked).await;
            told.now();
        });
        stopping
    }
}

/// Compares once.
pub(super) async fn once(pairs: &[Pair], asked: &Asked) -> Result<Report, Report> {
    let stopping = Stopping::listen();
    let all = prepared(pairs, asked, &stopping).await?;
    tell_before(&described(&all, asked), asked.output);
    let screen = Screen::open(asked.output == Output::Json);
    let whole = compare(all, screen, &stopping.told).await;
    let report = told::report(&whole, asked, pairs[0].copy.kind());
    if report.exit == Exit::Done && matches!(asked.output, Output::Csv | Output::Sql) {
        // Nobody sees it otherwise: standard output is for another program.
        tell_aside(&report.summary);
    }
    Ok(report)
}

/// Compares again and again, each time so long after the last one began.
pub(super) async fn again(
    pairs: &[Pair],
    asked: &Asked,
    every: Duration,
    listen: Option<SocketAddr>,
) -> Result<Report, Report> {
    let stopping = Stopping::listen();
    let watch = Arc::new(Watching(Mutex::new(Watch::new(pairs[0].copy.table.as_str()))));
    let serving = serve(listen, &watch, &stopping).await?;
    let mut asked = asked.clone();
    // What a round came to that went to its end decides.
    let (mut exit, mut is_first, screen) = (None, true, Screen::open(asked.output == Output::Json));
    while !stopping.asked.asked() {
        let begun = Instant::now();
        let round = round(pairs, &asked, &stopping, (screen, is_first)).await;
        if is_first
            && let Err(report) = &round
            && report.exit == Exit::Usage
        {
            return round.map(|_| Report::silent());
        }
        let is_whole =
            !stopping.asked.asked() || matches!(&round, Ok(whole) if !whole.is_partial());
        let (now, took) =
            (micros(), i64::try_from(begun.elapsed().as_micros()).unwrap_or(i64::MAX));
        if is_whole {
            watch.lock().ended(round.as_ref().ok(), now, took);
        }
        let report = match round {
            Ok(whole) => told::report(&whole, &asked, pairs[0].copy.kind()),
            Err(report) => report,
        };
        if is_whole {
            exit = Some(if report.exit == Exit::Done || report.exit == Exit::Differences {
                report.exit
            } else {
                Exit::Unverified
            });
        }
        // Nobody reads on where standard output is closed, but metrics may be read.
        if tell_line(&report, now, asked.output).is_err() && serving.is_none() {
            break;
        }
        (is_first, asked.terms.seed) = (false, asked.terms.seed.wrapping_add(1));
        tokio::select! {
            () = sleep_until(begun + every) => {}
            () = stopping.asked.wait() => {}
        }
    }
    stopping.asked.ask();
    if let Some(serving) = serving {
        let _ = serving.await;
    }
    Ok(Report { exit: exit.unwrap_or(Exit::Unverified), ..Report::silent() })
}

/// One of several comparisons.
async fn round(
    pairs: &[Pair],
    asked: &Asked,
    stopping: &Stopping,
    (screen, is_first): (Screen, bool),
) -> Result<Whole, Report> {
    let all = prepared(pairs, asked, stopping).await?;
    if is_first && asked.output == Output::Human {
        tell_aside(described(&all, asked).trim_end());
    }
    Ok(compare(all, screen, &stopping.told).await)
}

/// Everything made ready, unless somebody has enough before that.
async fn prepared(
    pairs: &[Pair],
    asked: &Asked,
    stopping: &Stopping,
) -> Result<Vec<Ready>, Report> {
    tokio::select! {
        all = ready(pairs, asked) => all,
        () = stopping.asked.wait() => {
            Err(Report::ended(Exit::Unverified, "unverified: stopped before anything was compared"))
        }
    }
}

/// What is compared, and how, before it begins.
fn tell_before(text: &str, output: Output) {
    match output {
        Output::Human => {
            let mut out = io::stdout().lock();
            // Whoever has closed the pipe wants no more.
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
        Output::Csv | Output::Sql => tell_aside(text.trim_end()),
        Output::Json => {}
    }
}

fn tell_aside(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A verdict in a line, with the time at which it was found.
fn tell_line(report: &Report, now: i64, output: Output) -> io::Result<()> {
    let line = match output {
        Output::Json => {
            let mut document = serde_json::to_value(report)?;
            document["at"] = json!(write_instant(now));
            document.to_string()
        }
        _ => format!("{}  {}", write_instant(now), report.summary),
    };
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// What comparisons have left behind, seen from two tasks.
struct Watching(Mutex<Watch>);

impl Watching {
    fn lock(&self) -> MutexGuard<'_, Watch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched for Watching {
    fn is_ready(&self) -> bool {
        self.lock().is_ready()
    }

    fn metrics(&self) -> String {
        self.lock().page()
    }
}

async fn serve(
    listen: Option<SocketAddr>,
    watch: &Arc<Watching>,
    stopping: &Stopping,
) -> Result<Option<tokio::task::JoinHandle<()>>, Report> {
    let Some(listen) = listen else { return Ok(None) };
    let listener = Listener::bind(&listen.to_string()).await.map_err(failed)?;
    tell_aside(&format!(
        "metrics at http://{}/metrics, state {} until the first verdict",
        listener.address(),
        state(::compare::Outcome::Unverified)
    ));
    let (watch, stop) = (watch.clone(), stopping.asked.clone());
    Ok(Some(tokio::spawn(async move { serve_watched(listener, watch, stop.wait()).await })))
}

/// Microseconds since 1970, for what is shown to people.
#[expect(clippy::disallowed_methods, reason = "only shown; nothing decides by it")]
fn micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
