//! PURE: notices, which tell what happened even where it was over before anybody looked.
//!
//! The last ones are kept, and numbered, so that whoever reads on knows how many he has missed.

use model::Code;
use std::collections::VecDeque;

/// Something that happened to a lane and that a person should know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number on its board: the first one has 1.
    pub number: u64,
    /// The name under which it is explained.
    pub code: Code,
    /// What happened.
    pub what: String,
}

/// The last notices of a board.
#[derive(Debug, Default)]
pub(super) struct Notices {
    last: u64,
    kept: VecDeque<Notice>,
}

/// How many are kept.
const KEPT_MAX: usize = 100;

impl Notices {
    pub(super) fn add(&mut self, code: Code, what: String) {
        self.last += 1;
        self.kept.push_back(Notice { number: self.last, code, what });
        if self.kept.len() > KEPT_MAX {
            self.kept.pop_front();
        }
    }

    /// Those after this number, as far as they are kept.
    pub(super) fn after(&self, number: u64) -> Vec<Notice> {
        self.kept.iter().filter(|notice| notice.number > number).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT_MAX, Notices};
    use model::Code;

    #[test]
    fn each_notice_is_read_once_and_in_order_by_who_goes_on_from_the_last() {
        let mut notices = Notices::default();
        let (mut seen, mut found) = (0, Vec::new());
        for round in 0..5 {
            for number in 0..round {
                notices.add(Code::SourceHistoryLost, format!("{round}.{number}"));
            }
            let new = notices.after(seen);
            seen = new.last().map_or(seen, |notice| notice.number);
            found.extend(new.into_iter().map(|notice| notice.what));
        }
        assert_eq!(found.join(" "), "1.0 2.0 2.1 3.0 3.1 3.2 4.0 4.1 4.2 4.3");
    }

    #[test]
    fn only_the_last_are_kept_and_their_numbers_say_how_many_went_before() {
        let mut notices = Notices::default();
        for number in 0..KEPT_MAX + 7 {
            notices.add(Code::SourceHistoryLost, number.to_string());
        }
        let found = notices.after(0);
        assert_eq!((found.len(), found[0].number), (KEPT_MAX, 8));
    }
}
