//! `veille merge A B`: two entries that are one story, whatever they say.

use chrono::Utc;

use super::{Failure, open, output};
use crate::config::Config;
use crate::pipeline;
use crate::store;

#[derive(Debug, clap::Args)]
pub(super) struct MergeOptions {
    /// Its number, guid, Atom id or link
    one: String,
    /// The other's
    other: String,
}

pub(super) fn run(config: &Config, options: &MergeOptions) -> Result<(), Failure> {
    open::store_to_read(config)?;
    let mut store = pipeline::open_store(config)?;
    let (one, other) = (open::find_entry(&mut *store, &options.one)?, open::find_entry(&mut *store, &options.other)?);
    if one.number == other.number {
        return Err(Failure::Usage(format!("error: both are entry {}", one.number)));
    }
    let titles = [&one, &other].map(|stored| {
        let title = output::harmless(stored.entry.title.as_deref().unwrap_or("(no title)"));
        format!("{:>6}  {}  {title}", stored.number, stored.source_id)
    });
    pipeline::merge(&mut *store, config, one.number, other.number, Utc::now())?;
    let told = store::entry(&mut *store, one.number)?.map(|entry| entry.story).unwrap_or_default();
    output::note(&format!("entries {} and {} tell one story now, headed by entry {told}", one.number, other.number));
    output::note(&titles.join("\n"));
    Ok(())
}
