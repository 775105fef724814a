//! Feeds that validators refuse: their entries come in, and the published documents are valid.

use std::fs;

use serde_json::Value;

use crate::origin::document;
use crate::world::{World, item, rss};

/// Ids as publishers write them; of each a validator said something when it was published as it came.
const IDS: [&str; 12] = [
    "https://élève.example/ü",
    "https://ministere.example/\u{202e}\u{200f}/שלום",
    "http://[::1]:8080/a[1]",
    "HTTP://MINISTERE.example:80/%7euser/../a/./b",
    "http://ministere.example",
    "http://ministere.example/actualit%E9s",
    "http://ministere.example/e%cc%81",
    "tag:ministere.example,2026:été",
    "tag:Ministere.example,2026:1",
    "urn:isbn:été",
    "URN:isbn:12/3",
    "javascript:alert(1)",
];

/// Lists that tags are said to be from.
const SCHEMES: [&str; 7] =
    ["https://é/", "urn:x:y", "urn:isbn:é", "javascript:alert(1)", "x:y", "mailto:", "http://a b/"];

fn with_id(number: usize, id: &str) -> String {
    let item = item(&format!("n{number}"), &format!("École numérique {number}"), "Texte", &[]);
    item.replace(
        &format!("<guid isPermaLink=\"false\">n{number}</guid>"),
        &format!("<guid isPermaLink=\"false\">{id}</guid>"),
    )
}

fn published(items: &[String]) -> World {
    let world = World::new().feed("ministere", [document(rss(items))]).with("dedup = false");
    world.succeeds(&["poll"]);
    world
}

fn file(world: &World, extension: &str) -> String {
    fs::read_to_string(world.published(&format!("numerique-educatif.{extension}"))).unwrap()
}

/// The values between two texts.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    text.split(start).skip(1).map(|rest| rest.split(end).next().unwrap()).collect()
}

/// Whether programs can compare it: RFC 3986 §6.2.2, as far as validators look.
fn is_normal(uri: &str) -> bool {
    let is_legal = uri.chars().all(|c| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?#%".contains(c));
    let is_known = ["http://", "https://", "urn:", "tag:"].iter().any(|scheme| uri.starts_with(scheme));
    let is_web = uri.starts_with("http");
    is_legal && is_known && (!is_web || url::Url::parse(uri).is_ok_and(|url| url.as_str() == uri))
}

#[test]
fn ids_can_be_compared() {
    let items: Vec<_> = IDS.iter().enumerate().map(|(number, id)| with_id(number, id)).collect();
    let world = published(&items);
    let atom = file(&world, "atom");
    let ids: Vec<_> = atom.split("<entry>").skip(1).map(|entry| between(entry, "<id>", "</id>")[0]).collect();
    assert_eq!(ids.len(), IDS.len());
    assert_eq!(ids.iter().filter(|id| !is_normal(id)).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert_eq!(between(&file(&world, "rss"), "<guid", "</guid>").len(), IDS.len());
    let json: Value = serde_json::from_str(&file(&world, "json")).unwrap();
    assert!(json["items"].as_array().unwrap().iter().all(|item| ids.contains(&item["id"].as_str().unwrap())));
}

#[test]
fn tags_are_from_lists_that_have_an_address() {
    let tags = SCHEMES.map(|scheme| format!("<category domain=\"{scheme}\">numérique éducatif</category>"));
    let tagged = item("a", "École numérique", "Texte", &[]).replace("</item>", &format!("{}</item>", tags.concat()));
    let atom = file(&published(&[tagged]), "atom");
    let schemes = between(&atom, "scheme=\"", "\"");
    assert!(schemes.len() > 2 && schemes.iter().all(|scheme| is_normal(scheme)), "{schemes:?}");
}

#[test]
fn no_text_holds_what_html_does_not_take() {
    let text = "&lt;bdo dir=\"rtl\"&gt;bdo\u{fdd0}\u{1ffff}&lt;/bdo&gt; \u{7f}\u{85}&#xFFFE;&#1;&#xD800; fin";
    let world = published(&[item("a", "École numérique \u{fdd1}\u{2fffe}", text, &["\u{10ffff}"])]);
    for extension in ["atom", "rss", "json"] {
        let document = file(&world, extension);
        assert!(document.contains(" fin") && !document.contains("bdo dir"), "{document}");
        let is_noncharacter = |c: char| matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe;
        assert!(!document.contains(|c| is_noncharacter(c) || (c.is_control() && c != '\n')), "{document:?}");
    }
}

#[test]
fn a_title_that_looks_like_markup_to_some_is_told_as_it_is_to_all() {
    let world = published(&[item("a", "École numérique &amp;copy 2026 &amp;#39 fin", "Texte", &[])]);
    assert!(file(&world, "rss").contains("<title>École numérique ＆copy 2026 ＆#39 fin</title>"));
    assert!(
        file(&world, "atom")
            .contains("<title type=\"html\">École numérique &amp;amp;copy 2026 &amp;amp;#39 fin</title>")
    );
    assert!(file(&world, "json").contains("École numérique &copy 2026 &#39 fin"));
}
