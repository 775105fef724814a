//! The systemd unit that ships, held against what the README says of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::stopping;

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// Checks that a file holds these whole lines.
#[track_caller]
fn check(file: &str, lines: &[&str]) {
    let text = read(file);
    for line in lines {
        assert!(text.lines().any(|written| written == *line), "{file}: {line}");
    }
}

#[test]
fn every_folder_that_the_readme_names_is_made_by_the_unit() {
    let readme = read("README.md");
    assert!(readme.contains("unix:/run/veille/veille.sock") && readme.contains("`/var/lib/veille/public`"));
    // The socket is open to every user (`daemon::listen`), so its folder must be too.
    check("systemd/veille.service", &["RuntimeDirectory=veille", "RuntimeDirectoryMode=0755", "StateDirectory=veille"]);
}

/// The seconds that the unit gives to something.
fn seconds(key: &str) -> u64 {
    let text = read("systemd/veille.service");
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap();
    value.strip_suffix('s').unwrap().parse().unwrap()
}

#[test]
fn the_unit_waits_longer_for_the_end_than_the_daemon_takes() {
    assert!(Duration::from_secs(seconds("TimeoutStopSec")) >= stopping::END * 2);
}

#[test]
fn the_unit_wants_signs_of_life_less_often_than_an_unconfigured_daemon_gives_them() {
    // `daemon::notify`: every five seconds, of which two may be lost.
    assert!(seconds("WatchdogSec") > 15);
}

#[test]
fn a_web_server_can_read_the_files_of_who_installs_the_drop_in() {
    assert!(read("README.md").contains("systemd/static-files.conf"));
    check("systemd/static-files.conf", &["[Service]", "DynamicUser=no", "User=veille", "Group=www-data"]);
    check("systemd/veille.service", &["StateDirectoryMode=0750", "UMask=0027"]);
}
