//! Rule: no file and no function is longer than a reader can hold.

use super::finding::Finding;
use super::syntax;
use super::tree::{File, Tree};
use syn::visit::{self, Visit};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let rust = tree.files().filter(|file| file.path.ends_with(".rs"));
    let mut findings: Vec<Finding> = rust.filter_map(|file| long_file(tree, file)).collect();
    for (file, syntax) in tree.rust().filter(|(file, _)| !is_test(tree, file)) {
        let mut functions = Functions { found: Vec::new() };
        functions.visit_file(syntax);
        let long = functions.found.into_iter().filter(|found| found.lines > FUNCTION_LINES_MAX);
        findings.extend(long.map(|found| long_function(file, &found)));
    }
    findings
}

const FILE_LINES_MAX: usize = 500;
const TEST_FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;

/// Whether the file holds tests alone. Below `src` a name proves nothing: the module has to be
/// declared for tests alone.
fn is_test(tree: &Tree, file: &File) -> bool {
    let Some((package, inside)) = file.path.split_once("/src/").filter(|_| file.is_test()) else {
        return file.is_test();
    };
    let parts: Vec<&str> = inside.strip_suffix(".rs").unwrap_or(inside).split('/').collect();
    let above = parts.iter().take_while(|part| **part != TESTS).copied().collect::<Vec<_>>();
    let parents = match above.join("/").as_str() {
        "" => vec!["lib.rs".to_owned(), "main.rs".to_owned()],
        above => vec![format!("{above}.rs"), format!("{above}/mod.rs")],
    };
    let mut declared = parents.iter().filter_map(|parent| {
        let parent = tree.file(&format!("{package}/src/{parent}"))?;
        parent.syntax.as_ref()?.as_ref().ok()
    });
    declared.any(declares_tests)
}

const TESTS: &str = "tests";

fn declares_tests(parent: &syn::File) -> bool {
    parent.items.iter().any(|item| {
        matches!(item, syn::Item::Mod(module) if module.ident == TESTS)
            && syntax::is_for_tests(syntax::attributes(item))
    })
}

fn long_file(tree: &Tree, file: &File) -> Option<Finding> {
    let lines_max = if is_test(tree, file) { TEST_FILE_LINES_MAX } else { FILE_LINES_MAX };
    let lines = file.text.lines().count();
    (lines > lines_max).then(|| {
        Finding::new(
            &file.path,
            lines_max,
            format!("{lines} lines, where {lines_max} are allowed"),
            "give a part with a name of its own its own file; tests move to `x/tests.rs`",
        )
    })
}

fn long_function(file: &File, found: &Function) -> Finding {
    let Function { name, line, lines } = found;
    Finding::new(
        &file.path,
        *line,
        format!("`{name}` has {lines} lines, where {FUNCTION_LINES_MAX} are allowed"),
        "name its steps; keep the decisions in one place and push the work into functions",
    )
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

struct Functions {
    found: Vec<Function>,
}

impl Functions {
    /// Counts from the signature to the closing brace; attributes and documentation are free.
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let line = signature.fn_token.span.start().line;
        let last = block.brace_token.span.close().end().line;
        let name = signature.ident.to_string();
        self.found.push(Function { name, line, lines: last + 1 - line });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !syntax::is_for_tests(syntax::attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.add(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    fn said(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_function_is_counted_from_signature_to_brace() {
        assert!(said("a.rs", &function(70)).is_empty());
        assert!(said("a.rs", &function(71))[0].starts_with("a.rs:1: `long` has 71 lines"));
        let method = format!("impl A {{\n/// Says.\n{}}}", function(71));
        assert!(said("a.rs", &method)[0].starts_with("a.rs:3: `long` has 71 lines"));
    }

    #[test]
    fn tests_may_be_long() {
        let long = function(100);
        assert!(said("a.rs", &format!("#[cfg(test)]\nmod tests {{\n{long}}}")).is_empty());
        assert!(said("a.rs", &format!("#[test]\n{long}")).is_empty());
        assert!(said("a/tests.rs", &long).is_empty());
    }

    #[test]
    fn a_file_that_is_a_test_by_name_alone_is_none() {
        let long = function(100);
        for path in ["a/src/b/tests.rs", "a/src/b/tests/c.rs"] {
            for (parent, findings) in [
                ("mod tests;", 1),
                ("#[cfg(test)]\nmod tests;", 0),
                ("#[cfg(any(test, unix))]\nmod tests;", 1),
            ] {
                let tree = Tree::of(&[("a/src/b.rs", parent), (path, &long)]);
                assert_eq!(check(&tree).len(), findings, "{path} {parent}");
            }
        }
        let tree =
            Tree::of(&[("a/src/lib.rs", "#[cfg(test)] mod tests;"), ("a/src/tests.rs", &long)]);
        assert!(check(&tree).is_empty());
        assert_eq!(said("a/src/tests.rs", &"//\n".repeat(501)).len(), 1);
    }

    #[test]
    fn a_file_has_its_bound() {
        assert!(said("a.rs", &"//\n".repeat(500)).is_empty());
        assert!(said("a.rs", &"//\n".repeat(501))[0].contains("501 lines"));
        assert!(said("tests/a.rs", &"//\n".repeat(800)).is_empty());
        assert_eq!(said("tests/a.rs", &"//\n".repeat(801)).len(), 1);
    }
}
