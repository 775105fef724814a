//! `veille suggest TOPIC [FILE]`: rules learnt from labelled entries, as they are written in the config, with what each would
//! add and take away on all that is stored.

mod effects;
mod questions;
mod sample;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::labelled::{self, ABOUT, MENTIONS};
use super::output::{self, Paint};
use super::{Failure, label, open};
use crate::config::Config;
use crate::store::{Store, StoreError};
use crate::text::count;
use crate::topic::learning::{
    Accuracy, Amendment, EACH_MIN, FOLDS, Learned, LearnedRule, Lesson, RefusedWords, SOURCES_MIN, Shortage, gathered,
    hint_at_rules, learn_rules,
};
use crate::topic::{Field, Pattern, Rule, Topic};
use effects::Effect;

/// Labelled entries that are learnt from at most; of more, every second, third and so on is taken.
const LESSONS_MAX: usize = 4_000;

#[derive(Debug, clap::Args)]
pub(super) struct SuggestOptions {
    /// The topic
    #[arg(value_name = "TOPIC")]
    topic: String,
    /// Labelled entries, as for `veille test`. Without them the stored entries that are in the topic now are compared with
    /// the others, and nothing can be measured
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Ask about the stored entries that would teach most, and add the answers to FILE
    #[arg(long, requires = "file")]
    ask: bool,
    /// Print JSON lines: the figures, then each rule
    #[arg(long, conflicts_with = "ask")]
    json: bool,
}

/// The line of the figures; the keys are a contract.
#[derive(Debug, Serialize)]
struct MeasuredLine<'a> {
    topic: &'a str,
    about: usize,
    others: usize,
    sources: usize,
    folds: usize,
    /// The topic as it is.
    before: PrecisionRecall,
    /// With rules learnt from the other folds.
    after: PrecisionRecall,
}

/// Precision, recall and F1; the keys are a contract.
#[derive(Debug, Serialize)]
struct PrecisionRecall {
    precision: f64,
    recall: f64,
    f1: f64,
}

/// The line of a learnt rule; the keys are a contract.
#[derive(Debug, Default, Serialize)]
struct LearnedLine<'a> {
    topic: &'a str,
    /// The rule to add; or one of the topic, that gets a term more, or one less if there is no list.
    rule: &'a str,
    /// The list of `near` that gets the term: 1 or 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    term: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    any: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    near: Vec<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<f64>,
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    fields: Option<&'a [Field]>,
    /// Labelled entries about the topic that hold its words, others, and their sources.
    about: usize,
    others: usize,
    sources: usize,
    /// `None` if nothing is stored.
    #[serde(flatten)]
    effect: Option<&'a Effect>,
}

pub(super) fn run(config: &Config, options: &SuggestOptions) -> Result<(), Failure> {
    let topic = open::find_topic(config, &options.topic)?;
    if let Some(path) = options.file.as_deref().filter(|_| options.ask) {
        return ask(config, topic, path);
    }
    let refused = refused_words(config);
    let mut store = store_if_any(config)?;
    let (learned, lessons) = match (&options.file, &mut store) {
        (Some(path), _) => {
            let lessons = lessons(config, topic, path)?;
            let learned = learn_rules(&config.topics, &topic.id, &lessons, &refused);
            (Some(learned.map_err(|shortage| too_few(topic, path, shortage))?), lessons)
        }
        (None, Some(store)) => (None, sample::of_store(config, topic, &mut **store)?),
        (None, None) => {
            let text = "error: nothing is stored, so there is nothing to learn from\nhelp: name a file of labelled entries, or \
                        run `veille poll` first";
            return Err(Failure::Usage(text.to_owned()));
        }
    };
    let rules = match &learned {
        Some(learned) => learned.rules.clone(),
        None => hint_at_rules(&config.topics, &topic.id, &lessons, &refused),
    };
    let effects = match &mut store {
        Some(store) if !rules.is_empty() => Some(effects::on_history(config, &mut **store, topic, &rules)?),
        _ => None,
    };
    let told =
        Suggestion { topic, lessons: &lessons, learned: learned.as_ref(), rules: &rules, effects: effects.as_deref() };
    let text = if options.json { told.json()? } else { told.for_people(Paint::of_stdout()) };
    Ok(output::print(&text)?)
}

/// Asks about the stored entries that would teach most.
fn ask(config: &Config, topic: &Topic, path: &Path) -> Result<(), Failure> {
    let file = label::read_to_add(path)?;
    let lessons = lessons_of(config, topic, &file.entries);
    let learned = learn_rules(&config.topics, &topic.id, &lessons, &refused_words(config)).ok();
    let amendments = learned.iter().flat_map(|learned| &learned.rules).map(|learnt| learnt.amendment.clone());
    let amendments: Vec<Amendment> = amendments.collect();
    let mut store = open::store_to_read(config)?;
    let asked = questions::worth_asking(config, &mut *store, topic, &amendments, &file)?;
    label::ask_about(&mut *store, &[&topic.id], asked, path, file)
}

/// Opens the store, if there is one: rules can be learnt from a file alone.
fn store_if_any(config: &Config) -> Result<Option<Box<dyn Store>>, Failure> {
    match open::store_to_read(config) {
        Ok(store) => Ok(Some(store)),
        Err(Failure::Running(error)) if matches!(error.downcast_ref(), Some(StoreError::Missing { .. })) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn refused_words(config: &Config) -> RefusedWords {
    let names = config.sources.iter().flat_map(|source| [Some(source.id.as_str()), source.title.as_deref()]);
    RefusedWords::new(names.flatten())
}

/// The labelled entries of a file: of each story the first, without those that only mention the topic.
fn lessons(config: &Config, topic: &Topic, path: &Path) -> Result<Vec<Lesson>, Failure> {
    let entries = labelled::read_whole(path)?;
    let lessons = lessons_of(config, topic, &entries);
    let stories = labelled::labelled_stories(&entries).len();
    if stories > LESSONS_MAX {
        output::note(&format!("learnt from {} of {stories} stories, spread evenly", lessons.len()));
    }
    Ok(lessons)
}

fn lessons_of(config: &Config, topic: &Topic, entries: &[labelled::Labelled]) -> Vec<Lesson> {
    let stories = labelled::labelled_stories(entries);
    let every = stories.len().div_ceil(LESSONS_MAX).max(1);
    let lesson = |story: &Vec<&labelled::Labelled>| {
        let label = labelled::label_of(story, &topic.id);
        let first = story.iter().find(|entry| !entry.is_blank()).filter(|_| label != MENTIONS)?;
        Some(Lesson { fields: first.fields(config), is_about: label == ABOUT })
    };
    stories.iter().step_by(every).filter_map(lesson).collect()
}

/// Says which labels are lacking.
fn too_few(topic: &Topic, path: &Path, shortage: Shortage) -> Failure {
    let Shortage { about, others, about_sources, other_sources } = shortage;
    let mut lacking = Vec::new();
    for (what, entries, sources) in [("are about it", about, about_sources), ("are not", others, other_sources)] {
        let (more, more_sources) = (EACH_MIN.saturating_sub(entries), SOURCES_MIN.saturating_sub(sources));
        if more.max(more_sources) > 0 {
            let from = match more_sources {
                0 => String::new(),
                more_sources => format!(", from {} that have none yet", count(more_sources, "source")),
            };
            lacking.push(format!("at least {} more that {what}{from}", more.max(more_sources)));
        }
    }
    let id = &topic.id;
    let (about, others) = (count(about, "labelled entry"), count(others, "labelled entry"));
    let text = format!("error: {about} about `{id}` and {others} that are not are too few to learn from");
    let help = format!("help: label {}: `veille suggest {id} {} --ask`", lacking.join(", and "), path.display());
    Failure::Usage(format!("{text}\n{help}"))
}

/// The figures and rules that are told.
struct Suggestion<'a> {
    topic: &'a Topic,
    lessons: &'a [Lesson],
    /// `None` if nobody has labelled the entries.
    learned: Option<&'a Learned>,
    rules: &'a [LearnedRule],
    /// Parallel to the rules; `None` if nothing is stored.
    effects: Option<&'a [Effect]>,
}

impl Suggestion<'_> {
    fn effect(&self, place: usize) -> Option<&Effect> {
        self.effects.and_then(|effects| effects.get(place))
    }

    fn rule_name(&self, place: usize) -> &str {
        self.topic.rules.get(place).map_or("", |rule| rule.name.as_str())
    }

    /// The numbers of entries about the topic, of others, and of their sources.
    fn numbers(&self) -> (usize, usize, usize) {
        let about = self.lessons.iter().filter(|lesson| lesson.is_about).count();
        let sources: std::collections::BTreeSet<&str> =
            self.lessons.iter().map(|lesson| lesson.fields.source_id.as_str()).collect();
        (about, self.lessons.len() - about, sources.len())
    }

    fn json(&self) -> serde_json::Result<String> {
        let mut text = String::new();
        let mut push = |line: serde_json::Result<String>| line.map(|line| text.push_str(&(line + "\n")));
        let topic = self.topic.id.as_str();
        if let Some(Learned { before, after, .. }) = self.learned {
            let (about, others, sources) = self.numbers();
            let (before, after) = (PrecisionRecall::of(*before), PrecisionRecall::of(*after));
            push(serde_json::to_string(&MeasuredLine { topic, about, others, sources, folds: FOLDS, before, after }))?;
        }
        for (place, LearnedRule { amendment, about, others, sources }) in self.rules.iter().enumerate() {
            let (about, others, sources, effect) = (*about, *others, *sources, self.effect(place));
            let mut line = LearnedLine { topic, about, others, sources, effect, ..LearnedLine::default() };
            match amendment {
                Amendment::Rule(rule) => {
                    (line.rule, line.weight) = (&rule.name, Some(rule.weight));
                    line.fields = Some(&rule.fields);
                    match &rule.pattern {
                        Pattern::Any(terms) => line.any = written(terms),
                        Pattern::Near { left, right, within } => {
                            (line.near, line.within) = (vec![written(left), written(right)], Some(*within));
                        }
                    }
                }
                Amendment::Term { rule, term, .. } | Amendment::Without { rule, term, .. } => {
                    (line.rule, line.term) = (self.rule_name(*rule), Some(term.written.as_str()));
                }
            }
            if let Amendment::Term { list, .. } = amendment {
                line.list = Some(list + 1);
            }
            push(serde_json::to_string(&line))?;
        }
        Ok(text)
    }

    /// Figures, then the rules as they are written in the config, with comments.
    fn for_people(&self, paint: Paint) -> String {
        let mut text = String::new();
        let (about, others, sources) = self.numbers();
        let id = paint.strong(&self.topic.id);
        // Writing to a String cannot fail.
        if let Some(Learned { before, after, .. }) = self.learned {
            let entries = format!("{} about it and {others} others", count(about, "labelled entry"));
            let _ = writeln!(text, "# {id}: {entries}, of {}", count(sources, "source"));
            let figures = |accuracy: Accuracy| {
                let PrecisionRecall { precision, recall, f1 } = PrecisionRecall::of(accuracy);
                format!("F1 {f1:.3} (precision {precision:.3}, recall {recall:.3})")
            };
            let _ = writeln!(text, "# as it is: {}", figures(*before));
            let with = "with rules learnt, on sources that they were not learnt from";
            let _ = writeln!(text, "# {with}: {}", figures(*after));
            if self.rules.is_empty() {
                let _ = writeln!(text, "# no rule was found that does better there, so none is suggested");
            }
        } else {
            let _ = writeln!(text, "# {id}: {} in it now, compared with {others} others", count(about, "stored story"));
            let _ = writeln!(
                text,
                "# nobody labelled these, so nothing was measured: `veille suggest {} FILE --ask`",
                self.topic.id
            );
            if self.rules.is_empty() {
                let _ = writeln!(text, "# no word was found that stands mostly in them and in few others");
            }
        }
        self.write_terms(&mut text);
        self.write_rules(&mut text);
        text
    }

    /// Writes the terms that rules of the topic may get or lose, as comments.
    fn write_terms(&self, text: &mut String) {
        let mut by_rule: BTreeMap<(usize, &str), Vec<String>> = BTreeMap::new();
        for (place, learnt) in self.rules.iter().enumerate() {
            let (rule, what, term) = match &learnt.amendment {
                Amendment::Term { rule, list: 0, term } => (*rule, "to add to the first list of", term),
                Amendment::Term { rule, list: _, term } => (*rule, "to add to the second list of", term),
                Amendment::Without { rule, place: _, term } => (*rule, "to take out of", term),
                Amendment::Rule(_) => continue,
            };
            let line = format!("#   {},{}", quoted(&output::harmless(&term.written)), self.comment(place, learnt));
            by_rule.entry((rule, what)).or_default().push(line);
        }
        for ((rule, what), lines) in by_rule {
            let rule = output::harmless(self.rule_name(rule));
            let _ = writeln!(text, "#\n# {what} its rule \"{rule}\":\n{}", lines.join("\n"));
        }
    }

    /// Writes the rules that the topic may get.
    fn write_rules(&self, text: &mut String) {
        let learnt = self.rules.iter().enumerate().filter_map(|(place, learnt)| match &learnt.amendment {
            Amendment::Rule(rule) => Some((rule, self.comment(place, learnt))),
            Amendment::Term { .. } | Amendment::Without { .. } => None,
        });
        let learnt: Vec<(&Rule, String)> = learnt.collect();
        if !learnt.is_empty() {
            let _ = writeln!(text, "#\n# to paste below its `[[topic]]`, as far as you find it right:");
        }
        let all: Vec<Rule> = learnt.iter().map(|(rule, _)| (*rule).clone()).collect();
        let comments: BTreeMap<String, String> =
            learnt.into_iter().map(|(rule, comment)| (key(rule), comment)).collect();
        for rule in gathered(&all) {
            let _ = writeln!(text, "\n[[topic.rule]]\nname = \"{}\"\nweight = {:?}", rule.name, rule.weight);
            if rule.fields != [Field::Title, Field::Lead, Field::Body, Field::Tags] {
                let fields: Vec<String> = rule.fields.iter().map(|field| format!("\"{}\"", field.name())).collect();
                let _ = writeln!(text, "in = [{}]", fields.join(", "));
            }
            match &rule.pattern {
                Pattern::Any(terms) => {
                    let _ = writeln!(text, "any = [");
                    for term in terms {
                        let one = Rule { pattern: Pattern::Any(vec![term.clone()]), ..rule.clone() };
                        let comment = comments.get(&key(&one)).map_or("", String::as_str);
                        let _ = writeln!(text, "  {},{comment}", quoted(&term.written));
                    }
                    let _ = writeln!(text, "]");
                }
                Pattern::Near { left, right, within } => {
                    let group = |terms: &[crate::topic::Term]| {
                        format!("[{}]", terms.iter().map(|term| quoted(&term.written)).collect::<Vec<_>>().join(", "))
                    };
                    let comment = comments.get(&key(&rule)).map_or("", String::as_str);
                    let _ = writeln!(text, "near = [{}, {}]{comment}\nwithin = {within}", group(left), group(right));
                }
            }
        }
    }

    /// The comment behind a term: how it is borne out, what it would add and take away.
    fn comment(&self, place: usize, learnt: &LearnedRule) -> String {
        let LearnedRule { about, others, sources, .. } = learnt;
        let what = if self.learned.is_some() { "about it" } else { "in it now" };
        let (others, sources) = (count(*others, "other"), count(*sources, "source"));
        let mut text = format!("  # in {about} {what}, {others}, of {sources}");
        let Some(Effect { adds, takes, adds_titles, takes_titles }) = self.effect(place) else { return text };
        for (verb, stories, titles) in [("adds", adds, adds_titles), ("takes", takes, takes_titles)] {
            if *stories == 0 {
                continue;
            }
            let _ = write!(text, "\n    # {verb} {}", count(*stories, "story"));
            let titles: Vec<String> = titles.iter().map(|title| format!("« {} »", output::harmless(title))).collect();
            if !titles.is_empty() {
                let _ = write!(text, ": {}", titles.join(", "));
            }
        }
        if adds + takes == 0 {
            text.push_str("; changes nothing stored");
        }
        text
    }
}

impl PrecisionRecall {
    fn of(accuracy: Accuracy) -> Self {
        let Accuracy { right, false_alarms, missed } = accuracy;
        let share = |of: usize| if of == 0 { 1.0 } else { right as f64 / of as f64 };
        Self { precision: share(right + false_alarms), recall: share(right + missed), f1: accuracy.f1() }
    }
}

fn written(terms: &[crate::topic::Term]) -> Vec<&str> {
    terms.iter().map(|term| term.written.as_str()).collect()
}

/// Learnt terms hold letters, blanks, apostrophes and hyphens alone, so nothing has to be escaped.
fn quoted(term: &str) -> String {
    format!("\"{term}\"")
}

fn key(rule: &Rule) -> String {
    let terms: Vec<&str> = rule.terms().map(|term| term.written.as_str()).collect();
    format!("{}: {}", rule.name, terms.join(" | "))
}
