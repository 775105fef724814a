//! The words of entries as an index of texts holds them, the same on every backend.
//!
//! They are cut and folded as topics read them, each behind the letter of its language's folding. So a query finds in each
//! language what a term would.

use crate::feed::Entry;
use crate::story::Plain;
use crate::text::{Folding, Passage, Word, fold, without_boilerplate};
use crate::topic::{Field, Fields, Query};

/// Stands in the index where no phrase goes on.
const GAP: &str = "x";

/// Words around a joined compound that phrases with it may have.
const AROUND: usize = 4;

/// A term of a query: the ways to write it, each a row of words that stand one after the other.
pub(super) type Ways = Vec<Vec<String>>;

/// Reads typed words: by folding, all the terms that an entry of such a language has to hold. `None` if there are no words.
pub(super) fn terms(words: &str) -> Option<Vec<Vec<Ways>>> {
    let query = Query::parse(words);
    let spellings: Vec<Vec<Vec<&str>>> = query.spellings().collect();
    let all = |folding: Folding| {
        let row = |words: &Vec<&str>| words.iter().map(|word| indexed(folding, word)).collect();
        spellings.iter().map(|ways| ways.iter().map(row).collect()).collect()
    };
    (!query.is_empty()).then(|| Folding::ALL.into_iter().map(all).collect())
}

/// The words of an entry's title, and of its text.
pub(super) fn words(entry: &Entry) -> [Vec<String>; 2] {
    let Plain { title, summary, content } = Plain::of(entry);
    let own = |text: &Passage| text.part(0..without_boilerplate(text.as_str(), title.as_str()).len());
    let mut fields = Fields::new(title.clone(), own(&summary), own(&content), &[], "");
    fields.declared.clone_from(&entry.language);
    let folding = fields.folding();
    let text: Vec<&Passage> = [Field::Lead, Field::Body].into_iter().flat_map(|field| fields.texts(field)).collect();
    [index_words(folding, &fields.texts(Field::Title)), index_words(folding, &text)]
}

/// A folded word as it stands in the index: without characters that part words there.
fn indexed(folding: Folding, word: &str) -> String {
    let letters = folding.root(word).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    format!("{}{letters}", folding.letter())
}

/// The words of a text as they stand in the index: all of them, then each compound joined, between its neighbours.
fn index_words(folding: Folding, texts: &[&Passage]) -> Vec<String> {
    let mut row: Vec<String> = Vec::new();
    for text in texts {
        let words: Vec<Word<'_>> = text.words().collect();
        row.extend(words.iter().map(|word| indexed(folding, word.folded)));
        row.push(GAP.to_owned());
        for (place, word) in words.iter().enumerate().filter(|(_, word)| word.followers > 0) {
            let behind = place + 1 + word.followers;
            let parts = words.get(place..behind).unwrap_or_default();
            for length in 2..=parts.len().min(AROUND) {
                let joined: String = parts.iter().take(length).map(|part| part.folded).collect();
                let [before, after] = [place.saturating_sub(AROUND)..place, place + length..place + length + AROUND];
                let near = |range: std::ops::Range<usize>| {
                    let end = range.end.min(words.len());
                    words
                        .get(range.start.min(end)..end)
                        .unwrap_or_default()
                        .iter()
                        .map(|word| indexed(folding, word.folded))
                };
                row.extend(near(before));
                row.push(indexed(folding, &fold(&joined)));
                row.extend(near(after));
                row.push(GAP.to_owned());
            }
        }
    }
    row
}
