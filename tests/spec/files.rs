//! Files and HTTP when the published folder is in trouble, moves, or is written by others.

use std::fs;

use crate::origin::document;
use crate::world::{Daemon, World, item, rss};

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
