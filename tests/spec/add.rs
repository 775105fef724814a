//! `veille add`, `import` and `export`: feeds into and out of the config.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Output;

use crate::origin::{Answer, document, redirect, status};
use crate::world::{World, justice, partnership, rss, stderr};

fn page(links: &str) -> Answer {
    let body = format!("<!doctype html><html><head><title>Accueil</title>{links}</head><body>Bonjour</body></html>");
    status(200).header("content-type", "text/html; charset=utf-8").body(body)
}

fn link(path: &str, title: &str) -> String {
    format!("<link rel=\"alternate\" type=\"application/rss+xml\" href=\"{path}\" title=\"{title}\">")
}

fn world() -> World {
    let world = World::new().feed("education", [document(rss(&[partnership()]))]);
    world.origin.answers("/culture.xml", document(rss(&[justice()])));
    world
}

fn add(world: &World, path: &str, more: &[&str]) -> Output {
    let url = world.origin.url(path).to_string();
    world.veille(&[&["add", &url], more].concat())
}

fn config(world: &World) -> String {
    fs::read_to_string(world.config()).unwrap()
}

#[test]
fn a_feed_is_added_with_one_request_and_every_comment_stays() {
    let world = world();
    let before = config(&world) + "\n# the last word\n";
    fs::write(world.config(), &before).unwrap();
    let output = add(&world, "/culture.xml", &["--id", "culture"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("Ministère\n") && told.contains("1 entry, the latest of 2026-11-23"), "{told}");
    let added = format!(
        "\n[[feed]]\nurl = \"{}\"\nid = \"culture\"\ntitle = \"Ministère\"\n",
        world.origin.url("/culture.xml")
    );
    assert_eq!(config(&world).replacen(&added, "", 1), before);
    assert_eq!(world.origin.all_requests().len(), 1);
    assert!(world.succeeds(&["poll"]).contains("2 feeds polled, 0 failed"));
}

#[test]
fn the_feed_that_a_page_names_is_added() {
    let world = world();
    world.origin.answers("/", page(&link("culture.xml", "Culture")));
    assert!(add(&world, "/", &[]).status.success());
    assert!(config(&world).contains(world.origin.url("/culture.xml").as_str()));
    assert_eq!(world.origin.all_requests().len(), 2);
}

#[test]
fn of_several_feeds_none_is_taken_without_asking() {
    let world = world();
    let before = config(&world);
    world.origin.answers("/", page(&[link("/culture.xml", "Culture"), link("/comments.xml", "Commentaires")].concat()));
    let output = add(&world, "/", &[]);
    assert_eq!(output.status.code(), Some(2));
    let told = stderr(&output);
    assert!(told.contains("names 2 feeds") && told.contains("/comments.xml  Commentaires"), "{told}");
    assert_eq!(config(&world), before);
}

#[test]
fn usual_addresses_are_tried_only_if_asked() {
    let world = world();
    world.origin.answers("/", page(""));
    world.origin.answers("/rss.xml", document(rss(&[justice()])));
    let output = add(&world, "/", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("`--guess`"), "{}", stderr(&output));
    assert_eq!(world.origin.all_requests().len(), 1);
    assert!(add(&world, "/", &["--guess"]).status.success());
    assert!(config(&world).contains("/rss.xml\""));
}

#[test]
fn a_feed_that_is_there_already_is_refused_without_a_request() {
    let world = world();
    let output = add(&world, "/education", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("there already, as `education`"), "{}", stderr(&output));
    assert!(world.origin.all_requests().is_empty());
}

#[test]
fn an_id_that_is_taken_or_none_is_refused_without_a_request() {
    let world = world();
    for (id, told) in [("education", "is the id of"), ("Ma veille", "is no id")] {
        let output = add(&world, "/culture.xml", &["--id", id]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
    }
    assert!(world.origin.all_requests().is_empty());
}

#[test]
fn what_moved_for_good_is_added_where_it_is_now() {
    let world = world();
    world.origin.answers("/old", redirect(301, "/culture.xml"));
    assert!(add(&world, "/old", &[]).status.success());
    assert!(config(&world).contains("/culture.xml\""));
}

#[test]
fn what_fails_adds_nothing_and_says_why() {
    let world = world();
    let before = config(&world);
    world.origin.answers("/broken", status(503));
    let output = add(&world, "/broken", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("503 Service Unavailable"), "{}", stderr(&output));
    assert_eq!(world.veille(&["add", "ftp://a.example/"]).status.code(), Some(2));
    assert_eq!(config(&world), before);
}

#[test]
fn the_rights_of_the_config_stay_as_they_are() {
    let world = world();
    fs::set_permissions(world.config(), fs::Permissions::from_mode(0o600)).unwrap();
    assert!(add(&world, "/culture.xml", &[]).status.success());
    assert_eq!(fs::metadata(world.config()).unwrap().permissions().mode() & 0o777, 0o600);
}

/// Returns the rights, owner and group of a file.
fn access(path: &Path) -> (u32, u32, u32) {
    let known = fs::metadata(path).unwrap();
    (known.mode() & 0o7777, known.uid(), known.gid())
}

#[test]
fn the_config_stays_with_its_owner_and_group_also_behind_a_link() {
    let world = world();
    let (file, link) = (world.folder.path().join("real.toml"), world.config());
    fs::rename(&link, &file).unwrap();
    symlink("real.toml", &link).unwrap();
    // Only root can give files away; whoever else runs this keeps his own.
    let _ = chown(&file, Some(1234), Some(2345));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
    let before = access(&file);
    assert!(add(&world, "/culture.xml", &[]).status.success());
    let list = world.folder.path().join("list.opml");
    fs::write(&list, LIST).unwrap();
    assert!(world.succeeds(&["import", list.to_str().unwrap()]).starts_with("2 feeds added"));
    assert_eq!(access(&file), before);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(config(&world).contains("/culture.xml") && config(&world).contains("https://monde.example/rss"));
    let left: Vec<_> = fs::read_dir(world.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn a_config_that_an_editor_of_windows_saved_stays_so() {
    let world = world();
    let before = format!("\u{feff}{}", config(&world).replace('\n', "\r\n"));
    fs::write(world.config(), &before).unwrap();
    assert!(add(&world, "/culture.xml", &["--id", "culture"]).status.success());
    let after = config(&world);
    assert!(after.starts_with('\u{feff}') && after.contains("id = \"culture\"\r\n"), "{after:?}");
    assert_eq!(after.matches('\n').count(), after.matches("\r\n").count());
    assert!(world.succeeds(&["poll"]).contains("2 feeds polled, 0 failed"));
}

#[test]
fn an_address_of_the_scheme_of_feeds_is_added_as_one_of_the_web() {
    let world = world();
    let url = world.origin.url("/culture.xml").to_string();
    world.succeeds(&["add", &url.replace("http://", "feed://")]);
    assert!(config(&world).contains(&format!("url = \"{url}\"")), "{}", config(&world));
    let again = world.veille(&["add", &format!("feed:{url}")]);
    assert!(stderr(&again).contains("there already"), "{}", stderr(&again));
}

#[test]
fn a_running_daemon_polls_what_was_added() {
    let world = World::new();
    world.origin.answers("/culture.xml", document(rss(&[partnership()])));
    let daemon = world.run();
    assert!(add(&world, "/culture.xml", &[]).status.success());
    daemon.until("/numerique-educatif.atom", |body| body.contains("Signature"));
}

const LIST: &str = r#"<?xml version="1.0"?>
<opml version="2.0"><head><title>Mes flux</title></head><body>
<outline text="Presse"><outline type="rss" text="Le &amp; Monde" xmlUrl="https://monde.example/rss"/></outline>
<outline text="Sans dossier" xmlUrl="https://seul.example/feed"/>
<outline text="Encore" xmlUrl="https://seul.example/feed"/>
<outline text="Autre" xmlUrl="feed:x"/>
</body></opml>"#;

#[test]
fn a_list_is_imported_with_folders_as_tags_and_asks_no_server() {
    let world = world();
    let list = world.folder.path().join("list.opml");
    fs::write(&list, LIST).unwrap();
    let told = world.succeeds(&["import", list.to_str().unwrap()]);
    assert!(told.starts_with("2 feeds added, 1 there already"), "{told}");
    let text = config(&world);
    assert!(
        text.contains(
            "url = \"https://monde.example/rss\"\nid = \"monde\"\ntitle = \"Le & Monde\"\ntags = [\"Presse\"]"
        )
    );
    assert!(text.contains("id = \"seul\""));
    assert!(world.succeeds(&["import", list.to_str().unwrap()]).starts_with("0 feeds added"));
    assert_eq!(config(&world), text);
    assert!(world.origin.all_requests().is_empty());
}

/// Imports a list with this body into a config without feeds, and returns the tags of each feed then.
fn imported_tags(body: &str) -> Vec<Vec<String>> {
    let world = World::new();
    let list = world.folder.path().join("list.opml");
    fs::write(&list, format!("<opml version=\"2.0\"><head/><body>{body}</body></opml>")).unwrap();
    world.succeeds(&["import", list.to_str().unwrap()]);
    let read: toml::Table = config(&world).parse().unwrap();
    let tags = |feed: &toml::Value| feed.get("tags").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let text = |tag: &toml::Value| tag.as_str().unwrap().to_owned();
    read["feed"].as_array().unwrap().iter().map(|feed| tags(feed).iter().map(text).collect()).collect()
}

#[test]
fn a_feed_in_several_folders_has_them_all_for_tags() {
    let feed = |address: &str, more: &str| format!("<outline text=\"A\" xmlUrl=\"{address}\"{more}/>");
    let folder = |name: &str, feeds: &str| format!("<outline text=\"{name}\">{feeds}</outline>");
    let here = feed("https://a.example/rss", "");
    let nested = folder("Presse", &folder("Paris, Lyon", &feed("http://a.example/rss/", "")));
    let others = folder("Droit", &here) + &folder("Presse", &here);
    assert_eq!(imported_tags(&[here, nested, others].concat()), [["Presse", "Paris, Lyon", "Droit"]]);
    let marked = |category: &str| feed("https://a.example/rss", &format!(" category=\"{category}\""));
    assert_eq!(imported_tags(&[marked("/a,b/c"), folder("D", &marked("b/c,e"))].concat()), [["a", "b/c", "e", "D"]]);
}

#[test]
fn a_feed_is_the_same_to_import_and_to_add() {
    let world = world();
    let known = world.origin.url("/education").to_string();
    for written in
        [known.replace("http://", "https://"), format!("{known}/"), format!("{known}#top"), format!("feed:{known}")]
    {
        let list = world.folder.path().join("list.opml");
        fs::write(&list, format!("<opml><body><outline text=\"a\" xmlUrl=\"{written}\"/></body></opml>")).unwrap();
        let told = world.succeeds(&["import", list.to_str().unwrap()]);
        assert_eq!(told, "0 feeds added, 1 there already\n", "{written}");
        assert!(stderr(&world.veille(&["add", &written])).contains("there already"), "{written}");
    }
}

#[test]
fn any_tag_survives_an_export_and_an_import() {
    let tags = r#"tags = ["Paris, Lyon", "état", "a/b", "/c/", "dit \"x\"", "\"y\"", "d & <e>"]"#;
    let world = world().with(tags).feed("culture", [document(rss(&[]))]);
    let list = world.folder.path().join("list.opml");
    fs::write(&list, world.succeeds(&["export"])).unwrap();
    let elsewhere = World::new();
    assert!(elsewhere.succeeds(&["import", list.to_str().unwrap()]).starts_with("2 feeds added\n"));
    let tags = |world: &World| {
        let read: toml::Table = config(world).parse().unwrap();
        read["feed"][0]["tags"].clone()
    };
    assert_eq!(tags(&elsewhere), tags(&world));
    let again = World::new();
    fs::write(&list, elsewhere.succeeds(&["export"])).unwrap();
    again.succeeds(&["import", list.to_str().unwrap()]);
    assert_eq!(config(&again), config(&elsewhere));
}

#[test]
fn what_is_exported_can_be_imported_elsewhere() {
    let world = world().with("tags = [\"état\", \"école\"]").feed("culture", [document(rss(&[]))]);
    let list = world.folder.path().join("list.opml");
    fs::write(&list, world.succeeds(&["export"])).unwrap();
    assert!(fs::read_to_string(&list).unwrap().contains("<outline text=\"état\" title=\"état\">"));
    let elsewhere = World::new();
    assert!(elsewhere.succeeds(&["import", list.to_str().unwrap()]).starts_with("2 feeds added"));
    assert!(config(&elsewhere).contains("tags = [\"état\", \"école\"]"), "{}", config(&elsewhere));
}

#[test]
fn topics_are_exported_under_their_public_address() {
    let told = world().succeeds(&["export", "--topics"]);
    assert!(told.contains("xmlUrl=\"http://127.0.0.1:8080/numerique-educatif.atom\""), "{told}");
}

#[test]
fn what_is_no_list_is_wrong_usage() {
    let world = world();
    let list = world.folder.path().join("list.opml");
    fs::write(&list, rss(&[])).unwrap();
    let output = world.veille(&["import", list.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("is no OPML"), "{}", stderr(&output));
}
