//! One comparison of everything that was asked for, from its start to its verdicts.

use super::asked::{Asked, of_pair};
use super::human::{Before, before};
use super::place::Pair;
use super::refused::refused;
use super::screen::Screen;
use super::whole::{Compared, Side, Whole};
use crate::report::Report;
use compare::{Prepared, Progress, Stop, prepare};
use std::sync::Arc;

/// A comparison that can begin.
pub(super) struct Ready {
    shard: Option<String>,
    sides: [Side; 2],
    prepared: Prepared,
}

/// Makes everything ready; nothing is compared if any part can not be.
pub(super) async fn ready(pairs: &[Pair], asked: &Asked) -> Result<Vec<Ready>, Report> {
    let mut all = Vec::new();
    for pair in pairs {
        let Pair { shard, source, copy, .. } = pair;
        let terms = of_pair(&asked.terms, pair);
        let prepared = prepare(&source.end(), &copy.end(), terms).await.map_err(refused)?;
        let [of_source, of_copy] = prepared.stores();
        let side = |place: &super::place::Place, store: &str| Side {
            store: store.to_owned(),
            table: place.table.to_string(),
            at: place.shown(),
        };
        let sides = [side(source, of_source), side(copy, of_copy)];
        all.push(Ready { shard: shard.clone(), sides, prepared });
    }
    Ok(all)
}

/// What is compared, and how, for people.
pub(super) fn described(all: &[Ready], asked: &Asked) -> String {
    let described = all.iter().map(|Ready { shard, sides, prepared }| {
        before(&Before {
            shard: shard.as_deref(),
            sides,
            method: prepared.method(),
            settle: asked.terms.settle,
            agreed: prepared.agreed(),
            alone: prepared.alone(),
        })
    });
    described.collect()
}

/// Compares, until all is done or it is told to stop.
pub(super) async fn compare(all: Vec<Ready>, screen: Screen, stop: &Stop) -> Whole {
    let (mut parts, number) = (Vec::new(), all.len());
    for Ready { shard, sides, prepared } in all {
        if stop.is_told() && !parts.is_empty() {
            break;
        }
        let progress = Arc::new(Progress::default());
        let verdict = screen.tell(&progress, prepared.run(&progress, stop)).await;
        parts.push(Compared { shard, sides, verdict });
    }
    Whole { is_cut_short: parts.len() < number, parts }
}
