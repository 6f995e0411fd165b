//! Where it is told how far a comparison has come: the last line of a terminal, or nowhere.

use super::bar::{Moment, line};
use crate::paint::Paint;
use compare::Progress;
use rustix::termios::tcgetwinsize;
use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;
use tokio::time::{Instant, interval};

/// How often the line is drawn.
const EVERY: Duration = Duration::from_millis(150);

/// How wide a terminal is that does not say it.
const USUAL: usize = 80;

/// The place for whoever started the comparison.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    is_live: bool,
    paint: Paint,
}

impl Screen {
    /// Standard error, where that is a terminal that can draw, and no program is asking.
    pub(super) fn open(is_silent: bool) -> Self {
        let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        let is_live = !is_silent && !is_dumb && io::stderr().is_terminal();
        Self { is_live, paint: Paint::for_stderr() }
    }

    /// Does it, and tells meanwhile how far it has come.
    pub(super) async fn tell<T>(self, progress: &Progress, doing: impl Future<Output = T>) -> T {
        if !self.is_live {
            return doing.await;
        }
        let (begun, mut again) = (Instant::now(), interval(EVERY));
        let mut doing = std::pin::pin!(doing);
        let done = loop {
            tokio::select! {
                done = &mut doing => break done,
                _ = again.tick() => self.draw(progress, begun.elapsed()),
            }
        };
        write("\r\u{1b}[K");
        done
    }

    fn draw(self, progress: &Progress, elapsed: Duration) {
        let moment = Moment {
            compared: progress.compared(),
            expected: progress.expected(),
            suspects: progress.suspects(),
            differences: progress.differences(),
            doing: progress.doing(),
            elapsed,
        };
        write(&format!("\r{}\u{1b}[K", self.paint.dim(&line(&moment, width()))));
    }
}

fn width() -> usize {
    match tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 => size.ws_col.into(),
        _ => USUAL,
    }
}

fn write(text: &str) {
    let mut err = io::stderr().lock();
    // Whoever has closed the terminal wants no more.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}
