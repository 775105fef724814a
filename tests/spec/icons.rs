//! The pictures by which browsers and readers tell topics apart.

use std::fs;

use serde_json::Value;

use crate::origin::document;
use crate::world::{World, item, rss};

#[test]
fn every_icon_that_a_document_names_is_there_and_is_what_it_says() {
    let world = World::new().feed("education", [document(rss(&[item("a", "École numérique", "Texte", &[])]))]);
    let daemon = world.run();
    let atom = daemon.until("/numerique-educatif.atom", |body| body.contains("École"));
    let rss = daemon.get("/numerique-educatif.rss", "").1;
    let json: Value = serde_json::from_str(&daemon.get("/numerique-educatif.json", "").1).unwrap();
    let page = daemon.get("/numerique-educatif/", "").1;
    let named = |text: &str, start: &str, end: &str| {
        text.split(start)
            .nth(1)
            .and_then(|rest| rest.split(end).next())
            .unwrap_or_else(|| panic!("{start}: {text}"))
            .to_owned()
    };
    let address = |value: &Value| value.as_str().unwrap().to_owned();
    let addresses = [
        (named(&atom, "<icon>", "</icon>"), "image/png"),
        (named(&atom, "<logo>", "</logo>"), "image/png"),
        (named(&rss, "<url>", "</url>"), "image/png"),
        (address(&json["icon"]), "image/png"),
        (address(&json["favicon"]), "image/png"),
        (named(&page, "type=\"image/svg+xml\" sizes=\"any\" href=\"..", "\""), "image/svg+xml"),
        ("/favicon.ico".to_owned(), "image/vnd.microsoft.icon"),
        ("/icon.svg".to_owned(), "image/svg+xml"),
    ];
    for (address, media_type) in addresses {
        let path = address.replace("http://127.0.0.1:8080", "");
        let (head, body) = daemon.get(&path, "");
        assert!(
            head.starts_with("HTTP/1.1 200") && head.contains(&format!("content-type: {media_type}")),
            "{path}: {head}"
        );
        let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
        let (again, _) = daemon.get(&path, &format!("If-None-Match: {etag}\r\n"));
        assert!(again.starts_with("HTTP/1.1 304") && head.contains("cache-control: public"), "{again}");
        match media_type {
            "image/svg+xml" => assert!(body.starts_with("<svg ") && !body.contains("script"), "{body}"),
            _ => assert!(fs::metadata(world.published(&path[1..])).unwrap().len() < 8_000, "{path}"),
        }
    }
    let logo = fs::read(world.published("numerique-educatif/logo.png")).unwrap();
    assert_eq!(&logo[16..24], [0, 0, 2, 0, 0, 0, 1, 0], "twice as wide as high");
}

#[test]
fn icons_are_drawn_once() {
    let world = World::new().feed("education", [document(rss(&[item("a", "École numérique", "Texte", &[])]))]);
    world.succeeds(&["poll"]);
    let touched = || fs::metadata(world.published("numerique-educatif/icon.png")).unwrap().modified().unwrap();
    let before = touched();
    world.succeeds(&["publish"]);
    assert_eq!(touched(), before);
}
