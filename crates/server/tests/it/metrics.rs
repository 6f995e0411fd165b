//! The page that is scraped, read by a strict reader of its format.

use crate::rig::{Rig, Setup};
use model::Op;
use std::collections::{BTreeMap, BTreeSet};
use testkit::conformance::rows::row;

#[tokio::test]
async fn the_page_has_every_family_that_something_is_known_of() {
    let rig = Rig::new().await;
    rig.until("/v1/copies", |it| it["copies"][0]["phase"] == "following").await;
    let end = rig.change([Op::Insert(row(1, 7, "good")), Op::Insert(row(2, 7, "bad"))]);
    rig.until("/v1/status", |it| it["state"] == "diverged").await;
    let end = end.to_string();
    let is_there = |it: &serde_json::Value| it["copies"][0]["position"] == end;
    rig.until("/v1/copies", is_there).await;
    // The refused row is read again now and then; in between nothing waits.
    let reply = loop {
        let reply = rig.get("/metrics").await;
        if !reply.text().contains("oldest_unapplied") {
            break reply;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let families = read(reply.text()).unwrap_or_else(|wrong| panic!("{wrong}\n{}", reply.text()));
    let kinds: Vec<_> =
        families.iter().map(|(name, it)| (name.as_str(), it.kind.as_str())).collect();
    assert_eq!(
        kinds,
        [
            ("instep_build_info", "gauge"),
            ("instep_changes_applied_total", "counter"),
            ("instep_changes_captured_total", "counter"),
            ("instep_commit_to_apply_seconds", "histogram"),
            ("instep_failures", "gauge"),
            ("instep_journal_bytes", "gauge"),
            ("instep_retries_total", "counter"),
            ("instep_target_state", "gauge"),
        ],
        "and none of what nothing is known of"
    );
    let number = |line: &str| {
        let found = reply.text().lines().find_map(|it| it.strip_prefix(line)).expect("a sample");
        found.trim().parse::<f64>().expect("a number")
    };
    assert_eq!(number("instep_failures{target=\"mirror\"}"), 1.0);
    assert!(number("instep_changes_captured_total{source=\"questions\"}") >= 2.0);
    assert_eq!(number("instep_target_state{target=\"mirror\",state=\"following\"}"), 1.0);
    let version = format!("instep_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(number(&version), 1.0);
}

#[tokio::test]
async fn an_instance_that_does_not_run_has_a_page_too() {
    let shards = vec!["a", "b"];
    let rig = Rig::with(Setup { runs: false, shards, ..Setup::default() }).await;
    let reply = rig.get("/metrics").await;
    let families = read(reply.text()).expect("a page");
    assert!(families.contains_key("instep_build_info"));
    assert!(!families.contains_key("instep_verified_through_timestamp_seconds"));
}

#[test]
fn the_reader_is_strict() {
    let good = "# HELP a x\n# TYPE a counter\na{l=\"\\\"\\\\\"} 1\na 2\n";
    assert!(read(good).is_ok());
    for bad in [
        "a 1\n",
        "# TYPE a counter\na 1\n",
        "# HELP a x\n# TYPE a counter\na 1",
        "# HELP a x\n# TYPE a counter\na 1\na 1\n",
        "# HELP a x\n# TYPE a counter\n# HELP a x\na 1\n",
        "# HELP a x\n# TYPE a counter\na{l=\"x} 1\n",
        "# HELP a x\n# TYPE a counter\na{l=x} 1\n",
        "# HELP a x\n# TYPE a counter\na one\n",
        "# HELP a x\n# TYPE a counter\na_sum 1\n",
        "# HELP a x\n# TYPE a counter\n\na 1\n",
        "# HELP a x\n# TYPE a kind\na 1\n",
        "# HELP a x\n# TYPE a counter\n",
        "# HELP a x\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
        "# HELP a x\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_sum 1\na_count 2\n",
        "# HELP a x\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 2\na_sum 1\na_count 1\n",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

/// A family of the page.
struct Family {
    kind: String,
    /// Which piece of the family, its labels, and its number.
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

/// Reads a page, or says what is wrong with it.
fn read(page: &str) -> Result<BTreeMap<String, Family>, String> {
    let lines = page.strip_suffix('\n').ok_or("the last line has no end")?.split('\n');
    let mut families = BTreeMap::new();
    let (mut helped, mut current) = (None, None::<String>);
    let mut seen = BTreeSet::new();
    for line in lines {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, _) = rest.split_once(' ').ok_or(format!("no help: {line}"))?;
            helped = Some(name.to_owned());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or(format!("no type: {line}"))?;
            if helped.take().as_deref() != Some(name) || !KINDS.contains(&kind) {
                return Err(format!("a type without its help, or none: {line}"));
            }
            let family = Family { kind: kind.to_owned(), samples: Vec::new() };
            if families.insert(name.to_owned(), family).is_some() {
                return Err(format!("twice: {name}"));
            }
            current = Some(name.to_owned());
        } else {
            let name = current.clone().filter(|_| helped.is_none());
            let name = name.ok_or(format!("a sample without its type: {line}"))?;
            let family = families.get_mut(&name).expect("it was put there");
            let (piece, labels, number) = sample(line)?;
            let suffix =
                piece.strip_prefix(name.as_str()).ok_or(format!("not of {name}: {line}"))?;
            let suffixes: &[&str] =
                if family.kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            if !suffixes.contains(&suffix) || !seen.insert((piece.clone(), labels.clone())) {
                return Err(format!("of another kind, or twice: {line}"));
            }
            family.samples.push((suffix.to_owned(), labels, number));
        }
    }
    for (name, family) in &families {
        if family.samples.is_empty() {
            return Err(format!("{name} has no samples"));
        }
        if family.kind == "histogram" {
            check_histogram(family).map_err(|wrong| format!("{name}: {wrong}"))?;
        }
    }
    Ok(families)
}

const KINDS: [&str; 3] = ["counter", "gauge", "histogram"];

fn sample(line: &str) -> Result<(String, BTreeMap<String, String>, f64), String> {
    let is_name = |text: &str| {
        let mut letters = text.chars();
        letters.next().is_some_and(|it| it.is_ascii_alphabetic() || it == '_')
            && letters.all(|it| it.is_ascii_alphanumeric() || it == '_')
    };
    let end = line.find(['{', ' ']).ok_or(format!("no sample: {line}"))?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").ok_or(format!("no label: {line}"))?;
            let (mut value, mut length, mut letters) = (String::new(), 0, after.chars());
            loop {
                let letter = letters.next().ok_or(format!("no end of a label: {line}"))?;
                length += letter.len_utf8();
                match letter {
                    '"' => break,
                    '\\' => {
                        let letter = letters.next().filter(|it| "\\\"n".contains(*it));
                        value.push(letter.ok_or(format!("no such escape: {line}"))?);
                        length += 1;
                    }
                    letter => value.push(letter),
                }
            }
            if !is_name(label) || labels.insert(label.to_owned(), value).is_some() {
                return Err(format!("a label twice, or none: {line}"));
            }
            rest = &after[length..];
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix('}').ok_or(format!("no end of the labels: {line}"))?;
    }
    let number = rest.strip_prefix(' ').and_then(|number| number.parse().ok());
    match number.filter(|_| is_name(name)) {
        Some(number) => Ok((name.to_owned(), labels, number)),
        None => Err(format!("no number: {line}")),
    }
}

/// Buckets rise, the last is for everything and is the count, and there is a sum.
fn check_histogram(family: &Family) -> Result<(), String> {
    let mut series: BTreeMap<BTreeMap<String, String>, Vec<(f64, f64)>> = BTreeMap::new();
    let mut wholes: BTreeMap<BTreeMap<String, String>, Vec<(&str, f64)>> = BTreeMap::new();
    for (suffix, labels, number) in &family.samples {
        let mut labels = labels.clone();
        match labels.remove("le") {
            Some(bound) => {
                let bound = match bound.as_str() {
                    "+Inf" => f64::INFINITY,
                    bound => bound.parse().map_err(|_| format!("no bound: {bound}"))?,
                };
                series.entry(labels).or_default().push((bound, *number));
            }
            None => wholes.entry(labels).or_default().push((suffix, *number)),
        }
    }
    for (labels, buckets) in &series {
        let rises = buckets.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 <= two[1].1);
        let whole = wholes.get(labels).ok_or("no sum and count")?;
        let count = whole.iter().find(|(suffix, _)| *suffix == "_count").map(|(_, count)| *count);
        let has_sum = whole.iter().any(|(suffix, _)| *suffix == "_sum");
        let last = buckets.last().filter(|(bound, _)| bound.is_infinite()).map(|(_, last)| *last);
        if !rises || !has_sum || last.is_none() || last != count {
            return Err(format!("{labels:?}: {buckets:?}, {whole:?}"));
        }
    }
    if series.len() == wholes.len() { Ok(()) } else { Err("a sum without buckets".to_owned()) }
}
