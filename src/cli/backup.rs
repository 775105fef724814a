//! `veille backup FILE`.

use std::path::{Path, PathBuf};

use super::{Failure, open, output};
use crate::config::Config;
use crate::store::StorePlace;

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
    let beside = folder.join(format!(".{}.{}.new", to.file_name().unwrap_or_default().display(), std::process::id()));
    store.backup(&beside)?;
    tempfile::TempPath::try_from_path(&beside)?
        .persist_noclobber(to)
        .map_err(|error| anyhow::anyhow!("`{}` cannot be written: {}", to.display(), error.error))?;
    output::note(&format!("copied `{}` to `{}`, and checked it", StorePlace::of(&config.store).name(), to.display()));
    Ok(())
}
