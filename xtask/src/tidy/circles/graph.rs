//! The graph of a crate's modules, and the shortest circle of each knot in it.

use super::modules::{Edge, Modules};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Who names whom; the first naming of each pair is kept.
#[derive(Debug)]
pub(super) struct Graph {
    edges: BTreeMap<usize, BTreeMap<usize, Edge>>,
}

impl Graph {
    pub(super) fn of(modules: &Modules) -> Graph {
        let mut edges: BTreeMap<usize, BTreeMap<usize, Edge>> = BTreeMap::new();
        for edge in modules.edges() {
            edges.entry(edge.from).or_default().entry(edge.to).or_insert(edge);
        }
        Graph { edges }
    }

    pub(super) fn edge(&self, from: usize, to: usize) -> Option<&Edge> {
        self.edges.get(&from)?.get(&to)
    }

    /// One circle for each set of modules that all reach each other: the shortest one.
    pub(super) fn circles(&self) -> Vec<Vec<usize>> {
        let mut done = BTreeSet::new();
        let mut circles = Vec::new();
        for start in self.edges.keys() {
            if done.contains(start) {
                continue;
            }
            let knot = self.knot(*start);
            let shortest = knot.iter().filter_map(|node| self.around(*node)).min_by_key(Vec::len);
            circles.extend(shortest);
            done.extend(knot);
        }
        circles
    }

    /// Every node that is reached from `node` and reaches it back.
    fn knot(&self, node: usize) -> BTreeSet<usize> {
        let reached = self.reached(node);
        reached.into_iter().filter(|other| self.reached(*other).contains(&node)).collect()
    }

    fn reached(&self, from: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            open.extend(self.next(node).filter(|next| reached.insert(*next)));
        }
        reached
    }

    /// The shortest way from a node back to itself, the node first.
    fn around(&self, start: usize) -> Option<Vec<usize>> {
        let mut came_from = BTreeMap::new();
        let mut open = VecDeque::from([start]);
        while let Some(node) = open.pop_front() {
            for next in self.next(node) {
                if next == start {
                    return Some(way(&came_from, start, node));
                }
                if let std::collections::btree_map::Entry::Vacant(entry) = came_from.entry(next) {
                    entry.insert(node);
                    open.push_back(next);
                }
            }
        }
        None
    }

    fn next(&self, node: usize) -> impl Iterator<Item = usize> {
        self.edges.get(&node).into_iter().flat_map(|edges| edges.keys().copied())
    }
}

fn way(came_from: &BTreeMap<usize, usize>, start: usize, end: usize) -> Vec<usize> {
    let mut way = vec![end];
    let mut node = end;
    while let Some(before) = came_from.get(&node).filter(|_| node != start) {
        way.push(*before);
        node = *before;
    }
    way.reverse();
    way
}
