//! `veille import FILE.opml`: the feeds of another reader, folders as tags. Asks no server.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::{Failure, open, output, save};
use crate::config::{NewFeed, id_for};
use crate::parse::{self, OpmlFeed};
use crate::text::{count, feed_key};

/// Largest list. Ten thousand feeds take about 3 MB.
const LIST_BYTES_MAX: u64 = 32 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct ImportOptions {
    /// The list, as other readers export it
    #[arg(value_name = "FILE.opml")]
    file: PathBuf,
}

pub(super) fn run(path: &Path, options: &ImportOptions) -> Result<(), Failure> {
    let config = open::config(Some(PathBuf::from(path)))?;
    let list = parse::outlines(&read(&options.file)?).ok_or_else(|| {
        Failure::Usage(format!(
            "error: `{}` is no OPML\nhelp: let the other reader export its subscriptions",
            options.file.display()
        ))
    })?;
    let mut taken: HashSet<String> = config.sources.iter().map(|source| source.id.clone()).collect();
    let known: HashSet<String> = config.sources.iter().map(|source| feed_key(&source.url)).collect();
    let mut feeds: Vec<NewFeed> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut odd = list.odd;
    let mut there = 0;
    for OpmlFeed { url, title, tags } in list.feeds {
        let key = feed_key(&url);
        if !url.username().is_empty() || url.password().is_some() {
            odd.push(format!("{} (with a password: add it by hand, with `auth`)", url.host_str().unwrap_or_default()));
        } else if let Some(feed) = places.get(&key).and_then(|place| feeds.get_mut(*place)) {
            // Listed in several folders: each of them is a tag.
            let new = tags.into_iter().filter(|tag| !feed.tags.contains(tag)).collect::<Vec<_>>();
            feed.tags.extend(new);
            there += 1;
        } else if known.contains(&key) {
            there += 1;
        } else {
            let id = id_for(&url, &taken);
            taken.insert(id.clone());
            places.insert(key, feeds.len());
            let title = title.filter(|title| !title.is_empty());
            feeds.push(NewFeed { url: url.into(), id, title, tags });
        }
    }
    if !feeds.is_empty() {
        save::add(path, &feeds)?;
    }
    for address in &odd {
        output::note(&format!("left out: {address}"));
    }
    output::print(&for_people(feeds.len(), there, odd.len()))?;
    Ok(())
}

/// `2 feeds added, 1 there already, 1 left out`; what did not happen is not told.
fn for_people(added: usize, there: usize, odd: usize) -> String {
    let others = [(there, "there already"), (odd, "left out")];
    let others = others.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!(", {number} {what}"));
    format!("{} added{}\n", count(added, "feed"), others.collect::<String>())
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let cannot_read = |error: std::io::Error| anyhow::anyhow!("cannot read `{}`: {error}", file.display());
    if std::fs::metadata(file).map_err(cannot_read)?.len() > LIST_BYTES_MAX {
        return Err(Failure::Usage(format!(
            "error: `{}` is larger than 32 MiB, which no list of feeds is",
            file.display()
        )));
    }
    Ok(std::fs::read(file).map_err(cannot_read)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_tells_what_happened_and_nothing_else() {
        assert_eq!(for_people(1, 0, 0), "1 feed added\n");
        assert_eq!(for_people(2, 1, 3), "2 feeds added, 1 there already, 3 left out\n");
        assert_eq!(for_people(0, 5, 0), "0 feeds added, 5 there already\n");
    }
}
