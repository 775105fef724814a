//! Feeds into the config file: validated before anything is replaced, then put in place whole.

use std::fs;
use std::path::Path;

use super::replace::replace;
use super::{Failure, output};
use crate::config::{self, NewFeed};

/// Adds `feeds` to the config at `path`.
///
/// The file is replaced by a new one of the same name, owner, group and rights, or not at all: a daemon that looks
/// meanwhile sees the old text or the new one.
pub(super) fn add(path: &Path, feeds: &[NewFeed]) -> Result<(), Failure> {
    let before = fs::read_to_string(path)?;
    let after = config::with_feeds(&before, feeds).map_err(|error| Failure::Usage(format!("error: {error}")))?;
    config::parse(&after, path).map_err(|invalid| {
        let why = invalid.render(output::colour());
        Failure::Usage(format!(
            "{why}\n\nerror: with what was to be added the config has mistakes; it was left as it is"
        ))
    })?;
    replace(path, after.as_bytes())
        .map_err(|error| anyhow::anyhow!("`{}` cannot be replaced: {error}", path.display()).into())
}
