//! A second veille that subscribes to the first: what comes out of each format is what went in.

use serde_json::{Value, json};

use crate::origin::document;
use crate::world::{Daemon, TOPIC, World};

const FORMATS: [&str; 3] = ["atom", "rss", "json"];

/// A publisher's feed with what is easily lost on the way.
const FEED: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0" xml:lang="fr">
 <title>Le ministère</title><id>https://ministere.example/feed</id><updated>2026-11-20T10:00:00Z</updated>
 <link href="https://ministere.example/"/>
 <entry><id>tag:ministere.example,2026:1</id><title>L’école numérique &amp; vous : « 10 &lt; 20 » 🎓</title>
  <link href="https://ministere.example/1"/><published>2026-11-18T08:00:00+01:00</published>
  <updated>2026-11-19T08:00:00+01:00</updated><author><name>Élodie Nguyen</name><email>elodie@ministere.example</email></author>
  <summary>Le plan.</summary><content type="html">&lt;p&gt;Tout le &lt;b&gt;plan&lt;/b&gt; de l’école &amp;amp; du collège.&lt;/p&gt;</content>
  <link rel="enclosure" href="https://ministere.example/plan.pdf" type="application/pdf" length="1234"/>
  <link rel="replies" type="text/html" href="https://ministere.example/1#c" thr:count="3" thr:updated="2026-11-20T08:00:00Z"/></entry>
 <entry xml:lang="en"><id>https://ministere.example/été/2</id><title>École numérique: the plan for all schools</title>
  <link href="https://ministere.example/a b?x=1&amp;y=é"/><published>2026-11-17T08:00:00Z</published><updated>2026-11-17T08:00:00Z</updated>
  <summary>The plan for all the schools of the country, and what the teachers say of it.</summary></entry>
 <entry><id>tag:ministere.example,2026:3</id><title>Numérique éducatif sans page</title><published>2026-11-16T08:00:00Z</published>
  <updated>2026-11-16T08:00:00Z</updated><content>1 &lt; 2 &amp; 3</content></entry>
 <entry><id>sans-titre</id><link href="https://ministere.example/4"/><published>2026-11-15T08:00:00Z</published>
  <updated>2026-11-15T08:00:00Z</updated><summary>L’école numérique n’a pas besoin d’un titre pour avancer.</summary></entry>
</feed>"#;

fn first() -> (World, Daemon) {
    // The second and third entries would be out for their language and their source's.
    let world = World::new().feed("ministere", [document(FEED)]).with("dedup = false");
    world.write_config(&TOPIC.replace("not =", "lang = \"\"\nnot ="));
    let daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("sans page"));
    (world, daemon)
}

/// Another machine that is subscribed to every format of the first one's topic.
fn second(first: &Daemon) -> World {
    let world = World::new();
    let feed = |format: &str| {
        let url = format!("http://{}/numerique-educatif.{format}", first.address);
        format!("[[feed]]\nid = \"{format}\"\nurl = \"{url}\"\n")
    };
    world.write_config(&format!("{TOPIC}{}", FORMATS.map(feed).concat()));
    world
}

/// Returns the fields of an entry that must not depend on the format.
fn essence(entry: &Value) -> Value {
    let mut kept = serde_json::Map::new();
    for field in ["id", "url", "title", "published", "updated", "language", "enclosures", "summary", "content"] {
        kept.extend(entry.get(field).map(|value| (field.to_owned(), value.clone())));
    }
    // RSS names the date of a change only if there was one, and has one place for an entry's only text.
    if kept["updated"].is_null() {
        kept["updated"] = kept["published"].clone();
    }
    if kept.get("content").is_some_and(Value::is_null) {
        kept["content"] = kept["summary"].clone();
        kept["summary"] = Value::Null;
    }
    kept.retain(|_, value| !value.is_number()); // `entries` numbers what it lists
    kept.into()
}

#[test]
fn each_format_tells_the_same() {
    let (_world, first) = first();
    let second = second(&first);
    let read = |format: &str| {
        let url = format!("http://{}/numerique-educatif.{format}", first.address);
        let feed = second.json(&["inspect", &url, "--json"]).remove(0);
        assert_eq!(feed["defects"], json!([]), "{format}");
        feed["entries"].as_array().unwrap().clone()
    };
    let told: Vec<Vec<Value>> = FORMATS.map(|format| read(format).iter().map(essence).collect()).into();
    let languages: Vec<_> = told[0].iter().map(|entry| entry["language"].clone()).collect();
    assert_eq!(languages, ["fr", "en", "fr", "fr"]);
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
}

#[test]
fn what_is_subscribed_to_is_what_was_published() {
    let (world, first) = first();
    let second = second(&first);
    second.succeeds(&["poll"]);
    let kept = |world: &World, feed: &str| {
        let entries = world.json(&["entries", "--json"]);
        entries.iter().filter(|entry| entry["feed"] == feed).map(essence).collect::<Vec<_>>()
    };
    let mut published = kept(&world, "ministere");
    assert_eq!(published.len(), 4);
    // Made from the text where the publisher has none.
    published[3]["title"] = json!("L’école numérique n’a pas besoin d’un titre pour avancer.");
    for format in FORMATS {
        assert_eq!(kept(&second, format), published, "{format}");
    }
}

#[test]
fn the_second_poll_brings_304() {
    let (_world, first) = first();
    let second = second(&first);
    second.succeeds(&["poll"]);
    second.succeeds(&["poll", "--force"]);
    let (_, metrics) = first.get("/metrics", "");
    assert!(metrics.contains("veille_http_answers_total{status=\"304\"} 3"), "{metrics}");
    let health = second.json(&["feeds", "--json"]);
    assert!(health.iter().all(|feed| feed["failures"] == 0 && feed["last_success"].is_string()), "{health:?}");
}

#[test]
fn the_footer_is_for_readers_and_no_part_of_what_is_said() {
    let again = FEED.replace("ministere.example", "agence.example").replace("Le ministère", "L’agence");
    let world = World::new().feed("ministere", [document(FEED)]).feed("agence", [document(again)]);
    world.write_config(&TOPIC.replace("not =", "lang = \"\"\nnot ="));
    let daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("sans page") && body.contains("rel=\"via\""));
    let second = second(&daemon);
    let read = |second: &World| {
        second.succeeds(&["poll", "--force"]);
        second.json(&["entries", "--tellings", "--json"])
    };
    let before = read(&second);
    world.write_config(&format!("{}[publish]\nfooter = true\n", TOPIC.replace("not =", "lang = \"\"\nnot =")));
    for format in FORMATS {
        let path = format!("/numerique-educatif.{format}");
        let document = daemon.until(&path, |body| body.contains("veille-footer"));
        assert!(document.contains("Aussi chez") && document.contains("agence"), "{document}");
    }
    assert!(!daemon.get("/numerique-educatif/", "").1.contains("veille-footer"), "pages show it already");
    let volume = daemon.until("/numerique-educatif/archive/2026-11.atom", |body| body.contains("veille-footer"));
    assert!(volume.contains("veille-footer"));
    assert_eq!(read(&second), before);
    let url = format!("http://{}/numerique-educatif.json", daemon.address);
    assert!(!second.succeeds(&["inspect", &url, "--json"]).contains("veille-footer"));
}
