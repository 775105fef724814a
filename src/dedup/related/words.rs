//! Telling words of an entry. For the words used here see `mod.rs`.
//!
//! The rarity of a word shows only among a topic's stories. So this file drops words that never tell anything, and
//! takes of the rest all of the title, then the publisher's tags, then names and words that the text repeats.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_64;

use crate::dedup::sameness::bare_title;
use crate::feed::Entry;
use crate::story::{Plain, Spot, TellingWord, TellingWords};
use crate::text::vocabulary::VOCABULARIES;
use crate::text::{Folding, Passage, Word, fold};

/// Most words of the title.
const TITLE_WORDS: usize = 20;

/// Most words of the tags: some sites send their keywords with every page.
const TAG_WORDS: usize = 12;

/// Length of the beginning of summary and content that is looked at, in characters: news says first what it is about.
const TEXT_MAX: usize = 5_000;

/// Longest word, in bytes.
const WORD_MAX: usize = 60;

/// Highest count of a word: a higher one says that the text is long.
const COUNT_MAX: usize = 4;

/// Words of addresses and markup.
const WEB_WORDS: [&str; 5] = ["http", "https", "www", "html", "href"];

/// Words that do not tell what a text is about, in all our languages: a text may quote another language.
static EMPTY_WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let words = VOCABULARIES.iter().flat_map(|vocabulary| vocabulary.empty_words());
    words.chain(WEB_WORDS.map(str::to_owned)).collect()
});

/// The telling words of an entry, read as `plain`.
#[must_use]
pub fn telling_words(entry: &Entry, plain: &Plain) -> TellingWords {
    let title = said(&plain.title.part(bare_title(plain.title.as_str())));
    let tags = Said::all(entry.categories.iter().flat_map(|tag| said(&tag.term.as_str().into())).collect());
    let texts = [&plain.summary, &plain.content];
    let text = Said::all(texts.into_iter().flat_map(|text| said(&beginning(text))).collect());
    // It begins with a capital, for whatever reason.
    let capitals = title.iter().filter(|word| word.is_capital).count();
    let shouts = title.len() > 2 && capitals * 3 > title.len() * 2;
    let is_name = |word: &Said| match text.iter().find(|other| other.hash == word.hash) {
        Some(other) => other.is_capital && (other.is_name || word.is_name && !shouts),
        None => word.is_name && !shouts,
    };
    let titled = title.iter().take(TITLE_WORDS).map(|word| TellingWord::new(word.hash, Spot::Title, is_name(word)));
    let tagged = tags.iter().take(TAG_WORDS).map(|word| TellingWord::new(word.hash, Spot::Tag, is_name(word)));
    let mut told: Vec<&Said> = text.iter().collect();
    told.sort_by_key(|word| std::cmp::Reverse(word.count.min(COUNT_MAX) << u32::from(word.is_name)));
    let told = told.into_iter().map(|word| TellingWord::new(word.hash, Spot::Text, word.is_name));
    let mut seen = HashSet::new();
    TellingWords::new(titled.chain(tagged).chain(told).filter(|word| seen.insert(word.hash())))
}

struct Said {
    hash: u64,
    is_name: bool,
    /// Whether it begins with a capital, for whatever reason.
    is_capital: bool,
    count: usize,
}

impl Said {
    /// Merges equal words, in the order of first mention.
    fn all(words: Vec<Self>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let mut places: HashMap<u64, usize> = HashMap::new();
        for word in words {
            let place = *places.entry(word.hash).or_insert(all.len());
            match all.get_mut(place) {
                None => all.push(word),
                Some(known) => {
                    known.count += 1;
                    known.is_capital &= word.is_capital;
                    known.is_name = known.is_capital && (known.is_name || word.is_name);
                }
            }
        }
        all
    }
}

fn said(text: &Passage) -> Vec<Said> {
    let words = |word: Word<'_>| {
        // `compte-rendu` is told by its parts, `CVE-2026-0012` is not.
        let joined = word.joined.filter(|joined| joined.contains(|c: char| c.is_ascii_digit()));
        let joined = joined.and_then(|joined| one(joined, &fold(joined), || false));
        [one(word.written, word.folded, || begins_sentence(word.before)), joined]
    };
    text.words().flat_map(words).flatten().collect()
}

fn one(word: &str, folded: &str, begins_sentence: impl Fn() -> bool) -> Option<Said> {
    let is_capital = word.starts_with(char::is_uppercase);
    let marks = word.chars().filter(|c| c.is_uppercase() || c.is_ascii_digit()).count();
    let long = if is_capital || marks >= 2 { 2 } else { 4 };
    let is_number = word.starts_with(|c: char| c.is_ascii_digit()) && !word.ends_with(char::is_uppercase);
    if is_number || word.len() > WORD_MAX || folded.chars().nth(long - 1).is_none() || EMPTY_WORDS.contains(folded) {
        return None;
    }
    // One folding for all languages: a word must be the same word whatever the text's language was taken for.
    let root = Folding::French.root(folded);
    let is_name = marks >= 2 || is_capital && word.chars().nth(2).is_some() && !begins_sentence();
    Some(Said { hash: xxh3_64(root.as_bytes()), is_name, is_capital: is_capital || is_name, count: 1 })
}

/// Whether the text before a word explains its capital.
fn begins_sentence(before: &str) -> bool {
    before.trim_end().chars().next_back().is_none_or(|c| ".!?…:;«»\"“”(•|-–—*".contains(c))
}

fn beginning(text: &Passage) -> Passage {
    let end = text.as_str().char_indices().nth(TEXT_MAX).map_or(text.as_str().len(), |(end, _)| end);
    text.part(0..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Category;

    fn of(title: &str, text: &str) -> Vec<TellingWord> {
        let entry = Entry { title: Some(title.into()), content: Some(text.into()), ..Entry::default() };
        telling_words(&entry, &Plain::of(&entry)).iter().collect()
    }

    /// Claims that a word is a telling word there, and whether it is a name; `None` if it is none.
    #[track_caller]
    fn check(title: &str, text: &str, word: &str, expected: Option<(Spot, bool)>) {
        let sought = TellingWord::new(xxh3_64(word.as_bytes()), Spot::Text, false).hash();
        let found = of(title, text).into_iter().find(|word| word.hash() == sought);
        assert_eq!(found.map(|word| (word.spot(), word.is_name())), expected, "{word}");
    }

    #[test]
    fn words_of_the_title_count_there() {
        check("Une cantine pour tous", "La cantine ouvre.", "cantine", Some((Spot::Title, false)));
        check("Une cantine pour tous", "Le réfectoire ouvre.", "refectoire", Some((Spot::Text, false)));
    }

    #[test]
    fn empty_and_short_words_and_numbers_tell_nothing() {
        for word in ["pour", "les", "bus", "2026", "12", "3e"] {
            check("Pour les bus, 12 en 2026, le 3e", "", word, None);
        }
    }

    #[test]
    fn plural_and_case_do_not_count() {
        check("CANTINES OUVERTES PARTOUT", "", "cantine", Some((Spot::Title, false)));
    }

    #[test]
    fn a_capital_within_a_sentence_makes_a_name() {
        check("Le plan de Nantes", "", "nante", Some((Spot::Title, true)));
        check("Nantes équipe ses écoles", "", "nante", Some((Spot::Title, false)));
        check("Nantes équipe ses écoles", "La ville de Nantes paie.", "nante", Some((Spot::Title, true)));
        check("Rentrée", "Voici. Cantine fermée.", "cantine", Some((Spot::Text, false)));
        check("La Cantine rouvre", "Une cantine comme une autre.", "cantine", Some((Spot::Title, false)));
        check("Élèves Des Cantines Scolaires", "", "cantine", Some((Spot::Title, false)));
    }

    #[test]
    fn acronyms_and_words_with_digits_are_names() {
        check("CNIL : le point sur la 5G", "", "cnil", Some((Spot::Title, true)));
        check("CNIL : le point sur la 5G", "", "5g", Some((Spot::Title, true)));
        check("Une faille", "La CVE-2026-0012 menace.", "cve20260012", Some((Spot::Text, true)));
    }

    #[test]
    fn tags_are_terms() {
        let tag = Category { term: "Vie lycéenne".into(), ..Category::default() };
        let entry = Entry { categories: vec![tag], ..Entry::default() };
        let spots: Vec<Spot> = telling_words(&entry, &Plain::of(&entry)).iter().map(TellingWord::spot).collect();
        assert_eq!(spots, [Spot::Tag, Spot::Tag]);
    }

    #[test]
    fn of_a_long_text_names_and_what_it_repeats_are_taken() {
        let words: String = (0..200).map(|n| format!("mot{} ", char::from_u32(0xac00 + n).unwrap())).collect();
        let text = format!("{words} cantine et cantine, dit Parcoursup.");
        assert_eq!(of("", &text).len(), TellingWords::MAX);
        check("", &text, "cantine", Some((Spot::Text, false)));
        check("", &text, "parcoursup", Some((Spot::Text, true)));
    }

    #[test]
    fn any_text_is_read_quickly() {
        assert!(of(&"É".repeat(100_000), &"a'-".repeat(100_000)).len() <= TellingWords::MAX);
        assert!(of("", "").is_empty());
    }

    #[test]
    fn of_three_words_two_may_be_names() {
        check("Un plan pour Nantes Métropole", "", "metropole", Some((Spot::Title, true)));
        check("Plan Nantes Métropole", "", "metropole", Some((Spot::Title, false)));
    }

    #[test]
    fn a_word_that_only_begins_sentences_is_no_name() {
        check("Nantes équipe ses écoles", "Nantes paie.", "nante", Some((Spot::Title, false)));
    }

    #[test]
    fn endless_words_tell_nothing() {
        let of = |length: usize| "a".repeat(length);
        check(&of(WORD_MAX), "", &of(WORD_MAX), Some((Spot::Title, false)));
        check(&of(WORD_MAX + 1), "", &of(WORD_MAX + 1), None);
        check(&of(WORD_MAX + 9), "", &of(WORD_MAX + 9), None);
    }
}
