//! "Sur le même sujet": what a story is shown with, through the real program.

use std::fs;

use crate::origin::document;
use crate::world::{World, item, rss};

/// News of the topic from an hour of days in November 2026.
fn news(name: &str, title: &str, day: usize, hour: usize) -> String {
    let date = format!("{day:02} Nov 2026 {hour:02}:00:00");
    item(name, &format!("École numérique : {title}"), "Le rectorat le dit.", &[])
        .replace("Mon, 23 Nov 2026 08:00:00", &date)
}

/// Many stories that have nothing to do with one another, of the first days of the month.
fn ordinary() -> Vec<String> {
    let subjects = ["tablettes", "manuels", "cantines", "internats", "examens", "sorties", "langues", "ateliers"];
    let places = ["Lille", "Nantes", "Rennes", "Toulouse", "Bordeaux", "Amiens"];
    let pairs = subjects.iter().flat_map(|subject| places.iter().map(move |place| (subject, place)));
    let story = |(number, (subject, place))| {
        news(&format!("o{number}"), &format!("{subject} à {place}"), 1 + number / 24, number % 24)
    };
    pairs.enumerate().map(story).collect()
}

/// Four stories of one affair, the last of which comes last.
fn affair() -> Vec<String> {
    vec![
        news("faible", "Parcoursup et Affelnet expliqués aux familles", 10, 8),
        news("un", "Parcoursup, Affelnet et Cyclades en panne", 11, 8),
        news("deux", "la panne de Parcoursup, Affelnet et Cyclades dure", 12, 8),
        news("trois", "Parcoursup, Affelnet et Cyclades rouvrent après la panne", 13, 8),
    ]
}

fn latest() -> String {
    news("quatre", "Parcoursup, Affelnet, Cyclades : une enquête sur la panne", 14, 8)
}

fn documents() -> [Vec<String>; 3] {
    let earlier = [ordinary(), affair()].concat();
    let with_latest = [&earlier[..], &[latest(), news("autre", "des robots à Brest", 14, 9)]].concat();
    let late = news("tardif", "une enquête sur la panne de Parcoursup, Affelnet et Cyclades : les faits", 13, 20);
    let with_late = [&with_latest[..], &[late]].concat();
    [earlier, with_latest, with_late]
}

fn world<const N: usize>(documents: [Vec<String>; N]) -> World {
    let answers = documents.map(|items| document(rss(&items)));
    World::new().feed("education", answers).with("dedup = false")
}

/// The pages that an entry of the topic's feed says are related, by their names, best first.
fn related(atom: &str, name: &str) -> Vec<String> {
    let page = format!("href=\"https://ministere.example/{name}\" rel=\"alternate\"");
    let entry = atom.split("<entry>").find(|entry| entry.contains(&page)).unwrap_or_else(|| panic!("{name}: {atom}"));
    let links = entry.lines().filter(|line| line.contains("rel=\"related\""));
    links.map(|line| line.split("ministere.example/").nth(1).unwrap().split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn up_to_three_earlier_stories_are_shown_and_stay() {
    let world = world(documents());
    world.succeeds(&["poll", "--force"]);
    world.succeeds(&["poll", "--force"]);
    let mut chosen = related(&world.atom(), "quatre");
    chosen.sort();
    assert_eq!(chosen, ["deux", "trois", "un"]);
    assert_eq!(related(&world.atom(), "autre"), [""; 0], "nothing is better than something wrong");
    let first = related(&world.atom(), "un");
    assert!(first.iter().all(|name| name == "faible"), "no later story is shown with an earlier one: {first:?}");
    for page in ["numerique-educatif/index.html", "numerique-educatif/archive/2026-11/index.html"] {
        let page = fs::read_to_string(world.published(page)).unwrap();
        let (_, behind) = page.split_once("Cyclades : une enquête sur la panne").unwrap();
        let (_, behind) = behind.split_once("Sur le même sujet").unwrap();
        assert!(behind.split("</ul>").next().unwrap().contains("rouvrent après la panne"), "{behind}");
    }
    let before = related(&world.atom(), "quatre");
    world.succeeds(&["poll", "--force"]);
    assert!(world.atom().contains("les faits"));
    assert_eq!(related(&world.atom(), "quatre"), before, "what came later does not change the choice");
}

#[test]
fn the_order_of_a_document_does_not_count() {
    let [_, _, whole] = documents();
    let reversed: Vec<String> = whole.iter().rev().cloned().collect();
    let found = [whole, reversed].map(|items| {
        let world = world([items]);
        world.succeeds(&["poll"]);
        ["deux", "trois", "quatre", "autre"].map(|name| related(&world.atom(), name))
    });
    assert_eq!(found[0], found[1]);
    assert!(found[0][2].contains(&"trois".to_owned()), "{found:?}");
}

#[test]
fn a_story_that_new_rules_bring_into_a_topic_is_shown_with_earlier_ones() {
    let [_, with_latest, _] = documents();
    let world = world([with_latest]);
    let topics = |any: &str| format!("[[topic]]\nid = \"numerique-educatif\"\ntitle = \"École\"\nany = [\"{any}\"]\n");
    world.write_config(&topics("rien de tel"));
    world.succeeds(&["poll", "--force"]);
    assert!(!world.atom().contains("<entry>"));
    world.write_config(&topics("école numérique"));
    world.succeeds(&["publish"]);
    assert_eq!(related(&world.atom(), "quatre").len(), 3);
}
