//! A store that cannot be written, is gone or damaged: published documents are served on, publishers are left alone, the
//! right advice is told, and all goes on by itself. Faults that only root can make are in `tests/faults.py`.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;

use crate::origin::document;
use crate::world::{World, justice, partnership, rss, stderr};

/// A machine with one feed that is asked each minute.
fn world() -> World {
    let news = |items: &[String]| document(rss(items));
    World::new()
        .feed("education", [news(&[partnership()]), news(&[partnership(), justice()])])
        .with("schedule = \"* * * * *\"")
}

fn store(world: &World) -> PathBuf {
    world.folder.path().join("data/veille.db")
}

/// Checks that a command fails, and says these texts.
#[track_caller]
fn check_fails(world: &World, arguments: &[&str], texts: &[&str]) {
    let output = world.veille(arguments);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    for text in texts {
        assert!(stderr(&output).contains(text), "{text}: {}", stderr(&output));
    }
}

/// Makes a backup, and returns its path.
fn backup(world: &World) -> String {
    let path = world.folder.path().join("backup.db").display().to_string();
    world.succeeds(&["backup", &path]);
    path
}

/// Overwrites all pages of a file but the first.
fn damage(path: &PathBuf) {
    let mut bytes = fs::read(path).unwrap();
    bytes.iter_mut().skip(4096).for_each(|byte| *byte = 0x5a);
    fs::write(path, bytes).unwrap();
}

fn entries(world: &World) -> usize {
    world.json(&["entries", "--json"]).len()
}

#[test]
fn a_store_that_is_deleted_under_a_daemon_is_told_and_one_put_back_is_used() {
    let world = world();
    let mut daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("Signature"));
    let copy = backup(&world);
    fs::remove_file(store(&world)).unwrap();
    daemon.until("/healthz", |body| {
        body.contains("was deleted or moved away")
            && body.contains("stop veille, put a backup back with `veille restore FILE`")
            && body.contains("\"next_poll\":null")
    });
    let asked = world.origin.requests("/education").len();
    assert!(daemon.get("/numerique-educatif.atom", "").1.contains("Signature"));
    daemon.until("/sources/", |body| body.contains("ne peut rien enregistrer") && !body.contains("veille.db"));
    fs::rename(&copy, store(&world)).unwrap();
    daemon.until("/healthz", |body| body.contains("\"ok\""));
    assert!(world.origin.requests("/education").len() <= asked + 1);
    daemon.until("/sources/", |body| !body.contains("ne peut rien enregistrer"));
    daemon.signal("TERM");
    assert_eq!(daemon.ends(), Some(0));
    let log = daemon.log();
    assert_eq!(log.matches("was deleted or moved away").count(), 1, "{log}");
    // And what a poll after the next full minute brought.
    assert_eq!(entries(&world), world.origin.requests("/education").len().min(2));
}

#[test]
fn a_store_that_is_gone_at_a_start_is_not_made_anew_and_its_documents_are_served() {
    let world = world();
    world.succeeds(&["poll"]);
    let copy = backup(&world);
    fs::remove_file(store(&world)).unwrap();
    let other = world.folder.path().join("other.db").display().to_string();
    let label = world.folder.path().join("set.jsonl").display().to_string();
    let commands: [&[&str]; 10] = [
        &["poll"],
        &["publish"],
        &["feeds"],
        &["entries"],
        &["entries", "--search", "x"],
        &["backup", &other],
        &["diff"],
        &["explain", "1"],
        &["split", "1"],
        &["label", &label],
    ];
    for command in commands {
        let advice = "stop veille if it runs, put a backup back with `veille restore FILE`";
        check_fails(&world, command, &["is gone", "holds what was published", advice]);
    }
    let mut daemon = world.run();
    daemon.until("/healthz", |body| body.contains("is gone"));
    let (head, page) = daemon.get("/numerique-educatif/", "");
    assert!(head.starts_with("HTTP/1.1 200") && page.contains("Signature"), "{head}");
    assert!(daemon.get("/", "").0.contains("text/html"));
    assert_eq!(world.origin.requests("/education").len(), 1, "nobody is asked");
    assert!(!store(&world).exists());
    check_fails(&world, &["restore", &copy], &["is held by process", "veille run"]);
    daemon.signal("TERM");
    assert_eq!(daemon.ends(), Some(0));
    world.succeeds(&["restore", &copy]);
    assert_eq!(entries(&world), 1);
    world.succeeds(&["poll"]);
}

#[test]
fn a_first_start_that_cannot_make_a_store_ends_with_the_way_out() {
    let world = world();
    fs::write(world.folder.path().join("data"), "in the way").unwrap();
    check_fails(&world, &["run"], &["cannot open the store", "store.path"]);
}

#[test]
fn a_damaged_store_is_told_and_served_around_and_no_backup_is_made_of_it() {
    let world = world();
    world.succeeds(&["poll"]);
    let copy = backup(&world);
    damage(&store(&world));
    let damaged = world.folder.path().join("damaged.db");
    check_fails(&world, &["backup", damaged.to_str().unwrap()], &["damaged"]);
    assert!(!damaged.exists());
    let mut daemon = world.run();
    daemon.until("/healthz", |body| body.contains("damaged") && body.contains("veille restore"));
    assert!(daemon.get("/numerique-educatif.atom", "").1.contains("Signature"));
    daemon.signal("TERM");
    assert_eq!(daemon.ends(), Some(0));
    assert!(world.origin.requests("/education").len() <= 2);

    fs::copy(store(&world), &damaged).unwrap();
    check_fails(
        &world,
        &["restore", damaged.to_str().unwrap()],
        &["of no use", "the store stays as it is", "help: put another one back"],
    );
    let output = world.veille(&["restore", &copy]);
    assert!(output.status.success(), "{}", stderr(&output));
    let old = stderr(&output).split('`').find(|name| name.contains(".before-")).unwrap().to_owned();
    assert_eq!(fs::read(old).unwrap(), fs::read(&damaged).unwrap(), "the old store stays");
    assert_eq!(entries(&world), 1);
}

#[test]
fn a_backup_overwrites_nothing_and_only_stores_are_put_back() {
    let world = world();
    world.succeeds(&["poll"]);
    let copy = backup(&world);
    check_fails(&world, &["backup", &copy], &["overwrites nothing"]);
    let before = fs::read(store(&world)).unwrap();
    let other = world.folder.path().join("other.db");
    check_fails(&world, &["restore", other.to_str().unwrap()], &["there is no file"]);
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let other_advice =
        ["is no backup of veille", "the store stays as it is", "help: name a file that `veille backup` wrote"];
    check_fails(&world, &["restore", other.to_str().unwrap()], &other_advice);
    fs::write(&other, "garbage").unwrap();
    check_fails(&world, &["restore", other.to_str().unwrap()], &other_advice);
    let nowhere = world.folder.path().join("none/backup.db");
    check_fails(&world, &["backup", nowhere.to_str().unwrap()], &["there is no folder", "help: make it first"]);
    check_fails(&world, &["backup", "/proc/backup.db"], &["the copy `/proc/backup.db` cannot be written", "elsewhere"]);
    check_fails(&world, &["restore", store(&world).to_str().unwrap()], &["is the store itself"]);
    assert_eq!(fs::read(store(&world)).unwrap(), before);
    let names: Vec<_> =
        fs::read_dir(store(&world).parent().unwrap()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().ends_with(".new")), "{names:?}");
}

#[test]
fn a_restored_backup_is_told_of_and_left_as_it_was() {
    let world = world();
    world.succeeds(&["poll"]);
    let copy = backup(&world);
    let listed = || {
        let files = fs::read_dir(world.folder.path()).unwrap().map(|file| file.unwrap().file_name());
        files.filter(|name| name.to_string_lossy().starts_with("backup.db")).collect::<Vec<_>>()
    };
    let before = (listed(), fs::read(&copy).unwrap());
    let output = world.veille(&["restore", &copy]);
    let said = stderr(&output);
    for text in ["it holds 1 entry of 1 feed, last poll 20", ", written 20", ", format ", "the store before stays as"] {
        assert!(said.contains(text), "{text}: {said}");
    }
    assert_eq!((listed(), fs::read(&copy).unwrap()), before);
    // Each store that was there stays, also if two are put back in one second.
    for _ in 0..2 {
        world.succeeds(&["restore", &copy]);
    }
    let kept = fs::read_dir(store(&world).parent().unwrap()).unwrap();
    let kept = kept.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains(".before-")).count();
    assert_eq!(kept, 3);
    fs::remove_file(store(&world)).unwrap();
    assert!(stderr(&world.veille(&["restore", &copy])).contains("there was no store before"));
}

#[test]
fn what_a_restored_store_knows_is_published_in_the_place_of_what_came_later() {
    let world = world();
    world.write_config(&crate::world::TOPIC.replace("any = [", "any = [\"justice\", "));
    world.succeeds(&["poll"]);
    let copy = backup(&world);
    world.succeeds(&["poll", "--force"]);
    assert!(world.atom().contains("mineurs"));
    world.succeeds(&["restore", &copy]);
    world.succeeds(&["publish"]);
    assert!(world.atom().contains("Signature") && !world.atom().contains("mineurs"));
}

#[test]
fn another_process_that_holds_the_store_is_waited_for() {
    let world = world();
    let mut daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("Signature"));
    let holder = Connection::open(store(&world)).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    // A config with a mistake is noted in the store.
    world.write_config("[[topic]]\nid = 1\n");
    daemon.hears("another process holds the store");
    daemon.until("/healthz", |body| body.contains("another process holds") && body.contains("fuser"));
    assert!(daemon.get("/numerique-educatif.atom", "").1.contains("Signature"));
    drop(holder);
    daemon.hears("the store can be written again");
    daemon.until("/healthz", |body| !body.contains("another process holds"));
    world.write_config(crate::world::TOPIC);
    daemon.until("/healthz", |body| body.contains("\"ok\""));
    daemon.signal("TERM");
    assert_eq!(daemon.ends(), Some(0));
}

#[test]
fn a_second_daemon_on_a_store_hears_of_the_first() {
    let world = world();
    let daemon = world.run();
    let process = format!("process {}", daemon.process());
    check_fails(&world, &["run"], &["the daemon of this config runs already", &process, "stop it first"]);
}

#[test]
fn a_config_that_cannot_be_read_any_more_is_told_and_the_old_one_stays() {
    let world = world();
    let mut daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("Signature"));
    let away = world.folder.path().join("away.toml");
    fs::rename(world.config(), &away).unwrap();
    daemon.hears("the last good config stays in force");
    daemon.until("/healthz", |body| body.contains("no such config file; the last good one is in force"));
    assert!(daemon.get("/numerique-educatif.atom", "").1.contains("Signature"));
    daemon.signal("HUP");
    std::thread::sleep(Duration::from_millis(500));
    fs::rename(&away, world.config()).unwrap();
    daemon.until("/healthz", |body| body.contains("\"ok\""));
}
