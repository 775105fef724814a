//! Outages: a machine without network holds it against nobody, says so once, and goes on by itself.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::origin::{Origin, document, redirect, status};
use crate::world::{Daemon, TOPIC, World, partnership, rss, stderr};

/// A machine with these feeds, each `(id, address)`.
fn world(feeds: &[(String, String)]) -> World {
    world_with("", feeds)
}

fn world_with(poll: &str, feeds: &[(String, String)]) -> World {
    let world = World::new();
    let mut text = fs::read_to_string(world.config()).unwrap().replace("host_delay", &format!("{poll}\nhost_delay"));
    for (id, address) in feeds {
        let _ = write!(text, "\n[[feed]]\nid = \"{id}\"\nurl = \"{address}\"\n");
    }
    fs::write(world.config(), text).unwrap();
    world
}

/// An address at which nothing listens, on a host of its own.
fn dead(number: usize) -> (String, String) {
    (format!("dead-{number}"), format!("http://127.1.{}.{}:9/feed", number / 200, number % 200 + 1))
}

/// A host of its own with a feed.
fn alive(number: u8, script: impl Into<crate::origin::Script>) -> (Origin, (String, String)) {
    let origin = Origin::on(Ipv4Addr::new(127, 2, 0, number));
    origin.answers("/feed", script);
    let feed = (format!("alive-{number}"), origin.url("/feed").to_string());
    (origin, feed)
}

fn news() -> crate::origin::Answer {
    document(rss(&[partnership()]))
}

/// The state of each feed, as `veille feeds` tells it: id, status, failures.
fn told(world: &World) -> Vec<(String, String, u64)> {
    let feeds = world.json(&["feeds", "--json"]);
    let text = |feed: &serde_json::Value, key: &str| feed[key].as_str().unwrap().to_owned();
    feeds.iter().map(|feed| (text(feed, "id"), text(feed, "status"), feed["failures"].as_u64().unwrap())).collect()
}

/// Checks that a round in which no host answers blames none of so many.
fn check_nobody_is_blamed(world: &World, feeds: usize, said: &str) {
    let output = world.veille(&["poll"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
    assert!(stderr(&output).contains("help: check this machine's connection"), "{}", stderr(&output));
    let told = told(world);
    assert_eq!(told.len(), feeds);
    assert!(told.iter().all(|(_, status, failures)| status == "never_polled" && *failures == 0), "{told:?}");
}

#[test]
fn a_round_in_which_no_host_answers_blames_none_and_says_so() {
    for hosts in [3, 40, 500] {
        let feeds: Vec<_> = (0..hosts).map(dead).collect();
        check_nobody_is_blamed(&world(&feeds), hosts, "no host answers: is this machine connected?");
    }
}

#[test]
fn a_proxy_that_is_down_or_refuses_everybody_blames_no_host() {
    let feeds: Vec<_> =
        (0..12).map(|number| (format!("f{number}"), format!("https://h{number}.example/feed"))).collect();
    let world = world_with("proxy = \"http://127.0.0.1:9\"", &feeds);
    check_nobody_is_blamed(&world, 12, "no host answers");
    let refuses = crate::tunnel::Tunnel::to("127.0.0.1:9".parse().unwrap(), "nobody knows");
    let world = world_with(&format!("proxy = \"http://{}\"", refuses.address), &feeds);
    check_nobody_is_blamed(&world, 12, "no host answers");
}

#[test]
fn a_portal_that_answers_for_all_hosts_blames_none() {
    let login = || status(200).header("content-type", "text/html").body("<!doctype html><title>Bienvenue</title>");
    let hosts: Vec<_> = (1..=6).map(|number| alive(number, login())).collect();
    let feeds: Vec<_> = hosts.iter().map(|(_, feed)| feed.clone()).collect();
    check_nobody_is_blamed(&world(&feeds), 6, "does this network want a login?");

    let (portal, _) = alive(50, 200);
    portal.answers("/login", login());
    let hosts = (11..=16).map(|number| {
        let place = portal.url(&format!("/login?from={number}"));
        alive(number, redirect(302, place))
    });
    let hosts: Vec<_> = hosts.collect();
    let feeds: Vec<_> = hosts.iter().map(|(_, feed)| feed.clone()).collect();
    check_nobody_is_blamed(&world(&feeds), 6, "does this network want a login?");
}

#[test]
fn a_dead_host_and_a_page_that_is_no_feed_are_to_blame_while_others_answer() {
    let hosts: Vec<_> = (21..=25).map(|number| alive(number, news())).collect();
    let page = status(200).header("content-type", "text/html").body("<!doctype html><title>Accueil</title>");
    let (_page, of_page) = alive(26, page);
    let mut feeds: Vec<_> = hosts.iter().map(|(_, feed)| feed.clone()).collect();
    feeds.extend([dead(0), of_page]);
    let world = world(&feeds);
    let output = world.veille(&["poll"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let blamed: Vec<_> = told(&world).into_iter().filter(|(_, status, _)| status != "ok").collect();
    assert_eq!(blamed, [("dead-0".into(), "failing".into(), 1), ("alive-26".into(), "failing".into(), 1)]);
}

#[test]
fn half_of_the_hosts_out_of_reach_are_to_blame_themselves() {
    let hosts: Vec<_> = (31..=40).map(|number| alive(number, news())).collect();
    let mut feeds: Vec<_> = hosts.iter().map(|(_, feed)| feed.clone()).collect();
    // Nothing leads to these from a machine without IPv6, and nothing answers there from another.
    feeds.extend((0..10).map(|number| (format!("six-{number}"), format!("http://[2001:db8::{number:x}]:9/feed"))));
    let world = world_with("connect = 0", &feeds);
    let text = fs::read_to_string(world.config()).unwrap();
    let text = text.replace("connect = 0", "").replace("\"127.0.0.0/8\"", "\"127.0.0.0/8\", \"2001:db8::/32\"");
    fs::write(world.config(), text).unwrap();
    assert!(world.veille(&["poll"]).status.success());
    let failing = told(&world).iter().filter(|(id, status, _)| id.starts_with("six") && status == "failing").count();
    let well = told(&world).iter().filter(|(_, status, _)| status == "ok").count();
    assert_eq!((failing, well), (10, 10));
}

#[test]
fn one_feed_whose_host_is_dead_is_failing() {
    let world = world(&[dead(0)]);
    assert_eq!(world.veille(&["poll"]).status.code(), Some(1), "nothing could be polled");
    assert_eq!(told(&world), [("dead-0".into(), "failing".into(), 1)]);
}

/// The lines of the log that tell of `text`.
fn lines(log: &str, text: &str) -> usize {
    log.lines().filter(|line| line.contains(text)).count()
}

fn health(daemon: &Daemon) -> String {
    daemon.get("/healthz", "").1
}

#[test]
fn the_daemon_waits_for_the_network_and_then_polls_what_is_due() {
    // Free ports, on which the hosts will listen once the network is there.
    let hosts: Vec<_> = (61..=72).map(|number| alive(number, news())).collect();
    let feeds: Vec<_> = hosts.iter().map(|(_, feed)| feed.clone()).collect();
    let addresses: Vec<_> = hosts.iter().map(|(origin, _)| origin.address()).collect();
    drop(hosts);
    let world = world(&feeds);
    let mut daemon = world.run();
    let line = daemon.hears("no host answers: is this machine connected?");
    assert!(line.contains("WARN"), "{line}");
    daemon.until("/healthz", |body| body.contains("degraded") && body.contains("is this machine connected?"));
    daemon.until("/", |body| body.contains("coupé d’Internet"));
    daemon.until("/sources/", |body| body.contains("coupé d’Internet") && body.contains("is this machine connected?"));
    assert!(!daemon.get("/sources.atom", "").1.contains("<entry>"), "it is no news of a source");
    let output = world.veille(&["feeds"]);
    assert!(stderr(&output).contains("no host answers"), "{}", stderr(&output));
    assert!(told(&world).iter().all(|(_, status, failures)| status == "never_polled" && *failures == 0));

    let hosts: Vec<_> = addresses.iter().map(|address| Origin::at(*address)).collect();
    for origin in &hosts {
        origin.answers("/feed", news());
    }
    let began = Instant::now();
    daemon.hears("hosts answer again");
    daemon.until("/healthz", |body| body.contains("\"ok\""));
    daemon.until("/", |body| !body.contains("coupé d’Internet") && body.contains("Signature"));
    let all_read = || hosts.iter().all(|origin| !origin.requests("/feed").is_empty());
    while !all_read() {
        assert!(began.elapsed() < Duration::from_mins(1), "not all were polled");
        std::thread::sleep(Duration::from_millis(100));
    }
    std::thread::sleep(Duration::from_secs(1));
    assert!(hosts.iter().all(|origin| origin.requests("/feed").len() == 1), "each is asked once");
    daemon.signal("TERM");
    daemon.ends();
    let log = daemon.log();
    assert_eq!((lines(&log, "no host answers"), lines(&log, "failing")), (1, 0), "{log}");
    assert!(told(&world).iter().all(|(_, status, _)| status == "ok"), "{:?}", told(&world));
}

#[test]
fn a_dead_host_among_others_is_failing_in_the_daemon_and_health_is_ok() {
    let hosts: Vec<_> = (81..=84).map(|number| alive(number, news())).collect();
    let mut feeds: Vec<_> = hosts.iter().map(|(_, feed)| feed.clone()).collect();
    feeds.push(dead(0));
    let world = world(&feeds);
    let mut daemon = world.run();
    daemon.hears("failing: connection to 127.1.0.1:9 failed");
    assert!(health(&daemon).contains("\"ok\""), "{}", health(&daemon));
    assert!(TOPIC.contains("numerique-educatif"));
}
