//! PURE: what to say about a slot that costs its server more and more.

use super::slot::Standing;
use model::Code;

/// What was said already.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alarm {
    bound: u64,
    said: Level,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Fine,
    /// More than half of what it may be.
    High,
    /// The server is about to let go.
    Close,
}

impl Alarm {
    /// Nothing was said; beyond the bound the slot is dropped, unless that is zero.
    pub(super) fn new(bound: u64) -> Self {
        Self { bound, said: Level::Fine }
    }

    /// What is to be said now, once for each time that it gets worse.
    pub(super) fn take(&mut self, slot: &Standing) -> Option<(Code, String)> {
        let level = self.level(slot);
        let before = std::mem::replace(&mut self.said, level);
        (level > before).then(|| {
            let Standing { retained, wal_status, .. } = slot;
            let more = match level {
                Level::Close => format!(", and the server is about to drop it ({wal_status})"),
                _ => format!("; at {} (slot_wal_bytes_max) it is dropped", self.bound),
            };
            let what = format!("the slot keeps {retained} bytes of the server's log{more}");
            (Code::PostgresSlot, what)
        })
    }

    fn level(&self, slot: &Standing) -> Level {
        let is_close =
            slot.safe.is_some_and(|safe| safe <= 0 || safe.unsigned_abs() < slot.retained / 4);
        if is_close || slot.wal_status == "unreserved" {
            return Level::Close;
        }
        if self.bound > 0 && slot.retained > self.bound / 2 { Level::High } else { Level::Fine }
    }
}

#[cfg(test)]
mod tests {
    use super::{Alarm, Standing};

    fn slot(retained: u64, safe: Option<i64>) -> Standing {
        Standing { retained, safe, wal_status: "reserved".into(), ..Standing::default() }
    }

    #[test]
    fn it_is_said_once_each_time_that_it_gets_worse() {
        let mut alarm = Alarm::new(1_000);
        let mut said = |retained, safe| alarm.take(&slot(retained, safe)).is_some();
        assert!(!said(400, None) && said(600, None) && !said(700, None));
        assert!(said(700, Some(100)) && !said(700, Some(0)));
        assert!(!said(100, None) && said(600, None));
    }

    #[test]
    fn without_a_bound_only_the_server_s_own_counts() {
        let mut alarm = Alarm::new(0);
        assert!(alarm.take(&slot(u64::MAX, None)).is_none());
        let unreserved = Standing { wal_status: "unreserved".into(), ..slot(1, None) };
        assert!(alarm.take(&unreserved).is_some());
    }
}
