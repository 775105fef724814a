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

#[test]
fn the_unit_waits_longer_for_the_end_than_the_daemon_takes() {
    let unit = read("systemd/veille.service");
    let limit = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")?.strip_suffix('s')).unwrap();
    assert!(Duration::from_secs(limit.parse().unwrap()) >= stopping::END * 2);
}

#[test]
fn a_web_server_can_read_the_files_of_who_installs_the_drop_in() {
    assert!(read("README.md").contains("systemd/static-files.conf"));
    check("systemd/static-files.conf", &["[Service]", "DynamicUser=no", "User=veille", "Group=www-data"]);
    check("systemd/veille.service", &["StateDirectoryMode=0750", "UMask=0027"]);
}
