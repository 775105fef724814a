//! The terms of all topics in one index, and where an entry holds them.
//!
//! Every token is looked up once, by its root; phrases are a trie of words that is walked while reading. So cost grows
//! with the entry and with what it holds, not with the number of terms.

use std::collections::{BTreeSet, HashMap};

use super::{Field, Fields, Term, TermPart};
use crate::text::{Levelled, fold, lite};

/// A term's number in the index: its node in the trie.
pub(super) type TermNumber = usize;

/// Tokens left out between title and lead in the head.
pub(super) const HEAD_GAP: u32 = 2;

/// The root of the trie: no word yet.
const START: TermNumber = 0;

/// All terms.
#[derive(Debug, Clone)]
pub(super) struct Index {
    /// By root: the words that have it, in the form that each wants, with their numbers.
    words: HashMap<String, Vec<(TermPart, usize)>>,
    prefixes: HashMap<String, usize>,
    /// The lengths in bytes that prefixes have.
    prefix_lengths: BTreeSet<usize>,
    /// How many words have a number.
    word_count: usize,
    /// By node: the next node by word.
    trie: Vec<HashMap<usize, TermNumber>>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            words: HashMap::new(),
            prefixes: HashMap::new(),
            prefix_lengths: BTreeSet::new(),
            word_count: 0,
            trie: vec![HashMap::new()],
        }
    }
}

impl Index {
    /// Adds a term and returns its number; equal terms have one.
    pub(super) fn add(&mut self, term: &Term) -> TermNumber {
        let mut node = START;
        for part in &term.parts {
            let word = self.add_word(part);
            let new = self.trie.len();
            let Some(steps) = self.trie.get_mut(node) else { break };
            node = *steps.entry(word).or_insert(new);
            if node == new {
                self.trie.push(HashMap::new());
            }
        }
        node
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
                length = self.find_in(text, length, |term, start| found.note(term, field, start));
            }
            if field == Field::Title {
                found.lead_shift = length + HEAD_GAP;
            }
        }
        found
    }

    /// Reads one text whose first token is at `position`; returns the position after its last.
    fn find_in(&self, text: &str, mut position: u32, mut note: impl FnMut(TermNumber, u32)) -> u32 {
        let text = Levelled::new(text);
        let (mut begun, mut going_on) = (Vec::new(), Vec::new());
        for token in text.tokens() {
            begun.push((START, position));
            for spelling in token.spellings() {
                self.each_word(spelling, |word| {
                    for &(node, start) in &begun {
                        if let Some(&next) = self.trie.get(node).and_then(|steps| steps.get(&word)) {
                            note(next, start);
                            going_on.push((next, start));
                        }
                    }
                });
            }
            std::mem::swap(&mut begun, &mut going_on);
            going_on.clear();
            position += 1;
        }
        position
    }

    /// Calls with the number of every word of a term that `spelling` is a form of.
    fn each_word(&self, spelling: &str, mut call: impl FnMut(usize)) {
        let folded = fold(spelling);
        let root = lite(&folded);
        for (part, number) in self.words.get(&*root).into_iter().flatten() {
            let is_meant = match part {
                TermPart::Word(_) => true,
                TermPart::Folded(wanted) => *wanted == folded,
                TermPart::Exact(wanted) => wanted == spelling,
                TermPart::Prefix(_) => false,
            };
            if is_meant {
                call(*number);
            }
        }
        for length in &self.prefix_lengths {
            if let Some(number) = root.get(..*length).and_then(|prefix| self.prefixes.get(prefix)) {
                call(*number);
            }
        }
    }

    fn add_word(&mut self, part: &TermPart) -> usize {
        let new = self.word_count;
        let number = match part {
            TermPart::Prefix(prefix) => {
                self.prefix_lengths.insert(prefix.len());
                *self.prefixes.entry(prefix.clone()).or_insert(new)
            }
            TermPart::Word(text) | TermPart::Exact(text) | TermPart::Folded(text) => {
                let root =
                    if matches!(part, TermPart::Word(_)) { text.clone() } else { lite(&fold(text)).into_owned() };
                let forms = self.words.entry(root).or_default();
                if let Some((_, number)) = forms.iter().find(|(form, _)| form == part) {
                    return *number;
                }
                forms.push((part.clone(), new));
                new
            }
        };
        self.word_count += usize::from(number == new);
        number
    }
}

/// Where an entry holds terms.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By term: its place in `terms`, counted from 1; 0 if it is nowhere.
    slots: Vec<u32>,
    terms: Vec<(TermNumber, Starts)>,
    /// Where the lead begins in the head.
    lead_shift: u32,
}

/// The positions at which a term starts, ascending, in title, lead, body and tags.
type Starts = [Vec<u32>; 4];

impl Found {
    /// The terms that stand somewhere.
    pub(super) fn terms(&self) -> impl Iterator<Item = TermNumber> {
        self.terms.iter().map(|(term, _)| *term)
    }

    /// Where a term starts in a field, ascending.
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
