//! PURE: the page on metrics, made of the families that `/metrics` can have.

use crate::commands::verify::FAMILIES as VERIFY_FAMILIES;
use server::{FAMILIES, Family};
use std::fmt::Write as _;

/// The page after its heading.
pub(super) fn body() -> String {
    let [run, verify] = [table(&FAMILIES), table(&VERIFY_FAMILIES)];
    format!("{METRICS}\n\n{run}\n## instep verify --every\n\n{VERIFY}\n\n{verify}")
}

fn table(families: &[&Family]) -> String {
    let mut page = "| metric | type | labels | what it is | which question it answers |\n\
         |---|---|---|---|---|\n"
        .to_owned();
    for family in families {
        let labels: Vec<_> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = if labels.is_empty() { "none".to_owned() } else { labels.join(", ") };
        let (name, kind, help, question) = (family.name, family.kind, family.help, family.question);
        let _ = writeln!(page, "| `{name}` | {kind} | {labels} | {help} | {question} |");
    }
    page
}

const METRICS: &str = "`GET /metrics` answers in Prometheus' text format; where `auth` has tokens it \
wants one, any role will do. Labels are names of the configuration and fixed words, never keys or \
values of rows. A target is called as its copy is; a pushed count is called `COUNT in SERVICE/TABLE`, \
and the counting of a lane `counts of SOURCE/SERVICE`. A metric without a sample is left out: what is \
not known is not shown as nothing.";

const VERIFY: &str = "`instep verify --every TIME --listen ADDRESS` answers `GET /metrics` with these; no token \
is needed, since it listens on this machine alone. `table` is the name of the copy's table. `/readyz` is 200 \
once there is a verdict.";
