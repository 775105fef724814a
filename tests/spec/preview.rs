//! The preview: a page for one person on this machine that follows the config as it is saved.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::origin::{document, status};
use crate::world::{TOPIC, World, item, justice, partnership, rss, stderr};

const PATIENCE: Duration = Duration::from_secs(20);

const JUSTICE: &str = r#"
[[topic]]
id = "justice"
title = "Justice"
any = ["justice des mineurs"]
"#;

/// Nothing is in it, but a story of the world is near.
const TABLETS: &str = r#"
[[topic]]
id = "tablettes"
title = "Tablettes"
threshold = 8.0
[[topic.rule]]
name = "appareils"
weight = 2.0
any = ["tablette"]
"#;

fn polled(world: World) -> World {
    let far = item("tablettes", "Des tablettes et des cahiers", "Six cents appareils pour les collégiens.", &[]);
    let world = world.feed("education", [document(rss(&[partnership(), justice(), far])).etag("\"v1\"")]);
    world.succeeds(&["poll"]);
    world
}

/// A preview under way; killed when dropped.
pub(crate) struct Preview {
    child: Child,
    host: String,
    token: String,
}

impl Preview {
    pub(crate) fn start(world: &World) -> Self {
        Self::started(world.command(&["preview"]))
    }

    fn started(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (host, token) = line.trim().strip_prefix("http://").unwrap().split_once('/').unwrap();
        Self { child, host: host.to_owned(), token: token.trim_end_matches('/').to_owned() }
    }

    /// Sends a request as it is written, and returns head and body.
    fn send(&self, request: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // A server that refuses a body may close before it has all of it.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        (head.to_owned(), body.to_owned())
    }

    fn ask(&self, path: &str, host: &str, headers: &str) -> (String, String) {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"))
    }

    pub(crate) fn get(&self, below: &str) -> (String, String) {
        self.ask(&format!("/{}/{below}", self.token), &self.host, "")
    }

    fn page(&self, below: &str) -> String {
        let (head, body) = self.get(below);
        assert!(head.starts_with("HTTP/1.1 200"), "{below}: {head}");
        body
    }

    fn post(&self, below: &str, form: &str) -> (String, String) {
        self.send(&format!(
            "POST /{}/{below} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            self.token,
            form.len(),
            host = self.host,
        ))
    }

    /// Reloads until the page fits, as an editor without scripts would.
    pub(crate) fn until(&self, below: &str, fits: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let body = self.page(below);
            if fits(&body) {
                return body;
            }
            assert!(Instant::now() < end, "{below} never became what was expected:\n{body}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the first config is tried.
    pub(crate) fn ready(&self) -> String {
        self.until("", |body| body.contains("and tried on"))
    }

    fn events(&self) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET /{}/events HTTP/1.1\r\nHost: {}\r\n\r\n", self.token, self.host).unwrap();
        BufReader::new(stream)
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    fn ends(&mut self) -> Option<i32> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < end, "the preview did not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Preview {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number of the next event.
fn version(events: &mut BufReader<TcpStream>) -> u64 {
    loop {
        let mut line = String::new();
        assert!(events.read_line(&mut line).unwrap() > 0, "the stream has ended");
        if let Some(version) = line.strip_prefix("data: ") {
            return version.trim().parse().unwrap();
        }
    }
}

/// The text of a page as people see it.
fn text(html: &str) -> String {
    let html = html.replace("<code>", "").replace("</code>", "");
    let without_tags = regex::Regex::new("<[^>]*>").unwrap().replace_all(&html, " ").into_owned();
    let text = without_tags.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"").replace("&#39;", "'");
    text.replace("&#38;", "&").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_saved_change_shows_with_what_it_brings_and_why() {
    let world = polled(World::new());
    let preview = Preview::start(&world);
    let home = preview.ready();
    assert!(home.contains("topic/numerique-educatif") && !home.contains("topic/justice"), "{home}");
    world.write_config(&format!("{TOPIC}{JUSTICE}"));
    let home = text(&preview.until("", |body| body.contains("topic/justice")));
    assert!(home.contains("Justice new +1 – 0 → 1") && home.contains("Numérique éducatif – – 1"), "{home}");
    let page = preview.page("topic/justice");
    assert!(page.contains("class=\"mark gained\"") && page.contains("<article "), "{page}");
    let page = text(&page);
    assert!(page.contains("Réforme de la justice des mineurs"), "{page}");
    assert!(page.contains("9 of 9 points: +9") || page.contains("+9 justice des mineurs (title)"), "{page}");
    assert!(page.contains("« Réforme de la justice des mineurs »"), "the words are quoted: {page}");
    assert!(page.contains("Rule, term Stories Alone Points Last seen justice des mineurs 1 1 +9"), "{page}");

    world.write_config(JUSTICE);
    let home = text(&preview.until("", |body| body.contains("numerique-educatif.atom")));
    assert!(home.contains("numerique-educatif gone – −1 1 → 0") && home.contains("write aliases = ["), "{home}");
}

#[test]
fn topics_that_stay_as_they_are_keep_their_figures_whatever_becomes_of_others() {
    let world = polled(World::new());
    let preview = Preview::start(&world);
    preview.ready();
    let row = |name: &str| {
        let home = text(&preview.until("", |body| body.contains("and tried on")));
        let (_, rest) = home.split_once(name).unwrap_or_else(|| panic!("{name} is not in {home}"));
        rest.split_whitespace().take(5).collect::<Vec<_>>().join(" ")
    };
    world.write_config(&format!("{TOPIC}{JUSTICE}"));
    preview.until("", |body| body.contains("topic/justice"));
    world.write_config(&format!("{TOPIC}{JUSTICE}{TABLETS}"));
    preview.until("", |body| body.contains("topic/tablettes"));
    assert!(row("Justice").starts_with("new +1 – 0 →"), "{}", row("Justice"));
    assert!(row("Numérique éducatif").starts_with("– – 1"), "{}", row("Numérique éducatif"));
    // A topic that leaves out what another one has depends on that one's rules.
    let others = JUSTICE
        .replace("any", "exclude = [\"tablettes\"]\nany")
        .replace("justice des mineurs\"", "mineurs\", \"tablette\"");
    world.write_config(&format!("{TOPIC}{others}{TABLETS}"));
    preview.until("topic/justice", |body| text(body).contains("0 stories now, 2 then"));
    world.write_config(&format!("{TOPIC}{others}{}", TABLETS.replace("8.0", "4.0")));
    preview.until("topic/justice", |body| text(body).contains("0 stories now, 1 then"));
    // One is renamed, and another one goes.
    world.write_config(&format!("{}{JUSTICE}", TOPIC.replace("numerique-educatif", "ecole-numerique")));
    let home = text(&preview.until("", |body| body.contains("topic/ecole-numerique")));
    assert!(home.contains("write aliases = [\"numerique-educatif\"] in topic ecole-numerique"), "{home}");
    world.write_config(&format!("{TOPIC}{JUSTICE}"));
    preview.until("", |body| body.contains("topic/numerique-educatif") && !body.contains("is gone"));
    let page = text(&preview.page("topic/numerique-educatif"));
    assert!(page.contains("1 story now, 1 then") && page.contains("Signature d’un partenariat"), "{page}");
}

#[test]
fn a_broken_file_is_told_as_check_tells_it_and_the_last_good_one_stays() {
    let world = polled(World::new());
    let preview = Preview::start(&world);
    preview.ready();
    world.write_config(&format!("{TOPIC}{}", JUSTICE.replace("any", "anny")));
    let page = preview.until("topic/numerique-educatif", |body| body.contains("The file has mistakes"));
    let check = stderr(&world.veille(&["check"]));
    assert!(check.contains("did you mean `any`?"), "{check}");
    assert!(text(&page).contains(&check.split_whitespace().collect::<Vec<_>>().join(" ")), "{check}\n{page}");
    assert!(page.contains("Signature d’un partenariat") && page.contains("Below is the last good file"), "{page}");
    fs::remove_file(world.config()).unwrap();
    preview.until("", |body| body.contains("there is no such config file"));
    world.write_config(&format!("{TOPIC}{JUSTICE}"));
    preview.until("", |body| body.contains("topic/justice") && !body.contains("The file has mistakes"));
}

#[test]
fn an_empty_topic_shows_what_is_near_and_what_would_let_it_in() {
    let world = polled(World::new());
    world.write_config(&format!("{TOPIC}{TABLETS}"));
    let preview = Preview::start(&world);
    let page = text(&preview.until("topic/tablettes", |body| body.contains("weight = ")));
    assert!(page.contains("Des tablettes et des cahiers") && page.contains("6 of 8 points, 2 lacking"), "{page}");
    let words = world.succeeds(&["words", "tablettes"]);
    for line in words.lines().filter(|line| line.contains("lacking") || line.contains("with `weight")) {
        assert!(page.contains(&line.trim().replace('`', "")), "the terminal says `{line}`\n{page}");
    }
}

#[test]
fn all_that_is_stored_can_be_searched_without_a_script() {
    let world = polled(World::new());
    let preview = Preview::start(&world);
    preview.ready();
    let page = preview.page("search?words=tablette+%22six+cent%22");
    assert!(page.contains("<form role=\"search\" action=\"search\">"), "{page}");
    assert!(page.contains("Six cents") && page.contains("<mark>"), "the hit is quoted: {page}");
    let text = text(&page);
    assert!(text.contains("1 story Des tablettes et des cahiers") && text.contains("in no topic"), "{text}");
    assert!(preview.page("search?words=xyzzy").contains("0 stories"));
    assert!(!preview.page("search?words=%22%22+-").contains("stories</h2>"), "nothing is asked for");
}

#[test]
fn a_text_an_address_and_an_entry_are_judged_by_all_topics() {
    let world = polled(World::new());
    let html = "<html><head><title>École numérique pour tous</title></head><body><p>Un texte.</p></body></html>";
    world.origin.answers("/page", [status(200).header("content-type", "text/html; charset=utf-8").body(html)]);
    let preview = Preview::start(&world);
    preview.ready();
    assert!(preview.page("try").contains("method=\"post\""));
    let (_, page) = preview.post("try", "text=L%E2%80%99%C3%A9cole+num%C3%A9rique%0D%0AUn+texte+court.");
    assert!(text(&page).contains("in Numérique éducatif in, 9 of 6 points"), "{page}");
    let address: String = url::form_urlencoded::byte_serialize(world.origin.url("/page").as_str().as_bytes()).collect();
    let (_, page) = preview.post("try", &format!("text={address}"));
    assert!(text(&page).contains("École numérique pour tous in Numérique éducatif"), "{page}");
    let number = world.json(&["entries", "--search", "partenariat", "--json"])[0]["id"].to_string();
    let page = preview.page(&format!("try?entry={number}"));
    assert!(text(&page).contains(&format!("Entry {number} of education in Numérique éducatif")), "{page}");
}

#[test]
fn an_address_that_is_not_public_is_not_asked() {
    let world = polled(World::new());
    let preview = Preview::start(&world);
    preview.ready();
    for address in
        ["http%3A%2F%2F10.0.0.1%2F", "http%3A%2F%2F169.254.169.254%2Flatest", "http%3A%2F%2F%5B%3A%3A1%5D%2F"]
    {
        let (head, page) = preview.post("try", &format!("text={address}"));
        assert!(head.starts_with("HTTP/1.1 200") && page.contains("is not public"), "{address}: {page}");
    }
}

#[test]
fn nobody_else_is_answered() {
    let world = polled(World::new());
    let preview = Preview::start(&world);
    preview.ready();
    let (host, path) = (preview.host.as_str(), format!("/{}/", preview.token));
    let port = host.rsplit(':').next().unwrap();
    let code = |answer: (String, String)| answer.0.split(' ').nth(1).unwrap_or_default().to_owned();
    for name in ["rebound.example", &format!("rebound.example:{port}"), "127.0.0.1", "127.0.0.1:1"] {
        assert_eq!(code(preview.ask(&path, name, "")), "421", "{name}");
    }
    assert_eq!(code(preview.ask(&format!("http://rebound.example{path}"), host, "")), "421");
    assert_eq!(code(preview.ask(&path, host, "Host: rebound.example\r\n")), "400");
    for origin in ["http://rebound.example", "null", &format!("https://{host}"), "http://127.0.0.1:1"] {
        assert_eq!(code(preview.ask(&path, host, &format!("Origin: {origin}\r\n"))), "403", "{origin}");
    }
    for wrong in ["/", "/events", "/0123456789abcdef0123456789abcdef/", &path.to_uppercase(), &path[..path.len() - 2]] {
        let (head, body) = preview.ask(wrong, host, "");
        assert!(head.starts_with("HTTP/1.1 404") && !body.contains(&preview.token), "{wrong}: {head}\n{body}");
    }
    assert_eq!(code(preview.ask(&path, &format!("localhost:{port}"), "")), "200");
    assert_eq!(code(preview.send(&format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))), "405");
}

#[test]
fn answers_are_kept_nowhere_and_ask_nobody() {
    let world = polled(World::new());
    let preview = Preview::start(&world);
    preview.ready();
    let (head, body) = preview.ask(&format!("/{}/topic/numerique-educatif", preview.token), &preview.host, "");
    let head = head.to_ascii_lowercase();
    let headers = [
        "cache-control: no-store",
        "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self';",
        "referrer-policy: same-origin",
        "x-content-type-options: nosniff",
    ];
    for header in headers {
        assert!(head.contains(header), "{header} is not in {head}");
    }
    assert!(!head.contains("access-control") && !head.contains("set-cookie"), "{head}");
    let loaded = regex::Regex::new("(?:src|rel=\"stylesheet\" href)=\"([^\"]*)\"").unwrap();
    let loaded: Vec<&str> = loaded.captures_iter(&body).map(|found| found.get(1).unwrap().as_str()).collect();
    assert_eq!(loaded, ["../style.css", "../preview.css", "../preview.js"]);
    assert!(!body.contains("style=") && !body.contains(" onclick") && !body.contains("<img"), "{body}");
}

#[test]
fn a_text_that_is_too_long_is_refused() {
    let world = polled(World::new());
    let preview = Preview::start(&world);
    preview.ready();
    let (head, _) = preview.post("try", &format!("text={}", "a".repeat(2 << 20)));
    assert!(head.starts_with("HTTP/1.1 413"), "{head}");
    assert!(preview.post("try", &format!("text={}", "a+".repeat(200_000))).0.starts_with("HTTP/1.1 200"));
}

#[test]
fn an_event_tells_of_each_change() {
    let world = polled(World::new());
    let preview = Preview::start(&world);
    preview.ready();
    let mut events = preview.events();
    let first = version(&mut events);
    assert!(preview.page("").contains(&format!("data-version=\"{first}\"")));
    world.write_config(&format!("{TOPIC}{JUSTICE}"));
    let next = version(&mut events);
    assert!(next > first);
    preview.until("", |body| body.contains("topic/justice"));
}

#[test]
fn news_in_the_store_shows() {
    let news = rss(&[partnership(), item("plan", "École numérique : le plan", "Texte", &[])]);
    let world = World::new().feed("education", [document(rss(&[partnership()])), document(news)]);
    world.succeeds(&["poll"]);
    let preview = Preview::start(&world);
    assert!(preview.ready().contains("tried on 1 story"));
    world.succeeds(&["poll", "--force"]);
    preview.until("", |body| body.contains("tried on 2 stories"));
    preview.until("topic/numerique-educatif", |body| body.contains("École numérique : le plan"));
}

#[test]
fn it_ends_at_once_whoever_listens() {
    let world = polled(World::new());
    for signal in ["TERM", "INT"] {
        let mut preview = Preview::start(&world);
        preview.ready();
        let mut events = preview.events();
        version(&mut events);
        let asked = Instant::now();
        preview.signal(signal);
        assert_eq!(preview.ends(), Some(0), "{signal}");
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    }
}

/// All files below a folder with their bytes, but those that stand beside an open store.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !name.ends_with("-shm") && !name.ends_with("-wal") {
            found.insert(name, fs::read(path).unwrap());
        }
    }
    found
}

#[test]
fn nothing_is_written() {
    let world = polled(World::in_a_file());
    let before = files(world.folder.path());
    let mut preview = Preview::start(&world);
    preview.ready();
    preview.page("search?words=tablette");
    preview.post("try", "text=%C3%89cole+num%C3%A9rique");
    preview.page("topic/numerique-educatif");
    preview.signal("TERM");
    preview.ends();
    let after = files(world.folder.path());
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert!(before == after, "a file has changed");
}

#[test]
fn the_store_stays_as_it_is_on_every_backend() {
    let world = polled(World::new());
    let before = world.open_store().pulse().unwrap();
    let preview = Preview::start(&world);
    preview.ready();
    preview.page("search?words=tablette");
    assert_eq!(world.open_store().pulse().unwrap().generation, before.generation);
    // A poll goes on beside it.
    world.succeeds(&["poll", "--force"]);
}

#[test]
fn a_copy_elsewhere_is_tried_on_the_usual_store() {
    let world = polled(World::in_a_file());
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("copy.toml");
    fs::write(&copy, fs::read_to_string(world.config()).unwrap() + JUSTICE).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_veille"));
    command.args(["preview", "--config"]).arg(&copy).current_dir(world.folder.path()).env_remove("VEILLE_CONFIG");
    let preview = Preview::started(command);
    let home = preview.ready();
    assert!(text(&home).contains("comparing with the store of config.toml"), "{home}");
    assert!(text(&home).contains("Justice new +1"), "{home}");
    assert!(preview.page("topic/justice").contains("Réforme de la justice"));
    assert!(preview.page("search?words=tablette").contains("Des tablettes"));
}

#[test]
fn there_has_to_be_a_store_and_a_good_file_to_begin_with() {
    let world = World::in_a_file();
    let output = world.veille(&["preview"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    world.write_config("[[topic]]\nanny = []\n");
    let output = world.veille(&["preview"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{}", stderr(&output));
}

#[test]
fn many_who_only_listen_keep_nobody_out() {
    let world = polled(World::new());
    let preview = Preview::start(&world);
    preview.ready();
    let listening: Vec<_> = (0..24).map(|_| preview.events()).collect();
    let mut refused = String::new();
    for mut events in listening {
        let mut line = String::new();
        events.read_line(&mut line).unwrap();
        let _ = write!(refused, "{} ", line.split(' ').nth(1).unwrap());
        // Kept open until the end of the test.
        std::mem::forget(events);
    }
    assert_eq!((refused.matches("200").count(), refused.matches("204").count()), (16, 8), "{refused}");
    assert!(preview.page("").contains("numerique-educatif"));
}
