//! Two configs on one store or one published folder: each would take the other's entries and documents for its own.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::disk;
use crate::store::{Claim, StoreError, holder};

/// A store or a published folder that another process holds.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.said())]
pub struct HeldByOther {
    /// The store, or the published folder.
    what: &'static str,
    /// Where it is.
    path: PathBuf,
    /// The other process and its config.
    by: String,
    /// It is the daemon of this very config.
    is_own: bool,
}

impl HeldByOther {
    /// Returns the way out, for people.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        if self.is_own {
            "it takes over a saved config by itself; to start it anew, stop it first (`systemctl restart veille`, or `kill` \
             with its number)"
        } else {
            "stop that process first, or give each config a `store.path` and a `publish.directory` of its own"
        }
    }

    fn said(&self) -> String {
        let Self { what, path, by, is_own } = self;
        if *is_own {
            // Up to its command, which is the one that was typed.
            let process = by.split(" (").next().unwrap_or(by);
            return format!("the daemon of this config runs already: {process}");
        }
        format!("the {what} `{}` is held by {by}", path.display())
    }
}

/// Takes hold of the store and the published folder of a daemon's config.
///
/// # Errors
/// When another process holds one of them.
pub fn hold(config: &Config) -> Result<Vec<Claim>, HeldByOther> {
    let own = format!("{}`)", named(config));
    let by = format!("process {} (`veille run {}`)", std::process::id(), named(config));
    let mut claims = Vec::new();
    for (what, path) in places(config) {
        // Where no folder can be made, opening the store will tell.
        let _ = disk::make_folders(path.parent().unwrap_or(Path::new("")));
        match Claim::take(path, &by) {
            Ok(claim) => claims.extend(claim),
            Err(StoreError::Held { by, .. }) => {
                let is_own = by.contains("`veille run ") && by.ends_with(&own);
                return Err(HeldByOther { what, path: path.to_owned(), by, is_own });
            }
            // Nobody can be kept away.
            Err(_) => {}
        }
    }
    Ok(claims)
}

/// Lets a command work beside a daemon with the same config only.
///
/// # Errors
/// When a daemon with another config holds the store or the published folder.
pub fn refuse_others(config: &Config) -> Result<(), HeldByOther> {
    let own = format!("{}`)", named(config));
    for (what, path) in places(config) {
        // On a full disk a daemon holds its store without a name; the disk is what to tell of then.
        let is_named = |by: &String| by.contains("--config ");
        if let Some(by) = holder(path).filter(|by| is_named(by) && !by.ends_with(&own)) {
            return Err(HeldByOther { what, path: path.to_owned(), by, is_own: false });
        }
    }
    Ok(())
}

fn places(config: &Config) -> [(&'static str, &Path); 2] {
    [("store", config.store.path.as_path()), ("published folder", config.publish.directory.as_path())]
}

/// The config by its place in the file system, however it was named.
fn named(config: &Config) -> String {
    let path = config.path.canonicalize().unwrap_or_else(|_| config.path.clone());
    format!("--config {}", path.display())
}
