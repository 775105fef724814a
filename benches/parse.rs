//! Cost of reading: `cargo bench --bench parse`. Each line is the best of several rounds on documents made here.
//!
//! Feeds have 20 entries of French HTML, 40 to 50 KB. "bare" is feed-rs alone on the same bytes: the ratio to it is what
//! tolerance costs, and holds on any machine. Below it stands what each step costs that makes an entry ready to keep.
#![expect(clippy::print_stdout, reason = "a benchmark reports to people")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use veille::dedup::{self, Subject, telling_words};
use veille::feed::Entry;
use veille::parse::{Limits, read, sanitise};
use veille::story::{Identity, Plain};
use veille::topic::{Boost, Field, Fields, Matcher, Pattern, Rule, Term, Topic};

const ROUNDS: u32 = 200;

fn main() {
    for (name, document) in [("rss, CDATA", rss(true)), ("rss, escaped", rss(false)), ("atom, xhtml", atom())] {
        let bytes = document.as_bytes();
        let now = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(365 * 60);
        let zone = chrono_tz::Tz::Europe__Paris;
        let whole =
            || read(bytes, None, None, zone, &Limits::default(), now).map(|feed| feed.entries).unwrap_or_default();
        let bare =
            best(|| drop(black_box(feed_rs::parser::Builder::new().sanitize_content(false).build().parse(bytes))));
        let read = best(|| drop(black_box(whole())));
        println!(
            "{name:<13} {} KB: bare {bare:?}, read {read:?} ({:.1} times)",
            bytes.len() / 1024,
            read.as_secs_f64() / bare.as_secs_f64(),
        );
        report(&whole());
    }
}

/// Tells what each step after reading costs, an entry.
fn report(entries: &[Entry]) {
    let matcher = Matcher::new(vec![topic()]);
    let identified = dedup::identify("site", "rss20", entries.to_vec());
    let sanitised: Vec<(Entry, Identity)> =
        identified.iter().cloned().map(|(entry, identity)| (sanitise(entry), identity)).collect();
    let plains: Vec<Plain> = sanitised.iter().map(|(entry, _)| Plain::of(entry)).collect();
    // Reading anew, for a plain text keeps the words that were cut out of it.
    let each = |step: &dyn Fn(&(Entry, Identity), Plain)| {
        let plain = best(|| sanitised.iter().for_each(|(entry, _)| drop(black_box(Plain::of(entry)))));
        let all = best(|| sanitised.iter().for_each(|read| step(read, Plain::of(&read.0))));
        all.saturating_sub(plain)
    };
    let steps = [
        ("identify", best(|| drop(black_box(dedup::identify("site", "rss20", entries.to_vec()))))),
        ("sanitise", best(|| identified.iter().cloned().for_each(|(entry, _)| drop(black_box(sanitise(entry)))))),
        ("to text", best(|| sanitised.iter().for_each(|(entry, _)| drop(black_box(Plain::of(entry)))))),
        ("label", each(&|(entry, _), plain| drop(black_box(matcher.labels(&fields(entry, &plain)))))),
        (
            "compare",
            best(|| {
                for ((entry, identity), plain) in sanitised.iter().zip(&plains) {
                    black_box(Subject::new("site", entry, plain, identity).clues());
                }
            }),
        ),
        (
            "terms",
            best(|| {
                for ((entry, _), plain) in sanitised.iter().zip(&plains) {
                    drop(black_box(telling_words(entry, plain)));
                }
            }),
        ),
    ];
    for (step, duration) in steps {
        println!("  {step:<9} {:>6.1} µs an entry", duration.as_secs_f64() * 1e6 / entries.len() as f64);
    }
}

/// Returns what rules look at.
fn fields(entry: &Entry, plain: &Plain) -> Fields {
    let tags: Vec<&str> = entry.categories.iter().map(|tag| tag.term.as_str()).collect();
    Fields::new(plain.title.clone(), plain.summary.clone(), plain.content.clone(), &tags, "site")
}

fn topic() -> Topic {
    let terms = ["numérique éducatif", "école numérique", "tablette"].map(Term::parse).into_iter().flatten().collect();
    let fields = vec![Field::Title, Field::Lead, Field::Body, Field::Tags];
    Topic {
        id: "numerique".into(),
        title: String::new(),
        description: String::new(),
        threshold: 100.0,
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

fn best(mut run: impl FnMut()) -> Duration {
    let time = |()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    std::iter::repeat_n((), ROUNDS as usize).map(time).min().unwrap_or_default()
}

fn paragraphs(entry: usize) -> String {
    let text = "<p>L’école numérique ouvre <a href=\"https://site.example/dossiers/17?x=1&amp;y=2\">un dossier</a> sur les \
                <strong>tablettes</strong> et les élèves&nbsp;: usages, limites, témoignages d’enseignants.</p>";
    format!("<h2>Partie {entry}</h2>{}<p><img src=\"/i/{entry}.jpg\" alt=\"\"></p>", text.repeat(8))
}

fn rss(is_cdata: bool) -> String {
    let items: String = (0..20).map(|n| item(n, is_cdata)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel><title>Le site</title><link>https://site.example/</link>\
         <description>Des nouvelles</description><language>fr</language>{items}</channel></rss>"
    )
}

fn item(n: usize, is_cdata: bool) -> String {
    let html = paragraphs(n);
    let escape = || html.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let content = if is_cdata { format!("<![CDATA[{html}]]>") } else { escape() };
    format!(
        "<item><title>Titre n° {n} d’un article</title><link>https://site.example/a/{n}</link><guid isPermaLink=\"false\">{n} at \
         https://site.example</guid><pubDate>Mon, 12 Feb 2024 10:00:00 +0100</pubDate><dc:creator>Élodie Martin</dc:creator>\
         <category>École</category><category>Numérique</category><description>Un résumé de l’article {n}.</description>\
         <content:encoded>{content}</content:encoded></item>\n"
    )
}

fn atom() -> String {
    let entry = |n: usize| {
        let html = paragraphs(n).replace("&nbsp;", "\u{a0}").replace("alt=\"\">", "alt=\"\"/>");
        format!(
            "<entry><id>tag:site.example,2024:{n}</id><title>Titre n° {n} d’un article</title><link href=\"https://site.example/a/{n}\"/>\
             <updated>2024-02-12T10:00:00+01:00</updated><author><name>Élodie Martin</name></author><category term=\"École\"/>\
             <content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\">{html}</div></content></entry>\n"
        )
    };
    let entries: String = (0..20).map(entry).collect();
    format!("<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Le site</title><id>x</id>{entries}</feed>")
}
