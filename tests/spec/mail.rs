//! Mail of `[[post]]`: by SMTP behind the guard of addresses, encrypted, or by `sendmail`; single stories and digests.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use crate::origin::document;
use crate::secure::Authority;
use crate::smtp::{Mail, MailManners, MailServer};
use crate::tunnel::Tunnel;
use crate::world::{TOPIC, World, rss};

/// A dated item of the topic.
fn news(name: &str) -> String {
    let date = (chrono::Utc::now() - chrono::TimeDelta::minutes(5)).to_rfc2822();
    format!(
        "<item><guid isPermaLink=\"false\">{name}</guid><link>https://ministere.example/{name}</link>\
         <title>École numérique : l’été à {name}</title><description>Le numérique éducatif : {name}.</description>\
         <pubDate>{date}</pubDate></item>"
    )
}

fn letter(keys: &str) -> String {
    format!(
        "{TOPIC}\n[[post]]\nid = \"lettre\"\ntopics = [\"numerique-educatif\"]\nto = \"mail\"\nwait = \"0s\"\n\
         from = \"Veille <veille@example.org>\"\nrecipients = [\"une@example.org\", \"deux@example.org\"]\n{keys}\n"
    )
}

/// A world in which these stories wait to be sent.
fn waiting(keys: &str, names: &[&str]) -> World {
    let items = |names: &[&str]| names.iter().map(|name| news(name)).collect::<Vec<_>>();
    let world = World::new().feed("education", document(rss(&items(&["avant"]))));
    world.write_config(&letter(keys));
    world.succeeds(&["poll"]);
    world.succeeds(&["post"]);
    world.origin.answers("/education", document(rss(&items(&[names, &["avant"]].concat()))));
    world.succeeds(&["poll", "education"]);
    world
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Sends what waits, and checks that it does not go, for this reason.
#[track_caller]
fn check_refused(world: &World, reason: &str) {
    let output = world.veille(&["post"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains(reason), "{}", said(&output));
}

fn server(server: &MailServer) -> String {
    format!("server = \"smtp://{}\"", server.address)
}

/// The pause after a failure is over.
fn at_once(world: &World) {
    world.change_store("UPDATE post SET next_try = NULL", "UPDATE post SET next_try = NULL");
}

#[test]
fn a_story_is_a_mail_with_the_headers_of_a_list_and_nobody_sees_other_recipients() {
    let relay = MailServer::start(MailManners::default());
    let world = waiting(&server(&relay), &["paris"]);
    world.succeeds(&["post"]);
    let [mail] = &relay.mails()[..] else { panic!("{:?}", relay.mails()) };
    assert_eq!(
        (&*mail.from, &mail.to[..]),
        ("veille@example.org", &["une@example.org".into(), "deux@example.org".into()][..])
    );
    assert!(!mail.text.contains("une@example.org"), "{}", mail.text);
    assert_eq!(mail.header("List-Id").as_deref(), Some("Essai <lettre.127.0.0.1>"));
    assert!(mail.header("List-Unsubscribe").unwrap().starts_with("<mailto:veille@example.org?subject="));
    assert!(mail.header("Message-ID").unwrap().ends_with("@127.0.0.1>"));
    assert!(mail.header("Content-Type").unwrap().starts_with("multipart/alternative"));
    world.succeeds(&["post"]);
    assert_eq!(relay.mails().len(), 1);
}

#[test]
fn a_digest_is_one_mail_of_all_stories_when_its_time_has_come_and_none_without_news() {
    let relay = MailServer::start(MailManners::default());
    let keys = format!("{}\nschedule = \"* * * * *\"\ntimezone = \"UTC\"", server(&relay));
    let world = waiting(&keys, &["paris", "lyon", "lille"]);
    // The next minute has come for stories that were noted before it.
    world.change_store("UPDATE outbox SET noted = noted - 3600", "UPDATE outbox SET noted = noted - 3600");
    world.succeeds(&["post"]);
    world.succeeds(&["post"]);
    let [mail] = &relay.mails()[..] else { panic!("{:?}", relay.mails()) };
    for name in ["paris", "lyon", "lille"] {
        assert!(mail.text.matches(&format!("https://ministere.example/{name}")).count() >= 2, "{name}: {}", mail.text);
    }
}

#[test]
fn a_mail_whose_answer_is_lost_is_sent_again_with_the_same_id() {
    let relay = MailServer::start(MailManners { drops: 1, ..MailManners::default() });
    let world = waiting(&server(&relay), &["paris"]);
    check_refused(&world, "tried again later: 127.0.0.1: ");
    at_once(&world);
    world.succeeds(&["post"]);
    let ids: Vec<String> = relay.mails().iter().map(|mail| mail.header("Message-ID").unwrap()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn a_server_in_a_private_network_is_refused_unless_that_is_allowed() {
    let relay = MailServer::start(MailManners::default());
    for host in ["127.0.0.1", "localhost", "0x7f.1"] {
        let keys = format!("server = \"smtp://{host}:{}\"", relay.address.port());
        let world = waiting(&keys, &["paris"]);
        let config = fs::read_to_string(world.config()).unwrap();
        fs::write(world.config(), config.replace("allow_networks = [\"127.0.0.0/8\"]", "")).unwrap();
        check_refused(&world, "`poll.allow_networks`");
    }
    assert_eq!(relay.mails(), []);
}

#[test]
fn mail_goes_through_a_proxy_that_stands_in_its_section_and_through_no_other() {
    let relay = MailServer::start(MailManners::default());
    // The base64 of "moi:secret".
    let proxy = Tunnel::to(relay.address, "Basic bW9pOnNlY3JldA==");
    let keys = format!("server = \"smtp://127.0.0.9:25\"\nproxy = \"http://moi:secret@{}\"", proxy.address);
    let world = waiting(&keys, &["paris"]);
    world.succeeds(&["post"]);
    assert_eq!(relay.mails().len(), 1);
    assert!(proxy.heads()[0].starts_with("CONNECT 127.0.0.9:25 HTTP/1.1\r\n"), "{:?}", proxy.heads());

    world.write_config(&letter(&keys.replace("moi:secret", "moi:autre")));
    let output = world.veille(&["post", "--test", "lettre"]);
    let said = crate::world::stderr(&output);
    assert!(said.contains("proxy 127.0.0.1 did not let us through to 127.0.0.9: it answered 407"), "{said}");
    assert!(!said.contains("autre"), "{said}");

    world.write_config(&letter(&server(&relay)));
    let config = fs::read_to_string(world.config()).unwrap();
    fs::write(world.config(), config.replace("[poll]", "[poll]\nproxy = \"http://127.0.0.1:9\"")).unwrap();
    world.succeeds(&["post", "--test", "lettre"]);
}

/// Sends a story to a relay with a certificate for `localhost`; returns what it got, or why it got nothing.
fn secured(scheme: &str, is_trusted: bool, manners: MailManners) -> Result<Mail, String> {
    let (authority, other) = (Authority::new(), Authority::named("Other"));
    let acceptor = Some(authority.acceptor("localhost", &[]));
    let relay = MailServer::start(MailManners { acceptor, is_wrapped: scheme == "smtps", ..manners });
    let folder = tempfile::tempdir().unwrap();
    let file = if is_trusted { &authority } else { &other }.file(folder.path());
    let login = "auth = { user = \"moi\", password = \"mot de passe\" }";
    let keys = format!(
        "server = \"{scheme}://localhost:{}\"\nca_file = \"{}\"\n{login}",
        relay.address.port(),
        file.display()
    );
    let world = waiting(&keys, &["paris"]);
    let output = world.veille(&["post"]);
    relay.mails().pop().ok_or(said(&output))
}

#[test]
fn a_server_is_trusted_by_the_name_in_the_config_and_the_authorities_of_ca_file() {
    for scheme in ["smtp", "smtps"] {
        let login = || MailManners { wants_login: true, ..MailManners::default() };
        let mail = secured(scheme, true, login()).unwrap();
        assert!(mail.is_encrypted, "{scheme}");
        // "\0moi\0mot de passe"
        assert_eq!(mail.login.as_deref(), Some("AG1vaQBtb3QgZGUgcGFzc2U="), "{scheme}");
        let why = secured(scheme, false, login()).unwrap_err();
        assert!(why.contains("localhost") && why.contains("certificate"), "{scheme}: {why}");
    }
}

#[test]
fn a_wrong_password_stops_the_post_and_is_told_to_nobody() {
    let manners = MailManners { wants_login: true, answers: vec![("AUTH", Some("535 no"))], ..MailManners::default() };
    let why = secured("smtp", true, manners).unwrap_err();
    assert!(why.contains("stopped: localhost") && why.contains("correct `auth`"), "{why}");
    assert!(!why.contains("mot de passe") && !why.contains("AG1vaQBtb3QgZGUgcGFzc2U="), "{why}");
}

#[test]
fn a_server_that_says_too_much_costs_no_memory() {
    let endless = MailServer::start(MailManners { is_endless: true, ..MailManners::default() });
    let world = waiting(&server(&endless), &["paris"]);
    check_refused(&world, "it says too much");
}

/// A program that is called `sendmail`, and the folder that it is in.
fn sendmail(folder: &Path, script: &str) -> String {
    let program = folder.join("sendmail");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

#[test]
fn without_a_server_the_program_sendmail_gets_the_mail_and_its_exit_code_decides() {
    let world = waiting("", &["paris"]);
    let folder = tempfile::tempdir().unwrap();
    let got = folder.path().join("got");
    let run = |script: &str| {
        let path = sendmail(folder.path(), script);
        world.command(&["post"]).env("PATH", path).output().unwrap()
    };
    let output = run("cat > /dev/null; echo 'no queue' >&2; exit 75");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("`sendmail`: ") && said(&output).contains("no queue"), "{}", said(&output));
    at_once(&world);
    let output = run(&format!("echo \"$@\" > {0}.words; cat > {0}", got.display()));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let words = fs::read_to_string(folder.path().join("got.words")).unwrap();
    assert!(words.contains("veille@example.org") && words.contains("une@example.org deux@example.org"), "{words}");
    let mail = fs::read_to_string(got).unwrap();
    assert!(mail.contains("Message-ID: <") && mail.contains("https://ministere.example/paris"), "{mail}");
}
