//! `full_text = true`: what the page of an entry adds to its feed, and what it never does.

use std::fs;
use std::time::Duration;

use crate::origin::{Answer, document, raw, status};
use crate::world::{TOPIC, World, item, rss, stderr};

/// A page as ministries had them in 2015: its tags, its menus and its readers speak of everything.
const PAGE: &str = include_str!("../../src/parse/article/ministry.html");

/// Words from the middle of the page's article.
const ARTICLE: &str = "cinq cents établissements";

/// A topic that is in an entry as soon as its text names it.
const MENTIONED: &str = "[[topic]]\nid = \"laicite\"\ntitle = \"Laïcité\"\nany = [\"laïcité\", \"harcèlement\"]\nthreshold = 0.5\n\
    [[topic]]\nid = \"formation\"\ntitle = \"Formation\"\nany = [\"formateurs\"]\nthreshold = 0.5\n";

fn page(body: &str) -> Answer {
    status(200).header("content-type", "text/html; charset=utf-8").body(body)
}

/// An entry whose page is on the publisher's own server.
fn entry(world: &World, name: &str, tags: &[&str]) -> String {
    let item = item(name, "Signature d’un partenariat", "La ministre a signé.", tags);
    item.replace(&format!("https://ministere.example/{name}"), world.origin.url(&format!("/{name}")).as_str())
}

/// A world with a feed of full text, whose entries have these pages.
fn world(pages: &[(&str, Answer)], tags: &[&str]) -> World {
    let world = World::new();
    let mut items = Vec::new();
    for (name, page) in pages {
        items.push(entry(&world, name, tags));
        world.origin.answers(&format!("/{name}"), page.clone());
    }
    world.feed("education", document(rss(&items))).with("full_text = true")
}

fn contents(world: &World) -> Vec<String> {
    let store = rusqlite::Connection::open(world.folder.path().join("data/veille.db")).unwrap();
    let mut query = store.prepare("SELECT coalesce(content, '') FROM entry ORDER BY number").unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn topics(world: &World) -> Vec<String> {
    let entries = world.json(&["entries", "--json"]);
    let topics = entries.iter().flat_map(|entry| entry["topics"].as_array().unwrap());
    topics.map(|topic| topic["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_article_of_its_page_becomes_an_entrys_content() {
    let world = world(&[("partenariat", page(PAGE))], &["école numérique"]);
    world.succeeds(&["poll"]);
    let atom = world.atom();
    assert!(atom.contains(ARTICLE) && atom.contains("équipementier de réseaux"), "{atom}");
    for other in ["laïcité", "Sur le même sujet", "tablettes", "Mentions légales", "commentaires"] {
        assert!(PAGE.contains(other) && !atom.contains(other), "{other}");
    }
}

#[test]
fn tags_comments_and_links_of_the_page_decide_no_topic_and_its_article_does() {
    let world = world(&[("partenariat", page(PAGE))], &[]);
    world.write_config(&format!("{TOPIC}{MENTIONED}"));
    world.succeeds(&["poll"]);
    assert_eq!(topics(&world), ["formation"]);
}

#[test]
fn a_page_is_fetched_once_and_asked_for_as_a_page() {
    let world = world(&[("partenariat", page(PAGE))], &[]);
    let item = entry(&world, "partenariat", &[]);
    world.succeeds(&["poll"]);
    // The document differs, its entry does not.
    world.origin.answers("/education", document(format!("{}\n<!-- -->", rss(&[item]))));
    let lines = world.json(&["poll", "--force", "--json"]);
    assert_eq!((&lines[0]["new"], &lines[0]["changed"]), (&0.into(), &0.into()));
    let asked = world.origin.requests("/partenariat");
    assert_eq!(asked.len(), 1);
    assert!(asked[0].header("accept").unwrap().starts_with("text/html"), "{asked:?}");
    assert!(contents(&world)[0].contains(ARTICLE));
}

#[test]
fn pages_that_fail_leave_the_feeds_own_text_and_are_told() {
    let broken = [
        ("missing", status(404)),
        ("file", status(200).header("content-type", "application/pdf").body("%PDF-1.7")),
        ("whole", page(PAGE)),
        ("empty", page("<title>Accueil</title><nav><a href=/>Accueil</a></nav>")),
    ];
    let world = world(&broken, &["école numérique"]);
    let output = world.veille(&["poll"]);
    assert_eq!(world.atom().matches("<entry").count(), 4);
    assert_eq!(contents(&world).iter().filter(|content| content.contains(ARTICLE)).count(), 1);
    assert!(output.status.success(), "{}", stderr(&output));
    let told = world.succeeds(&["feeds"]);
    assert!(told.contains("no full text for 3 entries; ") && told.contains("/missing: "), "{told}");
    assert_eq!(world.json(&["feeds", "--json"])[0]["status"], "ok");
}

#[test]
fn the_latest_entries_get_their_pages_when_there_are_too_many() {
    let names = ["a", "b", "c", "d"];
    let world = world(&names.map(|name| (name, page(PAGE))), &[]);
    let config = fs::read_to_string(world.config()).unwrap();
    fs::write(world.config(), config.replace("[poll]", "[poll]\npages_max = 2")).unwrap();
    let dated =
        names.iter().enumerate().map(|(at, name)| entry(&world, name, &[]).replace("23 Nov", &format!("1{at} Nov")));
    world.origin.answers("/education", document(rss(&dated.collect::<Vec<_>>())));
    world.succeeds(&["poll"]);
    assert_eq!(names.map(|name| world.origin.requests(&format!("/{name}")).len()), [0, 0, 1, 1]);
    let told = world.succeeds(&["feeds"]);
    assert!(told.contains("2 entries not asked for full text: `poll.pages_max` is 2"), "{told}");
}

#[test]
fn a_site_that_is_down_is_asked_three_times_and_no_more() {
    let world = world(&["a", "b", "c", "d", "e", "f"].map(|name| (name, status(500))), &["école numérique"]);
    world.succeeds(&["poll"]);
    assert_eq!(world.origin.all_requests().len(), 1 + 3);
    assert_eq!(world.atom().matches("<entry").count(), 6);
    let told = world.succeeds(&["feeds"]);
    assert!(told.contains("3 entries not asked for full text: 3 pages failed in a row"), "{told}");
}

#[test]
fn pages_at_addresses_that_are_not_public_are_not_fetched() {
    let world = World::new();
    let links = ["http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/page", "file:///etc/passwd"];
    let items = links.map(|link| {
        item(link, &format!("Un lien vers {link}"), "Un texte.", &["école numérique"])
            .replace(&format!("https://ministere.example/{link}"), link)
    });
    let world = world.feed("education", document(rss(&items))).with("full_text = true");
    world.succeeds(&["poll"]);
    assert_eq!(world.atom().matches("<entry").count(), 3);
    assert!(world.succeeds(&["feeds"]).contains("no full text for 2 entries"), "{}", world.succeeds(&["feeds"]));
}

#[test]
fn a_list_that_several_entries_share_as_their_page_is_not_fetched() {
    let world = World::new();
    world.origin.answers("/list", page(PAGE));
    let list = world.origin.url("/list").to_string();
    let shared = ["Un concours", "Une journée"].map(|title| {
        item(title, title, "Un texte.", &[]).replace(&format!("https://ministere.example/{title}"), &list)
    });
    let world = world.feed("education", document(rss(&shared))).with("full_text = true");
    world.succeeds(&["poll"]);
    assert!(world.origin.requests("/list").is_empty());
}

#[test]
fn a_page_that_never_ends_keeps_no_other_feed_waiting() {
    let slow = page(PAGE).stalling_after(10);
    let world = world(&[("slow", slow)], &["école numérique"])
        .feed("other", document(rss(&[item("b", "École numérique", "Texte", &[])])));
    let config = fs::read_to_string(world.config()).unwrap();
    // One place for all requests, and the poll that waits for the page holds none of it while it does not ask.
    fs::write(world.config(), config.replace("[poll]", "[poll]\nconcurrency = 1")).unwrap();
    let cost = world.poll_watched();
    assert!(cost.duration < Duration::from_secs(12), "{cost:?}");
    assert_eq!(world.atom().matches("<entry").count(), 2);
}

#[test]
fn hostile_pages_cost_seconds_of_nobody() {
    let pages = [
        ("deep", page(&"<div>".repeat(300_000))),
        ("wide", page(&"<p>a</p>".repeat(300_000))),
        ("links", page(&"<a href=/a>a, b, c</a> ".repeat(9_000))),
        ("tables", page(&"<table><tr><td>x".repeat(9_000))),
        ("scripts", page(&"<script>".repeat(300_000))),
        (
            "bytes",
            raw(["HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n".as_bytes(), &vec![0xff; 5_000_000]].concat()),
        ),
        ("good", page(PAGE)),
    ];
    let world = world(&pages, &["école numérique"]);
    let cost = world.poll_watched();
    assert!(cost.memory < 200 << 20 && cost.cpu < Duration::from_secs(9), "{cost:?}");
    assert!(contents(&world).iter().any(|content| content.contains(ARTICLE)));
    assert_eq!(world.atom().matches("<entry").count(), 7);
}

#[test]
fn inspect_shows_the_article() {
    let world = world(&[("partenariat", page(PAGE))], &[]);
    let url = world.origin.url("/education").to_string();
    let text = world.succeeds(&["inspect", &url]);
    assert!(text.contains("from its page:") && text.contains("cinq cents"), "{text}");
    let file = world.folder.path().join("feed.xml");
    fs::write(&file, rss(&[entry(&world, "partenariat", &[])])).unwrap();
    let file = file.to_str().unwrap();
    assert!(!world.succeeds(&["inspect", file]).contains("cinq cents"));
    let seen = &world.json(&["inspect", file, "--full-text", "--json"])[0];
    assert!(seen["entries"][0]["content"].as_str().unwrap().contains(ARTICLE), "{seen}");
}
