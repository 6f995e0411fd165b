//! What a file names of other modules, as written; resolving the names is another's work.

use crate::tidy::syntax;
use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Item, Meta, UseTree, Visibility};

/// One module of a file: the file's own, or one written inline.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// From the crate's root.
    pub(crate) module: Vec<String>,
    pub(crate) imports: Vec<Import>,
    pub(crate) paths: Vec<Named>,
    /// Children that are compiled for tests alone, in this file or their own.
    pub(crate) test_children: Vec<String>,
    /// What the module defines or re-exports by name.
    pub(crate) defined: Vec<String>,
    /// The variants of its enums, each with its enum.
    pub(crate) variants: Vec<(String, String)>,
    /// Macros that it writes, and so lends by their bare names to the modules below it.
    pub(crate) macros: Vec<String>,
    /// Macros that it calls by a bare name.
    pub(crate) calls: Vec<Named>,
    /// Macros that stand at the crate's root, wherever they are written.
    pub(crate) exported_macros: Vec<String>,
}

/// A path as it was written.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

/// One name that a `use` brings into its module.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) named: Named,
    pub(crate) brings: Brings,
    pub(crate) re_export: bool,
}

/// What a `use` brings in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Brings {
    /// This name.
    Name(String),
    /// Everything below the path.
    All,
}

impl Brings {
    /// Whether it is this name by itself.
    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self, Brings::Name(brought) if brought == name)
    }
}

/// The scopes of a file, its own first.
pub(crate) fn scopes(module: &[String], file: &syn::File) -> Vec<Scope> {
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
        self.own.defined.push(syntax::plain(&item.ident));
        let Some((_, items)) = &item.content else {
            return;
        };
        let mut module = self.own.module.clone();
        module.push(syntax::plain(&item.ident));
        let mut collector = Collector::new(module);
        for item in items {
            collector.visit_item(item);
        }
        self.inner.extend(collector.finish());
    }

    fn define(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => {
                let name = syntax::plain(&item.ident);
                let variants = item.variants.iter().map(|one| syntax::plain(&one.ident));
                self.own.variants.extend(variants.map(|variant| (name.clone(), variant)));
                &item.ident
            }
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Type(item) => &item.ident,
            _ => return,
        };
        self.own.defined.push(syntax::plain(name));
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if syntax::is_for_tests(syntax::attributes(item)) {
            if let Item::Mod(child) = item {
                self.own.test_children.push(syntax::plain(&child.ident));
            }
            return;
        }
        self.define(item);
        match item {
            Item::Mod(child) => {
                child.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
                self.module(child);
            }
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
        self.own.macros.extend(item.ident.as_ref().map(syntax::plain));
        if let Some(name) = item.ident.as_ref().filter(|_| exported) {
            self.own.exported_macros.push(syntax::plain(name));
        }
        visit::visit_item_macro(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none()
            && let Some(first) = path.segments.first()
        {
            let segments =
                path.segments.iter().map(|segment| syntax::plain(&segment.ident)).collect();
            self.own.paths.push(Named { segments, line: first.ident.span().start().line });
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        spelled(called.tokens.clone(), &mut self.own);
        if let Some(name) = called.path.get_ident() {
            let (segments, line) = (vec![syntax::plain(name)], name.span().start().line);
            self.own.calls.push(Named { segments, line });
        }
        visit::visit_macro(self, called);
    }

    /// `pub(in crate::a)` and `pub(crate)` say who may look, not what is looked at.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    /// An attribute may name what its macro will call; documentation calls nothing.
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        match &attribute.meta {
            Meta::List(list) => spelled(list.tokens.clone(), &mut self.own),
            Meta::NameValue(pair) if !pair.path.is_ident("doc") => self.visit_expr(&pair.value),
            _ => {}
        }
    }
}

fn flatten(tree: &UseTree, before: &[String], found: &mut Vec<(Named, Brings)>) {
    let with = |name: &Ident| {
        let mut segments = before.to_vec();
        // `use a::{self}` names `a` itself.
        if before.is_empty() || name != "self" {
            segments.push(syntax::plain(name));
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
            found.push((with(&tree.ident), Brings::Name(syntax::plain(&tree.rename))));
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

/// The paths of two segments and more that stand in a macro's or an attribute's tokens.
fn spelled(tokens: TokenStream, scope: &mut Scope) {
    let mut open = vec![(Vec::new(), tokens)];
    while let Some((before, tokens)) = open.pop() {
        let mut spelling = Spelling::after(&before);
        for token in tokens {
            match token {
                TokenTree::Ident(name) => spelling.name(&name, scope),
                TokenTree::Punct(mark) if mark.as_char() == ':' => spelling.colons += 1,
                TokenTree::Punct(mark) if mark.as_char() == '*' && spelling.goes_on() => {
                    spelling.glob(mark.span().start().line, scope);
                }
                TokenTree::Group(group) if spelling.goes_on() => {
                    open.push((spelling.take(), group.stream()));
                }
                TokenTree::Group(group) => {
                    spelling.end(scope);
                    open.push((Vec::new(), group.stream()));
                }
                _ => spelling.end(scope),
            }
        }
        spelling.end(scope);
    }
}

/// A path on its way through tokens.
struct Spelling<'a> {
    /// What stands before the group's brace: `crate::a::` of `crate::a::{b, c}`.
    before: &'a [String],
    segments: Vec<String>,
    line: usize,
    colons: usize,
    /// After `as` in such a group: the next name is only what the path is called here.
    renamed: bool,
}

impl<'a> Spelling<'a> {
    fn after(before: &'a [String]) -> Self {
        Spelling { before, segments: Vec::new(), line: 1, colons: 0, renamed: false }
    }

    /// Whether what comes next belongs to the path, and is not a bound or a type.
    fn goes_on(&self) -> bool {
        self.colons == 2 && !self.segments.is_empty()
            || self.colons == 0 && self.segments.is_empty() && !self.before.is_empty()
    }

    fn name(&mut self, name: &Ident, scope: &mut Scope) {
        let text = syntax::plain(name);
        if std::mem::take(&mut self.renamed) {
            return;
        }
        if !self.before.is_empty() && text == "as" {
            self.end(scope);
            self.renamed = true;
            return;
        }
        if self.goes_on() && !self.segments.is_empty() {
            self.segments.push(text);
            self.colons = 0;
            return;
        }
        // A path that begins with colons leads out of the crate.
        let outside = self.colons == 2;
        self.end(scope);
        self.line = name.span().start().line;
        self.segments = self.before.to_vec();
        if outside {
            self.segments.clear();
        } else if self.before.is_empty() || text != "self" {
            self.segments.push(text);
        }
    }

    fn glob(&mut self, line: usize, scope: &mut Scope) {
        let named = Named { segments: self.take(), line };
        scope.imports.push(Import { named, brings: Brings::All, re_export: false });
    }

    /// The path so far, which something else goes on with.
    fn take(&mut self) -> Vec<String> {
        self.colons = 0;
        let segments = std::mem::take(&mut self.segments);
        if segments.is_empty() { self.before.to_vec() } else { segments }
    }

    fn end(&mut self, scope: &mut Scope) {
        self.colons = 0;
        let segments = std::mem::take(&mut self.segments);
        if segments.len() > 1 {
            scope.paths.push(Named { segments, line: self.line });
        }
    }
}
