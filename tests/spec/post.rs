//! `[[post]]`: new stories go where people are, each once, and nothing old ever does.

use std::fs;
use std::time::{Duration, Instant};

use crate::mastodon::{Mastodon, Mood, TOKEN};
use crate::origin::{Origin, document, status};
use crate::world::{TOPIC, World, rss, stderr};

/// An undated item of the topic.
fn news(name: &str) -> String {
    saying(name, &format!("École numérique {name}"))
}

fn saying(name: &str, title: &str) -> String {
    format!(
        "<item><guid isPermaLink=\"false\">{name}</guid><link>https://ministere.example/{name}</link>\
         <title>{title}</title><description>Le numérique éducatif : {name}.</description></item>"
    )
}

/// The same, dated so many hours ago.
fn dated(item: &str, hours: i64) -> String {
    let date = (chrono::Utc::now() - chrono::TimeDelta::hours(hours)).to_rfc2822();
    item.replace("</item>", &format!("<pubDate>{date}</pubDate></item>"))
}

fn feed(names: &[&str]) -> String {
    rss(&names.iter().map(|name| news(name)).collect::<Vec<_>>())
}

fn mastodon(server: &Mastodon, keys: &str) -> String {
    format!(
        "{TOPIC}\n[[post]]\nid = \"masto\"\ntopics = [\"numerique-educatif\"]\nto = \"mastodon\"\nserver = \"{}\"\n\
         token = \"{TOKEN}\"\nwait = \"0s\"\n{keys}\n",
        server.url()
    )
}

fn post_to(to: &str, keys: &str) -> String {
    format!(
        "{TOPIC}\n[[post]]\nid = \"canal\"\ntopics = [\"numerique-educatif\"]\nto = \"{to}\"\nwait = \"0s\"\n{keys}\n"
    )
}

/// A world whose source was known before the post has anything to tell.
fn world(topics: &str) -> World {
    begun(World::new(), topics)
}

fn begun(world: World, topics: &str) -> World {
    let world = world.feed("education", document(feed(&["ancienne"])));
    world.write_config(topics);
    world.succeeds(&["poll"]);
    world.succeeds(&["post"]);
    world
}

/// Serves these items and polls them.
fn brings(world: &World, items: &[String]) {
    world.origin.answers("/education", document(rss(items)));
    world.succeeds(&["poll", "education"]);
}

#[test]
fn a_new_story_is_sent_once_and_what_was_there_before_never() {
    let server = Mastodon::start();
    let world = world(&mastodon(&server, "hashtags = [\"Numérique\"]"));
    assert!(server.texts().is_empty());
    brings(&world, &[news("nouvelle"), news("ancienne")]);
    let line = world.json(&["post", "--json"]).remove(0);
    assert_eq!((&line["post"], &line["sent"], &line["waiting"]), (&"masto".into(), &1.into(), &0.into()));
    assert_eq!(
        server.texts(),
        ["École numérique nouvelle\n\nMinistère · https://ministere.example/nouvelle\n#Numérique"]
    );
    world.succeeds(&["post"]);
    assert_eq!(server.with(|account| account.asked), 1);
}

#[test]
fn the_daemon_sends_by_itself() {
    let server = Mastodon::start();
    let world = World::new().feed("education", document(feed(&["ancienne"]))).with("schedule = \"* * * * *\"");
    world.write_config(&mastodon(&server, ""));
    world.succeeds(&["poll"]);
    let daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("ancienne"));
    world.origin.answers("/education", document(feed(&["nouvelle", "ancienne"])));
    world.succeeds(&["poll", "education"]);
    until(|| server.texts().len() == 1);
    assert!(server.texts()[0].contains("nouvelle"));
}

#[track_caller]
fn until(holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "it never came to that");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_new_post_topic_rule_or_source_sends_nothing_old() {
    let server = Mastodon::start();
    let world = World::new().feed("education", document(feed(&["une", "deux"])));
    world.succeeds(&["poll"]);
    world.write_config(&mastodon(&server, ""));
    world.succeeds(&["post"]);
    // The rules change, and with them the labels of all.
    world.write_config(&mastodon(&server, "").replace("\"école numérique\"", "\"école numérique\", \"ministère\""));
    world.succeeds(&["poll", "--force"]);
    world.succeeds(&["post"]);
    // A source that is new brings much.
    let world = world.feed("justice", document(feed(&["trois", "quatre", "cinq"])));
    world.write_config(&mastodon(&server, ""));
    world.succeeds(&["poll", "--force"]);
    world.succeeds(&["post"]);
    assert_eq!(server.texts(), [""; 0]);
    world.origin.answers("/justice", document(feed(&["six", "trois", "quatre", "cinq"])));
    world.succeeds(&["poll", "--force"]);
    world.succeeds(&["post"]);
    assert_eq!(server.texts().len(), 1, "{:?}", server.texts());
}

#[test]
fn a_store_that_was_put_back_sends_nothing_that_came_meanwhile() {
    let server = Mastodon::start();
    let world = begun(World::in_a_file(), &mastodon(&server, ""));
    let backup = world.folder.path().join("backup.db").display().to_string();
    brings(&world, &[news("zéro"), news("ancienne")]);
    world.succeeds(&["backup", &backup]);
    brings(&world, &[news("une"), news("zéro"), news("ancienne")]);
    world.succeeds(&["post"]);
    assert_eq!(server.texts().len(), 2);
    world.succeeds(&["restore", &backup]);
    brings(&world, &[news("deux"), news("une"), news("zéro"), news("ancienne")]);
    world.succeeds(&["post"]);
    assert_eq!(server.with(|account| account.asked), 2, "nor what waited in the backup");
    brings(&world, &[news("trois"), news("deux"), news("une"), news("zéro"), news("ancienne")]);
    world.succeeds(&["post"]);
    assert!(server.texts()[2].contains("trois"), "{:?}", server.texts());
}

#[test]
fn a_source_that_issues_everything_anew_is_no_flood() {
    let server = Mastodon::start();
    let names: Vec<String> = (0..12).map(|number| format!("article-{number}")).collect();
    let document_of = |guid: &str| {
        let items: Vec<String> = names
            .iter()
            .map(|name| news(name).replace("isPermaLink=\"false\">", &format!("isPermaLink=\"false\">{guid}")))
            .collect();
        document(rss(&items).replace("https://ministere.example/", &format!("https://{guid}ministere.example/")))
    };
    let world = World::new().feed("education", document_of("a"));
    world.write_config(&mastodon(&server, ""));
    world.succeeds(&["poll"]);
    world.origin.answers("/education", document_of("b"));
    world.succeeds(&["poll", "education"]);
    world.succeeds(&["post"]);
    assert_eq!(server.texts(), [""; 0]);
}

#[test]
fn a_change_and_a_withdrawal_follow_where_that_is_wanted() {
    let server = Mastodon::start();
    let world = world(&mastodon(&server, "edits = \"update\"\nwithdrawn = \"delete\""));
    let others = [("a", 4), ("b", 5), ("c", 6), ("d", 7)].map(|(name, hours)| dated(&news(name), hours));
    let with =
        |item: Option<String>| item.map(|item| dated(&item, 1)).into_iter().chain(others.clone()).collect::<Vec<_>>();
    brings(&world, &with(None));
    world.succeeds(&["post"]);
    let before = server.texts().len();
    brings(&world, &with(Some(news("une"))));
    world.succeeds(&["post"]);
    assert_eq!(server.texts().len(), before + 1);
    brings(&world, &with(Some(saying("une", "École numérique : le ministère corrige ses chiffres de fond en comble"))));
    world.succeeds(&["post"]);
    assert_eq!(server.texts().len(), before + 1);
    assert!(server.texts()[before].starts_with("École numérique : le ministère corrige"), "{:?}", server.texts());
    // Withdrawn at once: it is gone while older ones stay.
    let config = fs::read_to_string(world.config()).unwrap() + "\n[dedup]\nwithdrawn_after = \"0s\"\n";
    fs::write(world.config(), config).unwrap();
    brings(&world, &with(None));
    brings(&world, &with(None));
    world.succeeds(&["post"]);
    assert_eq!(server.with(|account| account.deleted.len()), 1, "{:?}", server.texts());
}

#[test]
fn titles_and_links_of_all_kinds_arrive_once_each_and_ping_nobody() {
    let server = Mastodon::start();
    let world = world(&mastodon(&server, ""));
    let titles = [
        "",
        "École numérique @everyone @ministere@social.example",
        "École numérique &lt;script&gt;alert(1)&lt;/script&gt;",
        "École numérique #ouverte",
        "École numérique \u{202e}الخبر",
        "École numérique 👨‍👩‍👧‍👦🇫🇷",
    ];
    let mut items: Vec<String> =
        titles.iter().zip('a'..).map(|(title, name)| saying(&name.to_string(), title)).collect();
    items.push(news("long").replace("École numérique long", &format!("École numérique {}", "mot ".repeat(400))));
    items.push(news("espace").replace("https://ministere.example/espace", "https://ministere.example/a b?c=d e"));
    items.push(
        news("nom").replace("https://ministere.example/nom", "https://ministere.example/?@victime@social.example"),
    );
    items.push(news("ancienne"));
    brings(&world, &items);
    world.succeeds(&["post"]);
    world.succeeds(&["post"]);
    let texts = server.texts();
    assert_eq!(texts.len(), 9, "{texts:#?}");
    for text in &texts {
        assert!(text.contains("https://ministere.example/") && !text.starts_with('\n'), "{text:?}");
        for mention in ["@everyone", "@ministere", "?@victime", "\u{202e}"] {
            assert!(!text.contains(mention), "{text:?}");
        }
    }
    let has = |part: &str| texts.iter().any(|text| text.contains(part));
    assert!(has("https://ministere.example/a%20b?c=d%20e") && has("👨‍👩‍👧‍👦🇫🇷"));
}

#[test]
fn a_target_that_asks_for_patience_gets_it_and_nothing_is_lost() {
    let server = Mastodon::start();
    let world = world(&mastodon(&server, ""));
    brings(&world, &[news("une"), news("ancienne")]);
    let reset = (chrono::Utc::now() + chrono::TimeDelta::minutes(30)).to_rfc3339();
    let headers = format!("x-ratelimit-remaining: 0\r\nx-ratelimit-reset: {reset}\r\n");
    server.with(|account| {
        account.moods.push(Mood::Answer(429, headers, "{\"error\":\"Too many requests\"}".into()));
    });
    let output = world.veille(&["post", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let next: chrono::DateTime<chrono::Utc> = line["next"].as_str().unwrap().parse().unwrap();
    assert!((28..=31).contains(&(next - chrono::Utc::now()).num_minutes()), "{line}");
    assert!(line["error"].as_str().unwrap().contains("Too many requests"), "{line}");
    // Not before its time.
    world.veille(&["post"]);
    assert_eq!(server.with(|account| account.asked), 0);
    let feeds = world.veille(&["feeds"]);
    assert!(stderr(&feeds).contains("post `masto`: it answered 429: Too many requests"), "{}", stderr(&feeds));
}

#[test]
fn a_wrong_token_stops_the_post_until_it_is_another_one() {
    let server = Mastodon::start();
    let world = world(&mastodon(&server, "").replace(TOKEN, "wrong-token-of-somebody"));
    brings(&world, &[news("une"), news("ancienne")]);
    let output = world.veille(&["post"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("stopped: it answered 401: The access token is invalid; give the post a token"), "{said}");
    assert!(!(said + &stderr(&output)).contains("wrong-token"), "no secret is told");
    server.with(|account| account.moods.push(Mood::Answer(500, String::new(), String::new())));
    world.veille(&["post"]);
    assert_eq!(server.with(|account| account.moods.len()), 1, "nothing is asked meanwhile");
    server.with(|account| account.moods.clear());
    let check = world.veille(&["feeds", "--check"]);
    assert_eq!(check.status.code(), Some(1), "{}", stderr(&check));
    world.write_config(&mastodon(&server, ""));
    world.succeeds(&["post"]);
    assert_eq!(server.texts().len(), 1);
    world.succeeds(&["feeds", "--check"]);
}

#[test]
fn a_trial_is_marked_seen_by_the_account_alone_and_lifts_a_stop() {
    let server = Mastodon::start();
    let world = world(&mastodon(&server, ""));
    brings(&world, &[news("une"), news("ancienne")]);
    server.with(|account| {
        account.moods.push(Mood::Answer(403, String::new(), "{\"error\":\"This action is not allowed\"}".into()));
    });
    assert_eq!(world.veille(&["post"]).status.code(), Some(1));
    world.succeeds(&["post", "--test", "masto"]);
    let trial = server.with(|account| account.statuses.values().next().cloned()).unwrap();
    assert_eq!(trial.visibility, "direct");
    assert!(trial.text.starts_with("[Ceci est un essai.]\n"), "{}", trial.text);
    world.succeeds(&["post"]);
    assert_eq!(server.texts().len(), 2);
}

#[test]
fn an_answer_that_is_lost_makes_no_second_status() {
    let server = Mastodon::start();
    let world = world(&mastodon(&server, ""));
    brings(&world, &[news("une"), news("ancienne")]);
    server.with(|account| account.moods.push(Mood::Silence));
    assert_eq!(world.veille(&["post"]).status.code(), Some(1));
    assert_eq!(server.texts().len(), 1);
    world.succeeds(&["post", "--test", "masto"]);
    world.succeeds(&["post"]);
    let (asked, statuses) = server.with(|account| (account.asked, account.statuses.len()));
    assert_eq!((asked, statuses), (3, 2), "the trial, and one status that was asked for twice");
}

#[test]
fn kills_while_it_sends_lose_nothing_and_make_nothing_twice() {
    let server = Mastodon::start();
    let names: Vec<String> = (0..30).map(|number| format!("article-{number}")).collect();
    let world = world(&mastodon(&server, ""));
    server.with(|account| account.pace = Duration::from_millis(40));
    let mut items: Vec<String> = names.iter().map(|name| news(name)).collect();
    items.push(news("ancienne"));
    brings(&world, &items);
    for round in 0..10 {
        let mut child = world.command(&["post"]).stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(120 + 61 * round));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    while world.veille(&["post"]).status.code() != Some(0) {}
    let mut texts = server.texts();
    texts.sort();
    texts.dedup();
    assert_eq!((texts.len(), server.texts().len()), (30, 30));
}

#[test]
fn what_waits_is_shown_and_can_be_skipped() {
    let server = Mastodon::start();
    let world = world(&mastodon(&server, "").replace("wait = \"0s\"", "wait = \"1h\""));
    brings(&world, &[saying("une", "École numérique : @everyone &lt;script&gt;"), news("ancienne")]);
    let row = world.json(&["post", "--dry-run", "--json"]).remove(0);
    assert_eq!((&row["post"], &row["event"], &row["action"]), (&"masto".into(), &"new".into(), &"wait".into()));
    assert!(row["message"].as_str().unwrap().starts_with("École numérique : @\u{2060}everyone <script>\n"), "{row}");
    world.succeeds(&["post", "--skip", "masto"]);
    assert_eq!(world.succeeds(&["post", "--dry-run"]), "nothing waits\n");
    assert_eq!(server.with(|account| account.asked), 0);
    let unknown = world.veille(&["post", "--test", "mastto"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("the posts are `masto`"), "{}", stderr(&unknown));
}

#[test]
fn a_chat_gets_the_json_of_its_incoming_webhooks() {
    let origin = Origin::start();
    for (to, path, answer) in [
        ("slack", "/services/T000/B000/XXXX", status(200).body("ok")),
        ("mattermost", "/hooks/xxx-generatedkey-xxx", status(200).body("ok")),
        ("discord", "/api/webhooks/1/token", status(200).body("{\"id\":\"1\"}")),
    ] {
        origin.answers(path, answer);
        let world = world(&post_to(to, &format!("url = \"{}\"", origin.url(path))));
        brings(&world, &[news("une"), news("ancienne")]);
        world.succeeds(&["post"]);
        let asked = origin.requests(path);
        assert_eq!(asked.len(), 1, "{to}");
        assert_eq!((asked[0].method.as_str(), asked[0].header("content-type")), ("POST", Some("application/json")));
        let body: serde_json::Value = serde_json::from_str(&asked[0].body).unwrap();
        let text = body["text"].as_str().or(body["content"].as_str()).unwrap();
        assert!(text.starts_with("École numérique une\nMinistère · "), "{to}: {text}");
    }
}

#[test]
fn a_webhook_that_fails_is_tried_again_with_the_same_delivery() {
    let origin = Origin::start();
    origin.answers("/veille", [status(503), status(204)]);
    let world = world(&post_to("webhook", &format!("url = \"{}\"\nsecret = \"clef\"", origin.url("/veille"))));
    brings(&world, &[news("une"), news("ancienne")]);
    assert_eq!(world.veille(&["post"]).status.code(), Some(1));
    world.succeeds(&["post", "--test", "canal"]);
    world.succeeds(&["post"]);
    let asked = origin.requests("/veille");
    let delivery = |place: usize| asked[place].header("x-veille-delivery").unwrap().to_owned();
    assert_eq!((asked.len(), delivery(0)), (3, delivery(2)));
    let body: serde_json::Value = serde_json::from_str(&asked[2].body).unwrap();
    assert_eq!((&body["event"], &body["item"]["title"]), (&"new".into(), &"École numérique une".into()));
    assert_eq!(body["topic"]["id"], "numerique-educatif");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&asked[1].body).unwrap()["trial"], true);
}

#[test]
fn a_target_is_reached_through_its_proxy_and_trusted_by_its_ca_file() {
    let authority = crate::secure::Authority::new();
    let service = authority.origin([127, 0, 0, 1], "service.example");
    service.serves("/veille", "{}".to_owned());
    // The base64 of "moi:secret".
    let tunnel = crate::tunnel::Tunnel::to(service.address, "Basic bW9pOnNlY3JldA==");
    let folder = tempfile::tempdir().unwrap();
    let keys = format!(
        "url = \"https://service.example/veille\"\nproxy = \"http://moi:secret@{}\"\nca_file = \"{}\"",
        tunnel.address,
        authority.file(folder.path()).display()
    );
    let world = world(&post_to("webhook", &keys));
    brings(&world, &[news("une"), news("ancienne")]);
    world.succeeds(&["post"]);
    assert!(tunnel.heads()[0].starts_with("CONNECT service.example:443 "), "{:?}", tunnel.heads());
    assert_eq!(service.requests().len(), 1);
    world.write_config(&post_to("webhook", keys.split("\nca_file").next().unwrap()));
    let output = world.veille(&["post", "--test", "canal"]);
    assert!(stderr(&output).contains("secure connection to service.example failed"), "{}", stderr(&output));
}

#[test]
fn an_answer_without_an_end_costs_neither_memory_nor_the_story() {
    let origin = Origin::start();
    origin.answers("/veille", status(200).body("{}").endless());
    let world = world(&post_to("webhook", &format!("url = \"{}\"", origin.url("/veille"))));
    brings(&world, &[news("une"), news("ancienne")]);
    world.succeeds(&["post"]);
    assert_eq!(origin.requests("/veille").len(), 1);
}

/// A secret that must be told nowhere.
const SECRET: &str = "geheim-geheim-42";

#[test]
fn no_secret_is_told_by_any_target_that_repeats_it() {
    let origin = Origin::start();
    let said = format!("{{\"error\":\"not {SECRET} of /hooks/{SECRET}\",\"message\":\"no {SECRET}\"}}");
    let server = format!("server = \"{}\"\ntoken = \"{SECRET}\"", origin.url(""));
    let url = format!("url = \"{}\"", origin.url(&format!("/hooks/{SECRET}")));
    let posts = [
        ("mastodon", server.clone()),
        ("matrix", format!("{server}\nroom = \"!a:b.example\"")),
        ("mattermost", url.clone()),
        ("slack", url.clone()),
        ("discord", url),
        ("webhook", format!("url = \"{}?key={SECRET}\"\nsecret = \"{SECRET}\"", origin.url("/"))),
    ];
    let sections = posts.iter().map(|(to, keys)| {
        format!("[[post]]\nid = \"{to}\"\ntopics = [\"numerique-educatif\"]\nto = \"{to}\"\nwait = \"0s\"\n{keys}\n")
    });
    let config = format!("{TOPIC}\n{}", sections.collect::<String>());
    for code in [401, 422, 500] {
        origin.answers("*", status(code).body(said.clone()));
        let world = world(&config);
        brings(&world, &[news("une"), news("ancienne")]);
        let trials = posts.iter().map(|(to, _)| vec!["post", "--test", to]);
        let others = [vec!["post"], vec!["post", "--json"], vec!["post", "--dry-run", "--json"], vec!["feeds"]];
        for command in others.into_iter().chain(trials) {
            let output = world.veille(&command);
            let told = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
            assert!(!told.contains(SECRET), "{code} {command:?}: {told}");
        }
    }
}

#[test]
fn a_redirect_gets_no_token() {
    let (server, thief) = (Mastodon::start(), Origin::start());
    thief.answers("/api/v1/statuses", status(200));
    let world = world(&mastodon(&server, ""));
    brings(&world, &[news("une"), news("ancienne")]);
    let to = format!("location: {}\r\n", thief.url("/api/v1/statuses"));
    server.with(|account| account.moods.push(Mood::Answer(308, to, String::new())));
    let output = world.veille(&["post"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("it has moved to 127.0.0.1; write its new address"));
    assert!(thief.all_requests().is_empty());
}

#[test]
fn a_private_address_is_refused_unless_it_is_allowed() {
    let server = Mastodon::start();
    let world = world(&mastodon(&server, ""));
    brings(&world, &[news("une"), news("ancienne")]);
    let config = fs::read_to_string(world.config()).unwrap().replace("allow_networks = [\"127.0.0.0/8\"]", "");
    fs::write(world.config(), config).unwrap();
    let output = world.veille(&["post"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("stopped") && said.contains("`poll.allow_networks`"), "{said}");
    assert_eq!(server.with(|account| account.asked), 0);
}

#[test]
fn a_command_gets_one_line_a_story_and_its_exit_code_decides() {
    let world = World::new().feed("education", document(feed(&["ancienne"])));
    let (script, got) = (world.folder.path().join("take"), world.folder.path().join("got"));
    fs::write(&script, format!("#!/bin/sh\ntest -e {0}.full && exit 75\ncat >> {0}\n", got.display())).unwrap();
    let command = format!("command = [\"sh\", \"{}\"]", script.display());
    world.write_config(&post_to("command", &command));
    world.succeeds(&["poll"]);
    brings(&world, &[news("une"), news("deux"), news("ancienne")]);
    let full = format!("{}.full", got.display());
    fs::write(&full, "").unwrap();
    assert_eq!(world.veille(&["post"]).status.code(), Some(1));
    fs::remove_file(full).unwrap();
    world.succeeds(&["post", "--test", "canal"]);
    world.succeeds(&["post"]);
    let lines = fs::read_to_string(&got).unwrap();
    let titles: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|json| json.get("trial").is_none())
        .map(|json| json["item"]["title"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(titles.len(), 2, "{lines}");
}

#[test]
fn a_post_in_trouble_is_told_by_the_daemons_health() {
    let server = Mastodon::start();
    let world = world(&mastodon(&server, "").replace(TOKEN, "wrong-token-of-somebody"));
    brings(&world, &[news("une"), news("ancienne")]);
    let daemon = world.run();
    daemon.until("/healthz", |body| body.contains("post `masto`: it answered 401"));
    let metrics = daemon.get("/metrics", "").1;
    assert!(metrics.contains("veille_post_trouble{post=\"masto\"} 1"), "{metrics}");
    assert!(metrics.contains("veille_post_waiting{post=\"masto\"} 1"), "{metrics}");
}

#[test]
fn at_most_so_many_go_and_the_others_wait() {
    let server = Mastodon::start();
    let world = world(&mastodon(&server, "at_most = \"2 per hour\""));
    brings(&world, &["a", "b", "c", "d", "ancienne"].map(news));
    let line = world.json(&["post", "--json"]).remove(0);
    assert_eq!((&line["sent"], &line["waiting"]), (&2.into(), &2.into()));
    assert!(line["next"].is_string(), "{line}");
    world.succeeds(&["post"]);
    assert_eq!(server.texts().len(), 2);
}

/// The blocks of a document in this language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let begins = format!("```{language}\n");
    document.split(&begins).skip(1).filter_map(|rest| Some(rest.split_once("```")?.0.to_owned())).collect()
}

fn page(path: &str) -> String {
    fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_examples_of_the_documents_are_valid_beside_the_example_config() {
    let mut posts: Vec<String> =
        ["README.md", "docs/posts.md"].iter().flat_map(|path| blocks(&page(path), "toml")).collect();
    posts.retain(|block| block.contains("[[post]]"));
    assert_eq!(posts.len(), 4);
    let text = page("config.toml") + "\n" + &posts.concat();
    let config = veille::config::parse(&text, std::path::Path::new("/etc/veille/config.toml"));
    let config = config.unwrap_or_else(|invalid| panic!("{invalid}"));
    assert_eq!((config.posts.len(), config.warnings.list()), (4, String::new()));
}

#[test]
fn the_examples_of_the_readme_work_as_they_stand() {
    use crate::smtp::{MailManners, MailServer};
    let (server, matrix) = (Mastodon::start(), Origin::start());
    let relay = MailServer::start(MailManners { wants_login: true, ..MailManners::default() });
    matrix.answers("*", status(200).body("{\"event_id\":\"$e\"}"));
    let posts: String =
        blocks(&page("README.md"), "toml").into_iter().filter(|block| block.contains("[[post]]")).collect();
    // Nothing but their addresses is another one.
    let posts = posts
        .replace("https://mastodon.example.org", &server.url())
        .replace("https://matrix.example.org", matrix.url("").as_str())
        .replace("mail.example.org:587", &relay.address.to_string());
    let topics = ["laicite", "numerique-educatif", "harcelement-scolaire"];
    let topics: String = topics.map(|topic| format!("[[topic]]\nid = \"{topic}\"\nany = [\"école\"]\n")).concat();
    let world = World::new().feed("education", document(feed(&["une"])));
    world.write_config(&format!("{topics}{posts}"));
    world.succeeds(&["poll"]);
    let secrets = world.folder.path().join("secrets");
    fs::create_dir(&secrets).unwrap();
    for (name, secret) in [("mastodon", TOKEN), ("matrix", "syt_token"), ("mail", "mot de passe")] {
        fs::write(secrets.join(name), format!("{secret}\n")).unwrap();
    }
    for id in ["mastodon", "salon", "lettre"] {
        let output = world.command(&["post", "--test", id]).env("CREDENTIALS_DIRECTORY", &secrets).output().unwrap();
        assert!(output.status.success(), "{id}: {}", stderr(&output));
    }
    let texts = server.texts();
    assert!(texts[0].contains("École numérique une") && texts[0].ends_with("#Laïcité"), "{texts:?}");
    let event = matrix.all_requests().pop().unwrap();
    assert!(
        event.path.starts_with("/_matrix/client/v3/rooms/!abcdefgh:example.org/send/m.room.message/"),
        "{}",
        event.path
    );
    assert_eq!(event.header("authorization"), Some("Bearer syt_token"));
    assert_eq!(relay.mails().pop().unwrap().to, ["equipe@example.org"]);
}

#[test]
fn a_post_in_trouble_is_on_the_page_of_sources_if_that_is_for_operators_and_names_no_server() {
    let server = Mastodon::start();
    let config = |token: &str| mastodon(&server, "").replace(TOKEN, token);
    for health in ["sources", "public"] {
        let with = |token: &str| format!("[publish]\nhealth = \"{health}\"\n{}", config(token));
        let world = world(&with("wrong-token-of-somebody"));
        brings(&world, &[news("une"), news("ancienne")]);
        let output = world.veille(&["post"]);
        assert_eq!(output.status.code(), Some(1), "{health}");
        let daemon = world.run();
        let body = daemon.until("/sources/", |body| body.contains("Ministère"));
        assert_eq!(body.contains("Envois «\u{a0}masto\u{a0}»"), health == "public", "{body}");
        assert_eq!(body.contains("refusé, rien ne part"), health == "public", "{body}");
        let atom = daemon.get("/sources.atom", "").1;
        assert_eq!(atom.contains("#post_masto"), health == "public", "{atom}");
        assert!(!(body + &atom).contains("401"), "the reason is told elsewhere");
        world.write_config(&with(TOKEN));
        daemon.signal("HUP");
        daemon.until("/sources/", |body| !body.contains("masto"));
    }
}

#[test]
fn the_receiver_of_the_documents_takes_a_signed_story_once_and_no_other() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};
    let world = World::new().feed("education", document(feed(&["ancienne"])));
    let script = world.folder.path().join("receiver.py");
    fs::write(&script, blocks(&page("docs/posts.md"), "python").remove(0)).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let start = Command::new("python3")
        .arg(&script)
        .env("VEILLE_SECRET", "clef")
        .env("PORT", port.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    // Nothing can be shown on a machine without Python.
    let Ok(mut receiver) = start else { return };
    until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    let keys = |secret: &str| format!("url = \"http://127.0.0.1:{port}/\"\nsecret = \"{secret}\"");
    world.write_config(&post_to("webhook", &keys("une-autre-clef")));
    world.succeeds(&["poll"]);
    brings(&world, &[news("une"), news("ancienne")]);
    assert_eq!(world.veille(&["post"]).status.code(), Some(1), "signed with another key");
    world.write_config(&post_to("webhook", &keys("clef")));
    world.succeeds(&["post"]);
    receiver.kill().unwrap();
    let lines: Vec<String> = BufReader::new(receiver.stdout.take().unwrap()).lines().map_while(Result::ok).collect();
    receiver.wait().unwrap();
    assert_eq!(lines, ["new École numérique une https://ministere.example/une"]);
}

#[test]
fn a_story_that_several_sources_tell_is_one_message() {
    let server = Mastodon::start();
    let world = World::new()
        .feed("education", document(feed(&["ancienne"])))
        .feed("justice", document(feed(&["ancienne"]).replace("Ministère", "Agence")));
    world.write_config(&mastodon(&server, "text = \"{title}\\n{sources}\""));
    world.succeeds(&["poll"]);
    let text = "École numérique : le ministère publie une charte pour toutes les académies";
    let item = saying("une", text);
    world.origin.answers("/education", document(rss(&[item.clone(), news("ancienne")])));
    let other = rss(&[item, news("ancienne")]).replace("Ministère", "Agence");
    world.origin.answers("/justice", document(other));
    world.succeeds(&["poll", "--force"]);
    world.succeeds(&["post"]);
    let texts = server.texts();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].contains("Ministère") && texts[0].contains("Agence"), "{texts:?}");
}
