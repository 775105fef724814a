//! Identity of an entry within its source: key, fingerprint, and whether it is new.
//!
//! Sources were seen to do all of this: one guid for several entries of a document (courts' dockets), no guids and one
//! listing page as the link of many entries (government portals), the same Atom entry five times (official journals),
//! every guid changed overnight. So a key includes the title, and the bare guid is kept beside it.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::atom_id::minted_id;
use super::link::canonical_link;
use crate::feed::Entry;
use crate::story::{Clues, EntryKey, Fingerprint, Identity, Known};
use crate::text::{html_to_text, normal_iri, without_values};

/// The relation of an entry to the stored entries of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// No stored entry has this identity.
    New,
    /// The stored entry of this number; a reader sees no difference.
    Same(i64),
    /// The stored entry of this number; a reader sees a difference.
    Changed(i64),
}

/// Decides whether an entry is new to its source. `known` are the stored entries under its [`Identity::keys`].
///
/// Another title under the same guid is a change. Under the same link without a guid, or under a guid that several
/// entries have had, it may be another entry: that is [`Decision::New`], and [`crate::dedup::itself`] compares the texts.
#[must_use]
pub fn recognise(identity: &Identity, known: &[Known]) -> Decision {
    let says_the_same = |known: &&Known| known.fingerprint == identity.fingerprint;
    let of_guid = || known.iter().filter(|known| identity.guid_key.is_some() && known.guid_key == identity.guid_key);
    let of_key = || known.iter().filter(|known| known.key == identity.key);
    // An entry alone in its document has the key that another entry had when it was alone.
    let found = of_key().chain(of_guid()).find(says_the_same).or_else(|| of_key().next());
    let found = found.or_else(|| {
        let only = identity.owns_guid && of_guid().count() == 1;
        of_guid().next().filter(|_| only)
    });
    match found {
        Some(known) if says_the_same(&known) => Decision::Same(known.number),
        Some(known) => Decision::Changed(known.number),
        None => Decision::New,
    }
}

/// Identifies the entries of one document, in its order, and drops those that it repeats.
///
/// In Atom (see [`crate::feed::Feed::format`]) equal ids are one entry (RFC 4287 §4.1.1): the latest `updated` counts,
/// the first of equal ones. In other formats entries under one guid differ if a reader sees a difference.
#[must_use]
pub fn identify(source_id: &str, format: &str, entries: Vec<Entry>) -> Vec<(Entry, Identity)> {
    identify_apart_from(&[], source_id, format, entries)
}

/// Identifies entries as [`identify`] does, whatever the secrets of their source's address are: where a publisher repeats a
/// token in guids and links, a new token makes no new entries.
#[must_use]
pub fn identify_apart_from(
    secrets: &[String],
    source_id: &str,
    format: &str,
    entries: Vec<Entry>,
) -> Vec<(Entry, Identity)> {
    // Shorter ones are in any text.
    let secrets: Vec<String> = secrets.iter().filter(|secret| secret.len() >= SECRET_BYTES_MIN).cloned().collect();
    let mut readings: Vec<Reading> = entries.into_iter().map(|entry| Reading::new(entry, &secrets)).collect();
    if format.starts_with("atom") {
        readings = one_per_id(readings);
    }
    readings = one_per_text(readings);
    let shared = Occurrences::count(&readings);
    readings.into_iter().map(|reading| reading.identified(source_id, &shared)).collect()
}

/// Shortest secret that is looked for.
const SECRET_BYTES_MIN: usize = 6;

struct Reading {
    entry: Entry,
    /// The guid, else the page, else the first file: kind and value.
    name: Option<(NameKind, String)>,
    /// Whether a secret was taken out of the guid: then it is no id to publish.
    holds_secret: bool,
    /// The canonical link, also if several entries share it.
    page: Option<String>,
    title: String,
    fingerprint: Fingerprint,
}

/// The kind of a name. It is part of each key, so that a guid never equals a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum NameKind {
    Guid,
    Link,
}

impl Reading {
    fn new(entry: Entry, secrets: &[String]) -> Self {
        let page = entry.url.as_ref().and_then(|url| canonical_link(&without_values(url, secrets)));
        let guid = entry.id.as_deref().map(str::trim).filter(|guid| !guid.is_empty());
        let file = || entry.enclosures.first().map(|file| without_values(&file.url, secrets).to_string());
        let name = match guid {
            Some(guid) => Some((NameKind::Guid, without(guid.to_owned(), secrets))),
            None => page.clone().or_else(file).map(|link| (NameKind::Link, link)),
        };
        let holds_secret = guid.is_some_and(|guid| secrets.iter().any(|secret| guid.contains(secret.as_str())));
        let squeezed = |text: &str| without(squeezed(text), secrets);
        let title = squeezed(entry.title.as_deref().unwrap_or_default());
        let [summary, content] =
            [&entry.summary, &entry.content].map(|html| squeezed(&html_to_text(html.as_deref().unwrap_or_default())));
        let text = if summary == content { String::new() } else { summary };
        let link = page.as_deref().unwrap_or_default();
        let fingerprint = Fingerprint(digest(&["says", &title, &text, &content, link]));
        Self { entry, name, holds_secret, page, title, fingerprint }
    }

    fn guid(&self) -> Option<&str> {
        self.name.as_ref().filter(|(kind, _)| *kind == NameKind::Guid).map(|(_, guid)| guid.as_str())
    }

    fn identified(self, source_id: &str, shared: &Occurrences) -> (Entry, Identity) {
        let is_alone = self.name.as_ref().is_none_or(|name| shared.names.get(name) == Some(&1));
        let bare = self.name.as_ref().map(|(kind, name)| EntryKey(digest(&[kind.tag(), name])));
        let key = match &self.name {
            None => EntryKey(self.fingerprint.0),
            Some((kind, name)) if shared.titles.get(&(*kind, name.clone(), self.title.clone())) == Some(&1) => {
                EntryKey(digest(&[kind.tag(), name, "title", &self.title]))
            }
            Some((kind, name)) => EntryKey(digest(&[kind.tag(), name, "says", &format!("{:?}", self.fingerprint)])),
        };
        let owns_guid = is_alone && self.guid().is_some();
        let own_id = self.guid().filter(|_| owns_guid && !self.holds_secret).and_then(normal_iri);
        // From the bare name where it is unique: a corrected title must not give another id after a rebuild.
        let minted = bare.filter(|_| is_alone).unwrap_or(key);
        let is_own_page = self.page.as_ref().is_some_and(|page| shared.pages.get(page) == Some(&1));
        let identity = Identity {
            key,
            guid_key: bare,
            owns_guid,
            fingerprint: self.fingerprint,
            canonical_link: self.page.filter(|_| is_own_page),
            atom_id: own_id.unwrap_or_else(|| minted_id(source_id, minted)),
            clues: Clues::default(),
        };
        (self.entry, identity)
    }
}

impl NameKind {
    fn tag(self) -> &'static str {
        match self {
            Self::Guid => "guid",
            Self::Link => "link",
        }
    }
}

/// Counts of the entries of a document by name, by name and title, by page.
#[derive(Default)]
struct Occurrences {
    names: HashMap<(NameKind, String), usize>,
    titles: HashMap<(NameKind, String, String), usize>,
    pages: HashMap<String, usize>,
}

impl Occurrences {
    fn count(readings: &[Reading]) -> Self {
        let mut shared = Self::default();
        for reading in readings {
            if let Some((kind, name)) = &reading.name {
                *shared.names.entry((*kind, name.clone())).or_default() += 1;
                *shared.titles.entry((*kind, name.clone(), reading.title.clone())).or_default() += 1;
            }
            if let Some(page) = &reading.page {
                *shared.pages.entry(page.clone()).or_default() += 1;
            }
        }
        shared
    }
}

fn one_per_id(readings: Vec<Reading>) -> Vec<Reading> {
    let mut kept: Vec<Reading> = Vec::with_capacity(readings.len());
    let mut places: HashMap<String, usize> = HashMap::new();
    for reading in readings {
        let place = reading.guid().map(|id| *places.entry(id.to_owned()).or_insert(kept.len()));
        match place.and_then(|place| kept.get_mut(place)) {
            Some(earlier) if reading.entry.updated > earlier.entry.updated => *earlier = reading,
            Some(_) => {}
            None => kept.push(reading),
        }
    }
    kept
}

fn one_per_text(mut readings: Vec<Reading>) -> Vec<Reading> {
    let mut seen = HashSet::new();
    readings.retain(|reading| seen.insert((reading.fingerprint.0, reading.name.clone())));
    readings
}

/// A text without secrets.
fn without(text: String, secrets: &[String]) -> String {
    secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), ""))
}

/// A text for comparison: without white space, typographic variants levelled.
///
/// All white space goes, since removed markup leaves blanks: `paru sur <a>Ici</a>.` became `paru sur Ici .` in 210
/// entries of a real source.
fn squeezed(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            '’' | 'ʼ' | '‘' | '‛' | '`' | '´' => squeezed.push('\''),
            '“' | '”' | '„' | '«' | '»' => squeezed.push('"'),
            '–' | '—' | '\u{2010}' | '\u{2011}' => squeezed.push('-'),
            '…' => squeezed.push_str("..."),
            other if other.is_whitespace() => {}
            other => squeezed.push(other),
        }
    }
    squeezed
}

/// The first half of a SHA-256 over the parts, each with its length: so no two lists of parts hash the same text.
fn digest(parts: &[&str]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut half = [0; 16];
    half.iter_mut().zip(hasher.finalize()).for_each(|(to, from)| *to = from);
    half
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    const RSS: &str = "rss20";

    /// An item: guid, path of its link, title and text; `""` is none.
    fn item(guid: &str, path: &str, title: &str, text: &str) -> Entry {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Entry {
            id: some(guid),
            url: some(path).map(|path| Url::parse(&format!("https://example.org{path}")).unwrap()),
            title: some(title),
            summary: some(text),
            ..Entry::default()
        }
    }

    fn updated(entry: Entry, day: u32) -> Entry {
        let date = chrono::NaiveDate::from_ymd_opt(2026, 10, day).unwrap();
        Entry { updated: Some(date.and_hms_opt(0, 0, 0).unwrap().and_utc()), ..entry }
    }

    fn identities(format: &str, entries: &[Entry]) -> Vec<Identity> {
        identify("source", format, entries.to_vec()).into_iter().map(|(_, identity)| identity).collect()
    }

    /// Checks the decisions on the last document's entries after the documents were polled in order.
    fn check(documents: &[&[Entry]], expected: &[Decision]) {
        assert_eq!(polled(documents), expected);
    }

    fn polled(documents: &[&[Entry]]) -> Vec<Decision> {
        let mut stored: Vec<Known> = Vec::new();
        let mut decisions = Vec::new();
        for document in documents {
            decisions.clear();
            for identity in identities(RSS, document) {
                let known: Vec<Known> = stored
                    .iter()
                    .filter(|known| identity.keys().any(|key| known.key == key || known.guid_key == Some(key)))
                    .cloned()
                    .collect();
                let decision = recognise(&identity, &known);
                decisions.push(decision);
                let Identity { key, guid_key, fingerprint, .. } = identity;
                let entry = |number| Known { number, key, guid_key, fingerprint };
                match decision {
                    Decision::New => stored.push(entry(i64::try_from(stored.len()).unwrap() + 1)),
                    Decision::Changed(number) => {
                        *stored.iter_mut().find(|known| known.number == number).unwrap() = entry(number);
                    }
                    Decision::Same(_) => {}
                }
            }
        }
        decisions
    }

    use Decision::{Changed, New, Same};

    #[test]
    fn an_entry_polled_again_is_the_same() {
        check(&[&[item("1", "/a", "A", "x")], &[item("1", "/a", "A", "x")]], &[Same(1)]);
    }

    #[test]
    fn markup_and_typography_are_no_change() {
        let before =
            item("1", "/a?utm_source=rss", "L’école «\u{a0}libre\u{a0}»", "<p>Paru sur <a href='/'>Ici</a>.</p>");
        let after = item("1", "http://", "L'école \"libre\"", "Paru sur Ici .");
        let after = Entry { url: Some(Url::parse("http://www.example.org/a/").unwrap()), ..after };
        check(&[&[before], &[after]], &[Same(1)]);
    }

    #[test]
    fn a_text_edited_under_its_guid_is_a_change() {
        check(&[&[item("1", "/a", "A", "x")], &[item("1", "/a", "A", "y")]], &[Changed(1)]);
    }

    #[test]
    fn a_title_edited_under_its_guid_is_a_change() {
        check(&[&[item("1", "/a", "A", "x")], &[item("1", "/a", "B", "x")]], &[Changed(1)]);
    }

    #[test]
    fn without_guid_a_link_with_another_title_may_be_another_item() {
        check(&[&[item("", "/list", "A", "x")], &[item("", "/list", "B", "y")]], &[New]);
    }

    #[test]
    fn items_that_share_a_listing_page_are_several() {
        let document = [item("", "/list", "A", "x"), item("", "/list", "B", "x"), item("", "/list", "B", "y")];
        check(&[&document], &[New, New, New]);
        assert!(identities(RSS, &document).iter().all(|identity| identity.canonical_link.is_none()));
    }

    #[test]
    fn items_that_share_a_guid_are_several_and_stay_so_when_one_is_left() {
        let [one, two, other] = [item("1", "/d", "A", "x"), item("1", "/d", "A", "y"), item("1", "/d", "B", "x")];
        let document = [one.clone(), two.clone(), other.clone()];
        check(&[&document], &[New, New, New]);
        check(&[&document, &document], &[Same(1), Same(2), Same(3)]);
        check(&[&document, std::slice::from_ref(&one)], &[Same(1)]);
        check(&[&document, std::slice::from_ref(&two)], &[Same(2)]);
        check(&[&document, &[other]], &[Same(3)]);
        check(&[std::slice::from_ref(&one), &document], &[Same(1), New, New]);
        let both = [two.clone(), one.clone()];
        check(&[&[one], &both, &[two]], &[Same(2)]);
    }

    #[test]
    fn a_shared_guid_tells_nothing_of_what_was_never_seen() {
        let document = [item("1", "/d", "A", "x"), item("1", "/d", "A", "y")];
        check(&[&document, &[item("1", "/d", "A", "z")]], &[New]);
    }

    #[test]
    fn a_guid_is_never_taken_for_a_link() {
        check(&[&[item("example.org/a", "", "A", "x")], &[item("", "/a", "A", "x")]], &[New]);
    }

    #[test]
    fn exact_repeats_are_one_entry() {
        check(&[&[item("1", "/a", "A", "x"), item("1", "/a", "A", "x")]], &[New]);
        check(&[&[item("1", "/a", "A", "x"), item("2", "/a", "A", "x")]], &[New, New]);
        check(&[&[item("", "", "", "x"), item("", "", "", "x")]], &[New]);
    }

    #[test]
    fn silent_items_are_told_apart_by_their_guids() {
        check(&[&[item("1", "", "", ""), item("2", "", "", "")]], &[New, New]);
    }

    #[test]
    fn an_atom_id_told_twice_is_one_entry_and_the_latest_counts() {
        let document = [updated(item("i", "/a", "A", "old"), 1), updated(item("i", "/a", "A", "new"), 2)];
        let kept = identify("source", "atom10", document.to_vec());
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].0.summary.as_deref(), Some("new"));
    }

    #[test]
    fn the_publishers_id_is_published_where_it_is_an_own_absolute_iri() {
        let document = [item("https://example.org/?p=1", "/a", "A", ""), item("12", "/b", "B", "")];
        let ids: Vec<String> = identities(RSS, &document).into_iter().map(|identity| identity.atom_id).collect();
        assert_eq!(ids[0], "https://example.org/?p=1");
        assert!(ids[1].starts_with("urn:uuid:"), "{}", ids[1]);
        let shared = [item("urn:x1:1", "/a", "A", ""), item("urn:x1:1", "/b", "B", "")];
        let ids: HashSet<String> = identities(RSS, &shared).into_iter().map(|identity| identity.atom_id).collect();
        assert_eq!(ids.len(), 2);
        assert!(ids.iter().all(|id| id.starts_with("urn:uuid:")));
    }

    #[test]
    fn a_corrected_title_keeps_the_minted_id() {
        let [before, after] = ["A", "B"].map(|title| identities(RSS, &[item("12", "/a", title, "")]).remove(0));
        assert_eq!(before.atom_id, after.atom_id);
    }

    /// Documents of few guids, links, titles and texts, so that they meet; each item has a date of its own.
    fn documents() -> impl Strategy<Value = Vec<Entry>> {
        let told = ("[12]{0,1}", "(/a|/b)?", "[AB]{0,1}", "[xy]{0,1}");
        prop::collection::vec(told, 0..8).prop_map(|told| {
            let dated = told.iter().zip(1..).map(|((guid, path, title, text), second)| Entry {
                published: chrono::DateTime::from_timestamp(second, 0),
                ..item(guid, path, title, text)
            });
            dated.collect()
        })
    }

    proptest! {
        #[test]
        fn what_was_polled_once_is_never_new_again(document in documents(), kept in 0_usize..8) {
            let left: Vec<Entry> = document.iter().rev().take(kept).cloned().collect();
            for decision in polled(&[&document, &left]) {
                prop_assert!(matches!(decision, Same(_)), "{decision:?}");
            }
        }

        #[test]
        fn no_two_entries_of_a_document_have_one_key(document in documents()) {
            let identities = identities(RSS, &document);
            let keys: HashSet<EntryKey> = identities.iter().map(|identity| identity.key).collect();
            prop_assert_eq!(keys.len(), identities.len());
        }

        #[test]
        fn the_order_of_items_does_not_count(mut document in documents()) {
            let keys = |document: &[Entry]| -> HashSet<EntryKey> {
                identities(RSS, document).iter().map(|identity| identity.key).collect()
            };
            let before = keys(&document);
            document.reverse();
            prop_assert_eq!(keys(&document), before);
        }
    }
}
