//! The surroundings of a decision, read in one transaction.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{StoreError, entries, meta, related, rows, unix};
use crate::store::{Inquiry, SHARING_MAX, SPANS_MAX, Surroundings};
use crate::story::{Bond, EntryKey, Fingerprint, Known, Listed, ListedSpan, Peer, Period, claimed};

pub(super) fn read_surroundings(connection: &mut Connection, asked: &Inquiry) -> Result<Surroundings, StoreError> {
    // One moment for all that is read.
    let transaction = connection.transaction()?;
    let mut around = Surroundings {
        generation: meta::number(&transaction, "generation")?.unwrap_or_default(),
        next_number: next_number(&transaction)?,
        rules: meta::rules_in_force(&transaction)?,
        asked: asked.clone(),
        ..Surroundings::default()
    };
    for (source_id, keys) in &asked.keys {
        let known = keys.iter().map(|key| known(&transaction, source_id, *key));
        let known = known.collect::<Result<Vec<_>, _>>()?;
        around
            .known
            .insert(source_id.clone(), known.into_iter().flatten().map(|known| (known.number, known)).collect());
    }
    for source_id in &asked.listings {
        around.listings.insert(source_id.clone(), listed(&transaction, source_id)?);
    }
    for (source_id, since) in &asked.spans {
        around.spans.insert(source_id.clone(), spans(&transaction, source_id, unix(*since))?);
    }
    if !asked.recent.is_empty() {
        let periods = periods(&transaction)?;
        for (first, clue) in &asked.recent {
            let mut found = Vec::new();
            for period in periods.iter().take_while(|period| *period >= first) {
                found.extend(sharing(&transaction, *period, *clue, SHARING_MAX - found.len())?);
            }
            around.recent.insert((*first, *clue), found);
        }
    }
    for clue in &asked.lasting {
        around.lasting.insert(*clue, sharing(&transaction, Period::LASTING, *clue, SHARING_MAX)?);
    }
    for number in &asked.peers {
        add_story(&transaction, *number, &mut around)?;
    }
    for number in &asked.texts {
        around.texts.extend(entries::one(&transaction, *number)?.map(|stored| (*number, stored)));
    }
    let mut has_id = transaction.prepare_cached("SELECT 1 FROM entry WHERE atom_id = ?1")?;
    for atom_id in &asked.atom_ids {
        if has_id.exists([atom_id])? {
            around.atom_ids.insert(atom_id.clone());
        }
    }
    drop(has_id);
    for (topic, places) in &asked.windows {
        around.windows.insert(topic.clone(), related::windows(&transaction, topic, places)?);
    }
    for number in &asked.gists {
        around.gists.extend(related::gist(&transaction, *number)?.map(|gist| (*number, gist)));
    }
    transaction.commit()?;
    Ok(around)
}

/// Numbers of deleted entries are not given again.
fn next_number(connection: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'entry'";
    let last: Option<i64> = connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
    Ok(last.unwrap_or_default() + 1)
}

fn known(connection: &Connection, source_id: &str, key: EntryKey) -> Result<Vec<Known>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, key, guid_key, fingerprint FROM entry WHERE source_id = ?1 AND key = ?2
         UNION ALL SELECT number, key, guid_key, fingerprint FROM entry WHERE source_id = ?1 AND guid_key = ?2",
    )?;
    let read = |row: &Row<'_>| {
        Ok(Known {
            number: row.get(0)?,
            key: EntryKey(row.get(1)?),
            guid_key: row.get::<_, Option<_>>(2)?.map(EntryKey),
            fingerprint: Fingerprint(row.get(3)?),
        })
    };
    Ok(statement.query_map(params![source_id, key.0], read)?.collect::<Result<_, _>>()?)
}

fn listed(connection: &Connection, source_id: &str) -> Result<Vec<Listed>, StoreError> {
    // One index holds all that the first part asks for; texts, which may be long, are not read.
    let mut statement = connection.prepare_cached(
        "SELECT number, key, date, published, updated, NULL FROM entry
         WHERE source_id = ?1 AND left_feed IS NULL
         UNION ALL
         SELECT number, key, date, published, updated, suspected FROM entry
         WHERE source_id = ?1 AND suspected IS NOT NULL AND withdrawn IS NULL",
    )?;
    let read = |row: &Row<'_>| {
        let claim = claimed(rows::time(row, 3)?, rows::time(row, 4)?);
        let date = rows::time(row, 2)?.filter(|_| claim.is_some());
        Ok(Listed { number: row.get(0)?, key: EntryKey(row.get(1)?), date, missed_since: rows::time(row, 5)? })
    };
    Ok(statement.query_map([source_id], read)?.collect::<Result<_, _>>()?)
}

fn spans(connection: &Connection, source_id: &str, since: i64) -> Result<Vec<ListedSpan>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, date, first_seen, left_feed FROM entry WHERE source_id = ?1 AND left_feed IS NULL
         UNION ALL
         SELECT * FROM (SELECT number, date, first_seen, left_feed FROM entry
                        WHERE source_id = ?1 AND left_feed >= ?2 ORDER BY left_feed DESC LIMIT ?3)",
    )?;
    let read = |row: &Row<'_>| {
        let time = |column| Ok::<_, rusqlite::Error>(rows::time(row, column)?.unwrap_or_default());
        Ok(ListedSpan { number: row.get(0)?, date: time(1)?, from: time(2)?, until: rows::time(row, 3)? })
    };
    let limit = i64::try_from(SPANS_MAX).unwrap_or(i64::MAX);
    Ok(statement.query_map(params![source_id, since, limit], read)?.collect::<Result<_, _>>()?)
}

/// The periods with clues, the latest first: a wrong clock may have left wide gaps.
fn periods(connection: &Connection) -> Result<Vec<Period>, StoreError> {
    let mut latest = connection.prepare_cached("SELECT max(period) FROM clue WHERE period < ?1")?;
    let (mut periods, mut before) = (Vec::new(), i64::MAX);
    while let Some(period) =
        latest.query_row([before], |row| row.get::<_, Option<i64>>(0))?.filter(|found| *found > Period::LASTING.0)
    {
        periods.push(Period(period));
        before = period;
    }
    Ok(periods)
}

fn sharing(connection: &Connection, period: Period, clue: i64, most: usize) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT entry FROM clue WHERE period = ?1 AND hash = ?2 ORDER BY entry DESC";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map([period.0, clue], |row| row.get(0))?.take(most).collect::<Result<_, _>>()?)
}

fn add_story(connection: &Connection, number: i64, around: &mut Surroundings) -> Result<(), StoreError> {
    if around.peers.contains_key(&number) {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(
        "SELECT entry.number, source_id, key, story, joined, first_seen, date, changed, withdrawn, id, canonical_link,
                published, sketch.words
         FROM entry LEFT JOIN sketch ON sketch.entry = entry.number
         WHERE story = (SELECT story FROM entry WHERE number = ?1) ORDER BY entry.number",
    )?;
    let mut told: BTreeMap<i64, Peer> = BTreeMap::new();
    for peer in statement.query_map([number], peer)? {
        let mut peer = peer?;
        // Entries without a story tell none together.
        if peer.story == 0 && peer.number != number {
            continue;
        }
        peer.topics = topics(connection, peer.number)?;
        around.bonds.extend(bonds(connection, peer.number)?);
        told.insert(peer.number, peer);
    }
    let Some(story) = told.get(&number).map(|peer| peer.story) else { return Ok(()) };
    if story != 0 {
        let mut chosen = connection.prepare_cached("SELECT topic FROM related WHERE story = ?1 AND place = 0")?;
        for topic in chosen.query_map([story], |row| row.get(0))? {
            around.related.insert((topic?, story));
        }
        around.stories.insert(story, told.keys().copied().collect());
    }
    around.peers.extend(told);
    Ok(())
}

fn peer(row: &Row<'_>) -> rusqlite::Result<Peer> {
    Ok(Peer {
        number: row.get(0)?,
        source_id: row.get(1)?,
        key: EntryKey(row.get(2)?),
        story: row.get(3)?,
        joined: rows::time(row, 4)?,
        first_seen: rows::time(row, 5)?.unwrap_or_default(),
        date: rows::time(row, 6)?.unwrap_or_default(),
        changed: rows::time(row, 7)?,
        withdrawn: rows::time(row, 8)?,
        id: row.get(9)?,
        canonical_link: row.get(10)?,
        published: rows::time(row, 11)?,
        topics: Vec::new(),
        sketch: row.get(12)?,
    })
}

fn topics(connection: &Connection, number: i64) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT topic FROM label WHERE entry = ?1 ORDER BY topic")?;
    Ok(statement.query_map([number], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

fn bonds(connection: &Connection, number: i64) -> Result<Vec<Bond>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT one, other, together FROM bond WHERE one = ?1
         UNION SELECT one, other, together FROM bond WHERE other = ?1",
    )?;
    let read = |row: &Row<'_>| Ok(Bond { one: row.get(0)?, other: row.get(1)?, together: row.get(2)? });
    Ok(statement.query_map([number], read)?.collect::<Result<_, _>>()?)
}
