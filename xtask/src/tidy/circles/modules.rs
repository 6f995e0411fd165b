//! The modules of one crate: which file each is, and which other files a file names.

use super::references::{self, Brings, Import, Named, Scope};
use crate::tidy::tree::{File, Tree};
use std::collections::{BTreeMap, BTreeSet};
use std::slice;

/// The files of a crate as modules, and what each says.
pub(super) struct Modules<'a> {
    nodes: Vec<Node<'a>>,
    /// Every module's path from the root, inline ones included, with the file that holds it.
    places: BTreeMap<Vec<String>, usize>,
}

/// A file that names another file of its crate.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// As it was written.
    pub(super) named: String,
    pub(super) line: usize,
}

struct Node<'a> {
    file: &'a File,
    scopes: Vec<Scope>,
}

impl<'a> Modules<'a> {
    /// Reads the library of a package, or its program if there is no library.
    pub(super) fn read(tree: &'a Tree, package: &str) -> Modules<'a> {
        let folder = format!("{package}/src/");
        let library = tree.file(&format!("{folder}lib.rs")).is_some();
        let files = tree.rust().filter_map(|(file, syntax)| {
            let inside = file.path.strip_prefix(&folder)?;
            let other = inside.starts_with("bin/") || (library && inside == "main.rs");
            let scopes = references::scopes(&module(inside), syntax);
            (!other).then_some(Node { file, scopes })
        });
        let mut nodes: Vec<Node> = files.collect();
        let tests = test_modules(&nodes);
        nodes.retain(|node| !tests.iter().any(|test| node.module().starts_with(test)));
        let mut places = BTreeMap::new();
        for (index, node) in nodes.iter().enumerate() {
            places.extend(node.scopes.iter().map(|scope| (scope.module.clone(), index)));
        }
        Modules { nodes, places }
    }

    /// The module's name for a person: `apply::plan`, or `lib` for the root.
    pub(super) fn name(&self, node: usize) -> String {
        let path = &self.nodes[node].file.path;
        let inside = path.split_once("/src/").map_or(path.as_str(), |(_, inside)| inside);
        inside.strip_suffix(".rs").unwrap_or(inside).replace('/', "::")
    }

    pub(super) fn path(&self, node: usize) -> &str {
        &self.nodes[node].file.path
    }

    /// Every naming of one file by another, in the order of files and lines.
    pub(super) fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (from, node) in self.nodes.iter().enumerate() {
            for scope in &node.scopes {
                self.edges_of(from, scope, &mut edges);
            }
        }
        edges.retain(|edge| edge.from != edge.to);
        edges.sort_by_key(|edge| (edge.from, edge.line));
        edges
    }

    fn edges_of(&self, from: usize, scope: &Scope, edges: &mut Vec<Edge>) {
        let aliases = self.aliases(scope);
        let mut add = |named: &Named, glob: bool| {
            let Some(absolute) = self.absolute(scope, &aliases, &named.segments) else {
                return;
            };
            for to in self.landings(&absolute, glob) {
                let text = named.segments.join("::") + if glob { "::*" } else { "" };
                edges.push(Edge { from, to, named: text, line: named.line });
            }
        };
        for import in &scope.imports {
            if !(scope.module.is_empty() && import.re_export) {
                add(&import.named, import.brings == Brings::All);
            }
        }
        // A single name is a variable, or was imported and so is counted already.
        for named in scope.paths.iter().filter(|named| named.segments.len() > 1) {
            add(named, false);
        }
    }

    /// What each imported name of a scope stands for, from the crate's root.
    fn aliases(&self, scope: &Scope) -> BTreeMap<String, Vec<String>> {
        let mut aliases = BTreeMap::new();
        // A `use` may build on another one, written before it or after it.
        for _ in 0..2 {
            for import in &scope.imports {
                if let Brings::Name(name) = &import.brings
                    && let Some(path) = self.absolute(scope, &aliases, &import.named.segments)
                {
                    aliases.insert(name.clone(), path);
                }
            }
        }
        aliases
    }

    /// The path from the crate's root; `None` if it leads out of the crate.
    fn absolute(
        &self,
        scope: &Scope,
        aliases: &BTreeMap<String, Vec<String>>,
        segments: &[String],
    ) -> Option<Vec<String>> {
        let (first, mut rest) = segments.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => scope.module.clone(),
            "super" => parent(&scope.module)?,
            name => {
                let child = [scope.module.as_slice(), &[name.to_owned()]].concat();
                if self.places.contains_key(&child) { child } else { aliases.get(name)?.clone() }
            }
        };
        while let Some((_, after)) = rest.split_first().filter(|(next, _)| *next == "super") {
            base = parent(&base)?;
            rest = after;
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// The files that a path from the root leads to; a glob of the root leads to all it re-exports.
    fn landings(&self, absolute: &[String], glob: bool) -> Vec<usize> {
        let Some(root) = self.root().filter(|_| glob && absolute.is_empty()) else {
            return self.landing(absolute, RE_EXPORTS_MAX).into_iter().collect();
        };
        let re_exported = self.re_exports(root).filter_map(|(_, path)| self.landing(&path, 1));
        let mut all: Vec<usize> =
            re_exported.chain(self.places.get(&Vec::new()).copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The file of the longest module path, looked up through the root's re-exports.
    fn landing(&self, absolute: &[String], re_exports_max: usize) -> Option<usize> {
        let below = (1..=absolute.len()).rev();
        if let Some(node) = below.filter_map(|end| self.places.get(&absolute[..end])).next() {
            return Some(*node);
        }
        let (name, rest) = absolute.split_first()?;
        let root = self.root()?;
        let own = self.places.get(&Vec::new()).copied();
        if re_exports_max == 0 {
            return own;
        }
        for (import, path) in self.re_exports(root) {
            let through = match &import.brings {
                Brings::Name(brought) if brought == name => [path.as_slice(), rest].concat(),
                Brings::All if self.defines(&path, name) => path,
                _ => continue,
            };
            return self.landing(&through, re_exports_max - 1).or(own);
        }
        self.exporter(name).or(own)
    }

    /// The root's imports that lead into the crate, private ones too: its children see them.
    fn re_exports<'s>(
        &'s self,
        root: &'s Scope,
    ) -> impl Iterator<Item = (&'s Import, Vec<String>)> {
        let aliases = self.aliases(root);
        root.imports.iter().filter_map(move |import| {
            Some((import, self.absolute(root, &aliases, &import.named.segments)?))
        })
    }

    fn defines(&self, module: &[String], name: &str) -> bool {
        let scopes = self.nodes.iter().flat_map(|node| &node.scopes);
        let mut scopes = scopes.filter(|scope| scope.module == module);
        scopes.any(|scope| scope.defined.iter().any(|defined| defined == name))
    }

    /// The file whose macro of that name stands at the root.
    fn exporter(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| {
            let mut macros = node.scopes.iter().flat_map(|scope| &scope.exported_macros);
            macros.any(|exported| exported == name)
        })
    }

    fn root(&self) -> Option<&Scope> {
        self.places.get(&Vec::new()).and_then(|node| self.nodes[*node].scopes.first())
    }
}

/// A re-export may name a re-export; nobody needs more than this.
const RE_EXPORTS_MAX: usize = 4;

impl Node<'_> {
    fn module(&self) -> &[String] {
        self.scopes.first().map_or(&[], |scope| &scope.module)
    }
}

/// The module of a file, by its place below `src`.
fn module(inside: &str) -> Vec<String> {
    let path = inside.strip_suffix(".rs").unwrap_or(inside);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    match path {
        "lib" | "main" => Vec::new(),
        _ => path.split('/').map(str::to_owned).collect(),
    }
}

fn test_modules(nodes: &[Node]) -> BTreeSet<Vec<String>> {
    let scopes = nodes.iter().flat_map(|node| &node.scopes);
    let children = scopes.flat_map(|scope| {
        let child = |child: &String| [scope.module.as_slice(), slice::from_ref(child)].concat();
        scope.test_children.iter().map(child)
    });
    children.collect()
}

fn parent(module: &[String]) -> Option<Vec<String>> {
    module.split_last().map(|(_, above)| above.to_vec())
}
