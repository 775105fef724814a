//! Opening what most commands need: the config, the store, the runtime.

use std::path::{Path, PathBuf};

use url::Url;

use super::{Failure, output};
use crate::config::{self, Config};
use crate::dedup;
use crate::pipeline;
use crate::store::{self, Filter, Store, StorePlace, Which, sqlite};
use crate::story::StoredEntry;
use crate::topic::Topic;

/// Where a config is looked for when nothing names one.
const USUAL_PATHS: [&str; 2] = ["config.toml", "/etc/veille/config.toml"];

/// Finds the config file: the one named, else `$VEILLE_CONFIG`, else the usual places.
pub(super) fn config_path(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    found(named).ok_or_else(|| {
        Failure::Usage(format!(
            "error: no config: neither `{}` nor `{}` is there\nhelp: name one with `--config FILE` or `$VEILLE_CONFIG`",
            USUAL_PATHS[0], USUAL_PATHS[1],
        ))
    })
}

fn found(named: Option<PathBuf>) -> Option<PathBuf> {
    let from_environment = || std::env::var_os("VEILLE_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
    let usual = || USUAL_PATHS.iter().map(PathBuf::from).find(|path| path.exists());
    named.or_else(from_environment).or_else(usual)
}

/// Reads the config for a command that can do without: nothing is set if none is named and none is in the usual places.
pub(super) fn config_if_any(named: Option<PathBuf>) -> Result<Config, Failure> {
    match found(named) {
        Some(path) => config(Some(path)),
        None => config::parse("", Path::new(USUAL_PATHS[0]))
            .map_err(|invalid| Failure::Usage(invalid.render(output::colour()))),
    }
}

/// Reads the config; what is wrong with it is wrong usage, told whole.
pub(super) fn config(named: Option<PathBuf>) -> Result<Config, Failure> {
    let path = config_path(named)?;
    let config = config::load(&path).map_err(|invalid| Failure::Usage(invalid.render(output::colour())))?;
    if !config.warnings.diagnostics.is_empty() {
        output::error(&config.warnings.render(output::colour()));
    }
    Ok(config)
}

/// Opens the store for a command that only reads.
pub(super) fn store_to_read(config: &Config) -> Result<Box<dyn Store>, Failure> {
    let place = StorePlace::of(&config.store);
    place.file().map_or(Ok(()), |path| pipeline::refuse_vanished(config, path))?;
    Ok(place.read_within(sqlite::BUSY_TIMEOUT)?)
}

/// Finds the topic that an option names.
pub(super) fn find_topic<'a>(config: &'a Config, id: &str) -> Result<&'a Topic, Failure> {
    config.topics.iter().find(|topic| topic.id == id).ok_or_else(|| {
        let known: Vec<&str> = config.topics.iter().map(|topic| topic.id.as_str()).collect();
        let help = match config::nearest(id, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the topics are `{}`", known.join("`, `")),
        };
        Failure::Usage(format!("error: there is no topic `{id}`\nhelp: {help}"))
    })
}

/// Checks that there is a source of this id: in the config, or one of which the store holds something still.
pub(super) fn find_source(config: &Config, store: &mut dyn Store, id: &str) -> Result<(), Failure> {
    let is_known = config.sources.iter().any(|source| source.id == id);
    if is_known || !store.sources(Some(&[id.to_owned()]))?.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage(format!("error: there is no feed `{id}`\nhelp: `veille feeds` lists them")))
}

/// Finds the stored entries that people call `name`: by number, else guid, Atom id or link.
pub(super) fn find_entries(store: &mut dyn Store, name: &str) -> Result<Vec<StoredEntry>, Failure> {
    if let Some(stored) = name.parse().ok().map(|number| store::entry(store, number)).transpose()?.flatten() {
        return Ok(vec![stored]);
    }
    let link = Url::parse(name).ok().as_ref().and_then(dedup::canonical_link);
    let which = Which::Named { name: name.to_owned(), link };
    let found = store.entries(&Filter { which, limit: usize::MAX, ..Filter::default() })?;
    Ok(found.into_iter().map(|held| held.stored).collect())
}

/// Finds the one stored entry that `name` means.
pub(super) fn find_entry(store: &mut dyn Store, name: &str) -> Result<StoredEntry, Failure> {
    let found = find_entries(store, name)?;
    match found.as_slice() {
        [entry] => Ok(entry.clone()),
        [] => Err(unknown_entry(name)),
        several => {
            let line = |entry: &StoredEntry| {
                let title = output::harmless(entry.entry.title.as_deref().unwrap_or("(no title)"));
                format!("\n  {}  {}  {title}", entry.number, entry.source_id)
            };
            let lines: String = several.iter().map(line).collect();
            Err(Failure::Usage(format!("error: `{name}` is several entries; give the number of one{lines}")))
        }
    }
}

pub(super) fn unknown_entry(name: &str) -> Failure {
    let text = format!("error: no stored entry has the number, id or link `{name}`");
    Failure::Usage(format!("{text}\nhelp: `veille entries --search WORDS` lists entries with their numbers"))
}

/// Makes the runtime.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
