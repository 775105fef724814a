//! `veille backup FILE`.

use std::path::PathBuf;

use super::{Failure, open, output};
use crate::config::Config;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct BackupOptions {
    /// The copy to write; must not exist yet
    file: PathBuf,
}

pub(super) fn run(config: &Config, options: &BackupOptions) -> Result<(), Failure> {
    open::store_to_read(config)?.backup(&options.file)?;
    output::note(&format!("copied `{}` to `{}`", config.store.path.display(), options.file.display()));
    Ok(())
}
