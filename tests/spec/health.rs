//! The health of sources, hubs and the config, as their operator and readers learn of it.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use chrono::{DateTime, TimeDelta, Utc};
use veille::pipeline::{self, Announced};
use veille::state::{Health, Monitored, Turn};

use crate::desk::Desk;
use crate::origin::{Origin, document, status};
use crate::world::{TOPIC, World, item, partnership, rss, stderr};

/// A key that is wrong, after everything that is right.
const MISTAKE: &str = "titel = \"Justice\"\n";

/// Topics of a site that shows the health of its config to everybody.
const PUBLIC: &str = "[publish]\nhealth = \"public\"\n";

fn world() -> World {
    let world = World::new().feed("education", [document(rss(&[partnership()]))]);
    world.write_config(&format!("{PUBLIC}{TOPIC}"));
    world
}

fn titles(document: &str) -> Vec<&str> {
    let entries = document.split("<entry>").skip(1);
    entries.map(|entry| entry.split("<title>").nth(1).unwrap().split("</title>").next().unwrap()).collect()
}

#[test]
fn a_broken_config_is_told_among_the_sources_until_it_is_mended() {
    let world = world();
    let mut daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("Signature"));
    assert_eq!(titles(&daemon.get("/sources.atom", "").1), Vec::<&str>::new());

    world.write_config(&format!("{PUBLIC}{TOPIC}{MISTAKE}"));
    let feed = daemon.until("/sources.atom", |body| body.contains("<entry>"));
    assert_eq!(
        titles(&feed),
        ["config.toml\u{a0}: contient des erreurs, la dernière version correcte reste en vigueur"]
    );
    let summary = feed.split("<summary xml:lang=\"en\">").nth(1).unwrap().split("</summary>").next().unwrap();
    assert!(
        summary.starts_with("config.toml:2") && summary.ends_with(":1: unknown key `titel` in `topic`"),
        "{summary}"
    );
    assert!(!feed.contains(world.folder.path().to_str().unwrap()), "the machine's folders are nobody's business");
    let page = daemon.get("/sources/", "").1;
    let trouble = page.split("En difficulté").nth(1).unwrap().split("En ordre").next().unwrap();
    assert!(trouble.contains("id=\"config.toml\"") && trouble.contains("unknown key `titel`"), "{page}");

    // Still so after a restart that had to wait for the mend.
    daemon.signal("TERM");
    daemon.ends();
    world.write_config(&format!("{PUBLIC}{TOPIC}"));
    let daemon = world.run();
    let feed = daemon.until("/sources.atom", |body| titles(body).len() == 2);
    assert_eq!(titles(&feed)[0], "config.toml\u{a0}: de nouveau en ordre");
    assert!(!daemon.get("/sources/", "").1.contains("En difficulté"));
}

#[test]
fn a_config_saved_again_with_the_same_mistake_is_no_news() {
    let world = world();
    let mut daemon = world.run();
    world.write_config(&format!("{PUBLIC}{TOPIC}{MISTAKE}"));
    daemon.hears("the last good one stays in force");
    world.write_config(&format!("{PUBLIC}{TOPIC}{MISTAKE}# later\n"));
    daemon.hears("the last good one stays in force");
    world.write_config(&format!("{PUBLIC}{TOPIC}"));
    daemon.hears("config reloaded");
    let feed = daemon.until("/sources.atom", |body| body.contains("de nouveau en ordre"));
    assert_eq!(titles(&feed).len(), 2, "{feed}");
}

/// Breaks the config of a polled world so, and checks that `veille feeds` tells it and still what the store knows.
fn check_feeds(broken: &str, told: &str) {
    let world = world();
    world.succeeds(&["poll"]);
    let text = fs::read_to_string(world.config()).unwrap();
    fs::write(world.config(), format!("{text}{broken}")).unwrap();
    let output = world.veille(&["feeds", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&line["id"], &line["status"]), (&"education".into(), &"ok".into()));
}

#[test]
fn feeds_of_a_broken_config_tells_it_and_what_the_store_knows() {
    check_feeds(MISTAKE, "unknown key `titel`");
    check_feeds("any = [\n\"école\n", "error");
    check_feeds("[store]\nkeep = \"long\"\n", "`keep` must be a duration");
}

#[test]
fn feeds_of_a_broken_config_without_a_store_tells_the_mistake_alone() {
    let world = world();
    world.write_config(&format!("{PUBLIC}{TOPIC}{MISTAKE}"));
    let output = world.veille(&["feeds"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(!world.folder.path().join("data").exists(), "nothing is made");
}

#[test]
fn feeds_tells_that_the_daemon_refused_the_config() {
    let world = world();
    let mut daemon = world.run();
    world.write_config(&format!("{PUBLIC}{TOPIC}{MISTAKE}"));
    daemon.hears("the last good one stays in force");
    daemon.until("/sources.atom", |body| body.contains("<entry>"));
    drop(daemon);
    world.write_config(&format!("{PUBLIC}{TOPIC}"));
    let output = world.veille(&["feeds"]);
    assert!(output.status.success());
    assert!(stderr(&output).contains("was refused: config.toml:26:1: unknown key"), "{}", stderr(&output));
    world.succeeds(&["poll"]);
    assert_eq!(stderr(&world.veille(&["feeds"])), "");
}

/// An item of so many days ago.
fn item_of(days: i64) -> String {
    let date = (Utc::now() - TimeDelta::days(days)).to_rfc2822();
    let item = item(&format!("n{days}"), &format!("Nouvelle {days}"), "Texte", &[]);
    item.replace("Mon, 23 Nov 2026 08:00:00 +0100", &date)
}

/// A feed that wrote every day and stopped forty days ago.
fn silent() -> String {
    rss(&(40..60).map(item_of).collect::<Vec<_>>())
}

#[test]
fn a_poll_without_a_daemon_notices_silence_once() {
    let world = World::new().feed("education", [document(silent())]).with("dedup = false");
    for _ in 0..2 {
        world.succeeds(&["poll", "--force"]);
        let feed = fs::read_to_string(world.published("sources.atom")).unwrap();
        assert_eq!(titles(&feed), ["Ministère\u{a0}: muette depuis bien plus longtemps que d’habitude"]);
        assert_eq!(world.json(&["feeds", "--json"])[0]["status"], "silent");
    }
}

#[tokio::test]
async fn upkeep_is_done_once_a_day_whoever_asks() {
    let origin = Origin::start();
    origin.answers("/a", [document(rss(&[partnership(), item_of(50)])), document(rss(&[partnership()]))]);
    let desk = Desk::new(&format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\n", origin.url("/a")));
    let now = Utc::now();
    desk.poll("a", now).await;
    desk.poll("a", now + TimeDelta::days(1)).await;
    let kept = now + desk.context.config.store.keep;
    for (hours, dropped) in [(-1, 0), (1, 0), (23, 1)] {
        let upkeep = pipeline::upkeep(&desk.context, kept + TimeDelta::hours(hours)).await.unwrap();
        assert_eq!(upkeep, dropped, "{hours} hours after the entry is too old");
    }
}

/// The minute from which the hub of [`hub_changes`] answers.
const MENDED: i64 = 9_000;

/// A hub's changes, oldest first, after announcements at these minutes.
async fn hub_changes(minutes: &[i64]) -> Vec<Turn> {
    let origin = Origin::start();
    origin.answers("/hub", status(500));
    let desk = Desk::new(&format!("[publish]\nhubs = [\"{}\"]\n", origin.url("/hub")));
    let start: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().unwrap();
    for minute in minutes {
        if *minute >= MENDED {
            origin.answers("/hub", status(204));
        }
        let addresses = vec!["https://veille.example/a.atom".into()];
        let topics = [Announced { topic: "a".into(), hash: format!("{minute}"), addresses }];
        pipeline::announce(&desk.context, &topics, start + TimeDelta::minutes(*minute)).await.unwrap();
    }
    let mut turns = desk.context.store.call(|store| Ok(store.outline(&[], 10)?.turns)).await.unwrap();
    turns.reverse();
    turns
}

#[tokio::test]
async fn a_hub_that_fails_for_long_is_told_once_and_again_when_it_answers() {
    let short = hub_changes(&[0, 2, 5, 10, 20]).await;
    assert_eq!(short, [], "most are over soon");
    let long = hub_changes(&[0, 2, 5, 10, 20, 40, 80, 1_000, MENDED]).await;
    let told: Vec<Health> = long.iter().map(|turn| turn.health).collect();
    assert_eq!(told, [Health::Unreachable, Health::Recovered], "{long:?}");
    assert!(matches!(&long[0].of, Monitored::Hub(hub) if hub.ends_with("/hub")));
    assert!(long[0].detail.as_ref().unwrap().contains("500"), "{long:?}");
}

#[test]
fn troubles_of_the_config_are_the_operators_alone_unless_they_are_public() {
    let world = World::new().feed("education", [document(rss(&[partnership()]))]);
    let mut daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("Signature"));
    world.write_config(&format!("{TOPIC}{MISTAKE}"));
    daemon.hears("the last good one stays in force");
    let health = daemon.until("/healthz", |body| body.contains("degraded"));
    assert!(health.contains("the config file has mistakes"), "{health}");
    // The publication that would show it has been made once this one is.
    world.write_config(TOPIC);
    daemon.hears("config reloaded");
    assert_eq!(titles(&daemon.get("/sources.atom", "").1), Vec::<&str>::new());
    assert!(!daemon.get("/sources/", "").1.contains("config.toml"));
}

#[test]
fn healthz_counts_sources_and_is_degraded_when_more_than_half_fail() {
    let world = World::new()
        .feed("well", [document(rss(&[partnership()]))])
        .feed("missing", [status(404)])
        .feed("page", [document("<!doctype html><title>Accueil</title>".to_owned())]);
    let daemon = world.run();
    let health = daemon.until("/healthz", |body| body.contains("2 of 3 sources fail") && body.contains("\"ok\":1"));
    let health: serde_json::Value = serde_json::from_str(&health).unwrap();
    assert_eq!((&health["status"], &health["sources"]["ok"]), (&"degraded".into(), &1.into()));
    assert_eq!((&health["sources"]["failing"], &health["topics"]), (&2.into(), &1.into()));
    assert!(daemon.get("/healthz", "").0.starts_with("HTTP/1.1 200"));
    assert!(daemon.get("/healthz?strict", "").0.starts_with("HTTP/1.1 503"));
    let metrics = daemon.until("/metrics", |text| text.contains("veille_source_topic_entries{source=\"well\"} 1"));
    for line in ["veille_sources{state=\"failing\"} 2", "veille_source_failures{source=\"missing\"} 1"] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn health_and_metrics_can_have_a_listener_of_their_own() {
    let world = World::new().feed("education", [document(rss(&[partnership()]))]);
    let text = fs::read_to_string(world.config()).unwrap();
    let socket = world.folder.path().join("internal.sock");
    let key = format!("[serve]\ninternal = \"unix:{}\"", socket.display());
    fs::write(world.config(), text.replace("[serve]", &key)).unwrap();
    let daemon = world.run();
    for path in ["/healthz", "/metrics"] {
        assert!(daemon.get(path, "").0.starts_with("HTTP/1.1 404"));
        let mut stream = UnixStream::connect(&socket).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[test]
fn feeds_puts_troubles_first_in_eighty_columns_and_check_tells_by_its_exit_code() {
    let asleep = rss(&[item_of(2100), item_of(2130)]);
    let world = World::new()
        .feed("well", [document(rss(&[partnership()]))])
        .feed("asleep", [document(asleep)])
        .feed("a-feed-with-a-name-that-is-as-long-as-a-name-of-a-feed-can-be", [status(404)]);
    world.succeeds(&["poll"]);
    let told = world.succeeds(&["feeds"]);
    let order: Vec<&str> = told.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let place = |word: &str| order.iter().position(|first| *first == word).unwrap();
    assert!(place("failing") < place("asleep") && place("asleep") < place("ok"), "{told}");
    // An address is there to be copied, so it is not broken.
    let is_narrow = |line: &str| line.chars().count() <= 80 || line.trim_start().starts_with("http");
    assert!(told.lines().all(is_narrow), "{told}");
    let last = (Utc::now() - TimeDelta::days(2100)).format("%Y-%m-%d");
    assert!(told.contains(&format!("last news {last}, 5 years ago")), "{told}");
    assert!(told.contains("1 of 1"), "{told}");
    let check = world.veille(&["feeds", "--check"]);
    assert_eq!(check.status.code(), Some(1));
    assert!(stderr(&check).contains("need somebody: a-feed-with"), "{}", stderr(&check));
    let healthy = World::new().feed("well", [document(rss(&[partnership()]))]);
    healthy.succeeds(&["poll"]);
    healthy.succeeds(&["feeds", "--check"]);
}
