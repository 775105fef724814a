//! Fetching a source: manners, guards and limits, each rule with the section that it is from.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;
use veille::config::{Proxy, Secret};
use veille::fetch::{Answer as Got, Client, Document, FetchError, Fetched, Request, Route, Settings};
use veille::state::{Validators, Wait};

use crate::origin::{Answer, Origin, Script, document, echo, raw, redirect, status};
use crate::packed::{brotli, gzip};

const FEED: &str = "<rss version='2.0'><channel><title>Essai</title></channel></rss>";

fn settings() -> Settings {
    Settings {
        user_agent: "veille/0 (+https://veille.example/; mailto:admin@veille.example)".to_owned(),
        concurrency: 8,
        per_host: 1,
        host_delay: Duration::ZERO,
        timeout: Duration::from_secs(20),
        connect_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(10),
        body_bytes_max: 1 << 20,
        allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
        proxy: Proxy::None,
    }
}

fn client() -> Client {
    Client::new(&settings()).unwrap()
}

fn noon() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn wait(seconds: i64, why: &str) -> Wait {
    Wait { delay: TimeDelta::seconds(seconds), why: why.to_owned() }
}

async fn get(url: Url) -> Result<Fetched, FetchError> {
    client().fetch(&Request::new(url), noon()).await
}

/// Fetches a path with these answers once.
async fn fetch(script: impl Into<Script>) -> Result<Fetched, FetchError> {
    let origin = Origin::start();
    origin.answers("/feed", script);
    get(origin.url("/feed")).await
}

/// Checks the code under which an answer is refused, and that its text tells the expected.
async fn check_refused(answer: Answer, code: &str, text: &str) -> FetchError {
    let error = fetch(answer).await.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(text), "{error}");
    error
}

/// Checks the code under which an answer is refused when 0.1 s without a byte, or 0.2 s in all, are too much.
async fn check_slow(answer: Answer, phase: &str) {
    let origin = Origin::start();
    origin.answers("/feed", answer);
    let (idle_timeout, timeout) = (Duration::from_millis(100), Duration::from_millis(200));
    let client = Client::new(&Settings { timeout, idle_timeout, ..settings() }).unwrap();
    let error = client.fetch(&Request::new(origin.url("/feed")), noon()).await.unwrap_err();
    assert_eq!(error.code(), "timeout");
    assert!(error.to_string().contains(phase), "{error}");
}

/// Fetches twice, the second time with the validators that the first one left, and returns the second.
async fn fetch_again(origin: &Origin, path: &str) -> Result<Fetched, FetchError> {
    let client = client();
    let request = Request::new(origin.url(path));
    let first = client.fetch(&request, noon()).await.unwrap();
    client.fetch(&Request { validators: first.validators, ..request }, noon()).await
}

fn body(fetched: &Fetched) -> &[u8] {
    match &fetched.answer {
        Got::Document(Document { body, .. }) => body,
        Got::NotModified => panic!("no document: {fetched:?}"),
    }
}

fn etags(validators: &[Validators]) -> Vec<String> {
    let texts = validators.iter().filter_map(|known| known.etag.as_deref()).map(String::from_utf8_lossy);
    texts.map(String::from).collect()
}

// The request, as publishers see it.

#[tokio::test]
async fn a_first_request_says_who_we_are_and_what_we_read() {
    let origin = Origin::start();
    origin.answers("/feed", document(FEED));
    get(origin.url("/feed")).await.unwrap();
    let head = String::from_utf8(origin.requests("/feed")[0].head.clone()).unwrap();
    let head = head.replace(&origin.address().to_string(), "HOST");
    insta::assert_snapshot!(head.replace("\r\n", "\n").trim_end(), @r"
    GET /feed HTTP/1.1
    accept: application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1
    user-agent: veille/0 (+https://veille.example/; mailto:admin@veille.example)
    accept-encoding: gzip, br
    host: HOST
    ");
}

#[tokio::test]
async fn a_second_request_sends_both_validators_back() {
    let origin = Origin::start();
    origin.answers("/feed", document(FEED).etag("\"v1\"").last_modified("Mon, 23 Nov 2026 08:00:00 GMT"));
    let second = fetch_again(&origin, "/feed").await.unwrap();
    assert_eq!(second.answer, Got::NotModified);
    let seen = &origin.requests("/feed")[1];
    assert_eq!(seen.header("if-none-match"), Some("\"v1\"")); // RFC 9110 §13.1.2
    assert_eq!(seen.header("if-modified-since"), Some("Mon, 23 Nov 2026 08:00:00 GMT")); // §13.1.3
    assert_eq!(seen.header("a-im"), Some("feed")); // RFC 3229 §10.5.3
}

#[tokio::test]
async fn cookies_are_never_sent_back() {
    let origin = Origin::start();
    origin.answers("/feed", redirect(302, "/set").header("set-cookie", "a=1"));
    origin.answers("/set", document(FEED).header("set-cookie", "b=2; Path=/"));
    fetch_again(&origin, "/feed").await.unwrap();
    assert!(origin.all_requests().iter().all(|seen| seen.header("cookie").is_none()));
}

#[tokio::test]
async fn redirects_carry_no_referer() {
    let origin = Origin::start();
    origin.answers("/feed", redirect(302, "/new"));
    origin.answers("/new", document(FEED));
    get(origin.url("/feed")).await.unwrap();
    assert_eq!(origin.requests("/new")[0].header("referer"), None);
}

#[tokio::test]
async fn the_next_feed_of_a_host_uses_the_same_connection() {
    let origin = Origin::start();
    origin.answers("/feed", document(FEED).etag("\"v1\""));
    fetch_again(&origin, "/feed").await.unwrap();
    let connections: Vec<usize> = origin.all_requests().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [1, 1]);
}

#[tokio::test]
async fn name_and_password_of_a_url_are_sent_as_basic_authentication() {
    let origin = Origin::start();
    origin.answers("/feed", document(FEED));
    let mut url = origin.url("/feed");
    url.set_username("me").unwrap();
    url.set_password(Some("s:é")).unwrap();
    let fetched = get(url).await.unwrap();
    // RFC 7617 §2.1: UTF-8
    assert_eq!(origin.requests("/feed")[0].header("authorization"), Some("Basic bWU6czrDqQ=="));
    assert_eq!(fetched.url, origin.url("/feed"));
}

#[tokio::test]
async fn name_and_password_are_sent_as_they_are() {
    let origin = Origin::start();
    origin.answers("/feed", document(FEED));
    for (user, password, expected) in [
        ("me", "50%25", "Basic bWU6NTAlMjU="),
        ("a%40b", "x%", "Basic YSU0MGI6eCU="),
        ("Zoé", "s:@/?#é ", "Basic Wm/DqTpzOkAvPyPDqSA="),
        ("me", "", "Basic bWU6"),
    ] {
        let auth = Some((user.to_owned(), password.to_owned()));
        client().fetch(&Request { auth, ..Request::new(origin.url("/feed")) }, noon()).await.unwrap();
        assert_eq!(origin.requests("/feed").last().unwrap().header("authorization"), Some(expected), "{user}");
    }
}

#[tokio::test]
async fn escapes_in_the_name_and_password_of_a_url_are_none_of_theirs() {
    let origin = Origin::start();
    origin.answers("/feed", document(FEED));
    let url = origin.url("/feed").as_str().replace("//", "//a%40b:50%25%3A@");
    get(Url::parse(&url).unwrap()).await.unwrap();
    assert_eq!(origin.requests("/feed")[0].header("authorization"), Some("Basic YUBiOjUwJTo="));
}

#[tokio::test]
async fn secrets_are_sent_to_the_sources_own_host_only() {
    let (origin, other) = (Origin::start(), Origin::on([127, 0, 0, 2]));
    origin.answers("/feed", redirect(301, "/moved"));
    origin.answers("/moved", redirect(301, other.url("/feed")));
    other.answers("/feed", document(FEED));
    let mut url = origin.url("/feed");
    url.set_username("me").unwrap();
    let headers = vec![("X-Key".to_owned(), "secret".to_owned())];
    client().fetch(&Request { headers, ..Request::new(url) }, noon()).await.unwrap();
    let moved = &origin.requests("/moved")[0];
    assert_eq!((moved.header("x-key"), moved.header("authorization")), (Some("secret"), Some("Basic bWU6")));
    let elsewhere = &other.requests("/feed")[0];
    assert_eq!((elsewhere.header("x-key"), elsewhere.header("authorization")), (None, None));
}

#[tokio::test]
async fn an_adopted_address_on_another_host_gets_no_secrets() {
    let (origin, other) = (Origin::start(), Origin::on([127, 0, 0, 2]));
    other.answers("/feed", document(FEED));
    let headers = vec![("X-Key".to_owned(), "secret".to_owned())];
    let request = Request { url: other.url("/feed"), headers, ..Request::new(origin.url("/feed")) };
    client().fetch(&request, noon()).await.unwrap();
    assert_eq!(other.requests("/feed")[0].header("x-key"), None);
}

#[tokio::test]
async fn a_source_can_have_its_own_user_agent() {
    let origin = Origin::start();
    origin.answers("/feed", document(FEED));
    let headers = vec![("User-Agent".to_owned(), "Mozilla/5.0".to_owned())];
    client().fetch(&Request { headers, ..Request::new(origin.url("/feed")) }, noon()).await.unwrap();
    let seen = &origin.requests("/feed")[0];
    assert_eq!(seen.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("user-agent")).count(), 1);
    assert_eq!(seen.header("user-agent"), Some("Mozilla/5.0"));
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_named() {
    let headers = vec![("X Key".to_owned(), "secret".to_owned())];
    let request = Request { headers, ..Request::new(Url::parse("http://127.0.0.1:9/").unwrap()) };
    let error = client().fetch(&request, noon()).await.unwrap_err();
    assert_eq!(error.to_string(), "header `X Key` cannot be sent: its name or value is not valid");
}

#[tokio::test]
async fn no_error_shows_a_password() {
    let origin = Origin::start();
    origin.answers("/feed", [redirect(302, "/feed"), status(404), raw("junk\r\n\r\n"), document("").closing_after(0)]);
    let mut url = origin.url("/feed");
    url.set_username("me").unwrap();
    url.set_password(Some("secret")).unwrap();
    for _ in 0..4 {
        if let Err(error) = get(url.clone()).await {
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }
}

// Validators (RFC 9110 §8.8).

#[tokio::test]
async fn odd_validators_are_sent_back_byte_for_byte() {
    for etag in
        ["unquoted", "W/\"weak\"", "w/\"lower\"", "\"a\"b\"", "\"\"", "\"spaces in it\"", "'x'", "\"v1-gzip\"", "0"]
    {
        let origin = Origin::start();
        origin.answers("/feed", document(FEED).etag(etag));
        fetch_again(&origin, "/feed").await.unwrap();
        assert_eq!(origin.requests("/feed")[1].header("if-none-match"), Some(etag));
    }
    let origin = Origin::start();
    origin.answers("/feed", document(FEED).header_bytes("etag", b"\"caf\xe9\"").last_modified("hier matin"));
    fetch_again(&origin, "/feed").await.unwrap();
    let seen = &origin.requests("/feed")[1];
    assert!(seen.head.windows(6).any(|bytes| bytes == b"\"caf\xe9\""));
    assert_eq!(seen.header("if-modified-since"), Some("hier matin"));
}

#[tokio::test]
async fn a_304_refreshes_the_validators_that_it_carries_and_keeps_the_others() {
    // RFC 9111 §4.3.4
    let origin = Origin::start();
    let date = "Mon, 23 Nov 2026 08:00:00 GMT";
    origin.answers("/feed", [document(FEED).etag("\"v1\"").last_modified(date), status(304).etag("\"v2\"")]);
    let second = fetch_again(&origin, "/feed").await.unwrap();
    assert_eq!(etags(&second.validators), ["\"v2\""]);
    assert_eq!(second.validators[0].last_modified.as_deref(), Some(date.as_bytes()));
}

#[tokio::test]
async fn a_200_replaces_the_validators_even_if_the_document_is_the_same() {
    let origin = Origin::start();
    origin.answers("/feed", [document(FEED).etag("\"v1\""), document(FEED).etag("\"v2\"")]);
    assert_eq!(etags(&fetch_again(&origin, "/feed").await.unwrap().validators), ["\"v2\""]);
}

#[tokio::test]
async fn a_200_without_validators_forgets_the_old_ones() {
    let origin = Origin::start();
    origin.answers("/feed", [document(FEED).etag("\"v1\""), document(FEED)]);
    assert!(fetch_again(&origin, "/feed").await.unwrap().validators.is_empty());
}

#[tokio::test]
async fn validators_belong_to_the_url_that_sent_them() {
    let origin = Origin::start();
    origin.answers("/feed", redirect(302, "/new").etag("\"of the redirect\""));
    origin.answers("/new", document(FEED).etag("\"v1\""));
    let second = fetch_again(&origin, "/feed").await.unwrap();
    assert_eq!(second.answer, Got::NotModified);
    assert_eq!(second.validators[0].url, origin.url("/new").as_str());
    assert_eq!(origin.requests("/feed")[1].header("if-none-match"), None);
    assert_eq!(origin.requests("/new")[1].header("if-none-match"), Some("\"v1\""));
}

#[tokio::test]
async fn validators_are_not_forwarded_to_a_new_address() {
    let origin = Origin::start();
    origin.answers("/feed", [document(FEED).etag("\"v1\""), redirect(301, "/new")]);
    origin.answers("/new", document(FEED).etag("\"v1\""));
    assert_eq!(body(&fetch_again(&origin, "/feed").await.unwrap()), FEED.as_bytes());
    assert_eq!(origin.requests("/new")[0].header("if-none-match"), None);
}

#[tokio::test]
async fn validators_of_a_redirect_that_always_leads_elsewhere_do_not_pile_up() {
    let origin = Origin::start();
    let client = client();
    let mut request = Request::new(origin.url("/feed"));
    for turn in 0..10 {
        origin.answers("/feed", redirect(302, format!("/to?session={turn}")));
        origin.answers("/to", document(FEED).etag("\"v1\""));
        request.validators = client.fetch(&request, noon()).await.unwrap().validators;
    }
    assert_eq!(request.validators.len(), 4);
    assert!(request.validators[0].url.ends_with("session=9"));
}

#[tokio::test]
async fn a_validator_too_long_to_keep_is_left() {
    let answer = document(FEED).etag(&"x".repeat(5000));
    assert!(fetch(answer).await.unwrap().validators.is_empty());
}

// Statuses.

#[tokio::test]
async fn a_document_comes_with_its_media_type_and_bytes() {
    let fetched = fetch(document(FEED)).await.unwrap();
    let content_type = Some("application/rss+xml; charset=utf-8".to_owned());
    let expected = Document { body: FEED.into(), content_type, is_delta: false };
    assert_eq!(fetched.answer, Got::Document(expected));
    assert_eq!((fetched.hops.len(), fetched.moved()), (0, None));
}

#[tokio::test]
async fn a_226_is_a_document_that_holds_only_what_is_new() {
    // RFC 3229 §10.4.1
    let origin = Origin::start();
    let delta = status(226).header("im", "feed").etag("\"v2\"").body(FEED);
    origin.answers("/feed", [document(FEED).etag("\"v1\""), delta]);
    let second = fetch_again(&origin, "/feed").await.unwrap();
    assert!(matches!(second.answer, Got::Document(Document { is_delta: true, .. })));
    assert_eq!(etags(&second.validators), ["\"v2\""]);
}

#[tokio::test]
async fn a_226_that_nobody_asked_for_or_made_another_way_is_refused() {
    check_refused(status(226).header("im", "feed").body(FEED), "http_226", "226 IM Used").await;
    let origin = Origin::start();
    origin.answers("/feed", [document(FEED).etag("\"v1\""), status(226).header("im", "vcdiff").body("x")]);
    assert_eq!(fetch_again(&origin, "/feed").await.unwrap_err().code(), "http_226");
}

#[tokio::test]
async fn a_304_to_a_first_request_is_refused() {
    let error = check_refused(status(304), "http_304", "304 Not Modified").await;
    assert!(error.hint().unwrap().contains("first request"));
}

#[tokio::test]
async fn answers_without_a_whole_document_are_refused() {
    check_refused(status(204), "http_204", "204 No Content").await;
    check_refused(status(205), "http_205", "205 Reset Content").await;
    check_refused(status(206).body(FEED), "http_206", "206 Partial Content").await;
    check_refused(status(202).body(FEED), "http_202", "202 Accepted").await;
    check_refused(status(300).header("location", "/x"), "http_300", "300 Multiple Choices").await;
    check_refused(status(799), "http_799", "answered 799").await;
}

#[tokio::test]
async fn gone_missing_and_forbidden_are_told_apart() {
    check_refused(status(404), "http_404", "404 Not Found").await;
    let gone = check_refused(status(410), "http_410", "410 Gone").await;
    assert!(gone.hint().unwrap().contains("gone for good"));
    check_refused(status(403), "http_403", "403 Forbidden").await;
    let firewall = check_refused(status(403).header("cf-mitigated", "challenge"), "firewall", "403").await;
    assert!(firewall.hint().unwrap().contains("firewall"));
    check_refused(status(403).header("server", "AkamaiGHost"), "firewall", "403").await;
    check_refused(status(500), "http_500", "500 Internal Server Error").await;
}

// Waits that a server asks for.

#[tokio::test]
async fn retry_after_is_heard_on_any_answer() {
    // RFC 9110 §10.2.3
    for code in [429, 503, 500, 404, 403] {
        let error = fetch(status(code).header("retry-after", "120")).await.unwrap_err();
        assert_eq!(error.asks(), [wait(120, "Retry-After: 120")], "{code}");
    }
    let date = "Tue, 24 Nov 2026 12:02:00 GMT";
    let answer = document(FEED).header("date", "Tue, 24 Nov 2026 12:00:00 GMT").header("retry-after", date);
    assert_eq!(fetch(answer).await.unwrap().asks, [wait(120, "Retry-After: 120")]);
}

#[tokio::test]
async fn freshness_is_heard_on_200_304_and_errors() {
    // RFC 9111 §4.2.1, §4.3.4
    let max_age = wait(600, "Cache-Control: max-age=600");
    let origin = Origin::start();
    origin.answers("/feed", document(FEED).etag("\"v1\"").header("cache-control", "max-age=600"));
    let second = fetch_again(&origin, "/feed").await.unwrap();
    assert_eq!((second.answer, second.asks), (Got::NotModified, vec![max_age.clone()]));
    let error = fetch(status(404).header("cache-control", "max-age=600")).await.unwrap_err();
    assert_eq!(error.asks(), [max_age]);
}

#[tokio::test]
async fn the_lifetime_of_a_redirect_is_not_that_of_the_feed() {
    let origin = Origin::start();
    origin.answers("/feed", redirect(301, "/new").header("cache-control", "max-age=31536000"));
    origin.answers("/new", document(FEED).header("cache-control", "max-age=600"));
    assert_eq!(get(origin.url("/feed")).await.unwrap().asks, [wait(600, "Cache-Control: max-age=600")]);
}

#[tokio::test]
async fn a_throttled_host_is_left_alone_by_all_its_feeds() {
    for code in [429, 503] {
        let origin = Origin::start();
        origin.answers("/a", status(code).header("retry-after", "120"));
        origin.answers("/b", document(FEED));
        let client = client();
        client.fetch(&Request::new(origin.url("/a")), noon()).await.unwrap_err();
        let error = client.fetch(&Request::new(origin.url("/b")), noon()).await.unwrap_err();
        let until = noon() + TimeDelta::seconds(120);
        assert!(matches!(&error, FetchError::Postponed { until: told, .. } if *told >= until), "{error}");
        assert!(origin.requests("/b").is_empty());
        client.fetch(&Request::new(origin.url("/b")), until + TimeDelta::seconds(1)).await.unwrap();
    }
}

#[tokio::test]
async fn the_wait_of_one_missing_feed_does_not_bind_its_host() {
    let origin = Origin::start();
    origin.answers("/a", status(404).header("retry-after", "120"));
    origin.answers("/b", document(FEED));
    let client = client();
    client.fetch(&Request::new(origin.url("/a")), noon()).await.unwrap_err();
    client.fetch(&Request::new(origin.url("/b")), noon()).await.unwrap();
}

// Redirects (RFC 9110 §15.4).

/// Checks where a chain of redirects with these codes says that the source has moved for good.
async fn check_moved(codes: &[u16], is_moved: bool) {
    let origin = Origin::start();
    for (at, code) in codes.iter().enumerate() {
        origin.answers(&format!("/{at}"), redirect(*code, format!("/{}", at + 1)));
    }
    let end = format!("/{}", codes.len());
    origin.answers(&end, document(FEED));
    let fetched = get(origin.url("/0")).await.unwrap();
    assert_eq!(fetched.url, origin.url(&end));
    assert_eq!(fetched.hops.iter().map(|hop| hop.status).collect::<Vec<_>>(), codes);
    assert_eq!(fetched.moved(), is_moved.then_some(&fetched.url), "{codes:?}");
}

#[tokio::test]
async fn only_a_wholly_permanent_chain_says_that_a_source_has_moved() {
    check_moved(&[301], true).await;
    check_moved(&[308, 301], true).await;
    check_moved(&[302], false).await;
    check_moved(&[303], false).await;
    check_moved(&[307], false).await;
    check_moved(&[301, 302], false).await;
    check_moved(&[302, 301], false).await;
}

#[tokio::test]
async fn five_redirects_are_followed_and_no_sixth() {
    check_moved(&[301; 5], true).await;
    let origin = Origin::start();
    for at in 0..20 {
        origin.answers(&format!("/{at}"), redirect(302, format!("/{}", at + 1)));
    }
    let error = get(origin.url("/0")).await.unwrap_err();
    assert_eq!(error.code(), "redirect");
    assert!(error.to_string().ends_with("is one of more than 5 in a row"), "{error}");
    assert_eq!(origin.all_requests().len(), 6);
}

#[tokio::test]
async fn a_circle_of_redirects_is_left_at_once() {
    let origin = Origin::start();
    origin.answers("/a", redirect(302, "/b"));
    origin.answers("/b", redirect(302, "/a#top"));
    let error = get(origin.url("/a")).await.unwrap_err();
    assert!(error.to_string().ends_with("runs in a circle"), "{error}");
    assert_eq!(origin.all_requests().len(), 2);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_refused() {
    check_refused(status(302), "redirect", "does not say where to").await;
    check_refused(redirect(302, "http://[bad/"), "redirect", "no URL").await;
    check_refused(redirect(302, "http://"), "redirect", "no URL").await;
    for scheme in ["file:///etc/passwd", "gopher://example.org/", "ftp://example.org/x", "data:,x", "javascript:1"] {
        check_refused(redirect(302, scheme), "redirect", "leads to scheme").await;
    }
}

#[tokio::test]
async fn a_redirect_to_an_address_that_is_not_public_is_refused() {
    for host in [
        "169.254.169.254",
        "10.0.0.1",
        "192.168.0.1",
        "0",
        "0.0.0.0",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "[::1]",
        "[::]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a00:1::]",
        "[fd00:ec2::254]",
        "100.100.100.200",
    ] {
        check_refused(redirect(302, format!("http://{host}/latest/meta-data")), "not_public", "not public").await;
    }
}

// Addresses.

/// Checks that without an allowed network `host` is refused before anything is sent.
async fn check_not_public(host: &str) {
    let origin = Origin::start();
    let url = format!("http://{host}:{}/feed", origin.address().port());
    let client = Client::new(&Settings { allow_networks: Vec::new(), ..settings() }).unwrap();
    let error = client.fetch(&Request::new(Url::parse(&url).unwrap()), noon()).await.unwrap_err();
    assert_eq!(error.code(), "not_public", "{error}");
    assert!(origin.all_requests().is_empty());
}

#[tokio::test]
async fn loopback_is_refused_as_a_literal_in_every_notation() {
    for host in ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.1", "[::ffff:127.0.0.1]", "[::1]", "0"] {
        check_not_public(host).await;
    }
}

#[tokio::test]
async fn a_name_that_resolves_to_loopback_is_refused() {
    check_not_public("localhost").await;
    check_not_public("LOCALHOST").await;
}

#[tokio::test]
async fn a_name_is_fetched_from_once_its_network_is_allowed() {
    let origin = Origin::start();
    origin.answers("/feed", document(FEED));
    let url = format!("http://localhost:{}/feed", origin.address().port());
    get(Url::parse(&url).unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told() {
    let error = get(Url::parse("http://feeds.invalid/").unwrap()).await.unwrap_err();
    assert_eq!(error.code(), "dns", "{error}");
}

#[tokio::test]
async fn other_schemes_are_refused() {
    let error = get(Url::parse("file:///etc/passwd").unwrap()).await.unwrap_err();
    assert_eq!(error.to_string(), "scheme `file` is not fetched");
}

#[tokio::test]
async fn a_proxy_that_is_set_carries_the_requests() {
    let proxy = Origin::start();
    proxy.answers("http://example.org/feed", document(FEED));
    let route = Route { proxy: Proxy::Server(Secret::Text(proxy.url("/").into())), ..Route::default() };
    let request = Request { route, ..Request::new(Url::parse("http://example.org/feed").unwrap()) };
    client().fetch(&request, noon()).await.unwrap();
}

// Connections and what is not HTTP.

#[tokio::test]
async fn a_refused_connection_is_told() {
    let address = Origin::start().address();
    std::thread::sleep(Duration::from_millis(50)); // the origin's thread ends
    let error = get(Url::parse(&format!("http://{address}/")).unwrap()).await.unwrap_err();
    assert_eq!(error.code(), "connect", "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_told() {
    let origin = Origin::start();
    let error = get(Url::parse(&format!("https://{}/", origin.address())).unwrap()).await.unwrap_err();
    assert_eq!(error.code(), "tls", "{error}");
}

#[tokio::test]
async fn a_file_of_authorities_that_cannot_be_used_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authority.pem");
    let route = Route { ca_file: Some(path.clone()), ..Route::default() };
    let request = Request { route, ..Request::new(Url::parse("https://127.0.0.1:9/").unwrap()) };
    let error = client().fetch(&request, noon()).await.unwrap_err();
    assert!(error.to_string().contains("No such file"), "{error}");
    std::fs::write(&path, "junk").unwrap();
    let error = client().fetch(&request, noon()).await.unwrap_err();
    assert!(error.to_string().contains("it holds no certificate in PEM form"), "{error}");
}

#[tokio::test]
async fn what_is_not_http_is_told() {
    for bytes in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "220 mail.example ESMTP\r\n",
        "<rss/>",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
    ] {
        check_refused(raw(bytes), "protocol", "proper HTTP").await;
    }
    check_refused(raw(vec![0; 1000]), "protocol", "proper HTTP").await;
    check_refused(raw(""), "protocol", "closed").await;
}

#[tokio::test]
async fn a_reset_connection_is_told() {
    check_refused(document(FEED).reset(), "connect", "reset").await;
}

#[tokio::test]
async fn a_flood_of_headers_is_refused() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(1 << 20));
    check_refused(raw(long), "protocol", "too large").await;
    let mut many = "HTTP/1.1 200 OK\r\n".to_owned();
    for at in 0..500 {
        write!(many, "X-{at}: a\r\n").unwrap();
    }
    check_refused(raw(many + "\r\n"), "protocol", "too large").await;
    let endless = raw("X: a\r\n".repeat(200_000));
    check_refused(endless, "protocol", "").await;
}

#[tokio::test]
async fn informational_answers_are_passed_over() {
    // RFC 9110 §15.2
    let early = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(3);
    let fetched = fetch(raw(early + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<rss/>")).await.unwrap();
    assert_eq!(body(&fetched), b"<rss/>");
    check_refused(raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), "http_101", "101").await;
}

#[tokio::test]
async fn untidy_headers_of_old_servers_are_read_all_the_same() {
    let untidy = "HTTP/1.1 200 OK\r\nContent-Type : text/xml\r\nX-Long: a\r\n b\r\nBad Header: x\r\nContent-Length: 6\r\n\r\n<rss/>";
    assert_eq!(body(&fetch(raw(untidy)).await.unwrap()), b"<rss/>");
    let old = "HTTP/1.0 200 OK\nContent-Type: text/xml\n\n<rss/>";
    assert_eq!(body(&fetch(raw(old)).await.unwrap()), b"<rss/>");
}

// Time.

#[tokio::test]
async fn a_silent_server_is_left() {
    check_slow(document(FEED).after(Duration::from_secs(9)), "a pause").await;
}

#[tokio::test]
async fn a_head_that_drips_is_left() {
    check_slow(document(FEED).dripping(Duration::from_millis(20)), "a pause").await;
}

#[tokio::test]
async fn a_body_that_stalls_is_left() {
    check_slow(document(FEED).stalling_after(10), "a pause").await;
}

#[tokio::test]
async fn a_body_that_drips_is_left_when_the_whole_takes_too_long() {
    let origin = Origin::start();
    origin.answers("/feed", document("x".repeat(1000)).dripping_body(Duration::from_millis(20)));
    let (idle_timeout, timeout) = (Duration::from_secs(5), Duration::from_millis(200));
    let client = Client::new(&Settings { timeout, idle_timeout, ..settings() }).unwrap();
    let error = client.fetch(&Request::new(origin.url("/feed")), noon()).await.unwrap_err();
    assert!(error.to_string().contains("the whole took more than 0.2 s"), "{error}");
}

#[tokio::test]
async fn redirects_share_the_time_of_the_whole() {
    let origin = Origin::start();
    for at in 0..5 {
        let slow = redirect(302, format!("/{}", at + 1)).after(Duration::from_millis(60));
        origin.answers(&format!("/{at}"), slow);
    }
    let timeout = Duration::from_millis(200);
    let client = Client::new(&Settings { timeout, ..settings() }).unwrap();
    let error = client.fetch(&Request::new(origin.url("/0")), noon()).await.unwrap_err();
    assert!(error.to_string().contains("the whole"), "{error}");
}

// Bodies.

fn packed(coding: &str, bytes: Vec<u8>) -> Answer {
    document(bytes).header("content-encoding", coding)
}

#[tokio::test]
async fn packed_documents_are_unpacked() {
    // RFC 9110 §8.4.1, RFC 7932
    for answer in [packed("gzip", gzip(FEED.as_bytes())), packed("br", brotli(FEED.as_bytes()))] {
        assert_eq!(body(&fetch(answer).await.unwrap()), FEED.as_bytes());
    }
    assert_eq!(body(&fetch(packed("identity", FEED.into())).await.unwrap()), FEED.as_bytes());
}

/// The feed packed in several members, of which one is empty.
fn parts() -> Vec<u8> {
    let (head, tail) = FEED.as_bytes().split_at(20);
    [head, b"", tail].map(gzip).concat()
}

#[tokio::test]
async fn documents_packed_in_several_parts_are_read_whole() {
    // RFC 1952 §2.2
    for coding in ["gzip", "x-gzip"] {
        assert_eq!(body(&fetch(packed(coding, parts())).await.unwrap()), FEED.as_bytes(), "{coding}");
        let dripping = packed(coding, parts()).dripping_body(Duration::from_millis(1));
        assert_eq!(body(&fetch(dripping).await.unwrap()), FEED.as_bytes(), "{coding}, byte for byte");
    }
}

#[tokio::test]
async fn all_parts_together_keep_within_the_limit() {
    let half = vec![b' '; 1 << 19];
    let with = |parts: usize, rest: usize| [gzip(&half).repeat(parts), gzip(&vec![b' '; rest])].concat();
    assert_eq!(body(&fetch(packed("gzip", with(2, 0))).await.unwrap()).len(), 1 << 20);
    check_refused(packed("gzip", with(2, 1)), "too_large", "").await;
}

#[tokio::test]
async fn a_damaged_or_cut_second_part_is_told() {
    let whole = parts();
    check_refused(packed("gzip", whole[..whole.len() - 4].to_vec()), "body_broken", "damaged").await;
    let damaged = [gzip(FEED.as_bytes()), vec![0x1f, 0x8b, 0xff, 0xff, 0xff]].concat();
    check_refused(packed("gzip", damaged), "body_broken", "damaged").await;
}

#[tokio::test]
async fn padding_after_a_packed_document_is_passed_over() {
    for padding in [&b"\r\n"[..], &[0; 512]] {
        let padded = [&gzip(FEED.as_bytes()), padding].concat();
        assert_eq!(body(&fetch(packed("gzip", padded)).await.unwrap()), FEED.as_bytes());
    }
}

#[tokio::test]
async fn nothing_packed_is_nothing() {
    for coding in ["gzip", "br"] {
        assert_eq!(body(&fetch(packed(coding, Vec::new())).await.unwrap()), b"", "{coding}");
    }
}

#[tokio::test]
async fn a_document_for_which_there_is_no_memory_is_left_after_a_while() {
    let origin = Origin::start();
    origin.answers("/feed", document(vec![b' '; 3 << 20]));
    let settings = Settings { timeout: Duration::from_millis(700), body_bytes_max: 10 << 20, ..settings() };
    let client = Client::new(&settings).unwrap();
    let request = Request::new(origin.url("/feed"));
    let first = client.fetch(&request, noon()).await.unwrap();
    let second = client.fetch(&request, noon()).await.unwrap();
    let error = client.fetch(&request, noon()).await.unwrap_err();
    assert_eq!(error.to_string(), "its document is large, and no memory for it came free within 0.7 s");
    drop((first, second));
    client.fetch(&request, noon()).await.unwrap();
}

#[tokio::test]
async fn a_document_as_large_as_the_limit_passes_and_a_byte_more_does_not() {
    assert_eq!(body(&fetch(document(vec![b' '; 1 << 20])).await.unwrap()).len(), 1 << 20);
    check_refused(document(vec![b' '; (1 << 20) + 1]), "too_large", "larger than 1048576 bytes").await;
}

#[tokio::test]
async fn a_length_beyond_the_limit_is_refused_unread() {
    check_refused(status(200).header("content-length", "99999999999").stalling_after(0), "too_large", "").await;
}

#[tokio::test]
async fn an_endless_body_is_refused() {
    check_refused(document(vec![b' '; 10_000]).endless(), "too_large", "").await;
    let chunks =
        raw(["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &format!("400\r\n{:1024}\r\n", "").repeat(1100)]
            .concat());
    check_refused(chunks, "too_large", "").await;
}

#[tokio::test]
async fn bombs_are_refused() {
    let gigabyte = gzip(&vec![0; 8 << 20]).repeat(128); // RFC 1952 §2.2: members follow each other
    check_refused(packed("gzip", gigabyte), "too_large", "").await;
    check_refused(packed("br", brotli(&vec![0; 32 << 20])), "too_large", "").await;
}

#[tokio::test]
async fn nested_and_unknown_codings_are_refused() {
    let twice = gzip(&gzip(FEED.as_bytes()));
    check_refused(packed("gzip, gzip", twice.clone()), "coding", "`gzip, gzip`").await;
    check_refused(packed("gzip", twice.clone()).header("content-encoding", "gzip"), "coding", "`gzip, gzip`").await;
    check_refused(document(gzip(FEED.as_bytes())), "coding", "`gzip`").await;
    check_refused(packed("deflate", vec![1, 2, 3]), "coding", "`deflate`").await;
    check_refused(packed("compress", vec![1, 2, 3]), "coding", "`compress`").await;
    check_refused(packed("gzip, br", gzip(FEED.as_bytes())), "coding", "`gzip, br`").await;
    check_refused(packed("x-made-up", gzip(FEED.as_bytes())), "coding", "`x-made-up`").await;
}

#[tokio::test]
async fn a_list_of_codings_may_have_empty_members_and_those_that_change_nothing() {
    // RFC 9110 §5.6.1.2
    for list in ["gzip, ", ",GZip", "identity, x-gzip", "gzip,, identity ,", "gzip, gzip"] {
        assert_eq!(body(&fetch(packed(list, gzip(FEED.as_bytes()))).await.unwrap()), FEED.as_bytes(), "{list}");
    }
    for list in ["", ",", "Identity", "identity, identity", " , identity"] {
        assert_eq!(body(&fetch(packed(list, FEED.into())).await.unwrap()), FEED.as_bytes(), "{list}");
    }
}

#[tokio::test]
async fn a_coding_that_nobody_knows_is_not_believed_over_what_is_plainly_a_document() {
    for coding in ["utf-8", "none", "binary", "deflate", "text/xml; charset=utf-8", "gzip, utf-8"] {
        for document in [FEED, "\u{feff}\n <rss/>", "{\"version\":1}"] {
            assert_eq!(body(&fetch(packed(coding, document.into())).await.unwrap()), document.as_bytes(), "{coding}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_a_proxy_changed_is_one() {
    // RFC 9110 §15.3.4
    let fetched = fetch(status(203).header("content-type", "text/xml").etag("\"v1\"").body(FEED)).await.unwrap();
    assert_eq!((body(&fetched), etags(&fetched.validators)), (FEED.as_bytes(), vec!["\"v1\"".to_owned()]));
}

#[tokio::test]
async fn a_server_that_refuses_what_we_accept_can_be_asked_otherwise() {
    let error = check_refused(status(406), "http_406", "406 Not Acceptable").await;
    assert!(error.hint().unwrap().contains("headers = { Accept"), "{error}");
}

#[tokio::test]
async fn damaged_packages_are_told() {
    let whole = gzip(FEED.as_bytes());
    for answer in [
        packed("gzip", whole[..whole.len() / 2].to_vec()),
        packed("gzip", FEED.into()),
        packed("br", vec![0xff; 100]),
        packed("br", brotli(FEED.as_bytes())[..20].to_vec()),
    ] {
        check_refused(answer, "body_broken", "damaged").await;
    }
}

#[tokio::test]
async fn a_body_shorter_than_its_length_is_refused() {
    check_refused(document(FEED).closing_after(10), "body_broken", "").await;
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for chunks in
        ["6\r\n<rss/>\r\n", "ffff\r\n<rss/>", "xyz\r\n<rss/>\r\n0\r\n\r\n", "fffffffffffffffff\r\n<rss/>", "-1\r\n"]
    {
        check_refused(raw([chunked, chunks].concat()), "body_broken", "").await;
    }
}

#[tokio::test]
async fn an_empty_document_is_for_the_reader_to_judge() {
    assert_eq!(body(&fetch(document("")).await.unwrap()), b"");
}

#[tokio::test]
async fn the_content_type_is_told_whatever_its_bytes() {
    let fetched = fetch(status(200).header_bytes("content-type", b"text/xml; x=\xe9").body(FEED)).await.unwrap();
    assert!(
        matches!(fetched.answer, Got::Document(Document { content_type: Some(text), .. }) if text.starts_with("text/xml; x="))
    );
    let fetched = fetch(status(200).body(FEED)).await.unwrap();
    assert!(matches!(fetched.answer, Got::Document(Document { content_type: None, .. })));
}

// The gate, seen from the publisher.

#[tokio::test]
async fn a_host_gets_one_request_at_a_time_with_a_gap() {
    let origin = Origin::start();
    origin.answers("/feed", document(FEED).after(Duration::from_millis(30)));
    let client = Client::new(&Settings { host_delay: Duration::from_millis(40), ..settings() }).unwrap();
    let (client, request) = (Arc::new(client), Request::new(origin.url("/feed")));
    let go = || {
        let (client, request) = (Arc::clone(&client), request.clone());
        tokio::spawn(async move { client.fetch(&request, noon()).await.is_ok() })
    };
    let (a, b, c) = tokio::join!(go(), go(), go());
    assert!(a.unwrap() && b.unwrap() && c.unwrap());
    assert_eq!(origin.running_max(), 1);
    let seen = origin.all_requests();
    for pair in seen.windows(2) {
        assert!(pair[1].at - pair[0].at >= Duration::from_millis(70), "answer and gap");
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_waits_for_that_hosts_turn() {
    let (origin, other) = (Origin::start(), Origin::on([127, 0, 0, 2]));
    origin.answers("/feed", redirect(302, other.url("/feed")));
    other.answers("/feed", echo().after(Duration::from_millis(50)));
    let client = client();
    let (there, straight) = (Request::new(origin.url("/feed")), Request::new(other.url("/feed")));
    let (a, b) = tokio::join!(client.fetch(&there, noon()), client.fetch(&straight, noon()));
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(other.running_max(), 1);
}
