//! Topics as their editor works on them: explained, compared before they are live, tested, changed while running.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::origin::document;
use crate::world::{TOPIC, World, item, justice, partnership, rss, stderr};

/// A new topic takes four lines.
const JUSTICE: &str = r#"
[[topic]]
id = "justice"
title = "Justice"
any = ["justice des mineurs"]
"#;

fn world() -> World {
    let far = item("tablettes", "Des tablettes et des cahiers", "Six cents appareils pour les collégiens.", &[]);
    World::new().feed("education", [document(rss(&[partnership(), justice(), far])).etag("\"v1\"")])
}

/// A world whose store is filled.
fn polled() -> World {
    let world = world();
    world.succeeds(&["poll"]);
    world
}

/// Runs a command that reads `input`.
fn answering(world: &World, arguments: &[&str], input: &str) -> Output {
    let mut command = world.command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Runs a command on another config, which must succeed.
fn with_config(config: &Path, command: &str) -> String {
    let mut veille = Command::new(env!("CARGO_BIN_EXE_veille"));
    let output = veille.arg(command).arg("--config").arg(config).output().unwrap();
    assert!(output.status.success(), "{command}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_keys_are_listed_without_a_config() {
    let nowhere = tempfile::tempdir().unwrap();
    let mut veille = Command::new(env!("CARGO_BIN_EXE_veille"));
    let output =
        veille.args(["check", "--keys"]).env_remove("VEILLE_CONFIG").current_dir(nowhere.path()).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), include_str!("../../docs/config.md"));
}

#[test]
fn an_editors_walk() {
    let world = world();
    let mut daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("Signature"));
    let next = world.folder.path().join("next.toml");
    fs::write(&next, fs::read_to_string(world.config()).unwrap() + JUSTICE).unwrap();

    // Check and compare, while nothing changes for readers.
    assert!(with_config(&next, "check").contains("is valid"));
    let diff = with_config(&next, "diff");
    assert!(diff.contains("justice  +1 −0") && diff.contains("Réforme de la justice"), "{diff}");
    assert!(diff.contains("+9 justice des mineurs (title)"), "the rule is told: {diff}");
    assert!(diff.contains("numerique-educatif  +0 −0"), "{diff}");
    assert!(daemon.get("/justice.atom", "").0.starts_with("HTTP/1.1 404"));

    // Save: the running daemon's feed follows within five seconds.
    let saved = Instant::now();
    world.write_config(&format!("{TOPIC}{JUSTICE}"));
    daemon.until("/justice.atom", |body| body.contains("Réforme de la justice"));
    assert!(saved.elapsed() < Duration::from_secs(5), "{:?}", saved.elapsed());
    assert_eq!(world.json(&["diff", "--json"]), Vec::<Value>::new(), "what is live is what the config says");

    // A typo: told with its place, and nothing is lost.
    world.write_config(&format!("{TOPIC}{}", JUSTICE.replace("any", "anny")));
    let output = world.veille(&["check"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("did you mean `any`?"), "{}", stderr(&output));
    daemon.hears("the last good one stays in force");
    assert!(daemon.get("/justice.atom", "").1.contains("Réforme de la justice"));
    assert!(daemon.get("/numerique-educatif.atom", "").1.contains("Signature"));
}

#[test]
fn explain_shows_rules_fields_words_and_points() {
    let world = polled();
    let text = world.succeeds(&["explain", "https://ministere.example/partenariat?utm_source=lettre"]);
    assert!(text.contains("numerique-educatif: in, 6 of 6 points"), "{text}");
    assert!(text.contains("+6  numérique éducatif, école numérique (tags)"), "{text}");
    assert!(text.contains("« [numérique éducatif] »"), "{text}");
}

#[test]
fn explain_finds_an_entry_by_number_guid_and_link() {
    let world = polled();
    let number = world.json(&["entries", "--search", "partenariat", "--json"])[0]["id"].to_string();
    for name in [&number, "partenariat", "https://ministere.example/partenariat"] {
        let line = &world.json(&["explain", name, "--json"])[0];
        assert_eq!((line["id"].to_string(), &line["topic"]), (number.clone(), &"numerique-educatif".into()), "{name}");
        assert_eq!((&line["verdict"], &line["score"], &line["threshold"]), (&"in".into(), &6.0.into(), &6.0.into()));
        assert_eq!(line["evidence"][0]["field"], "tags");
    }
}

#[test]
fn explain_tells_what_came_nearest() {
    let world = polled();
    let rule = "in = [\"head\"]\nnear = [[\"tablette\"], [\"collégien\"]]\nwithin = 2\n";
    world.write_config(&format!("\n[[topic]]\nid = \"t\"\n[[topic.rule]]\n{rule}"));
    let text = world.succeeds(&["explain", "tablettes"]);
    assert!(text.contains("t: not in, 0 of 6 points"), "{text}");
    assert!(text.contains("words apart in the head, 2 allowed (worth 6)"), "{text}");
}

#[test]
fn explain_judges_a_text_from_stdin_and_a_page_that_is_not_stored() {
    let page = "<html><head><title>École numérique</title></head><body><p>Un plan est lancé.</p></body></html>";
    let world = world();
    world.origin.answers("/page", [document(page).header("Content-Type", "text/html")]);
    let text = world.succeeds(&["explain", world.origin.url("/page").as_str()]);
    assert!(text.contains("École numérique") && text.contains("in, 9 of 6 points"), "{text}");
    let output = answering(&world, &["explain", "-"], "L’école numérique\nUn plan est lancé.\n");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("in, 9 of 6 points"), "{text}");
}

#[test]
fn explain_of_nothing_stored_is_wrong_usage() {
    let output = polled().veille(&["explain", "nobody-said-this"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("veille entries --search"), "{}", stderr(&output));
}

#[test]
fn diff_tells_which_rule_loses_an_entry() {
    let world = polled();
    world.write_config(&TOPIC.replace("\"numérique éducatif\", \"école numérique\"", "\"tableau noir\""));
    let change = &world.json(&["diff", "--json"])[0];
    assert_eq!((&change["change"], &change["topic"]), (&"lost".into(), &"numerique-educatif".into()));
    assert_eq!((&change["score"], &change["verdict"]), (&0.0.into(), &"below_threshold".into()));
    assert_eq!(change["reasons"][0]["points"], -6.0);
    let text = world.succeeds(&["diff"]);
    assert!(text.contains("numerique-educatif  +0 −1  (1 now, 0 then)"), "{text}");
    assert!(text.contains("0 of 6 points: −6 numérique éducatif, école numérique (tags)"), "{text}");
}

#[test]
fn diff_of_many_entries_misses_none_and_names_none_twice() {
    // More than are read in one go, and nothing that would be compared for stories.
    let news =
        |n: usize| item(&format!("n{n}"), &format!("Nouvelle{n}"), &format!("Texte{n}"), &["justice des mineurs"]);
    let world = World::new().feed("justice", [document(rss(&(0..250).map(news).collect::<Vec<_>>()))]);
    let world = world.with("dedup = false");
    world.succeeds(&["poll"]);
    world.write_config(JUSTICE);
    let told: Vec<i64> = world.json(&["diff", "--json"]).iter().map(|change| change["id"].as_i64().unwrap()).collect();
    assert_eq!(told.len(), 250);
    assert_eq!(told.iter().collect::<std::collections::BTreeSet<_>>().len(), 250);
    assert!(world.succeeds(&["diff", "--limit", "1"]).contains("justice  +250 −0  (0 now, 250 then)"));
}

#[test]
fn diff_tells_what_a_topic_that_goes_loses() {
    let world = polled();
    world.write_config(JUSTICE);
    let text = world.succeeds(&["diff"]);
    assert!(text.contains("numerique-educatif  +0 −1") && text.contains("the topic is gone"), "{text}");
}

/// A labelled entry as a line.
fn labelled(id: &str, title: &str, labels: &str) -> String {
    format!("{{\"id\": \"{id}\", \"title\": \"{title}\", \"summary\": \"Un texte.\", \"labels\": {{{labels}}}}}\n")
}

#[test]
fn test_shows_figures_and_explains_what_is_wrong() {
    let world = world();
    let mut lines = labelled("a", "L’école numérique avance", "\"numerique-educatif\": 2");
    lines += &labelled("b", "Des tablettes en classe", "\"numerique-educatif\": 2");
    lines += &labelled("c", "Une école numérique de cuisine", "");
    lines += &labelled("d", "Une école numérique en passant", "\"numerique-educatif\": 1");
    let file = world.folder.path().join("set.jsonl");
    fs::write(&file, &lines).unwrap();
    let text = world.succeeds(&["test", file.to_str().unwrap()]);
    assert!(text.contains("numerique-educatif      1      1      1     0.500   0.500   0.500"), "{text}");
    assert!(text.contains("missed  b  Des tablettes en classe"), "{text}");
    assert!(text.contains("false alarm  c  Une école numérique de cuisine"), "{text}");
    assert!(text.contains("[école numérique]"), "{text}");
    let json = world.json(&["test", "--json", "--summary", file.to_str().unwrap()]);
    assert_eq!(json[1]["macro"]["f1"], 0.5);
}

#[test]
fn test_tells_the_lines_that_it_cannot_read() {
    let world = world();
    let file = world.folder.path().join("set.jsonl");
    let mut lines = labelled("a", "L’école numérique avance", "\"numerique-educatif\": 2");
    let _ = writeln!(lines, "{{\"id\": 12");
    fs::write(&file, lines).unwrap();
    let output = world.veille(&["test", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("set.jsonl:2: "), "{}", stderr(&output));
    assert!(String::from_utf8(output.stdout).unwrap().contains("1.000"));
}

#[test]
fn label_keeps_each_answer_and_goes_on_where_it_stopped() {
    let world = polled();
    let file = world.folder.path().join("set.jsonl");
    let arguments = ["label", "--topic", "numerique-educatif", file.to_str().unwrap()];
    let labels = || -> Vec<Value> {
        let lines = fs::read_to_string(&file).unwrap_or_default();
        lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["labels"]["numerique-educatif"].clone())
            .collect()
    };
    // The terminal is closed in the middle of an answer.
    answering(&world, &arguments, "y\nwhat?\n");
    assert_eq!(labels(), [2]);
    let output = answering(&world, &arguments, "s\nn\n");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(labels(), [2, 0]);
    answering(&world, &arguments, "m\nq\n");
    assert_eq!(labels(), [2, 0, 1]);
    let text = String::from_utf8(answering(&world, &arguments, "").stdout).unwrap();
    assert_eq!(text, "", "nothing is left to ask");
    let text = world.succeeds(&["test", "--summary", file.to_str().unwrap()]);
    assert!(text.contains("numerique-educatif      1      0      0"), "{text}");
}

#[test]
fn check_hints_at_a_topic_that_matched_nothing_stored() {
    let world = polled();
    world.write_config(&format!("{TOPIC}{JUSTICE}[[topic]]\nid = \"mer\"\nany = [\"océan\"]\n"));
    let output = world.veille(&["check"]);
    assert!(output.status.success());
    let text = stderr(&output);
    assert!(text.contains("hint: no stored entry is in topic `mer`") && !text.contains("`justice`"), "{text}");
}

#[test]
fn a_search_shows_where_words_stand_and_says_when_nothing_is_found() {
    let world = polled();
    let text = world.succeeds(&["entries", "--search", "\"six cents appareils\""]);
    assert!(text.contains("« [Six cents appareils] pour les collégiens. »"), "{text}");
    let quote = &world.json(&["entries", "--search", "collégien", "--json"])[0]["quote"];
    assert_eq!((&quote["before"], &quote["words"]), (&"Six cents appareils pour les ".into(), &"collégiens".into()));
    for search in ["\"appareils six\"", "autruche"] {
        let output = world.veille(&["entries", "--search", search, "--json"]);
        assert_eq!((output.status.code(), output.stdout.len(), &*stderr(&output)), (Some(0), 0, "nothing found\n"));
    }
}

#[test]
fn entries_are_listed_by_feed_and_day() {
    let world = polled();
    let count = |arguments: &[&str]| world.json(&[&["entries", "--json"], arguments].concat()).len();
    assert_eq!((count(&["--feed", "education"]), count(&["--since", "23/11/2026"])), (3, 3));
    assert_eq!((count(&["--since", "2999-01-01"]), count(&["--since", "50 years"])), (0, 3));
    for arguments in [["--feed", "educatio"], ["--since", "hier"]] {
        assert_eq!(world.veille(&[&["entries"], &arguments[..]].concat()).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn days_are_those_of_the_configured_zone() {
    let late = item("a", "Un titre", "Un texte.", &[]).replace("08:00:00 +0100", "23:30:00 +0000");
    let world = World::new().feed("education", [document(rss(&[late]))]);
    world.succeeds(&["poll"]);
    assert!(world.succeeds(&["entries"]).contains("2026-11-24"));
    assert_eq!(world.json(&["entries", "--json", "--since", "2026-11-24"]).len(), 1);
}
