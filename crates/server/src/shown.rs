//! PURE: what the engine says, in the words of the answers.

use crate::text::civil::write_instant;
use crate::text::json;
use crate::views::{
    CopyView, CountBriefView, CountView, FailureView, LaneView, LogView, PhaseView, ProgressView,
    ServiceView, SourceView, StateView, TroubleView,
};
use engine::count::Group;
use engine::works::{
    CopyPhase, CopyStatus, CountStatus, Failure, LogStatus, SourceStatus, TargetStatus, Verdict,
};
use engine::{Progress, Trouble, Untold};
use model::Code;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// A source.
pub(crate) fn source(status: &SourceStatus) -> SourceView {
    let services = status.services.iter().map(|service| ServiceView {
        name: service.name.to_string(),
        connected: service.connected,
        position: service.position.clone(),
        retained_bytes: service.retained_bytes,
    });
    SourceView { name: status.name.to_string(), services: services.collect() }
}

/// The log.
pub(crate) fn log(status: LogStatus) -> LogView {
    let lane = |lane: engine::works::LaneStatus| LaneView {
        lane: lane.lane.to_string(),
        first: lane.first,
        last: lane.last,
    };
    let lanes = status.lanes.into_iter().map(lane).collect();
    LogView { kind: "embedded", bytes: status.bytes, lanes }
}

/// A copy.
pub(crate) fn copy(status: &CopyStatus) -> CopyView {
    CopyView {
        name: status.name.to_string(),
        of: status.of.clone(),
        to: status.to.to_string(),
        elsewhere: status.elsewhere.iter().map(ToString::to_string).collect(),
        phase: phase(status.phase),
        state: state(status.verdict),
        position: status.position.clone(),
        lag_changes: status.lag_changes,
        failures: status.failures,
        progress: status.progress.map(progress),
        verified_through: None,
    }
}

fn progress(progress: Progress) -> ProgressView {
    let Progress { rows_done, rows_estimated, rows_per_second, eta_seconds } = progress;
    ProgressView { rows_done, rows_estimated, rows_per_second, eta_seconds }
}

/// A count, in short.
pub(crate) fn count_brief(status: &CountStatus) -> CountBriefView {
    CountBriefView {
        name: status.name.to_string(),
        state: state(status.verdict),
        position: status.position.clone(),
    }
}

/// A count.
pub(crate) fn count(status: CountStatus) -> CountView {
    CountView {
        name: status.name.to_string(),
        by: status.by.iter().map(ToString::to_string).collect(),
        state: state(status.verdict),
        position: status.position,
    }
}

/// The values of a group by the names of its columns.
pub(crate) fn group(group: &Group, by: &[Arc<str>]) -> BTreeMap<String, Json> {
    by.iter().map(ToString::to_string).zip(group.values().iter().map(json)).collect()
}

/// A failure, seen at this moment in microseconds since 1970.
pub(crate) fn failure(failure: &Failure, now: i64) -> FailureView {
    let at = |pause: Duration| now.saturating_add(crate::clock::micros(pause));
    FailureView {
        id: failure.id.clone(),
        target: failure.target.to_string(),
        table: failure.table.to_string(),
        key: failure.key.values().iter().map(json).collect(),
        reason: failure.reason.clone(),
        since: write_instant(failure.since),
        attempts: failure.attempts,
        next_retry: failure.next_retry.map(|pause| write_instant(at(pause))),
    }
}

/// The worst that is known of any copy or count.
pub(crate) fn worst(copies: &[CopyStatus], counts: &[CountStatus]) -> StateView {
    let copies = copies.iter().map(|copy| copy.verdict);
    let all = copies.chain(counts.iter().map(|count| count.verdict));
    all.map(state).max().unwrap_or_default()
}

/// What is wrong with sources, copies, counts and the targets that counts are pushed to; each once.
pub(crate) fn troubles(
    sources: &[SourceStatus],
    copies: &[CopyStatus],
    counts: &[CountStatus],
    targets: &[TargetStatus],
) -> Vec<TroubleView> {
    let mut found = BTreeSet::new();
    for (source, service) in sources.iter().flat_map(|it| it.services.iter().map(move |s| (it, s)))
    {
        let who = format!("source {}, service {}", source.name, service.name);
        found.extend(service.troubles.iter().map(|it| trouble(it.code, &who, &it.what)));
    }
    let of_copies: BTreeSet<_> =
        copies.iter().filter_map(|copy| copy.trouble.as_ref()).map(said).collect();
    for copy in copies {
        let who = format!("copy {}", copy.name);
        found.extend(copy.trouble.iter().map(|it| trouble(it.code, &who, &it.what)));
        if copy.failures > 0 {
            let what = match copy.failures {
                1 => "1 key is held back".to_owned(),
                several => format!("{several} keys are held back"),
            };
            found.insert(trouble(Code::RowsHeld, &who, &what));
        }
    }
    for count in counts {
        if let Some(Untold::Stopped(it)) = &count.untold {
            found.insert(trouble(it.code, &format!("count {}", count.name), &it.what));
        }
    }
    for target in targets {
        // Those of groups have been told of their copies.
        let other = target.trouble.iter().filter(|it| !of_copies.contains(&said(it)));
        let who = format!("target {}", target.name);
        found.extend(other.map(|it| trouble(it.code, &who, &it.what)));
    }
    found.into_iter().collect()
}

/// Something that is wrong with somebody.
pub(crate) fn trouble(code: Code, who: &str, what: &str) -> TroubleView {
    TroubleView {
        code: code.to_string(),
        what: format!("{who}: {what}"),
        why: code.why().to_owned(),
        fix: code.fix().to_owned(),
    }
}

fn said(trouble: &Trouble) -> (Code, &str) {
    (trouble.code, &trouble.what)
}

/// What is known, in the words of the answers.
pub(crate) fn state(verdict: Verdict) -> StateView {
    match verdict {
        Verdict::Unverified => StateView::Unverified,
        Verdict::Diverged => StateView::Diverged,
    }
}

fn phase(phase: CopyPhase) -> PhaseView {
    match phase {
        CopyPhase::Following => PhaseView::Following,
        CopyPhase::Filling => PhaseView::Filling,
        CopyPhase::Bridging => PhaseView::Bridging,
        CopyPhase::Detached => PhaseView::Detached,
        CopyPhase::Stopped => PhaseView::Stopped,
    }
}
