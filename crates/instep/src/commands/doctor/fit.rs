//! PURE: how rows fit into a copy's table, whatever store it is in.

use super::check::{Check, Layer};
use crate::config::{Config, Copy};
use connectors::Fit;
use model::Code;

/// What is tried: whose rows, and where they go.
pub(super) fn tried(copy: &Copy, shard: &str) -> String {
    format!("{shard}/{} → {}", copy.table, copy.to)
}

/// The tables that copies of the same source fill in the same service.
pub(super) fn filled<'a>(copy: &'a Copy, config: &'a Config) -> impl Iterator<Item = &'a str> {
    let filled = config.copies.iter().filter(|it| it.source == copy.source);
    let filled = filled.filter(|it| it.to.service == copy.to.service);
    filled.map(|it| it.to.table.as_str())
}

/// How rows fit, beside copies that fill some tables.
pub(super) fn fit(tried: String, fit: &Fit, is_filled: impl Fn(&str) -> bool) -> Vec<Check> {
    let layer = Layer::Capability;
    let Fit { is_there, columns, left_out, refers } = fit;
    let found = match (is_there, left_out.is_empty()) {
        (false, _) => format!("`instep run` makes the table with {columns} columns"),
        (true, true) => format!("{columns} columns fit"),
        (true, false) => {
            format!("{columns} columns fit; it lacks, and is not given, {}", left_out.join(", "))
        }
    };
    let mut checks = vec![Check::good(layer, tried.clone(), found)];
    let unfilled: Vec<_> = refers.iter().filter(|table| !is_filled(table)).cloned().collect();
    if !unfilled.is_empty() {
        let what =
            format!("it refers to {}, which no copy of its source fills", unfilled.join(", "));
        checks.push(Check::bad(layer, tried, Code::CopyRefers, what));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_whose_table_refers_to_one_that_nobody_fills_is_warned_of() {
        let refers = |to: &[&str]| Fit {
            is_there: true,
            columns: 2,
            left_out: vec!["note".to_owned()],
            refers: to.iter().map(|&it| it.to_owned()).collect(),
        };
        let codes = |to: &[&str]| {
            let checks = fit("a".to_owned(), &refers(to), |table| table == "topic");
            let code = |check: &Check| check.problem.as_ref().map(|problem| problem.code);
            checks.iter().map(code).collect::<Vec<_>>()
        };
        assert_eq!(codes(&[]), [None]);
        assert_eq!(codes(&["topic"]), [None]);
        assert_eq!(codes(&["topic", "person"]), [None, Some(Code::CopyRefers)]);
    }
}
