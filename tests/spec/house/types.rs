//! The types and functions that source files define, and how far their signatures reach.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::paths::{self, By, module_of};

/// Returns the types of the house by name, each with the files that define it; those of tests are left out.
pub(super) fn defined(sources: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, text) in of_the_program(sources) {
        let mut names = Names { found: Vec::new() };
        names.visit_file(&syntax(file, text));
        for name in names.found {
            types.entry(name).or_default().push(file.clone());
        }
    }
    types
}

/// Returns the free functions that more than their file sees by name, each with the files that define it; those of tests are
/// left out.
pub(super) fn functions(sources: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    let mut functions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, text) in of_the_program(sources) {
        let mut seen = SeenFunctions { found: Vec::new() };
        seen.visit_file(&syntax(file, text));
        for name in seen.found {
            functions.entry(name).or_default().push(file.clone());
        }
    }
    functions
}

struct SeenFunctions {
    found: Vec<String>,
}

impl Visit<'_> for SeenFunctions {
    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        if !is_of_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &syn::ItemFn) {
        if !matches!(item.vis, syn::Visibility::Inherited) && !is_of_tests(&item.attrs) {
            self.found.push(item.sig.ident.to_string());
        }
    }
}

/// Returns the files that are not for tests only.
pub(super) fn of_the_program(sources: &BTreeMap<String, String>) -> impl Iterator<Item = (&String, &String)> {
    let mut of_tests = BTreeSet::new();
    for (file, text) in sources {
        TestModules { module: module_of(file), found: &mut of_tests }.visit_file(&syntax(file, text));
    }
    sources.iter().filter(move |(file, _)| {
        let module = module_of(file);
        !(1..=module.len()).any(|end| of_tests.contains(&module[..end]))
    })
}

fn syntax(file: &str, text: &str) -> syn::File {
    syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Modules in files of their own that exist in tests only.
struct TestModules<'a> {
    module: Vec<String>,
    found: &'a mut BTreeSet<Vec<String>>,
}

impl Visit<'_> for TestModules<'_> {
    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        self.module.push(item.ident.to_string());
        if is_of_tests(&item.attrs) {
            self.found.insert(self.module.clone());
        }
        visit::visit_item_mod(self, item);
        self.module.pop();
    }
}

/// Whether attributes say `#[cfg(test)]`.
fn is_of_tests(attributes: &[syn::Attribute]) -> bool {
    let is_test = |attribute: &syn::Attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "test")
    };
    attributes.iter().any(is_test)
}

struct Names {
    found: Vec<String>,
}

impl Names {
    fn add(&mut self, name: &syn::Ident) {
        self.found.push(name.to_string());
    }
}

impl Visit<'_> for Names {
    fn visit_item(&mut self, item: &syn::Item) {
        let attributes = match item {
            syn::Item::Enum(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Trait(item) => &item.attrs,
            syn::Item::Type(item) => &item.attrs,
            syn::Item::Union(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if is_of_tests(attributes) {
            return;
        }
        match item {
            syn::Item::Enum(item) => self.add(&item.ident),
            syn::Item::Struct(item) => self.add(&item.ident),
            syn::Item::Trait(item) => self.add(&item.ident),
            syn::Item::TraitAlias(item) => self.add(&item.ident),
            syn::Item::Type(item) => self.add(&item.ident),
            syn::Item::Union(item) => self.add(&item.ident),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_macro(&mut self, called: &syn::Macro) {
        self.in_tokens(called.tokens.clone());
    }
}

impl Names {
    /// Adds the types that a macro's tokens define under a name of their own.
    fn in_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match (token, tokens.get(at + 1)) {
                (TokenTree::Group(group), _) => self.in_tokens(group.stream()),
                (TokenTree::Ident(word), Some(TokenTree::Ident(name)))
                    if ["enum", "struct", "trait", "type", "union"].contains(&word.to_string().as_str()) =>
                {
                    self.add(name);
                }
                _ => {}
            }
        }
    }
}

/// Returns the signatures of a file that others can see and that name a type of one of the `foreign` crates.
pub(super) fn crossing(file: &str, text: &str, foreign: &[&str]) -> Vec<String> {
    let mut imported: BTreeMap<String, String> = BTreeMap::new();
    for named in paths::named(file, text).into_iter().filter(|named| named.by == By::Use) {
        let (Some(first), Some(last)) = (named.path.first(), named.called.as_ref().or(named.path.last())) else {
            continue;
        };
        if foreign.contains(&first.as_str()) {
            imported.insert(last.clone(), named.text());
        }
    }
    let mut signatures = Signatures { foreign, imported, found: Vec::new() };
    signatures.visit_file(&syntax(file, text));
    signatures.found
}

struct Signatures<'a> {
    foreign: &'a [&'a str],
    imported: BTreeMap<String, String>,
    found: Vec<String>,
}

/// Whether an item is seen beyond the folder that it is in.
fn is_seen(visibility: &syn::Visibility) -> bool {
    match visibility {
        syn::Visibility::Public(_) => true,
        syn::Visibility::Restricted(restricted) => restricted.path.is_ident("crate"),
        syn::Visibility::Inherited => false,
    }
}

impl Signatures<'_> {
    fn look(&mut self, of: &syn::Ident, look: impl FnOnce(&mut Paths)) {
        let mut paths = Paths { found: Vec::new() };
        look(&mut paths);
        for path in paths.found {
            let first = path.split("::").next().unwrap_or_default();
            if self.imported.contains_key(first) || path.contains("::") && self.foreign.contains(&first) {
                self.found.push(format!("{of}: {}", self.imported.get(first).unwrap_or(&path)));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Signatures<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_of_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if is_seen(&item.vis) {
            self.look(&item.sig.ident, |paths| paths.visit_signature(&item.sig));
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if is_seen(&item.vis) {
            self.look(&item.sig.ident, |paths| paths.visit_signature(&item.sig));
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if is_seen(&item.vis) {
            self.look(&item.ident, |paths| {
                paths.visit_generics(&item.generics);
                item.fields.iter().filter(|field| is_seen(&field.vis)).for_each(|field| paths.visit_type(&field.ty));
            });
        }
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        if is_seen(&item.vis) {
            self.look(&item.ident, |paths| {
                paths.visit_generics(&item.generics);
                let variants = item.variants.iter().flat_map(|variant| &variant.fields);
                // The cause of an error shows as what it says only.
                let is_cause = |field: &&syn::Field| {
                    field
                        .attrs
                        .iter()
                        .any(|attribute| ["source", "from"].iter().any(|word| attribute.path().is_ident(word)))
                };
                variants.filter(|field| !is_cause(field)).for_each(|field| paths.visit_type(&field.ty));
            });
        }
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        if is_seen(&item.vis) {
            self.look(&item.ident, |paths| paths.visit_item_trait(item));
        }
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        if is_seen(&item.vis) {
            self.look(&item.ident, |paths| paths.visit_type(&item.ty));
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        if is_seen(&item.vis) {
            self.look(&item.ident, |paths| paths.visit_type(&item.ty));
        }
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        if is_seen(&item.vis) {
            self.look(&item.ident, |paths| paths.visit_type(&item.ty));
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if is_seen(&item.vis) {
            let mut tree = &item.tree;
            while let syn::UseTree::Group(group) = tree {
                let Some(first) = group.items.first() else { return };
                tree = first;
            }
            let syn::UseTree::Path(path) = tree else { return };
            if self.foreign.iter().any(|name| path.ident == *name) {
                self.found.push(format!("pub use {}", path.ident));
            }
        }
    }
}

/// The paths of types.
struct Paths {
    found: Vec<String>,
}

impl Visit<'_> for Paths {
    fn visit_path(&mut self, path: &syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.found.push(names.join("::"));
        visit::visit_path(self, path);
    }

    fn visit_block(&mut self, _: &syn::Block) {}
}
