//! The served documents, each with its validators and its compressed forms, in memory or as a file.
//!
//! Compression is done once per change; unchanged documents are taken over from the tree before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use chrono::{SubsecRound, TimeDelta};

use crate::feed::Timestamp;
use crate::publish::files::{Filed, Placed, Served};
use crate::publish::{Encoding, Format, Representation, policy};
use crate::text::http_date;

/// Every document by its path, as served between two changes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    resources: Arc<HashMap<String, Arc<Resource>>>,
    /// When the next change is possible; `None` if nobody knows.
    pub fresh_until: Option<Instant>,
}

/// A document with all that answers about it need.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its format.
    pub format: Format,
    /// When these bytes took the place of others (RFC 9110 §8.8.2.1), to the second.
    pub modified: Timestamp,
    /// The same as an HTTP date (RFC 9110 §5.6.7).
    pub last_modified: String,
    /// Whether readers may be told: not of a date that is still to come.
    pub is_dated: bool,
    /// As it is.
    pub plain: Encoded,
    /// Compressed, where that makes it smaller; smallest first.
    pub compressed: Vec<(Encoding, Encoded)>,
    /// The content security policy of a page that shows pictures of other sites.
    pub policy: Option<String>,
    hash: String,
}

/// A document in one content coding.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// The body.
    pub body: Body,
    /// A strong validator with its quotes, not shared with another coding (RFC 9110 §8.8.3.3).
    pub etag: String,
}

/// The place of a document's bytes.
#[derive(Debug, Clone)]
pub enum Body {
    /// In memory: what readers ask for all the time.
    Memory(Bytes),
    /// In a published file: what may be large and is seldom asked for, as the archive is.
    File(Placed),
}

impl Tree {
    /// Builds the tree that follows `previous`, reusing what has the same bytes. `filed` are documents that lie in files,
    /// from which those are read that are served from memory; of one that could not be put there what is served stays.
    #[must_use]
    pub fn build(
        representations: Vec<Representation>,
        filed: Vec<(String, Option<Filed>)>,
        previous: &Self,
        now: Timestamp,
    ) -> Self {
        let in_memory = representations.into_iter().map(|representation| {
            let before = previous.get(&representation.path);
            let same = before.filter(|before| before.hash == representation.hash);
            let resource = same.cloned().unwrap_or_else(|| Arc::new(Resource::in_memory(&representation, before, now)));
            (representation.path, resource)
        });
        let in_files = filed.into_iter().filter_map(|(path, filed)| {
            let before = previous.get(&path);
            let anew = filed.map(|filed| Resource::filed(&filed, before, now));
            let resource = anew.or_else(|| before.cloned())?;
            Some((path, resource))
        });
        Self { resources: Arc::new(in_memory.chain(in_files).collect()), fresh_until: previous.fresh_until }
    }

    /// Returns the same documents with another time of the next possible change. Validators stay; dates that have come
    /// by `now` are told.
    #[must_use]
    pub fn with_fresh_until(&self, instant: Option<Instant>, now: Timestamp) -> Self {
        let has_come = |resource: &Resource| !resource.is_dated && resource.modified <= now;
        let mut resources = Arc::clone(&self.resources);
        if resources.values().any(|resource| has_come(resource)) {
            for resource in Arc::make_mut(&mut resources).values_mut().filter(|resource| has_come(resource)) {
                *resource = Arc::new(Resource { is_dated: true, ..Resource::clone(resource) });
            }
        }
        Self { resources, fresh_until: instant }
    }

    /// Returns the document at `path`, which begins with `/`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Arc<Resource>> {
        self.resources.get(path)
    }
}

impl Resource {
    fn in_memory(representation: &Representation, before: Option<&Arc<Self>>, now: Timestamp) -> Self {
        let Representation { format, bytes, hash, modified, .. } = representation;
        let compressed = representation.compressed().iter().map(|(encoding, bytes)| (*encoding, bytes.clone()));
        let compressed = compressed.map(|(encoding, bytes)| (encoding, Body::Memory(bytes))).collect();
        let modified = dated(hash, modified.unwrap_or(now), before, now);
        let policy = stated(*format, bytes);
        Self { policy, ..Self::new(*format, hash, (modified, now), Body::Memory(bytes.clone()), compressed) }
    }

    fn filed(filed: &Filed, before: Option<&Arc<Self>>, now: Timestamp) -> Arc<Self> {
        // One that is served from its file is built anew though the bytes be the same: they may lie elsewhere.
        let is_in_memory = filed.served != Served::File;
        let same = before.filter(|before| is_in_memory && before.is_as(filed));
        let read = || if is_in_memory { Self::read(filed, before, now) } else { None };
        // A file that another process replaced just now is served as it is.
        let anew = || Arc::new(read().unwrap_or_else(|| Self::in_file(filed, before, now)));
        same.cloned().unwrap_or_else(anew)
    }

    /// Whether it is in memory in every coding that would be read.
    fn is_as(&self, filed: &Filed) -> bool {
        let has = |encoding| self.compressed.iter().any(|(own, _)| *own == encoding);
        matches!(self.plain.body, Body::Memory(_))
            && self.hash == filed.hash
            && filed.compressed.iter().all(|(encoding, _)| has(*encoding))
    }

    /// Reads a document from its files; `None` if they are not as they were put.
    fn read(filed: &Filed, before: Option<&Arc<Self>>, now: Timestamp) -> Option<Self> {
        let plain = filed.plain.read()?;
        let beside = filed.compressed.iter();
        let mut compressed: Vec<(Encoding, Bytes)> =
            beside.filter_map(|(encoding, file)| Some((*encoding, Bytes::from(file.read()?)))).collect();
        compressed.sort_by_key(|(_, body)| body.len());
        let compressed = compressed.into_iter().map(|(encoding, body)| (encoding, Body::Memory(body))).collect();
        let modified = dated(&filed.hash, filed.modified, before, now);
        let policy = stated(filed.format, &plain);
        let anew = Self::new(filed.format, &filed.hash, (modified, now), Body::Memory(plain.into()), compressed);
        Some(Self { policy, ..anew })
    }

    fn in_file(filed: &Filed, before: Option<&Arc<Self>>, now: Timestamp) -> Self {
        let compressed =
            filed.compressed.iter().map(|(encoding, placed)| (*encoding, Body::File(placed.clone()))).collect();
        let modified = dated(&filed.hash, filed.modified, before, now);
        Self::new(filed.format, &filed.hash, (modified, now), Body::File(filed.plain.clone()), compressed)
    }

    fn new(
        format: Format,
        hash: &str,
        (modified, now): (Timestamp, Timestamp),
        plain: Body,
        compressed: Vec<(Encoding, Body)>,
    ) -> Self {
        let compressed = compressed
            .into_iter()
            .map(|(encoding, body)| (encoding, Encoded { body, etag: format!("\"{hash}-{}\"", encoding.name()) }));
        Self {
            format,
            modified,
            last_modified: http_date(modified),
            is_dated: modified <= now,
            plain: Encoded { body: plain, etag: format!("\"{hash}\"") },
            compressed: compressed.collect(),
            policy: None,
            hash: hash.to_owned(),
        }
    }
}

/// Returns the content security policy that a page states.
fn stated(format: Format, bytes: &[u8]) -> Option<String> {
    (format == Format::Page).then(|| policy::header(bytes)).flatten()
}

/// Returns when a document was modified, to the second: when it was written, what its content says notwithstanding.
///
/// Later than what stood there before by a second at least, else a reader that knows only `Last-Modified` would take one
/// for the other: two changes in one second, or a clock that was set back.
fn dated(hash: &str, written: Timestamp, before: Option<&Arc<Resource>>, now: Timestamp) -> Timestamp {
    let written = written.min(now).trunc_subsecs(0);
    match before {
        Some(before) if before.hash == hash => before.modified,
        Some(before) => written.max(before.modified + TimeDelta::seconds(1)),
        None => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::newsroom::date;

    const NOON: &str = "2026-10-12T12:00:00Z";

    /// The tree of one document in memory, built at an instant; it lies in a file written at another, if any.
    fn tree(text: &str, written: Option<&str>, previous: &Tree, now: &str) -> Tree {
        let document = Representation::new("/a.atom".into(), Format::Atom, text.into());
        let document = Representation { modified: written.map(date), ..document };
        Tree::build(vec![document], Vec::new(), previous, date(now))
    }

    /// Publishes one text after another; shows what became of the document.
    fn check(before: &str, after: &str, claim: impl FnOnce(&Arc<Resource>, &Arc<Resource>) -> bool) {
        let first = tree(before, None, &Tree::default(), NOON);
        let second = tree(after, None, &first, "2026-10-12T12:00:05Z");
        assert!(claim(first.get("/a.atom").unwrap(), second.get("/a.atom").unwrap()));
    }

    /// Publishes documents one after the other, each a text, when its file was written, and when the tree is built;
    /// compares the last date that readers are told.
    #[track_caller]
    fn check_date(rounds: &[(&str, Option<&str>, &str)], expected: Option<&str>) {
        let mut last = Tree::default();
        for (text, written, now) in rounds {
            last = tree(text, *written, &last, now);
        }
        let resource = last.get("/a.atom").unwrap();
        assert_eq!(resource.is_dated.then_some(&*resource.last_modified), expected);
    }

    #[test]
    fn the_same_bytes_are_taken_over() {
        check("a", "a", Arc::ptr_eq);
    }

    #[test]
    fn other_bytes_have_another_tag() {
        check("a", "b", |before, after| before.plain.etag != after.plain.etag);
    }

    #[test]
    fn a_document_is_dated_when_its_file_was_written() {
        check_date(&[("a", Some("2026-10-10T00:00:00.7Z"), NOON)], Some("Sat, 10 Oct 2026 00:00:00 GMT"));
    }

    #[test]
    fn a_document_without_a_file_is_dated_when_it_was_first_served() {
        check_date(&[("a", None, NOON), ("a", None, "2026-10-12T13:00:00Z")], Some("Mon, 12 Oct 2026 12:00:00 GMT"));
        check_date(&[("a", None, NOON), ("b", None, "2026-10-12T13:00:00Z")], Some("Mon, 12 Oct 2026 13:00:00 GMT"));
    }

    #[test]
    fn two_changes_in_one_second_have_two_dates_and_none_is_to_come() {
        let (first, second) = (("a", None, "2026-10-12T12:00:00.1Z"), ("b", None, "2026-10-12T12:00:00.8Z"));
        check_date(&[first, second], None);
    }

    #[test]
    fn a_date_is_told_when_it_has_come() {
        let first = tree("a", None, &Tree::default(), NOON);
        let second = tree("b", None, &first, NOON);
        let is_dated = |now| second.with_fresh_until(None, date(now)).get("/a.atom").unwrap().is_dated;
        assert_eq!((is_dated(NOON), is_dated("2026-10-12T12:00:01Z")), (false, true));
    }

    #[test]
    fn a_file_from_the_future_is_dated_now() {
        check_date(&[("a", Some("2099-01-01T00:00:00Z"), NOON)], Some("Mon, 12 Oct 2026 12:00:00 GMT"));
    }

    #[test]
    fn a_clock_that_was_set_back_dates_nothing_back() {
        check_date(&[("a", None, NOON), ("b", None, "2026-10-12T11:00:00Z")], None);
    }

    #[test]
    fn what_cannot_be_put_in_its_file_stays_what_it_was() {
        let first = tree("a", None, &Tree::default(), NOON);
        let failed = ["/a.atom", "/b.atom"].map(|path| (path.to_owned(), None)).to_vec();
        let second = Tree::build(Vec::new(), failed, &first, date(NOON));
        assert!(Arc::ptr_eq(first.get("/a.atom").unwrap(), second.get("/a.atom").unwrap()));
        assert!(second.get("/b.atom").is_none());
    }

    #[test]
    fn each_coding_is_smaller_and_has_its_own_tag() {
        let tree = tree(&"du texte ".repeat(1_000), None, &Tree::default(), NOON);
        let resource = tree.get("/a.atom").unwrap();
        let tags: Vec<_> = resource.compressed.iter().map(|(_, encoded)| &encoded.etag).collect();
        assert!(tags.len() == 2 && tags[0] != tags[1] && !tags.contains(&&resource.plain.etag));
        let length = |encoded: &Encoded| match &encoded.body {
            Body::Memory(bytes) => bytes.len(),
            Body::File(_) => usize::MAX,
        };
        assert!(resource.compressed.iter().all(|(_, encoded)| length(encoded) < length(&resource.plain)));
    }

    #[test]
    fn what_is_small_is_not_compressed() {
        check("a", "b", |_, after| after.compressed.is_empty());
    }

    #[test]
    fn what_is_published_no_more_is_gone() {
        let first = tree("a", None, &Tree::default(), NOON);
        assert!(Tree::build(Vec::new(), Vec::new(), &first, date(NOON)).get("/a.atom").is_none());
    }
}
