//! The manual as it is installed, held against the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use regex::Regex;

use crate::world::stderr;

fn veille(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_veille")).args(arguments).output().unwrap()
}

/// The names of variables that stand in the files under a folder which ask the environment.
fn variables(folder: &Path) -> BTreeSet<String> {
    let name = Regex::new(r#""([A-Z_]{6,}|[a-z]+_proxy)""#).unwrap();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Tests have variables of their own.
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            found.extend(variables(&path));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        if text.contains("env::var") {
            found.extend(name.captures_iter(&text).map(|name| name[1].to_owned()));
        }
    }
    found
}

#[test]
fn each_variable_that_the_code_reads_stands_in_the_manual() {
    let page = String::from_utf8(veille(&["man"]).stdout).unwrap();
    let named = variables(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(named.contains("VEILLE_LOG") && named.contains("NO_COLOR") && named.contains("https_proxy"), "{named:?}");
    let missing: Vec<&String> = named
        .iter()
        .filter(|name| !page.contains(&format!("{name}\\fR")) && !page.contains(&format!("{name},")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn all_pages_are_written_into_a_folder_that_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("share/man/man1");
    let output = veille(&["man", "--to", to.to_str().unwrap()]);
    assert!(output.status.success() && output.stdout.is_empty(), "{}", stderr(&output));
    let mut written = 0;
    for file in fs::read_dir(&to).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let command = name.strip_prefix("veille").unwrap().strip_suffix(".1").unwrap().replace('-', " ");
        let arguments: Vec<&str> = std::iter::once("man").chain(command.split_whitespace()).collect();
        assert_eq!(fs::read(&path).unwrap(), veille(&arguments).stdout, "{name}");
        written += 1;
    }
    assert_eq!(stderr(&output).split(' ').next(), Some(written.to_string().as_str()));
}

#[test]
fn the_page_of_no_command_is_wrong_usage() {
    let output = veille(&["man", "pol"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stderr(&output), "error: there is no command `pol`\nhelp: `veille help` lists them\n");
}

#[test]
fn each_file_that_the_guide_for_contributors_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("CONTRIBUTING.md")).unwrap();
    let path =
        Regex::new(r"`((?:src|tests|docs|benches|fuzz|templates|systemd|\.ci)/[\w./-]*|[\w-]+\.(?:md|toml))`").unwrap();
    let named: BTreeSet<&str> = path.captures_iter(&guide).map(|found| found.get(1).unwrap().as_str()).collect();
    assert!(named.len() > 10, "{named:?}");
    // NAME stands for a file that the reader is to write.
    let missing: Vec<&&str> = named.iter().filter(|name| !name.contains("NAME") && !root.join(name).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
