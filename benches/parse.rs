//! What reading costs: `cargo bench --bench parse`. Each line is the best of several rounds on documents made here.
//!
//! Feeds have 20 entries of French HTML, 40 to 50 KB. "bare" is feed-rs alone on the same bytes: the ratio to it is what
//! tolerance costs, and holds on any machine.
#![expect(clippy::print_stdout, reason = "a benchmark reports to people")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use veille::feed::Entry;
use veille::parse::{Limits, read, sanitise};

const ROUNDS: u32 = 200;

fn main() {
    for (name, document) in [("rss, CDATA", rss(true)), ("rss, escaped", rss(false)), ("atom, xhtml", atom())] {
        let bytes = document.as_bytes();
        let now = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(365 * 60);
        let zone = chrono_tz::Tz::Europe__Paris;
        let whole =
            || read(bytes, None, None, zone, &Limits::default(), now).map(|feed| feed.entries).unwrap_or_default();
        let entries: Vec<Entry> = whole();
        let bare =
            best(|| drop(black_box(feed_rs::parser::Builder::new().sanitize_content(false).build().parse(bytes))));
        let read = best(|| drop(black_box(whole())));
        let sanitised = best(|| entries.iter().cloned().for_each(|entry| drop(black_box(sanitise(entry)))));
        println!(
            "{name:<13} {} KB, {} entries: bare {bare:?}, read {read:?} ({:.1} times), sanitise {sanitised:?}",
            bytes.len() / 1024,
            entries.len(),
            read.as_secs_f64() / bare.as_secs_f64(),
        );
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
