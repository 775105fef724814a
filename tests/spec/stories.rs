//! One story, all its sources: told once, corrected by hand, made again from the entries.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::origin::{Answer, document};
use crate::world::{World, item, rss, stderr};

const TITLE: &str = "Un plan pour l’école numérique";

const TEXT: &str = "La ministre a présenté ce matin devant les recteurs le plan qui doit équiper chaque école numérique \
    rurale d’une connexion rapide et former ses enseignants aux usages nouveaux dans les trois ans.";

/// A document of one item, told at an address of its own.
fn told(name: &str, title: &str, text: &str) -> Answer {
    document(rss(&[item(name, title, text, &[])]))
}

/// Two ministries that tell the same, and one that tells something else.
fn world() -> World {
    World::new()
        .feed("education", told("plan", TITLE, TEXT))
        .feed("culture", told("plan-rural", TITLE, TEXT))
        .feed("sport", told("stade", "Une école numérique du sport", "Le stade ouvre lundi une école numérique."))
}

/// The story of each entry, by the feed that tells it.
fn stories(world: &World) -> BTreeMap<String, i64> {
    let lines = world.json(&["entries", "--json"]);
    lines.iter().map(|line| (line["feed"].as_str().unwrap().to_owned(), line["story"].as_i64().unwrap())).collect()
}

fn entries(world: &World) -> usize {
    world.atom().matches("<entry>").count()
}

/// The bytes of everything that is published; not the list of what was written, which is nobody's to read.
fn published(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        if file.is_dir() {
            files.extend(published(&file));
        } else if !file.ends_with(".veille") {
            files.insert(file.display().to_string(), fs::read(&file).unwrap());
        }
    }
    files
}

#[test]
fn what_two_ministries_tell_is_one_entry_that_names_both() {
    let world = world();
    world.succeeds(&["poll"]);
    let stories = stories(&world);
    assert_eq!(stories["education"], stories["culture"]);
    assert_ne!(stories["education"], stories["sport"]);
    assert_eq!(entries(&world), 2);
    let atom = world.atom();
    assert!(
        atom.contains("https://ministere.example/plan\"") && atom.contains("https://ministere.example/plan-rural\"")
    );
}

#[test]
fn explain_says_why_entries_tell_one_story_or_not() {
    let world = world();
    world.succeeds(&["poll"]);
    let text = world.succeeds(&["explain", "https://ministere.example/plan"]);
    assert!(text.contains("story: told by 2 entries"), "{text}");
    assert!(
        text.contains("the same title and text (titles 100 % alike, 100 % of the shorter text, 32 words"),
        "{text}"
    );
    let lines = world.json(&["explain", "https://ministere.example/plan", "--json"]);
    let story = lines.last().unwrap();
    assert_eq!(story["others"][0]["same"], "title_text");
    let world = World::new()
        .feed("cert-fr", told("12", "Bulletin d’alerte numéro 12 des écoles", TEXT))
        .feed("cert-eu", told("13", "Bulletin d’alerte numéro 13 des écoles", TEXT));
    world.succeeds(&["poll"]);
    let text = world.succeeds(&["explain", "https://ministere.example/12"]);
    assert!(text.contains("story: told by this entry alone"), "{text}");
    assert!(text.contains("the numbers in their titles differ (titles "), "{text}");
}

#[test]
fn explain_shows_what_an_edited_entry_said_before() {
    let world = world();
    world.succeeds(&["poll"]);
    world.origin.answers("/sport", told("stade", "Le stade de l’école numérique ferme", "Il rouvrira en mai."));
    world.succeeds(&["poll", "--force"]);
    let text = world.succeeds(&["explain", "https://ministere.example/stade"]);
    let before = "Une école numérique du sport\n          Le stade ouvre lundi une école numérique.";
    assert!(text.contains("edited: what it said before") && text.contains(before), "{text}");
}

#[test]
fn what_is_split_or_merged_by_hand_stays_so() {
    let world = world();
    world.succeeds(&["poll"]);
    let split = world.veille(&["split", "https://ministere.example/plan-rural"]);
    assert!(stderr(&split).contains("is told apart from the one that told its story with it"), "{}", stderr(&split));
    let merge = world.veille(&["merge", "https://ministere.example/plan", "https://ministere.example/stade"]);
    assert!(merge.status.success() && stderr(&merge).contains("tell one story now"), "{}", stderr(&merge));
    let corrected = |world: &World| {
        let stories = stories(world);
        assert_eq!(stories["education"], stories["sport"]);
        assert_ne!(stories["education"], stories["culture"]);
    };
    corrected(&world);
    // Nor do an edit and another poll change it back.
    world.origin.answers("/culture", told("plan-rural", TITLE, &TEXT.replace("matin", "midi")));
    world.origin.answers("/sport", told("stade", "Le stade ferme", "Aucune école numérique ne s’y tiendra plus."));
    world.succeeds(&["poll", "--force"]);
    corrected(&world);
    // And it can be taken back.
    world.succeeds(&["merge", "https://ministere.example/plan", "https://ministere.example/plan-rural"]);
    world.succeeds(&["split", "https://ministere.example/stade"]);
    let stories = stories(&world);
    assert_eq!(stories["education"], stories["culture"]);
    assert_ne!(stories["education"], stories["sport"]);
}

#[test]
fn a_correction_by_hand_is_published_by_the_daemon() {
    let world = world();
    let daemon = world.run();
    let count = |body: &str| body.matches("<entry>").count();
    daemon.until("/numerique-educatif.atom", |body| count(body) == 2);
    world.succeeds(&["split", "https://ministere.example/plan-rural"]);
    daemon.until("/numerique-educatif.atom", |body| count(body) == 3);
}

#[test]
fn a_name_of_no_entry_is_wrong_usage() {
    let world = world();
    world.succeeds(&["poll"]);
    for arguments in [&["split", "nobody"][..], &["merge", "nobody", "1"], &["merge", "1", "1"]] {
        let output = world.veille(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).starts_with("error: "), "{}", stderr(&output));
    }
}

#[test]
fn a_site_whose_every_id_changes_overnight_brings_nobody_an_old_entry_again() {
    let article = |number: usize, name: &str| {
        let subject = ["cantines", "cars", "stades", "piscines", "gymnases", "préaux", "internats"][number % 7];
        let title = format!("École numérique : les {subject} du département {number} ouvrent");
        let text = format!(
            "Le conseil de l’école numérique annonce que les {subject} du département {number} ouvriront lundi après des \
             travaux qui ont duré {number} semaines et mobilisé les agents, les élèves et leurs familles."
        );
        item(name, &title, &text, &[])
    };
    let before: Vec<String> = (1..=30).map(|number| article(number, &format!("node-{number}"))).collect();
    let world = World::new().feed("education", document(rss(&before)));
    world.succeeds(&["poll"]);
    let published = world.atom();
    let ids = |atom: &str| -> BTreeSet<String> {
        let entries = atom.split("<entry>").skip(1).filter_map(|entry| entry.split("<id>").nth(1));
        entries.filter_map(|rest| rest.split("</id>").next()).map(str::to_owned).collect()
    };
    let mut after: Vec<String> =
        (1..=30).map(|number| article(number, &format!("actualites/2026/{number}.html"))).collect();
    after.insert(0, article(31, "actualites/2026/31.html"));
    world.origin.answers("/education", document(rss(&after)));
    world.succeeds(&["poll", "--force"]);
    let (old, new) = (ids(&published), ids(&world.atom()));
    assert_eq!((old.len(), new.len()), (30, 31));
    assert!(new.is_superset(&old));
}

#[test]
fn what_is_derived_can_be_deleted_and_is_made_again_to_the_byte() {
    let world = world();
    world.succeeds(&["poll"]);
    world.succeeds(&["split", "https://ministere.example/stade"]);
    let before = (published(&world.published("")), stories(&world));
    for deletion in [
        "DELETE FROM labelled; DELETE FROM clue; DELETE FROM sketch; DELETE FROM month; DELETE FROM entry_text",
        "DROP VIEW label; DROP TABLE labelled; DROP TABLE clue; DROP TABLE sketch; DROP TABLE month;
            DROP TABLE entry_text; UPDATE entry SET story = 0",
    ] {
        // Where it is not whole, a table of a server is not made again.
        let of_server =
            "DELETE FROM labelled; DELETE FROM clue; DELETE FROM sketch; DELETE FROM month; DELETE FROM entry_text;
            UPDATE entry SET story = 0";
        world.change_store(deletion, of_server);
        fs::remove_dir_all(world.published("")).unwrap();
        world.succeeds(&["publish"]);
        let after = (published(&world.published("")), stories(&world));
        assert_eq!(after.1, before.1);
        let differing: Vec<_> = before.0.keys().filter(|file| after.0.get(*file) != before.0.get(*file)).collect();
        assert!(differing.is_empty(), "{differing:?}");
        assert_eq!(world.json(&["entries", "--search", "stade", "--json"]).len(), 1);
    }
}

#[test]
fn a_store_of_an_older_version_of_words_is_compared_and_searched_by_the_new_one() {
    let world = world();
    world.succeeds(&["poll"]);
    let open = || rusqlite::Connection::open(world.folder.path().join("data/veille.db")).unwrap();
    let derived = || {
        let store = open();
        let mut statement = store.prepare("SELECT entry, words, clues FROM sketch ORDER BY entry").unwrap();
        let row =
            |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?));
        statement.query_map([], row).unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    let before = (derived(), stories(&world));
    // As it was: sketches began with 1, clues and rules were of other words, and no version stood in the store.
    open()
        .execute_batch(
            "UPDATE sketch SET words = x'01', clues = x''; DELETE FROM clue WHERE entry > 1;
             UPDATE ruleset SET rules = 'of other words ' || id; DELETE FROM meta WHERE name LIKE '%_version'",
        )
        .unwrap();
    world.succeeds(&["publish"]);
    assert_eq!((derived(), stories(&world)), before);
    assert_eq!(world.json(&["entries", "--search", "stade", "--json"]).len(), 1);
    let labelled: i64 = open().query_row("SELECT count(*) FROM label", [], |row| row.get(0)).unwrap();
    assert!(labelled > 0);
}
