//! What a Rust file defines: the names that its authors chose, with the line of each.

use super::syntax;
use syn::visit::{self, Visit};

/// A name that somebody chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) line: usize,
}

/// What was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A struct, enum, union, trait or alias.
    Type,
    /// A variant of an enum.
    Variant,
    /// A function or method; those of a trait from elsewhere are not ours to name.
    Function,
    /// A constant or static.
    Constant,
    /// A field with a name.
    Field,
    /// A module.
    Module,
    /// A macro, and what stands in one and may become a definition.
    Macro,
}

/// Everything that the file defines, tests included.
pub(crate) fn of(file: &syn::File) -> Vec<Definition> {
    let mut collector = Collector { found: Vec::new(), foreign: false };
    collector.visit_file(file);
    collector.found
}

struct Collector {
    found: Vec<Definition>,
    /// Inside an implementation of a trait, whose names are the trait's.
    foreign: bool,
}

impl Collector {
    fn add(&mut self, kind: Kind, name: &syn::Ident) {
        let line = name.span().start().line;
        self.found.push(Definition { kind, name: name.to_string(), line });
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.add(Kind::Type, &item.ident);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.add(Kind::Type, &item.ident);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_union(&mut self, item: &'ast syn::ItemUnion) {
        self.add(Kind::Type, &item.ident);
        visit::visit_item_union(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.add(Kind::Type, &item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.add(Kind::Type, &item.ident);
        visit::visit_item_type(self, item);
    }

    fn visit_trait_item_type(&mut self, item: &'ast syn::TraitItemType) {
        self.add(Kind::Type, &item.ident);
        visit::visit_trait_item_type(self, item);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.add(Kind::Variant, &variant.ident);
        visit::visit_variant(self, variant);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if let Some(name) = &field.ident {
            self.add(Kind::Field, name);
        }
        visit::visit_field(self, field);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(Kind::Function, &item.sig.ident);
        visit::visit_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.add(Kind::Function, &item.sig.ident);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let before = std::mem::replace(&mut self.foreign, item.trait_.is_some());
        visit::visit_item_impl(self, item);
        self.foreign = before;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !self.foreign {
            self.add(Kind::Function, &item.sig.ident);
        }
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.add(Kind::Constant, &item.ident);
        visit::visit_impl_item_const(self, item);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.add(Kind::Constant, &item.ident);
        visit::visit_item_const(self, item);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.add(Kind::Constant, &item.ident);
        visit::visit_item_static(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.add(Kind::Module, &item.ident);
        visit::visit_item_mod(self, item);
    }

    /// A macro at item level may define what its argument names, as `name! { TableName }` does.
    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        match &item.ident {
            Some(name) => self.add(Kind::Macro, name),
            None => {
                for name in syntax::names(item.mac.tokens.clone()) {
                    self.add(Kind::Macro, &name);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_found_and_names_of_other_traits_are_not() {
        let text = "enum Fate { Retry }\nimpl Fate { fn ours() {} }\nimpl Show for Fate {\n fn \
                    theirs() {} }\nname! { /// A name.\n TableName }";
        let found = of(&syn::parse_file(text).unwrap());
        let names: Vec<&str> = found.iter().map(|found| found.name.as_str()).collect();
        for expected in ["Fate", "Retry", "ours", "TableName"] {
            assert!(names.contains(&expected), "{expected} is not among {names:?}");
        }
        assert!(!names.contains(&"theirs"));
    }
}
