//! Comparison of two entries: links, guids, then titles and texts, with guards that refuse.
//!
//! A wrong merge hides news, a missed one only repeats it. So whatever tells two items of a series apart (the week, the
//! number, the year, one swapped word) outweighs any likeness of their texts. Two tellings in other words are not the
//! same item. The thresholds are from labelled pairs of French government news; `benches/RESULTS.md` tells the result.

use std::fmt;

use chrono::TimeDelta;
use serde::Serialize;

use super::one_source::compare_in_source;
use super::subject::Subject;
use super::title::is_misspelt;
use crate::config::DedupSettings;
use crate::story::{Peer, Sameness};

/// Texts with fewer words say too little to be compared.
const WORDS_MIN: usize = 12;

/// Longest time between two entries that are the same item by their title alone.
const TITLE_DAYS: TimeDelta = TimeDelta::days(3);

/// The comparison of two entries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Why they are the same item, or why not.
    pub verdict: Result<Sameness, Refusal>,
    /// Share of the titles' content words that both have, 0 to 1.
    pub title: f64,
    /// Share of the smaller text's shingles (three words in a row) that the larger text has, 0 to 1; of the summaries', if
    /// that is greater.
    pub text: f64,
    /// Words of the shorter text.
    pub words: usize,
}

/// Why two entries are held to be different items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// They name different vulnerabilities.
    Vulnerabilities,
    /// The numbers or single capitals in their titles differ.
    TitleNumbers,
    /// Their titles name different months.
    Months,
    /// They were published too long apart.
    Dates,
    /// Most numbers of the shorter text are not in the longer one.
    TextNumbers,
    /// The same text about different years.
    Years,
    /// Two short whole texts, alike but for their numbers.
    Bulletins,
    /// Each title has a content word that the other lacks: one form filled in twice.
    TitleWords,
    /// Two items of one source, or of one page, whose content was replaced.
    Neighbours,
    /// Titles and texts are not alike enough.
    Unlike,
}

impl Refusal {
    /// Whether something speaks against their being the same, beyond a lack of likeness.
    #[must_use]
    pub fn is_guard(self) -> bool {
        self != Self::Unlike
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vulnerabilities => "they name different vulnerabilities",
            Self::TitleNumbers => "the numbers in their titles differ",
            Self::Months => "their titles name different months",
            Self::Dates => "they were published longer apart than `dedup.window`",
            Self::TextNumbers => "most numbers of the shorter text are not in the longer one",
            Self::Years => "the same text about different years",
            Self::Bulletins => "two short texts, alike but for their numbers",
            Self::TitleWords => "each title has a word that the other lacks",
            Self::Neighbours => "different items on one page, or of one source",
            Self::Unlike => "titles and texts are not alike enough",
        })
    }
}

/// Compares two entries. Symmetric.
///
/// Entries of two sources are compared by links, guids, titles and texts; entries of one source as in `one_source`.
#[must_use]
pub fn compare(one: &Subject, other: &Subject, settings: &DedupSettings) -> Comparison {
    if one.source_id == other.source_id {
        compare_in_source(one, other, settings)
    } else {
        compare_across(one, other, settings)
    }
}

fn compare_across(one: &Subject, other: &Subject, settings: &DedupSettings) -> Comparison {
    let likeness = Likeness::of(one, other);
    let is_named_alike = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
    let verdict = if is_named_alike(&one.link, &other.link) {
        likeness.named(one, other, Sameness::Link)
    } else if is_named_alike(&one.guid, &other.guid) {
        likeness.named(one, other, Sameness::Guid)
    } else if settings.near_duplicates {
        likeness.verdict(one, other, settings)
    } else {
        likeness.guards(one, other, settings).and(Err(Refusal::Unlike))
    };
    likeness.comparison(verdict)
}

/// Whether [`compare`] may find the same item, without looking at any text. Two entries of one source seldom are: without
/// this, all entries of a first document would be compared with each other.
#[must_use]
pub fn may_be_same(one: &Subject, other: &Peer) -> bool {
    let is_dated_alike = one.published.is_some() && one.published == other.published;
    let is_named_alike = one.id.is_some() && one.id.as_deref() == other.id.as_deref().map(str::trim);
    one.source_id != other.source_id || is_dated_alike || is_named_alike
}

/// As [`compare`], but by titles and texts only.
pub(in crate::dedup) fn compare_words(one: &Subject, other: &Subject, settings: &DedupSettings) -> Comparison {
    let likeness = Likeness::of(one, other);
    likeness.comparison(likeness.verdict(one, other, settings))
}

struct Likeness {
    /// Each title has a content word that the other lacks.
    diverge: bool,
    /// Also, each text has its own word.
    is_swapped: bool,
    same_title: bool,
    title: f64,
    /// Containment of the texts.
    text: f64,
    /// The same, or that of the summaries if it is greater.
    best_text: f64,
    words: usize,
}

impl Likeness {
    fn of(one: &Subject, other: &Subject) -> Self {
        let is_typo = |mine: &str, theirs: &str| {
            is_misspelt(mine, theirs) && !one.means(mine, other) && !other.means(theirs, one)
        };
        let (mine, theirs) = one.title.differences(&other.title, is_typo);
        let words = (one.title.content.len() + other.title.content.len()).max(1);
        let text = one.text.shingles.containment(&other.text.shingles);
        let (summary, other_summary) = (&one.text.summary_shingles, &other.text.summary_shingles);
        let has_summaries = summary.len().min(other_summary.len()) >= 6;
        let summaries = if has_summaries { summary.containment(other_summary) } else { 0.0 };
        Self {
            diverge: !mine.is_empty() && !theirs.is_empty(),
            is_swapped: mine.iter().any(|word| one.means(word, other))
                && theirs.iter().any(|word| other.means(word, one)),
            same_title: mine.is_empty() && theirs.is_empty(),
            title: 1.0 - (mine.len() + theirs.len()) as f64 / words as f64,
            text,
            best_text: text.max(summaries),
            words: one.text.words.min(other.text.words),
        }
    }

    fn comparison(&self, verdict: Result<Sameness, Refusal>) -> Comparison {
        Comparison { verdict, title: self.title, text: self.best_text, words: self.words }
    }

    /// One link or guid makes one item, unless two items have plainly had it: the titles' numbers or months differ, or
    /// titles and texts share nothing. Pages whose content changes each week, lists, and comments that link their
    /// article are such cases.
    fn named(&self, one: &Subject, other: &Subject, sameness: Sameness) -> Result<Sameness, Refusal> {
        title_guards(one, other)?;
        let are_strangers = self.title == 0.0 && self.best_text == 0.0;
        let are_titled = [one, other].iter().all(|subject| !subject.title.content.is_empty());
        if are_strangers && are_titled { Err(Refusal::Neighbours) } else { Ok(sameness) }
    }

    fn verdict(&self, one: &Subject, other: &Subject, settings: &DedupSettings) -> Result<Sameness, Refusal> {
        self.guards(one, other, settings)?;
        let generic = [one, other].iter().any(|subject| !subject.title.is_telling());
        let found = if generic { self.under_any_title(one, other) } else { self.under_telling_titles(one, other) };
        found.ok_or(Refusal::Unlike)
    }

    fn guards(&self, one: &Subject, other: &Subject, settings: &DedupSettings) -> Result<(), Refusal> {
        title_guards(one, other)?;
        if let (Some(one), Some(other)) = (one.published, other.published)
            && (one.date_naive() - other.date_naive()).abs() > settings.window
        {
            return Err(Refusal::Dates);
        }
        self.text_guards(one, other)?;
        // Both titles hold a word that the other lacks: a form filled in twice, or a rewording.
        let reworded = self.title >= 0.6 && self.text >= 0.9 && self.words >= 80 && !self.is_swapped;
        if self.diverge && !reworded {
            return Err(Refusal::TitleWords);
        }
        Ok(())
    }

    fn text_guards(&self, one: &Subject, other: &Subject) -> Result<(), Refusal> {
        let (short, long) = if one.text.words <= other.text.words { (one, other) } else { (other, one) };
        let numbers = short.text.numbers.len();
        if numbers >= 2 && self.text < 0.97 && !self.same_title && short.text.words < 150 {
            let missing = numbers - short.text.numbers.shared(&long.text.numbers);
            if missing as f64 / numbers as f64 > 0.6 {
                return Err(Refusal::TextNumbers);
            }
        }
        if self.text >= 0.85 && one.text.years.diverges(&other.text.years) {
            return Err(Refusal::Years);
        }
        let whole = !one.text.is_cut && !other.text.is_cut;
        if self.text >= 0.6 && self.words < 80 && whole && one.text.numbers.diverges(&other.text.numbers) {
            return Err(Refusal::Bulletins);
        }
        Ok(())
    }

    /// At least one title is generic: only the text can tell.
    fn under_any_title(&self, one: &Subject, other: &Subject) -> Option<Sameness> {
        let same_text = self.text >= 0.8 && self.words >= WORDS_MIN;
        let same_title = one.title.words == other.title.words && !one.title.is_generic();
        (same_text || same_title && self.text >= 0.5 && self.words >= 40).then_some(Sameness::Text)
    }

    fn under_telling_titles(&self, one: &Subject, other: &Subject) -> Option<Sameness> {
        if self.same_title {
            return if self.words < WORDS_MIN {
                // Nothing else to compare: the day tells next week's from this week's.
                let days = one.published.zip(other.published).map(|(one, other)| (one - other).abs());
                days.is_some_and(|days| days <= TITLE_DAYS).then_some(Sameness::Title)
            } else {
                (self.best_text >= 0.35).then_some(Sameness::TitleText)
            };
        }
        if self.title >= 0.85 && self.best_text >= 0.5 {
            return Some(Sameness::TitleText);
        }
        (self.title >= 0.5 && self.text >= 0.8 && self.words >= 20).then_some(Sameness::Text)
    }
}

fn title_guards(one: &Subject, other: &Subject) -> Result<(), Refusal> {
    if !one.cves.is_empty() && !other.cves.is_empty() && one.cves.diverges(&other.cves) {
        return Err(Refusal::Vulnerabilities);
    }
    let (one, other) = (&one.title, &other.title);
    let both = !one.numbers.is_empty() && !other.numbers.is_empty();
    let either = one.numbers.is_empty() != other.numbers.is_empty();
    if both && one.numbers != other.numbers {
        return Err(Refusal::TitleNumbers);
    }
    if one.months != 0 && other.months != 0 && one.months != other.months {
        return Err(Refusal::Months);
    }
    if either && one.words.len() > 3 && other.words.len() > 3 {
        return Err(Refusal::TitleNumbers);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, NaiveTime};

    use super::*;
    use crate::dedup::identify;
    use crate::dedup::tests::settings;
    use crate::feed::Entry;
    use crate::story::Plain;

    const TEXT: &str = "La ministre a présenté ce matin devant les recteurs le plan qui doit équiper chaque école rurale \
        d’une connexion rapide et former ses enseignants aux usages nouveaux dans les trois ans.";

    fn subject(title: &str, text: &str, day: i64) -> Subject {
        let date = NaiveDate::default() + chrono::TimeDelta::days(day);
        let entry = Entry {
            title: Some(title.to_owned()),
            summary: Some(text.to_owned()),
            published: Some(date.and_time(NaiveTime::MIN).and_utc()),
            ..Entry::default()
        };
        let (entry, identity) = identify("source", "rss20", vec![entry]).remove(0);
        Subject::new("source", &entry, &Plain::of(&entry), &identity)
    }

    fn check(one: (&str, &str), other: (&str, &str), expected: Result<Sameness, Refusal>) {
        let (one, other) = (subject(one.0, one.1, 0), subject(other.0, other.1, 0));
        let found = compare_across(&one, &other, &settings());
        assert_eq!(found.verdict, expected, "{found:?}");
        assert_eq!(compare_across(&other, &one, &settings()), found);
    }

    #[test]
    fn a_cut_copy_is_the_same() {
        let cut = format!("{}… Lire la suite", TEXT.get(..120).unwrap());
        check(("Un plan pour les écoles", TEXT), ("Un plan pour les écoles", &cut), Ok(Sameness::TitleText));
    }

    #[test]
    fn a_title_with_nothing_to_compare_beside_is_enough() {
        check(("Un plan pour les écoles", ""), ("Un plan pour les écoles", TEXT), Ok(Sameness::Title));
    }

    #[test]
    fn a_longer_title_over_the_same_text_is_the_same() {
        let longer = "Un plan pour les écoles rurales";
        check(("Un plan pour les écoles", TEXT), (longer, TEXT), Ok(Sameness::Text));
    }

    #[test]
    fn one_form_filled_in_twice_is_two_items() {
        check(("Aide aux lycées ruraux", TEXT), ("Aide aux collèges ruraux", TEXT), Err(Refusal::TitleWords));
    }

    #[test]
    fn a_series_stays_apart() {
        check(("Agenda semaine 12", TEXT), ("Agenda semaine 13", TEXT), Err(Refusal::TitleNumbers));
        check(("Résultats de mars", TEXT), ("Résultats de mai", TEXT), Err(Refusal::Months));
        check(("Zone A fermée lundi", TEXT), ("Zone B fermée lundi", TEXT), Err(Refusal::TitleNumbers));
        let (last, this) = (format!("{TEXT} Bilan 2025."), format!("{TEXT} Bilan 2026."));
        check(("Rapport du conseil", &last), ("Rapport du conseil", &this), Err(Refusal::Years));
    }

    #[test]
    fn other_vulnerabilities_are_another_bulletin() {
        let [one, other] = ["CVE-2026-0001", "CVE-2026-0002"].map(|cve| format!("{TEXT} {cve}"));
        check(("Faille dans un pare-feu", &one), ("Faille dans un pare-feu", &other), Err(Refusal::Vulnerabilities));
    }

    #[test]
    fn words_that_look_alike_are_two_words_where_each_text_means_its_own() {
        let of = |name: &str| (format!("Des cars pour la {name}"), format!("{TEXT} Les écoles de la {name} ouvrent."));
        let [(title, text), (other_title, other_text)] = [of("Sarthe"), of("Sartre")];
        check((&title, &text), (&other_title, &other_text), Err(Refusal::TitleWords));
        check((&title, TEXT), (&other_title, TEXT), Ok(Sameness::TitleText));
    }

    #[test]
    fn one_name_swapped_in_a_long_text_is_another_item() {
        let long = [TEXT; 4].join(" ");
        let of =
            |name: &str| (format!("Restrictions d’eau dans les écoles : {name}"), format!("{long} Fait à {name}."));
        let [(title, text), (other_title, other_text)] = [of("Corrèze"), of("Creuse")];
        check((&title, &text), (&other_title, &other_text), Err(Refusal::TitleWords));
    }

    #[test]
    fn the_same_title_alone_is_enough_for_a_few_days() {
        let agenda = |day| subject("Agenda de la semaine", "", day);
        let verdict = |one, other| compare_across(&agenda(one), &agenda(other), &settings()).verdict;
        assert_eq!((verdict(0, 2), verdict(0, 7)), (Ok(Sameness::Title), Err(Refusal::Unlike)));
    }

    #[test]
    fn one_link_is_one_item_unless_that_is_plainly_wrong() {
        let linked =
            |title: &str, text: &str| Subject { link: Some("min.fr/agenda".into()), ..subject(title, text, 0) };
        let verdict = |one: (&str, &str), other: (&str, &str)| {
            compare_across(&linked(one.0, one.1), &linked(other.0, other.1), &settings()).verdict
        };
        assert_eq!(verdict(("Un plan rural", TEXT), ("Des écoles mieux reliées", TEXT)), Ok(Sameness::Link));
        assert_eq!(verdict(("Un plan rural", TEXT), ("", "")), Ok(Sameness::Link));
        assert_eq!(verdict(("Agenda, semaine 12", ""), ("Agenda, semaine 13", "")), Err(Refusal::TitleNumbers));
        let concert =
            ("Concours de piano au conservatoire", "Les candidats jouent mercredi devant le jury, en public.");
        assert_eq!(verdict(("Grève des bus mardi", TEXT), concert), Err(Refusal::Neighbours));
    }

    #[test]
    fn a_title_that_many_bear_needs_the_text() {
        check(("Communiqué de presse", ""), ("Communiqué de presse", ""), Err(Refusal::Unlike));
        check(("Communiqué de presse", TEXT), ("Communiqué de presse", TEXT), Ok(Sameness::Text));
    }

    #[test]
    fn what_comes_back_after_three_months_is_another_item() {
        let [one, other] = [0, 91].map(|day| subject("Un plan pour les écoles", TEXT, day));
        assert_eq!(compare_across(&one, &other, &settings()).verdict, Err(Refusal::Dates));
    }

    #[test]
    fn two_texts_that_are_the_same_share_a_clue() {
        let cut = TEXT.get(..120).unwrap();
        let [one, other] = [("Un plan", TEXT), ("Des écoles mieux reliées", cut)]
            .map(|(title, text)| subject(title, text, 0).clues().recent);
        assert!(one.iter().any(|clue| other.contains(clue)), "{one:?} {other:?}");
        assert!(one.len() <= 12);
    }

    #[test]
    fn a_text_most_of_whose_numbers_the_other_lacks_is_another() {
        let titles = ("Un plan pour les écoles", "Un plan pour les écoles rurales");
        let long = format!("{TEXT} Il y aura 12 classes de plus. Les maires le savent.");
        let told = |numbers: &str, expected| {
            check((titles.0, &format!("{TEXT} Il y aura {numbers}.")), (titles.1, &long), expected);
        };
        told("12 classes, 15 postes, 17 cars", Err(Refusal::TextNumbers));
        told("12 classes, 15 postes", Ok(Sameness::Text));
        told("15 postes", Ok(Sameness::Text));
    }

    #[test]
    fn from_twelve_words_on_texts_of_one_title_must_have_something_in_common() {
        let one = "un deux trois quatre cinq six sept huit neuf dix onze";
        let other = "rouge vert bleu jaune noir blanc gris rose brun violet orange";
        let title = "Un plan pour les écoles";
        check((title, one), (title, other), Ok(Sameness::Title));
        check((title, &format!("{one} douze")), (title, &format!("{other} mauve")), Err(Refusal::Unlike));
    }

    #[test]
    fn a_number_in_one_title_alone_counts_between_titles_of_four_words() {
        check(("Bulletin des écoles", TEXT), ("Bulletin numéro 12 des écoles", TEXT), Ok(Sameness::Text));
        let four = "Bulletin mensuel des écoles";
        check((four, TEXT), ("Bulletin mensuel numéro 12 des écoles", TEXT), Err(Refusal::TitleNumbers));
    }

    #[test]
    fn a_long_text_under_a_reworded_title_is_the_same() {
        let of = |title: &str, times: usize| subject(title, &[TEXT; 4][..times].join(" "), 0);
        let verdict = |times| {
            let [one, other] = ["rural", "national"]
                .map(|word| of(&format!("Écoles, maires, recteurs, enseignants : un plan {word}"), times));
            compare_across(&one, &other, &settings()).verdict
        };
        assert_eq!((verdict(4), verdict(1)), (Ok(Sameness::Text), Err(Refusal::TitleWords)));
    }

    #[test]
    fn texts_that_have_nothing_in_common_share_no_clue() {
        let clues = |title: &str, text: &str| subject(title, text, 0).clues();
        let one = clues("Un plan rural", TEXT);
        let other = clues("Des bus gratuits", "Les lignes de la Sarthe changent de moteur dès lundi matin.");
        assert!(!one.recent.iter().any(|clue| other.recent.contains(clue)));
        let same_title = clues("Un plan rural", "Il est reporté.");
        assert!(!one.lasting.iter().any(|clue| same_title.lasting.contains(clue)));
        assert_eq!(one.lasting, clues("Un plan rural", TEXT).lasting);
    }

    #[test]
    fn the_last_bit_of_a_clue_tells_a_name_from_a_phrase() {
        let is_name = |clue: &&i64| **clue & 1 == 1;
        let clues = subject("Un plan rural", TEXT, 0).clues();
        assert_eq!(clues.recent.iter().filter(is_name).count(), 1, "its title");
        assert!(clues.recent.len() > 4);
        assert!(clues.lasting.iter().all(|clue| is_name(&clue)));
    }

    #[test]
    fn short_whole_texts_that_differ_in_numbers_alone_are_two_bulletins() {
        let told =
            |pollen: &str, times: usize| format!("{} Le taux est de {pollen} grains.", [TEXT; 4][..times].join(" "));
        let title = "Bulletin des pollens";
        let whole =
            |pollen: &str| format!("{TEXT} Bulletin : {pollen} grains relevés à la station municipale ce matin.");
        assert!(whole("12").chars().count() < 300, "too short to be whole");
        check((title, &whole("12")), (title, &whole("15")), Ok(Sameness::TitleText));
        let whole =
            |pollen: &str| format!("{} Chacun peut lire le relevé sur les panneaux de la mairie.", whole(pollen));
        check((title, &whole("12")), (title, &whole("15")), Err(Refusal::Bulletins));
        check((title, &whole("12")), (title, &whole("12")), Ok(Sameness::TitleText));
        check((title, &told("12", 4)), (title, &told("15", 4)), Ok(Sameness::TitleText));
    }

    #[test]
    fn a_month_in_one_title_alone_tells_nothing() {
        check(("Résultats du conseil", TEXT), ("Résultats du conseil de mars", TEXT), Ok(Sameness::Text));
    }

    #[test]
    fn under_one_short_title_half_of_a_text_is_enough_if_it_is_long() {
        let with = |text: &str, letter: char, words: u8| {
            let words = (0..words).map(|place| format!(" {letter}{}", char::from(b'a' + place)));
            format!("{text}{}", words.collect::<String>())
        };
        let [one, other] = ['x', 'y'].map(|letter| with(TEXT, letter, 20));
        check(("Rentrée", &one), ("Rentrée", &other), Ok(Sameness::Text));
        check(("Rentrée", &one), ("La rentrée", &other), Err(Refusal::Unlike));
        check(("Discours", &one), ("Discours", &other), Err(Refusal::Unlike));
        let [one, other] = ['x', 'y'].map(|letter| with(TEXT.get(..120).unwrap(), letter, 10));
        check(("Rentrée", &one), ("Rentrée", &other), Err(Refusal::Unlike));
    }
}
