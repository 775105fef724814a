//! Requests and receipts of the targets, against the contracts of their documentation.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::config;
use crate::outbox::{Notice, StoryEvent, Verb};

/// A post with usual settings.
pub(super) fn post(to: &str) -> Post {
    let keys = match to {
        "mastodon" => {
            "server = 'https://social.example/'\ntoken = 'secret-token'\nedits = 'update'\nwithdrawn = 'delete'"
        }
        "matrix" => {
            "server = 'https://matrix.example/'\ntoken = 'secret-token'\nroom = '!a:matrix.example'\nedits = 'update'\nwithdrawn = 'delete'"
        }
        "webhook" => "url = 'https://service.example/veille'\nsecret = 'key'",
        "command" => "command = ['true']",
        "mail" => "from = 'v@a.example'\nrecipients = ['b@b.example']",
        _ => "url = 'https://chat.example/hooks/secret-path'",
    };
    let text = format!(
        "[[topic]]\nid = 'laicite'\nany = ['laïcité']\n[[post]]\nid = 'p'\ntopics = ['laicite']\nto = '{to}'\n{keys}"
    );
    config::parse(&text, Path::new("config.toml")).unwrap_or_else(|invalid| panic!("{invalid}")).posts.remove(0)
}

pub(super) fn notice() -> Notice {
    Notice {
        id: "https://ministere.example/?p=1".into(),
        title: "Une charte de la laïcité".into(),
        link: Some("https://ministere.example/charte".into()),
        summary: "La charte est affichée.".into(),
        source: "Ministère".into(),
        sources: vec!["Ministère".into(), "Agence".into()],
        tags: vec!["éducation nationale".into()],
        topic: "Laïcité".into(),
        date: "2026-11-24T12:00:00Z".parse().unwrap(),
        day: "24 novembre 2026".into(),
        language: "fr".into(),
        json: json!({ "topic": { "id": "laicite" }, "item": { "id": "https://ministere.example/?p=1", "title": "Une charte" } }),
    }
}

fn credentials(post: &Post) -> Credentials {
    let url = match &post.target {
        Target::Channel { url: config::Secret::Text(url), .. }
        | Target::Webhook { url: config::Secret::Text(url), .. } => Url::parse(url).ok(),
        _ => None,
    };
    Credentials { token: "secret-token".into(), url, secret: Some("key".into()), login: None }
}

fn dispatch<'a>(post: &'a Post, notice: &'a Notice, event: StoryEvent, remote: Option<&'a str>) -> Dispatch<'a> {
    Dispatch { post, notice, event, noted: notice.date, remote, trial: None, now: notice.date }
}

fn call_of(to: &str, event: StoryEvent, remote: Option<&str>) -> Option<HttpCall> {
    let (post, notice) = (post(to), notice());
    call(&dispatch(&post, &notice, event, remote), &credentials(&post), &usual_facts(&post.target))
}

fn body(call: &HttpCall) -> Value {
    serde_json::from_slice(&call.body).unwrap()
}

fn header<'c>(call: &'c HttpCall, name: &str) -> Option<&'c str> {
    call.headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.as_str())
}

fn answer(status: u16, body: &str) -> HttpAnswer {
    HttpAnswer { status, headers: Vec::new(), body: body.into(), retry_after: None }
}

fn receipt_of(to: &str, event: StoryEvent, status: u16, body: &str) -> Receipt {
    let (post, notice) = (post(to), notice());
    receipt(&dispatch(&post, &notice, event, Some("7")), &answer(status, body))
}

fn taken(remote: Option<&str>) -> Receipt {
    Receipt::Taken { remote: remote.map(str::to_owned), pause: None }
}

use StoryEvent::{Changed, New, Withdrawn};

#[test]
fn a_status_of_mastodon_has_a_key_that_makes_it_one() {
    let first = call_of("mastodon", New, None).unwrap();
    assert_eq!((first.verb, first.url.as_str()), (Verb::Post, "https://social.example/api/v1/statuses"));
    assert_eq!(header(&first, "authorization"), Some("Bearer secret-token"));
    let json = body(&first);
    assert_eq!((&json["visibility"], &json["language"]), (&json!("unlisted"), &json!("fr")));
    assert!(json["status"].as_str().unwrap().starts_with("Une charte de la laïcité\n\nMinistère · https://"));
    let again = call_of("mastodon", New, None).unwrap();
    assert_eq!(header(&first, "idempotency-key"), header(&again, "idempotency-key"));
}

#[test]
fn a_status_of_mastodon_is_edited_and_deleted_by_its_id() {
    let edit = call_of("mastodon", Changed, Some("42")).unwrap();
    assert_eq!((edit.verb, edit.url.as_str()), (Verb::Put, "https://social.example/api/v1/statuses/42"));
    let delete = call_of("mastodon", Withdrawn, Some("42")).unwrap();
    assert_eq!((delete.verb, delete.url.as_str()), (Verb::Delete, "https://social.example/api/v1/statuses/42"));
    assert_eq!(call_of("mastodon", Changed, None), None, "nothing is known to edit");
    assert_eq!(
        call_of("mastodon", Changed, Some("../../x")).unwrap().url.path(),
        "/api/v1/statuses/%2E%2E%2F%2E%2E%2Fx"
    );
}

#[test]
fn the_receipt_of_mastodon_is_a_status() {
    assert_eq!(receipt_of("mastodon", New, 200, "{\"id\":\"103\"}"), taken(Some("103")));
    assert!(matches!(receipt_of("mastodon", New, 200, "<html>Login"), Receipt::Later { .. }));
    assert!(matches!(
        receipt_of("mastodon", New, 401, "{\"error\":\"The access token is invalid\"}"),
        Receipt::Stopped { .. }
    ));
    assert!(matches!(receipt_of("mastodon", New, 422, "{\"error\":\"Validation failed\"}"), Receipt::Refused { .. }));
    assert_eq!(receipt_of("mastodon", Changed, 404, "{\"error\":\"Record not found\"}"), taken(None));
    assert_eq!(receipt_of("mastodon", Withdrawn, 200, "{}"), taken(None));
}

#[test]
fn mastodon_tells_its_limits() {
    let post = post("mastodon");
    let limits = "{\"configuration\":{\"statuses\":{\"max_characters\":5000,\"characters_reserved_per_url\":30}}}";
    let facts = learn(&post, &answer(200, limits), notice().date).unwrap();
    assert_eq!((facts.characters_max, facts.link_characters), (5000, Some(30)));
    let facts = learn(&post, &answer(404, "{}"), notice().date).unwrap();
    assert_eq!((facts.characters_max, facts.link_characters), (500, Some(23)));
    assert!(matches!(learn(&post, &answer(503, ""), notice().date), Err(Receipt::Later { .. })));
}

#[test]
fn a_trial_on_mastodon_is_seen_by_the_account_alone() {
    let (post, notice) = (post("mastodon"), notice());
    let trial = Dispatch { trial: Some("Ceci est un essai."), ..dispatch(&post, &notice, New, None) };
    let call = call(&trial, &credentials(&post), &usual_facts(&post.target)).unwrap();
    assert_eq!(body(&call)["visibility"], "direct");
    assert_ne!(header(&call, "idempotency-key"), header(&call_of("mastodon", New, None).unwrap(), "idempotency-key"));
}

#[test]
fn a_message_of_matrix_mentions_nobody_and_has_a_transaction_of_its_own() {
    let first = call_of("matrix", New, None).unwrap();
    assert_eq!(first.verb, Verb::Put);
    let path = first.url.path().to_owned();
    assert!(path.starts_with("/_matrix/client/v3/rooms/!a:matrix.example/send/m.room.message/"), "{path}");
    assert_eq!(call_of("matrix", New, None).unwrap().url.path(), path);
    let json = body(&first);
    assert_eq!((&json["msgtype"], &json["m.mentions"]), (&json!("m.notice"), &json!({})));
    assert!(json["formatted_body"].as_str().unwrap().ends_with(
        "<br>Ministère · <a href=\"https://ministere.example/charte\">https://ministere.example/charte</a>"
    ));
}

#[test]
fn html_in_a_title_is_text_in_matrix() {
    let (post, hostile) = (post("matrix"), Notice { title: "<script>alert(1)</script> @room".into(), ..notice() });
    let call = call(&dispatch(&post, &hostile, New, None), &credentials(&post), &usual_facts(&post.target)).unwrap();
    let html = body(&call)["formatted_body"].as_str().unwrap().to_owned();
    assert!(html.starts_with("&lt;script&gt;alert(1)&lt;/script&gt; @\u{2060}room"), "{html}");
}

#[test]
fn an_event_of_matrix_is_replaced_and_redacted() {
    let edit = body(&call_of("matrix", Changed, Some("$e")).unwrap());
    assert_eq!(edit["m.relates_to"], json!({ "rel_type": "m.replace", "event_id": "$e" }));
    assert_eq!(edit["m.new_content"]["msgtype"], "m.notice");
    let redact = call_of("matrix", Withdrawn, Some("$e")).unwrap();
    assert!(redact.url.path().contains("/redact/$e/"), "{}", redact.url);
    assert_eq!(receipt_of("matrix", Changed, 200, "{\"event_id\":\"$f\"}"), taken(Some("7")));
    assert_eq!(receipt_of("matrix", New, 200, "{\"event_id\":\"$f\"}"), taken(Some("$f")));
}

#[test]
fn matrix_asks_for_patience_in_milliseconds_and_refuses_who_is_not_in_the_room() {
    let limit = "{\"errcode\":\"M_LIMIT_EXCEEDED\",\"error\":\"Too many requests\",\"retry_after_ms\":1500}";
    let wait = Some(TimeDelta::milliseconds(1500));
    assert_eq!(
        receipt_of("matrix", New, 429, limit),
        Receipt::Later { why: "it answered 429: Too many requests".into(), wait }
    );
    let forbidden = "{\"errcode\":\"M_FORBIDDEN\",\"error\":\"User not in room\"}";
    assert!(
        matches!(receipt_of("matrix", New, 403, forbidden), Receipt::Stopped { why } if why.contains("join the room"))
    );
}

#[test]
fn an_alias_of_a_room_is_asked_for() {
    let mut post = post("matrix");
    if let Target::Matrix { room, .. } = &mut post.target {
        *room = "#salon:matrix.example".into();
    }
    let question = question(&post, &credentials(&post)).unwrap();
    assert_eq!(question.url.path(), "/_matrix/client/v3/directory/room/%23salon:matrix.example");
    let facts = learn(&post, &answer(200, "{\"room_id\":\"!b:x\",\"servers\":[]}"), notice().date).unwrap();
    assert_eq!(facts.room.as_deref(), Some("!b:x"));
    let unknown = "{\"errcode\":\"M_NOT_FOUND\",\"error\":\"Room alias not found\"}";
    assert!(matches!(learn(&post, &answer(404, unknown), notice().date), Err(Receipt::Stopped { .. })));
}

/// Checks how a title is written for a chat.
#[track_caller]
fn check_title(to: &str, title: &str, expected: &str) {
    let (post, notice) = (post(to), Notice { title: title.into(), ..notice() });
    let text = preview(&dispatch(&post, &notice, New, None), &usual_facts(&post.target));
    assert_eq!(text.lines().next().unwrap(), expected, "{to}");
}

#[test]
fn chats_get_no_mention_and_no_markup_from_a_title() {
    check_title("slack", "<!channel> a & b @here", "&lt;!channel&gt; a &amp; b @\u{2060}here");
    check_title("slack", "<https://x.example|ici>", "&lt;https://x.example|ici&gt;");
    check_title(
        "discord",
        "@everyone <@123> <@&4> **gras**",
        "@\u{2060}everyone \\<\u{2060}@\u{2060}123\\> \\<\u{2060}@\u{2060}\\&4\\> \\*\\*gras\\*\\*",
    );
    check_title("mattermost", "@channel #tag [x](y)", "@\u{2060}channel \\#tag \\[x\\](y)");
    check_title("mattermost", "# Titre", "\\# Titre");
    check_title("discord", "1. Un", "1\\. Un");
    check_title("discord", "- Un", "\\- Un");
}

#[test]
fn each_chat_gets_the_body_of_its_documentation() {
    let slack = call_of("slack", New, None).unwrap();
    assert_eq!(slack.url.as_str(), "https://chat.example/hooks/secret-path");
    assert_eq!(
        body(&slack),
        json!({
            "text": "Une charte de la laïcité\nMinistère · <https://ministere.example/charte>",
            "unfurl_links": false,
            "unfurl_media": false,
        })
    );
    let mattermost = body(&call_of("mattermost", New, None).unwrap());
    assert_eq!(mattermost, json!({ "text": "Une charte de la laïcité\nMinistère · https://ministere.example/charte" }));
    let discord = call_of("discord", New, None).unwrap();
    assert_eq!(discord.url.query(), Some("wait=true"));
    assert_eq!(body(&discord)["allowed_mentions"], json!({ "parse": [] }));
    assert_eq!(call_of("discord", Changed, None), None);
}

#[test]
fn a_chat_whose_webhook_is_gone_stops_the_post() {
    for (to, status, said) in [
        ("slack", 404, "no_service"),
        ("slack", 400, "no_active_hooks"),
        ("slack", 410, "channel_is_archived"),
        ("slack", 403, "invalid_token"),
        ("discord", 404, "{\"message\": \"Unknown Webhook\", \"code\": 10015}"),
        ("discord", 401, "{\"message\": \"Invalid Webhook Token\", \"code\": 50027}"),
        ("mattermost", 404, "{\"id\":\"web.incoming_webhook.invalid.app_error\",\"message\":\"Invalid webhook.\"}"),
    ] {
        let receipt = receipt_of(to, New, status, said);
        assert!(
            matches!(&receipt, Receipt::Stopped { why } if why.contains("new incoming webhook")),
            "{to} {receipt:?}"
        );
    }
    assert_eq!(receipt_of("slack", New, 200, "ok"), taken(None));
    assert_eq!(receipt_of("discord", New, 200, "{\"id\":\"1\"}"), taken(None));
    assert!(matches!(receipt_of("slack", New, 400, "invalid_payload"), Receipt::Refused { .. }));
}

#[test]
fn a_webhook_gets_the_item_its_event_and_a_signature() {
    for (event, remote) in [(New, None), (Changed, None), (Withdrawn, None)] {
        let call = call_of("webhook", event, remote).unwrap();
        let json = body(&call);
        assert_eq!((&json["event"], &json["post"]), (&json!(event.word()), &json!("p")));
        assert_eq!(json["item"]["title"], "Une charte");
        assert_eq!(json["topic"]["id"], "laicite");
        assert_eq!(header(&call, "x-veille-event"), Some(event.word()));
        assert_eq!(header(&call, "x-veille-delivery"), json["delivery"].as_str());
        assert_eq!(header(&call, "x-veille-timestamp"), Some("1795521600"));
        assert_eq!(header(&call, "x-veille-signature").map(str::len), Some(64));
    }
}

#[test]
fn a_post_without_a_key_signs_nothing() {
    let (post, notice) = (post("webhook"), notice());
    let open = Credentials { secret: None, ..credentials(&post) };
    let call = call(&dispatch(&post, &notice, New, None), &open, &usual_facts(&post.target)).unwrap();
    assert_eq!(header(&call, "x-veille-signature"), None);
}

#[test]
fn secrets_that_a_server_repeats_are_not() {
    let url = Url::parse("https://chat.example/hooks/secret-path").ok();
    let credentials = Credentials { token: "secret-token".into(), url, ..Credentials::default() };
    let said = credentials.hidden("no secret-token at https://chat.example/hooks/secret-path or /hooks/secret-path");
    assert_eq!(said, "no … at … or /…");
    let url = Url::parse("https://service.example/?key=a-long-secret").ok();
    let login = Some(("moi".into(), "mot de passe".into()));
    let others = Credentials { url, login, ..Credentials::default() };
    let said = "a-long-secret, key=a-long-secret, AG1vaQBtb3QgZGUgcGFzc2U=, bW90IGRlIHBhc3Nl, mot de passe";
    assert_eq!(others.hidden(said), "…, …, …, …, …");
    assert_eq!(format!("{credentials:?} {:?}", call_of("slack", New, None).unwrap()).matches("secret").count(), 0);
}

#[test]
fn a_mark_tells_settings_and_secrets_apart() {
    let one = post("mastodon");
    let same = mark(&one, &credentials(&one));
    assert_eq!(mark(&one, &credentials(&one)), same);
    assert_ne!(mark(&one, &Credentials { token: "another".into(), ..credentials(&one) }), same);
    assert_ne!(mark(&post("matrix"), &credentials(&one)), same);
}

/// Pieces of which mentions are made, in any order: names and groups, their signs in each form, and what could hide or part them.
const PIECES: [&str; 34] = [
    "@",
    "＠",
    "﹫",
    "all",
    "here",
    "everyone",
    "channel",
    "room",
    "alice",
    "b.example",
    "<",
    ">",
    "!",
    "&",
    "#",
    ";",
    "#64;",
    "&commat;",
    "&#x40;",
    "&#64;",
    "<@U1>",
    "<!channel>",
    "<!subteam^S1>",
    "\\",
    "`",
    "*",
    "_",
    "[",
    "](",
    ")",
    "/",
    "=",
    " ",
    "\u{200d}",
];

/// A notice whose texts and link are made of pieces.
fn pinging() -> impl proptest::strategy::Strategy<Value = Notice> {
    use proptest::prelude::*;
    let text =
        || proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..8).prop_map(|pieces| pieces.concat());
    (text(), text(), text()).prop_map(|(title, source, link)| Notice {
        title: if title.trim().is_empty() { "@all".into() } else { title },
        source,
        link: Url::parse(&format!("https://a.example/?{link}")).ok().map(String::from),
        tags: vec!["@all".into()],
        ..notice()
    })
}

/// The text of Markdown with its escapes and references to characters read (sections 2.4 and 2.5 of its specification).
fn read_markdown(text: &str) -> String {
    let mut read = String::new();
    let mut plain = String::new();
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match characters.peek() {
            Some(next) if c == '\\' && next.is_ascii_punctuation() => {
                read += &html_escape::decode_html_entities(&std::mem::take(&mut plain));
                read.extend(characters.next());
            }
            _ => plain.push(c),
        }
    }
    read + &html_escape::decode_html_entities(&plain)
}

/// The words that Mattermost looks up (`StandardMentionParser.ProcessText`).
fn mattermost_words(text: &str) -> Vec<String> {
    let is_part = |c: char| matches!(c, ':' | '.' | '-' | '_' | '@') || c.is_alphanumeric();
    let words = text.split(|c| !is_part(c)).flat_map(|word| {
        let whole = word.trim_start_matches([':', '.', '-', '_']);
        std::iter::once(whole).chain(word.split(['.', '-', ':']))
    });
    words.map(str::to_owned).collect()
}

proptest::proptest! {
    #[test]
    fn no_text_of_a_publisher_pings_anybody(notice in pinging()) {
        use unicode_normalization::UnicodeNormalization as _;
        let sent = |to: &str| {
            let mut post = post(to);
            post.text = crate::outbox::TextTemplate::parse("{title}\n{source} · {link}\n{hashtags}").unwrap();
            body(&call(&dispatch(&post, &notice, New, None), &credentials(&post), &usual_facts(&post.target)).unwrap())
        };
        let text = |json: &Value, key: &str| json[key].as_str().unwrap().nfkc().collect::<String>();
        let is_name = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        // Mastodon: `Account::MENTION_RE`.
        let status = text(&sent("mastodon"), "status");
        for (at, _) in status.match_indices('@') {
            let is_inside = status[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '=' | '/'));
            assert!(is_inside || !is_name(&status[at + 1..]), "{status:?}");
        }
        let matrix = sent("matrix");
        assert_eq!(matrix["m.mentions"], json!({}));
        assert!(!text(&matrix, "body").contains("@room"), "{matrix}");
        let discord = sent("discord");
        assert_eq!(discord["allowed_mentions"], json!({ "parse": [] }));
        let shown = text(&discord, "content");
        assert!(!["@everyone", "@here", "<@", "<#"].iter().any(|ping| shown.contains(ping)), "{shown:?}");
        let slack = text(&sent("slack"), "text");
        for (at, _) in slack.match_indices('<') {
            assert!(slack[at..].starts_with("<https://"), "{slack:?}");
        }
        let mattermost = read_markdown(&text(&sent("mattermost"), "text"));
        let pings: Vec<String> =
            mattermost_words(&mattermost).into_iter().filter(|word| word.len() > 1 && word.starts_with('@')).collect();
        assert!(pings.is_empty(), "{pings:?} in {mattermost:?}");
    }
}
