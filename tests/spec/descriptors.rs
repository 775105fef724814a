//! File descriptors: few are enough, and a lack of them is held against no feed and no reader.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use crate::origin::{Gate, Origin, document};
use crate::world::{Daemon, World, partnership, rss, stderr};

/// A machine with one feed on each of so many hosts, all of them answered by one server.
fn world(hosts: usize, answer: crate::origin::Answer) -> (World, Origin) {
    let (world, origin) = (World::new(), Origin::on(Ipv4Addr::UNSPECIFIED));
    origin.answers("/feed", answer);
    let mut text = fs::read_to_string(world.config()).unwrap();
    for host in 0..hosts {
        let (high, low, port) = (host / 200, host % 200 + 1, origin.address().port());
        let _ = write!(text, "\n[[feed]]\nid = \"f{host}\"\nurl = \"http://127.3.{high}.{low}:{port}/feed\"\n");
    }
    fs::write(world.config(), text).unwrap();
    (world, origin)
}

fn news() -> crate::origin::Answer {
    document(rss(&[partnership()]))
}

/// The command under a limit that the shell sets first.
fn limited(world: &World, limit: &str, arguments: &[&str]) -> Command {
    let inner = world.command(arguments);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")]).arg(inner.get_program());
    command.args(inner.get_args()).env_remove("VEILLE_LOG").env_remove("VEILLE_CONFIG");
    command
}

/// The number of feeds with this status.
fn count(world: &World, status: &str) -> usize {
    world.json(&["feeds", "--json"]).iter().filter(|feed| feed["status"] == status).count()
}

#[test]
fn many_hosts_in_one_round_need_few_descriptors() {
    let (world, _origin) = world(400, news());
    let output = limited(&world, "-n 200", &["poll"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(count(&world, "ok"), 400);
}

#[test]
fn the_limit_is_raised_to_the_highest_that_is_allowed() {
    let (world, _origin) = world(1, news());
    let daemon = Daemon::start(limited(&world, "-S -n 256", &["run"]));
    let limits = fs::read_to_string(format!("/proc/{}/limits", daemon.process())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let [soft, hard, ..] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
    assert_eq!(soft, hard);
}

#[test]
fn a_lack_of_descriptors_is_held_against_no_feed() {
    let (world, _origin) = world(6, news());
    for limit in (12..40).step_by(3) {
        let output = limited(&world, &format!("-n {limit}"), &["poll", "--force"]).output().unwrap();
        // The store may not even open: then nothing is polled.
        assert!([Some(0), Some(1)].contains(&output.status.code()), "{limit}: {}", stderr(&output));
        assert!(!stderr(&output).contains("panicked"), "{limit}: {}", stderr(&output));
        assert_eq!(count(&world, "failing"), 0, "{limit}: {}", stderr(&output));
    }
    assert!(limited(&world, "-n 200", &["poll", "--force"]).output().unwrap().status.success());
    assert_eq!(count(&world, "ok"), 6);
}

#[test]
fn readers_are_answered_while_polls_take_all_that_they_may() {
    let gate = Gate::new();
    let (world, origin) = world(60, news().behind(&gate));
    let daemon = Daemon::start(limited(&world, "-n 128", &["run"]));
    while origin.all_requests().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    for _ in 0..50 {
        assert!(daemon.get("/healthz", "").0.starts_with("HTTP/1.1 "));
    }
    gate.open();
}
