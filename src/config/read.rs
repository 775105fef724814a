//! From a file to a [`Config`], or to everything that is wrong with it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use super::diagnostic::{Invalid, Problems};
use super::keys::{DEDUP, FEED, POLL, PUBLISH, ROOT, SERVE, SITE, STORE, TOPIC, TOPIC_DEFAULTS};
use super::lexicon::Lexicon;
use super::section::Section;
use super::{Config, settings, sources, topics, tree};

/// Largest config file. Ten thousand feeds take about 2 MB; a log or a database named by mistake takes more.
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
            Err(Invalid(problems.into_report(path, &text)))
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
    let mut problems = Problems::default();
    let config = match tree::read(text) {
        Ok(entries) => config(&entries, path, &mut problems),
        Err(faults) => {
            // What follows a fault of the syntax is often misread, so nothing else is said.
            for fault in faults {
                problems.error(&fault.span, fault.message).help = fault.help.map(str::to_owned);
            }
            None
        }
    };
    let is_valid = !problems.has_errors();
    let report = problems.into_report(path, text);
    match config {
        Some(config) if is_valid => Ok(Config { warnings: report, ..config }),
        _ => Err(Invalid(report)),
    }
}

/// Finds where the store of a config is that may have mistakes; `None` if one of them is about that.
#[must_use]
pub fn store_path(path: &Path) -> Option<PathBuf> {
    let text = String::from_utf8_lossy(&read_file(path).ok()?).into_owned();
    let (entries, mut problems) = (tree::read_in_part(&text), Problems::default());
    let section = Section::new(&ROOT, &entries, 0..0, &mut problems).table(&STORE, "store", &mut problems);
    settings::store_path(&section, path.parent().unwrap_or(Path::new("")), &mut problems)
}

fn config(entries: &tree::Entries, path: &Path, problems: &mut Problems) -> Option<Config> {
    let root = Section::new(&ROOT, entries, 0..0, problems);
    let folder = path.parent().unwrap_or(Path::new(""));
    let store = settings::store(&root.table(&STORE, "store", problems), folder, problems);
    let poll = settings::poll(&root.table(&POLL, "poll", problems), folder, problems);
    let zone = poll.as_ref().map(|poll| poll.schedule.zone()).unwrap_or_default();
    let site = settings::site(&root.table(&SITE, "site", problems), zone, problems);
    let dedup = settings::dedup(&root.table(&DEDUP, "dedup", problems), problems);
    let publish = settings::publish(&root.table(&PUBLISH, "publish", problems), folder, problems);
    let serve = settings::serve(&root.table(&SERVE, "serve", problems), folder, problems);
    let defaults = topics::defaults(&root.table(&TOPIC_DEFAULTS, "topic_defaults", problems), problems);

    let feeds = root.tables(&FEED, "feed", problems);
    let topic_tables = root.tables(&TOPIC, "topic", problems);
    let source_ids = sources::ids(&feeds, problems);
    let topic_ids = topics::ids(&topic_tables, problems);
    let sources = sources::sources(&feeds, &source_ids, &topic_ids, poll.as_ref(), folder, problems);
    let mut lexicon = Lexicon::new(root.node("lexicon"), problems);
    let named = topics::Named { source_ids: &source_ids, sources: &sources, topic_ids: &topic_ids };
    let topics = topics::topics(&topic_tables, &defaults, &named, &mut lexicon, problems);
    lexicon.warn_of_unused(problems);
    if let (Some(store), Some(publish)) = (&store, &publish) {
        keep_private(&root, &publish.directory, [("database", &store.path), ("config file", path)], problems);
    }
    if !problems.has_errors() {
        topics::warn_of_empty(&topic_tables, &topics, &sources, problems);
    }
    Some(Config {
        path: path.into(),
        site: site?,
        store: store?,
        poll: poll?,
        dedup: dedup?,
        publish: publish?,
        serve: serve?,
        sources,
        topics,
        topic_spans: topic_tables.iter().map(|table| table.span.clone()).collect(),
        warnings: super::Report::default(),
    })
}

/// Whoever serves the published folder would serve what lies in it: passwords of feeds, everything stored.
fn keep_private(root: &Section<'_>, directory: &Path, private: [(&str, &Path); 2], problems: &mut Problems) {
    let directory = plain(directory);
    // An empty folder, the working directory, holds relative paths only.
    let holds = |path: &Path| path.is_absolute() == directory.is_absolute() && plain(path).starts_with(&directory);
    if let Some((what, _)) = private.iter().find(|(_, path)| holds(path)) {
        let written = |table: &str| root.node(table).map(|node| node.span.clone());
        let span = written("publish").or(written("store")).unwrap_or(0..0);
        let error = problems.error(&span, format!("the {what} lies in the folder that is published"));
        error.help("give `publish.directory` a folder of its own");
    }
}

/// The path without `.` in it; `..` is left, for links may lead elsewhere.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}
