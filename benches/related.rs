//! Cost of related news for an entry that is new in a topic of 500 stories. `cargo bench --bench related`.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use veille::dedup;
use veille::feed::{Entry, Timestamp};
use veille::store::sqlite::Sqlite;
use veille::store::{Change, Inquiry, Store};
use veille::story::{Gist, Plain, Prepared};
use veille::topic::Label;

/// Stories in the topic.
const STORIES: usize = 500;

/// Runs, of which the fastest counts: the others were disturbed.
const RUNS: usize = 15;

/// Words of a text: 3 kB.
const WORDS: usize = 400;

/// A story of its own: words that come back as often as in French, names that are rare.
fn entry(number: usize) -> Entry {
    let word = |place: usize| {
        // Few words are frequent and most are rare (Zipf).
        let draw = (number * 7_919 + place * 104_729) % 10_007;
        let word = 10_007 / (draw + 1) + draw % 97;
        if draw.is_multiple_of(23) { format!("Nom{word}") } else { format!("parole{word}") }
    };
    let text = |words: std::ops::Range<usize>| words.map(word).collect::<Vec<_>>().join(" ");
    Entry {
        title: Some(text(0..9)),
        content: Some(format!("<p>{}</p>", text(9..WORDS))),
        url: format!("https://example.org/{number}").parse().ok(),
        ..Entry::default()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut store = Sqlite::open(&folder.path().join("veille.db"))?;
    let start = Timestamp::from_timestamp(1_750_000_000, 0).unwrap_or_default();
    let mut changes = Vec::new();
    for (place, number) in (0..=STORIES).zip(1..) {
        let now = start + chrono::TimeDelta::minutes(number);
        let (entry, identity) = dedup::identify("source", "rss20", vec![entry(place)]).remove(0);
        let labels = vec![Label { topic: "topic".into(), score: 6.0, reasons: Vec::new() }];
        let telling_words = Some(dedup::telling_words(&entry, &Plain::of(&entry)));
        let (atom_id, rules, sketch) = (identity.atom_id.clone(), "rules".into(), Vec::new());
        let prepared = Arc::new(Prepared { entry, identity, labels, rules, telling_words, sketch });
        let (source_id, first_seen, date) = ("source".to_owned(), now, now);
        changes.push(Change::Insert { number, source_id, story: number, first_seen, date, atom_id, prepared });
    }
    let _ = store.apply(&changes, None)?;
    let last = i64::try_from(changes.len())?;
    let gist = Inquiry { gists: [last].into(), ..Inquiry::default() };
    let newest = store.surroundings(&gist)?.gists.remove(&last).ok_or("the last story is gone")?;
    let (read, plain) = (entry(STORIES), Plain::of(&entry(STORIES)));
    println!("telling words of an entry of {WORDS} words: {:?}", fastest(|| dedup::telling_words(&read, &plain)));
    let window = [("topic".to_owned(), [newest.order()].into())].into();
    let window = Inquiry { windows: window, ..Inquiry::default() };
    let looking = fastest(|| store.surroundings(&window));
    let around = store.surroundings(&window)?;
    let earlier: Vec<&Gist> = around.windows.values().flat_map(BTreeMap::values).collect();
    println!("reading {} earlier stories, once for some polls and a topic: {looking:?}", earlier.len());
    println!("choosing among them: {:?}", fastest(|| dedup::related(&earlier, &[&newest])));
    Ok(())
}

fn fastest<T>(mut work: impl FnMut() -> T) -> Duration {
    let run = |_| {
        let began = Instant::now();
        std::hint::black_box(work());
        began.elapsed()
    };
    (0..RUNS).map(run).min().unwrap_or_default()
}
