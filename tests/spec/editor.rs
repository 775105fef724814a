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
    assert!(
        diff.contains("+9 justice des mineurs (title) for `justice des mineurs`"),
        "rule and term are told: {diff}"
    );
    assert!(diff.contains("unchanged: numerique-educatif (1 story)"), "{diff}");
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
    assert!(text.contains("numerique-educatif  +0 −1  (1 story now, 0 then)"), "{text}");
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
    assert!(world.succeeds(&["diff", "--limit", "1"]).contains("justice  +250 −0  (0 stories now, 250 then)"));
}

#[test]
fn diff_tells_what_a_topic_that_goes_loses() {
    let world = polled();
    world.write_config(JUSTICE);
    let text = world.succeeds(&["diff"]);
    assert!(text.contains("numerique-educatif  +0 −1") && text.contains("the topic is gone"), "{text}");
}

/// Two feeds that tell the same two items, and one more.
fn two_feeds() -> World {
    let plan = "Le ministre lance un plan pour les collèges ruraux et leurs internats à la rentrée prochaine.";
    let told = |guid: &str| item(guid, "Un plan pour la justice des mineurs", plan, &[]);
    let other =
        item("c", "La justice des mineurs en débat", "Les députés ont examiné hier un texte très différent.", &[]);
    let world = World::new().feed("education", [document(rss(&[told("a"), other]))]);
    let world = world.feed("academie", [document(rss(&[told("b")]))]);
    world.succeeds(&["poll"]);
    world
}

#[test]
fn diff_counts_and_lists_stories_not_tellings() {
    let world = two_feeds();
    world.write_config(JUSTICE);
    let text = world.succeeds(&["diff"]);
    assert!(text.contains("justice  +2 −0  (0 stories now, 2 then)"), "{text}");
    assert_eq!(text.matches("Un plan pour la justice des mineurs (told by 2)").count(), 1, "{text}");
    assert!(text.contains("La justice des mineurs en débat\n"), "{text}");
    let told: Vec<Value> = world.json(&["diff", "--json"]).iter().map(|change| change["told_by"].clone()).collect();
    assert!(told.len() == 2 && told.contains(&2.into()) && told.contains(&1.into()), "{told:?}");
}

#[test]
fn a_story_that_stays_through_another_telling_is_no_change() {
    let plan = "Le ministre lance un plan pour les collèges ruraux et leurs internats à la rentrée prochaine.";
    let tagged = item("a", "Un plan pour les mineurs", plan, &["numérique éducatif"]);
    let world = World::new().feed("education", [document(rss(&[tagged]))]);
    let both = item("b", "Un plan pour les mineurs", plan, &["numérique éducatif", "école rurale"]);
    let world = world.feed("academie", [document(rss(&[both]))]);
    world.succeeds(&["poll"]);
    world.write_config("\n[[topic]]\nid = \"numerique-educatif\"\nany = [\"école rurale\"]\n");
    assert_eq!(world.json(&["diff", "--json"]), Vec::<Value>::new());
    assert!(world.succeeds(&["diff"]).contains("unchanged: numerique-educatif (1 story)"));
}

#[test]
fn entries_are_listed_by_story_and_one_by_one_where_that_is_wanted() {
    let world = two_feeds();
    let lines = |arguments: &[&str]| {
        let text = world.succeeds(arguments);
        text.lines().filter(|line| line.contains("2026-")).map(str::to_owned).collect::<Vec<_>>()
    };
    let stories = lines(&["entries"]);
    assert!(stories.len() == 2 && stories.iter().any(|line| line.ends_with("mineurs (told by 2)")), "{stories:?}");
    assert_eq!((lines(&["entries", "--tellings"]).len(), lines(&["entries", "--limit", "1"]).len()), (3, 1));
    let json = world.json(&["entries", "--json", "--search", "plan"]);
    assert_eq!((json.len(), &json[0]["told_by"]), (2, &2.into()));
}

#[test]
fn a_topic_that_goes_is_said_to_break_its_addresses_and_an_alias_is_the_way_out() {
    let world = polled();
    let renamed = TOPIC.replace("id = \"numerique-educatif\"", "id = \"numerique\"");
    world.write_config(&renamed);
    let text = world.succeeds(&["diff"]);
    assert!(text.contains("warning: topic `numerique-educatif` is gone: its subscribers find nothing at"), "{text}");
    let help = "write `aliases = [\"numerique-educatif\"]` in topic `numerique`, which has most of its stories";
    assert!(text.contains(help), "{text}");
    let told = stderr(&world.veille(&["check"]));
    assert!(told.contains("warning: topic `numerique-educatif` is gone") && told.contains("aliases = "), "{told}");

    world.write_config(&renamed.replace("\ntitle", "\naliases = [\"numerique-educatif\"]\ntitle"));
    assert_eq!(world.succeeds(&["diff"]), "unchanged: numerique (1 story)\n");
    assert!(!stderr(&world.veille(&["check"])).contains("gone"));
}

#[test]
fn the_former_addresses_of_a_renamed_topic_lead_on() {
    let world = world();
    let daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("Signature"));
    let renamed =
        TOPIC.replace("id = \"numerique-educatif\"", "id = \"numerique\"\naliases = [\"numerique-educatif\"]");
    world.write_config(&renamed);
    daemon.until("/numerique.atom", |body| body.contains("Signature"));
    for (former, now) in [
        (".atom", "numerique.atom"),
        (".rss", "numerique.rss"),
        (".json", "numerique.json"),
        (".html", "numerique.html"),
        ("", "numerique/"),
        ("/", "../numerique/"),
        ("/archive/", "../../numerique/archive/"),
        ("/archive/2026-11.atom", "../../numerique/archive/2026-11.atom"),
    ] {
        let head = daemon.get(&format!("/numerique-educatif{former}"), "").0;
        assert!(head.starts_with("HTTP/1.1 301"), "{former}: {head}");
        assert!(head.to_lowercase().contains(&format!("\r\nlocation: {now}\r\n")), "{former}: {head}");
    }
    assert!(daemon.get("/numerique-educatifs.atom", "").0.starts_with("HTTP/1.1 404"), "another id");
    for file in ["numerique-educatif/index.html", "numerique-educatif.html", "numerique-educatif/archive/index.html"] {
        let page = fs::read_to_string(world.published(file)).unwrap();
        let root = "../".repeat(file.matches('/').count());
        let root = if root.is_empty() { "./" } else { &root };
        assert!(page.contains(&format!("content=\"0; url={root}numerique/\"")), "{file}: {page}");
    }
    assert!(!world.published("numerique-educatif.atom").exists());
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
fn test_counts_the_lines_of_one_story_once() {
    let world = world();
    let told = |id: &str, title: &str| {
        let line = labelled(id, title, "\"numerique-educatif\": 2");
        line.replace("\"labels\"", "\"story\": \"s\", \"labels\"")
    };
    let mut lines = told("a", "Un plan pour les écoles") + &told("b", "L’école numérique avance");
    lines += &told("c", "Le plan").replace("\"s\"", "\"t\"");
    let file = world.folder.path().join("set.jsonl");
    fs::write(&file, lines).unwrap();
    let text = world.succeeds(&["test", file.to_str().unwrap()]);
    assert!(text.contains("numerique-educatif      1      0      1     1.000   0.500   0.667"), "{text}");
}

#[test]
fn test_refuses_a_file_with_a_line_that_it_cannot_read() {
    let world = world();
    let file = world.folder.path().join("set.jsonl");
    let mut lines = labelled("a", "L’école numérique avance", "\"numerique-educatif\": 2");
    let _ = writeln!(lines, "{{\"id\": 12");
    fs::write(&file, lines).unwrap();
    let output = world.veille(&["test", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("set.jsonl:2: "), "{}", stderr(&output));
    assert!(stderr(&output).contains("1 line cannot be read, so nothing was tested"), "{}", stderr(&output));
    assert_eq!(output.stdout, b"", "no figures of half a file");
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
    let output = answering(&world, &arguments, "o\nwhat?\n");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("[1 of 3]") && text.contains("numerique-educatif? [y or o/n/m/s/q]"), "{text}");
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

#[test]
fn label_asks_of_no_entry_without_a_text() {
    let feed = rss(&[item("a", "L’école numérique", "", &[]), item("b", "Un titre", "Un texte à lire.", &[])]);
    let world = World::new().feed("education", [document(feed)]);
    world.succeeds(&["poll"]);
    let file = world.folder.path().join("set.jsonl");
    let text = String::from_utf8(answering(&world, &["label", file.to_str().unwrap()], "").stdout).unwrap();
    assert!(text.contains("[1 of 1]") && text.contains("Un texte à lire.") && !text.contains("L’école"), "{text}");
}

#[test]
fn check_of_a_config_without_feeds_or_topics_says_what_to_add() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let check = |text: &str| {
        fs::write(&config, text).unwrap();
        let mut veille = Command::new(env!("CARGO_BIN_EXE_veille"));
        let output = veille.arg("check").arg("--config").arg(&config).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output)
    };
    let told = check("");
    assert!(told.contains("[[feed]]") && told.contains("[[topic]]") && told.contains("veille add"), "{told}");
    let told = check("[[topic]]\nid = \"a\"\nany = [\"a\"]\n");
    assert!(told.contains("[[feed]]") && !told.contains("[[topic]]"), "{told}");
}

#[test]
fn merge_shows_both_titles() {
    let world = polled();
    let told = stderr(&world.veille(&["merge", "1", "2"]));
    assert!(told.contains("Réforme de la justice") || told.contains("Partenariat"), "{told}");
    assert_eq!(told.lines().filter(|line| line.contains("  education  ")).count(), 2, "{told}");
}

#[test]
fn explain_leaves_out_topics_that_give_no_point() {
    let world = polled();
    world.write_config(&format!("{TOPIC}{JUSTICE}"));
    let text = world.succeeds(&["explain", "partenariat"]);
    assert!(text.contains("numerique-educatif: in") && !text.contains("justice: "), "{text}");
    assert!(text.contains("nothing in 1 other topic"), "{text}");
    let text = world.succeeds(&["explain", "partenariat", "--topic", "justice"]);
    assert!(text.contains("justice: not in, 0 of 6 points"), "{text}");
    assert_eq!(world.json(&["explain", "partenariat", "--topic", "justice", "--json"]).len(), 1);
}

/// Four stories around the topic, one of them told twice.
fn schools() -> World {
    let told =
        |name: &str| item(name, "L’école numérique avance", "Un plan pour les classes est lancé hier à Lyon.", &[]);
    let tagged = item("tag", "Un accord", "La région signe.", &["numérique éducatif"]);
    let both = item("both", "École numérique et numérique éducatif", "Le débat au Sénat a duré.", &[]);
    let film = item("film", "Cinéma numérique", "L’école numérique du film ouvre.", &[]);
    let world = World::new().feed("education", [document(rss(&[told("a"), tagged, both, film]))]);
    let world = world.feed("academie", [document(rss(&[told("b")]))]);
    world.succeeds(&["poll"]);
    world
}

/// A topic with a term that is never seen.
fn with_board() -> String {
    TOPIC.replace("\"école numérique\"]", "\"école numérique\", \"tableau noir\"]")
}

#[test]
fn words_tell_what_each_term_brings_and_brings_alone() {
    let world = schools();
    world.write_config(&with_board());
    let lines = world.json(&["words", "numerique-educatif", "--json"]);
    let line = |term: &str| lines.iter().find(|line| line["term"] == term).unwrap();
    let counts = |term: &str| (line(term)["stories"].as_u64(), line(term)["alone"].as_u64());
    assert_eq!(counts("école numérique"), (Some(3), Some(1)), "two tellings are one story");
    assert_eq!(counts("numérique éducatif"), (Some(2), Some(1)));
    assert_eq!((counts("tableau noir"), line("tableau noir")["last"].is_null()), ((Some(0), Some(0)), true));
    assert_eq!((counts("cinéma numérique"), &line("cinéma numérique")["kind"]), ((Some(1), Some(1)), &"not".into()));
    let rule = lines.iter().find(|line| line["kind"] == "rule").unwrap();
    assert_eq!((rule["stories"].as_u64(), rule["alone"].as_u64()), (Some(4), Some(3)));

    let text = world.succeeds(&["words"]);
    assert!(text.contains("numerique-educatif: 3 stories"), "{text}");
    assert!(text.contains("        3      1      +8  2026-11-23    école numérique"), "{text}");
    assert!(text.contains("never seen: `tableau noir`"), "{text}");
}

#[test]
fn words_tell_how_often_each_term_is_right() {
    let world = schools();
    let about = "\"numerique-educatif\": 2";
    let mut lines =
        labelled("a", "L’école numérique avance", about) + &labelled("b", "L’école numérique recule", about);
    lines += &labelled("c", "Une école numérique de cuisine", "");
    lines += &labelled("d", "L’école numérique en passant", "\"numerique-educatif\": 1");
    let file = world.folder.path().join("set.jsonl");
    fs::write(&file, lines).unwrap();
    let lines = world.json(&["words", "--json", "--labelled", file.to_str().unwrap()]);
    let line = lines.iter().find(|line| line["term"] == "école numérique").unwrap();
    assert_eq!((&line["right"], &line["wrong"]), (&2.into(), &1.into()));
    assert!(world.succeeds(&["words", "--labelled", file.to_str().unwrap()]).contains("right  wrong"));
}

#[test]
fn words_of_no_topic_is_wrong_usage() {
    assert_eq!(polled().veille(&["words", "nothing"]).status.code(), Some(2));
}

#[test]
fn check_warns_of_a_word_that_is_everywhere() {
    let news = |n: usize| item(&format!("n{n}"), &format!("Nouvelle{n}"), &format!("Le texte{n} dit le mot{n}."), &[]);
    let world = World::new().feed("education", [document(rss(&(0..12).map(news).collect::<Vec<_>>()))]);
    world.succeeds(&["poll"]);
    world.write_config("\n[[topic]]\nid = \"t\"\nany = [\"le\", \"texte3\"]\n");
    let told = stderr(&world.veille(&["check"]));
    assert!(told.contains("warning: `le` counts in 100 % of the stored stories"), "{told}");
    assert!(told.contains("any = [\"le\", \"texte3\"]") && !told.contains("`texte3` counts"), "{told}");
    assert!(world.succeeds(&["words"]).contains("too common: `le` counts in 100 %"));
}

#[test]
fn an_empty_topic_gets_the_nearest_stories_and_the_ways_in() {
    let far = "Des tablettes et des cahiers, des crayons, des gommes et des règles pour les élèves";
    let feed = rss(&[
        item("far", far, "Rien.", &[]),
        item("body", "Un titre", "Un vélo pour tous.", &[]),
        item("weak", "Le budget des lycées", "Il baisse.", &[]),
        item("other", "Le budget des mairies", "Il monte encore.", &[]),
    ]);
    let world = World::new().feed("education", [document(feed)]);
    world.succeeds(&["poll"]);
    let rules = "\n[[topic.rule]]\nname = \"proche\"\nin = [\"title\"]\nnear = [[\"tablette\"], [\"élève\"]]\nwithin = 3\n\
                 [[topic.rule]]\nname = \"titre\"\nin = [\"title\"]\nany = [\"vélo\"]\n\
                 [[topic.rule]]\nname = \"faible\"\nweight = 1.0\nany = [\"budget\"]\n";
    world.write_config(&format!("\n[[topic]]\nid = \"t\"\n{rules}"));
    for command in ["words", "diff"] {
        let text = world.succeeds(&[command]);
        assert!(text.contains("just outside:"), "{command}: {text}");
        assert!(text.contains("3 of 6 points, 3 lacking: +3 faible (title) for `budget`"), "{command}: {text}");
        assert!(text.contains("with `within = 13` in rule `proche`: 1 of these and nothing else"), "{command}: {text}");
        assert!(text.contains("with `in = [\"title\", \"lead\"]` in rule `titre`: 1 of these"), "{command}: {text}");
        assert!(
            text.contains("with `weight = 2.0` in rule `faible`: 2 of these and nothing else"),
            "{command}: {text}"
        );
    }
    assert!(!world.succeeds(&["words"]).contains("too common"), "of four stories nobody can tell");
    let lines = world.json(&["words", "--json"]);
    let way = lines.iter().find(|line| line["change"] == "within = 13").unwrap();
    world.write_config(&format!("\n[[topic]]\nid = \"t\"\n{}", rules.replace("within = 3", "within = 13")));
    let gained: Vec<Value> = world.json(&["diff", "--json"]).iter().map(|change| change["story"].clone()).collect();
    assert_eq!(&Value::from(gained), &way["lets_in"], "what is told is what comes");
}

#[test]
fn diff_lists_the_stories_just_below_the_threshold_of_a_topic_that_changes() {
    let world = schools();
    world.write_config(&with_board().replace("title =", "threshold = 8.0\ntitle ="));
    let text = world.succeeds(&["diff"]);
    assert!(text.contains("numerique-educatif  +0 −1  (3 stories now, 2 then)"), "{text}");
    assert!(text.contains("just outside:") && text.contains("6 of 8 points, 2 lacking: +6"), "{text}");
}
