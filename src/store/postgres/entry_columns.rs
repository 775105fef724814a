//! Entries as columns: many are inserted or updated by one statement.

use std::borrow::Cow;

use url::Url;

use super::StoreError;
use super::rows::{texts, unix};
use super::session::{Call, Parameter};
use crate::feed::{Entry, Timestamp};
use crate::store::details::Details;
use crate::story::Identity;

/// The columns of entries that both an insertion and an update write.
#[derive(Default)]
pub(super) struct EntryColumns<'a> {
    numbers: Vec<i64>,
    dates: Vec<i64>,
    published: Vec<Option<i64>>,
    updated: Vec<Option<i64>>,
    owns_guid: Vec<bool>,
    keys: Vec<&'a [u8]>,
    guid_keys: Vec<Option<&'a [u8]>>,
    fingerprints: Vec<&'a [u8]>,
    ids: Vec<Option<&'a str>>,
    urls: Vec<Option<&'a str>>,
    links: Vec<Option<&'a str>>,
    languages: Vec<Option<&'a str>>,
    titles: Vec<Option<&'a str>>,
    summaries: Vec<Option<&'a str>>,
    contents: Vec<Option<&'a str>>,
    details: Vec<String>,
}

impl<'a> EntryColumns<'a> {
    pub(super) fn push(
        &mut self,
        number: i64,
        entry: &'a Entry,
        identity: &'a Identity,
        date: Timestamp,
        published: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.numbers.push(number);
        self.dates.push(unix(date));
        self.published.push(published.map(unix));
        self.updated.push(entry.updated.map(unix));
        self.owns_guid.push(identity.owns_guid);
        self.keys.push(&identity.key.0);
        self.guid_keys.push(identity.guid_key.as_ref().map(|key| &key.0[..]));
        self.fingerprints.push(&identity.fingerprint.0);
        self.ids.push(entry.id.as_deref());
        self.urls.push(entry.url.as_ref().map(Url::as_str));
        self.links.push(identity.canonical_link.as_deref());
        self.languages.push(entry.language.as_deref());
        self.titles.push(entry.title.as_deref());
        self.summaries.push(entry.summary.as_deref());
        self.contents.push(entry.content.as_deref());
        self.details.push(Details::written(entry)?);
        Ok(())
    }

    /// The parameters of both statements, `$1` to `$16`.
    fn parameters(self) -> Vec<Parameter<'a>> {
        vec![
            Box::new(self.numbers),
            Box::new(self.dates),
            Box::new(self.published),
            Box::new(self.updated),
            Box::new(self.owns_guid),
            Box::new(self.keys),
            Box::new(self.guid_keys),
            Box::new(self.fingerprints),
            Box::new(texts(self.ids.into_iter())),
            Box::new(texts(self.urls.into_iter())),
            Box::new(texts(self.links.into_iter())),
            Box::new(texts(self.languages.into_iter())),
            Box::new(texts(self.titles.into_iter())),
            Box::new(texts(self.summaries.into_iter())),
            Box::new(texts(self.contents.into_iter())),
            Box::new(self.details),
        ]
    }

    pub(super) fn insertion(
        self,
        stories: Vec<i64>,
        first_seen: Vec<i64>,
        sources: Vec<Cow<'a, str>>,
        atom_ids: Vec<Cow<'a, str>>,
    ) -> Call<'a> {
        let sql = "INSERT INTO entry (number, date, published, updated, owns_guid, key, guid_key, fingerprint, id, url,
                canonical_link, language, title, summary, content, details, story, first_seen, source_id, atom_id)
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[], $6::bytea[],
                $7::bytea[], $8::bytea[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
                $15::text[], $16::text[], $17::bigint[], $18::bigint[], $19::text[], $20::text[])";
        let further: [Parameter<'a>; 4] =
            [Box::new(stories), Box::new(first_seen), Box::new(sources), Box::new(atom_ids)];
        Call::new(sql, self.parameters().into_iter().chain(further).collect())
    }

    pub(super) fn update(self, changed: Vec<Option<i64>>) -> Call<'a> {
        let sql = "UPDATE entry SET date = given.date, published = given.published, updated = given.updated,
                owns_guid = given.owns_guid, key = given.key, guid_key = given.guid_key,
                fingerprint = given.fingerprint, id = given.id, url = given.url, canonical_link = given.canonical_link,
                language = given.language, title = given.title, summary = given.summary, content = given.content,
                details = given.details, changed = given.changed
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[], $6::bytea[],
                $7::bytea[], $8::bytea[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
                $15::text[], $16::text[], $17::bigint[])
                AS given (number, date, published, updated, owns_guid, key, guid_key, fingerprint, id, url,
                    canonical_link, language, title, summary, content, details, changed)
             WHERE entry.number = given.number";
        let further: Parameter<'a> = Box::new(changed);
        Call::new(sql, self.parameters().into_iter().chain([further]).collect())
    }
}
