//! A verdict that tests begin with.

use super::whole::{Compared, Side, Whole};
use compare::{Method, Verdict};
use std::time::Duration;

/// A copy that is equal but for what is changed here.
pub(super) fn whole(change: impl FnOnce(&mut Verdict)) -> Whole {
    let side = |store: &str, table: &str, at: &str| Side {
        store: store.to_owned(),
        table: table.to_owned(),
        at: at.to_owned(),
    };
    let mut verdict = Verdict {
        compared: 1_000,
        missing: 0,
        extra: 0,
        different: 0,
        orphans: 0,
        unsettled: 0,
        unread: Vec::new(),
        position: Some("0/16B3748".to_owned()),
        differences: Vec::new(),
        agreed: Vec::new(),
        alone: Vec::new(),
        method: Method::Rows,
        settle: Duration::from_secs(5),
        is_partial: false,
        sampled: None,
        took: Duration::from_millis(1_400),
    };
    change(&mut verdict);
    let sides = [
        side("PostgreSQL 15.4", "public.questions", "db:5432/quiz"),
        side("SQLite 3.50.4", "questions", "/data/app.db"),
    ];
    Whole { parts: vec![Compared { shard: None, sides, verdict }], is_cut_short: false }
}
