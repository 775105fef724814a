//! Cost of judging an entry, by number of topics: it should hardly grow. `cargo bench --bench topics`.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use veille::topic::{Boost, Field, Fields, Matcher, Pattern, Rule, Term, Topic};

/// Entries in a run.
const ENTRIES: usize = 200;

/// Runs, of which the fastest counts: the others were disturbed.
const RUNS: usize = 15;

/// Words that news is made of.
const WORDS: [&str; 48] = [
    "le",
    "ministère",
    "de",
    "l’éducation",
    "a",
    "présenté",
    "aux",
    "élèves",
    "et",
    "enseignant·e·s",
    "un",
    "plan",
    "pour",
    "les",
    "tablettes",
    "numériques",
    "dans",
    "les",
    "collèges",
    "du",
    "département",
    "qui",
    "soutient",
    "la",
    "formation",
    "des",
    "équipes",
    "sur",
    "cette",
    "plateforme",
    "en",
    "ligne",
    "où",
    "chaque",
    "académie",
    "publie",
    "ses",
    "ressources",
    "jusqu’à",
    "l’été",
    "avec",
    "peut-être",
    "une",
    "expérimentation",
    "(annexe)",
    "d’abord",
    "à",
    "Nœux",
];

fn main() {
    let entries = entries();
    let texts = |fields: &Fields| [&fields.title, &fields.lead, &fields.body].map(|text| text.as_str().len());
    let bytes = entries.iter().flat_map(texts).sum::<usize>();
    println!("{ENTRIES} entries of {} bytes", bytes / ENTRIES);
    let base = report("10 topics of 10 terms", 10, &entries);
    for count in [100, 1_000, 10_000] {
        let cost = report(&format!("{count} topics of 10 terms"), count, &entries);
        println!("  {:.2} times that of 10", cost / base);
    }
}

fn report(name: &str, topics: usize, entries: &[Fields]) -> f64 {
    let matcher = Matcher::new((0..topics).map(topic).collect());
    let run = |_| {
        let start = Instant::now();
        for fields in entries {
            black_box(matcher.labels(black_box(fields)));
        }
        start.elapsed().as_secs_f64() * 1e6 / entries.len() as f64
    };
    let cost = (0..RUNS).map(run).fold(f64::INFINITY, f64::min);
    println!("{name}: {cost:.1} µs an entry");
    cost
}

/// Numbers without pattern, the same in every run (Knuth's linear congruences).
fn scattered(seed: usize) -> impl Iterator<Item = usize> {
    let next =
        |number: &u64| Some(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
    std::iter::successors(Some(seed as u64 + 1), next).skip(3).map(|number| (number >> 33) as usize)
}

fn word_of(number: usize) -> &'static str {
    WORDS.get(number % WORDS.len()).copied().unwrap_or_default()
}

fn entries() -> Vec<Fields> {
    let text = |seed: usize, words: usize| {
        let words: Vec<&str> = scattered(seed).take(words).map(word_of).collect();
        words.join(" ")
    };
    let entry = |seed| Fields::new(text(seed, 10), text(seed + 1_000, 40), text(seed + 2_000, 350), &["collèges"], "");
    (0..ENTRIES).map(entry).collect()
}

/// A topic whose terms are half words and half phrases, some of which share words with the entries.
fn topic(number: usize) -> Topic {
    let mut numbers = scattered(number * 97);
    let mut word = || numbers.next().unwrap_or_default();
    let terms = (0..10).map(|term| match term {
        0..5 => format!("mot{}", word() % 100_000),
        _ => format!("{} mot{}", word_of(word()), word() % 100_000),
    });
    let terms = terms.filter_map(|term| Term::parse(&term).ok()).collect();
    let fields = vec![Field::Title, Field::Lead, Field::Body, Field::Tags];
    Topic {
        id: format!("topic-{number}"),
        title: String::new(),
        description: String::new(),
        threshold: 6.0,
        language: Some("fr".into()),
        boost: Boost::default(),
        body_cap: 3,
        rules: vec![Rule { name: "any".into(), weight: 3.0, fields, pattern: Pattern::Any(terms) }],
        not: Vec::new(),
        source_bonus: BTreeMap::new(),
        sources: None,
        include: Vec::new(),
        exclude: Vec::new(),
    }
}
