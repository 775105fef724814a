//! `veille store copy --to URL`.

use std::path::{Path, PathBuf};

use super::{Failure, output, progress};
use crate::config::{Config, Secret};
use crate::disk;
use crate::store::moving::{self, Tables};
use crate::store::postgres::{Address, Postgres};
use crate::store::sqlite::{self, Sqlite};
use crate::store::{Claim, Holder, StorePlace};

#[derive(Debug, clap::Args)]
pub(super) struct StoreOptions {
    #[command(subcommand)]
    task: StoreTask,
}

#[derive(Debug, clap::Subcommand)]
enum StoreTask {
    /// Copy all that is stored to another store, while no veille runs; goes on where an earlier try was broken off
    Copy(CopyOptions),
}

#[derive(Debug, clap::Args)]
struct CopyOptions {
    /// The empty database (`postgresql://user@host/database`, its password in $PGPASSWORD), or the file to write
    #[arg(long, value_name = "URL|FILE")]
    to: String,
}

pub(super) fn run(config: &Config, options: &StoreOptions) -> Result<(), Failure> {
    match &options.task {
        StoreTask::Copy(options) => copy(config, options),
    }
}

/// The store at the other end: a file under the name of a copy that is not done, or a database.
struct CopyTarget {
    tables: Box<dyn Tables>,
    /// The file, and what it is called until the copy is done.
    file: Option<(PathBuf, PathBuf)>,
}

fn copy(config: &Config, options: &CopyOptions) -> Result<(), Failure> {
    let place = StorePlace::of(&config.store);
    // A daemon would go on writing to the store that is left.
    let this = Holder::this("store copy", None);
    let _claim = place.file().map(|path| Claim::take(path, &this)).transpose()?;
    let mut from: Box<dyn Tables> = match &place {
        StorePlace::File(path) => Box::new(Sqlite::open_existing(path, sqlite::BUSY_TIMEOUT)?),
        StorePlace::Server(address) => Box::new(Postgres::open_existing(address, sqlite::BUSY_TIMEOUT)?),
    };
    let mut target = target(&options.to)?;
    let bar = progress::bar(0, "rows copied");
    let mut is_told = false;
    let copied = moving::copy(&mut *from, &mut *target.tables, |moved| {
        if moved.is_resumed && !std::mem::replace(&mut is_told, true) {
            output::note("going on where the last copy was broken off");
        }
        bar.set_length(moved.of);
        bar.set_position(moved.rows);
    });
    bar.finish_and_clear();
    let counted = copied?;
    let name = target.file.as_ref().map_or_else(|| target.tables.name(), |(file, _)| file.display().to_string());
    if let Some((file, beside)) = target.file {
        drop(target.tables);
        put(&beside, &file)?;
    }
    let counts: Vec<String> =
        counted.iter().filter(|(_, rows)| *rows > 0).map(|(table, rows)| format!("{table} {rows}")).collect();
    output::note(&format!("copied `{}` to `{name}`, and counted both: {}", place.name(), counts.join(", ")));
    output::note("name the new store in the config (`store.url` or `store.path`), then start veille");
    Ok(())
}

fn target(to: &str) -> Result<CopyTarget, Failure> {
    if is_address(to) {
        let password = std::env::var("PGPASSWORD").ok().map(Secret::Text);
        let address = Address { url: Secret::Text(to.to_owned()), password };
        let tables = Box::new(Postgres::open_to_move(&address, sqlite::BUSY_TIMEOUT)?);
        return Ok(CopyTarget { tables, file: None });
    }
    let file = PathBuf::from(to);
    if file.exists() {
        return Err(exists(&file));
    }
    let mut beside = file.clone().into_os_string();
    beside.push(".copying");
    let beside = PathBuf::from(beside);
    let tables = Box::new(Sqlite::open_within(&beside, sqlite::BUSY_TIMEOUT)?);
    Ok(CopyTarget { tables, file: Some((file, beside)) })
}

/// Whether a target is a database: a URL, or pairs as libpq takes them.
fn is_address(to: &str) -> bool {
    let is_key = |key: &str| !key.is_empty() && key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
    ["postgresql://", "postgres://"].iter().any(|scheme| to.starts_with(scheme))
        || to.split_once('=').is_some_and(|(key, _)| is_key(key.trim()))
}

/// Gives a copy its name, once it is whole.
fn put(beside: &Path, file: &Path) -> Result<(), Failure> {
    if file.exists() {
        return Err(exists(file));
    }
    std::fs::rename(beside, file).map_err(|error| anyhow::anyhow!("cannot name `{}`: {error}", file.display()))?;
    disk::give(file);
    Ok(())
}

fn exists(file: &Path) -> Failure {
    anyhow::anyhow!("`{}` exists: a copy overwrites nothing", file.display()).into()
}
