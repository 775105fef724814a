//! Every path that a source file names, resolved: `crate::…` from the root of the house, or a foreign crate's name.
//!
//! It reads tokens, not a syntax tree, so that paths in macros are seen too. Strings in attributes are read as tokens as
//! well (`#[serde(with = "crate::…")]`).

use std::iter;
use std::slice;

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};

/// A path as a file names it.
#[derive(Debug)]
pub(super) struct Named {
    /// Its line, counted from 1.
    pub line: usize,
    /// `crate`, or the first name as it is written, and what follows; `*` for all names of a module.
    pub path: Vec<String>,
    /// The name that a `use` gives it, if another than its own.
    pub called: Option<String>,
    /// The form in which it is named.
    pub by: By,
    /// Whether it stands in a module of the file that exists in tests only.
    pub in_tests: bool,
}

/// The form in which a path is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// In a `use` declaration.
    Use,
    /// In code, as a macro that is called.
    Macro,
    /// In code, as anything else.
    Code,
    /// By a form that brings in sources or names in a way that is not followed here.
    Detour,
}

impl Named {
    /// The path as it is written in Rust.
    pub(super) fn text(&self) -> String {
        self.path.join("::")
    }
}

/// Words that are never the first part of a path.
const KEYWORDS: [&str; 32] = [
    "as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "extern", "fn", "for", "if", "impl",
    "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "static", "struct", "trait", "type",
    "unsafe", "use", "where", "while",
];

/// Returns the paths that `text` names; `file` is its name below `src`.
pub(super) fn named(file: &str, text: &str) -> Vec<Named> {
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut reader = Reader { module: module_of(file), in_tests: false, found: Vec::new() };
    reader.read(tokens, false);
    reader.found
}

/// The path of the module that a file holds.
pub(super) fn module_of(file: &str) -> Vec<String> {
    let inner = file.trim_end_matches(".rs").split('/').filter(|name| !["lib", "main", "mod"].contains(name));
    iter::once("crate").chain(inner).map(str::to_owned).collect()
}

struct Reader {
    module: Vec<String>,
    in_tests: bool,
    found: Vec<Named>,
}

impl Reader {
    fn read(&mut self, tokens: TokenStream, in_attribute: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.iter().peekable();
        let mut before: Option<&TokenTree> = None;
        let mut before_colons: Option<&TokenTree> = None;
        let mut is_for_tests = false;
        while let Some(token) = rest.next() {
            let last = before.replace(token);
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let mut ahead = rest.clone();
                    ahead.next_if(|token| is_sign(token, '!'));
                    if let Some(TokenTree::Group(group)) =
                        ahead.next().filter(|group| is_group(group, Delimiter::Bracket))
                    {
                        is_for_tests |= group.stream().to_string().replace(' ', "") == "cfg(test)";
                        self.attribute(group.stream());
                        rest = ahead;
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint => {
                    before_colons = last;
                }
                TokenTree::Ident(ident) if ident == "use" && !rest.peek().is_some_and(|next| is_sign(next, '<')) => {
                    let tree = rest.by_ref().take_while(|token| !is_sign(token, ';')).cloned().collect::<Vec<_>>();
                    self.trees(&tree, &[], By::Use);
                    before = None;
                }
                TokenTree::Ident(ident) if ident == "mod" => {
                    let mut ahead = rest.clone();
                    if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(group))) = (ahead.next(), ahead.next())
                    {
                        let around = self.in_tests;
                        self.in_tests |= is_for_tests;
                        self.module.push(plain(name));
                        self.read(group.stream(), false);
                        self.module.pop();
                        self.in_tests = around;
                        is_for_tests = false;
                        rest = ahead;
                    }
                }
                TokenTree::Ident(ident)
                    if ident == "extern" && rest.peek().is_some_and(|next| is_word(next, "crate")) =>
                {
                    self.detour(ident, "extern crate");
                }
                TokenTree::Ident(ident) if ident == "include" && rest.peek().is_some_and(|next| is_sign(next, '!')) => {
                    self.detour(ident, "include!");
                }
                TokenTree::Ident(ident) if !KEYWORDS.contains(&ident.to_string().as_str()) => {
                    let follows_colons = last.is_some_and(|last| is_sign(last, ':'));
                    if !(follows_colons && before_colons.is_some_and(is_part)) {
                        before = Some(self.path(token, ident, &mut rest));
                    }
                }
                TokenTree::Group(group) => {
                    self.read(group.stream(), in_attribute);
                    is_for_tests &= group.delimiter() != Delimiter::Brace;
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => is_for_tests = false,
                TokenTree::Literal(literal) if in_attribute => {
                    let text = literal.to_string();
                    let inner = text.trim_start_matches(['r', '#']).trim_end_matches('#').trim_matches('"');
                    if let Ok(tokens) = inner.parse() {
                        self.read(tokens, false);
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    fn attribute(&mut self, tokens: TokenStream) {
        let names: Vec<TokenTree> = tokens.clone().into_iter().collect();
        match names.first() {
            Some(TokenTree::Ident(name)) if name == "doc" => return,
            Some(TokenTree::Ident(name)) if name == "path" || name == "cfg_attr" && names_path(&tokens) => {
                self.detour(name, "#[path]");
            }
            _ => {}
        }
        self.read(tokens, true);
    }

    fn detour(&mut self, at: &Ident, form: &str) {
        self.found.push(Named {
            line: at.span().start().line,
            path: vec![form.to_owned()],
            called: None,
            by: By::Detour,
            in_tests: self.in_tests,
        });
    }

    /// Reads a path that begins with `ident`; returns its last token.
    fn path<'a>(
        &mut self,
        first: &'a TokenTree,
        ident: &Ident,
        rest: &mut iter::Peekable<slice::Iter<'a, TokenTree>>,
    ) -> &'a TokenTree {
        let line = ident.span().start().line;
        let mut path = vec![plain(ident)];
        let mut last = first;
        loop {
            let mut ahead = rest.clone();
            let is_colons = ahead.next().is_some_and(|token| is_sign(token, ':'))
                && ahead.next().is_some_and(|token| is_sign(token, ':'));
            match ahead.next().filter(|_| is_colons) {
                Some(token @ TokenTree::Ident(next)) => {
                    path.push(plain(next));
                    last = token;
                }
                Some(token @ TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
                    self.trees(&trees, &path, By::Code);
                    *rest = ahead;
                    return token;
                }
                _ => break,
            }
            *rest = ahead;
        }
        let is_macro = rest.clone().next().is_some_and(|token| matches!(token, TokenTree::Punct(sign) if sign.as_char() == '!' && sign.spacing() == Spacing::Alone));
        let by = if is_macro { By::Macro } else { By::Code };
        self.add(line, path, None, by);
        last
    }

    /// Reads the trees of a `use`, with commas between them, behind `prefix`.
    fn trees(&mut self, tokens: &[TokenTree], prefix: &[String], by: By) {
        for tree in tokens.split(|token| is_sign(token, ',')) {
            let Some(first) = tree.first() else { continue };
            let line = first.span().start().line;
            let mut path = prefix.to_vec();
            let mut tokens = tree.iter();
            let mut called = None;
            let mut is_whole = true;
            while let Some(token) = tokens.next() {
                match token {
                    TokenTree::Ident(word) if word == "as" => called = tokens.next().map(ToString::to_string),
                    TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
                    TokenTree::Ident(word) => path.push(plain(word)),
                    TokenTree::Group(group) => {
                        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                        self.trees(&inner, &path, by);
                        is_whole = false;
                    }
                    TokenTree::Punct(sign) if sign.as_char() == '*' => path.push("*".to_owned()),
                    TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                }
            }
            if is_whole {
                self.add(line, path, called, by);
            }
        }
    }

    fn add(&mut self, line: usize, path: Vec<String>, called: Option<String>, by: By) {
        let mut names = path.into_iter().peekable();
        let mut whole = Vec::new();
        if names.next_if(|name| name == "self").is_some() {
            whole.clone_from(&self.module);
        }
        while names.next_if(|name| name == "super").is_some() {
            if whole.is_empty() {
                whole.clone_from(&self.module);
            }
            whole.pop();
        }
        whole.extend(names);
        self.found.push(Named { line, path: whole, called, by, in_tests: self.in_tests });
    }
}

/// An identifier without the mark of a raw one.
fn plain(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

fn is_sign(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}

/// Whether a token in front of `::` makes what follows the rest of a path.
fn is_part(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(ident) => !KEYWORDS.contains(&ident.to_string().as_str()),
        TokenTree::Punct(punct) => punct.as_char() == '>',
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    }
}

fn names_path(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "path",
        TokenTree::Group(group) => names_path(&group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
