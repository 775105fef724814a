//! Two configs on one store or one published folder: each would take the other's entries and documents for its own.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::disk;
use crate::store::{Claim, Holder, StoreError, StorePlace, holder};

/// A store or a published folder that another process holds.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.said())]
pub struct HeldByOther {
    /// The store, or the published folder.
    what: &'static str,
    /// Where it is.
    path: PathBuf,
    /// The other process.
    by: Holder,
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
        match (self.by.process, self.is_own) {
            (Some(process), true) => format!("the daemon of this config runs already: process {process}"),
            _ => format!("the {} `{}` is held by {}", self.what, self.path.display(), self.by),
        }
    }
}

/// Takes hold of the store and the published folder of a daemon's config.
///
/// # Errors
/// When another process holds one of them.
pub fn claim_places(config: &Config) -> Result<Vec<Claim>, HeldByOther> {
    let this = Holder::this("run", Some(place(config)));
    let mut claims = Vec::new();
    for (what, path) in places(config) {
        // Where no folder can be made, opening the store will tell.
        let _ = disk::make_folders(path.parent().unwrap_or(Path::new("")));
        match Claim::take(&path, &this) {
            Ok(claim) => claims.extend(claim),
            Err(StoreError::Held { by, .. }) => {
                let is_own = by == Holder { process: by.process, ..this };
                return Err(HeldByOther { what, path, by, is_own });
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
    let own = place(config);
    for (what, path) in places(config) {
        // On a full disk a daemon could not write down its config: the command will tell of the disk.
        let is_other = |by: &Holder| by.config.as_ref().is_some_and(|config| *config != own);
        if let Some(by) = holder(&path).filter(is_other) {
            return Err(HeldByOther { what, path, by, is_own: false });
        }
    }
    Ok(())
}

/// A database is no place to hold: several machines may share it.
fn places(config: &Config) -> Vec<(&'static str, PathBuf)> {
    let store = StorePlace::of(&config.store).file().map(|path| ("store", path.to_owned()));
    store.into_iter().chain([("published folder", config.publish.directory.clone())]).collect()
}

/// The config by its place in the file system, however it was named.
fn place(config: &Config) -> String {
    config.path.canonicalize().unwrap_or_else(|_| config.path.clone()).display().to_string()
}
