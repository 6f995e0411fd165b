//! Rule: the modules of a crate form no circle.
//!
//! A file is a node; whatever it names of another file of its crate is an edge. A child that uses
//! its parent's items is an edge upwards, a parent that uses its child's one downwards; declaring
//! a child is none, and neither is a re-export in the crate's root. What would hide an edge from
//! this reading is a finding of its own.

mod graph;
mod hidden;
mod modules;
pub(super) mod references;

use super::finding::Finding;
use super::tree::Tree;
use graph::Graph;
use modules::Modules;
use std::collections::BTreeSet;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let sources: BTreeSet<&str> =
        tree.rust().filter_map(|(file, _)| Some(file.path.split_once("/src/")?.0)).collect();
    let circles = sources.into_iter().flat_map(|package| in_crate(tree, package));
    hidden::check(tree).into_iter().chain(circles).collect()
}

fn in_crate(tree: &Tree, package: &str) -> Vec<Finding> {
    let modules = Modules::read(tree, package);
    let graph = Graph::of(&modules);
    graph.circles().iter().map(|circle| finding(&modules, &graph, circle)).collect()
}

fn finding(modules: &Modules, graph: &Graph, circle: &[usize]) -> Finding {
    let around = circle.iter().chain(circle.first());
    let drawn: Vec<String> = around.map(|node| modules.name(*node)).collect();
    let pairs = circle.iter().zip(circle.iter().cycle().skip(1));
    let named: Vec<String> = pairs
        .clone()
        .filter_map(|(from, to)| {
            let edge = graph.edge(*from, *to)?;
            Some(format!("`{}` ({}:{})", edge.named, modules.path(*from), edge.line))
        })
        .collect();
    let first = pairs.into_iter().next().and_then(|(from, to)| graph.edge(*from, *to));
    Finding::new(
        circle.first().map_or("", |node| modules.path(*node)),
        first.map_or(1, |edge| edge.line),
        format!("modules form a circle: {}, by naming {}", drawn.join(" -> "), named.join(", ")),
        "move what both need into a module below both, or pass it in as a value",
    )
}

#[cfg(test)]
mod tests;
