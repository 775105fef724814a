use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;
use crate::publish::{Format, Representation};

/// A server on loopback with one feed, long enough to be compressed, and what stops it.
struct LocalServer {
    address: SocketAddr,
    front: Arc<Front>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<io::Result<()>>,
}

impl LocalServer {
    async fn new(limits: ServingLimits) -> Self {
        let page = || "<html>".to_owned();
        let feed = "<feed/>".repeat(1_000);
        let documents = [
            ("/ecole.atom", feed.clone()),
            ("/", page()),
            ("/ecole/", page()),
            ("/ecole.html", page()),
            ("/ecole/archive/2026-10.atom", feed),
            ("/ecole/archive/2026-10/", page()),
        ];
        Self::serving(&documents, limits).await
    }

    async fn serving(documents: &[(&str, String)], limits: ServingLimits) -> Self {
        let modified = "2026-10-10T08:00:00Z".parse().unwrap();
        let document = |(path, text): &(&str, String)| {
            let format = if path.contains(".atom") { Format::Atom } else { Format::Page };
            Representation::new((*path).into(), format, text.clone().into())
        };
        let tree = Tree::build(documents.iter().map(document).collect(), Vec::new(), &Tree::default(), modified);
        let front = Arc::new(Front { tree: Swapped::new(tree), ..Front::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = oneshot::channel();
        let server = tokio::spawn(serve(listener, Arc::clone(&front), limits, async move {
            let _ = stopping.await;
        }));
        Self { address, front, stop, server }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn ask(&self, method: &str, path: &str, headers: &[&str]) -> Received {
        let mut stream = self.connect().await;
        let headers: String = headers.iter().flat_map(|header| [header, "\r\n"]).collect();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Received::read(stream).await
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.server.await.unwrap().unwrap();
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Received {
    head: String,
    body: Vec<u8>,
}

impl Received {
    async fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let lines = head.lines().filter(|line| !line.starts_with("date:") && !line.starts_with("connection:"));
        Self { head: lines.collect::<Vec<_>>().join("\n"), body: bytes.get(end + 4..).unwrap_or_default().to_vec() }
    }

    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Asks for the feed with headers, in which `TAG` is its tag, and compares the status.
#[track_caller]
fn check(headers: &[&str], expected: u16) {
    let status = with_server(async |server| {
        let tag = server.ask("GET", "/ecole.atom", &[]).await.header("etag").unwrap().trim_matches('"').to_owned();
        let headers: Vec<String> = headers.iter().map(|header| header.replace("TAG", &tag)).collect();
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        server.ask("GET", "/ecole.atom", &headers).await.status()
    });
    assert_eq!(status, expected);
}

/// Asks with an `Accept-Encoding` and compares the coding of the answer.
#[track_caller]
fn check_coding(accepted: &str, expected: Option<&str>) {
    let header = format!("Accept-Encoding: {accepted}");
    let answer = with_server(async |server| server.ask("GET", "/ecole.atom", &[&header]).await);
    assert_eq!((answer.header("content-encoding"), answer.header("vary")), (expected, Some("Accept, Accept-Encoding")));
}

fn with_server<T>(story: impl AsyncFnOnce(&LocalServer) -> T) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let server = LocalServer::new(ServingLimits::default()).await;
        let told = story(&server).await;
        server.stop().await;
        told
    })
}

#[test]
fn a_feed_is_answered_with_all_that_a_reader_needs() {
    let answer = with_server(async |server| server.ask("GET", "/ecole.atom", &["Accept-Encoding: gzip"]).await);
    insta::assert_snapshot!(answer.head, @r##"
    HTTP/1.1 200 OK
    etag: "50f69907a5c866953c5b6a1e1b12945f-gzip"
    content-type: application/atom+xml; charset=utf-8
    content-length: 77
    content-encoding: gzip
    last-modified: Sat, 10 Oct 2026 08:00:00 GMT
    cache-control: public, max-age=60, stale-while-revalidate=60, stale-if-error=86400
    vary: Accept, Accept-Encoding
    access-control-allow-origin: *
    access-control-expose-headers: ETag
    content-security-policy: default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'
    referrer-policy: strict-origin-when-cross-origin
    x-content-type-options: nosniff
    "##);
}

#[test]
fn head_is_get_without_a_body() {
    for path in ["/ecole.atom", "/healthz"] {
        let (get, head) =
            with_server(async |server| (server.ask("GET", path, &[]).await, server.ask("HEAD", path, &[]).await));
        assert_eq!((&get.head, head.body.len()), (&head.head, 0));
        assert_eq!(get.header("content-length"), Some(get.body.len().to_string().as_str()));
    }
}

#[test]
fn nothing_is_sent_twice() {
    check(&["If-None-Match: \"TAG\""], 304);
    check(&["If-None-Match: \"other\""], 200);
}

#[test]
fn a_tag_may_be_weak_in_a_list_or_any() {
    check(&["If-None-Match: W/\"TAG\""], 304);
    check(&["If-None-Match: \"a\",W/\"b\" , \"TAG\""], 304);
    check(&["If-None-Match: \"a\"", "If-None-Match: \"TAG\""], 304);
    check(&["If-None-Match: *"], 304);
}

#[test]
fn the_tag_of_another_coding_is_known_to_who_takes_that_coding() {
    check(&["Accept-Encoding: br, gzip", "If-None-Match: \"TAG-gzip\""], 304);
    check(&["Accept-Encoding: br", "If-None-Match: \"TAG\""], 304);
    check(&["If-None-Match: \"TAG-gzip\""], 200);
    check(&["Accept-Encoding: br, gzip;q=0", "If-None-Match: \"TAG-gzip\""], 200);
    check(&["Accept-Encoding: br, identity;q=0", "If-None-Match: \"TAG\""], 200);
}

#[test]
fn a_date_counts_when_there_is_no_tag() {
    check(&["If-Modified-Since: Sat, 10 Oct 2026 08:00:00 GMT"], 304);
    check(&["If-Modified-Since: Sun, 11 Oct 2026 08:00:00 GMT"], 304);
    check(&["If-Modified-Since: Sat, 10 Oct 2026 07:59:59 GMT"], 200);
    check(&["If-Modified-Since: Sat, 10 Oct 2026 10:00:00 +0200"], 304);
    check(&["If-Modified-Since: Saturday, 10-Oct-26 08:00:00 GMT"], 304);
    check(&["If-Modified-Since: Sat Oct 10 08:00:00 2026"], 304);
    check(&["If-Modified-Since: Sat Oct 10 07:59:59 2026"], 200);
    check(&["If-Modified-Since: yesterday"], 200);
    check(&["If-Modified-Since: Sat, 10 Oct 2026 08:00:00 GMT", "If-None-Match: \"other\""], 200);
}

#[test]
fn not_modified_has_the_headers_that_a_cache_needs() {
    let (ok, known) = with_server(async |server| {
        let ok = server.ask("GET", "/ecole.atom", &[]).await;
        let condition = format!("If-None-Match: {}", ok.header("etag").unwrap());
        let known = server.ask("GET", "/ecole.atom", &[&condition]).await;
        (ok, known)
    });
    let of_the_body =
        ["HTTP/1.1", "content-length", "content-type", "content-security", "referrer-policy", "x-content-type-options"];
    let kept = ok.head.lines().filter(|line| !of_the_body.iter().any(|name| line.starts_with(name)));
    let mut expected: Vec<_> = kept.collect();
    let mut lines: Vec<_> = known.head.lines().skip(1).collect();
    expected.sort_unstable();
    lines.sort_unstable();
    assert_eq!((known.status(), known.body.len(), lines), (304, 0, expected));
}

#[test]
fn the_coding_is_what_the_reader_likes_best() {
    check_coding("gzip", Some("gzip"));
    check_coding("x-gzip", Some("gzip"));
    check_coding("gzip, deflate, br", Some("br"));
    check_coding("gzip;q=1.0, br;q=0.5", Some("gzip"));
    check_coding("br;q=0", None);
    check_coding("*", Some("br"));
    check_coding("*;q=0.1, br;q=0", Some("gzip"));
    check_coding("zstd", None);
    check_coding("identity, gzip;q=0.5", None);
    check_coding("identity;q=0.2, gzip;q=0.5", Some("gzip"));
    check_coding("gzip;q=much", None);
    check_coding(";,;q=,", None);
}

#[test]
fn who_opens_a_feed_in_a_browser_gets_the_page_and_every_reader_the_feed() {
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (accept, expected) in [
        (browser, "text/html"),
        ("application/xhtml+xml", "text/html"),
        ("text/html", "application/atom+xml"),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "application/atom+xml"),
        (
            "text/html, image/jpeg;q=0.9, image/png;q=0.9, text/*;q=0.9, image/*;q=0.9, */*;q=0.8",
            "application/atom+xml",
        ),
        ("text/html, application/xhtml+xml;q=0, */*;q=0.1", "application/atom+xml"),
        ("text/html, application/xhtml+xml, */*", "application/atom+xml"),
        ("*/*", "application/atom+xml"),
        ("application/atom+xml, text/html, */*;q=0.9", "application/atom+xml"),
        ("application/rss+xml;q=0.1, text/html", "application/atom+xml"),
        ("text/xml, text/html;q=0.9", "application/atom+xml"),
        ("text/html;q=0, */*", "application/atom+xml"),
        ("text/html;Q=0.1,*/*;q=0.5", "application/atom+xml"),
    ] {
        let answer =
            with_server(async |server| server.ask("GET", "/ecole.atom", &[&format!("Accept: {accept}")]).await);
        assert!(answer.header("content-type").unwrap().starts_with(expected), "{accept}: {}", answer.head);
        assert_eq!(answer.header("vary"), Some("Accept, Accept-Encoding"));
    }
}

#[test]
fn who_opens_a_volume_in_a_browser_is_sent_to_its_page() {
    let answer = with_server(async |server| {
        server.ask("GET", "/ecole/archive/2026-10.atom", &["Accept: text/html, application/xhtml+xml"]).await
    });
    assert_eq!((answer.status(), answer.header("location")), (303, Some("2026-10/")));
}

#[test]
fn a_proxy_may_leave_the_sites_path_before_ours() {
    let status = with_server(async |server| {
        server.front.prefix.store("/veille".to_owned());
        [
            server.ask("GET", "/veille/ecole.atom", &[]).await.status(),
            server.ask("GET", "/ecole.atom", &[]).await.status(),
            server.ask("GET", "/other/ecole.atom", &[]).await.status(),
        ]
    });
    assert_eq!(status, [200, 200, 404]);
}

#[test]
fn a_folder_without_its_slash_is_found_below_a_path_that_the_proxy_leaves() {
    for (path, expected) in [
        ("/veille", (308, Some("veille/"))),
        ("/veille/", (200, None)),
        ("/veille/ecole", (308, Some("ecole/"))),
        ("/veille/ecole/archive/2026-10", (308, Some("2026-10/"))),
        ("/ecole", (308, Some("ecole/"))),
        ("/veilles", (404, None)),
        ("/veilleecole", (404, None)),
    ] {
        let answer = with_server(async |server| {
            server.front.prefix.store("/veille".to_owned());
            server.ask("GET", path, &[]).await
        });
        assert_eq!((answer.status(), answer.header("location")), expected, "{path}");
    }
}

#[tokio::test]
async fn a_web_server_on_the_machine_may_ask_through_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("veille.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let (stop, stopping) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, Arc::new(Front::default()), ServingLimits::default(), async move {
        let _ = stopping.await;
    }));
    let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}

#[test]
fn each_coding_has_its_own_tag_and_the_same_document() {
    let answers = with_server(async |server| {
        [
            server.ask("GET", "/ecole.atom", &[]).await,
            server.ask("GET", "/ecole.atom", &["Accept-Encoding: gzip"]).await,
        ]
    });
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&answers[1].body[..]), &mut unpacked).unwrap();
    assert_eq!(unpacked, answers[0].body);
    assert_ne!(answers[0].header("etag"), answers[1].header("etag"));
}

#[test]
fn what_is_published_is_only_read() {
    for (method, path) in [
        ("POST", "/ecole.atom"),
        ("PUT", "/ecole"),
        ("DELETE", "/ecole/archive/2026-10"),
        ("POST", "/healthz"),
        ("PATCH", "/nothing"),
        ("CONNECT", "a.example:443"),
    ] {
        let headers = ["Content-Length: 0", "Accept: text/html"];
        let answer = with_server(async |server| server.ask(method, path, &headers).await);
        let expected = (405, Some("GET, HEAD, OPTIONS"), None);
        assert_eq!((answer.status(), answer.header("allow"), answer.header("location")), expected, "{method} {path}");
    }
}

#[test]
fn the_server_as_a_whole_says_what_it_can_do() {
    let answer = with_server(async |server| server.ask("OPTIONS", "*", &[]).await);
    assert_eq!((answer.status(), answer.header("allow")), (204, Some("GET, HEAD, OPTIONS")));
}

#[test]
fn a_request_says_once_whom_it_is_for() {
    for (request, expected) in [
        ("GET /ecole.atom HTTP/1.1\r\nHost: a\r\n", 200),
        ("GET /ecole.atom HTTP/1.1\r\nHost: a.example:8080\r\n", 200),
        ("GET /ecole.atom HTTP/1.1\r\nHost: [::1]:80\r\n", 200),
        ("GET /ecole.atom HTTP/1.1\r\nHost:\r\n", 200),
        ("GET /ecole.atom HTTP/1.0\r\n", 200),
        ("GET /ecole.atom HTTP/1.1\r\n", 400),
        ("GET /ecole.atom HTTP/1.1\r\nHost: a\r\nHost: b\r\n", 400),
        ("GET /ecole.atom HTTP/1.1\r\nHost: a b\r\n", 400),
    ] {
        let answer = with_server(async |server| {
            let mut stream = server.connect().await;
            stream.write_all(format!("{request}Connection: close\r\n\r\n").as_bytes()).await.unwrap();
            Received::read(stream).await
        });
        assert_eq!(answer.status(), expected, "{request}");
    }
}

#[tokio::test]
async fn a_page_that_shows_pictures_has_a_policy_that_lists_their_sites() {
    let stated = "<meta http-equiv=\"Content-Security-Policy\" content=\"img-src 'self' https://a.example\">";
    let pages = [("/ecole/", format!("<html>{stated}")), ("/", "<html>".to_owned())];
    let world = LocalServer::serving(&pages, ServingLimits::default()).await;
    let policy = async |path| {
        let answer = world.ask("GET", path, &[]).await;
        answer.header("content-security-policy").unwrap_or_default().to_owned()
    };
    assert!(policy("/ecole/").await.contains("; img-src 'self' https://a.example; base-uri 'none'; "));
    assert!(policy("/").await.contains("; img-src 'self'; base-uri 'none'; "));
    world.stop().await;
}

#[test]
fn programs_on_other_sites_may_ask() {
    let answer = with_server(async |server| server.ask("OPTIONS", "/ecole.atom", &["Origin: https://b.example"]).await);
    insta::assert_snapshot!(answer.head, @r##"
    HTTP/1.1 204 No Content
    allow: GET, HEAD, OPTIONS
    access-control-allow-origin: *
    access-control-expose-headers: ETag
    access-control-allow-methods: GET, HEAD, OPTIONS
    access-control-allow-headers: If-None-Match, If-Modified-Since
    access-control-max-age: 86400
    content-security-policy: default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'
    referrer-policy: strict-origin-when-cross-origin
    vary: Accept, Accept-Encoding
    x-content-type-options: nosniff
    "##);
}

#[test]
fn nothing_outside_is_reached() {
    for path in ["/../Cargo.toml", "/ecole.atom/..", "//ecole.atom", "/%65cole.atom", "/etc/passwd"] {
        assert_eq!(with_server(async |server| server.ask("GET", path, &[]).await).status(), 404, "{path}");
    }
}

#[test]
fn a_folder_without_its_slash_leads_to_its_page_below_any_prefix() {
    let answer = with_server(async |server| server.ask("GET", "/ecole", &[]).await);
    assert_eq!((answer.status(), answer.header("location")), (308, Some("ecole/")));
}

#[test]
fn health_says_what_is_wrong_and_only_a_strict_question_gets_an_error() {
    let answers = with_server(async |server| {
        let well = server.ask("GET", "/healthz?strict", &[]).await;
        server.front.health.store(DaemonHealth { reasons: vec!["the disk is full".into()], ..DaemonHealth::default() });
        let [ill, strict] = ["/healthz", "/healthz?a&strict"].map(|path| server.ask("GET", path, &[]));
        [well, ill.await, strict.await]
    });
    assert_eq!(answers.each_ref().map(Received::status), [200, 200, 503]);
    assert_eq!(answers[2].body, br#"{"status":"degraded","reasons":["the disk is full"],"outages":[]}"#);
    assert_eq!(answers[0].body, br#"{"status":"ok","reasons":[],"outages":[]}"#);
}

/// The statuses of pages, health and metrics at a listener that offers so much, below a prefix that a proxy leaves.
fn check_offer(offer: Offer, expected: [u16; 3]) {
    for prefix in ["", "/veille"] {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let statuses = runtime.block_on(async {
            let server = LocalServer::new(ServingLimits { offer, ..ServingLimits::default() }).await;
            server.front.prefix.store(prefix.to_owned());
            let mut statuses = Vec::new();
            for path in ["/ecole.atom", "/healthz", "/metrics"] {
                statuses.push(server.ask("GET", &format!("{prefix}{path}"), &[]).await.status());
            }
            server.stop().await;
            statuses
        });
        assert_eq!(statuses, expected);
    }
}

#[test]
fn health_and_metrics_are_not_public_where_they_have_a_listener_of_their_own() {
    check_offer(Offer::All, [200, 200, 200]);
    check_offer(Offer::Published, [200, 404, 404]);
    check_offer(Offer::Internal, [404, 200, 200]);
}

#[test]
fn freshness_lasts_to_the_next_possible_change_and_changes_no_tag() {
    let (before, after) = with_server(async |server| {
        let before = server.ask("GET", "/ecole.atom", &[]).await;
        let tree = server
            .front
            .tree
            .load()
            .with_fresh_until(Some(Instant::now() + Duration::from_hours(48)), "2026-10-10T08:00:00Z".parse().unwrap());
        server.front.tree.store(tree);
        (before, server.ask("GET", "/ecole.atom", &[]).await)
    });
    assert_eq!(
        before.header("cache-control"),
        Some("public, max-age=60, stale-while-revalidate=60, stale-if-error=86400")
    );
    assert_eq!(
        after.header("cache-control"),
        Some("public, max-age=86400, stale-while-revalidate=86400, stale-if-error=86400")
    );
    assert_eq!(before.header("etag"), after.header("etag"));
}

#[tokio::test]
async fn a_header_that_never_ends_is_cut_off() {
    let server = LocalServer::new(ServingLimits { idle: Duration::from_millis(50), ..ServingLimits::default() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /ecole.atom HTTP/1.1\r\nHost: ").await.unwrap();
    assert_eq!(Received::read(stream).await.status(), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut_off() {
    let limits = ServingLimits { idle: Duration::from_millis(50), connections: 1, ..ServingLimits::default() };
    let server = LocalServer::serving(&[("/big.atom", "x".repeat(12_000_000)), ("/a.atom", "a".into())], limits).await;
    let mut stuck = server.connect().await;
    stuck.write_all(b"GET /big.atom HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    // The only place is taken until the reader that does not read has lost it.
    assert_eq!(server.ask("GET", "/a.atom", &[]).await.status(), 200);
    server.stop().await;
}

#[tokio::test]
async fn the_stop_closes_idle_connections_at_once() {
    let server = LocalServer::new(ServingLimits { grace: Duration::from_hours(1), ..ServingLimits::default() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"HEAD /ecole.atom HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut first = [0; 15];
    stream.read_exact(&mut first).await.unwrap();
    server.stop().await;
    assert_eq!(&first, b"HTTP/1.1 200 OK");
}

#[tokio::test]
async fn answers_under_way_end_after_the_stop() {
    let size = 5_000_000;
    let server = LocalServer::serving(&[("/big.atom", "x".repeat(size))], ServingLimits::default()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /big.atom HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut first = [0; 15];
    stream.read_exact(&mut first).await.unwrap();
    let reading = tokio::spawn(Received::read(stream));
    server.stop().await;
    assert_eq!(reading.await.unwrap().body.len(), size);
}

#[tokio::test]
async fn the_grace_ends() {
    let limits = ServingLimits { grace: Duration::from_millis(50), ..ServingLimits::default() };
    let server = LocalServer::serving(&[("/big.atom", "x".repeat(12_000_000))], limits).await;
    let mut stuck = server.connect().await;
    stuck.write_all(b"GET /big.atom HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut first = [0; 15];
    stuck.read_exact(&mut first).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_server_on_a_thread_of_its_own_answers_and_stops() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = oneshot::channel::<()>();
    let server = tokio::spawn(serve_apart(listener.into(), Arc::default(), ServingLimits::default(), async move {
        let _ = stopping.await;
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    assert_eq!(Received::read(stream).await.status(), 200);
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_comes_after_the_stop_is_refused_while_answers_end() {
    let server = LocalServer::serving(&[("/big.atom", "x".repeat(12_000_000))], ServingLimits::default()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /big.atom HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut first = [0; 15];
    stream.read_exact(&mut first).await.unwrap();
    let address = server.address;
    server.stop.send(()).unwrap();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let reading = tokio::spawn(Received::read(stream));
    server.server.await.unwrap().unwrap();
    assert_eq!(reading.await.unwrap().body.len(), 12_000_000);
}
