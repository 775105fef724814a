//! `veille check`.

use std::path::Path;

use super::{Failure, open, output};

pub(super) fn run(path: &Path) -> Result<(), Failure> {
    let config = open::config(Some(path.to_owned()))?;
    let on = config.sources.iter().filter(|source| source.enabled).count();
    output::print(&format!(
        "`{}` is valid: {on} feeds polled ({} off), {} topics\n",
        path.display(),
        config.sources.len() - on,
        config.topics.len(),
    ))?;
    Ok(())
}
