//! Pages that everybody can read: axe-core, in a real Chromium, finds nothing against WCAG 2.2 AA.
//!
//! Runs where `VEILLE_AXE` names a copy of `axe.min.js` (`npm install axe-core`) and `chromium` can be started; says so
//! and passes elsewhere.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::origin::{document, status};
use crate::preview::Preview;
use crate::world::{World, item, rss};

/// Everything that a page can show: tellings, foreign words, comments, a source in trouble, a hub, a topic without news.
fn world(language: &str) -> World {
    let told = item("plan", "École numérique : le plan", &"Un texte en français. ".repeat(40), &[]);
    let foreign =
        item("en", "École numérique: the plan for all the schools of the country", "What the teachers say.", &[])
            .replace(
                "</item>",
                "<dc:language>en</dc:language><comments>https://ministere.example/en#c</comments></item>",
            );
    let long = item("long", &format!("École numérique {}", "interminablement ".repeat(40)), "", &[]);
    let bare = item("nu", "École numérique", "", &[]).replace("<link>https://ministere.example/nu</link>", "");
    let older = item("vieux", "École numérique d’avant", "Texte", &[]).replace("23 Nov", "23 Jun");
    let news = rss(&[told.clone(), foreign, long, bare, older])
        .replace("<rss ", "<rss xmlns:dc=\"http://purl.org/dc/elements/1.1/\" ");
    let again = rss(&[told.replace("ministere.example", "agence.example")]);
    let world = World::new().feed("ministere", [document(news)]).feed("agence", [document(again)]);
    let world = world.feed("mort", [status(404)]).with("[publish]\nhubs = [\"http://127.0.0.1:9/hub\"]");
    let text = fs::read_to_string(world.config()).unwrap();
    let text = text.replace("title = \"Essai\"", &format!("title = \"Essai\"\nlanguage = \"{language}\""));
    fs::write(world.config(), format!("{text}\n[[topic]]\nid = \"vide\"\ntitle = \"Vide\"\nany = [\"xyzzy\"]\n"))
        .unwrap();
    for _ in 0..4 {
        world.succeeds(&["poll", "--force"]);
    }
    world
}

const PAGES: [&str; 11] = [
    "search/index.html",
    "index.html",
    "404.html",
    "numerique-educatif/abonnement/index.html",
    "sources/ministere/index.html",
    "numerique-educatif/index.html",
    "numerique-educatif.html",
    "numerique-educatif/archive/index.html",
    "numerique-educatif/archive/2026-06/index.html",
    "sources/index.html",
    "vide/index.html",
];

/// Returns what axe finds wrong in a published page, on a screen of this size; in dark colours if `is_dark`.
fn violations(axe: &str, world: &World, page: &str, size: &str, is_dark: bool) -> String {
    let style = fs::read_to_string(world.published("style.css")).unwrap();
    let html = fs::read_to_string(world.published(page)).unwrap();
    violations_in(axe, world, (page, &html), &style, (size, is_dark))
}

/// Returns what axe finds wrong in a page with this style.
fn violations_in(
    axe: &str,
    world: &World,
    (page, html): (&str, &str),
    style: &str,
    (size, is_dark): (&str, bool),
) -> String {
    let style = if is_dark { style.replace("(prefers-color-scheme: dark)", "all") } else { style.to_owned() };
    let (head, rest) = html.split_once("<link rel=\"stylesheet\"").unwrap();
    let (body, _) = rest.split_once('>').unwrap().1.split_once("</body>").unwrap();
    let run = "axe.run().then(found => { document.title = `axe found ${JSON.stringify(found.violations.map(\
               rule => [rule.id, rule.nodes[0].html]))} in ${found.passes.length}`; });";
    let copy = world.folder.path().join("page.html");
    let scripts = format!("<script>{axe}</script><script>{run}</script>");
    fs::write(&copy, format!("{head}<style>{style}</style>{body}{scripts}</body></html>")).unwrap();
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--virtual-time-budget=10000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", world.folder.path().join("chromium").display()))
        .args([format!("--window-size={size}"), format!("file://{}", copy.display())])
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let found = dom.split("<title>axe found ").nth(1).and_then(|rest| rest.split("</title>").next());
    let (found, passed) = found.unwrap_or_else(|| panic!("axe did not run in {page}")).rsplit_once(" in ").unwrap();
    assert!(passed.parse::<u32>().unwrap() > 10, "{page}: axe looked at hardly anything");
    found.to_owned()
}

/// The text of axe, where it can be run.
fn axe_if_any() -> Option<String> {
    let axe = std::env::var("VEILLE_AXE").ok().and_then(|file| fs::read_to_string(Path::new(&file)).ok());
    let has_chromium = Command::new("chromium").arg("--version").output().is_ok_and(|output| output.status.success());
    axe.filter(|_| has_chromium)
}

const SKIPPED: &str = "skipped: VEILLE_AXE names no axe.min.js, or there is no chromium";

#[test]
fn axe_finds_nothing_in_any_page() {
    let Some(axe) = axe_if_any() else {
        eprintln!("{SKIPPED}");
        return;
    };
    for language in ["fr", "en"] {
        let world = world(language);
        for page in PAGES {
            let page = if language == "en" { &page.replace("abonnement", "subscribe") } else { page };
            for (size, is_dark) in [("390,844", false), ("1440,900", true)] {
                assert_eq!(violations(&axe, &world, page, size, is_dark), "[]", "{page}, {language}, {size}");
            }
        }
        let daemon = world.run();
        let found = daemon.until("/search/?q=ecole", |page| page.contains("<mark>"));
        let refused = daemon.get("/search/?q=%FF", "").1;
        let style = fs::read_to_string(world.published("style.css")).unwrap();
        for page in [("found", found.as_str()), ("refused", refused.as_str())] {
            for looks in [("390,844", false), ("1440,900", true)] {
                let found = violations_in(&axe, &world, page, &style, looks);
                assert_eq!(found, "[]", "{page:?}, {language}, {looks:?}");
            }
        }
    }
}

#[test]
fn axe_finds_nothing_in_a_preview() {
    let Some(axe) = axe_if_any() else {
        eprintln!("{SKIPPED}");
        return;
    };
    let world = world("fr");
    let style = concat!(include_str!("../../templates/style.css"), include_str!("../../templates/preview/preview.css"));
    let preview = Preview::start(&world);
    preview.ready();
    let config = fs::read_to_string(world.config()).unwrap();
    let check = |name: &str, html: &str| {
        for looks in [("390,844", false), ("1280,900", true)] {
            assert_eq!(violations_in(&axe, &world, (name, html), style, looks), "[]", "{name}, {looks:?}");
        }
    };
    fs::write(world.config(), config.replace("\"école numérique\"", "\"plan\", \"absent\"")).unwrap();
    preview.until("topic/numerique-educatif", |page| page.contains("mark lost"));
    for below in ["", "topic/numerique-educatif", "topic/vide", "search?words=plan", "try?entry=1", "nowhere"] {
        check(below, &preview.get(below).1);
    }
    fs::write(world.config(), "anny = 1").unwrap();
    check("broken", &preview.until("", |page| page.contains("The file has mistakes")));
}
