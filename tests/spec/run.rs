//! `veille run`: the daemon as its operator sees it.

use std::fs;
use std::time::Duration;

use crate::origin::{document, status};
use crate::world::{TOPIC, World, item, justice, partnership, rss, stderr};

fn world() -> World {
    World::new().feed("education", [document(rss(&[partnership(), justice()])).etag("\"v1\"")])
}

const FEED: &str = "/numerique-educatif.atom";

#[test]
fn it_serves_before_its_first_poll_ends_and_then_what_it_brought() {
    let slow = document(rss(&[partnership()])).after(Duration::from_millis(500));
    let world = World::new().feed("education", [slow]);
    let daemon = world.run();
    assert!(daemon.get(FEED, "").0.starts_with("HTTP/1.1 200"));
    daemon.until(FEED, |body| body.contains("Signature"));
}

#[test]
fn a_reader_that_has_the_feed_gets_304() {
    let world = world();
    let daemon = world.run();
    daemon.until(FEED, |body| body.contains("Signature"));
    let (head, _) = daemon.get(FEED, "");
    let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    assert!(head.contains("content-type: application/atom+xml"), "{head}");
    let (head, body) = daemon.get(FEED, &format!("If-None-Match: {etag}\r\n"));
    assert!(head.starts_with("HTTP/1.1 304"), "{head}");
    assert_eq!(body, "");
}

#[test]
fn nothing_outside_the_tree_is_served() {
    let world = world();
    let daemon = world.run();
    for path in ["/../config.toml", "/%2e%2e/config.toml", "/data/veille.db", "/.veille", "//etc/passwd"] {
        let (head, _) = daemon.get(path, "");
        assert!(head.starts_with("HTTP/1.1 404") || head.starts_with("HTTP/1.1 400"), "{path}: {head}");
    }
}

#[test]
fn sigterm_ends_it_cleanly() {
    let world = world();
    let mut daemon = world.run();
    daemon.until(FEED, |body| body.contains("Signature"));
    daemon.signal("TERM");
    assert_eq!(daemon.ends(), Some(0));
    assert!(!world.folder.path().join("data/veille.db-wal").exists(), "the store was closed in order");
}

#[test]
fn a_restart_polls_only_what_is_due() {
    let world = world();
    let mut daemon = world.run();
    daemon.until(FEED, |body| body.contains("Signature"));
    daemon.signal("TERM");
    daemon.ends();
    let daemon = world.run();
    daemon.until(FEED, |body| body.contains("Signature"));
    assert_eq!(world.origin.requests("/education").len(), 1);
}

/// Returns what `feeds` tells of the last feed, once it tells the time of its next poll.
fn told(world: &World) -> serde_json::Value {
    let end = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        let feed = world.json(&["feeds", "--json"]).pop().unwrap();
        if feed["next_poll"].is_string() {
            return feed;
        }
        assert!(std::time::Instant::now() < end, "{feed}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_host_that_asked_to_be_left_alone_is_left_alone_by_all_its_feeds_after_a_restart() {
    // RFC 9110 §10.2.3. A wait that ends before the next round shows nowhere in the state of its source.
    for refusal in [status(429).header("retry-after", "90"), status(503).header("retry-after", "3600")] {
        let world = World::new().feed("a", [refusal]);
        let mut daemon = world.run();
        assert_eq!(told(&world)["failures"], 1);
        daemon.signal("KILL");
        daemon.ends();
        let world = world.feed("b", [document(rss(&[partnership()]))]);
        let mut daemon = world.run();
        let other = told(&world);
        assert!(other["next_poll_why"].as_str().unwrap().contains("127.0.0.1 asked to be left alone until"), "{other}");
        assert_eq!((&other["failures"], &other["last_error"]), (&0.into(), &serde_json::Value::Null));
        daemon.signal("TERM");
        daemon.ends();
        // `veille poll` is no way around it.
        world.succeeds(&["poll", "--force"]);
        assert!(world.origin.requests("/b").is_empty());
        assert_eq!(world.origin.requests("/a").len(), 1);
    }
}

#[test]
fn a_host_that_was_throttled_by_another_process_is_left_alone_by_the_daemon() {
    let world = World::new().feed("a", [document(rss(&[partnership()])), status(503).header("retry-after", "3600")]);
    let daemon = world.run();
    daemon.until(FEED, |body| body.contains("Signature"));
    world.succeeds(&["poll", "--force"]);
    let world = world.feed("b", [document(rss(&[justice()]))]);
    let other = told(&world);
    assert!(other["next_poll_why"].as_str().unwrap().contains("asked to be left alone until"), "{other}");
    assert!(world.origin.requests("/b").is_empty());
}

#[test]
fn a_saved_config_is_taken_over_and_stored_entries_follow() {
    let world = world();
    let daemon = world.run();
    daemon.until(FEED, |body| body.contains("Signature"));
    world.write_config("\n[[topic]]\nid = \"justice\"\ntitle = \"Justice\"\nany = [\"justice\"]\n");
    daemon.until("/justice.atom", |body| body.contains("justice des mineurs"));
    assert!(daemon.get(FEED, "").0.starts_with("HTTP/1.1 404"), "a removed topic is not served");
    assert!(!world.published("numerique-educatif.atom").exists(), "nor is its file left");
    assert_eq!(world.origin.requests("/education").len(), 1, "nothing is fetched again");
}

#[test]
fn a_config_with_a_mistake_changes_nothing_and_is_told() {
    let world = world();
    let mut daemon = world.run();
    daemon.until(FEED, |body| body.contains("Signature"));
    world.write_config("\n[[topic]]\nid = \"justice\"\ntitel = \"Justice\"\n");
    daemon.hears("the last good one stays in force");
    daemon.hears("titel");
    assert!(daemon.get(FEED, "").1.contains("Signature"));
    assert!(daemon.get("/healthz", "").1.contains("config"));
    world.write_config(TOPIC);
    daemon.hears("config reloaded");
}

#[test]
fn sighup_reloads() {
    let world = world();
    let mut daemon = world.run();
    daemon.until(FEED, |body| body.contains("Signature"));
    daemon.signal("HUP");
    daemon.hears("config reloaded");
}

#[test]
fn a_config_with_mistakes_stops_the_start_with_exit_2() {
    let world = world();
    world.write_config("\n[[topic]]\nid = \"a b\"\ntitle = \"Justice\"\n");
    let output = world.veille(&["run"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("config.toml:"), "{}", stderr(&output));
}

#[test]
fn a_port_in_use_is_told_with_the_way_out() {
    let world = world();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = fs::read_to_string(world.config()).unwrap();
    let listen = format!("listen = \"{}\"", taken.local_addr().unwrap());
    fs::write(world.config(), text.replace("listen = \"127.0.0.1:0\"", &listen)).unwrap();
    let output = world.veille(&["run"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(text.contains("cannot listen on 127.0.0.1:") && text.contains("serve.listen"), "{text}");
}

#[test]
fn a_poll_beside_the_daemon_is_published_by_both() {
    let first = document(rss(&[justice()]));
    let world = World::new().feed("education", [first, document(rss(&[partnership(), justice()]))]);
    let mut daemon = world.run();
    daemon.hears("polled, 1 new");
    world.succeeds(&["poll", "--force"]);
    assert!(world.atom().contains("Signature"));
    daemon.until(FEED, |body| body.contains("Signature"));
}

#[test]
fn a_kill_in_the_middle_of_polls_loses_nothing_and_doubles_nothing() {
    let items = |feed: usize| -> Vec<String> {
        (0..40).map(|n| item(&format!("{feed}-{n}"), &format!("École numérique {feed} {n}"), "Texte", &[])).collect()
    };
    let mut world = World::new();
    for feed in 0..12 {
        let answer = document(rss(&items(feed))).after(Duration::from_millis(u64::try_from(feed).unwrap() * 25));
        world = world.feed(&format!("feed{feed}"), [answer]).with("dedup = false");
    }
    for wait in [60, 120, 200] {
        let daemon = world.run();
        std::thread::sleep(Duration::from_millis(wait));
        drop(daemon); // SIGKILL
        let mut store = world.open_store();
        store.check_all().unwrap();
        let shares = store.shares().unwrap();
        assert!(shares.iter().all(|share| share.entries == 40), "a poll is kept whole or not at all: {shares:?}");
        let orphans = store.sources(None).unwrap().into_iter().filter(|known| {
            known.state.body_hash.is_some() && !shares.iter().any(|share| share.source_id == known.state.source_id)
        });
        let orphans = orphans.count();
        assert_eq!(orphans, 0, "no validators without entries");
    }
    world.succeeds(&["poll"]);
    let entries = world.json(&["entries", "--limit", "10000", "--json"]);
    assert_eq!(entries.len(), 12 * 40);
}

#[test]
fn an_origin_that_fails_later_does_not_end_the_daemon() {
    let world = World::new().feed("education", [document(rss(&[partnership()])), status(500)]);
    let daemon = world.run();
    daemon.until(FEED, |body| body.contains("Signature"));
    world.succeeds(&["poll", "--force"]);
    assert!(daemon.get("/healthz", "").0.starts_with("HTTP/1.1 200"));
    assert!(daemon.get(FEED, "").1.contains("Signature"), "what was published stays");
}
