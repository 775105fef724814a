//! Dead nodes of this machine. Each node holds the lock of a file beside the folder that it publishes to, and the system gives
//! the lock back however the process ends.
//!
//! The database cannot tell a dead node from one that was cut off: both lose their session, and so do all when the server is
//! restarted. The system knows. So a node that starts where another was killed need not wait until the leases of that one run
//! out.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::disk;

/// Longest mark that is read.
const MARK_BYTES_MAX: u64 = 4096;

/// The file of a node, locked by this process.
#[derive(Debug)]
pub(super) struct NodeMark {
    /// The name of the node among all that ever were.
    pub(super) node: String,
    path: PathBuf,
    _file: File,
}

/// A line of JSON in the file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct MarkLine {
    node: String,
    /// The number of the file. A copy that came with the folder from another machine has another one: nobody holds the copy's
    /// lock, while the node may live.
    file: u64,
}

impl NodeMark {
    /// Leaves the mark of a node beside `folder`; `None` if none can be left there.
    pub(super) fn left_beside(folder: &Path, node: &str) -> Option<Self> {
        let outer = disk::outer_folder(folder);
        disk::make_folders(outer).ok()?;
        let began = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let path = outer.join(format!("{}{:x}-{began:x}.lock", beginning(folder), std::process::id()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path).ok()?;
        disk::give(&path);
        // A mark says nothing before it is locked: others leave it alone until then.
        let said = file.lock().and_then(|()| {
            let line = MarkLine { node: node.to_owned(), file: file.metadata()?.ino() };
            file.write_all(serde_json::to_string(&line)?.as_bytes())
        });
        let mark = Self { node: node.to_owned(), path, _file: file };
        if said.is_err() {
            mark.erase();
            return None;
        }
        Some(mark)
    }

    /// Takes the marks of the dead nodes beside `folder`: no other process finds them meanwhile.
    pub(super) fn dead_beside(folder: &Path) -> Vec<Self> {
        let Ok(files) = fs::read_dir(disk::outer_folder(folder)) else { return Vec::new() };
        let beginning = beginning(folder);
        let is_mark =
            |name: &str| name.starts_with(&beginning) && Path::new(name).extension().is_some_and(|e| e == "lock");
        let marks = files.flatten().filter(|file| file.file_name().to_str().is_some_and(is_mark));
        marks.filter_map(|mark| Self::if_dead(mark.path())).collect()
    }

    fn if_dead(path: PathBuf) -> Option<Self> {
        let file = File::open(&path).ok()?;
        file.try_lock().ok()?;
        let mut line = String::new();
        (&file).take(MARK_BYTES_MAX).read_to_string(&mut line).ok()?;
        let line: MarkLine = serde_json::from_str(&line).ok()?;
        let is_copy = file.metadata().ok()?.ino() != line.file;
        (!is_copy).then_some(Self { node: line.node, path, _file: file })
    }

    /// Deletes the file: nobody need look for its node any more.
    pub(super) fn erase(self) {
        // One that stays is found again, and does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

/// The names of all marks beside `folder` begin so.
fn beginning(folder: &Path) -> String {
    format!("{}.node-", folder.file_name().unwrap_or_default().to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another process: the lock of a file that was opened anew is another one, as that of another process is.
    fn dead(folder: &Path) -> Vec<String> {
        NodeMark::dead_beside(folder).iter().map(|mark| mark.node.clone()).collect()
    }

    #[test]
    fn a_node_is_dead_once_its_lock_is_free_and_until_its_mark_is_erased() {
        let folder = tempfile::tempdir().unwrap();
        let public = folder.path().join("data/public");
        let marks = ["a-1", "b-2"].map(|node| NodeMark::left_beside(&public, node).unwrap());
        assert_eq!(dead(&public), [""; 0]);
        drop(marks);
        let mut found = dead(&public);
        found.sort();
        assert_eq!(found, ["a-1", "b-2"]);
        NodeMark::dead_beside(&public).into_iter().for_each(NodeMark::erase);
        assert_eq!(dead(&public), [""; 0]);
    }

    #[test]
    fn one_process_takes_up_what_a_dead_node_left() {
        let folder = tempfile::tempdir().unwrap();
        let public = folder.path().join("public");
        drop(NodeMark::left_beside(&public, "a-1"));
        let taken = NodeMark::dead_beside(&public);
        assert_eq!((taken.len(), dead(&public).len()), (1, 0));
    }

    #[test]
    fn a_mark_that_was_copied_here_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let public = folder.path().join("public");
        let mark = NodeMark::left_beside(&public, "a-1").unwrap();
        fs::copy(&mark.path, folder.path().join("public.node-7.lock")).unwrap();
        assert_eq!(dead(&public), [""; 0]);
    }

    #[test]
    fn files_that_say_nothing_and_marks_of_other_folders_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let public = folder.path().join("public");
        drop(NodeMark::left_beside(&folder.path().join("other"), "a-1"));
        for text in ["", "a-1", "{\"node\":7}"] {
            fs::write(folder.path().join("public.node-1.lock"), text).unwrap();
            assert_eq!(dead(&public), [""; 0], "{text}");
        }
        assert!(NodeMark::left_beside(Path::new("/proc/none/public"), "b-2").is_none());
    }
}
