//! Feeds into the config file: validated before anything is replaced, then put in place whole.
//!
//! The home of `xattr`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use tempfile::NamedTempFile;
use xattr::FileExt;

use super::{Failure, output};
use crate::config::{self, NewFeed};

/// Adds `feeds` to the config at `path`.
///
/// The file is replaced by a new one of the same name, owner, group and rights, or not at all: a daemon that looks
/// meanwhile sees the old text or the new one.
pub(super) fn add(path: &Path, feeds: &[NewFeed]) -> Result<(), Failure> {
    // A link to the file stays a link.
    let path = path.canonicalize()?;
    let before = fs::read_to_string(&path)?;
    let after = config::with_feeds(&before, feeds).map_err(|error| Failure::Usage(format!("error: {error}")))?;
    config::parse(&after, &path).map_err(|invalid| {
        let why = invalid.render(output::colour());
        Failure::Usage(format!(
            "{why}\n\nerror: with what was to be added the config has mistakes; it was left as it is"
        ))
    })?;
    replace(&path, after.as_bytes())
        .map_err(|error| anyhow::anyhow!("`{}` cannot be replaced: {error}", path.display()).into())
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let Ok(mut new) = beside(path) else {
        // The folder is not ours to write to, or the file not ours to give to its owner; its text may be.
        return overwrite(path, bytes);
    };
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    new.persist(path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Makes an empty file beside that at `path`, with its owner, group, rights and attributes (access control lists, labels).
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let new = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    let (known, made) = (fs::metadata(path)?, new.as_file().metadata()?);
    if (known.uid(), known.gid()) != (made.uid(), made.gid()) {
        fchown(new.as_file(), Some(known.uid()), Some(known.gid()))?;
    }
    new.as_file().set_permissions(known.permissions())?;
    // A file system without attributes has none to keep.
    for name in xattr::list(path).into_iter().flatten() {
        if let Some(value) = xattr::get(path, &name)?
            && new.as_file().get_xattr(&name)?.as_ref() != Some(&value)
        {
            new.as_file().set_xattr(&name, &value)?;
        }
    }
    Ok(new)
}

/// Writes over the text of a file, which grows, so that no moment leaves less of it than there was.
fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}
