//! PURE: the picture of a demo at one moment: what it shows, and how that lies on a screen.
//!
//! On the left is the platform as it is today, on the right the same platform with Instep, in the
//! middle what a recount of the shards says.

mod narrow;
mod wide;

use super::line::{Line, Tone};
use super::moment::Moment;
use super::numbers::ENDPOINTS;

/// From this width on both sides stand beside each other.
const WIDE: usize = 78;

/// The least width and height in which anything can be shown.
pub(super) const LEAST: (usize, usize) = (44, 14);

/// The keys, as the last line of the picture names them.
const KEYS: &str = "k kill Instep  s stop the stores  d drop connections  f failing writes  q end";

/// The lines of the picture on a screen of this size.
pub(super) fn lines(moment: &Moment, width: usize, height: usize) -> Vec<Line> {
    let mut lines = head(moment);
    lines.extend(match width >= WIDE {
        true => wide::lines(moment),
        false => narrow::lines(moment),
    });
    lines.push(Line::default());
    // One line stays free for the cursor.
    let room = height.saturating_sub(lines.len() + 1 + usize::from(moment.has_keys));
    let room = room.min(HAPPENED_MAX);
    let skipped = moment.happened.len().saturating_sub(room);
    let shown = moment.happened[skipped..].iter();
    lines.extend(shown.map(|(at, text)| {
        Line::of(Tone::Faint, format!("{:>6}  ", clock(*at))).and(Tone::Plain, text.clone())
    }));
    // The picture keeps its height while things happen.
    lines.extend((moment.happened.len().min(room)..room).map(|_| Line::default()));
    if moment.has_keys {
        lines.push(Line::of(Tone::Faint, format!(" {KEYS}")));
    }
    lines.truncate(height.saturating_sub(1));
    lines
}

/// As many of the last happenings as are shown.
const HAPPENED_MAX: usize = 6;

/// What this is, and how far it has come.
fn head(moment: &Moment) -> Vec<Line> {
    let (now, whole) = (clock(moment.elapsed), clock(moment.whole));
    let far = format!("{now} of {whole}   {} changes   seed {}", moment.changes, moment.seed);
    let asked = ENDPOINTS.join(", ");
    vec![
        Line::of(Tone::Strong, " instep demo").at(24, Tone::Faint, far),
        Line::of(Tone::Plain, format!(" \"How many questions?\" asked of three services: {asked}")),
        Line::default(),
    ]
}

/// A time such as 0:07.
pub(super) fn clock(time: std::time::Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

#[cfg(test)]
mod tests;
