use super::*;
use crate::publish::Format;

fn document(path: &str, text: &str) -> Representation {
    Representation::new(path.into(), Format::Atom, text.into())
}

fn write(directory: &Path, documents: &[Representation]) -> Result<Written, FilesError> {
    let mut folder = Folder::open(directory, documents.iter().map(|document| &*document.path))?;
    for document in documents {
        folder.put(document);
    }
    folder.finish()
}

/// Writes one round after the other into a fresh folder; returns what the last one did and the files that are there.
fn check(rounds: &[&[Representation]]) -> (Written, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut written = Written::default();
    for round in rounds {
        written = write(folder.path(), round).unwrap();
    }
    (written, files(folder.path()))
}

fn files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            names.push(format!("{name}/"));
            names.extend(files(&entry.path()).into_iter().map(|inner| format!("{name}/{inner}")));
        } else if name != manifest::NAME {
            names.push(name);
        }
    }
    names.sort();
    names
}

#[test]
fn a_folder_is_written_as_its_index() {
    let (_, files) = check(&[&[document("/", "home"), document("/a/", "a"), document("/a.atom", "feed")]]);
    assert_eq!(files, ["a.atom", "a/", "a/index.html", "index.html"]);
}

#[test]
fn the_same_bytes_touch_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let documents = [document("/a.atom", "feed")];
    write(folder.path(), &documents).unwrap();
    let inodes = |folder: &Path| -> Vec<u64> {
        use std::os::unix::fs::MetadataExt;
        ["a.atom", manifest::NAME].map(|name| fs::metadata(folder.join(name)).unwrap().ino()).to_vec()
    };
    let before = inodes(folder.path());
    assert_eq!(write(folder.path(), &documents).unwrap(), Written { unchanged: 1, ..Written::default() });
    assert_eq!(inodes(folder.path()), before);
}

#[test]
fn other_bytes_replace_the_file() {
    let (written, _) = check(&[&[document("/a.atom", "1")], &[document("/a.atom", "2")]]);
    assert_eq!(written, Written { changed: 1, ..Written::default() });
}

#[test]
fn what_is_published_no_more_is_removed_with_its_empty_folder() {
    let (written, files) = check(&[&[document("/a.atom", "1"), document("/a/", "1")], &[document("/b.atom", "2")]]);
    assert_eq!((written.removed, files), (2, vec!["b.atom".to_owned()]));
}

#[test]
fn what_others_put_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[document("/a/", "1")]).unwrap();
    fs::write(folder.path().join("a/logo.png"), "x").unwrap();
    write(folder.path(), &[]).unwrap();
    assert_eq!(files(folder.path()), ["a/", "a/logo.png"]);
}

#[test]
fn a_forged_list_removes_nothing_outside() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("public");
    fs::create_dir(&folder).unwrap();
    let outside = outer.path().join("precious");
    fs::write(&outside, "x").unwrap();
    fs::write(folder.join(manifest::NAME), format!("../precious\n{}\n", outside.display())).unwrap();
    write(&folder, &[]).unwrap();
    assert!(outside.exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_named_with_a_way_out() {
    let outer = tempfile::tempdir().unwrap();
    let blocked = outer.path().join("file");
    fs::write(&blocked, "x").unwrap();
    let error = write(&blocked.join("public"), &[]).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot make `{}`", blocked.join("public").display()));
    assert!(error.hint().contains("publish.directory"));
}

#[test]
fn compressed_files_stand_beside_large_ones_and_go_with_them() {
    let large = document("/a.atom", &"du texte ".repeat(1_000));
    let (written, files) = check(&[std::slice::from_ref(&large)]);
    assert_eq!((written.changed, files), (1, ["a.atom", "a.atom.br", "a.atom.gz"].map(str::to_owned).to_vec()));
    let (written, files) = check(&[std::slice::from_ref(&large), &[document("/a.atom", "small")]]);
    assert_eq!((written.changed, written.removed, files), (1, 0, vec!["a.atom".to_owned()]));
    let (written, files) = check(&[&[large], &[]]);
    assert_eq!((written.removed, files), (1, Vec::<String>::new()));
}

#[test]
fn a_document_is_kept_as_long_as_its_basis_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let volume = Representation { basis: Some("1".into()), ..document("/a/archive/2026-10.atom", "feed") };
    write(folder.path(), std::slice::from_ref(&volume)).unwrap();
    let mut again = Folder::open(folder.path(), [&*volume.path]).unwrap();
    assert_eq!(again.keep(&volume.path, "2"), None);
    let filed = again.keep(&volume.path, "1").unwrap();
    assert_eq!((filed.hash, fs::read(&filed.plain.file).unwrap()), (volume.hash, b"feed".to_vec()));
    assert_eq!(again.finish().unwrap(), Written { unchanged: 1, ..Written::default() });
}

#[test]
fn a_document_that_somebody_removed_or_replaced_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let volume = Representation { basis: Some("1".into()), ..large("/a/archive/2026-10.atom") };
    for name in ["2026-10.atom", "2026-10.atom.br"].map(|name| folder.path().join("a/archive").join(name)) {
        for spoil in [|file: &Path| fs::remove_file(file).unwrap(), |file: &Path| fs::write(file, "x").unwrap()] {
            write(folder.path(), std::slice::from_ref(&volume)).unwrap();
            assert!(Folder::open(folder.path(), []).unwrap().keep(&volume.path, "1").is_some());
            spoil(&name);
            assert_eq!(Folder::open(folder.path(), []).unwrap().keep(&volume.path, "1"), None, "{}", name.display());
        }
    }
}

fn large(path: &str) -> Representation {
    document(path, &"du texte ".repeat(1_000))
}

/// Spoils the folder of a large document, writes it again, and says whether all is as it was and what that took.
#[track_caller]
fn check_mended(spoil: impl FnOnce(&Path), expected: Written) {
    let folder = tempfile::tempdir().unwrap();
    let documents = [large("/a.atom")];
    let all = |folder: &Path| -> Vec<_> {
        files(folder).into_iter().map(|name| (fs::read(folder.join(&name)).unwrap(), name)).collect()
    };
    write(folder.path(), &documents).unwrap();
    let before = all(folder.path());
    assert_eq!(before.len(), 3);
    spoil(folder.path());
    assert_eq!(write(folder.path(), &documents).unwrap(), expected);
    assert!(all(folder.path()) == before, "{:?}", files(folder.path()));
    assert_eq!(write(folder.path(), &documents).unwrap().unchanged, 1);
}

const MENDED: Written = Written { changed: 1, unchanged: 0, removed: 0 };

#[test]
fn a_compressed_file_that_somebody_removed_is_put_back() {
    check_mended(|folder| fs::remove_file(folder.join("a.atom.br")).unwrap(), MENDED);
}

#[test]
fn a_compressed_file_that_a_crash_left_beside_an_older_document_is_replaced() {
    check_mended(|folder| fs::write(folder.join("a.atom.gz"), "of a document that was never put").unwrap(), MENDED);
}

#[test]
fn a_compressed_file_of_a_document_that_is_small_now_goes() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[large("/a.atom")]).unwrap();
    // Just under the length from which documents are compressed, so larger than what is beside it.
    write(folder.path(), &[document("/a.atom", &"a".repeat(1_000))]).unwrap();
    assert_eq!(files(folder.path()), ["a.atom"]);
}

#[test]
fn what_a_crash_left_half_written_is_swept() {
    let leave = |folder: &Path| {
        for name in [".a.atom.new", ".a.atom.br.new", "..veille.new"] {
            fs::write(folder.join(name), "half").unwrap();
        }
    };
    check_mended(leave, Written { changed: 0, unchanged: 1, removed: 0 });
}

#[test]
fn files_that_were_copied_elsewhere_are_not_written_again() {
    let later = |folder: &Path| {
        for name in ["a.atom", "a.atom.br", "a.atom.gz"] {
            let file = File::options().append(true).open(folder.join(name)).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        }
    };
    check_mended(later, Written { changed: 0, unchanged: 1, removed: 0 });
}

#[test]
fn a_file_that_cannot_be_written_keeps_no_other_from_being() {
    let folder = tempfile::tempdir().unwrap();
    let volume = Representation { basis: Some("1".into()), ..document("/b.atom", "2") };
    write(folder.path(), &[document("/a.atom", "1"), document("/b.atom", "1"), document("/c.atom", "1")]).unwrap();
    fs::remove_file(folder.path().join("a.atom")).unwrap();
    fs::create_dir_all(folder.path().join("a.atom/in the way")).unwrap();
    let mut again = Folder::open(folder.path(), ["/a.atom", "/b.atom"]).unwrap();
    assert_eq!(again.put(&document("/a.atom", "2")), None);
    assert_eq!(again.put(&volume).unwrap().hash, volume.hash);
    let error = again.finish().unwrap_err();
    assert_eq!(error.to_string(), format!("cannot replace `{}`", folder.path().join("a.atom").display()));
    assert_eq!(fs::read(folder.path().join("b.atom")).unwrap(), b"2");
    assert_eq!(files(folder.path()), ["a.atom/", "a.atom/in the way/", "b.atom"], "nothing half written, nothing gone");
}

#[test]
fn what_documents_were_made_from_is_remembered_though_others_are_announced_later() {
    let folder = tempfile::tempdir().unwrap();
    let digest = TopicDigest {
        counts: vec![MonthCount {
            month: crate::story::Month { year: 2026, month: 11 },
            stamp: 7,
            tally: crate::story::StoryTally { days: [(20_000, 3)].into(), ..Default::default() },
        }],
        shown: vec![ShownStory { number: 1, placed: 2, hash: "ab".into(), sources: vec!["agence".into()] }],
    };
    let made = Made { stories: 3, digest, ..Made::default() };
    let mut open = Folder::open(folder.path(), ["/a.atom"]).unwrap();
    open.note("basis", made.clone());
    open.put(&Representation { basis: Some("basis".into()), ..document("/a.atom", "a") });
    open.announce(["/b.atom"]);
    open.put(&document("/b.atom", "b"));
    open.finish().unwrap();
    assert_eq!(Folder::open(folder.path(), []).unwrap().made("/a.atom"), Some(&made));
}
