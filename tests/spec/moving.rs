//! `veille store copy`: the same documents from the store at the other end.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::database::Database;
use crate::origin::document;
use crate::world::{TOPIC, World, item, partnership, rss, stderr};

/// Every published file with its bytes; what the folder notes of itself is beside them.
fn published(world: &World) -> BTreeMap<String, Vec<u8>> {
    fn add(folder: &Path, under: &str, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
            let name = format!("{under}{}", name.to_string_lossy());
            if path.is_dir() {
                add(&path, &format!("{name}/"), files);
            } else if !name.starts_with('.') {
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    add(&world.published(""), "", &mut files);
    files
}

fn world() -> World {
    let story = |name: &str| item(name, &format!("L’école numérique, {name}"), &format!("Un texte sur {name}."), &[]);
    let first = rss(&[partnership(), story("cantine"), story("orchestre")]);
    let second = rss(&[partnership(), story("cantine").replace("Un texte", "Un autre texte"), story("piscine")]);
    World::in_a_file()
        .feed("education", [document(first).etag("\"v1\""), document(second).etag("\"v2\"")])
        .feed("culture", [document(rss(&[partnership(), story("theatre")]))])
}

/// Publishes everything anew.
fn anew(world: &World) -> BTreeMap<String, Vec<u8>> {
    fs::remove_dir_all(world.published("")).unwrap();
    world.succeeds(&["publish"]);
    published(world)
}

/// Lets the config name another store.
fn use_store(world: &World, keys: &str) {
    world.write_config(&format!("{TOPIC}\n[store]\n{keys}\n"));
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_store_that_goes_to_postgresql_and_back_publishes_the_same_bytes() {
    let (world, database) = (world(), Database::new());
    world.succeeds(&["poll"]);
    world.succeeds(&["poll", "--force"]);
    world.succeeds(&["merge", "1", "2"]);
    let before = anew(&world);
    assert!(before.len() > 5, "{:?}", before.keys());

    world.succeeds(&["store", "copy", "--to", &database.url()]);
    use_store(&world, &format!("url = \"{}\"", database.url()));
    let there = anew(&world);
    assert_eq!(there.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    let differing: Vec<_> = there.keys().filter(|file| there.get(*file) != before.get(*file)).collect();
    assert!(differing.is_empty(), "{differing:?}");

    world.succeeds(&["store", "copy", "--to", world.folder.path().join("back.db").to_str().unwrap()]);
    use_store(&world, "path = \"back.db\"");
    assert_eq!(anew(&world), before);
    assert_eq!(world.succeeds(&["entries", "--search", "cantine", "--json"]).lines().count(), 1);
    let asked = || world.origin.requests("/education").len();
    let asked_before = asked();
    world.succeeds(&["poll"]);
    assert_eq!(asked(), asked_before, "nothing is due before its time");
    world.succeeds(&["poll", "--force"]);
    let last = world.origin.requests("/education").pop().unwrap();
    assert_eq!(last.header("if-none-match"), Some("\"v2\""), "validators moved along");
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_database_that_is_in_use_takes_no_copy() {
    let (world, database) = (world(), Database::new());
    world.succeeds(&["poll"]);
    world.succeeds(&["store", "copy", "--to", &database.url()]);
    let again = world.veille(&["store", "copy", "--to", &database.url()]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("is not empty") && stderr(&again).contains("help: "), "{}", stderr(&again));
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn an_empty_database_beside_published_documents_is_not_taken_for_the_store() {
    let (world, database) = (world(), Database::new());
    world.succeeds(&["poll"]);
    use_store(&world, &format!("url = \"{}\"", database.url()));
    let output = world.veille(&["poll"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("is gone"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("veille restore"), "{}", stderr(&output));
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_dump_is_the_servers_to_make() {
    let (world, database) = (world(), Database::new());
    use_store(&world, &format!("url = \"{}\"", database.url()));
    world.succeeds(&["poll"]);
    for command in ["backup", "restore"] {
        let output = world.veille(&[command, "file"]);
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert!(stderr(&output).contains("pg_dump"), "{command}: {}", stderr(&output));
    }
}

#[test]
fn a_copy_to_a_file_is_the_store_once_more_and_overwrites_nothing() {
    let world = world();
    world.succeeds(&["poll"]);
    let before = anew(&world);
    let copy = world.folder.path().join("copy.db");
    world.succeeds(&["store", "copy", "--to", copy.to_str().unwrap()]);
    let again = world.veille(&["store", "copy", "--to", copy.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("overwrites nothing"), "{}", stderr(&again));
    use_store(&world, "path = \"copy.db\"");
    assert_eq!(anew(&world), before);
}

#[test]
fn a_store_that_a_daemon_works_with_is_not_copied() {
    let world = world();
    let _daemon = world.run();
    let to = world.folder.path().join("copy.db");
    let output = world.veille(&["store", "copy", "--to", to.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("is held by"), "{}", stderr(&output));
    assert!(!to.exists());
}

#[test]
fn a_server_that_is_away_is_told_with_the_way_out() {
    let world = world();
    use_store(&world, "url = \"postgresql://veille@127.0.0.1:1/veille\"\npassword = \"secret\"");
    let output = world.veille(&["poll"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(text.contains("postgresql://veille@127.0.0.1:1/veille` cannot be reached"), "{text}");
    assert!(text.contains("help: ") && !text.contains("secret"), "{text}");
}

#[test]
fn a_config_names_one_store() {
    for (keys, expected) in [
        ("path = 'a.db'\nurl = 'host=db'", "`url` and `path` are both set"),
        ("password = 'a'", "there is no `url`"),
        ("url = 'veille.db'", "no address of a PostgreSQL database"),
        ("url = 'host=db sslmode=strict'", "verify-full"),
        ("url = 'postgresql://db/veille?colour=red'", "colour"),
    ] {
        let world = world();
        use_store(&world, keys);
        let output = world.veille(&["check"]);
        assert_eq!(output.status.code(), Some(2), "{keys}");
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), stderr(&output));
        assert!(text.contains(expected), "{keys}: {text}");
    }
}
