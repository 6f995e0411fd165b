//! PURE: where rows flow from table to table: each table is written by one, and nothing comes back
//! to where it came from.

use super::span::Span;
use super::trouble::Trouble;
use model::Code;
use std::collections::{BTreeMap, BTreeSet};

/// A table in a database, by what tells it from every other.
pub(super) type Spot = (String, String);

/// Rows that flow from one table, or the same table of several shards, to another.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// The copy or count, by its path in the configuration.
    pub name: String,
    /// Where the target is named.
    pub span: Span,
    /// Where the rows come from.
    pub from: Vec<Spot>,
    /// Where they go.
    pub to: Spot,
}

/// Everything that is wrong with how rows flow.
pub(super) fn check(flows: &[Flow]) -> Vec<Trouble> {
    let mut writers: BTreeMap<&Spot, &Flow> = BTreeMap::new();
    let mut onward: BTreeMap<&Spot, Vec<&Spot>> = BTreeMap::new();
    let mut troubles = Vec::new();
    for flow in flows {
        if let Some(first) = writers.get(&flow.to) {
            troubles.push(twice(flow, first));
            continue;
        }
        writers.insert(&flow.to, flow);
        // Only the flow that closes a ring is refused.
        if comes_back(flow, &onward) {
            troubles.push(ring(flow));
            continue;
        }
        for from in &flow.from {
            onward.entry(from).or_default().push(&flow.to);
        }
    }
    troubles
}

/// Whether what a flow writes comes to where it reads.
fn comes_back(flow: &Flow, onward: &BTreeMap<&Spot, Vec<&Spot>>) -> bool {
    let mut seen = BTreeSet::from([&flow.to]);
    let mut open = vec![&flow.to];
    while let Some(spot) = open.pop() {
        if flow.from.contains(spot) {
            return true;
        }
        let next = onward.get(spot).into_iter().flatten();
        open.extend(next.filter(|to| seen.insert(to)));
    }
    false
}

fn twice(flow: &Flow, first: &Flow) -> Trouble {
    let what = format!("`{}` writes the table that `{}` writes", flow.name, first.name);
    let why = format!(
        "each would undo what the other wrote; the first is in line {}",
        first.span.start.line
    );
    let fix = "give each a table of its own";
    Trouble::new(Code::ConfigTableTwice, flow.span, what, why, fix)
}

fn ring(flow: &Flow) -> Trouble {
    let own = flow.from.contains(&flow.to);
    let what = match own {
        true => format!("`{}` writes into the table that it reads", flow.name),
        false => format!("what `{}` writes comes back to the table that it reads", flow.name),
    };
    let why = "every change would go round without end";
    Trouble::new(Code::ConfigCycle, flow.span, what, why, "write into another table")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(name: &str, from: &[&str], to: &str) -> Flow {
        let spot = |table: &str| ("db".to_owned(), table.to_owned());
        Flow {
            name: name.to_owned(),
            span: Span::default(),
            from: from.iter().map(|table| spot(table)).collect(),
            to: spot(to),
        }
    }

    fn codes(flows: &[Flow]) -> Vec<Code> {
        check(flows).iter().map(|trouble| trouble.code).collect()
    }

    #[test]
    fn a_chain_and_a_fan_are_fine() {
        assert!(codes(&[flow("1", &["a"], "b"), flow("2", &["b"], "c")]).is_empty());
        assert!(codes(&[flow("1", &["a"], "b"), flow("2", &["a"], "c")]).is_empty());
    }

    #[test]
    fn a_ring_is_refused_where_it_closes() {
        assert_eq!(codes(&[flow("1", &["a"], "a")]), [Code::ConfigCycle]);
        let ring = [flow("1", &["a"], "b"), flow("2", &["b"], "c"), flow("3", &["c", "d"], "a")];
        assert_eq!(codes(&ring), [Code::ConfigCycle]);
        assert!(check(&ring)[0].what.contains("`3`"));
    }

    #[test]
    fn a_second_writer_is_refused() {
        let both = [flow("1", &["a"], "c"), flow("2", &["b"], "c"), flow("3", &["b"], "c")];
        assert_eq!(codes(&both), [Code::ConfigTableTwice; 2]);
    }
}
