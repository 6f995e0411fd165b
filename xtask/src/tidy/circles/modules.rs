//! The modules of one crate: which file each is, and which other files a file names.

use super::references::{self, Brings, Named, Scope};
use crate::tidy::tree::{File, Tree};
use std::collections::{BTreeMap, BTreeSet};
use std::slice;

/// The files of a crate as modules, and what each says.
pub(super) struct Modules<'a> {
    nodes: Vec<Node<'a>>,
    /// Every module's path from the root, inline ones included, with the file that holds it.
    places: BTreeMap<Vec<String>, Place>,
}

/// Where a module is written.
struct Place {
    node: usize,
    /// Which of the file's scopes it is.
    scope: usize,
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
            let place = |scope| Place { node: index, scope };
            let scopes = node.scopes.iter().enumerate();
            places.extend(scopes.map(|(at, scope)| (scope.module.clone(), place(at))));
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
        let mut add = |named: &Named, glob: bool| {
            let Some(absolute) = self.absolute(&scope.module, &named.segments, STEPS_MAX) else {
                return;
            };
            let mut landings = BTreeSet::new();
            self.land(&absolute, glob, STEPS_MAX, &mut landings);
            for to in landings {
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
        for call in &scope.calls {
            let lender = self.lender(&scope.module, &call.segments);
            let named = call.segments.join("::") + "!";
            edges.extend(lender.map(|to| Edge { from, to, named, line: call.line }));
        }
    }

    /// The file of the nearest module from this one upwards that writes the macro.
    fn lender(&self, module: &[String], name: &[String]) -> Option<usize> {
        let above = (0..=module.len()).rev().map(|end| &module[..end]);
        let writes = |module: &&[String]| {
            let scope = self.scope(module);
            scope.is_some_and(|scope| scope.macros.iter().any(|one| name == [one.as_str()]))
        };
        above.into_iter().find(writes).and_then(|module| Some(self.places.get(module)?.node))
    }

    /// The path from the crate's root; `None` if it leads out of the crate.
    fn absolute(
        &self,
        module: &[String],
        segments: &[String],
        steps_left: usize,
    ) -> Option<Vec<String>> {
        let (first, mut rest) = segments.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => parent(module)?,
            name => self.resolved(module, name, steps_left)?,
        };
        while let Some((_, after)) = rest.split_first().filter(|(next, _)| *next == "super") {
            base = parent(&base)?;
            rest = after;
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// What a name means in a module, from the crate's root: a child, an import, or what a glob
    /// brings; `None` if it means something of the module itself or nothing of the crate.
    fn resolved(&self, module: &[String], name: &str, steps_left: usize) -> Option<Vec<String>> {
        let steps_left = steps_left.checked_sub(1)?;
        let child = below(module, name);
        if self.places.contains_key(&child) {
            return Some(child);
        }
        let scope = self.scope(module)?;
        let mut imports = scope.imports.iter().filter(|import| import.brings.is(name)).peekable();
        if imports.peek().is_some() {
            return imports
                .find_map(|import| self.absolute(module, &import.named.segments, steps_left));
        }
        if scope.defined.iter().any(|defined| defined == name) {
            return None;
        }
        let globs = self.globs(scope, steps_left);
        let mut seen = BTreeSet::from([module.to_vec()]);
        let path = globs
            .into_iter()
            .find(|path| self.brings(module, path, name, steps_left, &mut seen))?;
        Some(below(&path, name))
    }

    /// Whether a glob of this path brings the name to a module, through globs of its own if need
    /// be. Private imports are brought to those below the path alone.
    fn brings(
        &self,
        to: &[String],
        path: &[String],
        name: &str,
        steps_left: usize,
        seen: &mut BTreeSet<Vec<String>>,
    ) -> bool {
        if !seen.insert(path.to_vec()) {
            return false;
        }
        if self.places.contains_key(&below(path, name)) {
            return true;
        }
        let Some(scope) = self.scope(path) else {
            return self.is_variant(path, name);
        };
        let own = scope.defined.iter().any(|defined| defined == name)
            || scope.imports.iter().any(|import| import.brings.is(name) && to.starts_with(path));
        let mut globs = self.globs(scope, steps_left).into_iter();
        own || globs.any(|next| self.brings(path, &next, name, steps_left, seen))
    }

    /// Whether the path is an enum with that variant.
    fn is_variant(&self, path: &[String], name: &str) -> bool {
        let Some((of, module)) = path.split_last() else {
            return false;
        };
        self.scope(module).is_some_and(|scope| {
            scope.variants.iter().any(|(owner, variant)| owner == of && variant == name)
        })
    }

    /// The paths in the crate whose globs a module imports.
    fn globs(&self, scope: &Scope, steps_left: usize) -> Vec<Vec<String>> {
        // A glob's own path seldom needs another glob, and each step multiplies the globs.
        let steps_left = steps_left.min(2);
        let globs = scope.imports.iter().filter(|import| import.brings == Brings::All);
        let paths =
            globs.filter_map(|one| self.absolute(&scope.module, &one.named.segments, steps_left));
        paths.collect()
    }

    /// The files that a path from the root leads to: that of its longest module path, and those
    /// behind its imports and re-exports. Passing through the root is no use of the root, but a
    /// glob of the root uses it and all that it imports.
    fn land(&self, path: &[String], glob: bool, steps_left: usize, found: &mut BTreeSet<usize>) {
        let Some(steps_left) = steps_left.checked_sub(1) else {
            return;
        };
        let ends = (0..=path.len()).rev();
        let Some(end) = ends.into_iter().find(|end| self.places.contains_key(&path[..*end])) else {
            return;
        };
        let (module, rest) = path.split_at(end);
        let own = self.places.get(module).map(|place| place.node);
        found.extend(own.filter(|_| !module.is_empty()));
        let Some((name, after)) = rest.split_first() else {
            if glob && module.is_empty() {
                found.extend(own);
                self.land_on_imports(module, steps_left, found);
            }
            return;
        };
        match self.resolved(module, name, steps_left) {
            Some(through) => {
                self.land(&[through.as_slice(), after].concat(), glob, steps_left, found);
            }
            None if module.is_empty() => found.extend(self.exporter(name).or(own)),
            None => {}
        }
    }

    /// The files behind every import of a module, private ones too: its children see them.
    fn land_on_imports(&self, module: &[String], steps_left: usize, found: &mut BTreeSet<usize>) {
        let imports = self.scope(module).into_iter().flat_map(|scope| &scope.imports);
        for import in imports {
            let path = self.absolute(module, &import.named.segments, steps_left);
            if let Some(path) = path.filter(|path| !path.is_empty()) {
                self.land(&path, false, steps_left, found);
            }
        }
    }

    /// The file whose macro of that name stands at the root.
    fn exporter(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| {
            let mut macros = node.scopes.iter().flat_map(|scope| &scope.exported_macros);
            macros.any(|exported| exported == name)
        })
    }

    fn scope(&self, module: &[String]) -> Option<&Scope> {
        let place = self.places.get(module)?;
        self.nodes[place.node].scopes.get(place.scope)
    }
}

/// An import may name an import; nobody needs more than this.
const STEPS_MAX: usize = 8;

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

fn below(module: &[String], name: &str) -> Vec<String> {
    [module, &[name.to_owned()]].concat()
}
