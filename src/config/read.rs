//! From a file to a [`Config`], or to everything that is wrong with it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::mem;
use std::path::{Component, Path, PathBuf};

use super::access::{DATABASE, SECRET};
use super::diagnostic::{Diagnosis, Invalid, Problems};
use super::findings::Findings;
use super::keys::{
    DedupSettings, PollSettings, PostTable, PublishSettings, ROOT, ServeSettings, Site, Source, StoreSettings,
    TopicDefaults, TopicTable,
};
use super::section::Section;
use super::values::{PATH, ZONE};
use super::{Config, posts, sources, topics, tree};
use crate::topic::Topic;
use chrono::TimeDelta;
use chrono_tz::Tz;

/// Largest config file. Ten thousand feeds take about 2 MB; a log or a database that is named by mistake takes more.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Reads and validates a config file.
///
/// # Errors
/// Everything that is wrong with it, or why it cannot be read.
pub fn load(path: &Path) -> Result<Config, Invalid> {
    let bytes = read_file(path)?;
    match String::from_utf8(bytes) {
        Ok(text) => parse(&text, path),
        Err(fault) => {
            let at = fault.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(fault.as_bytes()).into_owned();
            let mut problems = Problems::default();
            let error = problems.error(&(at..at), "the file is not UTF-8 from here on");
            error.help("save it as UTF-8: `iconv -f WINDOWS-1252 -t UTF-8` changes an old one");
            Err(Invalid(problems.into_diagnosis(path, &text)))
        }
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, Invalid> {
    let unreadable = |message: &str, help: &str| Invalid::file(path, message, help);
    let fault = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => unreadable(
            "there is no such config file",
            "name one with `--config FILE`, or copy the example `config.toml` here",
        ),
        ErrorKind::PermissionDenied => unreadable(
            "the config file cannot be read: permission denied",
            "give the user that runs veille the right to",
        ),
        ErrorKind::IsADirectory => unreadable("this is a folder, not a config file", "name the file in it"),
        _ => unreadable(&format!("the config file cannot be read: {error}"), "see to the disk or the path"),
    };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)).map_err(fault)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(unreadable("the file is larger than 16 MiB", "this is hardly a config: name another file"));
    }
    Ok(bytes)
}

/// Validates the text of a config. `path` is shown in messages, and its folder is what relative paths are relative to.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str, path: &Path) -> Result<Config, Invalid> {
    let (config, problems) = match tree::read(text) {
        Ok(entries) => {
            let mut found = Findings::new(folder(path), &entries);
            (config(&entries, path, &mut found), found.problems)
        }
        Err(faults) => {
            // Nothing else is said, since all that follows a syntax error may be misread.
            let mut problems = Problems::default();
            for fault in faults {
                problems.error(&fault.span, fault.message).help = fault.help;
            }
            (None, problems)
        }
    };
    let is_valid = !problems.has_errors();
    let diagnosis = problems.into_diagnosis(path, text);
    match config {
        Some(config) if is_valid => Ok(Config { warnings: diagnosis, ..config }),
        _ => Err(Invalid(diagnosis)),
    }
}

/// Finds the store of a config that may have mistakes; `None` if the keys that name the store have one.
#[must_use]
pub fn store_settings(path: &Path) -> Option<StoreSettings> {
    let text = String::from_utf8_lossy(&read_file(path).ok()?).into_owned();
    let entries = tree::read_in_part(&text);
    let mut found = Findings::new(folder(path), &entries);
    let root = Section::new(&ROOT, &entries, 0..0, &mut found);
    let table = root.table(StoreSettings::TABLE, &mut found);
    let path = table.read("path", &PATH, &mut found)?;
    let url = table.read("url", &DATABASE, &mut found);
    let password = table.read("password", &SECRET, &mut found);
    let is_read = (url.is_some() || table.literal("url").is_none())
        && (password.is_some() || table.literal("password").is_none());
    is_read.then_some(StoreSettings { node: None, path, url, password, keep: TimeDelta::zero() })
}

/// Finds the time zone of a config that may have mistakes; `None` if it cannot be read, or `poll.timezone` itself has one.
#[must_use]
pub fn zone(path: &Path) -> Option<Tz> {
    let text = String::from_utf8_lossy(&read_file(path).ok()?).into_owned();
    let entries = tree::read_in_part(&text);
    let mut found = Findings::new(folder(path), &entries);
    let root = Section::new(&ROOT, &entries, 0..0, &mut found);
    root.table(PollSettings::TABLE, &mut found).read("timezone", &ZONE, &mut found)
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Reads the tables in such an order that each finds in `found` what it refers to.
fn config(entries: &tree::Entries, path: &Path, found: &mut Findings<'_>) -> Option<Config> {
    let root = Section::new(&ROOT, entries, 0..0, found);
    found.poll = PollSettings::read(&root.table(PollSettings::TABLE, found), found);
    let site = Site::read(&root.table(Site::TABLE, found), found);
    let store = StoreSettings::read(&root.table(StoreSettings::TABLE, found), found);
    refuse_two_stores(&root.table(StoreSettings::TABLE, found), found);
    let dedup = DedupSettings::read(&root.table(DedupSettings::TABLE, found), found);
    let publish = PublishSettings::read(&root.table(PublishSettings::TABLE, found), found);
    let serve = ServeSettings::read(&root.table(ServeSettings::TABLE, found), found);
    found.topic_defaults = TopicDefaults::read(&root.table(TopicDefaults::TABLE, found), found);

    let topic_tables = root.tables(TopicTable::TABLE, found);
    topics::check_ids(&topic_tables, found);
    found.topic_ids = topic_tables.iter().filter_map(Section::id).collect();
    let feeds = root.tables(Source::TABLE, found);
    found.sources = sources::read_sources(&feeds, found);
    let topics: Vec<Topic> = topic_tables.iter().filter_map(|table| topics::read_topic(table, found)).collect();
    let posts = posts::posts(&root.tables(PostTable::TABLE, found), found);
    found.lexicon.warn_of_unused(&mut found.problems);
    if let (Some(store), Some(publish)) = (store.as_ref().filter(|store| store.url.is_none()), &publish) {
        keep_private(&root, &publish.directory, [("database", &store.path), ("config file", path)], found);
    }
    if !found.problems.has_errors() {
        topics::warn_of_empty(&topic_tables, &topics, found);
    }
    Some(Config {
        path: path.into(),
        site: site?,
        store: store?,
        poll: found.poll.take()?,
        dedup: dedup?,
        publish: publish?,
        serve: serve?,
        sources: mem::take(&mut found.sources),
        topics,
        aliases: mem::take(&mut found.aliases),
        posts,
        topic_spans: topic_tables.iter().map(|table| table.span.clone()).collect(),
        warnings: Diagnosis::default(),
    })
}

/// Notes that a config names a file and a database, or a password without a database.
fn refuse_two_stores(table: &Section<'_>, found: &mut Findings<'_>) {
    let span = |key| table.literal(key).map(|literal| literal.span.clone());
    if let (Some(span), Some(_)) = (span("url"), span("path")) {
        let error = found.error(&span, "`url` and `path` are both set: a store is in a database or in a file");
        error.help("remove one of them; `veille store copy --to` moves what is stored from one to the other");
    }
    if let (Some(span), None) = (span("password"), span("url")) {
        found.error(&span, "`password` is for a database, but there is no `url`").help("add `url = …`, or remove it");
    }
}

/// Notes that the published folder holds a private file: a web server would hand it to anyone.
fn keep_private(root: &Section<'_>, directory: &Path, private: [(&str, &Path); 2], found: &mut Findings<'_>) {
    let directory = plain(directory);
    // An empty path is the working directory, which holds relative paths only.
    let holds = |path: &Path| path.is_absolute() == directory.is_absolute() && plain(path).starts_with(&directory);
    if let Some((file, _)) = private.iter().find(|(_, path)| holds(path)) {
        let written = |table: &str| root.literal(table).map(|literal| literal.span.clone());
        let span = written("publish").or(written("store")).unwrap_or(0..0);
        let error = found.error(&span, format!("the {file} lies in the folder that is published"));
        error.help("give `publish.directory` a folder of its own");
    }
}

/// The path without `.` in it. `..` stays, since a link may lead elsewhere.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}
