//! The layers of the house, read off the sources: dependencies point one way, and each foreign crate has one home.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Pure modules: they know each other and nothing above.
const WORDS: [&str; 8] = ["config", "feed", "outage", "schedule", "state", "story", "text", "topic"];

/// Stages: they know words and never each other.
const STAGES: [&str; 6] = ["dedup", "fetch", "parse", "publish", "store", "tag"];

/// Composition: it knows all, and nothing below knows it.
const COMPOSITION: [&str; 6] = ["cli", "daemon", "metrics", "pipeline", "readers", "serve"];

/// Foreign crates whose types stay in one file or folder under `src`.
const HOMES: [(&str, &str); 38] = [
    ("ammonia", "parse/"),
    ("annotate_snippets", "config/"),
    ("arc_swap", "serve/"),
    ("askama", "publish/"),
    ("async_compression", "fetch/body"),
    ("atom_syndication", "publish/"),
    ("base64", "parse/"),
    ("brotli", "publish/"),
    ("chardetng", "parse/"),
    ("clap", "cli"),
    ("clap_complete", "cli"),
    ("clap_mangen", "cli"),
    ("cron", "schedule"),
    ("dom_query", "parse/article/"),
    ("dom_smoothie", "parse/article/"),
    ("encoding_rs", "parse/"),
    ("feed_rs", "parse/"),
    ("html5ever", "text/"),
    ("http_body_util", "serve"),
    ("httpdate", "serve/"),
    ("hyper", "serve"),
    ("hyper_util", "serve"),
    ("indicatif", "cli"),
    ("listenfd", "daemon/"),
    ("nix", "fetch/"),
    ("prometheus_client", "metrics"),
    ("quick_xml", "parse/"),
    ("reqwest", "fetch/"),
    ("rusqlite", "store/"),
    ("sd_notify", "daemon/"),
    ("strsim", "config/"),
    ("toml", "config/"),
    ("toml_edit", "config/"),
    ("tracing_subscriber", "cli/"),
    ("unicode_normalization", "text/"),
    ("uuid", "dedup/"),
    ("whatlang", "text/"),
    ("zstd", "publish/"),
];

fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    assert!(files.len() > 20, "the sources were not found");
    files
}

/// The module at the crate's root that a file belongs to.
fn module(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// Lines of code, comments taken away.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap())
}

/// Says which of `forbidden` a line names as `crate::…`.
fn names<'a>(line: &str, forbidden: &[&'a str]) -> Option<&'a str> {
    forbidden.iter().copied().find(|module| {
        line.match_indices(&format!("crate::{module}"))
            .any(|(start, found)| !line[start + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

#[test]
fn words_know_no_stage_and_nothing_of_the_composition() {
    let mut above = STAGES.to_vec();
    above.extend(COMPOSITION);
    for (file, text) in sources().iter().filter(|(file, _)| WORDS.contains(&module(file))) {
        for line in code(text) {
            assert_eq!(names(line, &above), None, "{file}: {line}");
        }
    }
}

#[test]
fn stages_know_no_other_stage_and_nothing_of_the_composition() {
    for (file, text) in sources().iter().filter(|(file, _)| STAGES.contains(&module(file))) {
        let mut others: Vec<&str> = STAGES.into_iter().filter(|stage| *stage != module(file)).collect();
        others.extend(COMPOSITION);
        for line in code(text) {
            assert_eq!(names(line, &others), None, "{file}: {line}");
        }
    }
}

#[test]
fn each_module_has_its_layer() {
    for module in sources().keys().map(|file| module(file)).filter(|module| !["lib", "main"].contains(module)) {
        let layers = [&WORDS[..], &STAGES, &COMPOSITION];
        assert_eq!(layers.iter().filter(|layer| layer.contains(&module)).count(), 1, "{module}");
    }
}

#[test]
fn each_foreign_crate_has_one_home() {
    for (file, text) in &sources() {
        for (foreign, _) in HOMES.iter().filter(|(_, home)| !file.starts_with(home)) {
            let path = format!("{foreign}::");
            for line in code(text) {
                let used = line
                    .match_indices(&path)
                    .any(|(start, _)| !line[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'));
                assert!(!used, "{foreign} shows in {file}: {line}");
            }
        }
    }
}

#[test]
fn only_the_composition_reads_the_clock() {
    let above = ["daemon", "cli", "main", "pipeline"];
    for (file, text) in sources().iter().filter(|(file, _)| !above.contains(&module(file))) {
        for line in code(text) {
            assert!(!line.contains("Utc::now") && !line.contains("SystemTime::now"), "{file} reads the clock: {line}");
        }
    }
}
