//! Files and HTTP when the published folder is in trouble, moves, or is written by others.

use std::fs;

use crate::origin::document;
use crate::world::{Daemon, TOPIC, World, item, rss};

const FEED: &str = "/numerique-educatif.atom";
const VOLUME: &str = "/numerique-educatif/archive/2026-10.atom";

/// News of the topic from a day of 2026, long enough to be compressed.
fn news(name: &str, date: &str) -> String {
    let text = "Les tablettes arrivent. ".repeat(40);
    item(name, &format!("École numérique {name}"), &text, &[]).replace("Mon, 23 Nov 2026", date)
}

/// A source that first tells of October, then of November too.
fn world() -> World {
    let (first, second) = (news("un", "Thu, 01 Oct 2026"), news("deux", "Sun, 01 Nov 2026"));
    World::new().feed("education", [document(rss(&[first.clone()])), document(rss(&[second, first]))])
}

/// Starts the daemon and waits until its archive is there.
fn run(world: &World) -> Daemon {
    let daemon = world.run();
    daemon.until(VOLUME, |body| body.contains("numérique un"));
    daemon
}

#[test]
fn a_file_that_cannot_be_written_keeps_no_other_from_being_written_or_served() {
    let world = world();
    let mut daemon = run(&world);
    let blocked = world.published("numerique-educatif.json");
    fs::remove_file(&blocked).unwrap();
    fs::create_dir_all(blocked.join("in the way")).unwrap();
    assert!(!world.veille(&["poll", "--force"]).status.success());
    daemon.hears("cannot publish files: cannot replace");
    daemon.until(FEED, |body| body.contains("numérique deux"));
    for path in [VOLUME, "/numerique-educatif/archive/2026-11.atom"] {
        assert!(daemon.get(path, "").0.starts_with("HTTP/1.1 200"), "{path}");
    }
    assert!(world.atom().contains("numérique deux"));
    assert!(daemon.get("/healthz", "").1.contains("numerique-educatif.json"));
}

#[test]
fn archives_are_read_where_they_are_published_now() {
    let world = world();
    let daemon = run(&world);
    let world = world.with("[publish]\ndirectory = \"data/elsewhere\"");
    let moved = world.folder.path().join("data/elsewhere").join(VOLUME.trim_start_matches('/'));
    daemon.until("/healthz", |_| moved.exists());
    fs::remove_dir_all(world.folder.path().join("data/public")).unwrap();
    daemon.until(VOLUME, |body| body.contains("numérique un"));
}

#[test]
fn a_compressed_file_that_is_gone_or_spoilt_keeps_nobody_from_reading() {
    let world = world();
    let daemon = run(&world);
    let packed = world.published(&format!("{VOLUME}.br")[1..]);
    let (head, _) = daemon.get(VOLUME, "Accept-Encoding: br\r\n");
    assert!(head.contains("content-encoding: br"), "{head}");
    for spoil in [|file| fs::write(file, "x").unwrap(), |file| fs::remove_file(file).unwrap()] {
        spoil(&packed);
        let (head, body) = daemon.get(VOLUME, "Accept-Encoding: br\r\n");
        assert!(
            head.starts_with("HTTP/1.1 200") && head.contains("etag: ") && !head.contains("encoding: br"),
            "{head}"
        );
        assert!(body.contains("numérique un"), "{body}");
    }
}

#[test]
fn a_file_that_another_process_replaced_has_no_tag_of_ours() {
    let world = world();
    let daemon = run(&world);
    let (head, _) = daemon.get(VOLUME, "");
    let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    fs::write(world.published(&VOLUME[1..]), "<feed>other</feed>").unwrap();
    let (head, body) = daemon.get(VOLUME, &format!("If-None-Match: {etag}\r\n"));
    assert!(head.starts_with("HTTP/1.1 200") && !head.contains("etag:") && !head.contains("last-modified:"), "{head}");
    assert_eq!(body, "<feed>other</feed>");
}

/// When a document was modified, as its headers say.
fn last_modified(daemon: &Daemon, path: &str) -> String {
    let dated = || {
        let (head, _) = daemon.get(path, "");
        Some(head.lines().find_map(|line| line.strip_prefix("last-modified: "))?.to_owned())
    };
    // The date of what changed twice in a second is told when it has come.
    daemon.until(path, |_| dated().is_some());
    dated().unwrap()
}

/// Asks for a document as readers do that know no tags; returns the status.
fn asked_again(daemon: &Daemon, path: &str, since: &str) -> String {
    let (head, _) = daemon.get(path, &format!("If-Modified-Since: {since}\r\n"));
    head.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn who_knows_only_dates_sees_news_that_are_dated_earlier_than_the_last() {
    let (november, october) = (news("un", "Sun, 01 Nov 2026"), news("deux", "Thu, 01 Oct 2026"));
    let answers = [document(rss(&[november.clone()])), document(rss(&[november, october]))];
    let world = World::new().feed("education", answers);
    let daemon = world.run();
    daemon.until(FEED, |body| body.contains("numérique un"));
    let before = last_modified(&daemon, FEED);
    assert_eq!(asked_again(&daemon, FEED, &before), "304");
    world.succeeds(&["poll", "--force"]);
    daemon.until(FEED, |body| body.contains("numérique deux"));
    assert_eq!(asked_again(&daemon, FEED, &before), "200");
}

#[test]
fn who_knows_only_dates_sees_what_changed_between_two_runs() {
    let world = world();
    drop(run(&world));
    // As if all had been published an hour ago.
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    for path in [FEED, "/style.css"] {
        fs::File::options().append(true).open(world.published(&path[1..])).unwrap().set_modified(hour_ago).unwrap();
    }
    let daemon = world.run();
    let before = last_modified(&daemon, FEED);
    assert_eq!(before, last_modified(&daemon, "/style.css"), "a restart changes no date");
    drop(daemon);
    world.write_config(&TOPIC.replace("title = \"Numérique éducatif\"", "title = \"Tablettes\""));
    let daemon = world.run();
    assert!(daemon.get(FEED, "").1.contains("<title>Tablettes"));
    assert_eq!(asked_again(&daemon, FEED, &before), "200");
    assert_eq!(asked_again(&daemon, "/style.css", &before), "304");
}
