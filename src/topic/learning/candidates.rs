//! The words, phrases and pairs that stand in labelled entries, and the points that a rule of weight 1 would give for each.

use std::collections::{BTreeMap, HashMap, HashSet};

use xxhash_rust::xxh3::xxh3_64;

use super::joining::joining;
use super::leaving::leaving;
use super::{Lesson, RefusedWords, RuleKind, WITHIN};
use crate::text::{Folding, Levelled, Passage, Word, fold};
use crate::topic::{Field, Rule, Topic};

/// Words of the longest phrase.
const PHRASE_MAX: usize = 3;

/// Words of a field that are looked at.
const FIELD_WORDS_MAX: usize = 250;

/// Words of title and lead among which pairs are looked for.
const HEAD_WORDS_MAX: usize = 80;

/// Entries that hold the words of a candidate, and their sources, at least: of one source alone they may be its style.
pub(super) const HOLDERS_MIN: usize = 3;
pub(super) const HOLDER_SOURCES_MIN: usize = 2;

/// Share of the spellings of a word in capitals from which it is an acronym.
const CAPITALS_SHARE: f64 = 0.8;

/// A rule that may be learnt: one term, or a pair of terms.
#[derive(Debug, Clone)]
pub(super) struct Possible {
    pub(super) kind: RuleKind,
    /// As they are written in the config; two for a pair.
    pub(super) terms: Vec<String>,
    /// The entries in which it counts, ascending, with the points at weight 1.
    pub(super) points: Vec<(usize, f64)>,
}

/// All candidates of a set of labelled entries, in an order that depends on nothing but the entries.
#[derive(Debug, Clone, Default)]
pub(super) struct Extract {
    pub(super) all: Vec<Possible>,
}

/// A phrase as its roots, joined by blanks.
pub(super) type Roots = String;

/// The spellings of phrases, each with its number of mentions.
pub(super) type Spellings = HashMap<Roots, BTreeMap<String, usize>>;

/// A phrase where it stands.
#[derive(Debug, Clone)]
pub(super) struct WordRun {
    pub(super) roots: Roots,
    pub(super) field: Field,
    /// The position of its first word in the field.
    pub(super) position: u32,
    spelling: String,
}

/// The fields of an entry that hold a phrase.
#[derive(Debug, Clone, Copy, Default)]
struct Places {
    is_in_title: bool,
    is_in_lead: bool,
    /// A number of mentions.
    body: u32,
    is_in_tags: bool,
}

impl Extract {
    /// Looks for the candidates in labelled entries. Terms that the topic has already are none.
    pub(super) fn new(topic: &Topic, lessons: &[Lesson], refused: &RefusedWords) -> Self {
        let widespread = Widespread::new(lessons, refused);
        let mut places: BTreeMap<Roots, Vec<(usize, Places)>> = BTreeMap::new();
        let mut spellings = Spellings::new();
        for (number, lesson) in lessons.iter().enumerate() {
            let mut held: HashMap<Roots, Places> = HashMap::new();
            each_phrase(lesson, refused, |phrase| {
                if !widespread.contains(&phrase.roots) {
                    return;
                }
                *spellings.entry(phrase.roots.clone()).or_default().entry(phrase.spelling).or_default() += 1;
                held.entry(phrase.roots).or_default().note(phrase.field);
            });
            for (roots, held) in held {
                places.entry(roots).or_default().push((number, held));
            }
        }
        let known: HashSet<Roots> = own_roots(topic).collect();
        let own_words: HashSet<&str> = known.iter().flat_map(|roots| roots.split(' ')).collect();
        let mut all = Vec::new();
        for (roots, held) in &places {
            let Some(term) = spellings.get(roots).map(term_of).filter(|_| !known.contains(roots)) else { continue };
            // A word that the topic is made of is no noise.
            let is_own = roots.split(' ').all(|word| own_words.contains(word));
            for kind in RuleKind::OF_ONE_TERM.into_iter().filter(|kind| *kind != RuleKind::Away || !is_own) {
                let points = held.iter().map(|(number, places)| (*number, places.points(kind, topic)));
                let points: Vec<(usize, f64)> = points.filter(|(_, points)| *points > 0.0).collect();
                if points.len() >= HOLDERS_MIN {
                    all.push(Possible { kind, terms: vec![term.clone()], points });
                }
            }
        }
        all.extend(joining(topic, lessons, refused, &widespread, &spellings));
        all.extend(leaving(topic, lessons));
        all.extend(pairs(topic, lessons, refused, &widespread, &spellings));
        Self { all }
    }
}

/// The terms of the rules that speak for a topic, as phrases of entries in each language are.
fn own_roots(topic: &Topic) -> impl Iterator<Item = Roots> {
    let terms = topic.rules.iter().filter(|rule| rule.weight > 0.0).flat_map(Rule::terms);
    terms.flat_map(|term| {
        let words: Vec<String> =
            Levelled::new(&term.written).tokens().iter().map(|token| fold(token.word).into_owned()).collect();
        Folding::ALL.map(|folding| words.iter().map(|word| folding.root(word)).collect::<Vec<_>>().join(" "))
    })
}

impl Places {
    fn note(&mut self, field: Field) {
        match field {
            Field::Title => self.is_in_title = true,
            Field::Lead | Field::Head => self.is_in_lead = true,
            Field::Body => self.body += 1,
            Field::Tags => self.is_in_tags = true,
        }
    }

    /// The points of a rule of this kind at weight 1: on its best field.
    fn points(self, kind: RuleKind, topic: &Topic) -> f64 {
        let on = |field: &Field| match field {
            Field::Title => f64::from(u8::from(self.is_in_title)) * topic.boost.title,
            Field::Lead => f64::from(u8::from(self.is_in_lead)) * topic.boost.lead,
            Field::Head => f64::from(u8::from(self.is_in_title || self.is_in_lead)) * topic.boost.head,
            Field::Body => {
                f64::from(self.body.min(topic.body_cap)) / f64::from(topic.body_cap.max(1)) * topic.boost.body
            }
            Field::Tags => f64::from(u8::from(self.is_in_tags)) * topic.boost.tags,
        };
        kind.fields().iter().map(on).fold(0.0, f64::max)
    }
}

/// The phrases that stand in enough entries of enough sources, by hash: most stand in one entry alone, and memory is dear.
#[derive(Debug, Clone, Default)]
pub(super) struct Widespread(HashSet<u64>);

/// The entries that hold a phrase.
#[derive(Debug, Clone, Copy, Default)]
struct Holders {
    entries: u32,
    /// The last entry that was counted, and the first one's source, by number from 1.
    last: usize,
    source: usize,
    /// Whether another source has it too.
    is_shared: bool,
}

impl Widespread {
    fn new(lessons: &[Lesson], refused: &RefusedWords) -> Self {
        let mut sources: HashMap<&str, usize> = HashMap::new();
        let mut holders: HashMap<u64, Holders> = HashMap::new();
        for (number, lesson) in (1..).zip(lessons) {
            let next = sources.len() + 1;
            let source = *sources.entry(lesson.fields.source_id.as_str()).or_insert(next);
            each_phrase(lesson, refused, |phrase| {
                let held =
                    holders.entry(xxh3_64(phrase.roots.as_bytes())).or_insert(Holders { source, ..Holders::default() });
                if held.last != number {
                    held.last = number;
                    held.entries += 1;
                    held.is_shared |= held.source != source;
                }
            });
        }
        let is_widespread = |held: &Holders| held.entries as usize >= HOLDERS_MIN && held.is_shared;
        Self(holders.into_iter().filter(|(_, held)| is_widespread(held)).map(|(hash, _)| hash).collect())
    }

    pub(super) fn contains(&self, roots: &str) -> bool {
        self.0.contains(&xxh3_64(roots.as_bytes()))
    }
}

/// Calls with each phrase of an entry that is not refused.
pub(super) fn each_phrase(lesson: &Lesson, refused: &RefusedWords, mut call: impl FnMut(WordRun)) {
    let folding = lesson.fields.folding();
    for field in [Field::Title, Field::Lead, Field::Body, Field::Tags] {
        let mut before = 0;
        for text in lesson.fields.texts(field) {
            let words: Vec<Word<'_>> = text.words().take(FIELD_WORDS_MAX.saturating_sub(before)).collect();
            let roots: Vec<_> = words.iter().map(|word| folding.root(word.folded)).collect();
            for start in 0..words.len() {
                for end in start + 1..=(start + PHRASE_MAX).min(words.len()) {
                    let (Some(phrase), Some(roots)) = (words.get(start..end), roots.get(start..end)) else { break };
                    if end > start + 1 && !is_unbroken(phrase)
                        || phrase.iter().any(|word| RefusedWords::breaks_phrases(word.folded))
                    {
                        break;
                    }
                    let folded: Vec<&str> = phrase.iter().map(|word| word.folded).collect();
                    let is_acronym = phrase.first().is_some_and(|word| is_capitals(word.written));
                    if !refused.refuses(&folded, is_acronym) {
                        let position = u32::try_from(before + start).unwrap_or(u32::MAX);
                        call(WordRun { roots: roots.join(" "), field, position, spelling: spelling(phrase) });
                    }
                }
            }
            before += words.len();
        }
    }
}

/// Whether only a blank, an apostrophe or a hyphen stands before the last word of a phrase.
fn is_unbroken(phrase: &[Word<'_>]) -> bool {
    let [.., before, last] = phrase else { return true };
    let gap = last.before.get(before.before.len() + before.written.len()..).unwrap_or_default();
    // An elided article is part of the gap: `à l'école`.
    !gap.contains(|c: char| !c.is_alphabetic() && !matches!(c, ' ' | '\'' | '-'))
}

/// The words of a phrase as they stand in the text, in small letters unless they are capitals.
fn spelling(phrase: &[Word<'_>]) -> String {
    if let [word] = phrase {
        return if is_capitals(word.written) { word.written.to_owned() } else { word.written.to_lowercase() };
    }
    let (Some(first), Some(last)) = (phrase.first(), phrase.last()) else { return String::new() };
    let between = last.before.get(first.before.len()..).unwrap_or_default();
    format!("{between}{}", last.written).to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_capitals(word: &str) -> bool {
    let mut letters = word.chars().filter(|c| c.is_alphabetic());
    word.chars().count() >= 2 && letters.all(char::is_uppercase)
}

/// The term of a config for these spellings: the most frequent, exactly so if it is an acronym.
pub(super) fn term_of(spellings: &BTreeMap<String, usize>) -> String {
    let all: usize = spellings.values().sum();
    let capitals: usize = spellings.iter().filter(|(spelling, _)| is_capitals(spelling)).map(|(_, times)| times).sum();
    // Of those that are as frequent the first, which is the shortest form as a rule.
    let most = |is_chosen: &dyn Fn(&str) -> bool| {
        let chosen = spellings.iter().filter(|(spelling, _)| is_chosen(spelling));
        chosen
            .max_by(|(a, times_a), (b, times_b)| times_a.cmp(times_b).then(b.cmp(a)))
            .map(|(spelling, _)| spelling.clone())
    };
    if capitals as f64 >= all as f64 * CAPITALS_SHARE {
        most(&|spelling| is_capitals(spelling)).map(|acronym| format!("={acronym}")).unwrap_or_default()
    } else {
        most(&|spelling| !is_capitals(spelling)).map(|word| word.to_lowercase()).unwrap_or_default()
    }
}

/// The pairs of words that stand near one another in title or lead of enough entries.
fn pairs(
    topic: &Topic,
    lessons: &[Lesson],
    refused: &RefusedWords,
    widespread: &Widespread,
    spellings: &Spellings,
) -> Vec<Possible> {
    let hash = |(left, right): &(Roots, Roots)| xxh3_64(format!("{left}|{right}").as_bytes());
    let mut about: HashMap<u64, usize> = HashMap::new();
    for lesson in lessons.iter().filter(|lesson| lesson.is_about) {
        for pair in near_words(lesson, refused, widespread).keys() {
            *about.entry(hash(pair)).or_default() += 1;
        }
    }
    let mut all: BTreeMap<(Roots, Roots), Vec<(usize, f64)>> = BTreeMap::new();
    for (number, lesson) in lessons.iter().enumerate() {
        for (pair, is_in_title) in near_words(lesson, refused, widespread) {
            if about.get(&hash(&pair)).is_some_and(|about| *about >= HOLDERS_MIN) {
                let points = if is_in_title { topic.boost.title } else { topic.boost.head };
                all.entry(pair).or_default().push((number, points));
            }
        }
    }
    let term = |roots: &Roots| spellings.get(roots).map(term_of);
    let possible = all.into_iter().filter_map(|((left, right), points)| {
        Some(Possible { kind: RuleKind::Pair, terms: vec![term(&left)?, term(&right)?], points })
    });
    possible.collect()
}

/// The pairs of different words of title and lead that are near one another, in the order of their roots, and whether they
/// are so in the title.
fn near_words(lesson: &Lesson, refused: &RefusedWords, widespread: &Widespread) -> HashMap<(Roots, Roots), bool> {
    let folding = lesson.fields.folding();
    let roots = |text: &Passage| -> Vec<Option<Roots>> {
        let root = |word: Word<'_>| {
            let is_telling = !refused.refuses(&[word.folded], is_capitals(word.written))
                && !RefusedWords::breaks_phrases(word.folded);
            is_telling.then(|| folding.root(word.folded).into_owned()).filter(|root| widespread.contains(root))
        };
        text.words().take(HEAD_WORDS_MAX).map(root).collect()
    };
    let title = roots(&lesson.fields.title);
    // Title, a gap of two, lead: as the head is read.
    let title_words = title.len();
    let head: Vec<Option<Roots>> = title.into_iter().chain([None, None]).chain(roots(&lesson.fields.lead)).collect();
    let within = usize::try_from(WITHIN).unwrap_or_default();
    let mut near: HashMap<(Roots, Roots), bool> = HashMap::new();
    for (start, left) in head.iter().enumerate() {
        let Some(left) = left else { continue };
        for (distance, right) in (1..=within).zip(head.iter().skip(start + 1)) {
            let Some(right) = right.as_ref().filter(|right| *right != left) else { continue };
            let pair = if left < right { (left.clone(), right.clone()) } else { (right.clone(), left.clone()) };
            *near.entry(pair).or_default() |= start + distance < title_words;
        }
    }
    near
}
