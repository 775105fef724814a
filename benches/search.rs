//! The cost of a search over 100,000 short stories, and the memory that it takes: `cargo bench --bench search`.
//!
//! Words are made up, as often as words of a language are (Zipf's law), so texts compress worse than real ones.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a benchmark reports to people, and stops at what it did not expect"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use veille::feed::{Entry, Timestamp};
use veille::publish::{Edition, Hidden, OpenDrawer, SearchIndex, put_away};
use veille::story::{EntryKey, Month, StoredEntry, Story};
use veille::topic::{Label, Topic};

const STORIES: usize = 100_000;
const MONTHS: usize = 12;
const TOPICS: usize = 7;
const WORDS: usize = 60_000;

/// A generator of numbers (`xorshift64*`).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A word, by Zipf's law.
    fn word(&mut self) -> usize {
        ((WORDS as f64).powf(self.next()) as usize).min(WORDS - 1)
    }
}

fn spelt(mut number: usize) -> String {
    const SYLLABLES: [&str; 20] = [
        "la", "de", "ré", "on", "ti", "mi", "nu", "es", "co", "pa", "lé", "ve", "ou", "ar", "si", "tra", "men", "po",
        "du", "qui",
    ];
    let mut word = String::new();
    loop {
        word.push_str(SYLLABLES[number % SYLLABLES.len()]);
        number /= SYLLABLES.len();
        if number == 0 {
            return word;
        }
    }
}

fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Processor time of this thread, in milliseconds: other work on the machine does not count.
fn processor() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    told.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6
}

fn main() {
    let config = veille::config::parse("[[topic]]\nid = \"t0\"\nany = [\"a\"]", Path::new("config.toml")).unwrap();
    let topics: Vec<Topic> = (0..TOPICS).map(|at| Topic { id: format!("t{at}"), ..config.topics[0].clone() }).collect();
    let sources = BTreeMap::new();
    let newest: Timestamp = "2026-12-28T00:00:00Z".parse().unwrap();
    let edition = Edition {
        hidden: Hidden::default(),
        site: &config.site,
        settings: &config.publish,
        sources: &sources,
        selections: Vec::new(),
        turns: &[],
        own_hub: None,
        hubs: &[],
        config: None,
        post_turns: Vec::new(),
        outages: &[],
        posts: &[],
        today: newest.date_naive(),
    };
    let spelt: Vec<String> = (0..WORDS).map(spelt).collect();
    let mut dice = Dice(42);
    let before = memory();
    let began = processor();
    let mut drawers = Vec::new();
    let mut number = 0;
    for month in 0..MONTHS {
        let date = newest - TimeDelta::days(30 * month as i64);
        for topic in &topics {
            let mut open = OpenDrawer::new(&topic.id, Month::of(date), 1, usize::MAX);
            for at in 0..STORIES / MONTHS / TOPICS {
                number += 1;
                let mut text =
                    |words: usize| (0..words).map(|_| spelt[dice.word()].as_str()).collect::<Vec<_>>().join(" ");
                let (title, text) = (text(9), text(45));
                put_away(
                    &edition,
                    topic,
                    &story(number, date - TimeDelta::minutes(at as i64), &title, &text),
                    &mut open,
                );
            }
            drawers.push(Arc::new(open.close(|_| String::new())));
        }
    }
    let took = (processor() - began) / 1000.0;
    let index = SearchIndex::new(&edition, topics.iter(), &BTreeMap::new(), drawers, false);
    println!(
        "{} stories: {:.1} MiB by count, {:.1} MiB more in memory; made in {took:.1} s, with making the texts up",
        index.len(),
        index.bytes() as f64 / f64::from(1 << 20),
        memory() - before
    );
    let common = spelt[1..33].join("+");
    let searches = [
        ("a rare word", format!("q={}", spelt[20_000])),
        ("a frequent word", format!("q={}", spelt[1])),
        ("three words", format!("q={}+{}+{}", spelt[5], spelt[50], spelt[500])),
        ("a phrase of frequent words", format!("q=%22{}+{}%22", spelt[1], spelt[2])),
        ("a phrase of rare words", format!("q=%22{}+{}%22", spelt[300], spelt[301])),
        ("32 frequent words", format!("q={common}")),
        ("a phrase of 32 frequent words", format!("q=%22{common}%22")),
        ("one topic", format!("q={}&topic=t3", spelt[1])),
        ("the last page", format!("q={}&page=99999", spelt[1])),
    ];
    for (name, query) in searches {
        let mut times: Vec<_> = (0..9)
            .map(|_| {
                let began = processor();
                let answer = index.answer(&query);
                assert!(!answer.is_refused, "{query}");
                (processor() - began, answer.html.len())
            })
            .collect();
        times.sort_by(|one, other| one.0.total_cmp(&other.0));
        println!("{name:30} {:6.2} ms, {} bytes", times[4].0, times[4].1);
    }
    println!("{:.1} MiB more in memory after the searches", memory() - before);
}

fn story(number: i64, date: Timestamp, title: &str, text: &str) -> Story {
    let entry = Entry {
        url: format!("https://ministere.example/actualites/{number}-{}", title.replace(' ', "-")).parse().ok(),
        title: Some(title.to_owned()),
        summary: Some(text.to_owned()),
        language: Some("fr".to_owned()),
        ..Entry::default()
    };
    let head = StoredEntry {
        number,
        source_id: format!("source-{}", number % 50),
        key: EntryKey([0; 16]),
        atom_id: format!("https://ministere.example/{number}"),
        story: number,
        canonical_link: None,
        owns_guid: true,
        first_seen: date,
        date,
        changed: None,
        entry,
    };
    let label = Label { topic: String::new(), score: 9.0, reasons: Vec::new() };
    Story { number, placed: date, head, text: None, tellings: Vec::new(), label, related: Vec::new() }
}
