//! `veille test FILE.jsonl`: how often the topics are right on entries labelled by hand.
//!
//! Entries of one story count once, as pages show them: it is in a topic if one of them is, and about it if one is.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use super::labelled::{self, ABOUT, Labelled, NOT};
use super::output::{self, Paint};
use super::{Failure, judged, open, telling};
use crate::config::Config;
use crate::topic::{Judgement, Label, Matcher};

#[derive(Debug, clap::Args)]
pub(super) struct TestOptions {
    /// Labelled entries, one JSON object a line: id, title, summary, content, categories, source, and labels, by topic
    /// 2 (about it), 1 (mentions it: left out) or 0; a topic that is not there is 0. Lines of the same `story` count once
    file: PathBuf,
    /// Only this topic
    #[arg(long, value_name = "ID")]
    topic: Option<String>,
    /// Only the figures, without the entries that are wrong
    #[arg(long)]
    summary: bool,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

/// The figures of a topic, or of all on average (macro); the keys are a contract.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Figures {
    precision: f64,
    recall: f64,
    f1: f64,
}

/// A topic's line; the keys are a contract.
#[derive(Debug, Serialize)]
struct FiguresLine<'a> {
    topic: &'a str,
    right: usize,
    false_alarms: usize,
    missed: usize,
    #[serde(flatten)]
    figures: Figures,
}

/// The last line of figures; the keys are a contract.
#[derive(Debug, Serialize)]
struct Macro {
    #[serde(rename = "macro")]
    average: Figures,
}

/// A line for an entry that is wrong; the keys are a contract.
#[derive(Debug, Serialize)]
struct WrongLine<'a> {
    id: &'a str,
    title: Option<&'a str>,
    /// `missed` or `false_alarm`.
    wrong: &'static str,
    /// The number of entries that tell its story.
    told_by: usize,
    #[serde(flatten)]
    judgement: &'a Judgement,
}

/// The result of a topic.
#[derive(Debug)]
struct Score<'a> {
    topic: &'a str,
    /// Stories.
    right: usize,
    false_alarms: Vec<Wrong<'a>>,
    missed: Vec<Wrong<'a>>,
}

/// A story that is wrong in a topic.
#[derive(Debug)]
struct Wrong<'a> {
    /// The entry that explains it: the one that is in, else the first.
    entry: &'a Labelled,
    /// The number of entries that tell the story.
    told_by: usize,
}

pub(super) fn run(config: &Config, options: &TestOptions) -> Result<(), Failure> {
    if let Some(topic) = &options.topic {
        open::find_topic(config, topic)?;
    }
    let entries = labelled::read_whole(&options.file)?;
    let matcher = Matcher::new(config.topics.clone());
    let mut scores = scores(config, &matcher, &entries);
    tell_unknown(config, &entries);
    scores.retain(|score| options.topic.as_ref().is_none_or(|topic| topic == score.topic));
    let mut text = String::new();
    if options.json {
        json(&mut text, config, &matcher, &scores, options.summary)?;
    } else {
        table(&mut text, &scores);
        if !options.summary {
            let paint = Paint::of_stdout();
            for score in &scores {
                wrong(&mut text, config, &matcher, score, paint);
            }
        }
    }
    Ok(output::print(&text)?)
}

/// The score of each topic of the config that some entry is about.
fn scores<'a>(config: &'a Config, matcher: &Matcher, entries: &'a [Labelled]) -> Vec<Score<'a>> {
    let new = |topic| Score { topic, right: 0, false_alarms: Vec::new(), missed: Vec::new() };
    let mut scores: Vec<Score<'a>> = config.topics.iter().map(|topic| new(topic.id.as_str())).collect();
    for story in labelled::labelled_stories(entries) {
        let judged: Vec<Vec<Label>> = story.iter().map(|entry| entry.judged(config, matcher)).collect();
        let Some(first) = story.first() else { continue };
        for score in &mut scores {
            let is_in = |labels: &[Label]| labels.iter().any(|label| label.topic == score.topic);
            let inside = story.iter().zip(&judged).find(|(_, labels)| is_in(labels)).map(|(entry, _)| *entry);
            let wrong = Wrong { entry: inside.unwrap_or(first), told_by: story.len() };
            match (labelled::label_of(&story, score.topic), inside.is_some()) {
                (ABOUT, true) => score.right += 1,
                (ABOUT, false) => score.missed.push(wrong),
                (NOT, true) => score.false_alarms.push(wrong),
                _ => {}
            }
        }
    }
    scores.retain(|score| score.right + score.missed.len() > 0);
    scores
}

/// Labels of topics that the config does not have say nothing about it.
fn tell_unknown(config: &Config, entries: &[Labelled]) {
    let labels = entries.iter().flat_map(|entry| &entry.labels).filter(|(_, label)| **label == ABOUT);
    let is_unknown = |topic: &&String| !config.topics.iter().any(|known| known.id == **topic);
    let unknown: std::collections::BTreeSet<&String> = labels.map(|(topic, _)| topic).filter(is_unknown).collect();
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.iter().map(|topic| format!("`{topic}`")).collect();
        output::note(&format!("left out, for the config has no such topic: {}", names.join(", ")));
    }
}

impl Figures {
    /// Nothing chosen and nothing to choose is perfect.
    fn new(right: usize, false_alarms: usize, missed: usize) -> Self {
        let share = |of: usize| if of == 0 { None } else { Some(right as f64 / of as f64) };
        let precision = share(right + false_alarms).unwrap_or(if missed == 0 { 1.0 } else { 0.0 });
        let recall = share(right + missed).unwrap_or(1.0);
        let sum = precision + recall;
        Self { precision, recall, f1: if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 } }
    }

    fn of(score: &Score<'_>) -> Self {
        Self::new(score.right, score.false_alarms.len(), score.missed.len())
    }

    fn average(scores: &[Score<'_>]) -> Self {
        let mean = |figure: fn(&Self) -> f64| {
            scores.iter().map(|score| figure(&Self::of(score))).sum::<f64>() / scores.len().max(1) as f64
        };
        Self {
            precision: mean(|figures| figures.precision),
            recall: mean(|figures| figures.recall),
            f1: mean(|figures| figures.f1),
        }
    }
}

fn json(
    text: &mut String,
    config: &Config,
    matcher: &Matcher,
    scores: &[Score<'_>],
    summary: bool,
) -> serde_json::Result<()> {
    for score in scores {
        let (false_alarms, missed) = (score.false_alarms.len(), score.missed.len());
        let line =
            FiguresLine { topic: score.topic, right: score.right, false_alarms, missed, figures: Figures::of(score) };
        push_line(text, &line)?;
        let all = score.missed.iter().map(|entry| ("missed", entry));
        let all = all.chain(score.false_alarms.iter().map(|entry| ("false_alarm", entry)));
        for (wrong, Wrong { entry, told_by }) in all.filter(|_| !summary) {
            for judgement in explained(entry, config, matcher, score.topic) {
                let (id, title) = (&entry.id, entry.title.as_deref());
                let line = WrongLine { id, title, wrong, told_by: *told_by, judgement: &judgement };
                push_line(text, &line)?;
            }
        }
    }
    let average = Figures::average(scores);
    push_line(text, &Macro { average })?;
    Ok(())
}

fn push_line(text: &mut String, line: &impl Serialize) -> serde_json::Result<()> {
    text.push_str(&serde_json::to_string(line)?);
    text.push('\n');
    Ok(())
}

fn table(text: &mut String, scores: &[Score<'_>]) {
    let width = scores.iter().map(|score| score.topic.len()).max().unwrap_or(0).max("topic".len());
    let figures = |Figures { precision, recall, f1 }: Figures| format!("{precision:>9.3} {recall:>7.3} {f1:>7.3}");
    // Writing to a String cannot fail.
    let _ =
        writeln!(text, "{:<width$} {:>6} {:>6} {:>6} precision  recall      F1", "topic", "right", "false", "missed");
    for score in scores {
        let Score { topic, right, false_alarms, missed } = score;
        let (false_alarms, missed) = (false_alarms.len(), missed.len());
        let figures = figures(Figures::of(score));
        let _ = writeln!(text, "{topic:<width$} {right:>6} {false_alarms:>6} {missed:>6} {figures}");
    }
    let _ = writeln!(text, "{:<width$} {:>20} {}", "macro", "", figures(Figures::average(scores)));
}

/// The stories that are wrong in a topic, each with its explanation.
fn wrong(text: &mut String, config: &Config, matcher: &Matcher, score: &Score<'_>, paint: Paint) {
    for (what, stories) in [("missed", &score.missed), ("false alarm", &score.false_alarms)] {
        for Wrong { entry, told_by } in stories {
            let title = output::harmless(entry.title.as_deref().unwrap_or("(no title)"));
            let (id, told_by) = (output::harmless(&entry.id), telling::told_by(*told_by));
            let _ = writeln!(text, "\n{}  {id}  {title}{told_by}", paint.bad(what));
            for judgement in explained(entry, config, matcher, score.topic) {
                judged::judgement_for_people(text, &judgement, paint);
            }
        }
    }
}

fn explained(entry: &Labelled, config: &Config, matcher: &Matcher, topic: &str) -> Vec<Judgement> {
    let mut judgements = entry.explained(config, matcher);
    judgements.retain(|judgement| judgement.topic == topic);
    judgements
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(right: usize, false_alarms: usize, missed: usize, expected: (f64, f64, f64)) {
        let Figures { precision, recall, f1 } = Figures::new(right, false_alarms, missed);
        assert_eq!((precision, recall, f1), expected);
    }

    #[test]
    fn precision_and_recall_are_shares_and_f1_their_harmonic_mean() {
        check(3, 1, 1, (0.75, 0.75, 0.75));
        check(1, 0, 3, (1.0, 0.25, 0.4));
    }

    #[test]
    fn nothing_chosen_is_perfect_only_if_there_was_nothing() {
        check(0, 0, 0, (1.0, 1.0, 1.0));
        check(0, 0, 2, (0.0, 0.0, 0.0));
        check(0, 2, 0, (0.0, 1.0, 0.0));
    }
}
