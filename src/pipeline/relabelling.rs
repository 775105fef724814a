//! Relabelling: every stored entry is labelled again after the rules have changed, in batches, while polls go on.
//!
//! New labels are kept beside those in force; when all are there, one pointer moves. A relabelling that was stopped
//! goes on where it stood; another change of the rules starts a new one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use sha2::{Digest, Sha256};
use tracing::info;

use super::Context;
use super::rebuilding::rebuild;
use crate::config::{Config, Source};
use crate::dedup;
use crate::readers;
use crate::store::{Change, Filter, Held, StoreError, Which};
use crate::story::{Gist, Order, Plain, StoredEntry, WINDOW};
use crate::tag;
use crate::text::WORDS_VERSION;
use crate::topic::Matcher;

/// Entries labelled, and stories related, in one transaction.
const BATCH: usize = 1000;

/// Stale labels dropped in one transaction.
const DROPPED: usize = 5000;

/// Entries between two lines in the log, some seconds apart.
const TOLD: usize = 20_000;

/// Relabels if the rules differ from those in force, or entries wait for labels; rebuilds missing derived data first.
/// Returns whether a publication may be needed.
///
/// # Errors
/// When the store fails.
///
/// # Cancellation
/// Finished batches are kept; the next run goes on after them.
pub async fn relabel(context: &Arc<Context>) -> Result<bool, StoreError> {
    let began = Instant::now();
    let pulse = context.store.call(|store| store.pulse()).await?;
    let is_rebuilt = pulse.rebuilt.is_some();
    if let Some(rebuilt) = pulse.rebuilt {
        rebuild(context, rebuilt).await?;
    }
    let is_done = pulse.rules == *context.rules && pulse.relabelling.is_none() && pulse.unlabelled == 0;
    if !is_done {
        apply(context, vec![Change::BeginRules(context.rules.to_string())]).await?;
        let mut done = label_all(context).await?;
        while !finish(context).await? {
            done += label_late(context).await?;
        }
        if done > 0 {
            let seconds = began.elapsed().as_secs_f64();
            info!(entries = done, "labelled {done} entries by the new rules in {seconds:.1} s");
        }
    }
    while context.store.call(|store| store.drop_labels(DROPPED)).await? > 0 {}
    Ok(is_rebuilt || !is_done)
}

async fn apply(context: &Context, changes: Vec<Change>) -> Result<(), StoreError> {
    let changes = context.as_job(changes)?;
    context.store.call(move |store| store.apply(&changes, None).map(|_| ())).await
}

/// Labels the entries that the relabelling has not reached, then those that came meanwhile under other rules; returns
/// their number.
async fn label_all(context: &Arc<Context>) -> Result<usize, StoreError> {
    let Some(begun) = context.store.call(|store| store.pulse()).await?.relabelling else {
        return label_late(context).await;
    };
    let (mut last, mut done) = (begun.labelled, 0_usize);
    let mut batch = held(context, Which::After(last)).await?;
    while let Some(end) = batch.last() {
        last = end.stored.number;
        done += batch.len();
        let (next, changes) = tokio::join!(held(context, Which::After(last)), judge(context, batch));
        let mut changes = changes?;
        changes.push(Change::Labelled(last));
        apply(context, changes).await?;
        batch = next?;
        if done.is_multiple_of(TOLD) {
            info!(entries = done, "labelling by the new rules: {done} entries done");
        }
    }
    Ok(done + label_late(context).await?)
}

async fn label_late(context: &Arc<Context>) -> Result<usize, StoreError> {
    let mut done = 0;
    loop {
        let batch = held(context, Which::Unlabelled).await?;
        if batch.is_empty() {
            return Ok(done);
        }
        done += batch.len();
        let changes = judge(context, batch).await?;
        apply(context, changes).await?;
    }
}

/// Chooses related news where none was chosen, then publishes the new labels. Returns `false` if other entries came
/// meanwhile.
async fn finish(context: &Arc<Context>) -> Result<bool, StoreError> {
    for topic in &context.config.topics {
        relate(context, &topic.id).await?;
    }
    apply(context, vec![Change::FinishRules]).await?;
    let pulse = context.store.call(|store| store.pulse()).await?;
    Ok(pulse.relabelling.is_none() && pulse.unlabelled == 0
        || pulse.rules != *context.rules && pulse.relabelling.is_none())
}

async fn held(context: &Context, which: Which) -> Result<Vec<Held>, StoreError> {
    let filter = Filter { which, limit: BATCH, ..Filter::default() };
    context.store.call(move |store| store.entries(&filter)).await
}

async fn judge(context: &Arc<Context>, mut batch: Vec<Held>) -> Result<Vec<Change>, StoreError> {
    let share = batch.len().div_ceil(std::thread::available_parallelism().map_or(2, usize::from)).max(1);
    let sources = context.config.sources.iter().map(|source| (source.id.clone(), source.clone()));
    let sources: Arc<HashMap<String, Source>> = Arc::new(sources.collect());
    let mut parts = Vec::new();
    while !batch.is_empty() {
        let rest = batch.split_off(share.min(batch.len()));
        let part = std::mem::replace(&mut batch, rest);
        let (context, sources) = (Arc::clone(context), Arc::clone(&sources));
        parts.push(readers::run_aside(move || judged(&context.matcher, &sources, part)));
    }
    let mut changes = Vec::new();
    for part in futures_util::future::join_all(parts).await {
        changes.extend(part.map_err(|panic| StoreError::Lost { reason: panic.to_string(), ailment: None })?);
    }
    Ok(changes)
}

fn judged(matcher: &Matcher, sources: &HashMap<String, Source>, batch: Vec<Held>) -> Vec<Change> {
    let mut changes = Vec::with_capacity(batch.len());
    for Held { stored, fingerprint, labels: before } in batch {
        let StoredEntry { number, source_id, entry, .. } = &stored;
        let (number, plain) = (*number, Plain::of(entry));
        let labels = tag::labels(matcher, entry, &plain, source_id, sources.get(source_id));
        if before.is_empty() && !labels.is_empty() {
            // While the text is at hand: its related news is chosen next.
            changes.push(Change::TellingWords { number, telling_words: dedup::telling_words(entry, &plain) });
        }
        changes.push(Change::Label { number, seen: fingerprint, labels });
    }
    changes
}

/// Chooses the related news of the stories of a topic for which none was chosen, the earliest first.
async fn relate(context: &Arc<Context>, topic: &str) -> Result<(), StoreError> {
    let (mut after, mut window): (Option<Order>, Vec<Gist>) = (None, Vec::new());
    loop {
        let id = topic.to_owned();
        let page = context.store.call(move |store| store.unrelated(&id, after, BATCH)).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(last.order());
        let id = topic.to_owned();
        let chosen = readers::run_aside(move || choose(&id, &page, &window)).await;
        let (changes, kept) = chosen.map_err(|panic| StoreError::Lost { reason: panic.to_string(), ailment: None })?;
        window = kept;
        apply(context, changes).await?;
    }
}

/// Chooses for a page of stories. Returns the choices and the window before the next page.
fn choose(topic: &str, page: &[(Gist, bool)], window: &[Gist]) -> (Vec<Change>, Vec<Gist>) {
    let waiting: Vec<&Gist> = page.iter().filter(|(_, is_chosen)| !is_chosen).map(|(gist, _)| gist).collect();
    let with_pages = page.iter().map(|(gist, _)| gist).filter(|gist| gist.has_page);
    let stories: Vec<&Gist> = window.iter().chain(with_pages).collect();
    let relate = |(gist, others): (&&Gist, _)| Change::Relate { topic: topic.to_owned(), story: gist.number, others };
    let changes = waiting.iter().zip(dedup::related(&stories, &waiting)).map(relate).collect();
    let last = stories.len().saturating_sub(WINDOW);
    (changes, stories.into_iter().skip(last).cloned().collect())
}

/// Version of reading entries for labels. Raised when the same rules find other entries in the same words: stores are
/// labelled again then.
const READING: u32 = 2;

/// A hash of everything that decides labels: the versions of the program, of reading and of words, the topics, the
/// sources' tags and topics.
pub(super) fn rules(config: &Config) -> String {
    let sources: Vec<_> = config.sources.iter().map(|source| (&source.id, &source.tags, &source.topics)).collect();
    let read_by = (env!("CARGO_PKG_VERSION"), READING, WORDS_VERSION);
    let text = format!("{read_by:?} {:?} {sources:?}", config.topics);
    data_encoding::HEXLOWER.encode(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::config;
    use crate::feed::Entry;
    use crate::store::Handle;
    use crate::store::sqlite::Sqlite;

    const TOPIC: &str = "[[topic]]\nid = 'ecole'\nany = ['école']\n";

    fn parsed(text: &str) -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        let config = config::parse(text, &folder.path().join("config.toml")).unwrap();
        (folder, config)
    }

    #[test]
    fn rules_are_the_topics_and_what_sources_say_of_their_entries() {
        let source = "[[feed]]\nid = 'a'\nurl = 'https://a.example/feed'\n";
        let same = |one: &str, other: &str| rules(&parsed(one).1) == rules(&parsed(other).1);
        let before = format!("{TOPIC}{source}");
        assert!(same(&before, &before));
        assert!(same(&before, &format!("[site]\ntitle = 'Veille'\n{TOPIC}{source}schedule = '@daily'\n")));
        assert!(!same(&before, &format!("{TOPIC}{source}tags = ['école']\n")));
        assert!(!same(&before, &format!("{}{source}", TOPIC.replace("école", "lycée"))));
        assert!(!same(&before, TOPIC));
    }

    #[tokio::test]
    async fn there_is_something_to_publish_after_the_rules_have_changed_and_only_then() {
        let (_folder, config) = parsed(TOPIC);
        let open = |config: &Config| Handle::new(Box::new(Sqlite::open(&config.store.path).unwrap())).unwrap().0;
        let context = Arc::new(Context::new(config.clone(), open(&config)).unwrap());
        assert!(relabel(&context).await.unwrap(), "the first rules");
        assert!(!relabel(&context).await.unwrap());
        apply(&context, vec![Change::Rebuilt(Some(0))]).await.unwrap();
        assert!(relabel(&context).await.unwrap(), "rebuilt");
        assert!(!relabel(&context).await.unwrap());
    }

    /// A story about a breakdown at this day.
    fn story(number: i64, has_page: bool, is_chosen: bool) -> (Gist, bool) {
        let title = Some(format!("Parcoursup, Affelnet et Pronote en panne, jour {number}"));
        let entry = Entry { title: title.clone(), ..Entry::default() };
        let date = DateTime::UNIX_EPOCH + TimeDelta::days(number);
        let telling_words = Some(dedup::telling_words(&entry, &Plain::of(&entry)));
        (Gist { number, source_id: number.to_string(), date, title, has_page, telling_words }, is_chosen)
    }

    /// Stories about other subjects.
    fn others() -> Vec<Gist> {
        let of = |place: usize| {
            let word: String = [place / 26, place % 26]
                .map(|letter| char::from(b"abcdefghijklmnopqrstuvwxyz"[letter]))
                .iter()
                .collect();
            let (gist, _) = story(-1 - i64::try_from(place).unwrap(), true, true);
            let entry = Entry { title: Some(format!("Sujet{word} chose{word}")), ..Entry::default() };
            Gist { telling_words: Some(dedup::telling_words(&entry, &Plain::of(&entry))), title: entry.title, ..gist }
        };
        (0..WINDOW).map(of).collect()
    }

    #[test]
    fn related_news_is_chosen_once_among_earlier_stories_with_a_page() {
        let page = vec![story(1, true, true), story(2, false, false), story(3, true, false), story(4, true, false)];
        let (changes, window) = choose("ecole", &page, &others());
        let relate = |story, others: &[i64]| Change::Relate { topic: "ecole".into(), story, others: others.to_vec() };
        assert_eq!(changes, [relate(2, &[1]), relate(3, &[1]), relate(4, &[3, 1])]);
        assert_eq!(window.len(), WINDOW);
        assert_eq!(window.iter().rev().take(4).map(|gist| gist.number).collect::<Vec<_>>(), [4, 3, 1, -500]);
    }
}
