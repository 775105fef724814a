//! The stored entries about which an editor's answer would teach most.

use std::collections::{BTreeMap, HashSet};

use super::super::label::{ENTRIES_MAX, has_readable_text};
use super::super::labelled::LabelledFile;
use super::super::{Failure, judged};
use crate::config::Config;
use crate::store::{Filter, Held, Store};
use crate::story::StoredEntry;
use crate::topic::learning::{Amendment, with_amendments};
use crate::topic::{Matcher, Topic, Verdict, Weighed};

/// Entries that are asked about in one session.
const ASKED_MAX: usize = 60;

/// Picks the newest stored stories that are nearest to the threshold, those first about which the topic with and without `amendments`
/// disagree, and a source in turn after each other one. Those that the file has labelled are left out.
pub(super) fn worth_asking(
    config: &Config,
    store: &mut dyn Store,
    topic: &Topic,
    amendments: &[Amendment],
    file: &LabelledFile,
) -> Result<Vec<StoredEntry>, Failure> {
    let matcher = Matcher::new(config.topics.clone());
    let learnt = Matcher::new(with_amendments(&config.topics, &topic.id, amendments));
    let place = config.topics.iter().position(|other| other.id == topic.id).unwrap_or_default();
    let answered = file.entries.iter().filter(|entry| entry.labels.contains_key(&topic.id));
    let answered: HashSet<&str> = answered.map(|entry| entry.id.as_str()).collect();
    let mut seen = HashSet::new();
    let mut by_source: BTreeMap<String, Vec<(f64, StoredEntry)>> = BTreeMap::new();
    for Held { stored, .. } in store.entries(&Filter { limit: ENTRIES_MAX, ..Filter::default() })? {
        // Without a text nobody can tell.
        if !has_readable_text(&stored.entry) || answered.contains(stored.atom_id.as_str()) || !seen.insert(stored.story)
        {
            continue;
        }
        let weigh = |matcher: &Matcher| {
            let weighed = judged::weighed_under(config, matcher, &stored.entry, &stored.source_id);
            weighed.into_iter().nth(place)
        };
        let (Some(now), Some(then)) = (weigh(&matcher), weigh(&learnt)) else { continue };
        let distance = if now.verdict == then.verdict { distance(topic, &now) } else { -1.0 };
        by_source.entry(stored.source_id.clone()).or_default().push((distance, stored));
    }
    Ok(in_turn(by_source))
}

/// How far an entry is from the threshold. A rule that nearly counted is worth half.
fn distance(topic: &Topic, weighed: &Weighed) -> f64 {
    match weighed.verdict {
        Verdict::In | Verdict::BelowThreshold => {
            let nearly = if weighed.score < topic.threshold { weighed.missed / 2.0 } else { 0.0 };
            (weighed.score + nearly - topic.threshold).abs()
        }
        Verdict::Excluded(_) | Verdict::OtherLanguage | Verdict::OtherSource | Verdict::OtherTopic(_) => f64::MAX,
    }
}

/// One entry of each source, the nearest, then the second of each, and so on.
fn in_turn(by_source: BTreeMap<String, Vec<(f64, StoredEntry)>>) -> Vec<StoredEntry> {
    let mut all: Vec<(usize, f64, StoredEntry)> = Vec::new();
    for mut entries in by_source.into_values() {
        entries.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.number.cmp(&a.1.number)));
        all.extend(entries.into_iter().enumerate().map(|(round, (distance, stored))| (round, distance, stored)));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(b.2.number.cmp(&a.2.number)));
    all.into_iter().take(ASKED_MAX).map(|(.., stored)| stored).collect()
}
