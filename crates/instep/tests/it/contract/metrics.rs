//! `/metrics`: every family with its type and labels, in a format that a Prometheus reads.

use super::process::Process;
use super::waiting::until;
use super::world::{database, world, write};
use crate::program::Folder;
use std::collections::{BTreeMap, BTreeSet};

/// What stands on a page: the type of each family, and every sample by its name and labels.
struct Page {
    types: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
}

fn page() -> Page {
    let answer = world().api.get("/metrics");
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = answer.text();
    assert!(text.ends_with('\n'));
    let (mut types, mut samples, mut helped) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(helped.insert(rest.split_once(' ').unwrap().0.to_owned()), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
        } else {
            let (sample, number) = line.rsplit_once(' ').unwrap();
            let number = number.parse().unwrap();
            assert!(samples.insert(sample.to_owned(), number).is_none(), "{line}");
        }
    }
    assert_eq!(helped, types.keys().cloned().collect());
    Page { types, samples }
}

#[test]
fn every_family_is_there_with_its_type() {
    let page = page();
    for (name, kind) in [
        ("instep_changes_captured_total", "counter"),
        ("instep_changes_applied_total", "counter"),
        ("instep_retries_total", "counter"),
        ("instep_failures", "gauge"),
        ("instep_target_state", "gauge"),
        ("instep_commit_to_apply_seconds", "histogram"),
        ("instep_journal_bytes", "gauge"),
        ("instep_build_info", "gauge"),
    ] {
        assert_eq!(page.types.get(name).map(String::as_str), Some(kind), "{name}");
    }
    // What is not known is not shown as nothing: nobody has proven anything, nothing waits.
    assert!(!page.types.contains_key("instep_verified_through_timestamp_seconds"));
}

#[test]
fn every_sample_belongs_to_a_family() {
    let page = page();
    for sample in page.samples.keys() {
        let name = sample.split('{').next().unwrap();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|suffix| name.strip_suffix(suffix))
            .find(|family| page.types.get(*family).is_some_and(|kind| kind == "histogram"));
        assert!(page.types.contains_key(family.unwrap_or(name)), "{sample}");
    }
}

#[test]
fn a_target_is_called_as_the_copy_is() {
    let page = page();
    for copy in ["items", "renamed", "rows"] {
        let at = |name: &str| page.samples.get(&format!("{name}{{target=\"{copy}\"}}")).copied();
        assert_eq!(at("instep_failures"), Some(0.0), "{copy}");
        assert!(at("instep_retries_total").is_some(), "{copy}");
        assert!(at("instep_changes_applied_total").is_some_and(|number| number >= 5.0), "{copy}");
        assert!(at("instep_commit_to_apply_seconds_count").is_some(), "{copy}");
        let state = |state: &str| {
            page.samples[&format!("instep_target_state{{target=\"{copy}\",state=\"{state}\"}}")]
        };
        assert_eq!((state("following"), state("stopped")), (1.0, 0.0), "{copy}");
    }
    let label = |sample: &String| sample.contains("target=\"item\"");
    assert!(!page.samples.keys().any(label), "a table's name is no label");
}

#[test]
fn sources_and_the_version_have_samples_of_their_own() {
    let page = page();
    for source in ["shop", "pair"] {
        let sample = format!("instep_changes_captured_total{{source=\"{source}\"}}");
        assert!(page.samples.contains_key(&sample), "{sample}");
    }
    let version = format!("instep_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(page.samples.get(&version), Some(&1.0));
    assert!(page.samples["instep_journal_bytes"] >= 0.0);
}

#[test]
fn the_buckets_of_a_histogram_only_grow_and_end_with_all() {
    let page = page();
    let name = "instep_commit_to_apply_seconds";
    let mut bounds: Vec<(f64, f64)> = page
        .samples
        .iter()
        .filter_map(|(sample, number)| {
            let labels = sample.strip_prefix(&format!("{name}_bucket{{target=\"items\",le=\""))?;
            let bound = labels.strip_suffix("\"}")?.replace("+Inf", "inf");
            Some((bound.parse().unwrap(), *number))
        })
        .collect();
    bounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    assert!(bounds.len() > 5 && bounds.last().unwrap().0.is_infinite());
    assert!(bounds.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{bounds:?}");
    let whole = page.samples[&format!("{name}_count{{target=\"items\"}}")];
    assert_eq!(bounds.last().map(|it| it.1), Some(whole));
}

#[test]
fn what_a_target_lacks_shows_since_when() {
    let folder = Folder::with(
        "version: 1\nlisten: 127.0.0.1:0\nlimits: { retry_pause_seconds: 0.2 }\n\
         services: { a: { sqlite: a.db }, b: { sqlite: b.db } }\n\
         sources: { s: { from: a, tables: [t] } }\n\
         copies: { kept: { of: s/t, to: b/t, create: true } }\n",
    );
    write(&folder, "a.db", "create table t (id integer primary key)");
    let (_process, api) = Process::start(&folder);
    until("it is filled", || api.json("/v1/copies")["copies"][0]["position"] == "1");
    // Whoever holds the target locked keeps its copy from following.
    let lock = database(&folder, "b.db");
    lock.execute_batch("begin immediate").unwrap();
    write(&folder, "a.db", "insert into t values (1), (2), (3)");
    until("it lags", || api.json("/v1/copies")["copies"][0]["lag_changes"] == 3);
    let sample = |name: &str| {
        let page = api.get("/metrics").text();
        let found = page.lines().find_map(|line| line.strip_prefix(name)?.split_once("} "));
        found.map(|(_, number)| number.parse::<f64>().unwrap())
    };
    let since = sample("instep_oldest_unapplied_timestamp_seconds{target=\"kept\"");
    assert!(since.is_some_and(|since| since > 1_700_000_000.0), "{since:?}");
    assert_eq!(sample("instep_changes_captured_total{source=\"s\""), Some(3.0));
    lock.execute_batch("commit").unwrap();
    until("it follows", || api.json("/v1/copies")["copies"][0]["lag_changes"] == 0);
    assert_eq!(sample("instep_oldest_unapplied_timestamp_seconds{target=\"kept\""), None);
    assert_eq!(sample("instep_changes_applied_total{target=\"kept\""), Some(3.0));
    let times = sample("instep_commit_to_apply_seconds_count{target=\"kept\"");
    assert_eq!(times, Some(1.0), "one transaction");
}
