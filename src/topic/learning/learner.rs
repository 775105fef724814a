//! Greedy forward selection of rules on F1.

use std::collections::{BTreeSet, HashMap};

use super::candidates::{Extract, HOLDER_SOURCES_MIN, HOLDERS_MIN, Possible};
use super::{Accuracy, Amendment, LearnedRule, Lesson, RuleKind, STEPS_MAX, WITHIN, folds};
use crate::topic::{Pattern, Rule, Term, Topic};

/// Share of the entries with the words of a rule that have to be on its side, with one more on the other side: of four
/// entries all.
const PRECISION_MIN: f64 = 0.75;

/// The same for a term that is half enough.
const WEAK_PRECISION_MIN: f64 = 0.6;

/// Entries, and sources of these, that a change has to set right.
const MENDED_MIN: usize = 2;

/// Share, as a divisor, of the entries with a word of noise that have to be false alarms: a word that is everywhere ends some
/// by chance.
const NOISE_SHARE: usize = 3;

/// Rules that are shown where nothing can be measured.
const HINTS_MAX: usize = 12;

/// The topic, the labelled entries and the candidates of one selection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Learner<'a> {
    pub(super) topic: &'a Topic,
    pub(super) lessons: &'a [Lesson],
    /// The points that the topic gives to each entry; `None` for those that it keeps out whatever their points.
    pub(super) standing: &'a [Option<f64>],
    pub(super) extract: &'a Extract,
}

/// The place of a candidate.
pub(super) type CandidatePlace = usize;

/// Labelled entries with the words of a candidate.
#[derive(Debug, Clone, Default)]
struct Support<'a> {
    about: usize,
    others: usize,
    about_sources: BTreeSet<&'a str>,
    other_sources: BTreeSet<&'a str>,
}

/// The points of entries while rules are added.
#[derive(Debug, Clone)]
struct PointsBoard {
    /// By entry; `None` for those that are not learnt from, and those that are kept out.
    points: Vec<Option<f64>>,
    /// By kind and entry: the points of the best term so far, for a rule counts once.
    best: HashMap<(RuleKind, usize), f64>,
    accuracy: Accuracy,
}

impl<'a> Learner<'a> {
    /// The candidates that are chosen from some of the entries, in their order.
    pub(super) fn steps(&self, learnt_from: &[usize], length: usize) -> Vec<CandidatePlace> {
        let mut board = self.board(learnt_from);
        let sound = self.sound(&board);
        let mut steps = Vec::new();
        while steps.len() < length {
            let options = sound.iter().filter(|(place, ..)| !steps.contains(place));
            let scored = options.filter_map(|(place, possible, support)| {
                let change = self.change(&board, possible)?;
                let gain = change.f1() - board.accuracy.f1();
                (gain > 1e-9).then_some((
                    gain,
                    margin(possible, support),
                    possible.terms.len(),
                    *place,
                    *possible,
                    change,
                ))
            });
            // Of those that gain as much the one with the most entries on its side, then one term rather than a pair, then
            // the first.
            let best =
                scored.max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(b.2.cmp(&a.2)).then(b.3.cmp(&a.3)));
            let Some((.., place, possible, change)) = best else { break };
            self.take(&mut board, possible);
            board.accuracy = change;
            steps.push(place);
        }
        steps
    }

    /// The number of steps that does best in a cross-validation among some of the entries; of equals the smallest.
    pub(super) fn length(&self, among: &[usize]) -> usize {
        let mut after = [Accuracy::default(); STEPS_MAX + 1];
        for (learnt_from, tested_on) in folds(self.lessons, among) {
            let steps = self.steps(&learnt_from, STEPS_MAX);
            let mut board = self.board(&tested_on);
            for (length, total) in after.iter_mut().enumerate() {
                let added = length.checked_sub(1).and_then(|last| steps.get(last));
                if let Some(possible) = added.and_then(|place| self.extract.all.get(*place)) {
                    self.take(&mut board, possible);
                    board.accuracy = self.counted(&board, &tested_on);
                }
                *total = *total + board.accuracy;
            }
        }
        let best =
            after.iter().enumerate().max_by(|(a, one), (b, other)| one.f1().total_cmp(&other.f1()).then(b.cmp(a)));
        best.map_or(0, |(length, _)| length)
    }

    /// The amendment that a candidate is.
    pub(super) fn amendment(&self, place: CandidatePlace) -> Option<Amendment> {
        let Possible { kind, terms, .. } = self.extract.all.get(place)?;
        if let RuleKind::Leaving(rule, place) = *kind {
            let term = self.topic.rules.get(rule)?.terms().nth(place)?.clone();
            return Some(Amendment::Without { rule, place, term });
        }
        let terms: Vec<Term> = terms.iter().filter_map(|term| Term::parse(term).ok()).collect();
        let pattern = match (kind, terms.as_slice()) {
            (RuleKind::Joining(rule, list), [term]) => {
                return Some(Amendment::Term { rule: *rule, list: *list, term: term.clone() });
            }
            (RuleKind::Pair, [left, right]) => {
                Pattern::Near { left: vec![left.clone()], right: vec![right.clone()], within: WITHIN }
            }
            _ => Pattern::Any(terms),
        };
        let weight = kind.weight(self.topic)?;
        Some(Amendment::Rule(Rule { name: kind.name().to_owned(), weight, fields: kind.fields().to_vec(), pattern }))
    }

    /// The amendment that a candidate is, with the labelled entries that hold its words.
    pub(super) fn learned(&self, place: CandidatePlace) -> Option<LearnedRule> {
        let all: Vec<usize> = (0..self.lessons.len()).collect();
        let board = self.board(&all);
        let support = self.support(&board, self.extract.all.get(place)?);
        let sources: BTreeSet<&str> = support.about_sources.union(&support.other_sources).copied().collect();
        let (about, others) = (support.about, support.others);
        Some(LearnedRule { amendment: self.amendment(place)?, about, others, sources: sources.len() })
    }

    /// The rules whose words stand mostly in entries about the topic, and would bring others: most entries first.
    pub(super) fn hints(&self) -> Vec<LearnedRule> {
        let all: Vec<usize> = (0..self.lessons.len()).collect();
        let board = self.board(&all);
        let sound = self.sound(&board);
        let strong = sound.iter().filter(|(_, possible, support)| {
            matches!(possible.kind, RuleKind::Strong | RuleKind::Pair) && support.others > 0
        });
        let mut order: Vec<(usize, usize, CandidatePlace)> = strong
            .map(|(place, possible, support)| (margin(possible, support), possible.terms.len(), *place))
            .collect();
        order.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        order.truncate(HINTS_MAX);
        order.into_iter().filter_map(|(.., place)| self.learned(place)).collect()
    }

    fn board(&self, among: &[usize]) -> PointsBoard {
        let mut points = vec![None; self.lessons.len()];
        for place in among {
            if let (Some(points), Some(standing)) = (points.get_mut(*place), self.standing.get(*place)) {
                *points = *standing;
            }
        }
        let mut board = PointsBoard { points, best: HashMap::new(), accuracy: Accuracy::default() };
        board.accuracy = self.counted(&board, among);
        board
    }

    /// Counts the decisions on some of the entries. Those about the topic that are kept out are missed.
    fn counted(&self, board: &PointsBoard, among: &[usize]) -> Accuracy {
        let mut accuracy = Accuracy::default();
        for place in among {
            let Some(lesson) = self.lessons.get(*place) else { continue };
            let points = board.points.get(*place).copied().flatten();
            accuracy.count(lesson.is_about, points.is_some_and(|points| points >= self.topic.threshold));
        }
        accuracy
    }

    /// The candidates that are borne out by the entries that are learnt from.
    fn sound(&self, board: &PointsBoard) -> Vec<(CandidatePlace, &'a Possible, Support<'a>)> {
        let all = self.extract.all.iter().enumerate();
        let supported = all.map(|(place, possible)| (place, possible, self.support(board, possible)));
        supported.filter(|(_, possible, support)| is_sound(possible.kind, support)).collect()
    }

    fn support(&self, board: &PointsBoard, possible: &Possible) -> Support<'a> {
        let mut support = Support::default();
        for (entry, _) in &possible.points {
            let is_learnt_from = board.points.get(*entry).copied().flatten().is_some();
            let Some(lesson) = self.lessons.get(*entry).filter(|_| is_learnt_from) else { continue };
            let source = lesson.fields.source_id.as_str();
            if lesson.is_about {
                support.about += 1;
                support.about_sources.insert(source);
            } else {
                support.others += 1;
                support.other_sources.insert(source);
            }
        }
        support
    }

    /// The points that an entry gains by a candidate.
    fn gain(&self, board: &PointsBoard, possible: &Possible, entry: usize, points: f64) -> f64 {
        let Some(weight) = possible.kind.weight(self.topic) else { return 0.0 };
        if matches!(possible.kind, RuleKind::Leaving(..)) {
            return points;
        }
        let known =
            possible.kind.shared().and_then(|shared| board.best.get(&(shared, entry))).copied().unwrap_or_default();
        weight * (points - known).max(0.0)
    }

    /// The accuracy after a candidate; `None` if it sets too few entries right to be believed.
    fn change(&self, board: &PointsBoard, possible: &Possible) -> Option<Accuracy> {
        let mut after = board.accuracy;
        let (mut mended, mut others) = (Vec::new(), 0);
        for (entry, points) in &possible.points {
            let (Some(Some(known)), Some(lesson)) = (board.points.get(*entry), self.lessons.get(*entry)) else {
                continue;
            };
            let source = lesson.fields.source_id.as_str();
            others += usize::from(!lesson.is_about);
            let new = known + self.gain(board, possible, *entry, *points);
            let threshold = self.topic.threshold;
            match (lesson.is_about, *known >= threshold, new >= threshold) {
                (true, false, true) => {
                    after.right += 1;
                    after.missed -= 1;
                    mended.push(source);
                }
                (true, true, false) => {
                    after.right -= 1;
                    after.missed += 1;
                }
                (false, false, true) => after.false_alarms += 1,
                (false, true, false) => {
                    after.false_alarms -= 1;
                    mended.push(source);
                }
                (_, true, true) | (_, false, false) => {}
            }
        }
        let is_telling = possible.kind != RuleKind::Away || mended.len() * NOISE_SHARE >= others;
        let sources: BTreeSet<&str> = mended.iter().copied().collect();
        (mended.len() >= MENDED_MIN && sources.len() >= HOLDER_SOURCES_MIN && is_telling).then_some(after)
    }

    fn take(&self, board: &mut PointsBoard, possible: &Possible) {
        for (entry, points) in &possible.points {
            let gain = self.gain(board, possible, *entry, *points);
            if let Some(Some(known)) = board.points.get_mut(*entry) {
                *known += gain;
            }
            if let Some(shared) = possible.kind.shared() {
                let best = board.best.entry((shared, *entry)).or_default();
                *best = best.max(*points);
            }
        }
    }
}

fn is_sound(kind: RuleKind, support: &Support<'_>) -> bool {
    let Support { about, others, about_sources, other_sources } = support;
    let (own, other, sources) = match kind {
        // The false alarms that it ends are counted.
        RuleKind::Leaving(..) => return true,
        RuleKind::Away => (*others, *about, other_sources.len()),
        RuleKind::Strong | RuleKind::Weak | RuleKind::Tagged | RuleKind::Pair | RuleKind::Joining(..) => {
            (*about, *others, about_sources.len())
        }
    };
    let wanted = if kind == RuleKind::Weak { WEAK_PRECISION_MIN } else { PRECISION_MIN };
    own >= HOLDERS_MIN && sources >= HOLDER_SOURCES_MIN && own as f64 >= wanted * (own + other + 1) as f64
}

/// The number of entries on the side of a candidate beyond those on the other.
fn margin(possible: &Possible, support: &Support<'_>) -> usize {
    match possible.kind {
        RuleKind::Away | RuleKind::Leaving(..) => support.others.saturating_sub(support.about),
        RuleKind::Strong | RuleKind::Weak | RuleKind::Tagged | RuleKind::Pair | RuleKind::Joining(..) => {
            support.about.saturating_sub(support.others)
        }
    }
}
