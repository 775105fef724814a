//! Lists of terms that topics share by `@name`: the shipped ones and those of `[lexicon]`.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::Problems;
use super::nearest::unknown;
use super::slips;
use super::tree::{self, Literal, Name, Value};
use crate::text::Levelled;
use crate::topic::Term;

/// The shipped lists, as TOML: plain terms only.
const SHIPPED: &str = include_str!("lexicon.toml");

/// Greatest depth of lists within lists, since they are read by recursion.
const NESTING_MAX: usize = 32;

/// The lists that terms may name.
///
/// A list of `[lexicon]` replaces the shipped list of its name. Where it names itself, it means the shipped list, so that
/// `num = ["@num", "tablette"]` extends it. Lists may hold other lists, but not in a circle.
#[derive(Debug)]
pub(super) struct Lexicon<'a> {
    shipped: BTreeMap<String, Vec<Term>>,
    own: &'a [(Name, Literal)],
    /// The terms of the lists of `own` that are read already.
    read: BTreeMap<String, Vec<Term>>,
    /// The lists of `own` that are being read, each within the one before.
    open: Vec<String>,
    /// The lists that terms of topics have named.
    named: BTreeSet<String>,
}

impl<'a> Lexicon<'a> {
    /// Takes `[lexicon]` and reads all its lists, used or not.
    pub(super) fn new(section: Option<&'a Literal>, problems: &mut Problems) -> Self {
        let own: &[(Name, Literal)] = match section {
            None => &[],
            Some(Literal { value: Value::Table(own), .. }) => own,
            Some(literal) => {
                problems.error(&literal.span, format!("`lexicon` must be a table, not {}", literal.kind()));
                &[]
            }
        };
        let (read, open, named) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
        let mut lexicon = Self { shipped: shipped(), own, read, open, named };
        for (name, literal) in own {
            lexicon.own_list(&name.text, literal, problems);
        }
        lexicon.named.clear();
        lexicon
    }

    /// Reads a list of terms, with those of the lists that it names, each term once.
    pub(super) fn terms(&mut self, literal: &Literal, problems: &mut Problems) -> Vec<Term> {
        let Value::List(list) = &literal.value else {
            let error = problems.error(&literal.span, format!("terms must be a list, not {}", literal.kind()));
            if let Some(text) = literal.text() {
                error.help(format!("write `[{}]`", slips::list(text)));
            }
            return Vec::new();
        };
        let terms: Vec<Term> = list.iter().flat_map(|literal| self.element(literal, problems)).collect();
        let mut seen = BTreeSet::new();
        terms.into_iter().filter(|term| seen.insert(term.written.clone())).collect()
    }

    /// Warns of the lists of `[lexicon]` that no term has named.
    pub(super) fn warn_of_unused(&self, problems: &mut Problems) {
        let held = |name: &str| self.own.iter().any(|(other, list)| other.text != name && names(list, name));
        for (name, _) in self.own.iter().filter(|(name, _)| !self.named.contains(&name.text) && !held(&name.text)) {
            let warning = problems.warning(&name.span, format!("no topic uses the list `@{}`", name.text));
            warning.help(format!("write `\"@{}\"` where a topic lists terms", name.text));
        }
    }

    fn element(&mut self, literal: &Literal, problems: &mut Problems) -> Vec<Term> {
        let Some(text) = literal.text() else {
            problems.error(&literal.span, format!("a term must be a text in quotes, not {}", literal.kind()));
            return Vec::new();
        };
        if let Some(name) = text.trim().strip_prefix('@') {
            return self.list(name, literal, problems);
        }
        match Term::parse(text) {
            Ok(term) => {
                if !warn_of_several(text, literal, problems) {
                    warn_of_acronyms(text, literal, problems);
                    warn_of_signs(text, literal, problems);
                }
                vec![term]
            }
            Err(fault) => {
                problems.error(&literal.span, fault.to_string());
                Vec::new()
            }
        }
    }

    fn list(&mut self, name: &str, literal: &Literal, problems: &mut Problems) -> Vec<Term> {
        self.named.insert(name.to_owned());
        let is_within = self.open.last().is_some_and(|open| open == name);
        let own = self.own.iter().find(|(own, _)| own.text == name).filter(|_| !is_within);
        match (own, self.shipped.get(name)) {
            (Some(_), _) if self.open.iter().any(|open| open == name) => {
                let around = self.open.iter().skip_while(|open| *open != name).map(|open| format!("`@{open}` holds "));
                let error = problems.error(&literal.span, format!("`@{name}` holds itself"));
                error.help(format!("{}`@{name}`: take one of them out", around.collect::<String>()));
                Vec::new()
            }
            (Some(_), _) if self.open.len() >= NESTING_MAX => {
                problems.error(&literal.span, format!("lists hold lists more than {NESTING_MAX} deep"));
                Vec::new()
            }
            (Some((_, list)), _) => self.own_list(name, list, problems),
            (None, Some(shipped)) => shipped.clone(),
            (None, None) if is_within => {
                let error = problems.error(&literal.span, format!("there is no shipped list `@{name}` to extend"));
                error.help(format!("shipped are {}", quoted(self.shipped.keys())));
                Vec::new()
            }
            (None, None) => {
                let known = self.shipped.keys().chain(self.own.iter().map(|(name, _)| &name.text));
                unknown(&literal.span, "list", name, known.map(String::as_str), problems);
                Vec::new()
            }
        }
    }

    fn own_list(&mut self, name: &str, literal: &Literal, problems: &mut Problems) -> Vec<Term> {
        if let Some(terms) = self.read.get(name) {
            return terms.clone();
        }
        self.open.push(name.to_owned());
        let terms = self.terms(literal, problems);
        self.open.pop();
        self.read.insert(name.to_owned(), terms.clone());
        terms
    }
}

fn shipped() -> BTreeMap<String, Vec<Term>> {
    let lists = tree::read(SHIPPED).unwrap_or_default();
    let terms = |list: &Literal| list.elements().iter().filter_map(|term| Term::parse(term.text()?).ok()).collect();
    lists.iter().map(|(name, list)| (name.text.clone(), terms(list))).collect()
}

fn names(list: &Literal, name: &str) -> bool {
    list.elements().iter().filter_map(Literal::text).any(|text| text.trim().strip_prefix('@') == Some(name))
}

fn quoted<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| format!("`@{name}`")).collect::<Vec<_>>().join(", ")
}

/// Words with which other programs join terms, each with what it is to them.
const JOINTS: [(&str, Joint); 7] = [
    ("ET", Joint::Both),
    ("AND", Joint::Both),
    ("OU", Joint::Either),
    ("OR", Joint::Either),
    ("SAUF", Joint::Without),
    ("NOT", Joint::Without),
    ("PAS", Joint::Without),
];

/// The way in which two terms are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    Both,
    Either,
    Without,
}

/// Warns of several terms in one text, joined as in other programs; says whether it did.
fn warn_of_several(text: &str, literal: &Literal, problems: &mut Problems) -> bool {
    if text.contains(',') {
        let warning = problems.warning(&literal.span, "this is one term, with a comma that no text can match");
        warning.help(format!("write `{}`", slips::list(text)));
        return true;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut joints = words
        .iter()
        .enumerate()
        .filter_map(|(at, word)| Some((at, *word, JOINTS.iter().find(|(joint, _)| joint == word)?.1)));
    let Some((at, word, joint)) = joints.rfind(|(at, ..)| (1..words.len().saturating_sub(1)).contains(at)) else {
        return false;
    };
    let (before, after) = words.split_at(at);
    let (before, after) = (before.join(" "), after.get(1..).unwrap_or_default().join(" "));
    let help = match joint {
        Joint::Both => {
            format!("write `near = [[\"{before}\"], [\"{after}\"]]` in place of `any`: both, near one another")
        }
        Joint::Either => format!("write `\"{before}\", \"{after}\"`"),
        Joint::Without => format!("write `\"{before}\"` here, and `not = [\"{after}\"]` in the topic"),
    };
    problems.warning(&literal.span, format!("`{word}` is looked for like any other word")).help(help);
    true
}

/// Warns of acronyms that are matched as words: `ENT` matches *ent*.
fn warn_of_acronyms(text: &str, literal: &Literal, problems: &mut Problems) {
    let is_acronym = |word: &&str| {
        (2..=6).contains(&word.chars().count())
            && word.chars().filter(|c| c.is_alphabetic()).count() > 1
            && word.chars().all(|c| c.is_uppercase() || c.is_ascii_digit())
    };
    if let Some(word) = text.split_whitespace().find(is_acronym) {
        let warning = problems.warning(&literal.span, format!("`{word}` matches `{}` too", word.to_lowercase()));
        warning.help(format!("write `={word}` if only the acronym is meant"));
    }
}

/// Warns of signs beside a word, which no match can see: texts are read word by word, so `C++` is `C`.
fn warn_of_signs(text: &str, literal: &Literal, problems: &mut Problems) {
    for word in text.split_whitespace() {
        let bare = word.strip_prefix(['=', '+']).unwrap_or(word);
        let bare = Levelled::new(bare.strip_suffix('*').unwrap_or(bare));
        let tokens = bare.tokens();
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { continue };
        let (before, seen) = bare.as_str().split_at_checked(first.start).unwrap_or_default();
        let (seen, after) = seen.split_at_checked(last.start + last.word.len() - first.start).unwrap_or_default();
        // An elided article (`l'`) is not part of the word.
        if before.contains(|c: char| !c.is_alphanumeric() && c != '\'') || !after.is_empty() {
            let warning = problems.warning(&literal.span, format!("only `{seen}` of `{word}` is looked for"));
            warning.help("signs before and after a word are not seen: leave them out, or add the words around it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_term_can_be_matched() {
        for (name, literal) in tree::read(SHIPPED).unwrap() {
            assert!(!literal.elements().is_empty(), "{}", name.text);
            assert_eq!(shipped()[&name.text].len(), literal.elements().len(), "{}", name.text);
        }
    }

    #[test]
    fn no_shipped_term_is_an_acronym_that_folds() {
        for (_, literal) in tree::read(SHIPPED).unwrap() {
            let mut problems = Problems::default();
            let mut lexicon = Lexicon::new(None, &mut problems);
            lexicon.terms(&literal, &mut problems);
            assert_eq!(problems.into_diagnosis("lexicon.toml".as_ref(), SHIPPED).render(false), "");
        }
    }
}
