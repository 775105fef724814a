//! `veille backup FILE`.

use std::path::{Path, PathBuf};

use super::{Failure, open, output};
use crate::config::Config;
use crate::store::ailment::Ailment;
use crate::store::{StoreError, StorePlace};

#[derive(Debug, clap::Args)]
pub(super) struct BackupOptions {
    /// The copy to write; must not exist yet
    file: PathBuf,
}

/// A copy is checked whole before it gets its name: whoever finds the name finds a good copy.
pub(super) fn run(config: &Config, options: &BackupOptions) -> Result<(), Failure> {
    let to = &options.file;
    let mut store = open::store_to_read(config)?;
    if to.exists() {
        return Err(anyhow::anyhow!("`{}` exists: a backup overwrites nothing", to.display()).into());
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(anyhow::anyhow!(
            "there is no folder `{}`\nhelp: make it first, or name another file",
            folder.display()
        )
        .into());
    }
    let beside = folder.join(format!(".{}.{}.new", to.file_name().unwrap_or_default().display(), std::process::id()));
    store.backup(&beside).map_err(|error| of_copy(error, &beside, to))?;
    tempfile::TempPath::try_from_path(&beside)?
        .persist_noclobber(to)
        .map_err(|error| anyhow::anyhow!("`{}` cannot be written: {}", to.display(), error.error))?;
    output::note(&format!("copied `{}` to `{}`, and checked it", StorePlace::of(&config.store).name(), to.display()));
    Ok(())
}

/// Lets a failure over the copy tell the copy's own name and the way out there; that of the store stays as it is.
fn of_copy(error: StoreError, beside: &Path, to: &Path) -> anyhow::Error {
    let (StoreError::Open { store, ailment, source } | StoreError::Failed { store, ailment, source }) = error else {
        return error.into();
    };
    if *store != *beside.display().to_string() {
        return StoreError::Failed { store, ailment, source }.into();
    }
    let hint = match ailment {
        Ailment::Full { .. } => "free some space there, or name a file on another disk",
        Ailment::ReadOnly => "that file system is mounted read-only: name a file on another disk",
        Ailment::Rights => "let this user write in that folder (`chown`), or name a file elsewhere",
        _ => "name a file elsewhere",
    };
    anyhow::anyhow!("the copy `{}` cannot be written: {source}\nhelp: {hint}", to.display())
}
