//! `WebSub` (W3C Recommendation, 2018), both ways. Tests with a number are the checks of that number at websub.rocks.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use veille::websub::signed_sha256;

use crate::origin::{Answer, document, redirect, status};
use crate::reader::{Reader, Told};
use crate::world::{Daemon, TOPIC, World};

/// Waits for something that should come at once.
#[track_caller]
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "it never came to that");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A daemon that hubs find on loopback, where the config allows it.
struct Site {
    world: World,
    daemon: Daemon,
    port: u16,
}

impl Site {
    fn start(world: World, keys: &str) -> Self {
        let port = public(&world, keys);
        let daemon = world.run();
        Self { world, daemon, port }
    }

    /// Waits for the request to the hub at this path that comes after others.
    #[track_caller]
    fn asks_hub(&self, path: &str, after: usize) -> Asked {
        until(|| self.world.origin.requests(path).get(after).map(|seen| Asked::read(&seen.body)))
    }

    /// Waits until the subscription is as asked, and confirms it.
    #[track_caller]
    fn subscribes(&self) -> Asked {
        let asked = self.asks_hub("/hub", 0);
        let (status, body) = self.verify(&asked, "subscribe", &asked.topic, "3600");
        assert_eq!((status, body.as_str()), (200, "a challenge & more"));
        asked
    }

    /// Plays the hub that verifies.
    fn verify(&self, asked: &Asked, mode: &str, topic: &str, lease: &str) -> (u16, String) {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("hub.mode", mode)
            .append_pair("hub.topic", topic)
            .append_pair("hub.challenge", "a challenge & more")
            .append_pair("hub.lease_seconds", lease)
            .finish();
        self.request(&format!("GET {}?{query} HTTP/1.1\r\n", asked.path()), "", b"")
    }

    /// Plays the hub that pushes, with its signature.
    fn push(&self, asked: &Asked, body: &str) -> u16 {
        push(self.port, asked, body)
    }

    fn push_with(&self, path: &str, headers: &str, body: &str) -> u16 {
        push_with(self.port, path, headers, body)
    }

    /// Asks our hub.
    fn ask(&self, parameters: &[(&str, &str)]) -> (u16, String) {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let headers = format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", body.len());
        self.request("POST /hub HTTP/1.1\r\n", &headers, body.as_bytes())
    }

    fn request(&self, line: &str, headers: &str, body: &[u8]) -> (u16, String) {
        request(self.port, line, headers, body)
    }

    /// What `veille feeds --json` says of the subscription of a feed.
    fn told(&self, id: &str) -> serde_json::Value {
        let lines = self.world.json(&["feeds", "--json"]);
        lines.iter().find(|line| line["id"] == id).unwrap()["websub"].clone()
    }

    /// The figure of a metric.
    fn figure(&self, name: &str) -> u64 {
        let text = self.daemon.get("/metrics", "").1;
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
    }

    fn atom(&self) -> String {
        self.daemon.get("/numerique-educatif.atom", "").1
    }

    #[track_caller]
    fn publishes(&self, text: &str) {
        until(|| self.atom().contains(text).then_some(()));
    }

    fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

fn push(port: u16, asked: &Asked, body: &str) -> u16 {
    let signature = signed_sha256(asked.secret.as_bytes(), body.as_bytes()).unwrap();
    push_with(port, &asked.path(), &format!("X-Hub-Signature: sha256={signature}\r\n"), body)
}

fn push_with(port: u16, path: &str, headers: &str, body: &str) -> u16 {
    let headers = format!("Content-Type: application/rss+xml\r\nContent-Length: {}\r\n{headers}", body.len());
    request(port, &format!("POST {path} HTTP/1.1\r\n"), &headers, body.as_bytes()).0
}

fn request(port: u16, line: &str, headers: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(format!("{line}Host: veille\r\nConnection: close\r\n{headers}\r\n").as_bytes());
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

/// Makes loopback, which may be polled, the public address.
fn public(world: &World, keys: &str) -> u16 {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = fs::read_to_string(world.config()).unwrap();
    let text = text.replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"));
    let text = text.replace("listen = \"127.0.0.1:0\"", &format!("listen = \"127.0.0.1:{port}\""));
    fs::write(world.config(), format!("{text}\n{keys}")).unwrap();
    port
}

/// A request to a hub.
#[derive(Debug, Clone)]
struct Asked {
    mode: String,
    callback: String,
    topic: String,
    secret: String,
}

impl Asked {
    fn read(body: &str) -> Self {
        let of = |name: &str| {
            let found = url::form_urlencoded::parse(body.as_bytes()).find(|(found, _)| found == name);
            found.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        Self { mode: of("hub.mode"), callback: of("hub.callback"), topic: of("hub.topic"), secret: of("hub.secret") }
    }

    fn path(&self) -> String {
        url::Url::parse(&self.callback).unwrap().path().to_owned()
    }
}

/// An undated item of the topic.
fn news(name: &str) -> String {
    format!(
        "<item><guid isPermaLink=\"false\">{name}</guid><link>https://ministere.example/{name}</link>\
         <title>École numérique {name}</title><description>Le numérique éducatif : {name}.</description></item>"
    )
}

/// An RSS document with these items and links.
fn feed(names: &[&str], links: &[(&str, &str)]) -> String {
    let mut links_text = String::new();
    for (rel, href) in links {
        let _ = write!(links_text, "<atom:link rel=\"{rel}\" href=\"{href}\"/>");
    }
    let items: String = names.iter().map(|name| news(name)).collect();
    format!(
        "<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel><title>Ministère</title>\
         <link>https://ministere.example/</link><description>Actualités</description>{links_text}{items}</channel></rss>"
    )
}

/// A world with a feed that names the hub at `/hub`, in its document.
fn followed(names: &[&str]) -> World {
    let world = World::new().feed("agence", status(404));
    let (own, hub) = (world.origin.url("/agence"), world.origin.url("/hub"));
    world.origin.answers("/agence", document(feed(names, &[("self", own.as_str()), ("hub", hub.as_str())])));
    world.origin.answers("/hub", status(202));
    world
}

/// The answer with a document that names a hub in its headers, and other things in itself.
fn linked(world: &World, path: &str, text: &str) -> Answer {
    let (own, hub) = (world.origin.url(path), world.origin.url("/hub"));
    document(text).header("link", format!("<{own}>; rel=\"self\"")).header("link", format!("<{hub}>; rel=\"hub\""))
}

// Discovery (§4).

#[test]
fn subscriber_100_http_headers_name_the_hub() {
    let world = World::new().feed("agence", status(404));
    world.origin.answers("/agence", linked(&world, "/agence", &feed(&["une"], &[])));
    world.origin.answers("/hub", status(202));
    let site = Site::start(world, "");
    let asked = site.asks_hub("/hub", 0);
    assert_eq!((asked.mode.as_str(), asked.topic), ("subscribe", site.world.origin.url("/agence").to_string()));
    assert!(asked.callback.starts_with(&site.address("/websub/")) && asked.secret.len() == 64, "{}", asked.callback);
}

/// A page is no feed: what is polled is the feed that it names, at the hub of that feed.
#[test]
fn subscriber_101_a_page_leads_to_its_feed_and_that_to_its_hub() {
    let world = followed(&["une"]);
    let page = format!(
        "<html><head><title>Agence</title><link rel=hub href='{0}'><link rel=self href='{1}'>\
         <link rel=alternate type=application/rss+xml href='{1}'></head></html>",
        world.origin.url("/hub"),
        world.origin.url("/autre")
    );
    world.origin.answers("/page", status(200).header("content-type", "text/html").body(page));
    let (own, hub) = (world.origin.url("/autre"), world.origin.url("/hub"));
    world.origin.answers("/autre", document(feed(&["deux"], &[("self", own.as_str()), ("hub", hub.as_str())])));
    let added = world.veille(&["add", world.origin.url("/page").as_str()]);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let site = Site::start(world, "");
    let topics = [0, 1].map(|after| site.asks_hub("/hub", after).topic);
    assert!(topics.contains(&own.to_string()), "{topics:?}");
}

#[test]
fn subscriber_102_an_atom_document_names_the_hub() {
    let world = World::new().feed("agence", status(404));
    let (own, hub) = (world.origin.url("/agence"), world.origin.url("/hub"));
    let atom = format!(
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>A</title><id>urn:a</id><link rel='self' href='{own}'/>\
         <link rel='hub' href='{hub}'/><entry><id>urn:1</id><title>École numérique</title></entry></feed>"
    );
    world.origin.answers("/agence", document(atom));
    world.origin.answers("/hub", status(202));
    let site = Site::start(world, "");
    assert_eq!(site.asks_hub("/hub", 0).topic, own.to_string());
}

#[test]
fn subscriber_103_an_rss_document_names_the_hub() {
    let site = Site::start(followed(&["une"]), "");
    assert_eq!(site.asks_hub("/hub", 0).topic, site.world.origin.url("/agence").to_string());
}

#[test]
fn a_json_feed_names_the_hub() {
    let world = World::new().feed("agence", status(404));
    let json = serde_json::json!({
        "version": "https://jsonfeed.org/version/1.1", "title": "A", "feed_url": world.origin.url("/agence").as_str(),
        "hubs": [{ "type": "WebSub", "url": world.origin.url("/hub").as_str() }],
        "items": [{ "id": "1", "content_text": "École numérique" }],
    });
    world.origin.answers("/agence", document(json.to_string()).header("content-type", "application/feed+json"));
    world.origin.answers("/hub", status(202));
    let site = Site::start(world, "");
    assert_eq!(site.asks_hub("/hub", 0).topic, site.world.origin.url("/agence").to_string());
}

#[test]
fn subscriber_104_headers_come_before_the_document() {
    let world = World::new().feed("agence", status(404));
    let wrong = world.origin.url("/wrong").to_string();
    let text = feed(&["une"], &[("self", &wrong), ("hub", &wrong)]);
    world.origin.answers("/agence", linked(&world, "/agence", &text));
    world.origin.answers("/hub", status(202));
    let site = Site::start(world, "");
    assert_eq!(site.asks_hub("/hub", 0).topic, site.world.origin.url("/agence").to_string());
    assert_eq!(site.world.origin.requests("/wrong").len(), 0);
}

// Subscribing (§5).

#[test]
fn subscriber_200_the_topic_is_the_address_that_the_feed_gives_itself() {
    let world = World::new().feed("agence", status(404));
    world.origin.answers("/agence", linked(&world, "/agence?self=other", &feed(&["une"], &[])));
    world.origin.answers("/hub", status(202));
    let site = Site::start(world, "");
    assert_eq!(site.asks_hub("/hub", 0).topic, site.world.origin.url("/agence?self=other").to_string());
}

#[track_caller]
fn check_redirected_topic(code: u16) {
    let world = World::new().feed("agence", status(404));
    world.origin.answers("/agence", redirect(code, "/ici"));
    world.origin.answers("/ici", linked(&world, "/ici", &feed(&["une"], &[])));
    world.origin.answers("/hub", status(202));
    let site = Site::start(world, "");
    assert_eq!(site.asks_hub("/hub", 0).topic, site.world.origin.url("/ici").to_string());
}

#[test]
fn subscriber_201_a_topic_that_is_elsewhere_for_now_is_subscribed_where_it_is() {
    check_redirected_topic(302);
}

#[test]
fn subscriber_202_a_topic_that_has_moved_is_subscribed_where_it_is() {
    check_redirected_topic(301);
}

#[track_caller]
fn check_redirected_hub(code: u16) {
    let world = followed(&["une"]);
    world.origin.answers("/hub", redirect(code, "/other?x=1"));
    world.origin.answers("/other", status(202));
    let site = Site::start(world, "");
    let asked = site.asks_hub("/other", 0);
    assert_eq!(asked.topic, site.world.origin.url("/agence").to_string());
    assert_eq!(site.verify(&asked, "subscribe", &asked.topic, "3600").0, 200);
}

#[test]
fn subscriber_203_a_hub_may_lead_on_for_now() {
    check_redirected_hub(307);
}

#[test]
fn subscriber_204_a_hub_may_lead_on_for_good() {
    check_redirected_hub(308);
}

#[test]
fn subscriber_205_a_verification_of_another_topic_is_refused() {
    let site = Site::start(followed(&["une"]), "");
    let asked = site.asks_hub("/hub", 0);
    assert_eq!(site.verify(&asked, "subscribe", "https://other.example/feed", "3600").0, 404);
    assert_eq!(site.verify(&asked, "unsubscribe", &asked.topic, "3600").0, 404);
    assert_eq!(site.told("agence")["state"], "asked");
    assert_eq!(site.verify(&asked, "subscribe", &asked.topic, "3600").0, 200);
}

// Distribution (§7).

#[test]
fn subscriber_300_a_push_is_taken_with_2xx_and_its_news_is_published() {
    let site = Site::start(followed(&["une", "deux"]), "");
    let asked = site.subscribes();
    assert!((200..300).contains(&site.push(&asked, &feed(&["trois"], &[]))));
    site.publishes("numérique trois");
    // It says nothing of what it does not hold.
    assert!(site.atom().contains("numérique une"));
    assert_eq!(site.world.origin.requests("/agence").len(), 1, "nobody had to ask");
}

#[test]
fn subscriber_301_a_push_with_a_wrong_signature_does_nothing() {
    let site = Site::start(followed(&["une"]), "");
    let asked = site.subscribes();
    let body = feed(&["fausse"], &[]);
    let forged = signed_sha256(b"another secret", body.as_bytes()).unwrap();
    let weak = "sha1=0000000000000000000000000000000000000000";
    for signature in [format!("sha256={forged}"), format!("sha512={forged}"), weak.to_owned(), "sha256=".to_owned()] {
        let status = site.push_with(&asked.path(), &format!("X-Hub-Signature: {signature}\r\n"), &body);
        assert!((200..300).contains(&status), "{signature}");
    }
    until(|| (site.told("agence")["refused"] == 4).then_some(()));
    assert_eq!(site.figure("veille_websub_pushes_total{outcome=\"forged\"}"), 4);
    assert!(!site.atom().contains("fausse"));
}

#[test]
fn subscriber_302_a_push_without_a_signature_does_nothing() {
    let site = Site::start(followed(&["une"]), "");
    let asked = site.subscribes();
    let body = feed(&["fausse"], &[]);
    assert!((200..300).contains(&site.push_with(&asked.path(), "", &body)));
    let signature = signed_sha256(asked.secret.as_bytes(), body.as_bytes()).unwrap();
    let header = format!("X-Hub-Signature: sha256={signature}\r\n");
    // Twice is not once: which one would count?
    assert!((200..300).contains(&site.push_with(&asked.path(), &format!("{header}{header}"), &body)));
    until(|| (site.told("agence")["refused"] == 2).then_some(()));
    assert_eq!(site.figure("veille_websub_pushes_total{outcome=\"unsigned\"}"), 2);
    assert!(!site.atom().contains("fausse"));
}

// Further bad input to a subscriber.

#[test]
fn an_empty_or_foreign_push_makes_the_feed_be_polled() {
    let site = Site::start(followed(&["une"]), "");
    let asked = site.subscribes();
    let (own, hub) = (site.world.origin.url("/agence"), site.world.origin.url("/hub"));
    let links = [("self", own.as_str()), ("hub", hub.as_str())];
    site.world.origin.answers("/agence", document(feed(&["deux", "une"], &links)));
    assert_eq!(site.push(&asked, ""), 202);
    site.publishes("numérique deux");
    assert_eq!(site.world.origin.requests("/agence").len(), 2);
    // Another feed's document is not taken; the pause between two such polls is a minute.
    assert_eq!(site.push(&asked, &feed(&["ailleurs"], &[("self", "https://other.example/feed")])), 202);
    assert_eq!(site.push(&asked, "<html>maintenance</html>"), 202);
    until(|| (site.figure("veille_websub_pushes_total{outcome=\"ping\"}") == 3).then_some(()));
    assert!(!site.atom().contains("ailleurs"));
    assert_eq!(site.world.origin.requests("/agence").len(), 2);
}

#[test]
fn a_push_that_was_there_before_changes_nothing() {
    let site = Site::start(followed(&["une"]), "");
    let asked = site.subscribes();
    let first = feed(&["deux"], &[]);
    let edited = first.replace("numérique deux", "numérique deux, corrigée");
    assert_eq!(site.push(&asked, &first), 202);
    site.publishes("numérique deux");
    assert_eq!(site.push(&asked, &edited), 202);
    site.publishes("deux, corrigée");
    assert_eq!(site.push(&asked, &first), 202);
    until(|| (site.figure("veille_websub_pushes_total{outcome=\"again\"}") == 1).then_some(()));
    std::thread::sleep(Duration::from_secs(1));
    assert!(site.atom().contains("deux, corrigée"));
}

#[test]
fn pushes_that_are_too_large_packed_cut_or_for_nobody_are_refused() {
    let site = Site::start(followed(&["une"]), "");
    let asked = site.subscribes();
    let path = asked.path();
    let head = |headers: &str| site.request(&format!("POST {path} HTTP/1.1\r\n"), headers, b"abc").0;
    assert_eq!(head("Content-Length: 99999999999\r\n"), 413);
    assert_eq!(head("Content-Encoding: gzip\r\nContent-Length: 3\r\n"), 415);
    let chunk = format!("{:x}\r\n{}\r\n", 11 << 20, "a".repeat(11 << 20));
    let endless =
        site.request(&format!("POST {path} HTTP/1.1\r\n"), "Transfer-Encoding: chunked\r\n", chunk.as_bytes());
    assert_eq!(endless.0, 413);
    let unknown = format!("/websub/{}", "0".repeat(48));
    assert!([404, 410].contains(&site.push_with(&unknown, "", "x")));
    assert_eq!(site.request(&format!("GET {unknown}?hub.mode=subscribe HTTP/1.1\r\n"), "", b"").0, 404);
    assert_eq!(site.push_with("/websub/x", "", "x"), 405);
    assert_eq!(site.request(&format!("PUT {path} HTTP/1.1\r\n"), "", b"").0, 405);
    // A body shorter than said.
    let mut stream = TcpStream::connect(("127.0.0.1", site.port)).unwrap();
    write!(stream, "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc").unwrap();
    drop(stream);
    assert_eq!(site.push(&asked, &feed(&["deux"], &[])), 202);
    site.publishes("numérique deux");
}

#[test]
fn a_lease_may_be_of_any_size_and_a_hub_may_verify_twice() {
    let site = Site::start(followed(&["une"]), "");
    let asked = site.asks_hub("/hub", 0);
    for lease in ["0", "1000000000000", "999999999999999999999", "-1", "soon", ""] {
        assert_eq!(site.verify(&asked, "subscribe", &asked.topic, lease).0, 200, "{lease}");
    }
    assert_eq!(site.told("agence")["state"], "subscribed");
    assert_eq!(site.world.origin.requests("/hub").len(), 1);
}

#[test]
fn a_hub_may_deny_and_pushes_nothing_then() {
    let site = Site::start(followed(&["une"]), "");
    let asked = site.subscribes();
    let query = format!("hub.mode=denied&hub.topic={}&hub.reason=too%20many", asked.topic);
    assert_eq!(site.request(&format!("GET {}?{query} HTTP/1.1\r\n", asked.path()), "", b"").0, 200);
    let told = site.told("agence");
    assert_eq!((&told["state"], &told["why"]), (&"denied".into(), &"too many".into()));
    assert_eq!(site.push(&asked, &feed(&["fausse"], &[])), 202);
    until(|| (site.figure("veille_websub_pushes_total{outcome=\"unasked\"}") == 1).then_some(()));
}

#[test]
fn a_hub_that_is_gone_gives_way_to_the_next() {
    let world = World::new().feed("agence", status(404));
    let (own, hub, other) = (world.origin.url("/agence"), world.origin.url("/hub"), world.origin.url("/second"));
    let links = [("self", own.as_str()), ("hub", hub.as_str()), ("hub", other.as_str())];
    world.origin.answers("/agence", document(feed(&["une"], &links)));
    world.origin.answers("/hub", status(410).body("This hub\x07 is closed."));
    let site = Site::start(world, "");
    site.asks_hub("/hub", 0);
    let told = until(|| Some(site.told("agence")).filter(|told| !told["why"].is_null()));
    assert_eq!(told["why"], "it answered 410: This hub is closed.");
}

#[test]
fn a_feed_that_is_not_to_be_subscribed_is_not() {
    let world = followed(&["une"]).with("websub = false");
    let site = Site::start(world, "");
    site.publishes("numérique une");
    let world = followed(&["une"]).with("private = true");
    let private = Site::start(world, "");
    private.publishes("numérique une");
    let world = followed(&["une"]);
    let off = Site::start(world, "[websub]\nsubscribe = false\n");
    off.publishes("numérique une");
    std::thread::sleep(Duration::from_secs(3));
    for site in [&site, &private, &off] {
        assert_eq!(site.world.origin.requests("/hub").len(), 0);
    }
}

#[test]
fn a_feed_that_leaves_the_config_is_unsubscribed() {
    let site = Site::start(followed(&["une"]), "");
    let asked = site.subscribes();
    let text = fs::read_to_string(site.world.config()).unwrap();
    fs::write(site.world.config(), format!("{text}\n[websub]\nsubscribe = false\n")).unwrap();
    let ended = site.asks_hub("/hub", 1);
    assert_eq!((ended.mode.as_str(), &ended.callback), ("unsubscribe", &asked.callback));
    assert_eq!(site.verify(&ended, "unsubscribe", &asked.topic, "").0, 200);
    until(|| site.told("agence").is_null().then_some(()));
    // Where several nodes share a store, another may know it still.
    until(|| [404, 410].contains(&site.push(&asked, "x")).then_some(()));
}

#[test]
fn a_subscription_outlives_a_restart() {
    let site = Site::start(followed(&["une"]), "");
    let asked = site.subscribes();
    let Site { world, mut daemon, port } = site;
    daemon.signal("KILL");
    daemon.ends();
    let daemon = world.run();
    let site = Site { world, daemon, port };
    until(|| (site.push(&asked, &feed(&["deux"], &[])) == 202).then_some(()));
    site.publishes("numérique deux");
    assert_eq!(site.world.origin.requests("/hub").len(), 1);
}

#[test]
fn a_feed_is_polled_less_while_its_hub_tells_everything() {
    let world = followed(&["une"]).with("schedule = \"* * * * *\"");
    let site = Site::start(world, "");
    let asked = site.subscribes();
    let (own, hub) = (site.world.origin.url("/agence"), site.world.origin.url("/hub"));
    let links = [("self", own.as_str()), ("hub", hub.as_str())];
    site.world.succeeds(&["poll", "--force"]);
    // Each poll finds what a push has told before.
    for (name, names) in [("deux", &["deux", "une"][..]), ("trois", &["trois", "deux", "une"])] {
        assert_eq!(site.push(&asked, &feed(&[name], &[])), 202);
        site.publishes(&format!("numérique {name}"));
        until(|| (!site.told("agence")["last_push"].is_null()).then_some(()));
        site.world.origin.answers("/agence", document(feed(names, &links)));
        site.world.succeeds(&["poll", "--force"]);
    }
    let line = site.world.json(&["feeds", "--json"]).remove(0);
    assert_eq!(
        (&line["websub"]["trusted"], &line["next_poll_why"]),
        (&true.into(), &"its hub tells of news: once a day".into())
    );
    // News that no push tells.
    site.world.change_store(
        "UPDATE subscription SET facts = json_set(facts, '$.last_push', '2020-01-01T00:00:00Z')",
        "UPDATE subscription SET facts = jsonb_set(facts::jsonb, '{last_push}', '\"2020-01-01T00:00:00Z\"')::text",
    );
    site.world.origin.answers("/agence", document(feed(&["quatre", "trois", "deux", "une"], &links)));
    site.world.succeeds(&["poll", "--force"]);
    let line = site.world.json(&["feeds", "--json"]).remove(0);
    assert_eq!((&line["websub"]["trusted"], &line["next_poll_why"]), (&false.into(), &"schedule `* * * * *`".into()));
}

// Our own hub.

const HUB: &str = "[websub]\nhub = true\n";

/// A site with a hub and one story.
fn hub_site() -> Site {
    let world = World::new().feed("agence", document(feed(&["une"], &[]))).with("schedule = \"* * * * *\"");
    let site = Site::start(world, HUB);
    site.publishes("numérique une");
    site
}

impl Site {
    /// Asks the hub for a topic, and waits until the reader has confirmed it.
    #[track_caller]
    fn subscribe(&self, reader: &Reader, topic: &str, more: &[(&str, &str)]) {
        let before = reader.with(|shelf| shelf.asked.len());
        let (callback, topic) = (reader.url("/cb?own=1"), self.address(topic));
        let mut parameters = vec![("hub.mode", "subscribe"), ("hub.callback", &*callback), ("hub.topic", &*topic)];
        parameters.extend(more);
        assert_eq!(self.ask(&parameters).0, 202);
        until(|| reader.with(|shelf| (shelf.asked.len() > before).then_some(())));
        until(|| (self.intents() == 0).then_some(()));
    }

    /// Requests that are not settled.
    fn intents(&self) -> usize {
        self.world.open_store().subscriber_counts("").unwrap().intents
    }

    /// Brings one more story.
    #[track_caller]
    fn brings(&self, name: &str) {
        let names = ["une", name];
        self.world.origin.answers("/agence", document(feed(&names, &[])));
        self.world.succeeds(&["poll", "--force"]);
        self.publishes(name);
    }
}

/// Waits for a delivery, and returns it.
#[track_caller]
fn delivery(reader: &Reader, at: usize) -> Told {
    until(|| reader.with(|shelf| shelf.delivered.get(at).cloned()))
}

#[test]
fn hub_100_a_subscriber_is_verified_and_told() {
    let (site, reader) = (hub_site(), Reader::start());
    site.subscribe(&reader, "/numerique-educatif.atom", &[]);
    let asked = reader.with(|shelf| shelf.asked[0].clone());
    assert_eq!((asked.parameter("hub.mode"), asked.parameter("own")), ("subscribe", "1"));
    assert_eq!(asked.parameter("hub.topic"), site.address("/numerique-educatif.atom"));
    assert_eq!(asked.parameter("hub.lease_seconds"), "864000");
    assert!(asked.parameter("hub.challenge").len() >= 32);
    site.brings("deux");
    let told = delivery(&reader, 0);
    assert_eq!((told.path.as_str(), told.parameter("own")), ("/cb", "1"));
    assert_eq!(
        told.header("content-type"),
        site.daemon
            .get("/numerique-educatif.atom", "")
            .0
            .lines()
            .find_map(|line| line.strip_prefix("content-type: "))
            .unwrap()
    );
    assert_eq!(told.text(), site.atom());
    let link = format!(
        "<{}>; rel=\"hub\", <{}>; rel=\"self\"",
        site.address("/hub"),
        site.address("/numerique-educatif.atom")
    );
    assert_eq!((told.header("link"), told.header("x-hub-signature")), (link.as_str(), ""));
}

#[test]
fn hub_101_a_secret_signs_the_document() {
    let (site, reader) = (hub_site(), Reader::start());
    site.subscribe(&reader, "/numerique-educatif.atom", &[("hub.secret", "a secret")]);
    site.brings("deux");
    let told = delivery(&reader, 0);
    assert_eq!(told.header("x-hub-signature"), format!("sha256={}", signed_sha256(b"a secret", &told.body).unwrap()));
}

#[test]
fn hub_102_parameters_that_nobody_knows_do_no_harm() {
    let (site, reader) = (hub_site(), Reader::start());
    site.subscribe(&reader, "/numerique-educatif.atom", &[("foo", "bar"), ("hub.verify", "async"), ("", "")]);
    site.brings("deux");
    delivery(&reader, 0);
}

#[test]
fn hub_103_a_subscriber_may_subscribe_again_and_is_told_once() {
    let (site, reader) = (hub_site(), Reader::start());
    site.subscribe(&reader, "/numerique-educatif.atom", &[("hub.secret", "old")]);
    site.subscribe(&reader, "/numerique-educatif.atom", &[("hub.secret", "new"), ("hub.lease_seconds", "7200")]);
    assert_eq!(reader.with(|shelf| shelf.asked[1].parameter("hub.lease_seconds").to_owned()), "7200");
    site.brings("deux");
    let told = delivery(&reader, 0);
    assert_eq!(told.header("x-hub-signature"), format!("sha256={}", signed_sha256(b"new", &told.body).unwrap()));
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(reader.with(|shelf| shelf.delivered.len()), 1);
}

#[test]
fn hub_104_who_has_unsubscribed_is_told_no_more() {
    let (site, reader) = (hub_site(), Reader::start());
    site.subscribe(&reader, "/numerique-educatif.atom", &[]);
    let (callback, topic) = (reader.url("/cb?own=1"), site.address("/numerique-educatif.atom"));
    let end = [("hub.mode", "unsubscribe"), ("hub.callback", &*callback), ("hub.topic", &*topic)];
    assert_eq!(site.ask(&end).0, 202);
    until(|| reader.with(|shelf| (shelf.asked.len() == 2).then_some(())));
    until(|| (site.world.open_store().subscriber_counts("").unwrap().all == 0).then_some(()));
    site.brings("deux");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(reader.with(|shelf| shelf.delivered.len()), 0);
}

#[track_caller]
fn check_format(end: &str, media_type: &str) {
    let (site, reader) = (hub_site(), Reader::start());
    let path = format!("/numerique-educatif.{end}");
    site.subscribe(&reader, &path, &[]);
    site.brings("deux");
    let told = delivery(&reader, 0);
    assert!(told.header("content-type").starts_with(media_type), "{}", told.header("content-type"));
    assert_eq!(told.text(), site.daemon.get(&path, "").1);
}

#[test]
fn hub_105_another_type_of_content_comes_as_it_is() {
    check_format("rss", "application/rss+xml");
}

#[test]
fn hub_106_json_comes_as_it_is() {
    check_format("json", "application/feed+json");
}

#[test]
fn topics_name_the_hub_in_all_formats_and_in_headers() {
    let world = World::new().feed("agence", document(feed(&["une"], &[])));
    let site = Site::start(world, HUB);
    let hub = site.address("/hub");
    for (end, named) in [
        ("atom", format!("<link href=\"{hub}\" rel=\"hub\"")),
        ("rss", format!("<atom:link rel=\"hub\" href=\"{hub}\"")),
        ("json", format!("{{\"type\":\"WebSub\",\"url\":\"{hub}\"}}")),
    ] {
        let path = format!("/numerique-educatif.{end}");
        let body = site.daemon.until(&path, |body| body.contains("numérique une"));
        assert!(body.contains(&named), "{named}\n{body}");
        let head = site.daemon.get(&path, "").0;
        let link = format!("link: <{hub}>; rel=\"hub\", <{}>; rel=\"self\"", site.address(&path));
        assert!(head.contains(&link), "{head}");
    }
}

#[test]
fn without_a_hub_there_is_none() {
    let site = Site::start(followed(&["une"]), "");
    assert_eq!(site.ask(&[("hub.mode", "subscribe")]).0, 405);
    assert!(!site.atom().contains("rel=\"hub\""));
}

#[test]
fn the_hub_says_why_it_does_not_take_a_request() {
    let site = hub_site();
    let topic = site.address("/numerique-educatif.atom");
    let good = ("hub.callback", "http://127.0.0.1:9/cb");
    for (parameters, said) in [
        (vec![("hub.mode", "subscribe"), good], "`hub.topic` is missing"),
        (vec![("hub.mode", "subscribe"), good, ("hub.topic", "https://other.example/a.atom")], "no topic of this hub"),
        (
            vec![("hub.mode", "subscribe"), ("hub.topic", &*topic), ("hub.callback", "http://169.254.169.254/latest")],
            "may not call",
        ),
        (vec![("hub.mode", "subscribe"), ("hub.topic", &*topic), ("hub.callback", "http://[::1]/")], "may not call"),
        (vec![("hub.mode", "publish"), ("hub.url", &*topic)], "`hub.mode` must be"),
    ] {
        let (status, body) = site.ask(&parameters);
        assert!(status == 400 && body.contains(said), "{parameters:?}: {status} {body}");
    }
    let post = |headers: &str, body: &str| site.request("POST /hub HTTP/1.1\r\n", headers, body.as_bytes()).0;
    assert_eq!(post("Content-Length: 2\r\n", "{}"), 415);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    assert_eq!(post(&format!("{form}Content-Length: 9000\r\n"), ""), 413);
    assert_eq!(site.request("GET /hub HTTP/1.1\r\n", "", b"").0, 405);
}

#[track_caller]
fn check_unconfirmed(reply: u16, body: &str, headers: &str) {
    let (site, reader) = (hub_site(), Reader::start());
    reader.with(|shelf| {
        shelf.reply = Some((reply, body.to_owned()));
        headers.clone_into(&mut shelf.headers);
    });
    site.subscribe(&reader, "/numerique-educatif.atom", &[]);
    assert_eq!(site.world.open_store().subscriber_counts("").unwrap().all, 0);
    site.brings("deux");
    std::thread::sleep(Duration::from_secs(1));
    reader.with(|shelf| assert_eq!((shelf.asked.len(), shelf.delivered.len()), (1, 0), "one question, and no more"));
}

#[test]
fn a_wrong_challenge_is_no_confirmation() {
    check_unconfirmed(200, "another", "");
    check_unconfirmed(404, "", "");
}

#[test]
fn a_redirect_is_no_confirmation_and_leads_nowhere() {
    check_unconfirmed(302, "", "Location: http://169.254.169.254/latest/meta-data\r\n");
}

#[test]
fn an_unconfirmed_request_leaves_a_subscription_as_it_was() {
    let (site, reader) = (hub_site(), Reader::start());
    site.subscribe(&reader, "/numerique-educatif.atom", &[("hub.secret", "good")]);
    reader.with(|shelf| shelf.reply = Some((404, String::new())));
    site.subscribe(&reader, "/numerique-educatif.atom", &[("hub.secret", "evil")]);
    let (callback, topic) = (reader.url("/cb?own=1"), site.address("/numerique-educatif.atom"));
    site.ask(&[("hub.mode", "unsubscribe"), ("hub.callback", &*callback), ("hub.topic", &*topic)]);
    until(|| reader.with(|shelf| (shelf.asked.len() == 3).then_some(())));
    until(|| (site.intents() == 0).then_some(()));
    site.brings("deux");
    let told = delivery(&reader, 0);
    assert_eq!(told.header("x-hub-signature"), format!("sha256={}", signed_sha256(b"good", &told.body).unwrap()));
}

#[test]
fn a_subscriber_that_fails_or_hangs_keeps_no_other_waiting_and_is_told_later() {
    let (site, failing, hanging, well) = (hub_site(), Reader::start(), Reader::start(), Reader::start());
    for reader in [&failing, &hanging, &well] {
        site.subscribe(reader, "/numerique-educatif.atom", &[]);
    }
    failing.with(|shelf| shelf.status = Some(500));
    hanging.with(|shelf| shelf.pace = Duration::from_hours(1));
    site.brings("deux");
    delivery(&well, 0);
    delivery(&failing, 0);
    failing.with(|shelf| shelf.status = None);
    // Its next try is due in a minute, which is over now.
    until(|| (site.world.open_store().subscriber_counts("").unwrap().next_try.is_some()).then_some(()));
    std::thread::sleep(Duration::from_secs(3));
    site.world.change_store("UPDATE subscriber SET next_try = 1", "UPDATE subscriber SET next_try = 1");
    site.brings("trois");
    until(|| failing.with(|shelf| shelf.delivered.iter().any(|told| told.text().contains("trois")).then_some(())));
}

#[test]
fn a_subscriber_that_is_gone_is_told_no_more() {
    let (site, reader) = (hub_site(), Reader::start());
    site.subscribe(&reader, "/numerique-educatif.atom", &[]);
    reader.with(|shelf| shelf.status = Some(410));
    site.brings("deux");
    delivery(&reader, 0);
    until(|| (site.world.open_store().subscriber_counts("").unwrap().all == 0).then_some(()));
}

#[test]
fn a_lease_that_is_over_ends_deliveries() {
    let (site, reader) = (hub_site(), Reader::start());
    site.subscribe(&reader, "/numerique-educatif.atom", &[]);
    site.world.change_store("UPDATE subscriber SET lease_end = 1", "UPDATE subscriber SET lease_end = 1");
    site.brings("deux");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(reader.with(|shelf| shelf.delivered.len()), 0);
}

#[test]
fn a_hub_without_room_denies() {
    let world = World::new().feed("agence", document(feed(&["une"], &[])));
    let site = Site::start(world, "[websub]\nhub = true\nsubscribers_max = 1\n");
    site.publishes("numérique une");
    let (first, second) = (Reader::start(), Reader::start());
    site.subscribe(&first, "/numerique-educatif.atom", &[]);
    site.subscribe(&second, "/numerique-educatif.atom", &[]);
    let asked = second.with(|shelf| shelf.asked[0].clone());
    assert_eq!(asked.parameter("hub.mode"), "denied");
    assert_eq!(asked.parameter("hub.reason"), "this hub has no room for more subscribers");
    assert_eq!(site.world.open_store().subscriber_counts("").unwrap().all, 1);
}

#[test]
fn a_flood_of_subscriptions_is_held_off() {
    let (site, reader) = (hub_site(), Reader::start());
    let topic = site.address("/numerique-educatif.atom");
    let mut answers = std::collections::BTreeMap::new();
    for number in 0..100 {
        let callback = reader.url(&format!("/{number}"));
        let (status, _) = site.ask(&[("hub.mode", "subscribe"), ("hub.callback", &callback), ("hub.topic", &topic)]);
        *answers.entry(status).or_insert(0) += 1;
    }
    assert_eq!(answers, [(202, 60), (429, 40)].into());
    until(|| (site.intents() == 0).then_some(()));
    // One question for each request.
    assert_eq!(reader.with(|shelf| shelf.asked.len()), 60);
}

#[test]
fn a_restart_loses_no_subscriber_and_no_document() {
    let (site, reader) = (hub_site(), Reader::start());
    site.subscribe(&reader, "/numerique-educatif.atom", &[]);
    let Site { world, mut daemon, port } = site;
    daemon.signal("KILL");
    daemon.ends();
    world.origin.answers("/agence", document(feed(&["une", "deux"], &[])));
    world.succeeds(&["poll", "--force"]);
    let _site = Site { daemon: world.run(), world, port };
    assert!(delivery(&reader, 0).text().contains("numérique deux"));
}

#[test]
fn news_of_a_hundred_feeds_is_published_within_two_seconds() {
    let mut world = World::new();
    for number in 0..100 {
        let id = format!("f{number}");
        world = world.feed(&id, status(404));
        let (own, hub) = (world.origin.url(&format!("/{id}")), world.origin.url("/hub"));
        let text = feed(&[&format!("ancienne-{number}")], &[("self", own.as_str()), ("hub", hub.as_str())]);
        world.origin.answers(&format!("/{id}"), document(text));
    }
    world.origin.answers("/hub", status(202));
    world.write_config(&format!("{TOPIC}\n[publish]\nentries = 200\n"));
    let site = Site::start(world, "");
    let asked: Vec<Asked> = (0..100).map(|number| site.asks_hub("/hub", number)).collect();
    for asked in &asked {
        assert_eq!(site.verify(asked, "subscribe", &asked.topic, "3600").0, 200);
    }
    site.publishes("ancienne-99");
    // Nothing else is to be published meanwhile.
    std::thread::sleep(Duration::from_secs(3));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for (number, asked) in asked.iter().enumerate() {
            let port = site.port;
            scope.spawn(move || assert_eq!(push(port, asked, &feed(&[&format!("nouvelle-{number}.")], &[])), 202));
        }
    });
    let all = |text: &str| (0..100).all(|number| text.contains(&format!("nouvelle-{number}.")));
    until(|| all(&site.atom()).then_some(()));
    let took = began.elapsed();
    // Machines that run all tests at once are slower than those that serve.
    let limit = if std::env::var_os("VEILLE_TIMED").is_some() { 2 } else { 15 };
    println!("a hundred pushes were published after {took:?}");
    assert!(took < Duration::from_secs(limit), "{took:?}");
}
