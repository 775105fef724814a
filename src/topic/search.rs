//! Words that a person looks for among entries, found as the terms of topics are.

use std::collections::HashMap;
use std::ops::Range;

use super::explain::{Quote, quote_at};
use super::index::Index;
use super::{Field, Fields, Term, TermPart};
use crate::text::{Folding, Passage};

/// A search: all of these terms have to stand in an entry.
#[derive(Debug, Clone, Default)]
pub struct Query {
    terms: Vec<Term>,
    /// Made when the first entry of such a language comes.
    indexes: HashMap<Folding, Index>,
}

/// Marks that surround a phrase.
const QUOTES: [char; 8] = ['"', '«', '»', '“', '”', '„', '「', '」'];

/// Terms of a search; the store's index takes no more conditions than some hundreds.
const TERMS_MAX: usize = 64;

impl Query {
    /// Reads words as people type them: each has to stand in an entry, those in quotes one after the other.
    ///
    /// Signs mean nothing, not even those of terms.
    #[must_use]
    pub fn parse(written: &str) -> Self {
        let term = |words: &str| {
            let words = words.split_whitespace().map(|word| word.trim_start_matches(['=', '+']).trim_end_matches('*'));
            let words = words.filter(|word| word.contains(char::is_alphanumeric));
            Term::parse(&words.collect::<Vec<_>>().join(" ")).ok()
        };
        // Every second part is in quotes.
        let parts = written.split(QUOTES).enumerate();
        let terms = parts.flat_map(|(place, part)| -> Vec<Term> {
            if place % 2 == 1 {
                term(part).into_iter().collect()
            } else {
                part.split_whitespace().filter_map(term).collect()
            }
        });
        Self { terms: terms.take(TERMS_MAX).collect(), indexes: HashMap::new() }
    }

    /// Whether nothing is left to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The ways to write each term, each a row of folded words.
    pub fn spellings(&self) -> impl Iterator<Item = Vec<Vec<&str>>> {
        self.terms.iter().map(|term| {
            let ways = std::iter::once(&term.parts).chain(&term.joined);
            ways.map(|parts| parts.iter().map(word).collect()).collect()
        })
    }

    /// Returns where its terms stand in a text whose words fold so: the number of the term, from 0, and the words.
    pub fn places(&mut self, text: &Passage, folding: Folding) -> Vec<(usize, Range<usize>)> {
        let Self { terms, indexes } = self;
        let index = indexes.entry(folding).or_insert_with(|| Index::new(folding));
        let numbers: Vec<_> = terms.iter().map(|term| index.add(term)).collect();
        let mut places = Vec::new();
        index.find_in(text, 0, |number, start, end| {
            let same = numbers.iter().enumerate().filter(|(_, known)| **known == number);
            places.extend(same.map(|(term, _)| (term, start as usize..end as usize)));
        });
        places
    }

    /// Quotes an entry where one of the terms stands first: in its text, else in its title.
    pub fn quote(&mut self, fields: &Fields) -> Option<Quote> {
        let Self { terms, indexes } = self;
        let folding = fields.folding();
        let index = indexes.entry(folding).or_insert_with(|| Index::new(folding));
        let numbers: Vec<_> = terms.iter().map(|term| index.add(term)).collect();
        let texts = [Field::Lead, Field::Body, Field::Title].into_iter().flat_map(|field| fields.texts(field));
        texts.into_iter().find_map(|text| {
            let mut first: Option<(u32, u32, usize)> = None;
            index.find_in(text, 0, |number, start, end| {
                if first.is_none_or(|(known, known_end, _)| start < known || start == known && end > known_end) {
                    first = Some((start, end, number));
                }
            });
            let (start, end, number) = first?;
            let term = numbers.iter().position(|known| *known == number).and_then(|place| terms.get(place))?;
            quote_at(term, text, start, end)
        })
    }
}

/// Tells whether all words of a query stand in an entry; several threads may ask at once.
#[derive(Debug)]
pub struct Finder {
    /// For each folding, with the numbers of all terms.
    indexes: Vec<(Folding, Index, Vec<usize>)>,
}

impl Finder {
    /// Prepares for entries of every language.
    #[must_use]
    pub fn of(query: &Query) -> Self {
        let index = |folding: Folding| {
            let mut index = Index::new(folding);
            let numbers = query.terms.iter().map(|term| index.add(term)).collect();
            (folding, index, numbers)
        };
        Self { indexes: Folding::ALL.into_iter().map(index).collect() }
    }

    /// Whether all words stand in title and text; false if there are none.
    #[must_use]
    pub fn finds(&self, fields: &Fields) -> bool {
        let folding = fields.folding();
        let Some((_, index, numbers)) = self.indexes.iter().find(|(own, ..)| *own == folding) else { return false };
        let mut missing = numbers.clone();
        for text in [Field::Title, Field::Lead, Field::Body].into_iter().flat_map(|field| fields.texts(field)) {
            index.find_in(text, 0, |number, _, _| missing.retain(|term| *term != number));
        }
        missing.is_empty() && !numbers.is_empty()
    }
}

fn word(part: &TermPart) -> &str {
    match part {
        TermPart::Word(word) | TermPart::Exact(word) | TermPart::Folded(word) | TermPart::Prefix(word) => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str, expected: &[&str]) {
        let query = Query::parse(written);
        let first: Vec<String> = query.spellings().map(|ways| ways[0].join(" ")).collect();
        assert_eq!(first, expected, "{written}");
    }

    #[test]
    fn words_stand_alone_and_quotes_make_phrases() {
        check("Œuvre d’art", &["oeuvre", "art"]);
        check("plan \"école numérique\" vélo", &["plan", "ecole numerique", "velo"]);
        check("« main-d'œuvre »", &["main oeuvre"]);
        check("“non fermé", &["non ferme"]);
    }

    #[test]
    fn signs_mean_nothing() {
        check("=ENT +libre cyber* AND ( - * \"\"", &["ent", "libre", "cyber", "and"]);
        assert!(Query::parse(" \" - ").is_empty());
        assert_eq!(Query::parse(&"mot ".repeat(999)).spellings().count(), TERMS_MAX);
    }

    #[test]
    fn all_words_have_to_stand_in_title_and_text() {
        let fields = Fields::new("Des vélos", "", "On loue des bicyclettes à l’école numérique", &["train"], "");
        let is_in = |written: &str| Finder::of(&Query::parse(written)).finds(&fields);
        for found in ["velo", "vélo bicyclette", "\"école numérique\" VÉLOS", "velo velo"] {
            assert!(is_in(found), "{found}");
        }
        for missing in ["", "vélo train", "\"numérique école\"", "trottinette"] {
            assert!(!is_in(missing), "{missing}");
        }
    }

    #[test]
    fn an_entry_is_quoted_where_a_term_stands_first() {
        let fields = Fields::new("Des vélos", "", "On loue des bicyclettes et des vélos ici", &[], "");
        let quote = Query::parse("velo bicyclette").quote(&fields).unwrap();
        assert_eq!(
            (&*quote.before, &*quote.words, &*quote.after),
            ("On loue des ", "bicyclettes", " et des vélos ici")
        );
        let fields = Fields::new("Des vélos", "", "Rien", &[], "");
        assert_eq!(Query::parse("vélo").quote(&fields).unwrap().words, "vélos");
        assert_eq!(Query::parse("train").quote(&fields), None);
    }
}
