//! Feeds whose address is a secret: it stands in nothing that is published or served.

use std::fs;
use std::path::Path;

use crate::origin::{document, redirect, status};
use crate::world::{TOPIC, World, partnership, rss, stderr};

const SECRET: &str = "geheim42";

/// The feed of `path`, as the config has it.
fn feed(world: &World, path: &str, more: &str) -> String {
    format!("\n[[feed]]\nid = \"intranet\"\nurl = \"{}\"\n{more}\n", world.origin.url(path))
}

/// A document whose publisher repeats its address wherever there is a place.
fn document_with(address: &str) -> String {
    let html = address.replace('&', "&amp;");
    let link = format!("&lt;a href=\"{html}\"&gt;flux&lt;/a&gt;, &lt;a href=\"#note\"&gt;note&lt;/a&gt; {html}.");
    let item = |name: &str, link_to: &str, title: &str| {
        format!(
            "<item><guid isPermaLink=\"false\">{name}</guid>{link_to}<title>{title}, école numérique</title>\
             <description>{link} &lt;p&gt;numérique éducatif&lt;/p&gt;</description><category>école numérique</category>\
             <comments>{html}#comments</comments><enclosure url=\"{html}\" type=\"audio/mpeg\" length=\"9\"/>\
             <source url=\"{html}\">Le flux</source><author>{html}</author>\
             <pubDate>Mon, 23 Nov 2026 08:00:00 +0100</pubDate></item>"
        )
    };
    let items = [
        item("a", &format!("<link>{html}</link>"), "Un plan"),
        item("b", "<link/>", &format!("Une annonce {html}")),
        item("c", "<link>#c</link>", "Une enquête"),
        partnership(),
    ];
    rss(&items).replace("https://ministere.example/</link>", &format!("{html}</link>"))
}

/// Returns the published files that name one of `words`; compressed copies are not unpacked.
fn naming(folder: &Path, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            found.extend(naming(&entry.path(), words));
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
        let named = words.iter().filter(|word| text.contains(**word));
        found.extend(named.map(|word| format!("{}: {word}", entry.path().display())));
    }
    found
}

#[test]
fn a_private_address_stands_in_nothing_that_is_published() {
    let world = World::new();
    let path = "/prive/flux.xml?token=geheim42&n=1";
    let address = world.origin.url(path).to_string();
    world.origin.answers("/prive/flux.xml", document(document_with(&address)));
    let feed = |more: &str| format!("{}{TOPIC}", feed(&world, path, more));
    let folder = world.published("");

    // Known to everybody until it is private.
    world.write_config(&feed(""));
    world.succeeds(&["poll"]);
    assert!(!naming(&folder, &[SECRET]).is_empty());
    assert!(world.atom().matches("<entry>").count() > 3, "{}", world.atom());

    world.write_config(&feed("private = true"));
    world.succeeds(&["publish"]);
    let words = [SECRET, "/prive/flux.xml", "prive%2Fflux.xml"];
    assert_eq!(naming(&folder, &words), Vec::<String>::new());
    assert!(world.atom().matches("<entry>").count() > 3, "{}", world.atom());
    assert!(!fs::read_to_string(world.published("sources.opml")).unwrap().contains("<outline"));
    // The operator's own list has it.
    assert!(world.succeeds(&["export"]).contains(SECRET));

    // A failure tells the host.
    world.origin.answers("/prive/flux.xml", status(404));
    world.succeeds(&["poll", "--force"]);
    assert_eq!(naming(&folder, &words), Vec::<String>::new());
    let health = fs::read_to_string(world.published("sources.atom")).unwrap();
    assert!(health.contains("answered 404"), "{health}");

    // So it stays when the feed is left out of the config, and when it comes back under another name.
    world.write_config(TOPIC);
    world.succeeds(&["publish"]);
    assert_eq!(naming(&folder, &words), Vec::<String>::new());
    world.write_config(&feed("private = true").replace("\"intranet\"", "\"autre\""));
    world.succeeds(&["publish"]);
    assert_eq!(naming(&folder, &words), Vec::<String>::new());
}

#[test]
fn nor_does_where_a_private_address_leads() {
    let world = World::new();
    let path = "/prive/flux.xml?token=geheim42";
    let target = world.origin.url("/ailleurs/chemin?sig=geheimer43").to_string();
    world.origin.answers("/prive/flux.xml", redirect(301, &target));
    world.origin.answers("/ailleurs/chemin", document(document_with(&target)).etag("\"1\""));
    world.write_config(&format!("{}{TOPIC}", feed(&world, path, "private = true")));
    world.succeeds(&["poll"]);
    let words = [SECRET, "/prive/flux.xml", "geheimer43", "/ailleurs/chemin"];
    assert_eq!(naming(&world.published(""), &words), Vec::<String>::new());
    assert!(world.atom().contains("<entry>"));
    world.origin.answers("/ailleurs/chemin", status(410));
    world.succeeds(&["poll", "--force"]);
    assert_eq!(naming(&world.published(""), &words), Vec::<String>::new());
}

/// A document whose guids, links and texts hold the token of the address that it was asked under.
fn document_of(world: &World, token: &str, news: &[&str]) -> String {
    let item = |name: &&str| {
        let page = world.origin.url(&format!("/prive/{name}?token={token}"));
        format!(
            "<item><guid>{page}</guid><link>{page}</link><title>Plan {name}, école numérique</title>\
             <description>numérique éducatif, {name} : &lt;a href=\"?token={token}\"&gt;lire&lt;/a&gt; {page}</description>\
             <pubDate>Mon, 23 Nov 2026 08:00:00 +0100</pubDate></item>"
        )
    };
    rss(&news.iter().map(item).collect::<Vec<_>>())
}

#[test]
fn a_new_token_leads_to_the_same_feed() {
    let world = World::new();
    let turn_to = |token: &str, news: &[&str]| {
        world.origin.answers("/prive/flux.xml", document(document_of(&world, token, news)));
        let path = format!("/prive/flux.xml?token={token}");
        world.write_config(&format!("{}{TOPIC}", feed(&world, &path, "private = true")));
    };
    let ids = || {
        let atom = world.atom();
        let entries = atom.split("<entry>").skip(1).filter_map(|entry| entry.split("<id>").nth(1)?.split('<').next());
        let mut ids: Vec<String> = entries.map(str::to_owned).collect();
        ids.sort();
        ids
    };
    turn_to("geheim42", &["un", "deux"]);
    world.succeeds(&["poll"]);
    let before = ids();
    assert_eq!(before.len(), 2, "{}", world.atom());

    // The old token is refused, then replaced: the feed is due at once, and brings what is new.
    world.origin.answers("/prive/flux.xml", status(403));
    let failed = world.veille(&["poll", "--force"]);
    let told = format!("{}{}", String::from_utf8_lossy(&failed.stdout), stderr(&failed));
    assert!(told.contains("token=… answered 403") && !told.contains(SECRET), "{told}");
    turn_to("geheimer43", &["un", "deux", "trois"]);
    let told = world.succeeds(&["poll", "--json"]);
    assert!(told.contains("\"new\":1") && !told.contains("geheim"), "{told}");
    let after = ids();
    assert!(after.len() == 3 && before.iter().all(|id| after.contains(id)), "{before:?} {after:?}");
    // Stored entries still hold the old one.
    let words = ["geheim42", "geheimer43", "/prive/flux.xml"];
    assert_eq!(naming(&world.published(""), &words), Vec::<String>::new());

    // So it is when the feed moves to another address for good.
    world.origin.answers("/ailleurs", document(document_of(&world, "anderes44", &["quatre"])));
    world.write_config(&format!("{}{TOPIC}", feed(&world, "/ailleurs?token=anderes44", "private = true")));
    world.succeeds(&["poll"]);
    assert_eq!(naming(&world.published(""), &[&words[..], &["anderes44"]].concat()), Vec::<String>::new());
}

#[test]
fn nothing_that_is_served_tells_a_private_address() {
    let world = World::new();
    let path = "/prive/flux.xml?token=geheim42";
    world.origin.answers("/prive/flux.xml", status(403));
    world.write_config(&format!("{}{TOPIC}", feed(&world, path, "private = true")));
    let daemon = world.run();
    daemon.until("/sources.atom", |body| body.contains("answered 403"));
    for path in ["/", "/sources/", "/sources.atom", "/sources.opml", "/healthz", "/metrics", "/numerique-educatif.json"]
    {
        let (_, body) = daemon.get(path, "");
        assert!(!body.contains(SECRET) && !body.contains("/prive/"), "{path}: {body}");
    }
}

#[test]
fn an_address_that_seems_to_hold_a_secret_is_warned_of_unless_it_is_private() {
    let world = World::new();
    let check = |path: &str, more: &str| {
        world.write_config(&format!("{}{TOPIC}", feed(&world, path, more)));
        let output = world.veille(&["check"]);
        assert!(output.status.success());
        stderr(&output)
    };
    for name in ["token", "api_key", "Secret", "sig", "auth", "rssToken"] {
        let told = check(&format!("/flux?page=1&{name}=abc"), "");
        assert!(told.contains(&format!("`{name}` in this address looks like a secret")), "{told}");
        assert!(told.contains("private = true"), "{told}");
    }
    assert_eq!(check("/flux?token=abc", "private = true"), "");
    assert_eq!(check("/flux?author=abc&keyword=x&token=", ""), "");
}
