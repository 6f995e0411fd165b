//! PURE: how many rows one statement is asked for, so that it takes some milliseconds.

use std::time::Duration;

/// How many rows are asked for at once.
#[derive(Debug)]
pub(crate) struct Pace {
    rows: u64,
    rows_max: u64,
}

/// How long a statement is meant to take.
const QUICK: Duration = Duration::from_millis(15);
const SLOW: Duration = Duration::from_millis(60);

const ROWS_MIN: u64 = 200;

impl Pace {
    /// Begins with so many rows, and never asks for more than so many.
    pub(crate) fn new(rows: u64, rows_max: u64) -> Self {
        Self { rows: rows.min(rows_max), rows_max }
    }

    /// How many rows to ask for.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// An answer had no room for so many.
    pub(crate) fn overflowed(&mut self) {
        self.rows = (self.rows / 2).max(ROWS_MIN);
        self.rows_max = self.rows;
    }

    /// So many rows took so long.
    pub(crate) fn took(&mut self, rows: u64, time: Duration) {
        if time > SLOW {
            self.rows = (self.rows / 2).max(ROWS_MIN);
        } else if time < QUICK && rows >= self.rows / 2 {
            self.rows = (self.rows + self.rows / 2).min(self.rows_max);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use std::time::Duration;

    #[test]
    fn statements_become_as_long_as_they_may_take() {
        let mut pace = Pace::new(1_000, 5_000);
        for _ in 0..10 {
            pace.took(pace.rows(), Duration::from_millis(1));
        }
        assert_eq!(pace.rows(), 5_000);
        for _ in 0..20 {
            pace.took(pace.rows(), Duration::from_secs(1));
        }
        assert_eq!(pace.rows(), 200);
        pace.took(1, Duration::from_millis(1));
        assert_eq!(pace.rows(), 200, "a few rows say nothing");
        pace.took(200, Duration::from_millis(30));
        assert_eq!(pace.rows(), 200);
    }
}
