//! The surroundings of a decision, read in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio_postgres::Row;

use super::entries::{self, COLUMNS};
use super::rows::{self, array, text, unix};
use super::session::{Answers, Call, call};
use super::{Postgres, StoreError, meta, related};
use crate::store::{Inquiry, SHARING_MAX, SPANS_MAX, Surroundings};
use crate::story::{Bond, EntryKey, Known, Listed, ListedSpan, Peer, Period, claimed};

impl Postgres {
    pub(super) fn look_around(&mut self, asked: &Inquiry) -> Result<Surroundings, StoreError> {
        let calls = ask(asked);
        // Windows are read page by page.
        let mut answers =
            if asked.windows.is_empty() { self.session.look(&calls)? } else { self.session.begin_look(&calls)? };
        let mut around = read(asked, &mut answers)?;
        if !asked.windows.is_empty() {
            for (topic, places) in &asked.windows {
                let window = self.windows(topic, places)?;
                around.windows.insert(topic.clone(), window);
            }
            self.session.commit(&[])?;
        }
        Ok(around)
    }
}

/// Asks for all but the windows; nothing is asked for a question that was not put.
fn ask(asked: &Inquiry) -> Vec<Call<'_>> {
    let mut calls = vec![meta::ask_head()];
    if !asked.keys.is_empty() {
        calls.push(ask_known(asked));
    }
    if !asked.listings.is_empty() {
        calls.push(ask_listed(asked));
    }
    if !asked.spans.is_empty() {
        calls.push(ask_spans(asked));
    }
    if !asked.recent.is_empty() {
        calls.push(ask_recent(asked));
    }
    if !asked.lasting.is_empty() {
        calls.push(ask_lasting(asked));
    }
    if !asked.peers.is_empty() {
        calls.extend(ask_peers(asked));
    }
    if !asked.texts.is_empty() {
        calls.push(call!(
            format!("SELECT {COLUMNS} FROM entry WHERE number = ANY($1)"),
            array(asked.texts.iter().copied()),
        ));
    }
    if !asked.atom_ids.is_empty() {
        calls.push(call!(
            "SELECT asked.atom_id FROM unnest($1::text[]) AS asked (atom_id)
             WHERE EXISTS (SELECT 1 FROM entry WHERE entry.atom_id = asked.atom_id COLLATE \"C\")",
            array(asked.atom_ids.iter().map(|atom_id| text(atom_id))),
        ));
    }
    if !asked.gists.is_empty() {
        calls.push(related::ask_gists(&asked.gists));
    }
    calls
}

/// Reads the answers in the order of [`ask`].
fn read(asked: &Inquiry, answers: &mut Answers) -> Result<Surroundings, StoreError> {
    let (generation, last, rules) = meta::head(answers)?;
    let mut around =
        Surroundings { generation, next_number: last + 1, rules, asked: asked.clone(), ..Surroundings::default() };
    if !asked.keys.is_empty() {
        around.known = known(asked, answers)?;
    }
    if !asked.listings.is_empty() {
        around.listings = asked.listings.iter().map(|source_id| (source_id.clone(), Vec::new())).collect();
        by_source(&mut around.listings, rows::next(answers, listed)?);
    }
    if !asked.spans.is_empty() {
        around.spans = asked.spans.keys().map(|source_id| (source_id.clone(), Vec::new())).collect();
        by_source(&mut around.spans, rows::next(answers, span)?);
    }
    if !asked.recent.is_empty() {
        around.recent = recent(asked, answers)?;
    }
    if !asked.lasting.is_empty() {
        around.lasting = asked.lasting.iter().map(|clue| (*clue, Vec::new())).collect();
        let read = |row: &Row| Ok((rows::number(row, 0)?, rows::number(row, 1)?));
        for (clue, number) in rows::next(answers, read)? {
            around.lasting.entry(clue).or_default().push(number);
        }
    }
    if !asked.peers.is_empty() {
        add_stories(&mut around, answers)?;
    }
    if !asked.texts.is_empty() {
        let texts = rows::next(answers, entries::read)?;
        around.texts = texts.into_iter().map(|stored| (stored.number, stored)).collect();
    }
    if !asked.atom_ids.is_empty() {
        around.atom_ids = rows::next(answers, |row| rows::get(row, 0))?.into_iter().collect();
    }
    if !asked.gists.is_empty() {
        around.gists = related::gists(&answers.next().unwrap_or_default())?;
    }
    Ok(around)
}

fn by_source<T>(answers: &mut HashMap<String, Vec<T>>, found: Vec<(String, T)>) {
    for (source_id, one) in found {
        answers.entry(source_id).or_default().push(one);
    }
}

fn ask_known(asked: &Inquiry) -> Call<'_> {
    let pairs = || asked.keys.iter().flat_map(|(source_id, keys)| keys.iter().map(move |key| (source_id, key)));
    call!(
        "SELECT entry.source_id, entry.number, entry.key, entry.guid_key, entry.fingerprint
         FROM unnest($1::text[], $2::bytea[]) AS asked (source_id, key)
         JOIN entry ON entry.source_id = asked.source_id COLLATE \"C\" AND entry.key = asked.key
         UNION
         SELECT entry.source_id, entry.number, entry.key, entry.guid_key, entry.fingerprint
         FROM unnest($1::text[], $2::bytea[]) AS asked (source_id, key)
         JOIN entry ON entry.source_id = asked.source_id COLLATE \"C\" AND entry.guid_key = asked.key",
        array(pairs().map(|(source_id, _)| text(source_id))),
        array(pairs().map(|(_, key)| key.0.to_vec())),
    )
}

fn known(asked: &Inquiry, answers: &mut Answers) -> Result<HashMap<String, BTreeMap<i64, Known>>, StoreError> {
    let mut all: HashMap<String, BTreeMap<i64, Known>> =
        asked.keys.keys().map(|source_id| (source_id.clone(), BTreeMap::new())).collect();
    let read = |row: &Row| {
        let guid_key = rows::get::<Option<&[u8]>>(row, 3)?.map(|key| EntryKey(key.try_into().unwrap_or_default()));
        let known = Known {
            number: rows::number(row, 1)?,
            key: EntryKey(rows::sixteen(row, 2)?),
            guid_key,
            fingerprint: entries::fingerprint(row, 4)?,
        };
        Ok((rows::get::<String>(row, 0)?, known))
    };
    for (source_id, known) in rows::next(answers, read)? {
        all.entry(source_id).or_default().insert(known.number, known);
    }
    Ok(all)
}

/// One index holds all that the first part asks for; texts, which may be long, are not read.
fn ask_listed(asked: &Inquiry) -> Call<'_> {
    call!(
        "SELECT listed.* FROM unnest($1::text[]) AS asked (source_id) CROSS JOIN LATERAL (
            (SELECT source_id, number, key, date, published, updated, NULL::bigint FROM entry
             WHERE entry.source_id = asked.source_id COLLATE \"C\" AND left_feed IS NULL ORDER BY date, number)
            UNION ALL
            (SELECT source_id, number, key, date, published, updated, suspected FROM entry
             WHERE entry.source_id = asked.source_id COLLATE \"C\" AND suspected IS NOT NULL AND withdrawn IS NULL
             ORDER BY suspected, number)
         ) AS listed",
        array(asked.listings.iter().map(|source_id| text(source_id))),
    )
}

fn listed(row: &Row) -> Result<(String, Listed), StoreError> {
    let claim = claimed(rows::time(row, 4)?, rows::time(row, 5)?);
    let date = rows::time(row, 3)?.filter(|_| claim.is_some());
    let (number, key) = (rows::number(row, 1)?, EntryKey(rows::sixteen(row, 2)?));
    Ok((rows::get(row, 0)?, Listed { number, key, date, missed_since: rows::time(row, 6)? }))
}

fn ask_spans(asked: &Inquiry) -> Call<'_> {
    call!(
        "SELECT spans.* FROM unnest($1::text[], $2::bigint[]) AS asked (source_id, since) CROSS JOIN LATERAL (
            (SELECT source_id, number, date, first_seen, left_feed FROM entry
             WHERE entry.source_id = asked.source_id COLLATE \"C\" AND left_feed IS NULL ORDER BY number)
            UNION ALL
            (SELECT source_id, number, date, first_seen, left_feed FROM entry
             WHERE entry.source_id = asked.source_id COLLATE \"C\" AND left_feed >= asked.since
             ORDER BY left_feed DESC, number DESC LIMIT $3)
         ) AS spans",
        array(asked.spans.keys().map(|source_id| text(source_id))),
        array(asked.spans.values().map(|since| unix(*since))),
        rows::limit(SPANS_MAX),
    )
}

fn span(row: &Row) -> Result<(String, ListedSpan), StoreError> {
    let time = |column| Ok::<_, StoreError>(rows::time(row, column)?.unwrap_or_default());
    let (date, from, until) = (time(2)?, time(3)?, rows::time(row, 4)?);
    Ok((rows::get(row, 0)?, ListedSpan { number: rows::number(row, 1)?, date, from, until }))
}

/// The periods with clues are found first: a wrong clock may have left wide gaps. Of each, as many entries as all may give.
fn ask_recent(asked: &Inquiry) -> Call<'_> {
    let earliest = asked.recent.iter().map(|(first, _)| first.0).min().unwrap_or_default();
    call!(
        "WITH RECURSIVE periods AS (
            SELECT max(period) AS period FROM clue
            UNION ALL
            SELECT (SELECT max(period) FROM clue WHERE clue.period < periods.period) FROM periods
            WHERE periods.period >= $4
         )
         SELECT asked.first, asked.hash, found.entry
         FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS asked (first, hash, place)
         JOIN periods ON periods.period >= asked.first AND periods.period > $5
         CROSS JOIN LATERAL (
            SELECT entry FROM clue WHERE clue.period = periods.period AND clue.hash = asked.hash
            ORDER BY entry DESC LIMIT $3
         ) AS found ORDER BY asked.place, periods.period DESC, found.entry DESC",
        array(asked.recent.iter().map(|(first, _)| first.0)),
        array(asked.recent.iter().map(|(_, clue)| *clue)),
        rows::limit(SHARING_MAX),
        earliest,
        Period::LASTING.0,
    )
}

fn recent(asked: &Inquiry, answers: &mut Answers) -> Result<HashMap<(Period, i64), Vec<i64>>, StoreError> {
    let mut all: HashMap<(Period, i64), Vec<i64>> = asked.recent.iter().map(|asked| (*asked, Vec::new())).collect();
    let read = |row: &Row| Ok((Period(rows::number(row, 0)?), rows::number(row, 1)?, rows::number(row, 2)?));
    for (first, clue, number) in rows::next(answers, read)? {
        let found = all.entry((first, clue)).or_default();
        if found.len() < SHARING_MAX {
            found.push(number);
        }
    }
    Ok(all)
}

fn ask_lasting(asked: &Inquiry) -> Call<'_> {
    call!(
        "SELECT asked.hash, found.entry FROM unnest($1::bigint[]) WITH ORDINALITY AS asked (hash, place)
         CROSS JOIN LATERAL (
            SELECT entry FROM clue WHERE clue.period = $3 AND clue.hash = asked.hash ORDER BY entry DESC LIMIT $2
         ) AS found ORDER BY asked.place, found.entry DESC",
        array(asked.lasting.iter().copied()),
        rows::limit(SHARING_MAX),
        Period::LASTING.0,
    )
}

/// The entries of the stories that some entries tell; those without a story tell none together.
const PEERS: &str = "WITH asked AS MATERIALIZED (
        SELECT number, story FROM entry WHERE number = ANY($1)
    ), told AS MATERIALIZED (
        SELECT number FROM asked UNION SELECT entry.number FROM asked JOIN entry ON entry.story = asked.story
        WHERE asked.story <> 0
    )";

fn ask_peers(asked: &Inquiry) -> [Call<'_>; 4] {
    let numbers = || array(asked.peers.iter().copied());
    [
        call!(
            format!(
                "{PEERS} SELECT entry.number, source_id, key, story, joined, first_seen, date, changed, withdrawn, id,
                    canonical_link, published, sketch.words
                 FROM told JOIN entry ON entry.number = told.number LEFT JOIN sketch ON sketch.entry = entry.number
                 ORDER BY entry.number"
            ),
            numbers(),
        ),
        call!(
            format!(
                "{PEERS} SELECT entry, topic FROM told JOIN label ON label.entry = told.number ORDER BY entry, topic"
            ),
            numbers(),
        ),
        call!(
            format!(
                "{PEERS} SELECT one, other, together FROM told JOIN bond ON bond.one = told.number
                 UNION SELECT one, other, together FROM told JOIN bond ON bond.other = told.number"
            ),
            numbers(),
        ),
        call!(
            "SELECT DISTINCT related.topic, related.story FROM entry JOIN related ON related.story = entry.story
             WHERE entry.number = ANY($1) AND related.place = 0 AND entry.story <> 0",
            numbers(),
        ),
    ]
}

fn add_stories(around: &mut Surroundings, answers: &mut Answers) -> Result<(), StoreError> {
    for peer in rows::next(answers, peer)? {
        if peer.story != 0 {
            around.stories.entry(peer.story).or_default().push(peer.number);
        }
        around.peers.insert(peer.number, peer);
    }
    for (number, topic) in rows::next(answers, |row| Ok((rows::number(row, 0)?, rows::get::<String>(row, 1)?)))? {
        if let Some(peer) = around.peers.get_mut(&number) {
            peer.topics.push(topic);
        }
    }
    let bond =
        |row: &Row| Ok(Bond { one: rows::number(row, 0)?, other: rows::number(row, 1)?, together: rows::get(row, 2)? });
    around.bonds = rows::next(answers, bond)?.into_iter().collect::<BTreeSet<_>>();
    let related = rows::next(answers, |row| Ok((rows::get(row, 0)?, rows::number(row, 1)?)))?;
    around.related = related.into_iter().collect();
    Ok(())
}

fn peer(row: &Row) -> Result<Peer, StoreError> {
    Ok(Peer {
        number: rows::number(row, 0)?,
        source_id: rows::get(row, 1)?,
        key: EntryKey(rows::sixteen(row, 2)?),
        story: rows::number(row, 3)?,
        joined: rows::time(row, 4)?,
        first_seen: rows::time(row, 5)?.unwrap_or_default(),
        date: rows::time(row, 6)?.unwrap_or_default(),
        changed: rows::time(row, 7)?,
        withdrawn: rows::time(row, 8)?,
        id: rows::get(row, 9)?,
        canonical_link: rows::get(row, 10)?,
        published: rows::time(row, 11)?,
        topics: Vec::new(),
        sketch: rows::get(row, 12)?,
    })
}
