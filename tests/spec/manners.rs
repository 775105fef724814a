//! A source over many polls: what is kept between them and when the next one is, on a clock of the test's own.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc, Weekday};
use futures_util::future::join_all;
use veille::fetch::Request;
use veille::pipeline::Outcome;

use crate::desk::Desk;
use crate::origin::{Answer, Origin, Script, document, redirect, status};
use crate::world::{item, rss};

fn noon() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn news() -> String {
    rss(&[item("a", "École", "Texte", &[])])
}

fn other_news() -> String {
    rss(&[item("b", "Collège", "Texte", &[]), item("a", "École", "Texte", &[])])
}

/// The document with these elements in its channel.
fn asking(elements: &str) -> Answer {
    document(news().replace("<channel>", &format!("<channel>{elements}")))
}

fn desk(origin: &Origin) -> Desk {
    Desk::new(&format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\n", origin.url("/a")))
}

/// Polls a feed with these answers so many times, each when it is due; returns the time between, in minutes.
async fn gaps(script: impl Into<Script>, times: usize) -> Vec<i64> {
    let origin = Origin::start();
    origin.answers("/a", script);
    let polls = desk(&origin).poll_on("a", noon(), times).await;
    polls.windows(2).map(|pair| (pair[1] - pair[0]).num_minutes()).collect()
}

/// Checks that after one poll with this answer the next is `minutes` later (up to a tenth of the hour more, and the way
/// to the schedule's next run), and why.
async fn check_next(answer: Answer, minutes: i64, why: &str) {
    let origin = Origin::start();
    origin.answers("/a", answer);
    let desk = desk(&origin);
    let polled = desk.poll("a", noon()).await;
    let found = (polled.next_poll.unwrap() - noon()).num_minutes();
    let state = desk.state("a").await;
    assert!((minutes..=minutes + 36).contains(&found), "{found} min, {}", state.next_poll_why);
    assert!(state.next_poll_why.starts_with(why), "{}", state.next_poll_why);
}

async fn etag(desk: &Desk) -> Option<String> {
    let validators = desk.state("a").await.validators;
    validators.first().and_then(|known| known.etag.clone()).map(|etag| String::from_utf8(etag).unwrap())
}

// Validators (RFC 9110 §8.8).

#[tokio::test]
async fn validators_are_refreshed_by_a_200_with_the_same_bytes() {
    let origin = Origin::start();
    origin.answers("/a", [document(news()).etag("\"v1\""), document(news()).etag("\"v2\"")]);
    let desk = desk(&origin);
    desk.poll("a", noon()).await;
    let second = desk.poll("a", noon() + TimeDelta::hours(2)).await;
    assert_eq!(second.outcome, Outcome::Unchanged);
    assert_eq!(etag(&desk).await.as_deref(), Some("\"v2\""));
}

#[tokio::test]
async fn validators_are_refreshed_by_a_304() {
    // RFC 9111 §4.3.4
    let origin = Origin::start();
    origin.answers("/a", [document(news()).etag("\"v1\""), status(304).etag("\"v2\""), status(304)]);
    let desk = desk(&origin);
    for hours in [0, 2, 4] {
        desk.poll("a", noon() + TimeDelta::hours(hours)).await;
    }
    assert_eq!(origin.requests("/a")[2].header("if-none-match"), Some("\"v2\""));
    assert_eq!(etag(&desk).await.as_deref(), Some("\"v2\""));
}

#[tokio::test]
async fn validators_of_a_document_that_could_not_be_read_are_not_kept() {
    let page = status(200).header("content-type", "text/html").etag("\"page\"").body("<!doctype html><p>Panne");
    let origin = Origin::start();
    origin.answers("/a", [page, document(news()).etag("\"v1\"")]);
    let desk = desk(&origin);
    let first = desk.poll("a", noon()).await;
    assert!(matches!(first.outcome, Outcome::Failed(failure) if failure.code == "not_a_feed"));
    desk.poll("a", first.next_poll.unwrap()).await;
    assert_eq!(origin.requests("/a")[1].header("if-none-match"), None);
    assert_eq!(etag(&desk).await.as_deref(), Some("\"v1\""));
}

#[tokio::test]
async fn a_failure_keeps_the_validators_of_the_last_document() {
    let origin = Origin::start();
    origin.answers("/a", [document(news()).etag("\"v1\""), status(500), document(other_news()).etag("\"v2\"")]);
    let desk = desk(&origin);
    desk.poll_on("a", noon(), 3).await;
    assert_eq!(origin.requests("/a")[2].header("if-none-match"), Some("\"v1\""));
}

// The next poll.

#[tokio::test]
async fn without_wishes_a_feed_is_polled_on_schedule() {
    let gaps = gaps(document(news()), 4).await;
    assert_eq!(gaps[1..], [60, 60], "the first run may be nearer");
}

#[tokio::test]
async fn retry_after_is_respected_on_any_answer() {
    // RFC 9110 §10.2.3
    for code in [429, 503, 500, 404] {
        check_next(status(code).header("retry-after", "10800"), 180, "Retry-After: 10800").await;
    }
    check_next(document(news()).header("retry-after", "10800"), 180, "Retry-After: 10800").await;
    let clock = "Tue, 24 Nov 2026 12:00:00 GMT";
    let date = status(503).header("date", clock).header("retry-after", "Tue, 24 Nov 2026 15:00:00 GMT");
    check_next(date, 180, "Retry-After: 10800").await;
}

#[tokio::test]
async fn retry_after_goes_beyond_a_day_but_not_beyond_a_week() {
    check_next(status(503).header("retry-after", "259200"), 3 * 1440, "Retry-After: 259200").await;
    check_next(status(503).header("retry-after", "2592000"), 7 * 1440, "Retry-After: 2592000, cut to 7 days").await;
}

#[tokio::test]
async fn freshness_postpones_on_200_304_and_errors() {
    // RFC 9111 §4.2.1: max-age, §5.3: Expires
    let fresh = |answer: Answer| answer.header("cache-control", "max-age=14400");
    check_next(fresh(document(news())), 240, "Cache-Control: max-age=14400").await;
    check_next(fresh(status(404)), 240, "Cache-Control: max-age=14400").await;
    let gaps = gaps([document(news()).etag("\"v1\""), fresh(status(304).etag("\"v1\""))], 3).await;
    assert!(gaps[1] >= 240, "{gaps:?}");
    let date = ["Tue, 24 Nov 2026 12:00:00 GMT", "Tue, 24 Nov 2026 16:00:00 GMT"];
    let expires = document(news()).header("date", date[0]).header("expires", date[1]);
    check_next(expires, 240, "Expires").await;
}

#[tokio::test]
async fn freshness_is_capped_at_a_day() {
    let answer = document(news()).header("cache-control", "max-age=31536000");
    check_next(answer, 1440, "Cache-Control: max-age=31536000, cut to 24 h").await;
}

#[tokio::test]
async fn what_the_document_asks_postpones() {
    check_next(asking("<ttl>300</ttl>"), 300, "ttl: 5 h").await;
    let period = "<sy:updatePeriod xmlns:sy=\"http://purl.org/rss/1.0/modules/syndication/\">daily</sy:updatePeriod>";
    check_next(asking(period), 1440, "sy:updatePeriod: 24 h").await;
}

#[tokio::test]
async fn what_the_document_asks_holds_for_its_304_too() {
    let gaps = gaps(asking("<ttl>300</ttl>").etag("\"v1\""), 4).await;
    assert!(gaps.iter().all(|gap| *gap >= 300), "{gaps:?}");
}

#[tokio::test]
async fn hours_and_days_to_skip_are_skipped() {
    let hours: String = (13..24).map(|hour| format!("<hour>{hour}</hour>")).collect();
    let origin = Origin::start();
    origin.answers("/a", asking(&format!("<skipHours>{hours}</skipHours>")));
    let polls = desk(&origin).poll_on("a", noon(), 40).await;
    assert!(polls[1..].iter().all(|poll| poll.hour() <= 12), "{polls:?}");
    let origin = Origin::start();
    origin.answers("/a", asking("<skipDays><day>Wednesday</day></skipDays>"));
    let polls = desk(&origin).poll_on("a", noon(), 40).await;
    assert!(polls[1..].iter().all(|poll| poll.weekday() != Weekday::Wed), "{polls:?}");
}

#[tokio::test]
async fn failures_double_the_gap_up_to_a_day_and_never_end() {
    let gaps = gaps(status(500), 12).await;
    assert!((100..=125).contains(&gaps[1]), "{gaps:?}");
    assert!((220..=245).contains(&gaps[2]), "{gaps:?}");
    for gap in &gaps[6..] {
        assert!((1380..=1500).contains(gap), "{gaps:?}");
    }
}

#[tokio::test]
async fn a_success_ends_the_back_off() {
    let failing = [status(500), status(500), status(500), status(500), document(news()), document(other_news())];
    let gaps = gaps(failing, 7).await;
    assert!(gaps[3] > 400 && gaps[4] <= 66 && gaps[5] <= 66, "{gaps:?}");
}

// Addresses.

/// The feed at `/a` moved to `/new` for good.
fn moved() -> Origin {
    let origin = Origin::start();
    origin.answers("/a", redirect(301, "/new"));
    origin.answers("/new", document(news()).etag("\"v1\""));
    origin
}

async fn days(desk: &Desk, days: &[i64]) {
    for day in days {
        desk.poll("a", noon() + TimeDelta::days(*day)).await;
    }
}

#[tokio::test]
async fn a_permanent_redirect_is_followed_home_after_three_polls_over_two_days() {
    // RFC 9110 §15.4.2, §15.4.9
    let origin = moved();
    let desk = desk(&origin);
    days(&desk, &[0, 1, 2, 3]).await;
    let state = desk.state("a").await;
    assert_eq!(state.moved_to, Some(origin.url("/new")));
    assert_eq!(state.url, Some(origin.url("/a")), "the configured address is remembered");
    assert_eq!((origin.requests("/a").len(), origin.requests("/new").len()), (3, 4));
    assert_eq!(origin.requests("/new")[3].header("if-none-match"), Some("\"v1\""), "validators are kept");
}

#[tokio::test]
async fn the_history_of_a_feed_that_moved_is_kept() {
    let origin = moved();
    let desk = desk(&origin);
    days(&desk, &[0, 1, 2]).await;
    origin.answers("/new", document(other_news()));
    let polled = desk.poll("a", noon() + TimeDelta::days(3)).await;
    assert!(matches!(polled.outcome, Outcome::Read(counts) if counts.new == 1), "{polled:?}");
}

#[tokio::test]
async fn a_temporary_redirect_is_never_adopted() {
    for code in [302, 303, 307] {
        let origin = moved();
        origin.answers("/a", redirect(code, "/new"));
        let desk = desk(&origin);
        days(&desk, &[0, 1, 2, 3, 4]).await;
        assert_eq!(desk.state("a").await.moved_to, None);
        assert_eq!(origin.requests("/a").len(), 5);
    }
}

#[tokio::test]
async fn a_permanent_redirect_to_a_page_is_not_adopted() {
    let origin = moved();
    origin.answers("/new", status(200).header("content-type", "text/html").body("<!doctype html><p>Domaine à vendre"));
    let desk = desk(&origin);
    days(&desk, &[0, 1, 2, 3, 4]).await;
    assert_eq!(desk.state("a").await.moved_to, None);
}

#[tokio::test]
async fn an_adopted_address_that_fails_gives_the_configured_one_another_chance() {
    let origin = moved();
    let desk = desk(&origin);
    days(&desk, &[0, 1, 2]).await;
    origin.answers("/new", status(404));
    origin.answers("/a", document(other_news()));
    days(&desk, &[3, 4]).await;
    let state = desk.state("a").await;
    assert_eq!((state.moved_to, state.failures), (None, 0), "it lives where it did");
}

#[tokio::test]
async fn an_adopted_address_that_fails_for_a_while_stays_adopted() {
    let origin = moved();
    let desk = desk(&origin);
    days(&desk, &[0, 1, 2]).await;
    origin.answers("/new", [status(500), document(other_news())]);
    days(&desk, &[3, 4, 5]).await;
    assert_eq!(desk.state("a").await.moved_to, Some(origin.url("/new")));
    assert_eq!(origin.requests("/a").len(), 4, "asked once more, while the other failed");
}

#[tokio::test]
async fn a_410_retires_the_source() {
    // RFC 9110 §15.5.11
    let origin = Origin::start();
    origin.answers("/a", [document(news()), status(410)]);
    let desk = desk(&origin);
    let polls = desk.poll_on("a", noon(), 9).await;
    assert_eq!(polls.len(), 2);
    assert!(desk.state("a").await.next_poll_why.contains("gone for good (410)"));
    assert_eq!(desk.poll("a", noon() + TimeDelta::days(300)).await.outcome, Outcome::NotDue);
}

#[tokio::test]
async fn a_410_of_an_adopted_address_is_not_the_last_word() {
    let origin = moved();
    let desk = desk(&origin);
    days(&desk, &[0, 1, 2]).await;
    origin.answers("/new", status(410));
    days(&desk, &[3]).await;
    assert!(!desk.state("a").await.retired);
    days(&desk, &[4]).await;
    assert!(desk.state("a").await.retired, "the configured address leads there too");
}

#[tokio::test]
async fn another_address_in_the_config_forgets_what_belonged_to_the_old_one() {
    let origin = Origin::start();
    origin.answers("/a", [document(news()).etag("\"v1\""), status(410)]);
    origin.answers("/b", document(other_news()));
    let mut desk = desk(&origin);
    desk.poll_on("a", noon(), 2).await;
    desk.reload(&format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\n", origin.url("/b")));
    let polled = desk.poll("a", noon() + TimeDelta::hours(2)).await;
    assert!(matches!(polled.outcome, Outcome::Read(counts) if counts.new == 1), "{polled:?}");
    let state = desk.state("a").await;
    assert!(!state.retired && state.failures == 0 && state.validators.is_empty(), "{state:?}");
}

#[tokio::test]
async fn the_adopted_address_in_the_config_costs_no_request() {
    let origin = moved();
    let mut desk = desk(&origin);
    days(&desk, &[0, 1, 2]).await;
    desk.reload(&format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\n", origin.url("/new")));
    let polled = desk.poll("a", noon() + TimeDelta::days(2) + TimeDelta::minutes(5)).await;
    assert_eq!(polled.outcome, Outcome::NotDue);
    assert_eq!(etag(&desk).await.as_deref(), Some("\"v1\""));
}

// Hosts.

fn two_feeds(origin: &Origin) -> Desk {
    let feed = |id: &str| format!("[[feed]]\nid = \"{id}\"\nurl = \"{}\"\n", origin.url(&format!("/{id}")));
    Desk::new(&[feed("a"), feed("b")].concat())
}

#[tokio::test]
async fn a_throttled_host_postpones_its_other_feeds() {
    let origin = Origin::start();
    origin.answers("/a", status(429).header("retry-after", "7200"));
    origin.answers("/b", document(news()));
    let desk = two_feeds(&origin);
    desk.poll("a", noon()).await;
    let other = desk.poll("b", noon()).await;
    assert_eq!(other.outcome, Outcome::HostPostponed);
    assert!(other.next_poll.unwrap() - noon() > TimeDelta::minutes(119));
    let state = desk.state("b").await;
    assert!(
        state.next_poll_why.contains("asked to be left alone until 2026-11-24 14:00 UTC"),
        "{}",
        state.next_poll_why
    );
    assert_eq!(state.failures, 0, "it is no failure of this one");
    assert!(origin.requests("/b").is_empty());
}

#[tokio::test]
async fn a_throttled_host_is_left_alone_after_a_restart_and_a_reload_too() {
    let origin = Origin::start();
    origin.answers("/a", status(503).header("retry-after", "7200"));
    origin.answers("/b", document(news()));
    let mut desk = two_feeds(&origin);
    desk.poll("a", noon()).await;
    desk.reload(&format!("[[feed]]\nid = \"b\"\nurl = \"{}\"\n", origin.url("/b")));
    assert_eq!(desk.poll("b", noon() + TimeDelta::minutes(5)).await.outcome, Outcome::HostPostponed);
    let mut desk = two_feeds(&origin);
    desk.poll("a", noon()).await;
    desk.restart(noon() + TimeDelta::hours(1)).await;
    assert_eq!(desk.poll("b", noon() + TimeDelta::hours(1)).await.outcome, Outcome::HostPostponed);
    assert!(origin.requests("/b").is_empty());
    desk.restart(noon() + TimeDelta::hours(3)).await;
    assert_ne!(desk.poll("b", noon() + TimeDelta::hours(3)).await.outcome, Outcome::HostPostponed);
}

#[tokio::test]
async fn a_host_that_never_answers_holds_up_no_other() {
    let (slow, quick) = (Origin::start(), Origin::on([127, 0, 0, 2]));
    let mut feeds = String::from("concurrency = 9\n");
    for at in 0..20 {
        let path = format!("/{at}");
        slow.answers(&path, document(news()).after(std::time::Duration::from_mins(10)));
        quick.answers(&path, document(news()));
        for (name, origin) in [("slow", &slow), ("quick", &quick)] {
            feeds += &format!("[[feed]]\nid = \"{name}{at}\"\nurl = \"{}\"\n", origin.url(&path));
        }
    }
    let desk = Desk::new(&feeds);
    let all = |name: &'static str| {
        let desk = &desk;
        join_all((0..20).map(move |at| async move { desk.poll(&format!("{name}{at}"), noon()).await }))
    };
    tokio::select! {
        biased;
        _ = all("slow") => panic!("the slow host answered"),
        polled = all("quick") => assert!(polled.iter().all(|polled| matches!(polled.outcome, Outcome::Read(_)))),
    }
}

#[tokio::test]
async fn a_document_for_which_there_is_no_memory_is_no_failure_and_is_asked_for_soon_again() {
    let origin = Origin::start();
    for path in ["/a", "/large"] {
        origin.answers(path, document(news() + &" ".repeat(3 << 20)));
    }
    let desk = Desk::new(&format!("timeout = \"1s\"\n[[feed]]\nid = \"a\"\nurl = \"{}\"\n", origin.url("/a")));
    let large = Request::new(origin.url("/large"));
    let first = desk.context.client.fetch(&large, noon()).await.unwrap();
    let second = desk.context.client.fetch(&large, noon()).await.unwrap();
    let polled = desk.poll("a", noon()).await;
    assert_eq!((polled.outcome, polled.next_poll), (Outcome::NoMemory, Some(noon() + TimeDelta::minutes(5))));
    let state = desk.state("a").await;
    assert!(state.next_poll_why.contains("no memory for it came free within 1 s"), "{}", state.next_poll_why);
    assert_eq!((state.failures, state.last_error), (0, None));
    drop((first, second));
    assert!(matches!(desk.poll("a", noon() + TimeDelta::minutes(5)).await.outcome, Outcome::Read(_)));
}

// Secrets and ways.

#[tokio::test]
async fn a_password_is_read_from_its_file_sent_to_its_host_only_and_never_told() {
    let (origin, other) = (Origin::start(), Origin::on([127, 0, 0, 2]));
    origin.answers("/a", redirect(302, other.url("/a")));
    other.answers("/a", status(404));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.pass");
    std::fs::write(&file, "geheim\n").unwrap();
    let access = format!("auth = {{ user = \"me\", password = {{ file = \"{}\" }} }}", file.display());
    let access = access + "\nheaders = { X-Key = \"geheim\" }\nuser_agent = \"Mozilla/5.0\"";
    let desk = Desk::new(&format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\n{access}\n", origin.url("/a")));
    desk.poll("a", noon()).await;
    let own = &origin.requests("/a")[0];
    assert_eq!(own.header("authorization"), Some("Basic bWU6Z2VoZWlt")); // RFC 7617 §2
    assert_eq!((own.header("x-key"), own.header("user-agent")), (Some("geheim"), Some("Mozilla/5.0")));
    let elsewhere = &other.requests("/a")[0];
    assert_eq!((elsewhere.header("authorization"), elsewhere.header("x-key")), (None, None));
    assert!(elsewhere.header("user-agent").unwrap().starts_with("veille/"));
    let told = format!("{:?} {:?}", desk.state("a").await, desk.context.config.sources);
    assert!(!told.contains("geheim"), "{told}");
}

#[tokio::test]
async fn a_secret_that_is_missing_fails_its_feed_only_and_says_which() {
    let origin = Origin::start();
    let secrets = ["{ file = \"nowhere.pass\" }", "{ credential = \"intranet\" }"];
    for (secret, told) in secrets.into_iter().zip(["nowhere.pass`: No such file", "$CREDENTIALS_DIRECTORY is not set"])
    {
        let auth = format!("auth = {{ user = \"me\", password = {secret} }}");
        let desk = Desk::new(&format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\n{auth}\n", origin.url("/a")));
        let Outcome::Failed(failure) = desk.poll("a", noon()).await.outcome else { panic!("no failure") };
        assert!(failure.code == "access" && failure.message.contains(told), "{}", failure.message);
    }
    assert!(origin.all_requests().is_empty());
}

#[tokio::test]
async fn a_feed_goes_through_its_own_proxy() {
    let proxy = Origin::start();
    proxy.answers("http://feeds.example/a", document(news()));
    let way = format!("proxy = \"{}\"", proxy.url("/"));
    let desk = Desk::new(&format!("[[feed]]\nid = \"a\"\nurl = \"http://feeds.example/a\"\n{way}\n"));
    assert!(matches!(desk.poll("a", noon()).await.outcome, Outcome::Read(_)));
}

#[tokio::test]
async fn the_requests_as_a_publisher_sees_them() {
    let origin = moved();
    origin.answers("/a", [document(news()).etag("\"v1\""), document(news()).etag("\"v1\""), redirect(301, "/new")]);
    let desk = desk(&origin);
    days(&desk, &[0, 1, 2]).await;
    let heads: Vec<String> =
        origin.take_requests().into_iter().map(|seen| String::from_utf8(seen.head).unwrap()).collect();
    println!("{}", heads.join("").replace('\r', ""));
    let lines: Vec<&str> = heads.iter().filter_map(|head| head.lines().next()).collect();
    assert_eq!(lines, ["GET /a HTTP/1.1", "GET /a HTTP/1.1", "GET /a HTTP/1.1", "GET /new HTTP/1.1"]);
}
