//! PURE: the page of `/metrics`, in Prometheus' text format.
//!
//! Labels are names of the configuration and a few fixed words, never keys or values. A family
//! without samples is left out: what is not known is not shown as nothing.

pub(crate) mod families;
pub(crate) mod page;

use engine::Latency;
use engine::works::{SourceStatus, TargetState, TargetStatus};
use families::{
    APPLIED, BUILD, CAPTURED, FAILURES, JOURNAL, LATENCY, RETAINED, RETRIES, STATE, WAITS,
};
use page::{Page, Sample};
use std::collections::BTreeMap;
use std::time::Duration;

/// The media type of the page.
pub(crate) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the page is made of.
pub(crate) struct Facts<'a> {
    pub(crate) version: &'a str,
    pub(crate) sources: &'a [SourceStatus],
    pub(crate) targets: Vec<TargetStatus>,
    /// The room that the log takes, if it could be asked.
    pub(crate) journal_bytes: Option<u64>,
}

/// The page.
pub(crate) fn page(facts: Facts<'_>) -> String {
    let targets = &merged(facts.targets);
    let per_target = |number: fn(&TargetStatus) -> Option<String>| {
        let sample = move |target: &TargetStatus| {
            Some(Sample::new(&[("target", &target.name)], number(target)?))
        };
        targets.iter().filter_map(sample).collect::<Vec<_>>()
    };
    let captured = facts
        .sources
        .iter()
        .map(|source| Sample::new(&[("source", &source.name)], source.captured.to_string()));
    let journal = facts.journal_bytes.map(|bytes| Sample::new(&[], bytes.to_string()));
    let mut page = Page::default();
    page.family(&CAPTURED, captured.collect());
    let retained = facts.sources.iter().flat_map(retained);
    page.family(&RETAINED, retained.collect());
    page.family(&APPLIED, per_target(|it| Some(it.written.to_string())));
    page.family(&RETRIES, per_target(|it| Some(it.retries.to_string())));
    page.family(&FAILURES, per_target(|it| Some(it.failures.to_string())));
    page.family(&STATE, targets.iter().flat_map(states).collect());
    let latencies = targets.iter().flat_map(|it| histogram(&it.name, &it.latency));
    page.family(&LATENCY, latencies.collect());
    let waits = per_target(|it| it.waits_since.map(seconds));
    page.family(&WAITS, waits);
    page.family(&JOURNAL, journal.into_iter().collect());
    let build = Sample::new(&[("version", facts.version)], "1".to_owned());
    page.family(&BUILD, vec![build]);
    page.text()
}

/// What each service of a source keeps because of us, where it counts it.
fn retained(source: &SourceStatus) -> impl Iterator<Item = Sample> + '_ {
    source.services.iter().filter_map(|service| {
        let labels = [("source", &*source.name), ("service", &*service.name)];
        Some(Sample::new(&labels, service.retained_bytes?.to_string()))
    })
}

/// The states of a target, from the best to the worst.
const STATES: [(TargetState, &str); 5] = [
    (TargetState::Following, "following"),
    (TargetState::Starting, "starting"),
    (TargetState::Elsewhere, "elsewhere"),
    (TargetState::Retrying, "retrying"),
    (TargetState::Stopped, "stopped"),
];

/// One target each, whichever lanes feed it: sums, the worst state, the oldest that waits.
fn merged(targets: Vec<TargetStatus>) -> Vec<TargetStatus> {
    let mut merged: BTreeMap<String, TargetStatus> = BTreeMap::new();
    for lane in targets {
        let Some(whole) = merged.get_mut(&lane.name) else {
            merged.insert(lane.name.clone(), lane);
            continue;
        };
        whole.state = whole.state.max(lane.state);
        whole.written += lane.written;
        whole.retries += lane.retries;
        whole.failures += lane.failures;
        whole.waits_since = whole.waits_since.into_iter().chain(lane.waits_since).min();
        for (sum, more) in whole.latency.counts.iter_mut().zip(lane.latency.counts) {
            *sum += more;
        }
        whole.latency.sum += lane.latency.sum;
    }
    merged.into_values().collect()
}

fn states(target: &TargetStatus) -> impl Iterator<Item = Sample> + '_ {
    STATES.iter().map(|(state, name)| {
        let is_it = u8::from(target.state == *state);
        Sample::new(&[("target", &target.name), ("state", name)], is_it.to_string())
    })
}

fn histogram(target: &str, latency: &Latency) -> Vec<Sample> {
    let bounds = Latency::bounds().map(|bound| bound.as_secs_f64().to_string());
    let mut upto = 0;
    let bucket = |(bound, count): (String, &u64)| {
        upto += count;
        let labels = [("target", target), ("le", bound.as_str())];
        Sample::new(&labels, upto.to_string()).behind("_bucket")
    };
    let mut samples: Vec<_> =
        bounds.chain(["+Inf".to_owned()]).zip(&latency.counts).map(bucket).collect();
    let whole = |suffix, number| Sample::new(&[("target", target)], number).behind(suffix);
    samples.push(whole("_sum", latency.sum.as_secs_f64().to_string()));
    samples.push(whole("_count", upto.to_string()));
    samples
}

/// Microseconds since 1970 as seconds.
fn seconds(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let since = Duration::from_micros(micros.unsigned_abs());
    format!("{sign}{}.{:06}", since.as_secs(), since.subsec_micros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::works::ServiceStatus;

    fn target(name: &str, state: TargetState) -> TargetStatus {
        let mut latency = Latency::default();
        latency.counts[0] = 2;
        latency.counts[14] = 1;
        latency.sum = Duration::from_millis(1_500);
        TargetStatus {
            name: name.to_owned(),
            state,
            written: 3,
            retries: 1,
            failures: 2,
            latency,
            waits_since: None,
            trouble: None,
        }
    }

    #[test]
    fn lanes_of_one_target_are_one() {
        let waiting =
            TargetStatus { waits_since: Some(1_500_000), ..target("a", TargetState::Following) };
        let later =
            TargetStatus { waits_since: Some(2_000_000), ..target("a", TargetState::Retrying) };
        let targets = vec![waiting, target("b", TargetState::Following), later];
        let page = page(Facts { version: "1", sources: &[], targets, journal_bytes: None });
        for line in [
            "instep_changes_applied_total{target=\"a\"} 6",
            "instep_changes_applied_total{target=\"b\"} 3",
            "instep_target_state{target=\"a\",state=\"retrying\"} 1",
            "instep_target_state{target=\"a\",state=\"following\"} 0",
            "instep_oldest_unapplied_timestamp_seconds{target=\"a\"} 1.500000",
            "instep_commit_to_apply_seconds_bucket{target=\"a\",le=\"0.001\"} 4",
            "instep_commit_to_apply_seconds_bucket{target=\"a\",le=\"600\"} 4",
            "instep_commit_to_apply_seconds_bucket{target=\"a\",le=\"+Inf\"} 6",
            "instep_commit_to_apply_seconds_sum{target=\"a\"} 3",
            "instep_commit_to_apply_seconds_count{target=\"a\"} 6",
        ] {
            assert!(page.lines().any(|it| it == line), "{line}\n{page}");
        }
        assert!(!page.contains("oldest_unapplied_timestamp_seconds{target=\"b\"}"));
        assert!(
            !page.contains("journal") && !page.contains("verified") && !page.contains("captured")
        );
    }

    #[test]
    fn every_family_can_be_on_the_page_in_its_order_and_with_its_labels() {
        let service = ServiceStatus {
            name: "db".into(),
            connected: true,
            position: None,
            retained_bytes: Some(7),
            troubles: Vec::new(),
        };
        let source = SourceStatus { name: "s".into(), captured: 1, services: vec![service] };
        let mut target = target("a", TargetState::Following);
        target.waits_since = Some(1);
        let sources = &[source];
        let facts = Facts { version: "1", sources, targets: vec![target], journal_bytes: Some(7) };
        let page = page(facts);
        let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let types: Vec<_> = types.map(str::to_owned).collect();
        let known = families::FAMILIES.map(|family| format!("{} {}", family.name, family.kind));
        assert_eq!(types, known);
        for family in families::FAMILIES {
            let samples = page.lines().filter(|line| line.starts_with(family.name));
            for sample in samples {
                let has = family.labels.iter().all(|label| sample.contains(&format!("{label}=\"")));
                assert!(has, "{sample}");
                assert_eq!(sample.contains('{'), !family.labels.is_empty(), "{sample}");
            }
        }
    }

    #[test]
    fn a_name_can_not_break_out_of_its_label() {
        let targets = vec![target("a\"} 1\n\\", TargetState::Following)];
        let page = page(Facts { version: "1", sources: &[], targets, journal_bytes: Some(7) });
        assert!(page.contains(r#"instep_failures{target="a\"} 1\n\\"} 2"#), "{page}");
        assert!(page.contains("\ninstep_journal_bytes 7\n"));
    }
}
