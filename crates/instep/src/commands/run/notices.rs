//! Notices: what happens to sources, copies and counts, as lines of the log.
//!
//! How each is doing is looked at now and then, and told when it is another way than before. What a
//! person has to know of even if it was over in between comes from the boards, which keep it.

use engine::works::Works;
use engine::{Notice, Stop, Trouble, Untold};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How often it is looked whether anything has changed.
const LOOK: Duration = Duration::from_millis(500);

/// Writes a line whenever something changes, until a stop is asked for.
pub(super) async fn write(works: Arc<Works>, stop: Stop) {
    let mut before = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    loop {
        let is_over = stop.or(sleep(LOOK)).await.is_none();
        happened(&works, &mut numbers);
        if is_over {
            return;
        }
        let now = seen(&works);
        for (who, state) in &now {
            if before.get(who) != Some(state) {
                state.tell(who);
            }
        }
        before = now;
    }
}

/// Tells what has happened since these numbers.
fn happened(works: &Works, numbers: &mut BTreeMap<String, u64>) {
    for source in &works.sources {
        for shard in &source.shards {
            let who = format!("source {} in {}", source.name, shard.service);
            let last = numbers.entry(who.clone()).or_default();
            for Notice { number, code, what } in shard.pipeline.board.notices_after(*last) {
                let missed = number - *last - 1;
                if missed > 0 {
                    tracing::warn!(who, missed, "more has happened than is kept");
                }
                *last = number;
                tracing::warn!(who, code = code.name(), "{what}");
            }
        }
    }
}

/// What is to be told of one source, copy or count.
#[derive(Debug, PartialEq, Eq)]
struct State {
    what: String,
    trouble: Option<(&'static str, String)>,
}

impl State {
    fn new(what: impl Into<String>, trouble: Option<&Trouble>) -> Self {
        let trouble = trouble.map(|trouble| (trouble.code.name(), trouble.what.clone()));
        Self { what: what.into(), trouble }
    }

    fn tell(&self, who: &str) {
        match &self.trouble {
            Some((code, trouble)) => tracing::warn!(who, code, trouble, "{}", self.what),
            None => tracing::info!(who, "{}", self.what),
        }
    }
}

fn seen(works: &Works) -> BTreeMap<String, State> {
    let mut seen = BTreeMap::new();
    for source in works.source_status() {
        for service in source.services {
            let who = format!("source {} in {}", source.name, service.name);
            let what = if service.connected { "followed" } else { "not followed" };
            seen.insert(who, State::new(what, service.troubles.first()));
        }
    }
    for copy in works.copy_status() {
        let phase = format!("{:?}", copy.phase).to_lowercase();
        let what = match copy.failures {
            0 => phase,
            1 => format!("{phase}, 1 key is held back"),
            several => format!("{phase}, {several} keys are held back"),
        };
        seen.insert(format!("copy {}", copy.name), State::new(what, copy.trouble.as_ref()));
    }
    for target in works.target_status() {
        let what = format!("{:?}", target.state).to_lowercase();
        seen.insert(format!("target {}", target.name), State::new(what, target.trouble.as_ref()));
    }
    for count in works.count_status() {
        let state = match &count.untold {
            None => State::new("counted", None),
            Some(Untold::Filling) => State::new("not told yet: its rows are being read", None),
            Some(Untold::Replaying) => State::new("not told yet: the log is being read", None),
            Some(Untold::Unknown) => State::new("not counted", None),
            Some(Untold::Stopped(trouble)) => State::new("stopped", Some(trouble)),
        };
        seen.insert(format!("count {}", count.name), state);
    }
    seen
}
