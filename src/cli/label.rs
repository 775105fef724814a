//! `veille label FILE.jsonl`: an editor labels stored entries by answering questions, for `veille test`.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::labelled::{self, ABOUT, Labelled, LabelledFile, MENTIONS, NOT};
use super::output::{self, Paint};
use super::{Failure, judged, open};
use crate::config::Config;
use crate::feed::Entry;
use crate::store::{self, Filter, Held, Store};
use crate::story::StoredEntry;
use crate::text::{count, html_to_text};
use crate::topic::{Judgement, Matcher, Verdict};

/// Stored entries that are looked through for good questions, the newest.
pub(super) const ENTRIES_MAX: usize = 2_000;

/// Characters of an entry's text that are shown.
const TEXT_MAX: usize = 600;

#[derive(Debug, clap::Args)]
pub(super) struct LabelOptions {
    /// Where the labelled entries are kept; what it holds already is not asked again
    file: PathBuf,
    /// Ask about this topic only; else about every topic
    #[arg(long, value_name = "ID")]
    topic: Option<String>,
}

/// An editor's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EditorAnswer {
    Label(u8),
    Skip,
    Quit,
}

pub(super) fn run(config: &Config, options: &LabelOptions) -> Result<(), Failure> {
    let topics: Vec<&str> = match &options.topic {
        Some(topic) => vec![&open::find_topic(config, topic)?.id],
        None => config.topics.iter().map(|topic| topic.id.as_str()).collect(),
    };
    let file = read_to_add(&options.file)?;
    let mut store = open::store_to_read(config)?;
    let asked = worth_asking(config, &mut *store, &topics)?;
    ask_about(&mut *store, &topics, asked, &options.file, file)
}

/// Reads the file that answers are added to; one that is not there yet is empty, a broken one is refused.
pub(super) fn read_to_add(path: &Path) -> Result<LabelledFile, Failure> {
    let file = if path.exists() { labelled::read_labelled(path)? } else { LabelledFile::default() };
    if file.faults.is_empty() {
        return Ok(file);
    }
    let faults = file.faults_for_people(path);
    let help = "help: mend these lines first: they would be lost";
    Err(Failure::Usage(format!("{faults}error: the file cannot be read\n{help}")))
}

/// Asks about stored entries, in their order, what the file does not say yet, and adds each answer to it at once.
pub(super) fn ask_about(
    store: &mut dyn Store,
    topics: &[&str],
    asked: Vec<StoredEntry>,
    path: &Path,
    mut file: LabelledFile,
) -> Result<(), Failure> {
    output::note(
        "y or o: about the topic   n: not   m: only mentions it   s: skip   q: quit; each answer is kept at once",
    );
    let mut places: HashMap<String, usize> =
        file.entries.iter().enumerate().map(|(place, entry)| (entry.id.clone(), place)).collect();
    let total = asked.len();
    let paint = Paint::of_stdout();
    let mut answers = std::io::stdin().lock().lines();
    let mut answered = 0;
    'entries: for (number, stored) in (1..).zip(asked) {
        let place = places.get(&stored.atom_id).copied();
        let known = place.and_then(|place| file.entries.get(place)).map(|entry| &entry.labels);
        let open: Vec<&str> =
            topics.iter().copied().filter(|topic| known.is_none_or(|labels| !labels.contains_key(*topic))).collect();
        if open.is_empty() {
            continue;
        }
        output::print(&shown(&stored, &format!("{number} of {total}"), paint))?;
        for topic in open {
            let label = match ask_editor(topic, &mut answers)? {
                EditorAnswer::Label(label) => label,
                EditorAnswer::Skip => continue,
                EditorAnswer::Quit => break 'entries,
            };
            let place = *places.entry(stored.atom_id.clone()).or_insert(file.entries.len());
            if place == file.entries.len() {
                let head = store::entry(store, stored.story)?.map(|head| head.atom_id);
                file.entries.push(Labelled::new(&stored.atom_id, &stored.entry, &stored.source_id, head));
            }
            if let Some(entry) = file.entries.get_mut(place) {
                entry.labels.insert(topic.to_owned(), label);
            }
            labelled::write(path, &file.entries)?;
            answered += 1;
        }
    }
    let answers = count(answered, "answer");
    output::note(&format!("{answers} kept; `{}` holds {} entries", path.display(), file.entries.len()));
    Ok(())
}

/// The newest stored stories in an order that teaches most: one that is in a topic, one that has some points, one that
/// has none, and again.
fn worth_asking(config: &Config, store: &mut dyn Store, topics: &[&str]) -> Result<Vec<StoredEntry>, Failure> {
    let matcher = Matcher::new(config.topics.clone());
    let filter = Filter { limit: ENTRIES_MAX, ..Filter::default() };
    let entries = store.entries(&filter)?;
    let mut heaps: [Vec<StoredEntry>; 3] = [Vec::new(), Vec::new(), Vec::new()];
    let mut seen = HashSet::new();
    for Held { stored, .. } in entries {
        // Without a text nobody can tell.
        if !has_readable_text(&stored.entry) || !seen.insert(stored.story) {
            continue;
        }
        let judgements = judged::judgements_under(config, &matcher, &stored.entry, &stored.source_id);
        let asked = || judgements.iter().filter(|judgement| topics.contains(&judgement.topic.as_str()));
        let has_points = |judgement: &Judgement| !judgement.evidence.is_empty() || !judgement.near_misses.is_empty();
        let [inside, near, outside] = &mut heaps;
        if asked().any(|judgement| judgement.verdict == Verdict::In) {
            inside.push(stored);
        } else if asked().any(has_points) {
            near.push(stored);
        } else {
            outside.push(stored);
        }
    }
    let longest = heaps.iter().map(Vec::len).max().unwrap_or(0);
    let mut heaps = heaps.map(Vec::into_iter);
    Ok((0..longest).flat_map(|_| heaps.each_mut().map(Iterator::next)).flatten().collect())
}

/// Whether there is something to read beside the title.
pub(super) fn has_readable_text(entry: &Entry) -> bool {
    let texts = [entry.summary.as_deref(), entry.content.as_deref()];
    texts.into_iter().flatten().any(|html| !html_to_text(html).trim().is_empty())
}

/// The entry, with its place among those that are asked about.
fn shown(stored: &StoredEntry, place: &str, paint: Paint) -> String {
    let entry = &stored.entry;
    let date = stored.date.format("%Y-%m-%d");
    let mut text = String::from("\n");
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}", paint.quiet(&format!("[{place}]")));
    let _ = writeln!(text, "{}", paint.strong(entry.title.as_deref().unwrap_or("(no title)")));
    let _ = writeln!(text, "{date}  {}  {}", stored.source_id, entry.url.as_ref().map_or("", url::Url::as_str));
    let texts = [entry.summary.as_deref(), entry.content.as_deref()].into_iter().flatten().map(html_to_text);
    let body = texts.into_iter().find(|text| !text.trim().is_empty()).unwrap_or_default();
    let end = body.char_indices().nth(TEXT_MAX).map_or(body.len(), |(end, _)| end);
    let more = if end < body.len() { "…" } else { "" };
    let _ = writeln!(text, "{}{more}", output::harmless(body.get(..end).unwrap_or_default()));
    text
}

/// Asks until the answer is one; the end of the input is the end of the session.
fn ask_editor(
    topic: &str,
    answers: &mut impl Iterator<Item = std::io::Result<String>>,
) -> Result<EditorAnswer, Failure> {
    loop {
        output::print(&format!("{topic}? [y or o/n/m/s/q] "))?;
        let Some(answer) = answers.next().transpose()? else { return Ok(EditorAnswer::Quit) };
        if let Some(answer) = understood(&answer) {
            return Ok(answer);
        }
    }
}

/// In English or French.
fn understood(answer: &str) -> Option<EditorAnswer> {
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" | "o" | "oui" | "2" => Some(EditorAnswer::Label(ABOUT)),
        "m" | "1" => Some(EditorAnswer::Label(MENTIONS)),
        "n" | "no" | "non" | "0" => Some(EditorAnswer::Label(NOT)),
        "s" | "skip" => Some(EditorAnswer::Skip),
        "q" | "quit" => Some(EditorAnswer::Quit),
        _ => None,
    }
}
