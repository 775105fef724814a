//! What most commands open first: the config, the store, the runtime.

use std::path::PathBuf;

use super::{Failure, output};
use crate::config::{self, Config};
use crate::store::sqlite::Sqlite;
use crate::topic::Topic;

/// Where a config is looked for when nothing names one.
const USUAL_PATHS: [&str; 2] = ["config.toml", "/etc/veille/config.toml"];

/// Finds the config file: the one named, else `$VEILLE_CONFIG`, else the usual places.
pub(super) fn config_path(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let from_environment = || std::env::var_os("VEILLE_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
    let usual = || USUAL_PATHS.iter().map(PathBuf::from).find(|path| path.exists());
    named.or_else(from_environment).or_else(usual).ok_or_else(|| {
        Failure::Usage(format!(
            "error: no config: neither `{}` nor `{}` is there\nhelp: name one with `--config FILE` or `$VEILLE_CONFIG`",
            USUAL_PATHS[0], USUAL_PATHS[1],
        ))
    })
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
pub(super) fn store_to_read(config: &Config) -> Result<Sqlite, Failure> {
    Ok(Sqlite::open_read_only(&config.store.path)?)
}

/// Finds the topic that an option names.
pub(super) fn topic<'a>(config: &'a Config, id: &str) -> Result<&'a Topic, Failure> {
    config.topics.iter().find(|topic| topic.id == id).ok_or_else(|| {
        let known: Vec<&str> = config.topics.iter().map(|topic| topic.id.as_str()).collect();
        Failure::Usage(format!("error: there is no topic `{id}`\nhelp: the topics are `{}`", known.join("`, `")))
    })
}

/// Makes the runtime.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
