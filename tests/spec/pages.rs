//! Pages that people open: every link leads somewhere, the day's words hold until midnight, errors are pages too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use url::Url;
use veille::pipeline::{Archives, publish};

use crate::desk::Desk;
use crate::origin::{Origin, document, status};
use crate::world::{World, item, rss};

const BROWSER: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n";

/// News of the topic from a day.
fn news(name: &str, date: &str) -> String {
    item(name, &format!("École numérique {name}"), &format!("Un texte sur {name}."), &["Lycées"])
        .replace("Mon, 23 Nov 2026", date)
}

/// A polled world: two sources tell one story, one of them others too, and one source is gone.
fn world() -> World {
    let told = news("plan", "Mon, 23 Nov 2026");
    let many = (1..=20).map(|day| news(&format!("n{day}"), &format!("{day:02} Oct 2026"))).chain([told.clone()]);
    let many: Vec<String> = many.collect();
    let again = told.replace("ministere.example", "agence.example");
    let world = World::new().feed("ministere", [document(rss(&many))]).feed("agence", [document(rss(&[again]))]);
    world.feed("mort", [status(404)])
}

/// The pages of a published folder, each with its address.
fn pages(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
                let name = name.strip_suffix("index.html").unwrap_or(name);
                found.insert(format!("http://127.0.0.1:8080/{name}"), fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The values of an attribute.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    page.split(start.as_str()).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[test]
fn every_link_of_every_page_leads_to_a_document_and_to_a_place_in_it() {
    let world = world();
    world.succeeds(&["poll"]);
    let pages = pages(&world.published(""));
    assert!(pages.len() > 8, "{:?}", pages.keys());
    let mut seen = BTreeSet::new();
    for (address, page) in &pages {
        for link in values(page, "href") {
            let mut to = Url::parse(address).unwrap().join(link).unwrap();
            let fragment = to.fragment().map(str::to_owned);
            to.set_fragment(None);
            // Search needs the server.
            if to.host_str() != Some("127.0.0.1") || to.port() != Some(8080) || to.path().starts_with("/search") {
                continue;
            }
            let name = to.path().trim_start_matches('/');
            let file =
                if name.is_empty() || name.ends_with('/') { format!("{name}index.html") } else { name.to_owned() };
            assert!(world.published(&file).is_file(), "{address}: {link}");
            if let Some(fragment) = fragment {
                assert!(values(&pages[to.as_str()], "id").contains(&fragment.as_str()), "{address}: {link}");
            }
            seen.insert(file);
        }
    }
    for file in ["numerique-educatif/abonnement/index.html", "sources/ministere/index.html", "style.css"] {
        assert!(seen.contains(file), "no page leads to {file}: {seen:?}");
    }
}

#[test]
fn no_page_needs_a_script_or_a_style_of_its_own_or_another_site() {
    let world = world();
    world.succeeds(&["poll"]);
    for (address, page) in pages(&world.published("")) {
        for no in ["<script", " style=", "<style", "@import", "<iframe", " onclick", " onload"] {
            assert!(!page.contains(no), "{address}: {no}");
        }
        assert_eq!(values(&page, "src"), Vec::<&str>::new(), "{address}");
    }
}

#[test]
fn what_is_served_is_what_lies_in_files() {
    let world = world();
    let daemon = world.run();
    daemon.until("/numerique-educatif/archive/2026-11/", |body| body.contains("École numérique plan"));
    daemon.until("/sources/ministere/", |body| body.contains("École numérique plan"));
    for path in ["", "numerique-educatif/", "numerique-educatif/abonnement/", "sources/", "sources/ministere/"] {
        let (head, body) = daemon.get(&format!("/{path}"), BROWSER);
        assert!(
            head.starts_with("HTTP/1.1 200") && head.contains("content-security-policy: default-src 'none'"),
            "{head}"
        );
        daemon
            .until(&format!("/{path}"), |_| fs::read_to_string(world.published(&format!("{path}index.html"))).is_ok());
        let file = fs::read_to_string(world.published(&format!("{path}index.html"))).unwrap();
        let later = daemon.get(&format!("/{path}"), BROWSER).1;
        assert!(file == body || file == later, "{path}");
    }
}

#[test]
fn a_browser_at_the_address_of_a_feed_is_told_what_a_feed_is() {
    let world = world();
    let daemon = world.run();
    for extension in ["atom", "rss", "json"] {
        let page = daemon.get(&format!("/numerique-educatif.{extension}"), BROWSER).1;
        assert!(
            page.contains("<code class=\"address\">http://127.0.0.1:8080/numerique-educatif.atom</code>"),
            "{page}"
        );
    }
    assert!(daemon.get("/numerique-educatif.atom", "").1.starts_with("<?xml"), "readers get the feed");
}

#[test]
fn where_nothing_is_a_browser_gets_a_page_of_the_site_and_a_program_a_line() {
    let world = world();
    let daemon = world.run();
    for path in ["/rien", "/rien/du/tout/", "/numerique-educatif/archive/1999-01/"] {
        let (head, page) = daemon.get(path, BROWSER);
        assert!(head.starts_with("HTTP/1.1 404") && head.contains("content-type: text/html"), "{head}");
        assert!(
            head.contains("content-security-policy: default-src 'none'") && head.contains("vary: Accept"),
            "{head}"
        );
        for shown in
            ["Rien à cette adresse", "href=\"/numerique-educatif/\"", "href=\"/search/\"", "href=\"/style.css\""]
        {
            assert!(page.contains(shown), "{page}");
        }
        let (head, text) = daemon.get(path, "");
        assert!(head.starts_with("HTTP/1.1 404") && head.contains("text/plain"), "{head}");
        assert!(text.contains("Nothing is published") && !text.contains('<'), "{text}");
    }
}

#[test]
fn pages_of_errors_find_their_way_below_a_path() {
    let world = world();
    let text = fs::read_to_string(world.config()).unwrap();
    fs::write(world.config(), text.replace("http://127.0.0.1:8080/", "https://example.org/veille/")).unwrap();
    let daemon = world.run();
    for path in ["/veille/rien", "/rien"] {
        let page = daemon.get(path, BROWSER).1;
        assert!(page.contains("href=\"/veille/style.css\"") && page.contains("href=\"/veille/sources/\""), "{page}");
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The names of files that changed since they were listed.
fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    after.iter().filter(|(name, bytes)| before.get(*name) != Some(bytes)).map(|(name, _)| name.clone()).collect()
}

#[tokio::test]
async fn a_page_changes_at_midnight_of_the_zone_and_only_then() {
    let origin = Origin::start();
    let recent = |name: &str, date: &str| news(name, date).replace("07:00:00", "10:00:00");
    let items = [recent("hier", "Fri, 27 Nov 2026"), recent("jour", "Sat, 28 Nov 2026")];
    origin.answers("/a", document(rss(&items)));
    let topic = "[[topic]]\nid = \"ecole\"\nlang = \"\"\nany = [\"école numérique\"]\n";
    let desk = Desk::new(&format!("{topic}[[feed]]\nid = \"a\"\nurl = \"{}\"\n", origin.url("/a")));
    desk.poll("a", at("2026-11-28T12:00:00Z")).await;
    let folder = desk.context.config.publish.directory.clone();
    let publish = async |now: &str| {
        let stop = CancellationToken::new();
        let published = publish(&desk.context, Archives::Changed, &[], at(now), &stop).await.unwrap().unwrap();
        published.written.unwrap();
        pages(&folder)
    };
    let noon = publish("2026-11-28T12:00:00Z").await;
    let home = &noon["http://127.0.0.1:8080/"];
    let words = |page: &str| ["Aujourd’hui", "Hier"].map(|word| page.contains(&format!(">{word} <small>")));
    assert_eq!(words(home), [true, true], "{home}");
    let evening = publish("2026-11-28T22:59:59Z").await;
    assert_eq!(changed(&noon, &evening), Vec::<String>::new(), "the hour is no part of a page");
    let night = publish("2026-11-28T23:00:01Z").await;
    assert_eq!(words(&night["http://127.0.0.1:8080/"]), [false, true]);
    assert_eq!(changed(&evening, &night), ["http://127.0.0.1:8080/", "http://127.0.0.1:8080/ecole/"]);
    assert_eq!(publish("2026-11-28T12:00:00Z").await, noon, "the same stories and the same day give the same bytes");
}

#[test]
fn the_page_of_a_source_is_written_again_for_its_own_stories_alone() {
    let (old, new) = (news("un", "Mon, 23 Nov 2026"), news("deux", "Tue, 24 Nov 2026"));
    let other = news("autre", "Mon, 23 Nov 2026").replace("ministere.example", "agence.example");
    let first = document(rss(std::slice::from_ref(&old)));
    let world = World::new()
        .feed("ministere", [first, document(rss(&[new, old]))])
        .feed("agence", [document(rss(&[other]))])
        .with("dedup = false");
    world.succeeds(&["poll"]);
    let touched =
        |id: &str| fs::metadata(world.published(&format!("sources/{id}/index.html"))).unwrap().modified().unwrap();
    let before = (touched("ministere"), touched("agence"));
    world.succeeds(&["poll", "--force"]);
    let page = fs::read_to_string(world.published("sources/ministere/index.html")).unwrap();
    assert!(page.contains("École numérique deux") && page.contains("École numérique un"), "{page}");
    assert!(touched("ministere") > before.0);
}

#[test]
fn the_archive_counts_its_months_and_follows_what_comes() {
    let world = world();
    world.succeeds(&["poll"]);
    let page = fs::read_to_string(world.published("numerique-educatif/archive/index.html")).unwrap();
    let counts: Vec<&str> =
        page.split("<span class=\"count\">").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    assert_eq!(counts, ["1", "20"], "newest first: {page}");
    let again = fs::read_to_string(world.published("numerique-educatif/index.html")).unwrap();
    world.succeeds(&["publish"]);
    assert_eq!(fs::read_to_string(world.published("numerique-educatif/index.html")).unwrap(), again);
}

#[test]
fn a_month_shows_its_days_and_each_story_under_its_own() {
    let world = world();
    world.succeeds(&["poll"]);
    let page = fs::read_to_string(world.published("numerique-educatif/archive/2026-10/index.html")).unwrap();
    assert_eq!((page.matches("<section").count(), page.matches("</section>").count()), (20, 20), "{page}");
    let day = page.split("Jeudi 1er\u{a0}octobre 2026</h2>").nth(1).unwrap();
    assert!(day.split("</section>").next().unwrap().contains("École numérique n1<"), "{day}");
}
