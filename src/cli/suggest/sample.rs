//! A sample of what is stored, labelled by what the topic says of it now.

use std::collections::BTreeSet;

use xxhash_rust::xxh3::xxh3_64;

use super::super::{Failure, judged, output, scan};
use crate::config::Config;
use crate::store::{self, Held, Store};
use crate::story::{Plain, StoredEntry};
use crate::tag;
use crate::text::Passage;
use crate::topic::learning::Lesson;
use crate::topic::{Matcher, Topic};

/// Stories in the topic, and others, that are learnt from at most: memory must not grow with the store.
const INSIDE_MAX: usize = 1_000;
const OUTSIDE_MAX: usize = 2_000;

/// Characters of a text that are looked at.
const TEXT_MAX: usize = 4_000;

/// The stories with the lowest hashes: an even sample that is the same each time.
#[derive(Debug, Default)]
struct Lowest {
    kept: BTreeSet<(u64, i64)>,
    all: usize,
}

impl Lowest {
    fn take(&mut self, hash: u64, number: i64, most: usize) {
        self.all += 1;
        self.kept.insert((hash, number));
        if self.kept.len() > most {
            self.kept.pop_last();
        }
    }
}

/// Reads a sample of stories, each by the entry that told it first.
pub(super) fn of_store(config: &Config, topic: &Topic, store: &mut dyn Store) -> Result<Vec<Lesson>, Failure> {
    let matcher = Matcher::new(config.topics.clone());
    let judge = |held: &Held| {
        let StoredEntry { number, story, atom_id, entry, source_id, .. } = &held.stored;
        let labels = judged::labels_under(config, &matcher, entry, source_id);
        let is_in = labels.iter().any(|label| label.topic == topic.id);
        (number == story).then(|| (xxh3_64(atom_id.as_bytes()), *number, is_in))
    };
    let (mut inside, mut outside) = (Lowest::default(), Lowest::default());
    scan::judge_each(store, "entries compared", judge, |told| {
        if let Some((hash, number, is_in)) = told {
            let (lowest, most) = if is_in { (&mut inside, INSIDE_MAX) } else { (&mut outside, OUTSIDE_MAX) };
            lowest.take(hash, number, most);
        }
    })?;
    if inside.kept.len() < inside.all || outside.kept.len() < outside.all {
        let (kept, all) = (inside.kept.len() + outside.kept.len(), inside.all + outside.all);
        output::note(&format!("a sample of {kept} of {all} stories is compared"));
    }
    let mut numbers: Vec<(i64, bool)> = inside.kept.into_iter().map(|(_, number)| (number, true)).collect();
    numbers.extend(outside.kept.into_iter().map(|(_, number)| (number, false)));
    numbers.sort_unstable();
    let mut lessons = Vec::new();
    for (number, is_about) in numbers {
        let Some(stored) = store::entry(store, number)? else { continue };
        let source = config.sources.iter().find(|source| source.id == stored.source_id);
        let plain = cut(&Plain::of(&stored.entry));
        lessons.push(Lesson { fields: tag::fields(&stored.entry, &plain, &stored.source_id, source), is_about });
    }
    Ok(lessons)
}

/// The beginning of each text.
fn cut(plain: &Plain) -> Plain {
    let cut = |text: &Passage| {
        let end = text.as_str().char_indices().nth(TEXT_MAX).map_or(text.as_str().len(), |(end, _)| end);
        Passage::from(text.as_str().get(..end).unwrap_or_default())
    };
    Plain { title: cut(&plain.title), summary: cut(&plain.summary), content: cut(&plain.content) }
}
