//! Titles prepared for comparison: words, numbers and months.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::subject::NUMBER;
use crate::story::Plain;
use crate::text::vocabulary::FRENCH;
use crate::text::{Passage, fold, one_line};

/// Prefixes that sites put before a title.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static PREFIX: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)^\s*(?:\[[^\]]{3,40}\]|(?:communiqués?(?: de presse)?|actualités?|info(?:rmation)?s?|mis à jour|",
        r"mise à jour|maj|cp|flash|urgent|en direct|vidéo|dossier(?: de presse)?)\s*[:–—|-])\s*"
    ))
    .expect("constant pattern")
});

/// Suffixes that sites put behind a title.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static SUFFIX: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)\s*(?:\||–|—| - |\()\s*(?:ministère[^|]*|info\.gouv\.fr|gouvernement(?:\.fr)?|espace presse|",
        r"service[- ]public(?:\.fr)?|communiqué(?: de presse)?|portail[^|]*)\)?\s*$"
    ))
    .expect("constant pattern")
});

/// Each prefix and suffix has one of these.
const SIGNS: [char; 7] = ['[', ':', '|', '-', '–', '—', '('];

/// Titles that many entries have.
const GENERIC: [&str; 14] = [
    "communique de presse",
    "actualites",
    "actualite",
    "agenda",
    "discours",
    "point presse",
    "a la une",
    "lettre d information",
    "deplacement du ministre",
    "communique",
    "editorial",
    "edito",
    "newsletter",
    "revue de presse",
];

/// Folded French names of months. English titles are compared by all their words.
static MONTHS: LazyLock<[String; 12]> = LazyLock::new(|| FRENCH.folded_months());

/// French words that do not tell two titles apart. Names of days are not among them: the agenda of Monday is not that
/// of Tuesday.
static EMPTY_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| [FRENCH.grammar, FRENCH.framing].into_iter().flat_map(str::split_whitespace).collect());

/// Longest part of a title that is compared, in characters: the rest is no title.
const TITLE_MAX: usize = 1_000;

/// Longest word that is looked at for typing errors, in bytes: the time grows with its square.
const WORD_MAX: usize = 100;

/// A title without the prefixes and suffixes of sites.
#[derive(Debug, Clone, Default)]
pub(in crate::dedup) struct Title {
    pub(in crate::dedup) words: Vec<String>,
    /// Its content words: those that tell titles apart.
    pub(in crate::dedup) content: Vec<String>,
    /// Numbers and single capitals (`zone A`, `annexe C`), each with its count.
    pub(in crate::dedup) numbers: BTreeMap<String, usize>,
    /// One bit for each month named.
    pub(in crate::dedup) months: u16,
}

impl Title {
    pub(in crate::dedup) fn new(title: &str) -> Self {
        let end = title.char_indices().nth(TITLE_MAX).map_or(title.len(), |(end, _)| end);
        let title = Passage::new(one_line(title.get(..end).unwrap_or_default()));
        Self::of(title.as_str(), &title.part(bare_title(title.as_str())))
    }

    pub(in crate::dedup) fn read(plain: &Plain) -> Self {
        let title = plain.title.as_str();
        if title.len() > TITLE_MAX { Self::new(title) } else { Self::of(title, &plain.title.part(bare_title(title))) }
    }

    fn of(title: &str, bare: &Passage) -> Self {
        let words: Vec<String> = bare.words().map(|word| word.folded.to_owned()).collect();
        let is_content = |word: &&String| !EMPTY_WORDS.contains(word.as_str());
        let content = words.iter().filter(is_content).cloned().collect();
        let folded = fold(title);
        Self { words, content, numbers: numbers(title, &folded), months: months(&folded) }
    }

    pub(in crate::dedup) fn key(&self) -> String {
        self.words.join(" ")
    }

    /// Whether many entries have it.
    pub(in crate::dedup) fn is_generic(&self) -> bool {
        GENERIC.contains(&self.key().as_str())
    }

    /// Whether it tells its item from others.
    pub(in crate::dedup) fn is_telling(&self) -> bool {
        self.content.len() >= 2 && !self.is_generic()
    }

    /// The content words that only one of the two has. A pair for which `is_typo` holds is no difference.
    pub(in crate::dedup) fn differences<'a>(
        &'a self,
        other: &'a Self,
        is_typo: impl Fn(&str, &str) -> bool,
    ) -> (Vec<&'a str>, Vec<&'a str>) {
        let (mut mine, mut theirs) = (only(&self.content, &other.content), only(&other.content, &self.content));
        mine.retain(|word| {
            let is_number = word.chars().all(|c| c.is_ascii_digit());
            let twin = theirs.iter().position(|other| !is_number && is_typo(word, other));
            twin.map(|twin| theirs.remove(twin)).is_none()
        });
        (mine, theirs)
    }
}

/// The range of a title without prefixes and suffixes, unless fewer than eight characters would remain.
pub(in crate::dedup) fn bare_title(title: &str) -> Range<usize> {
    let mut range = 0..title.len();
    // Fast path for nearly every title.
    if !title.contains(SIGNS) {
        return range;
    }
    for _ in 0..3 {
        let bare = title.get(range.clone()).unwrap_or_default();
        let start = PREFIX.find(bare).map_or(0, |prefix| prefix.end());
        let rest = bare.get(start..).unwrap_or_default();
        let end = SUFFIX.find(rest).map_or(rest.len(), |suffix| suffix.start());
        let rest = rest.get(..end).unwrap_or_default();
        if rest == bare || rest.chars().count() < 8 {
            break;
        }
        range = range.start + start..range.start + start + end;
    }
    range
}

fn numbers(title: &str, folded: &str) -> BTreeMap<String, usize> {
    let mut numbers = BTreeMap::new();
    if folded.bytes().any(|byte| byte.is_ascii_digit()) {
        for number in NUMBER.find_iter(&joined_thousands(folded)) {
            *numbers.entry(number.as_str().to_owned()).or_default() += 1;
        }
    }
    let (mut lower, mut upper) = (0, 0);
    for c in title.chars() {
        lower += usize::from(c.is_lowercase());
        upper += usize::from(c.is_uppercase());
    }
    // In a title all in capitals a single letter is a word.
    if lower * 2 > upper {
        for letter in single_capitals(title) {
            *numbers.entry(letter.to_string()).or_default() += 1;
        }
    }
    numbers
}

/// Joins `12 000` into one number.
fn joined_thousands(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut before = ' ';
    for (start, c) in text.char_indices() {
        let after = text.get(start + c.len_utf8()..).unwrap_or_default();
        let digits = after.chars().take_while(char::is_ascii_digit).count();
        let ends = !after.chars().nth(digits).is_some_and(|c| c.is_alphanumeric() || c == '_');
        if !(c == ' ' && before.is_ascii_digit() && digits == 3 && ends) {
            joined.push(c);
        }
        before = c;
    }
    joined
}

fn single_capitals(title: &str) -> impl Iterator<Item = char> {
    let behind = title.chars().skip(1);
    let further = title.chars().skip(2).map(Some).chain([None]);
    title.chars().zip(behind).zip(further).filter_map(|((before, letter), after)| {
        let begins = before.is_whitespace() || before == '(';
        let ends = after.is_none_or(|c| !c.is_alphanumeric() && !['_', '\'', '’', '.'].contains(&c));
        (begins && ends && letter.is_ascii_uppercase()).then_some(letter)
    })
}

fn months(folded: &str) -> u16 {
    let words = folded.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter_map(|word| MONTHS.iter().position(|month| *month == word)).fold(0, |months, month| months | 1 << month)
}

/// The words of one title beyond those of the other, with their multiplicity.
fn only<'a>(words: &'a [String], others: &[String]) -> Vec<&'a str> {
    let mut left: Vec<&str> = others.iter().map(String::as_str).collect();
    let mut only = Vec::new();
    for word in words {
        if let Some(place) = left.iter().position(|other| other == word) {
            left.swap_remove(place);
        } else {
            only.push(word.as_str());
        }
    }
    only
}

/// Whether two words are within one edit, or two if both have eight letters; a swap of neighbours is one edit (optimal
/// string alignment).
///
/// Two words count as typos of each other only if they share their first letter (inclusion, exclusion) and neither is
/// the other with a longer end, plurals excepted (Loire, Loiret).
pub(in crate::dedup) fn is_misspelt(one: &str, other: &str) -> bool {
    if one.len().max(other.len()) > WORD_MAX {
        return false;
    }
    let (long, short) = (one.chars().count(), other.chars().count());
    let (long, short) = (long.max(short), long.min(short));
    if one == other {
        return true;
    }
    if long - short > 2 || short < 4 || one.chars().next() != other.chars().next() {
        return false;
    }
    let end = one.strip_prefix(other).or_else(|| other.strip_prefix(one));
    if end.is_some_and(|end| !["s", "x", "e", "es"].contains(&end)) {
        return false;
    }
    strsim::osa_distance(one, other) <= if short >= 8 { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &str, other: &str, mine: &[&str], theirs: &[&str]) {
        let (one, other) = (Title::new(one), Title::new(other));
        assert_eq!(one.differences(&other, is_misspelt), (mine.to_vec(), theirs.to_vec()));
    }

    #[test]
    fn what_sites_put_around_a_title_is_no_part_of_it() {
        let bare = "Des tablettes pour les écoles";
        check(bare, "[Communiqué] Des tablettes pour les écoles | Ministère de l’Éducation", &[], &[]);
        check(bare, "MAJ : des tablettes pour les écoles – Espace presse", &[], &[]);
    }

    #[test]
    fn words_that_one_title_lacks_are_told() {
        check("Aide aux lycées", "Aide aux collèges", &["lycees"], &["colleges"]);
        check("Aide aux lycées", "Une aide aux lycées ruraux", &[], &["ruraux"]);
    }

    #[test]
    fn a_typing_error_is_no_difference() {
        check("Un plan numérqiue", "Un plan numérique", &[], &[]);
        check("Bus 12", "Bus 13", &["12"], &["13"]);
        check("Un plan rural", "Des plans ruraux", &["rural"], &["ruraux"]);
        check(
            "Exclusion scolaire dans la Loire",
            "Inclusion scolaire dans le Loiret",
            &["exclusion", "loire"],
            &["inclusion", "loiret"],
        );
    }

    #[test]
    fn numbers_and_single_capitals_count() {
        let numbers = |title: &str| Title::new(title).numbers.into_keys().collect::<Vec<String>>();
        assert_eq!(numbers("Zone A : 12 000 élèves, 3,5 %"), ["12000", "3,5", "A"]);
        assert_eq!(numbers("L'avis CVE-2026-0012 du CERT (B)"), ["B", "cve-2026-0012"]);
        assert_eq!(numbers("ZONE A FERMÉE"), [""; 0]);
    }

    #[test]
    fn months_are_seen_without_accents() {
        assert_eq!(Title::new("Août et FÉVRIER, maison").months, 1 << 7 | 1 << 1);
    }

    #[test]
    fn a_title_that_many_bear_tells_nothing() {
        assert!(!Title::new("Communiqué de presse").is_telling());
        assert!(!Title::new("Rentrée").is_telling());
        assert!(Title::new("Rentrée scolaire").is_telling());
    }

    #[test]
    fn short_and_endless_words_are_never_misspelt() {
        assert!(is_misspelt("rural", "rurel") && is_misspelt("mare", "mars"));
        assert!(!is_misspelt("bus", "bis") && !is_misspelt("lune", "dune"));
        let [one, other] = ['b', 'c'].map(|letter| format!("{}{letter}a", "a".repeat(100)));
        assert!(!is_misspelt(&one, &other));
    }

    #[test]
    fn long_words_may_have_two_typing_errors() {
        assert!(is_misspelt("numerique", "numreiqeu") && is_misspelt("scolaire", "socalire"));
        assert!(!is_misspelt("college", "coleeg"));
    }

    #[test]
    fn a_number_that_is_there_twice_counts_twice() {
        let numbers = |title: &str| Title::new(title).numbers.into_iter().collect::<Vec<_>>();
        assert_eq!(numbers("Zone A et zone A, bus 12 et 12"), [("12".to_owned(), 2), ("A".to_owned(), 2)]);
    }

    #[test]
    fn a_month_that_is_named_twice_is_one() {
        assert_eq!(Title::new("De mars à mars").months, 1 << 2);
    }

    #[test]
    fn little_is_not_left_of_a_title() {
        let bare = |title: &'static str| &title[super::bare_title(title)];
        assert_eq!(bare("Flash : Rentrée."), "Rentrée.");
        assert_eq!(bare("Flash : Rentrée"), "Flash : Rentrée");
        assert_eq!(bare("CP – Flash : Rentrée 2026 – Espace presse (Gouvernement)"), "Rentrée 2026");
    }

    #[test]
    fn only_a_blank_joins_thousands() {
        let numbers = |title: &str| Title::new(title).numbers.into_keys().collect::<Vec<String>>();
        assert_eq!(numbers("Pour 3,500 et 12 000 élèves"), ["12000", "3,500"]);
        assert_eq!(numbers("Pour 12 0001 élèves, 12 000e"), ["000", "0001", "12"]);
    }
}
