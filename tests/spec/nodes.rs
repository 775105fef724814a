//! Two nodes on one database, as processes. `tests/nodes.py` has what takes long, and many of them.

use std::fs;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::database::Database;
use crate::origin::{Origin, document, redirect};
use crate::world::{TOPIC, World, justice, partnership, rss};

/// Pause between two requests to a host, and the time that each takes.
const GAP: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_millis(200);

/// Times are taken on either side of the network.
const SLACK: Duration = Duration::from_millis(30);

/// A machine on a database, with these feeds.
fn node(database: &Database, name: &str, feeds: &[(String, String)]) -> World {
    let world = World::in_a_file();
    let feeds: String = feeds.iter().map(|(id, url)| format!("[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\n")).collect();
    let text = format!(
        "[site]\ntitle = \"Essai\"\nurl = \"http://127.0.0.1:8080/\"\n[store]\nurl = \"{}\"\nnode = \"{name}\"\n\
         [poll]\nallow_networks = [\"127.0.0.0/8\"]\nhost_delay = \"{}s\"\n[serve]\nlisten = \"127.0.0.1:0\"\n{feeds}{TOPIC}",
        database.url(),
        GAP.as_secs()
    );
    fs::write(world.config(), text).unwrap();
    world
}

fn wait_for(what: &str, is_there: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is_there() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_redirect_to_a_host_that_another_node_asks_waits_until_that_one_gives_it_up() {
    let database = Database::new();
    let (asked, elsewhere) = (Origin::start(), Origin::on(Ipv4Addr::new(127, 0, 0, 2)));
    let own: Vec<(String, String)> =
        (0..12).map(|n| (format!("own{n}"), asked.url(&format!("/own{n}")).into())).collect();
    for n in 0..12 {
        asked.answers(&format!("/own{n}"), document(rss(&[justice()])).after(ANSWER));
    }
    asked.answers("/guest", document(rss(&[partnership()])).after(ANSWER));
    elsewhere.answers("/moved", redirect(302, asked.url("/guest")));
    let holder = node(&database, "holder", &own);
    let guest = node(&database, "guest", &[("guest".into(), elsewhere.url("/moved").into())]);

    let _holder = holder.run();
    wait_for("the holder asks nobody", || asked.all_requests().len() >= 2);
    let guest = guest.run();
    guest.until("/numerique-educatif.atom", |body| body.contains("Signature"));
    wait_for("the holder does not go on", || asked.all_requests().len() == 13);

    let requests = asked.all_requests();
    let place = requests.iter().position(|seen| seen.path == "/guest").unwrap();
    assert!((2..12).contains(&place), "the guest was asked for as number {place}: before the holder had done");
    assert_eq!(asked.running_max(), 1, "one request at a time");
    let gaps = requests.windows(2).map(|pair| pair[1].at - pair[0].at);
    let shortest = gaps.min().unwrap();
    assert!(shortest + SLACK >= ANSWER + GAP, "{shortest:?}");
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_node_that_was_killed_and_starts_again_asks_at_once_what_it_held() {
    let database = Database::new();
    let origin = Origin::start();
    let feeds: Vec<(String, String)> =
        (0..8).map(|n| (format!("f{n}"), origin.url(&format!("/f{n}")).into())).collect();
    for n in 0..8 {
        origin.answers(&format!("/f{n}"), document(rss(&[partnership()])).after(ANSWER));
    }
    let world = node(&database, "a", &feeds);
    let daemon = world.run();
    wait_for("nobody is asked", || origin.all_requests().len() >= 2);
    drop(daemon); // SIGKILL
    let killed = Instant::now();
    let asked = origin.all_requests().len();
    let daemon = world.run();
    daemon.until("/healthz", |body| body.contains("\"has_jobs\":true"));
    wait_for("it waits for its own leases", || origin.all_requests().len() > asked);
    let first = origin.all_requests()[asked].at;
    assert!(first - killed < Duration::from_secs(15), "{:?}", first - killed);
    assert!(first - killed + SLACK >= GAP, "the pause of the host is kept: {:?}", first - killed);
    let nodes = world.json(&["nodes", "--json"]);
    assert_eq!(nodes.len(), 1, "the dead one is forgotten: {nodes:?}");
}
