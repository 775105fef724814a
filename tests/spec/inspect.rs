//! `veille inspect`: what a feed holds once read, for people and for programs.

use std::fs;
use std::process::Command;

use crate::origin::document;
use crate::world::{World, item, partnership, rss};

/// Returns the output of `inspect` for a file with these bytes.
fn inspected(document: &[u8], options: &[&str]) -> String {
    let world = World::new();
    let file = world.folder.path().join("feed");
    fs::write(&file, document).unwrap();
    world.succeeds(&[&["inspect", file.to_str().unwrap()], options].concat())
}

#[test]
fn people_see_the_format_the_entries_their_dates_and_topics() {
    let text = inspected(rss(&[partnership()]).as_bytes(), &[]);
    let expected = "Ministère\n\
        RSS 2.0 · https://ministere.example/\n\
        Actualités\n\
        \n\
        2026-11-23  Signature d’un partenariat entre le ministère et un équipementier de réseaux\n            \
        https://ministere.example/partenariat\n            \
        in numerique-educatif (6)\n            \
        tags: numérique éducatif, école numérique\n            \
        La ministre a signé un accord de trois ans avec un constructeur.\n\
        \n\
        1 entry, 1 in a topic\n";
    assert_eq!(text, expected);
}

#[test]
fn people_see_what_was_mended_and_what_was_left_out() {
    let odd = item("a", "L’été", "&lt;script&gt;x()&lt;/script&gt;&lt;iframe src='/v'&gt;&lt;/iframe&gt;Texte", &[]);
    let odd = odd.replace("Mon, 23 Nov 2026 08:00:00 +0100", "un jour");
    let latin: Vec<u8> =
        rss(&[odd]).replace('’', "'").chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    let text = inspected(&latin, &[]);
    let (_, mended) = text.split_once("\nMended\n").unwrap_or_else(|| panic!("{text}"));
    let (mended, left_out) = mended.split_once("\nLeft out\n").unwrap_or_else(|| panic!("{text}"));
    assert!(mended.contains("windows-1252 (encoding)"), "{text}");
    assert!(left_out.contains("(date)") && left_out.contains("1 script, 1 frame (sanitised)"), "{text}");
    assert!(text.contains("no date     L'été"), "{text}");
}

#[test]
fn a_publisher_commands_no_terminal() {
    let feed = r#"{"version":"https://jsonfeed.org/version/1.1","title":"a\u001b]0;x\u0007\u009b31m","items":[{"id":"1",
        "title":"b\u001b[2J","content_text":"c\u001b[2J","tags":["d\u001b"],"authors":[{"name":"e\u001b"}]}]}"#;
    let text = inspected(feed.as_bytes(), &[]);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}

#[test]
fn programs_see_every_key_also_of_what_is_not_there() {
    let text = inspected(b"<rss version='2.0'><channel><item><title>a</title></item></channel></rss>", &["--json"]);
    let seen: serde_json::Value = serde_json::from_str(&text).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&seen), "defects entries feed");
    assert_eq!(keys(&seen["feed"]), "description format generator language title updated url");
    let entry =
        "authors categories comments content enclosures id image language published summary title topics updated url";
    assert_eq!(keys(&seen["entries"][0]), entry);
    assert_eq!(keys(&seen["entries"][0]["comments"]), "count feed url");
    assert!(seen["entries"][0]["published"].is_null());
}

#[test]
fn a_feed_is_shown_also_where_there_is_no_config() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("feed.xml"), rss(&[partnership()])).unwrap();
    let veille = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veille"));
        command.args(arguments).current_dir(folder.path()).env_remove("VEILLE_CONFIG").output().unwrap()
    };
    let output = veille(&["inspect", "feed.xml"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.ends_with("\n1 entry, 0 in a topic\n"), "{text}");
    // One that is named must be there.
    assert_eq!(veille(&["--config", "none.toml", "inspect", "feed.xml"]).status.code(), Some(2));
}

#[test]
fn an_address_of_the_scheme_of_feeds_is_asked_as_one_of_the_web() {
    let world = World::new().feed("education", [document(rss(&[partnership()]))]);
    let text = world.succeeds(&["inspect", &format!("feed:{}", world.origin.url("/education"))]);
    assert!(text.contains("1 entry, 1 in a topic"), "{text}");
}

#[test]
fn help_is_a_command() {
    let world = World::new();
    assert!(world.succeeds(&["help"]).contains("Usage: veille [OPTIONS] <COMMAND>"));
    assert_eq!(world.succeeds(&["help", "inspect"]), world.succeeds(&["inspect", "--help"]));
}
