//! A PostgreSQL server that is away, restarts, or comes back without its last seconds: what was published is served on, nobody
//! is asked, and all goes on by itself.

use crate::database::Shuttable;
use crate::origin::document;
use crate::world::{TOPIC, World, justice, partnership, rss};

/// A machine with one feed that is asked each minute, and the database of its store.
fn world() -> (World, Shuttable) {
    let news = |items: &[String]| document(rss(items));
    let world = World::in_a_file()
        .feed("education", [news(&[partnership()]), news(&[partnership(), justice()])])
        .with("schedule = \"* * * * *\"");
    let database = Shuttable::new();
    world.write_config(&format!("{TOPIC}\n[store]\nurl = \"{}\"\n", database.url()));
    (world, database)
}

fn entries(world: &World) -> usize {
    world.json(&["entries", "--json"]).len()
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_server_that_goes_away_under_a_daemon_is_told_and_used_again_when_it_is_back() {
    let (world, database) = world();
    let mut daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("Signature"));
    database.shut();
    daemon.until("/healthz", |body| body.contains("\"lack\":\"store\"") && body.contains("PostgreSQL server"));
    let asked = world.origin.requests("/education").len();
    assert!(daemon.get("/numerique-educatif.atom", "").1.contains("Signature"));
    database.open();
    daemon.until("/healthz", |body| body.contains("\"ok\""));
    assert!(world.origin.requests("/education").len() <= asked + 1);
    daemon.signal("TERM");
    assert_eq!(daemon.ends(), Some(0));
    assert_eq!(entries(&world), 1);
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_server_that_restarts_is_no_outage() {
    let (world, database) = world();
    let mut daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("Signature"));
    for _ in 0..5 {
        database.cut();
        std::thread::sleep(std::time::Duration::from_millis(700));
    }
    assert!(daemon.get("/healthz", "").1.contains("\"ok\""), "{}", daemon.get("/healthz", "").1);
    daemon.signal("TERM");
    assert_eq!(daemon.ends(), Some(0));
    assert!(!daemon.log().contains("cannot be reached"), "{}", daemon.log());
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_server_that_is_away_at_a_start_leaves_the_published_documents() {
    let (world, database) = world();
    world.succeeds(&["poll"]);
    database.shut();
    let mut daemon = world.run();
    daemon.until("/healthz", |body| body.contains("PostgreSQL server"));
    assert!(daemon.get("/numerique-educatif/", "").1.contains("Signature"));
    assert_eq!(world.origin.requests("/education").len(), 1, "nobody is asked");
    database.open();
    daemon.until("/healthz", |body| body.contains("\"ok\""));
    daemon.signal("TERM");
    assert_eq!(daemon.ends(), Some(0));
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_server_that_takes_no_further_connection_is_told_until_it_does() {
    let (world, database) = world();
    let url = database.url_of_owner(1);
    world.write_config(&format!("{TOPIC}\n[store]\nurl = \"{url}\"\n"));
    let mut daemon = world.run();
    daemon.until("/healthz", |body| body.contains("takes no more connections"));
    assert!(world.origin.requests("/education").is_empty(), "nobody is asked");
    database.allow(20);
    daemon.until("/numerique-educatif.atom", |body| body.contains("Signature"));
    daemon.until("/healthz", |body| body.contains("\"ok\""));
    daemon.signal("TERM");
    assert_eq!(daemon.ends(), Some(0));
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_generation_that_goes_back_is_published() {
    let (world, database) = world();
    world.succeeds(&["poll"]);
    let mut daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("Signature"));
    // As on a server that takes over without the last seconds: the entry is gone, and all numbers are lower.
    database.run(
        "DELETE FROM labelled; DELETE FROM entry; DELETE FROM month;
         UPDATE meta SET value = 1 WHERE name = 'generation'",
    );
    daemon.until("/numerique-educatif.atom", |body| !body.contains("Signature"));
    daemon.signal("TERM");
    assert_eq!(daemon.ends(), Some(0));
}
