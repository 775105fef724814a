//! The names of published files: of a document, of those beside it, and of one that is being written.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::publish::Encoding;

/// The name that a spool has for a moment.
pub(super) const SPOOL: &str = "..veille.spool";

/// The file of a path of the site: `/` is `index.html`.
pub(super) fn file_name(path: &str) -> String {
    let name = path.trim_start_matches('/');
    if name.is_empty() || name.ends_with('/') { format!("{name}index.html") } else { name.to_owned() }
}

/// The path of the site that a file belongs to.
pub(super) fn site_path(name: &str) -> String {
    let folder = name.strip_suffix("index.html").filter(|folder| folder.is_empty() || folder.ends_with('/'));
    format!("/{}", folder.unwrap_or(name))
}

/// The files that a document may have beside it.
pub(super) fn beside(name: &str) -> Vec<(Encoding, String)> {
    Encoding::ALL.map(|encoding| (encoding, format!("{name}.{}", encoding.extension()))).into()
}

pub(super) fn is_compressed(name: &str) -> bool {
    let end = Path::new(name).extension();
    Encoding::ALL.iter().any(|encoding| end.is_some_and(|end| end == encoding.extension()))
}

/// Under what name a file is written before it takes its place.
pub(super) fn temporary(path: &Path) -> PathBuf {
    let mut hidden = OsString::from(".");
    hidden.push(path.file_name().unwrap_or_default());
    hidden.push(".new");
    path.with_file_name(hidden)
}
