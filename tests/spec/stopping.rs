//! SIGTERM: whatever is under way, the daemon ends soon and in order, and the next start goes on.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::origin::{Gate, document};
use crate::world::{Daemon, TOPIC, World, item, partnership, rss};

/// Within this time it has ended.
pub(crate) const END: Duration = Duration::from_secs(5);

const FEED: &str = "/numerique-educatif.atom";

/// Ends a daemon, checks that it does so in time and without an error, and returns how long that took.
#[track_caller]
fn check(mut daemon: Daemon) -> Duration {
    let began = Instant::now();
    daemon.signal("TERM");
    assert_eq!(daemon.ends(), Some(0));
    let took = began.elapsed();
    assert!(took < END, "{took:?}");
    took
}

/// Waits until something has happened.
#[track_caller]
pub(crate) fn wait(mut has_happened: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !has_happened() {
        assert!(Instant::now() < end, "it never happened");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A feed with one item of each of these months, the first of 2026 backwards.
pub(crate) fn months(count: usize) -> String {
    let news = |at: usize| {
        let month = 2026 * 12 - at;
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let text = format!("Les tablettes du mois {at} arrivent. ").repeat(40);
        item(&format!("n{at}"), &format!("École numérique {at}"), &text, &[])
            .replace("Mon, 23 Nov 2026", &format!("01 {} {}", names[month % 12], month / 12))
    };
    rss(&(0..count).map(news).collect::<Vec<_>>())
}

fn world() -> World {
    World::new().feed("education", [document(rss(&[partnership()]))])
}

/// The world's config with a patience for servers that outlasts a test.
fn patient(world: &World) {
    let text = fs::read_to_string(world.config()).unwrap();
    fs::write(world.config(), text.replace("timeout = \"2s\"", "timeout = \"60s\"")).unwrap();
}

fn volumes(world: &World) -> Vec<PathBuf> {
    let folder = fs::read_dir(world.published("numerique-educatif/archive"));
    let files = folder.into_iter().flatten().map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|end| end == "atom")).collect()
}

#[test]
fn polls_of_servers_that_never_answer_are_given_up_and_repeated_at_the_next_start() {
    let gate = Gate::new();
    let world = World::new()
        .feed("silent", [document(rss(&[partnership()])).behind(&gate)])
        .feed("stalling", [document(rss(&[partnership()])).stalling_after(20)]);
    patient(&world);
    let daemon = world.run();
    wait(|| world.origin.all_requests().len() == 2);
    check(daemon);
    for feed in world.json(&["feeds", "--json"]) {
        assert_eq!(feed["failures"], 0, "it is no failure of theirs");
    }
    gate.open();
    world.run().until(FEED, |body| body.contains("Signature"));
}

#[test]
fn readers_are_served_while_polls_end() {
    let gate = Gate::new();
    let world = World::new().feed("silent", [document(rss(&[partnership()])).behind(&gate)]);
    patient(&world);
    let mut daemon = world.run();
    daemon.until("/", |page| page.contains("<html"));
    wait(|| world.origin.all_requests().len() == 1);
    daemon.signal("TERM");
    std::thread::sleep(Duration::from_millis(500));
    let (head, _) = daemon.get("/", "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(daemon.ends(), Some(0));
}

#[test]
fn a_publication_stops_between_documents_and_the_next_start_makes_the_others() {
    let count = 80;
    let world = World::new().feed("education", [document(months(count))]).with("dedup = false");
    let daemon = world.run();
    wait(|| volumes(&world).len() > 2);
    let took = check(daemon);
    assert!(took < Duration::from_secs(3), "it stops by itself before it is given up: {took:?}");
    let done = volumes(&world).len();
    assert!(done < count, "it was to be stopped in the middle");
    assert_eq!(world.json(&["entries", "--limit", "1000", "--json"]).len(), count);
    let daemon = world.run();
    wait(|| volumes(&world).len() == count);
    daemon.until("/numerique-educatif/archive/2026-01.atom", |body| body.contains("École numérique 0"));
    for volume in volumes(&world) {
        assert!(fs::read_to_string(volume).unwrap().trim_end().ends_with("</feed>"), "each is whole");
    }
    assert_eq!(world.origin.requests("/education").len(), 1, "what was polled is not polled again");
}

#[test]
fn a_publication_that_waits_for_another_process_holds_up_nothing() {
    let world = world();
    fs::create_dir_all(world.published("")).unwrap();
    let folder = fs::File::open(world.published("")).unwrap();
    folder.lock().unwrap();
    let mut daemon = world.run();
    daemon.hears("polled, 1 new");
    check(daemon);
    folder.unlock().unwrap();
    world.run().until(FEED, |body| body.contains("Signature"));
    assert_eq!(world.origin.requests("/education").len(), 1, "what was polled is not polled again");
}

#[test]
fn a_store_that_another_process_holds_holds_up_nothing() {
    let world = world();
    let daemon = world.run();
    daemon.until(FEED, |body| body.contains("Signature"));
    let store = rusqlite::Connection::open(world.folder.path().join("data/veille.db")).unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    // It hears of the signal first, and reads the config only with the store.
    daemon.signal("HUP");
    assert!(daemon.get("/healthz", "").0.starts_with("HTTP/1.1 200"));
    check(daemon);
    store.execute_batch("ROLLBACK").unwrap();
    drop(store);
    world.run().until(FEED, |body| body.contains("Signature"));
}

#[test]
fn labelling_by_new_rules_stops_and_goes_on_at_the_next_start() {
    let text = "Le ministère présente les tablettes et la justice des mineurs. ".repeat(400);
    let items: Vec<String> =
        (0..40).map(|at| item(&format!("n{at}"), &format!("École numérique {at}"), &text, &[])).collect();
    let world = World::new().feed("education", [document(rss(&items))]).with("dedup = false");
    let mut daemon = world.run();
    daemon.until(FEED, |body| body.contains("École numérique"));
    let justice = "[[topic]]\nid = \"justice\"\nany = [\"justice des mineurs\"]\n";
    world.write_config(&format!("{TOPIC}{justice}"));
    daemon.hears("config reloaded");
    check(daemon);
    let labelled = || world.json(&["entries", "--topic", "justice", "--limit", "1000", "--json"]).len();
    assert_eq!(labelled(), 0, "it was to be stopped in the middle");
    let daemon = world.run();
    daemon.until("/justice.atom", |body| body.contains("École numérique"));
    assert_eq!(labelled(), 40);
}

#[test]
fn a_client_that_never_ends_its_request_holds_up_nothing() {
    let world = world();
    let daemon = world.run();
    daemon.until(FEED, |body| body.contains("Signature"));
    let mut client = TcpStream::connect(&daemon.address).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
    check(daemon);
}
