//! The terms of all topics in one index, and where an entry holds them.
//!
//! Every token is looked up once, by its root; phrases are a trie of words that is walked while reading. Parts of a
//! compound are looked up joined as well. So cost grows with the entry and with what it holds, not with the number of
//! terms. Most tokens are in no term, and are passed over by their first letters.

use std::collections::{BTreeSet, HashMap};

use super::{Field, Fields, Term, TermPart};
use crate::text::{Folding, Passage, fold};

/// A term's number in the index: its node in the trie.
pub(super) type TermNumber = usize;

/// Parts of a compound that are joined at most: more are of no word.
const JOINED_MAX: usize = 4;

/// Tokens left out between title and lead in the head.
pub(super) const HEAD_GAP: u32 = 2;

/// All terms.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// The rules by which two words are the same word.
    folding: Folding,
    /// By root: the words that have it.
    words: HashMap<String, Forms>,
    prefixes: HashMap<String, TermNumber>,
    /// The lengths in bytes that prefixes have.
    prefix_lengths: BTreeSet<usize>,
    beginnings: Beginnings,
    /// By number. Each word is a node; phrases go on from the node of their first word.
    trie: Vec<TrieNode>,
}

/// The first two bytes that folded words of terms have: a bit for each, by its hash.
///
/// No folding changes them: a root begins as each of its words does.
#[derive(Debug, Clone)]
struct Beginnings([u64; 64]);

impl Default for Beginnings {
    fn default() -> Self {
        Self([0; 64])
    }
}

impl Beginnings {
    fn add(&mut self, folded: &str) {
        let (place, bit) = Self::place(folded);
        if let Some(bits) = self.0.get_mut(place) {
            *bits |= bit;
        }
    }

    /// Whether some word of a term begins so; sometimes also if none does.
    fn may_have(&self, folded: &str) -> bool {
        let (place, bit) = Self::place(folded);
        self.0.get(place).is_some_and(|bits| bits & bit != 0)
    }

    fn place(folded: &str) -> (usize, u64) {
        let mut bytes = folded.bytes().map(usize::from);
        let (first, second) = (bytes.next().unwrap_or_default(), bytes.next().unwrap_or_default());
        (first % 64, 1 << (second % 64))
    }
}

/// Words of one root, by the form that they ask for.
#[derive(Debug, Clone, Default)]
struct Forms {
    any: Option<TermNumber>,
    folded: Vec<(String, TermNumber)>,
    exact: Vec<(String, TermNumber)>,
}

/// The words of some term up to here.
#[derive(Debug, Clone, Default)]
struct TrieNode {
    /// Whether the term is complete.
    is_term: bool,
    /// Terms of which this is another spelling.
    spells: Vec<TermNumber>,
    /// By the next word: the next node.
    steps: HashMap<usize, TermNumber>,
}

impl Index {
    /// An index without terms, for entries of one language.
    pub(super) fn new(folding: Folding) -> Self {
        Self { folding, ..Self::default() }
    }

    /// Adds a term and returns its number; equal terms have one.
    pub(super) fn add(&mut self, term: &Term) -> TermNumber {
        let number = self.add_spelling(&term.parts);
        if let Some(end) = self.trie.get_mut(number) {
            end.is_term = true;
        }
        for spelling in &term.joined {
            let node = self.add_spelling(spelling);
            if let Some(end) = self.trie.get_mut(node)
                && node != number
                && !end.spells.contains(&number)
            {
                end.spells.push(number);
            }
        }
        number
    }

    /// Adds the words of a term and returns the node of the last.
    fn add_spelling(&mut self, parts: &[TermPart]) -> TermNumber {
        let mut node = None;
        for part in parts {
            let word = self.add_word(part);
            node = Some(node.map_or(word, |node| self.add_step(node, word)));
        }
        // A term without words stands nowhere: nothing leads to its node.
        node.unwrap_or_else(|| new_node(&mut self.trie))
    }

    /// Term numbers are below this.
    pub(super) fn len(&self) -> usize {
        self.trie.len()
    }

    /// Finds every term in every field.
    pub(super) fn find(&self, fields: &Fields) -> Found {
        let mut found = Found { slots: vec![0; self.trie.len()], ..Found::default() };
        for field in [Field::Title, Field::Lead, Field::Body, Field::Tags] {
            let mut length = 0;
            for text in fields.texts(field) {
                length = self.find_in(text, length, |term, start, _| found.note(term, field, start));
            }
            if field == Field::Title {
                found.lead_shift = length + HEAD_GAP;
            }
        }
        found
    }

    /// Reads one text whose first token is at `position`; returns the position after its last.
    ///
    /// Calls with each term, the position at which it starts, and the one behind its end.
    pub(super) fn find_in(&self, text: &Passage, mut position: u32, mut note: impl FnMut(TermNumber, u32, u32)) -> u32 {
        // Phrases that are complete up to the last token, with their starts.
        let (mut begun, mut going_on): (Vec<(&TrieNode, u32)>, Vec<_>) = (Vec::new(), Vec::new());
        // Phrases that are complete up to a token to come, which a joined compound ends with, and the position behind it.
        let mut ahead: Vec<(&TrieNode, u32, u32)> = Vec::new();
        let mut words = text.words();
        while let Some(token) = words.next() {
            let behind = position + 1;
            let mut each = |word: TermNumber, end: u32| {
                let mut reach = |term: TermNumber, start: u32| {
                    let Some(reached) = self.trie.get(term) else { return };
                    if reached.is_term {
                        note(term, start, end);
                    }
                    reached.spells.iter().for_each(|term| note(*term, start, end));
                    match (reached.steps.is_empty(), end == behind) {
                        (true, _) => {}
                        (false, true) => going_on.push((reached, start)),
                        (false, false) => ahead.push((reached, start, end)),
                    }
                };
                reach(word, position);
                for (node, start) in &begun {
                    if let Some(&term) = node.steps.get(&word) {
                        reach(term, *start);
                    }
                }
            };
            self.each_word(token.written, token.folded, |word| each(word, behind));
            if token.followers > 0 && (token.folded.len() < 2 || self.beginnings.may_have(token.folded)) {
                let (mut written, mut folded) = (token.written.to_owned(), token.folded.to_owned());
                let followers = words.clone().take(token.followers.min(JOINED_MAX - 1));
                for (end, follower) in (behind + 1..).zip(followers) {
                    written.push_str(follower.written);
                    folded.push_str(follower.folded);
                    self.each_word(&written, &folded, |word| each(word, end));
                }
            }
            std::mem::swap(&mut begun, &mut going_on);
            going_on.clear();
            position = behind;
            if !ahead.is_empty() {
                let is_due = |(_, _, end): &(&TrieNode, u32, u32)| *end == position;
                begun.extend(ahead.iter().filter(|phrase| is_due(phrase)).map(|(node, start, _)| (*node, *start)));
                ahead.retain(|phrase| !is_due(phrase));
            }
        }
        position
    }

    /// Calls with every word of a term that `spelling` is a form of.
    fn each_word(&self, spelling: &str, folded: &str, mut call: impl FnMut(TermNumber)) {
        if !self.beginnings.may_have(folded) {
            return;
        }
        let root = self.folding.root(folded);
        if let Some(forms) = self.words.get(&*root) {
            let folded = forms.folded.iter().filter(|(form, _)| form == folded);
            let exact = forms.exact.iter().filter(|(form, _)| form == spelling);
            forms.any.into_iter().chain(folded.chain(exact).map(|(_, number)| *number)).for_each(&mut call);
        }
        // « journaux » begins with `journ` as written and with `journal` in its root.
        for length in &self.prefix_lengths {
            let as_written = folded.get(..*length);
            let in_root = root.get(..*length).filter(|prefix| Some(*prefix) != as_written);
            let prefixes = as_written.into_iter().chain(in_root);
            prefixes.filter_map(|prefix| self.prefixes.get(prefix)).for_each(|number| call(*number));
        }
    }

    fn add_word(&mut self, part: &TermPart) -> TermNumber {
        let Self { folding, words, prefixes, prefix_lengths, beginnings, trie } = self;
        let root = |folded: &str| folding.root(folded).into_owned();
        match part {
            TermPart::Word(folded) | TermPart::Folded(folded) | TermPart::Prefix(folded) => beginnings.add(folded),
            TermPart::Exact(form) => beginnings.add(&fold(form)),
        }
        match part {
            TermPart::Word(word) => *words.entry(root(word)).or_default().any.get_or_insert_with(|| new_node(trie)),
            TermPart::Folded(form) => add_form(&mut words.entry(root(form)).or_default().folded, form, trie),
            TermPart::Exact(form) => add_form(&mut words.entry(root(&fold(form))).or_default().exact, form, trie),
            TermPart::Prefix(prefix) => {
                prefix_lengths.insert(prefix.len());
                *prefixes.entry(prefix.clone()).or_insert_with(|| new_node(trie))
            }
        }
    }

    fn add_step(&mut self, node: TermNumber, word: TermNumber) -> TermNumber {
        if let Some(&known) = self.trie.get(node).and_then(|node| node.steps.get(&word)) {
            return known;
        }
        let new = new_node(&mut self.trie);
        if let Some(node) = self.trie.get_mut(node) {
            node.steps.insert(word, new);
        }
        new
    }
}

fn add_form(forms: &mut Vec<(String, TermNumber)>, form: &str, trie: &mut Vec<TrieNode>) -> TermNumber {
    if let Some((_, known)) = forms.iter().find(|(known, _)| known == form) {
        return *known;
    }
    let new = new_node(trie);
    forms.push((form.to_owned(), new));
    new
}

fn new_node(trie: &mut Vec<TrieNode>) -> TermNumber {
    trie.push(TrieNode::default());
    trie.len() - 1
}

/// The places of terms in an entry.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By term: its place in `terms`, counted from 1; 0 if it is nowhere.
    slots: Vec<u32>,
    terms: Vec<(TermNumber, Starts)>,
    /// The start of the lead in the head.
    lead_shift: u32,
}

/// The positions at which a term starts, ascending, in title, lead, body and tags.
type Starts = [Vec<u32>; 4];

impl Found {
    /// The terms that stand somewhere.
    pub(super) fn terms(&self) -> impl Iterator<Item = TermNumber> {
        self.terms.iter().map(|(term, _)| *term)
    }

    /// Returns the starts of a term in a field, ascending.
    pub(super) fn starts(&self, term: TermNumber, field: Field) -> impl Iterator<Item = u32> {
        let slot = self.slots.get(term).map_or(0, |slot| *slot as usize);
        let starts = slot.checked_sub(1).and_then(|slot| self.terms.get(slot));
        let (first, second): (&[u32], &[u32]) = match (starts, field) {
            (None, _) => (&[], &[]),
            (Some((_, [title, ..])), Field::Title) => (title, &[]),
            (Some((_, [_, lead, ..])), Field::Lead) => (lead, &[]),
            (Some((_, [title, lead, ..])), Field::Head) => (title, lead),
            (Some((_, [_, _, body, _])), Field::Body) => (body, &[]),
            (Some((_, [.., tags])), Field::Tags) => (tags, &[]),
        };
        first.iter().copied().chain(second.iter().map(|start| start + self.lead_shift))
    }

    /// Whether a term stands in a field.
    pub(super) fn holds(&self, term: TermNumber, field: Field) -> bool {
        self.starts(term, field).next().is_some()
    }

    /// Whether a term stands in any field.
    pub(super) fn holds_anywhere(&self, term: TermNumber) -> bool {
        self.slots.get(term).is_some_and(|slot| *slot > 0)
    }

    fn note(&mut self, term: TermNumber, field: Field, start: u32) {
        let Some(slot) = self.slots.get_mut(term) else { return };
        if *slot == 0 {
            self.terms.push((term, Starts::default()));
            *slot = u32::try_from(self.terms.len()).unwrap_or_default();
        }
        let Some((_, [title, lead, body, tags])) = self.terms.get_mut(*slot as usize - 1) else { return };
        let starts = match field {
            Field::Title => title,
            Field::Lead | Field::Head => lead,
            Field::Body => body,
            Field::Tags => tags,
        };
        if starts.last() != Some(&start) {
            starts.push(start);
        }
    }
}
