//! From an answer to the news of its document: reading it, finding its new entries, sanitising and labelling those.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tracing::warn;
use url::Url;

use super::clock::Skew;
use super::deciding::{Fresh, PreparedDocument};
use super::{Context, full_text};
use crate::config::Source;
use crate::dedup::{self, Decision, Listing, Subject};
use crate::feed::{Defect, Entry, Feed, Timestamp};
use crate::fetch;
use crate::parse;
use crate::readers;
use crate::state::{About, SourceState, Validators};
use crate::store::{Inquiry, StoreError};
use crate::story::{Identity, Known, Plain, Prepared};
use crate::tag;
use crate::text::secrets;
use crate::websub::HubOffer;

/// A document that was read, and its entries.
pub(super) struct ReadDocument {
    about: About,
    entries: Vec<(Entry, Identity)>,
    listing: Listing,
    hash: [u8; 32],
    /// The address that the document gives itself.
    pub(super) own: Option<Url>,
    /// Kept only with the document: the `ETag` of an unread document would turn the failure into a silent "not
    /// modified".
    validators: Vec<Validators>,
}

/// The reason for which a document could not be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) code: String,
    pub(super) message: String,
}

/// Runs `work` on a reader thread. A panic is a fault of the document.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Unreadable> {
    readers::run_aside(work)
        .await
        .map_err(|panic| Unreadable { code: "reader_failed".into(), message: panic.to_string() })
}

/// Reads the document of an answer; `None` if it is the last one again.
pub(super) async fn read_answer(
    context: &Context,
    source: &Source,
    state: &mut SourceState,
    fetched: fetch::Fetched,
    now: Timestamp,
) -> Result<Option<ReadDocument>, Unreadable> {
    // After a permanent redirect the address leads to another document.
    let is_first = state.body_hash.is_none() || fetched.moved().is_some();
    // While our clock is behind, what is said to be of today would seem to be of the future.
    let now = fetched.date.filter(|date| Skew::of(Some(*date), now) == Skew::Behind).unwrap_or(now);
    let fetch::Fetched { answer, url, validators, .. } = fetched;
    let document = match answer {
        fetch::Answer::NotModified => {
            state.validators = validators;
            return Ok(None);
        }
        fetch::Answer::Document(document) => document,
    };
    let hash: [u8; 32] = Sha256::digest(&document.body).into();
    if state.body_hash == Some(hash) {
        state.validators = validators;
        // A server may begin to name hubs in its headers while the document stays.
        state.about.offer = document.offer.or(state.about.offer.take());
        return Ok(None);
    }
    let read = read_document(context, source, document, url, is_first, now).await?;
    // The part that was cut off may come with the same document: the next request asks for it again.
    let validators = if read.about.defects.iter().any(is_cut) { Vec::new() } else { validators };
    Ok(Some(ReadDocument { hash, validators, ..read }))
}

/// Reads a document that came from `url`. `is_first`: no document of its address was read before.
pub(super) async fn read_document(
    context: &Context,
    source: &Source,
    document: fetch::Document,
    url: Url,
    is_first: bool,
    now: Timestamp,
) -> Result<ReadDocument, Unreadable> {
    let (is_delta, linked) = (document.is_delta, document.offer);
    let limits = parse::Limits { entries_max: context.config.poll.entries_max, ..parse::Limits::default() };
    let (zone, source_id) = (source.schedule.zone(), source.id.clone());
    // A new token makes no new entries of those that have it in their names.
    let secrets: Vec<String> = if source.private {
        [&source.url, &url].into_iter().flat_map(secrets).map(|(_, secret)| secret).collect()
    } else {
        Vec::new()
    };
    // The base of relative links is published with them.
    let url = if source.private { url.join(".").unwrap_or(url) } else { url };
    let (body, content_type) = (document.body, document.content_type);
    let reading = aside(move || {
        let mut feed = parse::read(&body, content_type.as_deref(), Some(&url), zone, &limits, now)?;
        // Half an entry would be published for good, or would replace the whole one.
        if feed.entries.len() > 1 && feed.defects.iter().any(is_cut) {
            feed.entries.pop();
        }
        let entries = std::mem::take(&mut feed.entries);
        let own = feed.self_url.clone();
        let mut about = about(feed);
        // Headers come before what the document says (WebSub §4).
        about.offer = linked.or(about.offer);
        let format = about.format.as_deref().unwrap_or_default();
        Ok((dedup::identify_apart_from(&secrets, &source_id, format, entries), about, own))
    });
    let unreadable = |error: parse::ParseError| Unreadable {
        code: error.code().into(),
        message: format!("{error}; {}", error.hint()),
    };
    let (entries, about, own) = reading.await?.map_err(unreadable)?;
    let order = entries.iter().map(|(_, identity)| identity.key).collect();
    let listing = Listing::new(is_delta, is_first, &about.defects, order);
    Ok(ReadDocument { about, entries, listing, hash: [0; 32], own, validators: Vec::new() })
}

/// Whether a document ended within its last entry.
fn is_cut(defect: &Defect) -> bool {
    defect.code == "cut_entry"
}

/// Sets entries apart that are stored unchanged: only the others are sanitised and labelled.
pub(super) async fn prepare(
    context: &Arc<Context>,
    source: &Source,
    state: &mut SourceState,
    document: Option<ReadDocument>,
    share: fetch::Share,
    now: Timestamp,
) -> Result<Result<Option<PreparedDocument>, Unreadable>, StoreError> {
    let Some(ReadDocument { mut about, entries, listing, hash, own: _, validators }) = document else {
        return Ok(Ok(None));
    };
    let since = state.last_success.filter(|_| state.body_hash.is_some());
    let known = known(context, &source.id, entries.iter().map(|(_, identity)| identity)).await?;
    let mut same = Vec::new();
    let mut fresh: Vec<(Entry, Identity, Decision)> = Vec::new();
    for (entry, identity) in entries {
        match dedup::recognise(&identity, &known) {
            Decision::Same(number) => same.push(number),
            decision @ (Decision::New | Decision::Changed(_)) => fresh.push((entry, identity, decision)),
        }
    }
    let share = if source.full_text {
        // First: the pages need places of their own, and two polls that wait for each other would wait for ever.
        drop(share);
        about.defects.extend(full_texts(context, source, &mut fresh, now).await);
        fetch::Share::default()
    } else {
        share
    };
    let (context, source) = (Arc::clone(context), source.clone());
    about.former = std::mem::take(&mut state.about.former);
    about.is_private = source.private;
    let ready = aside(move || {
        fresh
            .into_iter()
            .map(|(entry, identity, decision)| ready(&context, &source, entry, identity, decision))
            .collect()
    });
    Ok(ready.await.map(|fresh| {
        about.clock_was_behind = state.about.clock_was_behind;
        *state.about = about;
        state.body_hash = Some(hash);
        state.validators = validators;
        Some(PreparedDocument { fresh, same, listing, since, _share: share })
    }))
}

async fn known(
    context: &Context,
    source_id: &str,
    identities: impl Iterator<Item = &Identity>,
) -> Result<Vec<Known>, StoreError> {
    let keys = [(source_id.to_owned(), identities.flat_map(Identity::keys).collect())].into();
    let asked = Inquiry { keys, ..Inquiry::default() };
    let mut around = context.store.call(move |store| store.surroundings(&asked)).await?;
    Ok(around.known.remove(source_id).unwrap_or_default().into_values().collect())
}

async fn full_texts(
    context: &Context,
    source: &Source,
    fresh: &mut [(Entry, Identity, Decision)],
    now: Timestamp,
) -> Vec<Defect> {
    // A page that several entries share is a list and belongs to none of them.
    let with_page = fresh.iter_mut().filter(|(_, identity, _)| identity.canonical_link.is_some());
    let entries = with_page.map(|(entry, ..)| entry).collect();
    let defects = full_text(&context.client, source, entries, context.config.poll.pages_max, now).await;
    for defect in &defects {
        warn!(defect.code = defect.code, "{}", defect.message);
    }
    defects
}

fn ready(context: &Context, source: &Source, entry: Entry, mut identity: Identity, decision: Decision) -> Fresh {
    let entry = parse::sanitise(entry);
    let plain = Plain::of(&entry);
    let labels = tag::labels(&context.matcher, &entry, &plain, &source.id, Some(source));
    let subject = Subject::new(&source.id, &entry, &plain, &identity);
    identity.clues = subject.clues();
    let telling_words = (!labels.is_empty()).then(|| dedup::telling_words(&entry, &plain));
    let sketch = dedup::sketch(&subject, &identity.clues);
    let prepared = Prepared { entry, identity, labels, rules: Arc::clone(&context.rules), telling_words, sketch };
    Fresh::new(&source.id, prepared, decision)
}

fn about(feed: Feed) -> About {
    About {
        id: feed.id,
        title: feed.title,
        url: feed.url,
        description: feed.description,
        language: feed.language,
        updated: feed.updated,
        rights: feed.rights,
        authors: feed.authors,
        generator: feed.generator,
        offer: HubOffer::new(feed.self_url, feed.hubs),
        format: Some(feed.format),
        rhythm: feed.rhythm,
        is_private: false,
        former: Vec::new(),
        defects: feed.defects,
        clock_was_behind: None,
    }
}
