//! The book in `docs`, held against the program: what it shows works, and where it leads is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

use crate::demo::Demo;
use crate::world::stderr;

/// Topics, feeds and so on of which an example is a part: those that it does not define itself are put before it.
const AROUND: [(&str, &str); 5] = [
    ("id = \"laicite\"", "[[topic]]\nid = \"laicite\"\nany = [\"laïcité\"]\n"),
    ("id = \"numerique-educatif\"", "[[topic]]\nid = \"numerique-educatif\"\nany = [\"école numérique\"]\n"),
    ("id = \"harcelement-scolaire\"", "[[topic]]\nid = \"harcelement-scolaire\"\nany = [\"harcèlement\"]\n"),
    ("[[feed]]", "[[feed]]\nid = \"exemple\"\nurl = \"https://exemple.example/rss.xml\"\n"),
    ("[site]", "[site]\ncontact = \"mailto:admin@example.org\"\n"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The pages of documentation: the chapters, and those for a person who has the sources. By path from the root.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
            pages.insert(format!("docs/{name}"), fs::read_to_string(root().join("docs").join(name)).unwrap());
        }
    }
    for name in ["README.md", "CONTRIBUTING.md", "SECURITY.md", "ARCHITECTURE.md"] {
        pages.insert(name.to_owned(), fs::read_to_string(root().join(name)).unwrap());
    }
    pages
}

/// A block of code: its language and its text.
type Block = (String, String);

/// The blocks of a page, and the page without them.
fn parted(page: &str) -> (Vec<Block>, String) {
    let (mut blocks, mut prose, mut open): (Vec<Block>, String, Option<Block>) = (Vec::new(), String::new(), None);
    for line in page.lines() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (None, None) => prose += &format!("{line}\n"),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, text)), None) => *text += &format!("{line}\n"),
        }
    }
    assert!(open.is_none(), "a block of code has no end: {page}");
    (blocks, prose)
}

/// The anchor that mdBook and forges make of a heading.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || ['-', '_', ' '].contains(c);
    heading.trim().to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The anchors of a page; headings that are alike are numbered.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let headings = parted(page)
        .1
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')))
        .map(anchor)
        .collect::<Vec<_>>();
    let numbered = headings.into_iter().map(|anchor| {
        let before = seen.entry(anchor.clone()).or_default();
        *before += 1;
        if *before == 1 { anchor } else { format!("{anchor}-{}", *before - 1) }
    });
    numbered.collect()
}

/// The places that links and pictures of a page lead to, without those in code.
fn targets(page: &str) -> Vec<String> {
    let code = Regex::new("`[^`]*`").unwrap();
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    // The text of a link may be code, its target is none.
    let prose = parted(page).1;
    let prose = code.replace_all(&prose, "code");
    link.captures_iter(&prose).map(|found| found[1].to_owned()).collect()
}

#[test]
fn each_config_that_a_page_shows_passes_check_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let mut shown = 0;
    for (name, page) in pages() {
        for (_, block) in parted(&page).0.into_iter().filter(|(language, _)| language == "toml") {
            let before: String =
                AROUND.iter().filter(|(mark, _)| !block.contains(mark)).map(|(_, text)| *text).collect();
            fs::write(&path, format!("{before}\n{block}")).unwrap();
            let check = ["--config", path.to_str().unwrap(), "check"];
            let output = Command::new(env!("CARGO_BIN_EXE_veille"))
                .args(check)
                .env("CREDENTIALS_DIRECTORY", folder.path())
                .output()
                .unwrap();
            assert!(output.status.success() && stderr(&output).is_empty(), "{name}: {}\n{block}", stderr(&output));
            shown += 1;
        }
    }
    assert!(shown > 20, "{shown}");
}

#[test]
fn what_a_chapter_shows_of_the_demo_is_what_the_demo_prints() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("demo");
    let mut demo = Demo::start(&["--port", "0", "--keep", folder.to_str().unwrap()]);
    demo.address();
    demo.ends("TERM");
    let (blocks, _) = parted(&pages()["docs/deciding.md"]);
    let mut shown = 0;
    for pair in blocks.windows(2).filter(|pair| pair[0].0 == "sh" && pair[1].0 == "text") {
        let line = pair[0].1.trim().strip_prefix("veille ").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_veille"))
            .args(line.split_whitespace())
            .env("VEILLE_CONFIG", folder.join("config.toml"))
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout.clone()).unwrap();
        for expected in pair[1].1.lines() {
            assert!(printed.contains(expected.trim()), "`veille {line}` does not print `{expected}`:\n{printed}");
            shown += 1;
        }
    }
    assert!(shown > 10, "{shown}");
}

#[test]
fn each_link_of_a_page_leads_to_a_file_and_an_anchor_that_are_there() {
    let pages = pages();
    for (name, page) in &pages {
        let folder = Path::new(name).parent().unwrap();
        for target in targets(page) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = if file.is_empty() { name.clone() } else { normal(&folder.join(file)) };
            assert!(root().join(&path).exists(), "{name}: {target}: there is no `{path}`");
            if !anchor.is_empty() {
                let there = pages.get(&path).map(|page| anchors(page)).unwrap_or_default();
                assert!(there.contains(anchor), "{name}: {target}: {there:?}");
            }
            let is_chapter = name.starts_with("docs/");
            assert!(!is_chapter || path.starts_with("docs/"), "{name}: {target} leads out of the book");
        }
    }
}

/// A path without `..`.
fn normal(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.to_str().unwrap().split('/') {
        match part {
            ".." => assert!(parts.pop().is_some(), "{}", path.display()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn each_chapter_is_in_the_table_of_contents_once_and_begins_with_its_title() {
    let pages = pages();
    let listed = targets(&pages["docs/SUMMARY.md"]);
    let written: Vec<&str> =
        pages.keys().filter_map(|name| name.strip_prefix("docs/")).filter(|name| *name != "SUMMARY.md").collect();
    let mut sorted = listed.clone();
    sorted.sort();
    assert_eq!(sorted, written);
    for name in written {
        assert!(pages[&format!("docs/{name}")].starts_with("# "), "{name}");
    }
}

#[test]
fn no_page_makes_a_browser_ask_another_site_and_pictures_are_small() {
    let code = Regex::new("`[^`]*`").unwrap();
    let picture = Regex::new(r"!\[[^\]]*\]\(([^)]+)\)").unwrap();
    for (name, page) in pages() {
        let prose = parted(&page).1;
        for found in picture.captures_iter(&prose) {
            let path = root().join(Path::new(&name).parent().unwrap()).join(&found[1]);
            let size = fs::metadata(&path).unwrap_or_else(|error| panic!("{name}: {}: {error}", &found[1])).len();
            assert!(size <= 100 << 10, "{name}: {}: {size} bytes", &found[1]);
        }
        let outside = code.replace_all(&prose, "");
        for tag in ["<script", "<img", "<iframe", "<link", "<style"] {
            assert!(!outside.contains(tag), "{name}: {tag}");
        }
    }
}
