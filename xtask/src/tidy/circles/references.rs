//! What a file names of other modules, as written; resolving the names is another's work.

use crate::tidy::syntax;
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Item, UseTree, Visibility};

/// One module of a file: the file's own, or one written inline.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// From the crate's root.
    pub(super) module: Vec<String>,
    pub(super) imports: Vec<Import>,
    pub(super) paths: Vec<Named>,
    /// Children that are compiled for tests alone, in this file or their own.
    pub(super) test_children: Vec<String>,
    /// What the module defines or re-exports by name.
    pub(super) defined: Vec<String>,
    /// Macros that stand at the crate's root, wherever they are written.
    pub(super) exported_macros: Vec<String>,
}

/// A path as it was written.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
}

/// One name that a `use` brings into its module.
#[derive(Clone, Debug)]
pub(super) struct Import {
    pub(super) named: Named,
    pub(super) brings: Brings,
    pub(super) re_export: bool,
}

/// What a `use` brings in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Brings {
    /// This name.
    Name(String),
    /// Everything below the path.
    All,
}

/// The scopes of a file, its own first.
pub(super) fn scopes(module: &[String], file: &syn::File) -> Vec<Scope> {
    let mut collector = Collector::new(module.to_vec());
    for item in &file.items {
        collector.visit_item(item);
    }
    collector.finish()
}

struct Collector {
    own: Scope,
    inner: Vec<Scope>,
}

impl Collector {
    fn new(module: Vec<String>) -> Self {
        Collector { own: Scope { module, ..Scope::default() }, inner: Vec::new() }
    }

    fn finish(self) -> Vec<Scope> {
        std::iter::once(self.own).chain(self.inner).collect()
    }

    fn module(&mut self, item: &syn::ItemMod) {
        self.own.defined.push(item.ident.to_string());
        let Some((_, items)) = &item.content else {
            return;
        };
        let mut module = self.own.module.clone();
        module.push(item.ident.to_string());
        let mut collector = Collector::new(module);
        for item in items {
            collector.visit_item(item);
        }
        self.inner.extend(collector.finish());
    }

    fn define(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Type(item) => &item.ident,
            _ => return,
        };
        self.own.defined.push(name.to_string());
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if syntax::is_for_tests(syntax::attributes(item)) {
            if let Item::Mod(child) = item {
                self.own.test_children.push(child.ident.to_string());
            }
            return;
        }
        self.define(item);
        match item {
            Item::Mod(child) => self.module(child),
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_some() {
            return;
        }
        let re_export = !matches!(item.vis, Visibility::Inherited);
        let mut flat = Vec::new();
        flatten(&item.tree, &[], &mut flat);
        for (named, brings) in flat {
            if let Brings::Name(name) = &brings
                && re_export
            {
                self.own.defined.push(name.clone());
            }
            self.own.imports.push(Import { named, brings, re_export });
        }
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        let exported = item.attrs.iter().any(|one| one.path().is_ident("macro_export"));
        if let Some(name) = item.ident.as_ref().filter(|_| exported) {
            self.own.exported_macros.push(name.to_string());
        }
        visit::visit_item_macro(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none()
            && let Some(first) = path.segments.first()
        {
            let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.own.paths.push(Named { segments, line: first.ident.span().start().line });
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        spelled(called.tokens.clone(), &mut self.own.paths);
        visit::visit_macro(self, called);
    }

    /// `pub(in crate::a)` and `pub(super)` say who may look, not what is looked at.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

fn flatten(tree: &UseTree, before: &[String], found: &mut Vec<(Named, Brings)>) {
    let with = |name: &syn::Ident| {
        let mut segments = before.to_vec();
        // `use a::{self}` names `a` itself.
        if before.is_empty() || name != "self" {
            segments.push(name.to_string());
        }
        Named { segments, line: name.span().start().line }
    };
    match tree {
        UseTree::Path(tree) => flatten(&tree.tree, &with(&tree.ident).segments, found),
        UseTree::Name(tree) => {
            let named = with(&tree.ident);
            let name = named.segments.last().cloned().unwrap_or_default();
            found.push((named, Brings::Name(name)));
        }
        UseTree::Rename(tree) => {
            found.push((with(&tree.ident), Brings::Name(tree.rename.to_string())));
        }
        UseTree::Glob(tree) => {
            let line = tree.star_token.spans.first().map_or(1, |span| span.start().line);
            found.push((Named { segments: before.to_vec(), line }, Brings::All));
        }
        UseTree::Group(tree) => {
            for tree in &tree.items {
                flatten(tree, before, found);
            }
        }
    }
}

/// The paths of two segments and more that stand in a macro's tokens.
fn spelled(tokens: TokenStream, found: &mut Vec<Named>) {
    let mut path = Named { segments: Vec::new(), line: 0 };
    let mut colons = 0;
    let mut end = |path: &mut Named| {
        let whole = std::mem::replace(path, Named { segments: Vec::new(), line: 0 });
        if whole.segments.len() > 1 {
            found.push(whole);
        }
    };
    let mut groups = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                if colons != 2 {
                    end(&mut path);
                    path.line = name.span().start().line;
                }
                path.segments.push(name.to_string());
                colons = 0;
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
            TokenTree::Group(group) => {
                groups.push(group.stream());
                end(&mut path);
                colons = 0;
            }
            _ => {
                end(&mut path);
                colons = 0;
            }
        }
    }
    end(&mut path);
    for group in groups {
        spelled(group, found);
    }
}
