//! Everything that a server can do to us, in one poll with healthy feeds between.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::origin::{Answer, Origin, document, raw, redirect, status};
use crate::packed::{brotli, gzip};
use crate::world::{Cost, World, item, rss};

/// For one fetch as a whole, as the config sets it.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Most memory of the whole process.
const MEMORY_MAX: usize = 150 << 20;

/// A feed that is served under its name on a host of its own.
struct Feed {
    name: String,
    answer: Answer,
    /// Text of the error that `feeds` must tell; nothing for a feed that must be whole.
    told: Option<&'static str>,
}

fn fault(name: impl Into<String>, answer: Answer, told: &'static str) -> Feed {
    Feed { name: name.into(), answer, told: Some(told) }
}

fn whole(name: impl Into<String>, answer: Answer) -> Feed {
    Feed { name: name.into(), answer, told: None }
}

fn news() -> String {
    rss(&[item("a", "École", "Texte", &[])])
}

fn page(body: &str) -> Answer {
    status(200).header("content-type", "text/html").body(body)
}

fn packed(coding: &str, bytes: Vec<u8>) -> Answer {
    document(bytes).header("content-encoding", coding)
}

fn slow() -> Vec<Feed> {
    let step = Duration::from_millis(100);
    vec![
        fault("silent", document(news()).after(Duration::from_mins(10)), "too slow"),
        fault("dripping-head", document(news()).dripping(step), "too slow"),
        fault("dripping-body", document(news()).dripping_body(step), "too slow"),
        fault("stalling-in-body", document(news()).stalling_after(10), "too slow"),
        fault("stalling-before-body", document(news()).stalling_after(0), "too slow"),
        fault("slow-redirect", redirect(302, "/silent").after(Duration::from_millis(500)), "too slow"),
    ]
}

fn not_http() -> Vec<Feed> {
    let many: String = (0..500).map(|at| format!("X-{at}: a\r\n")).collect();
    vec![
        fault("ssh", raw("SSH-2.0-OpenSSH_9.2\r\n"), "does not speak proper HTTP"),
        fault("smtp", raw("220 mail.example ESMTP\r\n"), "does not speak proper HTTP"),
        fault("zeros", raw(vec![0; 100_000]), "does not speak proper HTTP"),
        fault("noise", raw(vec![0xff; 100_000]), "does not speak proper HTTP"),
        fault("version", raw("HTTP/9.9 200 OK\r\n\r\n"), "does not speak proper HTTP"),
        fault("no-code", raw("HTTP/1.1 abc\r\n\r\n"), "does not speak proper HTTP"),
        fault("bare-feed", raw(news()), "does not speak proper HTTP"),
        fault("closing", raw(""), "does not speak proper HTTP"),
        fault("reset", document(news()).reset(), "connection"),
        fault("long-header", raw(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(1 << 20))), "proper HTTP"),
        fault("many-headers", raw(format!("HTTP/1.1 200 OK\r\n{many}\r\n")), "proper HTTP"),
        fault("endless-headers", raw("X: a\r\n".repeat(300_000)), "proper HTTP"),
        fault("upgrade", raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), "101"),
    ]
}

fn bodies() -> Vec<Feed> {
    let chunked = |chunks: &str| raw(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"));
    let twice = gzip(&gzip(news().as_bytes()));
    vec![
        fault("endless", document(vec![b' '; 100_000]).endless(), "larger than"),
        fault("long", status(200).header("content-length", "99999999999").stalling_after(0), "larger than"),
        fault("endless-chunks", chunked(&format!("8000\r\n{:32768}\r\n", "").repeat(400)), "larger than"),
        fault("short", document(news()).closing_after(10), "broke off"),
        fault("bad-chunk", chunked("xyz\r\n<rss/>\r\n0\r\n\r\n"), "broke off"),
        fault("huge-chunk", chunked("fffffffffffffffff\r\n<rss/>"), "broke off"),
        fault("cut-chunk", chunked("ffff\r\n<rss/>"), "broke off"),
        fault("negative-chunk", chunked("-1\r\n"), "broke off"),
        fault("bomb-gzip", packed("gzip", gzip(&vec![0; 64 << 20])), "larger than"),
        fault("bomb-brotli", packed("br", brotli(&vec![0; 32 << 20])), "larger than"),
        fault("zstd", packed("zstd", vec![0x28, 0xb5, 0x2f, 0xfd]), "packed as `zstd`"),
        fault("nested-gzip", packed("gzip, gzip", twice.clone()), "packed as `gzip, gzip`"),
        fault("nested-unsaid", packed("gzip", twice), "packed as `gzip`"),
        fault("deflate", packed("deflate", vec![1, 2, 3]), "packed as `deflate`"),
        fault("cut-gzip", packed("gzip", gzip(news().as_bytes())[..40].to_vec()), "broke off or is damaged"),
        fault("not-gzip", packed("gzip", news().into()), "broke off or is damaged"),
        fault("not-brotli", packed("br", vec![0xff; 100]), "broke off or is damaged"),
    ]
}

fn redirects(canary: u16) -> Vec<Feed> {
    let mut feeds = vec![
        fault("circle", redirect(301, "/circle"), "runs in a circle"),
        fault("nowhere", status(302), "does not say where to"),
        fault("no-url", redirect(302, "http://[bad/"), "no URL"),
    ];
    for scheme in ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/", "data:text/xml,x", "javascript:1"] {
        feeds.push(fault(
            format!("to-{}", scheme.split(':').next().unwrap()),
            redirect(302, scheme),
            "leads to scheme",
        ));
    }
    let hosts = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "0x7f000001",
        "127。0。0。1",
        "localhost",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::1]",
        "10.0.0.1",
        "192.168.0.1",
        "172.16.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "100.100.100.200",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "224.0.0.1",
        "255.255.255.255",
    ];
    for (at, host) in hosts.iter().enumerate() {
        let to = format!("http://{host}:{canary}/latest/meta-data");
        feeds.push(fault(format!("to-private-{at}"), redirect(302, to), "is not public"));
    }
    feeds
}

fn statuses() -> Vec<Feed> {
    vec![
        fault("nothing", status(204), "204 No Content"),
        fault("part", status(206).body(news()), "206 Partial Content"),
        fault("unchanged", status(304), "304 Not Modified; the server says `unchanged` to a first request"),
        fault("delta", status(226).header("im", "feed").body(news()), "226 IM Used"),
        fault("choices", status(300), "300 Multiple Choices"),
        fault("unauthorised", status(401), "give it `auth"),
        fault("forbidden", status(403), "403 Forbidden; the site refuses us"),
        fault("firewall", status(403).header("cf-mitigated", "challenge"), "a firewall takes us for a robot"),
        fault("missing", status(404), "404 Not Found; the feed may have moved"),
        fault("gone", status(410), "gone for good"),
        fault("throttled", status(429).header("retry-after", "99999999999"), "429 Too Many Requests"),
        fault("absurd", status(503).header("retry-after", "-5"), "503 Service Unavailable"),
        fault("broken", status(500), "500 Internal Server Error"),
        fault("unheard-of", status(799), "answered 799"),
    ]
}

fn documents() -> Vec<Feed> {
    let laughs: String = (1..12).fold("<!ENTITY l0 'ha'>".to_owned(), |text, at| {
        format!("{text}<!ENTITY l{at} '{}'>", format!("&l{};", at - 1).repeat(10))
    });
    let deep = format!("<rss version='2.0'><channel>{}", "<media:group>".repeat(50_000));
    vec![
        fault("page", page("<!doctype html><title>Accueil</title><p>Bonjour"), "not a feed but an HTML page"),
        fault("empty", document(""), "document is empty"),
        fault("blank", document("  \n"), "document is empty"),
        fault(
            "picture",
            status(200).header("content-type", "image/png").body(b"\x89PNG\r\n\x1a\n0000".to_vec()),
            "not a feed",
        ),
        fault("object", document("{\"error\": \"quota\"}"), "not a feed"),
        fault("laughs", document(format!("<!DOCTYPE lolz [{laughs}]><lolz>&l11;</lolz>")), "not a feed"),
        whole("deep", document(deep)),
        whole(
            "external-entity",
            document(news().replacen("<rss", "<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><rss", 1)),
        ),
    ]
}

/// Odd, and none of our business.
fn oddities() -> Vec<Feed> {
    let untidy = "HTTP/1.1 200 OK\r\nContent-Type : text/xml\r\nX-Long: a\r\n b\r\nBad Header: x\r\n\r\n";
    vec![
        whole("cookies", document(news()).header("set-cookie", "a=1; Domain=.gouv.fr").header("set-cookie", "b=2")),
        whole("odd-etag", document(news()).header_bytes("etag", b"\"caf\xe9\" W/")),
        whole("long-etag", document(news()).etag(&"x".repeat(20_000))),
        whole("odd-date", document(news()).last_modified("hier matin")),
        whole("wrong-type", status(200).header("content-type", "image/gif").body(news())),
        whole("untidy", raw(format!("{untidy}{}", news()))),
        whole("fresh-for-ever", document(news()).header("cache-control", "max-age=99999999999999999999")),
        whole(
            "early-hints",
            raw(format!("{}HTTP/1.1 200 OK\r\n\r\n{}", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(3), news())),
        ),
    ]
}

/// Listens where nobody may come, and counts who does.
fn canary() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let (port, visits) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&visits);
    std::thread::spawn(move || {
        while listener.accept().is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    (port, visits)
}

/// Serves each feed on a host of its own, 127.1.x.y, and writes the config that polls them.
fn set_up(world: &World, origin: &Origin, feeds: &[Feed]) {
    let seconds = TIMEOUT.as_secs();
    let mut text =
        format!("[poll]\nallow_networks = [\"127.1.0.0/16\"]\ntimeout = \"{seconds}s\"\n[serve]\nlisten = \"\"\n");
    for (at, feed) in feeds.iter().enumerate() {
        origin.answers(&format!("/{}", feed.name), feed.answer.clone());
        let (host, port) = (format!("127.1.{}.{}", at / 200, at % 200 + 1), origin.address().port());
        let _ = write!(text, "[[feed]]\nid = \"{0}\"\nurl = \"http://{host}:{port}/{0}\"\n", feed.name);
    }
    fs::write(world.config(), text).unwrap();
}

#[test]
fn eighty_faults_in_one_poll_hurt_nobody() {
    let (canary, visits) = canary();
    let kinds = [slow(), not_http(), bodies(), redirects(canary), statuses(), documents(), oddities()];
    let faults: Vec<Feed> = kinds.into_iter().flatten().collect();
    let number = faults.iter().filter(|feed| feed.told.is_some()).count();
    assert!(number >= 80, "{number} faults");
    let healthy = (0..20)
        .map(|at| whole(format!("healthy-{at}"), document(rss(&[item(&at.to_string(), "École", "Texte", &[])]))));
    let mut feeds: Vec<Feed> = Vec::new();
    let mut healthy = healthy.collect::<Vec<_>>().into_iter();
    for (at, feed) in faults.into_iter().enumerate() {
        feeds.push(feed);
        feeds.extend((at % 4 == 0).then(|| healthy.next()).flatten());
    }

    let (world, origin) = (World::new(), Origin::on([0, 0, 0, 0]));
    set_up(&world, &origin, &feeds);
    let Cost { duration, memory, .. } = world.poll_watched();
    assert!(duration <= TIMEOUT + Duration::from_secs(5), "{duration:?}");
    assert!(memory < MEMORY_MAX, "{} MiB", memory >> 20);
    assert_eq!(visits.load(Ordering::Relaxed), 0, "a private address was reached");

    let told = world.json(&["feeds", "--json"]);
    for (feed, told) in feeds.iter().zip(&told) {
        assert_eq!(told["id"], feed.name.as_str());
        let error = told["last_error"].as_str().unwrap_or_default();
        match feed.told {
            Some(expected) => assert!(error.contains(expected), "{}: {error:?}", feed.name),
            None => assert!(told["status"] == "ok" || told["status"] == "empty", "{}: {error}", feed.name),
        }
    }
    let entries = world.json(&["entries", "--json", "--limit", "10000"]);
    let whole = entries.iter().filter(|entry| entry["feed"].as_str().unwrap().starts_with("healthy-")).count();
    assert_eq!(whole, 20);
    println!("{number} faults among {} feeds: {duration:?}, {} MiB at most", feeds.len(), memory >> 20);
}
