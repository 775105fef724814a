//! `veille suggest`, and the shipped topics on entries that were labelled by hand.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::origin::document;
use crate::world::{World, item, rss, stderr};

/// Sources of labelled entries.
const SOURCES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// A topic that knows nothing of tablets.
const TOPIC: &str = "\n[[topic]]\nid = \"ecole\"\ntitle = \"École\"\nany = [\"école numérique\"]\n";

/// A store with news of two feeds, two of them about tablets.
fn world() -> World {
    let tablets = |name: &str, title: &str| item(name, title, "Un texte sans rapport est paru hier à Lyon.", &[]);
    let world = World::new().feed(
        "education",
        [document(rss(&[
            tablets("t1", "Des tablettes pour les collèges du Gard"),
            tablets("port", "Le budget du port"),
            tablets("neuf", "L’école numérique avance"),
        ]))],
    );
    let world = world.feed("academie", [document(rss(&[tablets("t2", "Les tablettes arrivent dans les écoles")]))]);
    world.write_config(TOPIC);
    world.succeeds(&["poll"]);
    world
}

/// A line of a labelled file.
fn line(id: &str, source: &str, title: &str, label: u8) -> String {
    let line = serde_json::json!({ "id": id, "source": source, "title": title, "labels": { "ecole": label } });
    format!("{line}\n")
}

/// Entries about tablets, and others, told by each source.
fn lessons(about: bool, others: bool) -> String {
    let mut lines = String::new();
    for source in SOURCES {
        for (number, (title, label)) in [
            ("Des tablettes pour tous", 2),
            ("Les tablettes de la rentrée", 2),
            ("Le budget de la mairie", 0),
            ("Le budget des forêts", 0),
        ]
        .into_iter()
        .enumerate()
        {
            if if label == 2 { about } else { others } {
                lines += &line(&format!("{source}{number}"), source, title, label);
            }
        }
    }
    lines
}

fn written(world: &World, lines: &str) -> PathBuf {
    let path = world.folder.path().join("set.jsonl");
    fs::write(&path, lines).unwrap();
    path
}

fn suggest(world: &World, lines: &str, options: &[&str]) -> Output {
    let path = written(world, lines);
    world.veille(&[&["suggest", "ecole", path.to_str().unwrap()], options].concat())
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn learnt_rules_are_printed_with_figures_and_with_what_they_change() {
    let world = world();
    let told = text(&suggest(&world, &lessons(true, true), &[]));
    assert!(told.contains("# ecole: 12 labelled entries about it and 12 others, of 6 sources"), "{told}");
    assert!(told.contains("# as it is: F1 0.000"), "{told}");
    assert!(told.contains("not learnt from: F1 1.000"), "{told}");
    assert!(
        told.contains("  \"tablettes\",  # in 12 about it, 0 others, of 6 sources\n    # adds 2 stories: « "),
        "{told}"
    );
    assert!(told.contains("« Des tablettes pour les collèges du Gard »"), "{told}");
}

#[test]
fn what_is_printed_can_be_pasted_below_the_topic() {
    let world = world();
    let told = text(&suggest(&world, &lessons(true, true), &[]));
    world.write_config(&format!("{TOPIC}{told}"));
    assert!(world.succeeds(&["check"]).contains("is valid"));
    let path = world.folder.path().join("set.jsonl");
    let figures = world.succeeds(&["test", "--summary", path.to_str().unwrap()]);
    assert!(figures.contains("ecole     12      0      0"), "{figures}");
    let again = text(&suggest(&world, &lessons(true, true), &[]));
    assert!(again.contains("no rule was found that does better there"), "{again}");
}

#[test]
fn the_same_entries_give_the_same_rules_in_any_order() {
    let world = world();
    let lines = lessons(true, true);
    let mut reversed: Vec<&str> = lines.lines().collect();
    reversed.reverse();
    let first = text(&suggest(&world, &lines, &[]));
    assert_eq!(first, text(&suggest(&world, &lines, &[])));
    assert_eq!(first, text(&suggest(&world, &(reversed.join("\n") + "\n"), &[])));
}

#[test]
fn suggest_tells_the_same_as_json() {
    let world = world();
    let told = text(&suggest(&world, &lessons(true, true), &["--json"]));
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["topic"], &lines[0]["folds"]), (&"ecole".into(), &3.into()));
    assert_eq!((&lines[0]["before"]["f1"], &lines[0]["after"]["f1"]), (&0.0.into(), &1.0.into()));
    assert_eq!(
        (&lines[1]["any"], &lines[1]["adds"], &lines[1]["takes"]),
        (&serde_json::json!(["tablettes"]), &2.into(), &0.into())
    );
    assert_eq!(lines[1]["adds_titles"].as_array().unwrap().len(), 2);
}

#[test]
fn too_few_labels_are_refused_with_what_is_lacking() {
    let world = world();
    let check = |lines: &str, lacking: &str| {
        let output = suggest(&world, lines, &[]);
        assert_eq!(output.status.code(), Some(2));
        let told = stderr(&output);
        assert!(told.contains(lacking) && told.contains("--ask"), "{told}");
    };
    check(
        "",
        "label at least 5 more that are about it, from 3 sources that have none yet, and at least 5 more that are not",
    );
    check(&lessons(true, false), "help: label at least 5 more that are not, from 3 sources that have none yet: ");
    check(&lessons(false, true), "help: label at least 5 more that are about it, from 3 sources");
    let of_one: String = (0..9).map(|n| line(&n.to_string(), "a", "Des tablettes", 2)).collect();
    check(
        &(of_one + &lessons(false, true)),
        "label at least 2 more that are about it, from 2 sources that have none yet: ",
    );
}

#[test]
fn a_broken_file_and_a_topic_that_is_not_there_are_refused() {
    let world = world();
    let output = suggest(&world, &(lessons(true, true) + "{\"id\": 12\n"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("set.jsonl:25: "), "{}", stderr(&output));
    let output = world.veille(&["suggest", "ecol"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stderr(&output), "error: there is no topic `ecol`\nhelp: did you mean `ecole`?\n");
}

#[test]
fn entries_without_any_text_teach_nothing() {
    let world = world();
    let blank: String = SOURCES.map(|source| line(&format!("blank {source}"), source, "", 2)).concat();
    let told = text(&suggest(&world, &(blank + &lessons(true, true)), &[]));
    assert!(told.contains("12 labelled entries about it"), "{told}");
}

#[test]
fn rules_are_learnt_from_a_file_where_nothing_is_stored() {
    let world = World::new();
    world.write_config(TOPIC);
    let told = text(&suggest(&world, &lessons(true, true), &[]));
    assert!(told.contains("\"tablettes\",  # in 12 about it, 0 others, of 6 sources\n]"), "{told}");
    let output = world.veille(&["suggest", "ecole"]);
    assert_eq!(output.status.code(), Some(2), "without a file there is nothing to learn from");
}

#[test]
fn without_labels_words_of_the_topic_that_stand_elsewhere_are_shown() {
    let news = |name: &str, title: &str| item(name, title, &format!("Le texte numéro {name} est paru."), &[]);
    let feed = |source: &str| {
        let mut items: Vec<String> = (0..3)
            .map(|n| news(&format!("{source}{n}"), &format!("L’école numérique et ses tablettes, {source}{n}")))
            .collect();
        items.push(news(&format!("{source}x"), &format!("Le budget du port de {source}")));
        items
    };
    let mut second = feed("academie");
    second.push(news("autre", "Des tablettes au musée"));
    let world = World::new().feed("education", [document(rss(&feed("education")))]);
    let world = world.feed("academie", [document(rss(&second))]);
    world.write_config(TOPIC);
    world.succeeds(&["poll"]);
    let told = world.succeeds(&["suggest", "ecole"]);
    assert!(told.contains("nobody labelled these, so nothing was measured"), "{told}");
    assert!(
        told.contains(
            "\"tablettes\",  # in 6 in it now, 1 other, of 2 sources\n    # adds 1 story: « Des tablettes au musée »"
        ),
        "{told}"
    );
}

#[test]
fn ask_asks_about_one_source_after_the_other_and_keeps_the_answers() {
    let world = world();
    let path = written(&world, &lessons(true, true));
    let mut command = world.command(&["suggest", "ecole", path.to_str().unwrap(), "--ask"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all("o\nn\n".as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = text(&output);
    let place = |title: &str| told.find(title).unwrap_or_else(|| panic!("{title}: {told}"));
    let (first, second) = (place("Des tablettes pour les collèges du Gard"), place("Les tablettes arrivent"));
    assert!(first.max(second) < told.rfind("[3 of 4]").unwrap(), "{told}");
    let lines = fs::read_to_string(&path).unwrap();
    let kept: Vec<Value> = lines.lines().skip(24).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(kept.len(), 2);
    assert_eq!((&kept[0]["labels"]["ecole"], &kept[1]["labels"]["ecole"]), (&2.into(), &0.into()));
    assert_ne!(kept[0]["source"], kept[1]["source"]);
}

/// The entries were written for this test before the rules were last changed, with the confusions that are typical: a
/// school in a cyberattack, miners of coal, free of charge. Half of them were looked at while the rules were changed, so the
/// figure is too high for entries that nobody has seen.
#[test]
fn the_shipped_topics_are_right_on_labelled_entries() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (config, entries) = (root.join("config.toml"), root.join("tests/topics/entries.jsonl"));
    let mut veille = Command::new(env!("CARGO_BIN_EXE_veille"));
    let output = veille.args(["test", "--summary", "--json", "--config"]).args([config, entries]).output().unwrap();
    let lines: Vec<Value> = text(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let f1 = |line: &Value| line["f1"].as_f64().unwrap();
    let (average, topics) = lines.split_last().unwrap();
    assert_eq!(topics.len(), 7);
    assert!(f1(&average["macro"]) >= 0.90, "{average}");
    for topic in topics {
        assert!(f1(topic) >= 0.85, "{topic}");
    }
}
