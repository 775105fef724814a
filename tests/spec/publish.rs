//! Publication for subscribers, people and hubs: archives, the health of sources, announcements, sockets.

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::origin::{document, status};
use crate::world::{World, item, rss};

/// News of the topic from a day of 2026.
fn news(name: &str, date: &str) -> String {
    item(name, &format!("École numérique {name}"), "Texte", &[]).replace("Mon, 23 Nov 2026", date)
}

fn months() -> Vec<String> {
    vec![
        news("un", "Mon, 31 Aug 2026"),
        news("deux", "Tue, 01 Sep 2026"),
        news("trois", "Wed, 30 Sep 2026"),
        news("quatre", "Thu, 01 Oct 2026"),
        news("cinq", "Fri, 02 Oct 2026"),
        news("six", "Sat, 03 Oct 2026"),
    ]
}

fn ids(document: &str) -> Vec<String> {
    let entries = document.split("<entry>").skip(1);
    entries.map(|entry| entry.split("<id>").nth(1).unwrap().split("</id>").next().unwrap().to_owned()).collect()
}

/// The path that a link leads to.
fn link(document: &str, rel: &str) -> Option<String> {
    let line = document.lines().find(|line| line.contains(&format!("rel=\"{rel}\"")))?;
    let href = line.split("href=\"").nth(1)?.split('"').next()?;
    href.strip_prefix("http://127.0.0.1:8080").map(str::to_owned)
}

#[test]
fn a_subscriber_who_follows_the_archive_finds_each_story_once() {
    let world =
        World::new().feed("education", [document(rss(&months()))]).with("dedup = false\n[publish]\nentries = 2");
    let daemon = world.run();
    daemon.until("/numerique-educatif/archive/2026-08.atom", |body| body.contains("fh:archive"));
    let mut documents = vec![daemon.get("/numerique-educatif.atom", "").1];
    while let Some(path) = link(documents.last().unwrap(), "prev-archive") {
        documents.push(daemon.get(&path, "").1);
    }
    let volumes = documents.get(1..).unwrap();
    assert_eq!(volumes.iter().map(|volume| ids(volume).len()).collect::<Vec<_>>(), [3, 2, 1]);
    let found: HashSet<String> = volumes.iter().flat_map(|volume| ids(volume)).collect();
    assert_eq!(found.len(), 6);
    assert_eq!(ids(&documents[0]).len(), 2);
    assert!(ids(&documents[0]).iter().all(|id| found.contains(id)));
    let (head, page) = daemon.get("/numerique-educatif/archive/2026-09/", "");
    assert!(head.contains("text/html") && page.contains("École numérique trois"), "{page}");
    assert!(daemon.get("/numerique-educatif/archive/", "").1.contains("septembre 2026"));
}

#[test]
fn a_month_that_is_over_is_not_written_again() {
    let mut later = months();
    later.push(news("sept", "Mon, 23 Nov 2026"));
    let world = World::new().feed("education", [document(rss(&months())), document(rss(&later))]).with("dedup = false");
    world.succeeds(&["poll"]);
    let touched = |month: &str| {
        let file = world.published(&format!("numerique-educatif/archive/{month}.atom"));
        fs::metadata(file).unwrap().modified().unwrap()
    };
    let before = (touched("2026-08"), touched("2026-09"));
    world.succeeds(&["poll", "--force"]);
    assert_eq!((touched("2026-08"), touched("2026-09")), before);
    assert!(world.atom().contains("archive/2026-10.atom"), "the month that has ended is linked");
}

#[test]
fn compressed_files_stand_beside_the_others() {
    let world = World::new().feed("education", [document(rss(&months()))]).with("dedup = false");
    world.succeeds(&["poll"]);
    let packed = fs::read(world.published("numerique-educatif.atom.gz")).unwrap();
    assert!(packed.starts_with(&[0x1f, 0x8b]) && packed.len() < world.atom().len());
    assert!(world.published("numerique-educatif.atom.br").exists());
}

#[test]
fn the_health_of_sources_is_a_feed_of_changes() {
    let page = status(200).header("content-type", "text/html").body("<!doctype html><title>Accueil</title>");
    let world = World::new().feed("education", [page.clone(), page, document(rss(&months()))]);
    let health = || fs::read_to_string(world.published("sources.atom")).unwrap();
    world.succeeds(&["poll", "--force"]);
    let first = health();
    assert_eq!(ids(&first).len(), 1, "{first}");
    assert!(first.contains("illisible"), "{first}");
    let page = fs::read_to_string(world.published("sources/index.html")).unwrap();
    assert!(page.contains("En difficulté") && page.contains("id=\"education\""), "{page}");
    world.succeeds(&["poll", "--force"]);
    assert_eq!(health(), first, "it is still so: no news");
    world.succeeds(&["poll", "--force"]);
    let last = health();
    assert_eq!(ids(&last).len(), 2);
    assert!(last.contains("de nouveau en ordre") && ids(&last).contains(&ids(&first)[0]), "{last}");
}

/// Lines for a world with a hub.
fn hub(world: &World) -> String {
    format!("dedup = false\n[publish]\nhubs = [\"{}\"]", world.origin.url("/hub"))
}

#[test]
fn a_hub_hears_once_of_each_topic_that_changed() {
    let mut later = months();
    later.push(news("sept", "Mon, 23 Nov 2026"));
    let answers = [document(rss(&months())), document(rss(&later)), document(rss(&later))];
    let mut world = World::new().feed("education", answers);
    let lines = hub(&world);
    world = world.with(&lines);
    world.origin.answers("/hub", [status(204)]);
    for pings in [1, 2, 2] {
        world.succeeds(&["poll", "--force"]);
        assert_eq!(world.origin.requests("/hub").len(), pings);
    }
    let ping = world.origin.requests("/hub").remove(0);
    assert_eq!(ping.method, "POST");
    assert_eq!(ping.header("content-type"), Some("application/x-www-form-urlencoded"));
    let topic = "hub.mode=publish&hub.url=http%3A%2F%2F127.0.0.1%3A8080%2Fnumerique-educatif.atom";
    assert!(ping.body.starts_with(topic), "{}", ping.body);
}

#[test]
fn a_hub_that_fails_holds_nothing_up_and_is_left_alone_for_a_while() {
    let mut world = World::new().feed("education", [document(rss(&months()))]);
    let lines = hub(&world);
    world = world.with(&lines);
    world.origin.answers("/hub", [status(500)]);
    world.succeeds(&["poll", "--force"]);
    assert!(world.atom().contains("École numérique"));
    world.succeeds(&["poll", "--force"]);
    assert_eq!(world.origin.requests("/hub").len(), 1);
    let page = fs::read_to_string(world.published("sources/index.html")).unwrap();
    assert!(page.contains("/hub") && page.contains("500"), "{page}");
}

#[test]
fn a_ping_that_a_crash_cut_off_is_sent_again() {
    let mut world = World::new().feed("education", [document(rss(&months()))]);
    let lines = hub(&world);
    world = world.with(&lines);
    world.origin.answers("/hub", [status(204).after(Duration::from_secs(30)), status(204)]);
    let daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("École numérique") && asked(&world, 1));
    drop(daemon); // SIGKILL
    let daemon = world.run();
    daemon.until("/numerique-educatif.atom", |_| asked(&world, 2));
}

fn asked(world: &World, times: usize) -> bool {
    world.origin.requests("/hub").len() >= times
}

#[test]
fn metrics_tell_of_polls_and_topics() {
    let world = World::new().feed("education", [document(rss(&months()))]).with("dedup = false");
    let daemon = world.run();
    daemon.until("/metrics", |body| body.contains("veille_stories{topic=\"numerique-educatif\"} 6"));
    let (_, body) = daemon.get("/metrics", "");
    assert!(body.contains("veille_polls_total{outcome=\"read\"} 1") && body.contains("veille_store_bytes"), "{body}");
}

#[test]
fn a_socket_in_a_folder_that_is_missing_says_so() {
    let world = World::new().feed("education", [document(rss(&months()))]);
    let text = fs::read_to_string(world.config()).unwrap();
    fs::write(world.config(), text.replace("listen = \"127.0.0.1:0\"", "listen = \"unix:none/veille.sock\"")).unwrap();
    let output = world.veille(&["run"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("its folder is missing"), "{error}");
}

#[test]
fn it_listens_on_a_socket_and_takes_it_away_at_the_end() {
    let world = World::new().feed("education", [document(rss(&months()))]);
    let text = fs::read_to_string(world.config()).unwrap();
    fs::write(world.config(), text.replace("listen = \"127.0.0.1:0\"", "listen = \"unix:veille.sock\"")).unwrap();
    let path = world.folder.path().join("veille.sock");
    for _ in 0..2 {
        // The second time, a killed daemon has left the first one's socket.
        let _daemon = world.run();
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let mut daemon = world.run();
    daemon.hears("watching");
    daemon.signal("TERM");
    assert_eq!(daemon.ends(), Some(0));
    assert!(!path.exists());
}

#[test]
fn a_late_entry_reaches_readers_of_the_main_document_with_its_own_date() {
    let dated = |name: &str, date: &str| {
        let title = format!("L’école numérique, {name}");
        item(name, &title, &format!("Un texte sur {name}."), &[]).replace("Mon, 23 Nov 2026", date)
    };
    let [new, newer] = [dated("cantine", "Thu, 26 Nov 2026"), dated("orchestre", "Fri, 27 Nov 2026")];
    let late = dated("piscine", "Mon, 05 Oct 2026");
    let first = rss(&[newer.clone(), new.clone()]);
    let world = World::new().feed("education", [document(first), document(rss(&[newer, new, late]))]);
    world.write_config(&format!("{}\n[publish]\nentries = 2\n", crate::world::TOPIC));
    world.succeeds(&["poll"]);
    // The second poll may come within the same second.
    let earlier = "UPDATE entry SET first_seen = first_seen - 60";
    world.change_store(earlier, earlier);
    world.succeeds(&["poll", "--force"]);
    let atom = world.atom();
    let shown = ["piscine", "orchestre", "cantine"].map(|name| atom.find(&format!("<title>L’école numérique, {name}")));
    assert!(shown[0].is_some() && shown[0] < shown[1] && shown[2].is_none(), "{atom}");
    assert!(atom.contains("<published>2026-10-05T"), "{atom}");
}

#[test]
fn subscribers_see_what_was_told_and_what_it_shows() {
    let picture = "<media:content xmlns:media='http://search.yahoo.com/mrss/' url='https://a.example/1.png' medium='image'>\
                   <media:description>La façade.</media:description></media:content>";
    let text =
        "&lt;center&gt;Le vrai texte, entier.&lt;/center&gt;&lt;noscript&gt;&lt;p&gt;Suite&lt;/p&gt;&lt;/noscript&gt;";
    let news = item("a", "École numérique : &lt;video&gt; et &lt;track&gt;", text, &[])
        .replace("</item>", &format!("{picture}</item>"));
    let world = World::new().feed("education", document(rss(&[news])));
    world.succeeds(&["poll"]);
    let atom = world.atom();
    assert!(atom.contains("École numérique : &amp;lt;video&amp;gt; et &amp;lt;track&amp;gt;"), "{atom}");
    assert!(atom.contains("&lt;div&gt;Le vrai texte, entier.&lt;/div&gt;&lt;p&gt;Suite&lt;/p&gt;"), "{atom}");
    assert!(!atom.contains("<content"), "{atom}");
    let file = atom.lines().find(|line| line.contains("rel=\"enclosure\"")).unwrap();
    assert!(file.contains("type=\"image/png\"") && file.contains("title=\"La façade.\""), "{file}");
}
