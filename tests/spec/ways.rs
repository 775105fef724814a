//! The ways to a publisher's server, through the real program: HTTP/2 and authorities, IPv6, proxies, secrets.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv6Addr;
use std::process::Command;

use serde_json::Value;

use crate::origin::{Origin, document, status};
use crate::secure::Authority;
use crate::tunnel::Tunnel;
use crate::world::{World, partnership, rss, stderr};

/// "me:geheim" as `Basic` credentials (RFC 7617 §2).
const CREDENTIALS: &str = "Basic bWU6Z2VoZWlt";

fn news() -> String {
    rss(&[partnership()])
}

/// Writes a config with these feeds: id, address, lines of its own. `poll` are lines of its section.
fn configure(world: &World, poll: &str, feeds: &[(&str, &str, &str)]) {
    let allowed = "allow_networks = [\"127.0.0.0/8\", \"::1/128\"]";
    let mut text =
        format!("[poll]\nhost_delay = \"0s\"\ntimeout = \"5s\"\n{allowed}\n{poll}\n[serve]\nlisten = \"\"\n");
    for (id, url, lines) in feeds {
        let _ = write!(text, "[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\n{lines}\n");
    }
    fs::write(world.config(), text).unwrap();
}

/// Polls all feeds with these variables set, and returns what `feeds` tells then. The tests' secret word stays out
/// of the output and of the most verbose log.
fn poll(world: &World, variables: &[(&str, &str)]) -> Vec<Value> {
    let set = |command: &mut Command| {
        for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "NO_PROXY"] {
            command.env_remove(name);
        }
        command.env_remove("no_proxy").env_remove("CREDENTIALS_DIRECTORY").envs(variables.iter().copied());
    };
    let run = |arguments: &[&str]| {
        let mut command = world.command(arguments);
        set(&mut command);
        let output = command.env("VEILLE_LOG", "trace").output().unwrap();
        let is_in_vain = stderr(&output).contains("error: nothing could be polled");
        assert!(output.status.success() || is_in_vain, "{}", stderr(&output));
        let told = String::from_utf8(output.stdout.clone()).unwrap();
        for secret in ["geheim", "bWU6Z2VoZWlt"] {
            let said = format!("{told}\n{}", stderr(&output));
            let line = said.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{arguments:?} told a secret");
        }
        told
    };
    run(&["poll", "--force", "--json"]);
    run(&["feeds"]);
    run(&["check"]);
    run(&["feeds", "--json"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Checks that a feed failed, and that `feeds` says all of this.
#[track_caller]
fn check_failed(feed: &Value, told: &[&str]) {
    let error = feed["last_error"].as_str().unwrap_or_default();
    assert!(feed["status"] == "failing" && told.iter().all(|text| error.contains(text)), "{error:?} lacks {told:?}");
}

#[track_caller]
fn check_read(feed: &Value) {
    assert_eq!((&feed["status"], &feed["last_error"]), (&"ok".into(), &Value::Null));
}

// HTTP/2 and authorities.

#[test]
fn feeds_of_a_host_with_an_authority_of_our_own_are_read_over_one_connection_of_http_2() {
    let (world, authority) = (World::new(), Authority::new());
    let origin = authority.origin([127, 0, 0, 1], "127.0.0.1");
    origin.serves("/a", news());
    origin.serves("/b", news());
    let ca_file = format!("ca_file = \"{}\"", authority.file(world.folder.path()).display());
    let url = |path: &str| format!("https://{}/{path}", origin.address);
    configure(&world, "", &[("a", &url("a"), &ca_file), ("b", &url("b"), &ca_file)]);
    poll(&world, &[]).iter().for_each(check_read);
    let requests = origin.requests();
    assert_eq!(requests.iter().map(|asked| asked.version).collect::<Vec<_>>(), [http::Version::HTTP_2; 2]);
    assert_eq!(requests.iter().map(|asked| asked.connection).collect::<Vec<_>>(), [1, 1]);
    println!("{requests:#?}");
}

#[test]
fn a_certificate_of_an_unknown_authority_is_told_with_what_to_do() {
    let (world, authority) = (World::new(), Authority::new());
    let origin = authority.origin([127, 0, 0, 1], "127.0.0.1");
    let other = format!("ca_file = \"{}\"", Authority::named("Another").file(world.folder.path()).display());
    let url = format!("https://{}/a", origin.address);
    configure(&world, "", &[("plain", &url, ""), ("other", &format!("{url}?2"), &other)]);
    for feed in poll(&world, &[]) {
        check_failed(&feed, &["secure connection to 127.0.0.1:", "UnknownIssuer", "this feed's `ca_file`"]);
    }
    assert!(origin.requests().is_empty());
}

#[test]
fn a_certificate_for_another_name_is_told() {
    let (world, authority) = (World::new(), Authority::new());
    let origin = authority.origin([127, 0, 0, 1], "feeds.example");
    let ca_file = format!("ca_file = \"{}\"", authority.file(world.folder.path()).display());
    configure(&world, "", &[("a", &format!("https://{}/a", origin.address), &ca_file)]);
    check_failed(&poll(&world, &[])[0], &["secure connection to 127.0.0.1:", "not valid for name"]);
}

// IPv6.

#[test]
fn an_address_of_ipv6_is_asked_when_it_is_allowed() {
    let (world, authority) = (World::new(), Authority::new());
    let (origin, secure) = (Origin::on(Ipv6Addr::LOCALHOST), authority.origin(Ipv6Addr::LOCALHOST, "::1"));
    origin.answers("/a", document(news()));
    secure.serves("/b", news());
    let ca_file = format!("ca_file = \"{}\"", authority.file(world.folder.path()).display());
    let (plain, tls) = (origin.url("/a"), format!("https://{}/b", secure.address));
    assert!(plain.as_str().starts_with("http://[::1]:"));
    configure(&world, "", &[("a", plain.as_str(), ""), ("b", &tls, &ca_file)]);
    poll(&world, &[]).iter().for_each(check_read);
    assert_eq!((origin.all_requests().len(), secure.requests().len()), (1, 1));
}

#[test]
fn an_address_of_ipv6_is_refused_unless_it_is_allowed() {
    let (world, origin) = (World::new(), Origin::on(Ipv6Addr::LOCALHOST));
    let feeds =
        format!("[poll]\nallow_networks = [\"127.0.0.0/8\"]\n[[feed]]\nid = \"a\"\nurl = \"{}\"\n", origin.url("/a"));
    fs::write(world.config(), feeds).unwrap();
    check_failed(&poll(&world, &[])[0], &["address ::1 is not public", "`poll.allow_networks`"]);
    assert!(origin.all_requests().is_empty());
}

// Proxies.

#[test]
fn the_proxy_of_the_environment_is_used_only_where_the_config_says_so() {
    let (world, proxy, origin) = (World::new(), Origin::start(), Origin::start());
    proxy.answers("http://feeds.invalid/a", document(news()));
    origin.answers("/b", document(news()));
    let variables = [("http_proxy", &*format!("http://me:geheim@{}", proxy.address())), ("NO_PROXY", "127.0.0.1")];
    let straight = origin.url("/b");
    let feeds = [("a", "http://feeds.invalid/a", ""), ("b", straight.as_str(), "")];
    configure(&world, "", &feeds);
    check_failed(&poll(&world, &variables)[0], &["name feeds.invalid was not resolved"]);
    assert!(proxy.all_requests().is_empty());

    configure(&world, "proxy = \"environment\"", &feeds);
    poll(&world, &variables).iter().for_each(check_read);
    let seen = proxy.all_requests();
    assert_eq!(seen.len(), 1, "NO_PROXY goes past it");
    assert_eq!(seen[0].header("proxy-authorization"), Some(CREDENTIALS));
    assert_eq!(seen[0].header("authorization"), None);
    assert!(origin.all_requests().iter().all(|seen| seen.header("proxy-authorization").is_none()));
}

#[test]
fn the_way_through_a_proxy_keeps_each_secret_to_whom_it_belongs() {
    let (world, authority) = (World::new(), Authority::new());
    let origin = authority.origin([127, 0, 0, 1], "feeds.example");
    origin.serves("/a", news());
    origin.serves("/b", news());
    let tunnel = Tunnel::to(origin.address, CREDENTIALS);
    let address = format!("http://me:geheim@{}", tunnel.address);
    fs::write(world.folder.path().join("proxy.address"), format!("{address}\n")).unwrap();
    let ca_file = format!("ca_file = \"{}\"", authority.file(world.folder.path()).display());
    let by_file = format!("{ca_file}\nproxy = {{ file = \"proxy.address\" }}");
    let by_url = format!("{ca_file}\nproxy = \"{address}\"\nauth = {{ user = \"you\", password = \"geheim\" }}");
    let feeds = [("a", "https://feeds.example/a", &*by_file), ("b", "https://feeds.example/b", &*by_url)];
    configure(&world, "", &feeds);
    poll(&world, &[]).iter().for_each(check_read);
    for head in tunnel.heads() {
        let head = head.to_ascii_lowercase();
        assert!(head.starts_with("connect feeds.example:443 "), "{head}");
        assert!(
            head.contains("proxy-authorization: basic bwu6z2vozwlt") && !head.contains("\nauthorization"),
            "{head}"
        );
    }
    let requests = origin.requests();
    let names = |at: usize| requests[at].headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    let at = |path: &str| requests.iter().position(|asked| asked.url.ends_with(path)).unwrap();
    assert!(!names(at("/a")).contains(&"proxy-authorization") && !names(at("/b")).contains(&"proxy-authorization"));
    assert_eq!((names(at("/a")).contains(&"authorization"), names(at("/b")).contains(&"authorization")), (false, true));
}

#[test]
fn a_proxy_of_the_environment_carries_https_too() {
    let (world, authority) = (World::new(), Authority::new());
    let origin = authority.origin([127, 0, 0, 1], "feeds.example");
    origin.serves("/a", news());
    let tunnel = Tunnel::to(origin.address, CREDENTIALS);
    let lines = format!("ca_file = \"{}\"\nproxy = \"environment\"", authority.file(world.folder.path()).display());
    configure(&world, "", &[("a", "https://feeds.example/a", &lines)]);
    check_read(&poll(&world, &[("HTTPS_PROXY", &format!("me:geheim@{}", tunnel.address))])[0]);
    assert_eq!((tunnel.heads().len(), origin.requests().len()), (1, 1));
}

#[test]
fn a_proxy_that_is_down_or_refuses_is_told_as_such() {
    let (world, authority) = (World::new(), Authority::new());
    let origin = authority.origin([127, 0, 0, 1], "feeds.example");
    let (tunnel, refusing) = (Tunnel::to(origin.address, CREDENTIALS), Origin::start());
    refusing.answers("http://feeds.example/c", status(407));
    let down = Origin::start().address();
    let through = |address: std::net::SocketAddr| format!("proxy = \"http://me:geheim@{address}\"");
    let (down, wrong, refusing) =
        (through(down), through(tunnel.address).replace("geheim", "falsch"), through(refusing.address()));
    fs::write(world.folder.path().join("proxy.address"), "geheim").unwrap();
    let feeds = [
        ("down", "http://feeds.example/a", &*down),
        ("down-tls", "https://feeds.example/a", &*down),
        ("wrong-tls", "https://feeds.example/b", &*wrong),
        ("wrong", "http://feeds.example/c", &*refusing),
        ("odd", "http://feeds.example/d", "proxy = { file = \"proxy.address\" }"),
        ("missing", "http://feeds.example/e", "proxy = { file = \"nowhere\" }"),
        ("itself", "http://proxy.invalid:1/", "proxy = \"http://me:geheim@proxy.invalid:1\""),
    ];
    configure(&world, "", &feeds);
    let told = poll(&world, &[]);
    for at in [0, 1] {
        check_failed(
            &told[at],
            &["proxy 127.0.0.1 did not let us through to feeds.example", "refused", "check `proxy`"],
        );
    }
    check_failed(&told[2], &["proxy 127.0.0.1 did not let us through to feeds.example: proxy authorization required"]);
    check_failed(&told[3], &["407 Proxy Authentication Required; the proxy wants a name and password"]);
    check_failed(&told[4], &["`proxy` cannot be used", "proxy.address) holds no address"]);
    check_failed(&told[5], &["`proxy` cannot be used", "nowhere`: No such file"]);
    check_failed(&told[6], &["proxy.invalid is the proxy itself"]);
}

// Secrets.

#[test]
fn a_credential_that_systemd_hands_over_is_sent_and_one_that_is_missing_fails_its_feed_only() {
    let (world, origin) = (World::new(), Origin::start());
    origin.answers("/a", document(news()));
    origin.answers("/b", document(news()));
    let credentials = world.folder.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(credentials.join("intranet"), "geheim\n").unwrap();
    let auth = |name: &str| format!("auth = {{ user = \"me\", password = {{ credential = \"{name}\" }} }}");
    let (a, b) = (origin.url("/a"), origin.url("/b"));
    configure(&world, "", &[("a", a.as_str(), &auth("intranet")), ("b", b.as_str(), &auth("extranet"))]);

    let told = poll(&world, &[("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())]);
    check_read(&told[0]);
    assert_eq!(origin.requests("/a")[0].header("authorization"), Some(CREDENTIALS));
    check_failed(&told[1], &["`auth` cannot be used", "credentials/extranet`: No such file"]);
    assert!(origin.requests("/b").is_empty());

    check_failed(&poll(&world, &[])[0], &["credential `intranet`: $CREDENTIALS_DIRECTORY is not set"]);
    assert_eq!(origin.requests("/a").len(), 1, "nothing is sent without it");
}

#[test]
fn a_password_and_a_header_in_the_config_are_sent_and_never_told() {
    let (world, origin) = (World::new(), Origin::start());
    origin.answers("/a", status(404));
    let lines = "auth = { user = \"me\", password = \"geheim\" }\nheaders = { X-Key = \"geheim\" }";
    configure(&world, "", &[("a", origin.url("/a").as_str(), lines)]);
    check_failed(&poll(&world, &[])[0], &["404 Not Found"]);
    let seen = &origin.requests("/a")[0];
    assert_eq!((seen.header("authorization"), seen.header("x-key")), (Some(CREDENTIALS), Some("geheim")));
}
