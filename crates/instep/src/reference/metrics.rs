//! PURE: the page on metrics, made of the families that `/metrics` can have.

use server::FAMILIES;
use std::fmt::Write as _;

/// The page after its heading.
pub(super) fn body() -> String {
    let mut page = format!(
        "{METRICS}\n\n| metric | type | labels | what it is | which question it answers |\n\
         |---|---|---|---|---|\n"
    );
    for family in FAMILIES {
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
