//! Cost of finding the story of an entry as the store grows: `cargo bench --bench stories`, or with other sizes
//! `cargo bench --bench stories -- 10000 100000`.
//!
//! Entries of a Zipf-like vocabulary, one in ten told a second time by another source, arrive ten minutes apart: much
//! for two hundred sources. First a store of each size is filled; then their next entries are timed in turns, so that a
//! machine that is slower for a while is so for all: prepared (words, shingles, clues), placed (looked up and compared),
//! kept. The middle turn of each is told. A million entries take some 5 GB in the folder of temporary
//! files and a quarter of an hour.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark reports to people and may fail"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use url::Url;
use veille::config;
use veille::dedup::{self, Member, Subject};
use veille::feed::{Entry, Timestamp};
use veille::store::sqlite::Sqlite;
use veille::store::{Applied, Change, Inquiry, SHARING_MAX, Store};
use veille::story::{Period, Plain, Prepared};

const TURNS: usize = 15;
const WORDS: usize = 300;
const VOCABULARY: u64 = 30_000;
const SOURCES: u64 = 200;
const BATCH: usize = 500;
const FILL: usize = 5000;
const PACE: TimeDelta = TimeDelta::minutes(10);

fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000, 100_000, 1_000_000] } else { sizes };
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "[[feed]]\nurl = 'https://a.example/'\n[[topic]]\nid = 'a'\ntitle = 'A'\nany = ['a']")
        .unwrap();
    let settings = config::load(&config).unwrap().dedup;
    let filled = |size: usize| {
        let mut store = Sqlite::open(&folder.path().join(format!("{size}.db"))).unwrap();
        let mut news = News::default();
        while news.told < size {
            let count = FILL.min(size - news.told);
            arrive(&mut store, &mut news, count, &settings);
        }
        (size, store, news, Vec::new())
    };
    let mut stores: Vec<_> = sizes.into_iter().map(filled).collect();
    for _ in 0..TURNS {
        for (_, store, news, costs) in &mut stores {
            costs.push(arrive(store, news, BATCH, &settings));
        }
    }
    for (size, _, _, mut costs) in stores {
        costs.sort_by_key(Cost::sum);
        let Cost { prepared, placed, kept } = costs[TURNS / 2];
        println!(
            "{size} stored: {:?} an entry ({prepared:?} prepared, {placed:?} placed, {kept:?} kept)",
            prepared + placed + kept
        );
    }
    println!("{} MB held by all", held() / 1_000_000);
}

/// The mean of the entries of a turn.
#[derive(Default, Clone, Copy)]
struct Cost {
    prepared: Duration,
    placed: Duration,
    kept: Duration,
}

impl Cost {
    fn sum(&self) -> Duration {
        self.prepared + self.placed + self.kept
    }
}

/// Keeps the next entries, each in a transaction of its own.
fn arrive(store: &mut Sqlite, news: &mut News, count: usize, settings: &config::DedupSettings) -> Cost {
    let mut cost = Cost::default();
    let arriving: Vec<(String, Entry, Timestamp)> = (0..count).map(|_| news.next()).collect();
    for (source_id, entry, now) in arriving {
        let began = Instant::now();
        let (entry, mut identity) = dedup::identify(&source_id, "rss20", vec![entry]).remove(0);
        let subject = Subject::new(&source_id, &entry, &Plain::of(&entry), &identity);
        identity.clues = subject.clues();
        let sketch = dedup::sketch(&subject, &identity.clues);
        cost.prepared += began.elapsed();

        let began = Instant::now();
        let first = Period::of(now - settings.window);
        let clues = Inquiry {
            recent: identity.clues.recent.iter().map(|clue| (first, *clue)).collect(),
            lasting: identity.clues.lasting.iter().copied().collect(),
            ..Inquiry::default()
        };
        let sharing = store.surroundings(&clues).unwrap();
        let is_telling = |numbers: &&Vec<i64>| numbers.len() < SHARING_MAX;
        let peers = sharing.recent.values().filter(is_telling).chain(sharing.lasting.values()).flatten().copied();
        let around = store.surroundings(&Inquiry { peers: peers.collect(), ..Inquiry::default() }).unwrap();
        let known = |number, key, subject| Member { number, key, subject };
        let mut members = vec![known(None, identity.key, Arc::new(subject))];
        let others = around.peers.values().filter(|peer| dedup::may_be_same(&members[0].subject, peer));
        let others = others.filter_map(|peer| Some(known(Some(peer.number), peer.key, dedup::sketched(peer)?.subject)));
        let others: Vec<Member> = others.collect();
        members.extend(others);
        let parts = dedup::partition(&members, &[], settings);
        let mates = parts.iter().zip(&members).skip(1).filter(|(part, _)| **part == parts[0]);
        let head = mates.filter_map(|(_, member)| member.number).min();
        cost.placed += began.elapsed();

        let began = Instant::now();
        let (number, atom_id) = (around.next_number, identity.atom_id.clone());
        let prepared = Arc::new(Prepared {
            entry,
            identity,
            labels: Vec::new(),
            rules: "rules".into(),
            telling_words: None,
            sketch,
        });
        let insert = Change::Insert {
            number,
            source_id,
            story: head.unwrap_or(number),
            first_seen: now,
            date: now,
            atom_id,
            prepared,
        };
        assert_eq!(store.apply(&[insert], Some(around.generation)).unwrap(), Applied::Kept);
        cost.kept += began.elapsed();
    }
    let each = |time: Duration| time / u32::try_from(count).unwrap();
    let Cost { prepared, placed, kept } = cost;
    Cost { prepared: each(prepared), placed: each(placed), kept: each(kept) }
}

/// Entries as they arrive, the same in each run.
#[derive(Default)]
struct News {
    told: usize,
    seed: u64,
    again: Option<(u64, Entry)>,
}

impl News {
    fn next(&mut self) -> (String, Entry, Timestamp) {
        self.told += 1;
        let number = self.told;
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + PACE * i32::try_from(number).unwrap();
        if let Some((source, entry)) = self.again.take() {
            let source = (source + 1) % SOURCES;
            let url = Url::parse(&format!("https://site-{source}.example/{number}")).unwrap();
            return (format!("source-{source}"), Entry { id: Some(url.to_string()), url: Some(url), ..entry }, now);
        }
        let source = self.random() % SOURCES;
        let url = Url::parse(&format!("https://site-{source}.example/{number}")).unwrap();
        let entry = Entry {
            id: Some(url.to_string()),
            url: Some(url),
            title: Some(self.words(9)),
            content: Some(format!("<p>{}</p>", self.words(WORDS))),
            published: Some(now),
            ..Entry::default()
        };
        if self.random().is_multiple_of(10) {
            self.again = Some((source, entry.clone()));
        }
        (format!("source-{source}"), entry, now)
    }

    fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.seed >> 33
    }

    /// Few words are frequent and many are rare.
    fn words(&mut self, count: usize) -> String {
        let mut words = String::new();
        for _ in 0..count {
            let share = self.random() as f64 / (1_u64 << 31) as f64;
            let rank = (VOCABULARY as f64).powf(share);
            words.push_str(&format!("mot{} ", rank as u64));
        }
        words
    }
}

/// Bytes that this process holds.
fn held() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).unwrap_or_default() * 1024
}
