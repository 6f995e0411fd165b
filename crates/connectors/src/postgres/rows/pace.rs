//! PURE: how many rows to ask a server for at once, and when to pause.
//!
//! A statement is to take about as long as an ordinary one of the server's own work. Where it takes
//! longer, fewer rows are asked for; where fewer rows take as long, because every statement goes
//! through the whole table, that would only make more of them, and as many as before are asked for.
//! Who took long pauses as long, so that at least half of the time is for others.

use std::time::Duration;

/// What a statement is to take.
const TARGET: Duration = Duration::from_millis(50);

/// Behind a statement that took longer there is a pause.
const SLOW: Duration = Duration::from_millis(200);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Rows that are asked for at first, at least, and at most.
const ROWS_FIRST: usize = 256;
const ROWS_MIN: usize = 16;
const ROWS_MAX: usize = 20_000;

/// Memory that the rows of one answer may take; the row that is the first beyond it is its last.
pub(super) const BYTES_MAX: usize = 2 << 20;

/// How many rows to ask for at once.
#[derive(Debug)]
pub(super) struct Pace {
    rows: usize,
    /// As many as take the memory that there is, going by the last ones.
    fitting: usize,
    /// What was asked for, and how long it took, where fewer are asked for since.
    before: Option<(usize, Duration)>,
    /// How long a statement takes that fewer rows make no faster.
    flat: Option<Duration>,
}

impl Pace {
    /// For a server of which nothing is known.
    pub(super) fn new() -> Self {
        Self { rows: ROWS_FIRST, fitting: ROWS_MAX, before: None, flat: None }
    }

    /// How many rows to ask for.
    pub(super) fn rows(&self) -> usize {
        self.rows.min(self.fitting).max(1)
    }

    /// So many rows of a stretch came, of so many that were asked for, in this time.
    pub(super) fn took(&mut self, rows: usize, asked: usize, bytes: usize, time: Duration) {
        let is_full = rows == asked;
        let each = bytes / rows.max(1);
        self.fitting = (BYTES_MAX / 4 * 3 / each.max(1)).clamp(1, ROWS_MAX);
        if let Some((rows, before)) = self.before.take()
            && is_full
            && time * 4 > before * 3
        {
            self.flat = Some(before.max(time));
            self.rows = rows;
            return;
        }
        let aim = self.flat.map_or(TARGET, |flat| flat * 2).max(TARGET);
        if time > aim {
            self.before = is_full.then_some((asked, time));
            self.flat = None;
            let share = aim.as_secs_f64() / time.as_secs_f64();
            self.rows = portion(asked, share).max(asked / 8).min(asked / 2).max(ROWS_MIN);
            return;
        }
        // Twice the rows take twice the time, but where rows are not what takes it.
        let room = if self.flat.is_some() { time * 4 <= aim * 3 } else { time * 2 <= aim };
        // Where somebody else wants no more, nothing is learned about more.
        if is_full && room && asked >= self.rows {
            self.rows = (self.rows * 2).min(ROWS_MAX);
        }
    }

    /// The server has ended a statement because it took too long. How long to pause.
    pub(super) fn timed_out(&mut self) -> Duration {
        (self.before, self.flat) = (None, None);
        self.rows = (self.rows / 8).max(ROWS_MIN);
        PAUSE_MAX
    }
}

/// How long to pause after a statement that took so long.
pub(super) fn pause(time: Duration) -> Duration {
    if time > SLOW { time.min(PAUSE_MAX) } else { Duration::ZERO }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rough share of a small number"
)]
fn portion(rows: usize, share: f64) -> usize {
    (rows as f64 * share) as usize
}

#[cfg(test)]
mod tests {
    use super::{BYTES_MAX, Pace, ROWS_FIRST, ROWS_MAX, ROWS_MIN, pause};
    use std::time::Duration;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Asks as often, of a server that takes this long for so many rows.
    fn ask(pace: &mut Pace, times: usize, takes: impl Fn(usize) -> Duration) -> Vec<usize> {
        let one = |_| {
            let rows = pace.rows();
            pace.took(rows, rows, rows * 10, takes(rows));
            rows
        };
        (0..times).map(one).collect()
    }

    #[test]
    fn rows_grow_while_a_statement_is_quick_and_shrink_when_it_is_slow() {
        let mut pace = Pace::new();
        let grown = ask(&mut pace, 10, |_| millis(5));
        assert_eq!((grown[0], grown[1], grown[9]), (ROWS_FIRST, 2 * ROWS_FIRST, ROWS_MAX));
        // A millisecond for each ten rows from now on.
        let shrunk = ask(&mut pace, 20, |rows| millis(rows as u64 / 10));
        assert!(shrunk[2] <= ROWS_MAX / 16, "{shrunk:?}");
        assert!((200..=500).contains(shrunk.last().unwrap()), "{shrunk:?}");
        assert!(ask(&mut pace, 10, |_| millis(5)).contains(&ROWS_MAX));
    }

    #[test]
    fn where_fewer_rows_are_no_quicker_as_many_as_before_are_asked_for() {
        let mut pace = Pace::new();
        let asked = ask(&mut pace, 20, |rows| millis(600 + rows as u64 / 100));
        assert!(asked.iter().filter(|&&rows| rows < ROWS_FIRST).count() <= 2, "{asked:?}");
        assert_eq!(*asked.last().unwrap(), ROWS_MAX);
        // Once the server is quick again, so is the pace.
        assert!(ask(&mut pace, 10, |_| millis(5)).iter().all(|&rows| rows == ROWS_MAX));
    }

    #[test]
    fn what_is_learned_is_about_the_rows_that_were_asked_for() {
        let mut pace = Pace::new();
        ask(&mut pace, 10, |_| millis(5));
        // Somebody wants no more than a thousand, and they take long all at once.
        pace.took(1_000, 1_000, 10_000, millis(100));
        assert!((400..=500).contains(&pace.rows()), "{pace:?}");
        pace.took(100, 100, 1_000, millis(5));
        assert!((400..=500).contains(&pace.rows()), "{pace:?}");
    }

    #[test]
    fn rows_are_as_many_as_memory_takes() {
        let mut pace = Pace::new();
        pace.took(256, 256, 256 * 100_000, millis(5));
        assert!(pace.rows() * 100_000 < BYTES_MAX && pace.rows() * 200_000 > BYTES_MAX);
        pace.took(1, 1, 1 << 30, millis(5));
        assert_eq!(pace.rows(), 1);
        ask(&mut pace, 10, |_| millis(1));
        assert_eq!(pace.rows(), ROWS_MAX);
    }

    #[test]
    fn who_took_long_pauses_as_long() {
        assert_eq!(pause(millis(50)), Duration::ZERO);
        assert_eq!(pause(millis(700)), millis(700));
        assert_eq!(pause(millis(700_000)), millis(10_000));
        let mut pace = Pace::new();
        assert_eq!(pace.timed_out(), millis(10_000));
        assert_eq!(pace.rows(), ROWS_FIRST / 8);
        for _ in 0..9 {
            pace.timed_out();
        }
        assert_eq!(pace.rows(), ROWS_MIN);
    }
}
