//! The layers of the house, read off the sources: dependencies point one way, the types of a foreign crate stay in one
//! home, and neither two types nor two functions with different meanings have one name.
//!
//! [`paths`] resolves each path that a file names, so that no way of writing one evades these tests; what cannot be
//! resolved (an alias of the crate's root, a glob of it, `#[path]`, `include!`, `extern crate`) is refused.

mod paths;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use paths::{By, named};

/// Pure modules: they know each other and nothing above.
const WORDS: [&str; 11] =
    ["config", "disk", "feed", "outage", "outbox", "schedule", "state", "story", "text", "topic", "websub"];

/// Stages: they know words and never each other.
const STAGES: [&str; 7] = ["dedup", "fetch", "parse", "post", "publish", "store", "tag"];

/// Composition: it knows all, and nothing below knows it.
const COMPOSITION: [&str; 6] = ["cli", "daemon", "metrics", "pipeline", "readers", "serve"];

/// Foreign crates whose types stay in one file or folder under `src`. Elsewhere their functions may be called, by their
/// whole path: `html_escape::encode_text(title)`.
const HOMES: [(&str, &str); 49] = [
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
    ("flate2", "publish/"),
    ("hmac", "websub/signature"),
    ("html5ever", "text/"),
    ("http_body_util", "serve"),
    ("hyper", "serve"),
    ("hyper_util", "serve"),
    ("indicatif", "cli"),
    ("lettre", "post/mail"),
    ("listenfd", "daemon/"),
    ("mime_guess", "parse/"),
    ("nix", "fetch/"),
    ("prometheus_client", "metrics"),
    ("quick_xml", "parse/"),
    ("reqwest", "fetch/"),
    ("rusqlite", "store/sqlite/"),
    ("rustls", "store/postgres/"),
    ("rustls_native_certs", "store/postgres/"),
    ("sd_notify", "daemon/"),
    ("sha1", "websub/signature"),
    ("tempfile", "cli/"),
    ("tikv_jemallocator", "main"),
    ("tokio_postgres", "store/postgres/"),
    ("tokio_postgres_rustls", "store/postgres/"),
    ("tokio_rustls", "post/mail"),
    ("toml", "config/"),
    ("toml_edit", "config/"),
    ("tracing_subscriber", "cli/"),
    ("unicode_normalization", "text/"),
    ("unicode_segmentation", "post/text"),
    ("uuid", "dedup/identity/"),
    ("whatlang", "text/"),
    ("xattr", "cli/replace"),
];

/// Foreign crates of which functions are called, and of which no file names a type.
const FUNCTIONS: [&str; 6] = ["data_encoding", "getrandom", "html_escape", "httpdate", "percent_encoding", "strsim"];

/// Foreign crates that are as good as a part of the language: their types may be anywhere.
const EVERYWHERE: [&str; 16] = [
    "anyhow",
    "bytes",
    "chrono",
    "chrono_tz",
    "futures_util",
    "ipnet",
    "regex",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "tokio",
    "tokio_util",
    "tracing",
    "url",
    "xxhash_rust",
];

/// Names that several functions may have, since they do the same to different things; each is called by its module's name.
const SHARED: [(&str, &str); 11] = [
    ("call", "the request that a target gets: `mastodon::call`"),
    ("learn", "the facts about a target from its answer: `matrix::learn`"),
    ("question", "the request for the facts about a target: `matrix::question`"),
    ("read", "what its module is about, from text or bytes: `manifest::read`, `json::read`"),
    ("receipt", "the end of a try at a target: `webhook::receipt`"),
    ("root", "the root of a word in each language: `french::root`"),
    ("run", "a command of `cli`; `daemon::run` is one of them"),
    ("sources", "the list of sources in each format: `opml::sources`"),
    ("text", "the text of a message for a target: `channel::text`"),
    ("topic", "the document of a topic in each format: `atom::topic`"),
    ("volume", "a volume of an archive in each format: `page::volume`"),
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

/// The modules that a file must not name.
fn forbidden(file: &str) -> BTreeSet<&'static str> {
    let module = module(file);
    let mut above = BTreeSet::from(COMPOSITION);
    match module {
        _ if WORDS.contains(&module) => above.extend(STAGES),
        _ if STAGES.contains(&module) => above.extend(STAGES.into_iter().filter(|stage| *stage != module)),
        _ => above.clear(),
    }
    above
}

/// Says which paths of a file lead to a module that it must not know, or cannot be followed.
fn out_of_layer(file: &str, text: &str) -> Vec<String> {
    let forbidden = forbidden(file);
    let is_wrong = |named: &paths::Named| match named.path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["crate"] | ["crate", "*"] => named.by != By::Code,
        ["crate", module, ..] => forbidden.contains(module),
        _ => named.by == By::Detour,
    };
    let wrong = named(file, text).into_iter().filter(is_wrong);
    wrong.map(|named| format!("{file}:{}: {}", named.line, named.text())).collect()
}

/// Says which paths of a file name what belongs to the home of a foreign crate.
fn out_of_home(file: &str, text: &str) -> Vec<String> {
    let is_type = |name: &String| name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase);
    let is_wrong = |named: &paths::Named| {
        let Some((first, behind)) = named.path.split_first() else { return false };
        let home = HOMES.iter().find(|(foreign, _)| foreign == first).map(|(_, home)| *home);
        let is_elsewhere = home.is_some_and(|home| !file.starts_with(home)) || FUNCTIONS.contains(&first.as_str());
        let is_call = named.by == By::Code && !behind.iter().any(is_type);
        is_elsewhere && !is_call && !named.in_tests && (named.by == By::Use || !behind.is_empty())
    };
    let wrong = named(file, text).into_iter().filter(is_wrong);
    wrong.map(|named| format!("{file}:{}: {}", named.line, named.text())).collect()
}

/// Says where a file reads the clock.
fn clock(file: &str, text: &str) -> Vec<String> {
    let is_clock = |name: &str| ["Local", "SystemTime", "UNIX_EPOCH", "Utc"].contains(&name);
    let is_wrong = |named: &paths::Named| {
        let last = named.path.iter().map(String::as_str).rev().collect::<Vec<_>>();
        let is_read = matches!(last[..], ["now" | "elapsed" | "today", of, ..] if is_clock(of));
        // Under another name a clock would not be known.
        is_read || named.called.is_some() && last.first().is_some_and(|name| is_clock(name))
    };
    let wrong = named(file, text).into_iter().filter(is_wrong);
    wrong.map(|named| format!("{file}:{}: {}", named.line, named.text())).collect()
}

fn check(find: impl Fn(&str, &str) -> Vec<String>) {
    let wrong: Vec<String> = sources().iter().flat_map(|(file, text)| find(file, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn words_and_stages_know_nothing_above_them_and_stages_no_other_stage() {
    check(out_of_layer);
}

#[test]
fn the_root_holds_modules_only_and_each_has_its_layer() {
    let root = syn::parse_file(&sources()["lib.rs"]).unwrap();
    for item in root.items {
        let syn::Item::Mod(module) = item else { panic!("something else than a module stands in lib.rs") };
        assert!(module.content.is_none(), "{} has no file of its own", module.ident);
        let layers = [&WORDS[..], &STAGES, &COMPOSITION];
        let count = layers.iter().filter(|layer| layer.iter().any(|name| module.ident == *name)).count();
        assert_eq!(count, 1, "{}", module.ident);
    }
}

#[test]
fn templates_name_no_path() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")];
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // In a style sheet it begins a pseudo-element.
            let is_style = path.extension().is_some_and(|extension| extension == "css");
            assert!(is_style || !fs::read_to_string(&path).unwrap().contains("::"), "{}", path.display());
        }
    }
}

/// Says which sentences of a file's comments begin with a relative clause without a noun.
fn without_noun(file: &str, text: &str) -> Vec<String> {
    let start = regex::Regex::new(r"(?:^|[.!?:] )(?:What|Who|Whatever|So many|All that) [^.]*").unwrap();
    let lines = text.lines().map(|line| {
        let comment = line.trim_start().strip_prefix("//")?;
        Some(comment.trim_start_matches(['/', '!']).trim_start())
    });
    let blocks = lines.collect::<Vec<_>>();
    let blocks =
        blocks.split(Option::is_none).map(|block| block.iter().flatten().copied().collect::<Vec<_>>().join(" "));
    blocks
        .flat_map(|block| {
            start.find_iter(&block).map(|found| format!("{file}: {}", found.as_str())).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn no_comment_begins_a_sentence_with_a_clause_without_a_noun() {
    check(without_noun);
}

#[test]
fn types_of_a_foreign_crate_are_named_in_its_home_only() {
    let sources = sources();
    let program = types::of_the_program(&sources);
    let wrong: Vec<String> = program.flat_map(|(file, text)| out_of_home(file, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn types_of_a_foreign_crate_cross_no_signature_of_its_home() {
    let foreign: Vec<&str> = HOMES.iter().map(|(foreign, _)| *foreign).collect();
    check(|file, text| {
        let crossing = types::crossing(file, text, &foreign);
        crossing.into_iter().map(|signature| format!("{file}: {signature}")).collect()
    });
}

#[test]
fn each_foreign_crate_has_its_place() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&manifest).unwrap();
    let linked: BTreeSet<String> =
        manifest["dependencies"].as_table().unwrap().keys().map(|name| name.replace('-', "_")).collect();
    let homes = HOMES.iter().map(|(foreign, _)| *foreign);
    let mut placed: Vec<String> = homes.chain(FUNCTIONS).chain(EVERYWHERE).map(str::to_owned).collect();
    placed.sort();
    assert_eq!(placed, linked.into_iter().collect::<Vec<_>>());
}

#[test]
fn only_the_composition_reads_the_clock() {
    let above = ["daemon", "cli", "main", "pipeline"];
    check(|file, text| if above.contains(&module(file)) { Vec::new() } else { clock(file, text) });
}

#[test]
fn no_two_types_have_one_name() {
    let types = types::defined(&sources());
    let twice: Vec<_> = types.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:#?}");
}

/// Whether a function is the same job of the two backends of the store, each in its own way.
fn is_of_both_backends(files: &[String]) -> bool {
    let mut backends = ["store/sqlite/", "store/postgres/"].map(|backend| (backend, 0));
    for file in files {
        let of = backends.iter_mut().find(|(backend, _)| file.starts_with(*backend));
        let Some((_, count)) = of else { return false };
        *count += 1;
    }
    backends.iter().all(|(_, count)| *count == 1)
}

#[test]
fn no_two_functions_with_different_meanings_have_one_name() {
    let functions = types::functions(&sources());
    let twice = functions.iter().filter(|(_, files)| files.len() > 1 && !is_of_both_backends(files));
    let (shared, wrong): (Vec<_>, Vec<_>) =
        twice.partition(|(name, _)| SHARED.iter().any(|(shared, _)| shared == name));
    assert!(wrong.is_empty(), "{wrong:#?}");
    let names: Vec<&str> = shared.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, SHARED.map(|(name, _)| name), "a name that is shared no more");
}

#[track_caller]
fn check_seen(find: impl Fn(&str, &str) -> Vec<String>, file: &str, samples: &[&str]) {
    for text in samples {
        assert_eq!(find(file, text).len(), 1, "{text}: {:?}", named(file, text));
    }
}

#[track_caller]
fn check_passed(find: impl Fn(&str, &str) -> Vec<String>, file: &str, samples: &[&str]) {
    for text in samples {
        assert_eq!(find(file, text), [""; 0], "{text}");
    }
}

#[test]
fn no_way_of_writing_a_path_evades_the_layers() {
    let samples = [
        "use crate::fetch;",
        "use crate::{feed, fetch};",
        "use crate::{feed::{Entry, Feed}, fetch::{self as get}};",
        "use {crate::fetch::Answer as A, std::fmt};",
        "pub(crate) use crate::r#fetch::Answer;",
        "use\ncrate\n::\nfetch;",
        "use crate::/* feed:: */fetch;",
        "use super::super::fetch::Answer;",
        "use super::{super::fetch, Term};",
        "use self::super::super::fetch;",
        "mod inner { use super::super::super::fetch; }",
        "fn f() { mod inner { fn g() { super::super::super::fetch::get() } } }",
        "fn f() { crate::fetch::get() }",
        "fn f() { let g = ..crate::fetch::LAST; }",
        "fn f(of: Vec<crate::fetch::Answer>) {}",
        "fn f() { Vec::<crate::fetch::Answer>::new(); }",
        "fn f() { <crate::fetch::Answer as Default>::default(); }",
        "impl From<super::super::fetch::Answer> for Term {}",
        "fn f() { assert!(matches!(x, crate::fetch::Answer::New(_))); }",
        "macro_rules! get { () => { $crate::fetch::get() } }",
        "imported!(crate::{feed, fetch});",
        "#[serde(with = \"crate::fetch::as_text\")] struct S;",
        "#[derive(crate::fetch::Derived)] struct S;",
        "use crate as house;",
        "use crate::{self as house};",
        "use super::super as house;",
        "use crate::*;",
        "use super::super::*;",
        "extern crate self as veille;",
        "#[path = \"../fetch/mod.rs\"] mod inner;",
        "#[cfg_attr(unix, path = \"../fetch/mod.rs\")] mod inner;",
        "include!(\"../fetch/mod.rs\");",
    ];
    check_seen(out_of_layer, "topic/term.rs", &samples);
    check_seen(out_of_layer, "topic/mod.rs", &["use super::fetch;", "use super::*;", "use super as house;"]);
    check_seen(out_of_layer, "parse/xml/mod.rs", &["use crate::store::Store;", "fn f() { super::super::cli::main() }"]);
}

#[test]
fn other_paths_keep_the_layers() {
    let samples = [
        "//! Words of [`crate::fetch`].\nuse crate::feed::Entry;",
        "use super::{Term, fetch};",
        "use crate::{feed, text::{Token, one_line}};",
        "fn f() { \"crate::fetch\".len(); self.fetch.get(); fetch::get() }",
        "pub(in crate::topic) fn f() {}",
        "pub(crate) struct S;",
        "mod fetch { pub use super::Term; }",
        "fn f<'a>(of: &'a str) -> impl Iterator + use<'a> {}",
    ];
    check_passed(out_of_layer, "topic/term.rs", &samples);
    check_passed(out_of_layer, "pipeline/mod.rs", &["use crate::{fetch, store};"]);
    check_passed(out_of_layer, "fetch/mod.rs", &["use crate::fetch::body;"]);
}

#[test]
fn no_way_of_naming_a_foreign_type_evades_its_home() {
    let samples = [
        "use reqwest;",
        "use ::reqwest as web;",
        "use std::{fmt}; use {reqwest::Client};",
        "use reqwest::header::{self};",
        "fn f(of: &reqwest::Client) {}",
        "fn f() { ::reqwest::Client::new() }",
        "fn f() { return ::reqwest::Client::new(); }",
        "fn f() { assert!(x.is::<reqwest::Error>()); }",
        "#[derive(clap::Parser)] struct S;",
        "fn f() { clap::command!(); }",
        "use httpdate::HttpDate;",
        "fn f(of: httpdate::HttpDate) {}",
        "#[cfg(test)] mod tests {} mod inner { use reqwest::Client; }",
    ];
    check_seen(out_of_home, "topic/term.rs", &samples);
    let calls = [
        "fn f() { strsim::osa_distance(a, b) }",
        "fn f() { quick_xml::escape::escape(a) != b }",
        "fn f() { data_encoding::HEXLOWER.encode(a) }",
        "use crate::text::reqwest;",
        "fn reqwest() {}",
        "#[cfg(test)] mod tests { use reqwest::Client; }",
    ];
    check_passed(out_of_home, "topic/term.rs", &calls);
    check_passed(out_of_home, "fetch/client.rs", &["use reqwest::Client;"]);
}

#[test]
fn a_foreign_type_in_a_signature_that_others_see_is_found() {
    let crossing = |file: &str, text: &str| types::crossing(file, text, &["reqwest"]);
    let samples = [
        "pub use reqwest::Client;",
        "pub fn f() -> reqwest::Client {}",
        "use reqwest::{Client as Web}; pub fn f(of: Vec<Web>) {}",
        "use reqwest::header; pub struct S { pub of: header::HeaderMap }",
        "use reqwest::Client; pub type Web = Client;",
        "use reqwest::Client; pub trait Get { fn get(&self) -> Client; }",
        "use reqwest::Client; impl S { pub(crate) fn f(&self, of: &Client) {} }",
        "use reqwest::Error; pub enum E { A(Error) }",
    ];
    check_seen(crossing, "fetch/client.rs", &samples);
    let inner = [
        "use reqwest::Client; pub struct S { of: Client }",
        "use reqwest::Client; pub(super) fn f(of: Client) {}",
        "use reqwest::Client; pub fn f() { let of: Client = g(); }",
        "use reqwest::Error; pub enum E { A(#[source] Error) }",
    ];
    check_passed(crossing, "fetch/client.rs", &inner);
}

#[test]
fn no_way_of_reading_the_clock_is_overlooked() {
    let samples = [
        "fn f() { chrono::Utc::now() }",
        "use chrono::Utc as Zone;",
        "fn f() { SystemTime::now() }",
        "fn f() { std::time::SystemTime::UNIX_EPOCH.elapsed(); crate::x!(Utc::now()) }",
        "fn f() { g.map_or_else(Local::now, h) }",
    ];
    check_seen(clock, "topic/term.rs", &samples);
    check_passed(clock, "topic/term.rs", &["use chrono::Utc; fn f() { Instant::now() }"]);
}

#[test]
fn types_are_found_wherever_they_stand_but_in_tests() {
    let sources = [
        (
            "a.rs",
            "struct One; #[cfg(test)] mod tests { struct One; } #[cfg(test)] mod world; fn f() { enum Two { A } }",
        ),
        ("a/world.rs", "struct One;"),
        ("b.rs", "mod inner { pub type Two = u8; } trait Three {} union Four { a: u8 } made! { struct One; }"),
        ("c.rs", "impl Iterator for Five { type Item = One; } fn f<Two>() {}"),
    ];
    let sources = sources.map(|(file, text)| (file.to_owned(), text.to_owned()));
    let types = types::defined(&BTreeMap::from(sources));
    let counts: Vec<_> = types.iter().map(|(name, files)| (name.as_str(), files.join(" "))).collect();
    let expected = [("Four", "b.rs"), ("One", "a.rs b.rs"), ("Three", "b.rs"), ("Two", "a.rs b.rs")];
    assert_eq!(counts, expected.map(|(name, files)| (name, files.to_owned())));
}

#[test]
fn functions_are_found_if_other_files_see_them_but_in_tests() {
    let sources = [
        ("a.rs", "pub fn one() {} fn two() {} #[cfg(test)] mod tests { pub fn three() {} } #[cfg(test)] mod world;"),
        ("a/world.rs", "pub fn one() {}"),
        ("b.rs", "pub(super) async fn one() {} pub(crate) const fn two() {} impl B { pub fn three() {} }"),
    ];
    let sources = sources.map(|(file, text)| (file.to_owned(), text.to_owned()));
    let functions = types::functions(&BTreeMap::from(sources));
    let files: Vec<_> = functions.iter().map(|(name, files)| (name.as_str(), files.join(" "))).collect();
    assert_eq!(files, [("one", "a.rs b.rs".to_owned()), ("two", "b.rs".to_owned())]);
}

#[test]
fn a_sentence_without_a_noun_is_found_wherever_it_begins() {
    let samples =
        ["/// What is new.", "//! A file.\n//! Who reads it\n//! knows.", "fn f() {\n    // So: All that is left.\n}"];
    check_seen(without_noun, "a.rs", &samples);
    let others = ["// Says what is new.\nlet who = 1;", "// A\n\nWhat\n", "/// Whole.", "let text = \"What is new\";"];
    check_passed(without_noun, "a.rs", &others);
}
