//! `veille poll` and what it leaves: entries, files, the health of feeds.

use std::fs;

use crate::origin::{document, raw, status};
use crate::world::{World, item, justice, partnership, rss, stderr};

fn world() -> World {
    World::new().feed("education", [document(rss(&[partnership(), justice()])).etag("\"v1\"")])
}

#[test]
fn a_publishers_tag_gets_an_entry_into_the_topic_and_its_neighbour_stays_out() {
    let world = world();
    world.succeeds(&["poll"]);
    let atom = world.atom();
    assert!(atom.contains("Signature d’un partenariat"), "{atom}");
    assert!(!atom.contains("justice des mineurs"), "{atom}");
}

#[test]
fn a_second_forced_poll_gets_304_and_touches_no_file() {
    let world = world();
    world.succeeds(&["poll"]);
    let touched = || fs::metadata(world.published("numerique-educatif.atom")).unwrap().modified().unwrap();
    let before = touched();
    let lines = world.json(&["poll", "--force", "--json"]);
    assert_eq!(lines[0]["outcome"], "unchanged");
    assert_eq!(world.origin.requests("/education")[1].header("if-none-match"), Some("\"v1\""));
    assert_eq!(touched(), before);
}

#[test]
fn the_entry_through_which_a_cut_document_ends_waits_for_the_whole_one() {
    let whole = rss(&[partnership(), item("orchestre", "Un orchestre à l’école numérique", "Il joue lundi.", &[])]);
    let cut = whole.get(..whole.find("orchestre à").unwrap()).unwrap().to_owned();
    let world = World::new().feed("education", [document(cut).header("etag", "\"v1\""), document(whole)]);
    world.succeeds(&["poll"]);
    assert_eq!(world.atom().matches("<entry>").count(), 1, "{}", world.atom());
    world.succeeds(&["poll", "--force"]);
    // The publisher may have sent the whole one under the same tag.
    assert_eq!(world.origin.requests("/education")[1].header("if-none-match"), None);
    assert!(world.atom().contains("<title>Un orchestre à l’école numérique</title>"), "{}", world.atom());
    assert_eq!(world.atom().matches("<entry>").count(), 2);
}

#[test]
fn a_feed_that_is_not_due_is_not_asked() {
    let world = world();
    world.succeeds(&["poll"]);
    world.succeeds(&["poll"]);
    assert_eq!(world.origin.requests("/education").len(), 1);
}

#[test]
fn broken_feeds_stop_nothing_and_are_told_apart() {
    let world = World::new()
        .feed("page", [status(200).header("content-type", "text/html").body("<!doctype html><title>Accueil</title>")])
        .feed("missing", [status(404)])
        .feed("gone", [status(410)])
        .feed("broken", [status(500)])
        .feed("garbage", [raw([0xff; 64])])
        .feed("education", [document(rss(&[partnership()]))]);
    let text = world.succeeds(&["poll"]);
    assert!(text.contains("6 feeds polled, 5 failed: 1 new entry"), "{text}");
    assert!(world.atom().contains("Signature"));
    let feeds = world.json(&["feeds", "--json"]);
    let told = |id: &str| {
        let feed = feeds.iter().find(|feed| feed["id"] == id).unwrap();
        (feed["status"].as_str().unwrap(), feed["last_error"].as_str().unwrap_or_default())
    };
    assert_eq!(told("education"), ("ok", ""));
    assert_eq!(told("gone").0, "gone");
    assert!(told("page").1.contains("HTML"), "{:?}", told("page"));
    assert!(told("missing").1.contains("404"), "{:?}", told("missing"));
    assert!(told("broken").1.contains("500"), "{:?}", told("broken"));
    assert_eq!(told("garbage").0, "failing");
}

#[test]
fn a_feed_that_is_gone_is_asked_no_more() {
    let world = World::new().feed("gone", [status(410)]);
    world.succeeds(&["poll"]);
    world.succeeds(&["poll"]);
    assert_eq!(world.origin.requests("/gone").len(), 1);
}

#[test]
fn the_same_news_from_two_ministries_is_published_once_and_names_both() {
    let tracked = partnership().replace("/partenariat<", "/partenariat?utm_source=rss&amp;at_medium=x<");
    let world = World::new()
        .feed("education", [document(rss(&[partnership()]))])
        .feed("culture", [document(rss(&[tracked.replace(">partenariat<", ">n-42<")]))]);
    world.succeeds(&["poll"]);
    assert_eq!(world.atom().matches("<entry").count(), 1, "{}", world.atom());
    let stories: Vec<_> = world.json(&["entries", "--json"]).iter().map(|entry| entry["story"].clone()).collect();
    assert_eq!(stories.len(), 2);
    assert_eq!(stories[0], stories[1]);
}

#[test]
fn a_feed_with_dedup_off_stays_apart() {
    let world = World::new()
        .feed("education", [document(rss(&[partnership()]))])
        .feed("culture", [document(rss(&[partnership()]))])
        .with("dedup = false");
    world.succeeds(&["poll"]);
    let stories: Vec<_> = world.json(&["entries", "--json"]).iter().map(|entry| entry["story"].clone()).collect();
    assert_ne!(stories[0], stories[1]);
}

#[test]
fn an_edited_entry_keeps_its_id_and_is_not_published_twice() {
    let edited = partnership().replace("trois ans avec un constructeur", "cinq ans avec un tout autre constructeur");
    let world = World::new().feed("education", [document(rss(&[partnership()])), document(rss(&[edited]))]);
    world.succeeds(&["poll"]);
    let id = |atom: &str| atom.split("<id>").nth(2).unwrap().split("</id>").next().unwrap().to_owned();
    let before = id(&world.atom());
    let lines = world.json(&["poll", "--force", "--json"]);
    assert_eq!((&lines[0]["new"], &lines[0]["changed"]), (&0.into(), &1.into()));
    let atom = world.atom();
    assert_eq!(id(&atom), before);
    assert!(atom.contains("cinq ans"), "{atom}");
    assert_eq!(atom.matches("<entry").count(), 1);
}

#[test]
fn an_excluded_term_keeps_an_entry_out() {
    let film = item("film", "Le cinéma numérique à l’école", "Un festival.", &["école numérique"]);
    let world = World::new().feed("education", [document(rss(&[film]))]);
    world.succeeds(&["poll"]);
    assert_eq!(world.atom().matches("<entry").count(), 0);
}

#[test]
fn titles_with_quotes_ampersands_and_angles_come_out_as_written() {
    let odd = item("odd", "« R&amp;D » &lt; 3 : l’école numérique", "Texte", &[]);
    let world = World::new().feed("education", [document(rss(&[odd]))]);
    world.succeeds(&["poll"]);
    assert!(world.atom().contains("« R&amp;D » &lt; 3 : l’école numérique"), "{}", world.atom());
}

#[test]
fn a_named_feed_is_polled_due_or_not_and_an_unknown_one_is_wrong_usage() {
    let world = world();
    world.succeeds(&["poll"]);
    world.succeeds(&["poll", "education"]);
    assert_eq!(world.origin.requests("/education").len(), 2);
    let output = world.veille(&["poll", "nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no feed has the id `nowhere`"), "{}", stderr(&output));
}

#[test]
fn a_data_folder_that_cannot_be_made_is_told_with_the_way_out() {
    let world = World::in_a_file().feed("education", [document(rss(&[partnership()]))]);
    fs::write(world.folder.path().join("data"), "a file in the way").unwrap();
    let output = world.veille(&["poll"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(text.contains("cannot open the store") && text.contains("help: "), "{text}");
}

#[test]
fn a_store_of_a_newer_veille_is_refused() {
    let world = world();
    world.succeeds(&["poll"]);
    world.change_store("PRAGMA user_version = 99", "UPDATE veille SET format = 99");
    let output = world.veille(&["poll"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("install the veille that wrote it"), "{}", stderr(&output));
}

#[test]
fn inspect_shows_topics_and_stores_nothing() {
    let world = world();
    let url = world.origin.url("/education").to_string();
    let seen = &world.json(&["inspect", &url, "--json"])[0];
    assert_eq!(seen["feed"]["format"], "rss20");
    assert_eq!(seen["entries"][0]["topics"][0], "numerique-educatif");
    assert_eq!(seen["entries"][1]["topics"].as_array().unwrap().len(), 0);
    assert!(!world.folder.path().join("data").exists());
}

#[test]
fn inspect_of_what_is_no_feed_fails_with_the_reason() {
    let world = World::new();
    let file = world.folder.path().join("page.html");
    fs::write(&file, "<!doctype html><title>Accueil</title><p>Bonjour").unwrap();
    let output = world.veille(&["inspect", file.to_str().unwrap(), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("HTML"), "{}", stderr(&output));
}

#[test]
fn entries_are_found_by_words_and_topic() {
    let world = world();
    world.succeeds(&["poll"]);
    let titles = |arguments: &[&str]| {
        let lines = world.json(arguments);
        lines.iter().map(|line| line["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(titles(&["entries", "--json"]).len(), 2);
    assert_eq!(titles(&["entries", "--search", "sceaux", "--json"]), ["Réforme de la justice des mineurs"]);
    assert_eq!(titles(&["entries", "--topic", "numerique-educatif", "--json"]).len(), 1);
}

#[test]
fn publish_writes_everything_again() {
    let world = world();
    world.succeeds(&["poll"]);
    let before = world.atom();
    fs::remove_dir_all(world.folder.path().join("data/public")).unwrap();
    world.succeeds(&["publish"]);
    assert_eq!(world.atom(), before);
}
