//! Search over what is published: at `/search/`, from memory, and from the browser's address bar.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::origin::document;
use crate::world::{Daemon, TOPIC, World, item, justice, rss};

/// News that three months brought, and one of no topic.
fn world() -> World {
    let old = item("vieux", "École numérique d’avant", "Un texte ancien sur les tablettes.", &[]);
    let news = [
        item("plan", "Le plan pour l’école numérique", "Les lycées reçoivent des tablettes, par e-mail.", &[]),
        item("tablettes", "École numérique : les tablettes arrivent", "Un texte.", &[]),
        old.replace("23 Nov 2026", "23 Sep 2026"),
        justice(),
    ];
    World::new().feed("education", [document(rss(&news))]).with("dedup = false")
}

/// Asks until the search has found something.
fn search(daemon: &Daemon, query: &str) -> String {
    daemon.until(&format!("/search/?{query}"), |page| page.contains("<article>"))
}

/// The links to the stories of a page, in order.
fn links(page: &str) -> Vec<&str> {
    let links = page.split("<h2><a href=\"").skip(1);
    links.map(|link| link.split('"').next().unwrap().rsplit('/').next().unwrap()).collect()
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn what_is_published_is_found_with_the_words_marked_titles_first_and_nothing_else() {
    let world = world();
    let daemon = world.run();
    let page = search(&daemon, "q=tablette");
    assert_eq!(links(&page), ["tablettes", "plan", "vieux"]);
    assert!(
        page.contains("les <mark>tablettes</mark> arrivent") && page.contains("des <mark>tablettes</mark>,"),
        "{page}"
    );
    assert!(page.contains("3 nouvelles trouvées") && page.contains("depuis septembre 2026"), "{page}");
    assert_eq!(links(&search(&daemon, "q=%22%C3%A9cole+num%C3%A9rique%22+email&topic=numerique-educatif")), ["plan"]);
    for hidden in ["justice", "mineurs", "ministere"] {
        let (_, page) = daemon.get(&format!("/search/?q={hidden}"), "");
        assert!(page.contains("Aucune nouvelle trouvée"), "{page}");
    }
}

#[test]
fn a_search_is_for_people_and_not_for_search_engines() {
    let world = world();
    let daemon = world.run();
    search(&daemon, "q=plan");
    let (head, page) = daemon.get("/search/?q=plan", "");
    assert!(head.contains("x-robots-tag: noindex") && page.contains("content=\"noindex\""), "{head}");
    let policy = |head: &str| head.lines().find(|line| line.starts_with("content-security-policy")).unwrap().to_owned();
    assert_eq!(policy(&head), policy(&daemon.get("/", "").0));
    let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let (again, body) = daemon.get("/search/?q=plan", &format!("If-None-Match: {etag}\r\n"));
    assert_eq!((status(&again), &*body), (304, ""));
    let (moved, _) = daemon.get("/search?q=plan+b", "");
    assert!(status(&moved) == 301 && moved.contains("location: search/?q=plan+b"), "{moved}");
}

#[test]
fn browsers_learn_how_to_search() {
    let world = world();
    world.succeeds(&["poll"]);
    let home = fs::read_to_string(world.published("index.html")).unwrap();
    assert!(home.contains("<link rel=\"search\" type=\"application/opensearchdescription+xml\""), "{home}");
    let described = fs::read_to_string(world.published("opensearch.xml")).unwrap();
    assert!(described.contains("template=\"http://127.0.0.1:8080/search/?q={searchTerms}\""), "{described}");
    let page = fs::read_to_string(world.published("search/index.html")).unwrap();
    assert!(page.contains("simples fichiers") && !page.contains("<form"), "{page}");
}

#[test]
fn after_a_restart_and_a_withdrawal_what_is_shown_is_found() {
    let text = "La ministre a présenté ce matin devant les recteurs le plan qui doit équiper chaque école rurale.";
    let news = |day: u32| {
        let item = item(&format!("n{day}"), &format!("École numérique {day}"), text, &[]);
        item.replace("Mon, 23 Nov 2026", &format!("{day:02} Nov 2024"))
    };
    let feed = |days: &mut dyn Iterator<Item = u32>| document(rss(&days.map(news).collect::<Vec<_>>()));
    let answers = [feed(&mut (1..=10).rev()), feed(&mut (1..=10).rev().filter(|day| *day != 6))];
    let lines = "dedup = false\n[dedup]\nwithdrawn_after = \"0s\"";
    let world = World::new().feed("education", answers).with(lines);
    drop({
        let daemon = world.run();
        assert_eq!(links(&search(&daemon, "q=numerique+6")), ["n6"]);
        daemon
    });
    let daemon = world.run();
    assert_eq!(links(&search(&daemon, "q=numerique+6")), ["n6"]);
    world.succeeds(&["poll", "--force"]);
    daemon.until("/search/?q=numerique+6", |page| page.contains("Aucune nouvelle"));
    assert_eq!(links(&search(&daemon, "q=numerique+7")), ["n7"]);
    world.write_config(&format!("{}[publish]\nsearch = false\n", TOPIC.replace("numerique-educatif", "autre")));
    daemon.until("/autre.atom", |body| body.contains("<feed"));
    assert_eq!(status(&daemon.get("/search/?q=numerique", "").0), 404);
}

#[test]
fn without_search_nothing_names_it() {
    let world = world().with("[publish]\nsearch = false");
    let daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("tablettes"));
    for path in ["/search/?q=plan", "/search/", "/opensearch.xml"] {
        assert_eq!(status(&daemon.get(path, "").0), 404, "{path}");
    }
    assert!(!daemon.get("/", "").1.contains("search"));
    assert!(daemon.get("/metrics", "").1.contains("veille_search_bytes 0.0"));
}

#[test]
fn hostile_searches_are_refused_quickly_and_keep_nobody_from_reading() {
    let world = world();
    let daemon = world.run();
    search(&daemon, "q=plan");
    for (query, expected) in [
        (format!("q={}", "a".repeat(60_000)), 414),
        (format!("q={}", "mot+".repeat(10_000)), 414),
        (format!("q={}", "a".repeat(500)), 400),
        (format!("q={}", "a+".repeat(50)), 400),
        ("q=%FF%FE%00".into(), 400),
        ("q=plan&page=-1".into(), 400),
        ("q=plan&page=99999999999999999999".into(), 400),
        ("q=plan&topic=../../etc/passwd".into(), 400),
        ("q=%00%01%1b%7f".into(), 200),
        ("q=%zz%".into(), 200),
        ("q=%22%22%22%22+%C2%AB".into(), 200),
        (format!("q=%22{}%22", "a-b-c-d-e-f+".repeat(30)), 200),
        ("q=*&page=1&q=%FF".into(), 200),
    ] {
        let (head, page) = daemon.get(&format!("/search/?{query}"), "");
        assert_eq!(status(&head), expected, "{}", &query[..query.len().min(60)]);
        assert!(page.len() < 10_000 && !page.contains('\0'), "{}", &query[..query.len().min(60)]);
    }
    let (_, page) = daemon.get("/search/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&topic=", "");
    assert!(!page.contains("<script") && page.contains("Aucune nouvelle"), "{page}");
    let mut stream = TcpStream::connect(&daemon.address).unwrap();
    let _ = write!(stream, "GET /search/?q={} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(1 << 20));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(status(&daemon.get("/numerique-educatif.atom", "").0), 200);
    assert_eq!(links(&search(&daemon, "q=plan")), ["plan"]);
}

#[test]
fn a_small_memory_searches_the_newest() {
    let text = |day: u32| (0..150).map(|word| format!("mot{} ", day * 1_009 + word * 7)).collect::<String>();
    let news: Vec<String> = (1..=9)
        .flat_map(|month| {
            (1..=28).map(move |day| {
                let name = format!("n{month}-{day}");
                let item = item(&name, &format!("École numérique {name}"), &text(month * 28 + day), &[]);
                item.replace(
                    "Mon, 23 Nov 2026",
                    &format!("{day:02} 0{month} 2026").replace(
                        &format!(" 0{month} "),
                        &format!(
                            " {} ",
                            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep"][month as usize - 1]
                        ),
                    ),
                )
            })
        })
        .rev()
        .collect();
    let world = World::new()
        .feed("education", [document(rss(&news))])
        .with("dedup = false\n[publish]\nsearch_memory = \"64 KiB\"");
    let daemon = world.run();
    let newest = search(&daemon, "q=numerique+28");
    assert_eq!(links(&newest)[0], "n9-28");
    let bytes: f64 = {
        let (_, metrics) = daemon.get("/metrics", "");
        metrics.lines().find_map(|line| line.strip_prefix("veille_search_bytes ")).unwrap().parse().unwrap()
    };
    assert!(bytes > 30_000.0 && bytes <= 65_536.0, "{bytes}");
    assert!(daemon.get("/search/?q=%22numerique+n1+3%22", "").1.contains("Aucune nouvelle"));
}
