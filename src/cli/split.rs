//! `veille split ENTRY`: an entry that is a story of its own, whatever it says.

use chrono::Utc;

use super::{Failure, open, output};
use crate::config::Config;
use crate::pipeline;

#[derive(Debug, clap::Args)]
pub(super) struct SplitOptions {
    /// Its number, guid, Atom id or link
    entry: String,
}

pub(super) fn run(config: &Config, options: &SplitOptions) -> Result<(), Failure> {
    open::store_to_read(config)?;
    let mut store = pipeline::open_store(config)?;
    let entry = open::find_entry(&mut *store, &options.entry)?;
    let others = pipeline::split(&mut *store, config, entry.number, Utc::now())?;
    let number = entry.number;
    output::note(&match others {
        0 => format!("entry {number} tells its story alone already"),
        1 => format!("entry {number} is told apart from the one that told its story with it"),
        _ => format!("entry {number} is told apart from the {others} that told its story with it"),
    });
    Ok(())
}
