//! Where a demo is told: as a picture that changes on a terminal, as plain lines, or not at all.

use super::line::Line;
use super::moment::{ASKED, Doing, Moment};
use super::picture;
use rustix::termios::tcgetwinsize;
use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// Where a demo is told.
#[derive(Debug)]
pub(super) enum Screen {
    /// A terminal, with a picture of so many lines on it.
    Live { has_colour: bool, drawn: usize },
    /// Lines, the last of them about how it goes at this time.
    Lines { told: usize, last: Option<Duration> },
    /// Nowhere.
    Silent,
}

/// How often a line says how it goes.
const EVERY: Duration = Duration::from_secs(5);

/// What a picture shows before anything is known of a terminal's size.
const USUAL: (usize, usize) = (80, 24);

impl Screen {
    /// The place for whoever started the demo.
    pub(super) fn open(is_silent: bool) -> Self {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        let (width, height) = size();
        let fits = width >= picture::LEAST.0 && height >= picture::LEAST.1;
        if is_silent {
            Self::Silent
        } else if io::stdout().is_terminal() && !is_dumb && fits {
            write("\u{1b}[?25l");
            Self::Live { has_colour: !is_set("NO_COLOR"), drawn: 0 }
        } else {
            Self::Lines { told: 0, last: None }
        }
    }

    /// Whether it is a terminal that shows a picture.
    pub(super) fn is_live(&self) -> bool {
        matches!(self, Self::Live { .. })
    }

    /// Shows a moment.
    pub(super) fn show(&mut self, moment: &Moment) {
        match self {
            Self::Silent => {}
            Self::Live { has_colour, drawn } => {
                let (width, height) = size();
                let lines = picture::lines(moment, width, height);
                write(&drawing(&lines, *drawn, (width, *has_colour)));
                *drawn = lines.len();
            }
            Self::Lines { told, last } => {
                let mut text = String::new();
                if moment.changes == 0 {
                    text.push_str(STORY);
                }
                for (at, happened) in moment.happened.get(*told..).unwrap_or_default() {
                    text.push_str(&format!("{:>5}  {happened}\n", picture::clock(*at)));
                }
                *told = moment.happened.len();
                let is_due = last.is_none_or(|last| moment.elapsed >= last + EVERY);
                if is_due && moment.changes > 0 {
                    *last = Some(moment.elapsed);
                    text.push_str(&format!("{}\n", line(moment)));
                }
                write(&text);
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.is_live() {
            write("\u{1b}[?25h");
        }
    }
}

const STORY: &str =
    "A quiz platform, twice, under the same changes: questions in two shards, and three services \
that answer how many there are.
today        the question service writes twice: it tells the others, who add or take away one
with Instep  nobody writes twice: Instep follows the shards, and keeps the others' copy and counts
";

/// How it goes, in a line.
fn line(moment: &Moment) -> String {
    let instep = match moment.instep {
        Doing::Starting => ", Instep is starting",
        Doing::Killed(_) => ", Instep is down",
        Doing::CatchingUp => ", catching up",
        Doing::Equal => "",
    };
    let (today, followed) = (&moment.today, &moment.followed);
    format!(
        "{:>5}  {} changes; today {} of {ASKED} answers and {} of {} rows differ; with Instep {} and {}{instep}",
        picture::clock(moment.elapsed),
        moment.changes,
        today.wrong(),
        today.rows.wrong(),
        today.rows.compared,
        followed.wrong(),
        followed.rows.wrong(),
    )
}

/// What puts these lines in the place of those that were drawn before.
fn drawing(lines: &[Line], drawn: usize, (width, has_colour): (usize, bool)) -> String {
    let mut text = String::new();
    if drawn > 0 {
        text.push_str(&format!("\u{1b}[{drawn}F"));
    }
    for line in lines {
        // The last column stays free: a terminal may break the line there.
        text.push_str(&line.written(width.saturating_sub(1), has_colour));
        text.push_str("\u{1b}[K\n");
    }
    text.push_str("\u{1b}[J");
    text
}

fn size() -> (usize, usize) {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => USUAL,
    }
}

fn write(text: &str) {
    let mut out = io::stdout().lock();
    // Whoever has closed the pipe wants no more.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
