//! Pages that everybody can read: axe-core, in a real Chromium, finds nothing against WCAG 2.2 AA.
//!
//! Runs where `VEILLE_AXE` names a copy of `axe.min.js` (`npm install axe-core`) and `chromium` can be started; says so
//! and passes elsewhere.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::origin::{document, status};
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

const PAGES: [&str; 10] = [
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

/// Returns what axe finds wrong in a page, on a screen of this size; in dark colours if `is_dark`.
fn violations(axe: &str, world: &World, page: &str, size: &str, is_dark: bool) -> String {
    let mut style = fs::read_to_string(world.published("style.css")).unwrap();
    if is_dark {
        style = style.replace("(prefers-color-scheme: dark)", "all");
    }
    let html = fs::read_to_string(world.published(page)).unwrap();
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

#[test]
fn axe_finds_nothing_in_any_page() {
    let axe = std::env::var("VEILLE_AXE").ok().and_then(|file| fs::read_to_string(Path::new(&file)).ok());
    let has_chromium = Command::new("chromium").arg("--version").output().is_ok_and(|output| output.status.success());
    let Some(axe) = axe.filter(|_| has_chromium) else {
        eprintln!("skipped: VEILLE_AXE names no axe.min.js, or there is no chromium");
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
    }
}
