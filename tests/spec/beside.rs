//! A daemon and its operator: what commands and people do beside it, it notices within seconds and tells in its log.

use std::fs;

use crate::origin::{Origin, document, status};
use crate::world::{TOPIC, World, partnership, rss, stderr};

fn news() -> crate::origin::Answer {
    document(rss(&[partnership()]))
}

/// A machine with one feed that a daemon has published.
fn world(answers: impl Into<crate::origin::Script>) -> World {
    World::new().feed("education", answers)
}

/// Checks that a command ends with `code` and says these texts.
#[track_caller]
fn check(world: &World, arguments: &[&str], code: i32, texts: &[&str]) {
    let output = world.veille(arguments);
    let said = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for text in texts {
        assert!(said.contains(text), "{text}: {said}");
    }
}

/// A config whose `number` feeds are on one host where nothing listens.
fn dead(number: usize) -> World {
    let world = World::new();
    let feed = |at| format!("[[feed]]\nid = \"f{at}\"\nurl = \"http://127.1.0.1:9/{at}\"\n");
    world.write_config(&format!("{TOPIC}{}", (1..=number).map(feed).collect::<String>()));
    world
}

#[test]
fn a_published_folder_that_is_deleted_is_written_again_within_seconds() {
    let world = world(news());
    let mut daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("Signature"));
    let archive = world.published("numerique-educatif/archive/2026-11.atom");
    let until_there = || {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !archive.exists() || !world.published("numerique-educatif.atom").exists() {
            assert!(std::time::Instant::now() < end, "the files did not come back");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    };
    until_there();
    // A publication under way would make it again by itself.
    daemon.hears("1 feed polled");
    fs::remove_dir_all(world.published("")).unwrap();
    daemon.hears("all is written there again");
    until_there();
    // One file alone too.
    std::thread::sleep(std::time::Duration::from_secs(1));
    fs::remove_file(world.published("numerique-educatif.atom")).unwrap();
    daemon.hears("all is written there again");
    until_there();
    assert!(daemon.get("/healthz", "").1.contains("\"ok\""));
}

#[test]
fn failures_that_a_poll_by_hand_met_first_are_told_by_the_daemon() {
    let world = world([news(), status(404)]);
    let mut daemon = world.run();
    daemon.until("/healthz", |body| body.contains("\"ok\":1"));
    world.veille(&["poll", "--force"]);
    let line = daemon.hears("failing, as another process has found: ");
    assert!(line.contains("WARN") && line.contains("education") && line.contains("404"), "{line}");
    daemon.until("/healthz", |body| body.contains("\"failing\":1") && body.contains("1 of 1 sources fail"));

    drop(daemon);
    let mut daemon = world.run();
    let line = daemon.hears("failing since before this start: 1 feed (education)");
    assert!(line.contains("WARN"), "{line}");
}

#[test]
fn health_follows_a_poll_by_hand_within_seconds() {
    let world = world([news(), status(500), news()]);
    let daemon = world.run();
    daemon.until("/healthz", |body| body.contains("\"ok\":1"));
    let next = |body: &str| body.split("\"next_poll\":").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let before = next(&daemon.get("/healthz", "").1);
    world.veille(&["poll", "--force"]);
    daemon.until("/healthz", |body| body.contains("\"failing\":1"));
    world.succeeds(&["poll", "--force"]);
    let body = daemon.until("/healthz", |body| body.contains("\"failing\":0"));
    assert!(next(&body) >= before, "{body}");
}

#[test]
fn a_round_in_which_most_fail_is_a_warning_once() {
    let hosts: Vec<Origin> = (1..=6).map(|at| Origin::on(std::net::Ipv4Addr::new(127, 4, 0, at))).collect();
    let world = World::new();
    let mut text = TOPIC.to_owned();
    for (at, origin) in hosts.iter().enumerate() {
        origin.answers("/feed", if at < 2 { news() } else { status(404) });
        text += &format!("[[feed]]\nid = \"f{at}\"\nurl = \"{}\"\n", origin.url("/feed"));
    }
    world.write_config(&text);
    let mut daemon = world.run();
    let line = daemon.hears("6 feeds polled");
    assert!(line.contains("WARN") && line.contains("4 failed") && line.contains("`veille feeds` tells why"), "{line}");
}

#[test]
fn feeds_of_one_host_that_does_not_answer_are_one_line_with_its_port() {
    let world = dead(12);
    check(
        &world,
        &["poll"],
        1,
        &[
            "f1, f10, f11 and 9 more: failed: connection to 127.1.0.1:9 failed",
            "12 feeds asked, all failed",
            "veille feeds",
        ],
    );
    assert_eq!(world.json(&["feeds", "--json"]).iter().filter(|feed| feed["failures"] == 1).count(), 12);

    let world = dead(12);
    let mut daemon = world.run();
    let line = daemon.hears("failing: connection to 127.1.0.1:9 failed");
    assert!(line.contains("(12 feeds are there)"), "{line}");
    daemon.hears("12 feeds polled");
    daemon.signal("TERM");
    daemon.ends();
    let log = daemon.log();
    assert_eq!(log.matches("failing: connection").count(), 1, "{log}");
}

#[test]
fn a_poll_in_vain_and_a_check_of_feeds_that_fail_end_with_1() {
    let world = dead(2);
    check(&world, &["poll"], 1, &["all failed"]);
    check(&world, &["poll"], 0, &["2 not due"]);
    check(&world, &["feeds"], 0, &["2 failing"]);
    check(&world, &["feeds", "--check"], 1, &["2 of 2 feeds fail"]);
    check(&world, &["poll", "f1"], 1, &["all failed"]);
    check(&world, &["poll", "--help"], 0, &["with 1 if"]);
}

#[test]
fn one_answer_is_a_poll_that_did_its_work() {
    let world = world(news()).feed("gone", status(404));
    check(&world, &["poll"], 0, &["1 failed"]);
    check(&world, &["poll", "gone"], 1, &["1 feed asked, all failed"]);
}

#[test]
fn a_feed_that_never_had_an_entry_is_empty() {
    let world = world(news()).feed("nothing", document(rss(&[])));
    check(&world, &["poll"], 0, &[]);
    let feeds = world.json(&["feeds", "--json"]);
    let status = |at: usize| feeds[at]["status"].as_str().unwrap();
    assert_eq!((status(0), status(1)), ("ok", "empty"));
    check(&world, &["feeds", "--check"], 0, &["2 feeds: 1 empty, 1 ok"]);
}

#[test]
fn a_mistake_in_the_config_is_told_with_the_way_out() {
    let world = world(news());
    let mut daemon = world.run();
    world.write_config(&format!("{TOPIC}titel = \"Justice\"\n"));
    assert!(daemon.hears("the last good one stays in force").contains("`veille check`"));
    assert!(daemon.hears("unknown key `titel`").contains("`title`"));
    daemon.until("/healthz", |body| body.contains("unknown key `titel`") && body.contains("veille check"));
}

#[test]
fn feeds_of_a_broken_config_tells_times_in_its_zone() {
    let world = dead(1);
    world.veille(&["poll"]);
    world.veille(&["poll", "f1"]);
    let text = fs::read_to_string(world.config()).unwrap().replace("[poll]", "[poll]\ntimezone = \"Indian/Reunion\"");
    fs::write(world.config(), text.clone() + "titel = 1\n").unwrap();
    check(&world, &["feeds"], 2, &["2 failures in a row since", " +04: "]);
    fs::write(world.config(), text.replace("Indian/Reunion", "Mars") + "titel = 1\n").unwrap();
    check(&world, &["feeds"], 2, &["times in UTC", " UTC: "]);
}

#[test]
fn entries_for_programs_tell_the_date_that_counts() {
    let world = world(document(rss(&[partnership().replace("pubDate", "date")])));
    world.succeeds(&["poll"]);
    let entry = world.json(&["entries", "--json"]).remove(0);
    assert!(entry["published"].is_null() && entry["date"].is_string(), "{entry}");
}

#[test]
fn check_counts_the_feeds_that_are_to_be_polled() {
    check(&dead(3), &["check"], 0, &["3 feeds to poll (0 off), 1 topic"]);
}
