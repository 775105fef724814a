//! The systemd unit that ships, held against what the README says of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::stopping;
use crate::world::World;

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

/// Checks that a second config on the first one's `store` and `folder` is refused by a command, with the first one's name.
fn check_refused(store: &str, folder: &str, held: &str) {
    let world = World::new();
    let _daemon = world.run();
    let other = world.folder.path().join("other.toml");
    let keys = format!("[store]\npath = \"{store}\"\n[publish]\ndirectory = \"{folder}\"\n");
    let text = fs::read_to_string(world.config()).unwrap();
    fs::write(&other, format!("{keys}{text}")).unwrap();
    for command in ["run", "poll", "publish"] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_veille"))
            .args(["--config", other.to_str().unwrap(), command])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        let config = world.config().canonicalize().unwrap();
        let expected = format!("(`veille run --config {}`)", config.display());
        assert!(told.contains(held) && told.contains(&expected) && told.contains("help: "), "{told}");
    }
    world.succeeds(&["poll"]);
}

#[test]
fn two_configs_on_one_store_or_folder_are_refused_with_the_others_name() {
    check_refused("data/veille.db", "other", "the store `");
    check_refused("other/veille.db", "data/public", "the published folder `");
}

#[test]
fn a_terminal_gets_lines_without_fields_and_the_journal_gets_priorities() {
    let world = World::new().feed("missing", [crate::origin::status(404)]);
    let log = |form: &str| {
        let mut command = world.command(&["poll", "--force", "-v"]);
        let output = command.env("VEILLE_LOG_FORMAT", form).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let journal = log("journal");
    let line = journal.lines().find(|line| line.contains("failing")).unwrap();
    assert!(line.starts_with("<4>missing: failing: ") && line.contains("error.code="), "{line}");
    // Up to the error that the command ends with.
    let log_lines = journal.lines().take_while(|line| !line.starts_with("error:"));
    assert!(log_lines.into_iter().all(|line| line.starts_with('<')), "{journal}");
    std::fs::remove_dir_all(world.folder.path().join("data")).unwrap();
    let terminal = log("terminal");
    let line = terminal.lines().find(|line| line.contains("failing")).unwrap();
    assert_eq!(line.split(' ').skip(1).take(3).collect::<Vec<_>>(), ["warning:", "missing:", "failing:"]);
    assert!(!line.contains("error.code"), "{line}");
}

#[test]
fn a_level_that_is_none_is_told_and_silences_nothing() {
    let world = World::new().feed("missing", [crate::origin::status(404)]);
    let output = world.command(&["poll", "-v"]).env("VEILLE_LOG", "verbose").output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("`VEILLE_LOG=verbose` has no effect") && log.contains("failing"), "{log}");
}
