//! Stories: the numbers of a topic's stories, their entries, the tombstones they leave, and dropping old ones.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use tokio_postgres::Row;

use super::entries::{self, COLUMNS, COLUMNS_COUNT};
use super::rows::{self, unix};
use super::session::{Call, call};
use super::{Postgres, StoreError, archive, meta, related};
use crate::feed::Timestamp;
use crate::store::{Part, clued};
use crate::story::{LATE_AFTER, Month, Order, Told, ToldEntry, Tombstone, TombstoneReason};
use crate::topic::Label;

/// Arrivals that are looked at for late stories, for each story that is shown.
const ARRIVALS: usize = 20;

/// The labels of a topic whose stories stand, each with its story's head, and whether that came with the first document of
/// its source: so are stories not late, or each new feed would fill the main document with old news. `$2` is
/// [`LATE_AFTER`] in seconds.
const DATED: &str = "SELECT label.date, label.entry, entry.story, entry.first_seen, head.first_seen,
        CASE WHEN head.first_seen - label.date > $2::bigint THEN NOT EXISTS (
            SELECT 1 FROM entry AS earlier WHERE earlier.source_id = head.source_id AND earlier.first_seen < head.first_seen)
        ELSE false END
    FROM label JOIN entry ON entry.number = label.entry JOIN entry AS head ON head.number = entry.story
    WHERE label.topic = $1
        AND EXISTS (SELECT 1 FROM entry AS told WHERE told.story = entry.story AND told.withdrawn IS NULL)";

/// A story by one of its labels.
struct DatedStory {
    date: i64,
    entry: i64,
    story: i64,
    /// When the entry with the label came.
    arrived: i64,
    /// When the story's head came.
    first_seen: i64,
    is_imported: bool,
}

impl DatedStory {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let number = |column| rows::number(row, column);
        let (date, entry, story, arrived) = (number(0)?, number(1)?, number(2)?, number(3)?);
        Ok(Self { date, entry, story, arrived, first_seen: number(4)?, is_imported: rows::get(row, 5)? })
    }

    /// A story's place in the order of a main document: its date, or its first sight if it came late.
    fn rank(&self) -> i64 {
        let is_late = self.first_seen - self.date > LATE_AFTER.num_seconds();
        if is_late && !self.is_imported { self.first_seen } else { self.date }
    }
}

impl Postgres {
    /// The stories of a topic, newest first.
    pub(super) fn stories_of(&mut self, topic: &str, part: Part) -> Result<Vec<Order>, StoreError> {
        let mut dated = match part {
            Part::Newest(limit) => self.newest(topic, limit)?,
            Part::Month(month) => self.of_month(topic, month)?,
        };
        dated.sort_unstable_by_key(|dated| std::cmp::Reverse(*dated));
        let order = |(at, number)| (Timestamp::from_timestamp(at, 0).unwrap_or_default(), number);
        Ok(dated.into_iter().map(order).collect())
    }

    /// The stories of a topic with heads of a month, each with the date of its head.
    fn of_month(&mut self, topic: &str, month: Month) -> Result<Vec<(i64, i64)>, StoreError> {
        let (from, to) = archive::bounds(month);
        let ask = call!(
            "SELECT label.date, entry.story FROM label JOIN entry ON entry.number = label.entry
             WHERE label.topic = $1 AND label.date >= $2 AND label.date < $3",
            topic.to_owned(),
            from,
            to,
        );
        let read = |row: &Row| Ok((rows::number(row, 1)?, rows::number(row, 0)?));
        let dates: BTreeMap<i64, i64> = rows::next(&mut self.session.look(&[ask])?, read)?.into_iter().collect();
        Ok(dates.into_iter().map(|(number, date)| (date, number)).collect())
    }

    /// The latest labels give the latest stories, since a label has the date of its story's head. Late stories are found
    /// among the last arrivals.
    fn newest(&mut self, topic: &str, limit: usize) -> Result<Vec<(i64, i64)>, StoreError> {
        let late = LATE_AFTER.num_seconds();
        let page = limit.saturating_mul(2).clamp(50, 2000);
        let mut ranked: HashMap<i64, i64> = HashMap::new();
        let mut oldest = i64::MIN;
        let mut before = (i64::MAX, i64::MAX);
        self.session.begin_look(&[])?;
        'dates: while ranked.len() < limit {
            let sql = format!(
                "{DATED} AND (label.date, label.entry) < ($3, $4) ORDER BY label.date DESC, label.entry DESC LIMIT $5"
            );
            let ask = call!(sql, topic.to_owned(), late, before.0, before.1, rows::limit(page));
            let found = rows::next(&mut self.session.send(&[ask])?, DatedStory::read)?;
            for dated in &found {
                if ranked.len() == limit {
                    break 'dates;
                }
                (oldest, before) = (dated.date, (dated.date, dated.entry));
                if let Entry::Vacant(vacant) = ranked.entry(dated.story) {
                    vacant.insert(dated.rank());
                }
            }
            if found.len() < page {
                break;
            }
        }
        let (mut seen, mut before) = (0, i64::MAX);
        let arrivals = limit.saturating_mul(ARRIVALS);
        'arrivals: while ranked.len() >= limit && seen < arrivals {
            let sql = format!("{DATED} AND label.entry < $3 ORDER BY label.entry DESC LIMIT $4");
            let ask = call!(sql, topic.to_owned(), late, before, rows::limit(page.min(arrivals - seen)));
            let found = rows::next(&mut self.session.send(&[ask])?, DatedStory::read)?;
            if found.is_empty() {
                break;
            }
            seen += found.len();
            for dated in &found {
                // Polls that end together are kept in another order than they began.
                if dated.arrived < oldest.saturating_sub(late) {
                    break 'arrivals;
                }
                before = dated.entry;
                if let Entry::Vacant(vacant) = ranked.entry(dated.story) {
                    vacant.insert(dated.rank());
                }
            }
        }
        self.session.commit(&[])?;
        let mut ranked: Vec<(i64, i64)> = ranked.into_iter().map(|(story, rank)| (rank, story)).collect();
        ranked.sort_unstable_by_key(|ranked| std::cmp::Reverse(*ranked));
        ranked.truncate(limit);
        Ok(ranked)
    }

    /// Stories beside a topic, in the given order.
    pub(super) fn told_beside(&mut self, topic: &str, numbers: &[i64]) -> Result<Vec<Told>, StoreError> {
        let told = format!(
            "SELECT {COLUMNS}, entry.withdrawn IS NOT NULL, label.score, label.reasons
             FROM entry LEFT JOIN LATERAL (
                SELECT score, reasons FROM label WHERE label.entry = entry.number AND label.topic = $2 LIMIT 1
             ) AS label ON true
             WHERE entry.story = ANY($1) ORDER BY entry.number"
        );
        let mut answers = self
            .session
            .look(&[call!(told, numbers.to_vec(), topic.to_owned()), related::ask_chosen(topic, numbers)])?;
        let mut entries: HashMap<i64, Vec<ToldEntry>> = HashMap::new();
        for told in rows::next(&mut answers, |row| told_entry(row, topic))? {
            entries.entry(told.stored.story).or_default().push(told);
        }
        let chosen = related::chosen(&answers.next().unwrap_or_default())?;
        let told = |number: &i64| Told {
            number: *number,
            entries: entries.get(number).cloned().unwrap_or_default(),
            chosen: chosen.get(number).cloned().unwrap_or_default(),
        };
        Ok(numbers.iter().map(told).collect())
    }

    /// Of one month only the index of that month is read.
    pub(super) fn gone(
        &mut self,
        topic: &str,
        month: Option<Month>,
        limit: usize,
    ) -> Result<Vec<Tombstone>, StoreError> {
        let sql = "SELECT atom_id, gone, is_joined, title FROM (
                SELECT head.atom_id, max(entry.withdrawn) AS gone, false AS is_joined, NULL AS title, head.number,
                    head.number AS story
                FROM entry AS head JOIN entry ON entry.story = head.number
                WHERE head.withdrawn IS NOT NULL AND head.story = head.number AND head.date >= $2 AND head.date < $3
                GROUP BY head.number HAVING count(*) = count(entry.withdrawn)
                UNION ALL
                SELECT entry.atom_id, entry.joined, true, (
                    SELECT told.title FROM entry AS told WHERE told.story = entry.story AND told.withdrawn IS NULL
                    ORDER BY told.number LIMIT 1), entry.number, entry.story
                FROM entry WHERE entry.joined IS NOT NULL AND entry.joined > entry.first_seen
                    AND entry.story <> entry.number AND entry.date >= $2 AND entry.date < $3
             ) AS gone
             WHERE EXISTS (SELECT 1 FROM entry AS told JOIN label ON label.entry = told.number
                           WHERE told.story = gone.story AND label.topic = $1)
             ORDER BY gone DESC, number DESC LIMIT $4";
        let (from, to) = month.map_or((i64::MIN, i64::MAX), archive::bounds);
        let ask = call!(sql, topic.to_owned(), from, to, rows::limit(limit));
        let read = |row: &Row| {
            let is_joined: bool = rows::get(row, 2)?;
            let reason =
                if is_joined { TombstoneReason::Joined(rows::get(row, 3)?) } else { TombstoneReason::Withdrawn };
            Ok(Tombstone { atom_id: rows::get(row, 0)?, date: rows::time(row, 1)?.unwrap_or_default(), reason })
        };
        rows::next(&mut self.session.look(&[ask])?, read)
    }

    pub(super) fn drop_stories(
        &mut self,
        before: Timestamp,
        sources: &[String],
        limit: usize,
    ) -> Result<usize, StoreError> {
        let old = call!(
            "SELECT story FROM entry WHERE date < $1 GROUP BY story
             HAVING NOT EXISTS (SELECT 1 FROM entry AS other WHERE other.story = entry.story
                                AND (other.date >= $1 OR other.first_seen >= $1 OR other.left_feed IS NULL
                                    AND other.source_id = ANY($2)))
             LIMIT $3",
            unix(before),
            sources.to_vec(),
            rows::limit(limit),
        );
        let mut answers = self.session.begin(&[meta::lock(), old])?;
        answers.next();
        let stories = rows::next(&mut answers, |row| rows::number(row, 0))?;
        if stories.is_empty() {
            self.session.rollback()?;
            return Ok(0);
        }
        let entries = "SELECT number, sketch.clues FROM entry LEFT JOIN sketch ON sketch.entry = number
            WHERE story = ANY($1)";
        let read = |row: &Row| Ok((rows::number(row, 0)?, rows::get::<Option<Vec<u8>>>(row, 1)?.unwrap_or_default()));
        let entries = rows::next(&mut self.session.send(&[call!(entries, stories.clone())])?, read)?;
        let numbers: Vec<i64> = entries.iter().map(|(number, _)| *number).collect();
        // First: the months get it as their new stamp.
        let mut calls = vec![meta::raise_generation()];
        calls.extend(archive::touch(&stories));
        calls.push(call!("DELETE FROM related WHERE story = ANY($1)", stories.clone()));
        calls.push(call!("DELETE FROM related WHERE place > 0 AND other = ANY($1)", numbers.clone()));
        calls.push(forget_clues(&entries));
        for (table, column) in [
            ("labelled", "entry"),
            ("unlabelled", "entry"),
            ("sketch", "entry"),
            ("terms", "entry"),
            ("revision", "entry"),
            ("bond", "one"),
            ("bond", "other"),
            ("entry_text", "entry"),
            ("unindexed", "entry"),
            ("entry", "number"),
        ] {
            calls.push(call!(format!("DELETE FROM {table} WHERE {column} = ANY($1)"), numbers.clone()));
        }
        self.session.commit(&calls)?;
        Ok(numbers.len())
    }

    pub(super) fn drop_stale_labels(&mut self, limit: usize) -> Result<usize, StoreError> {
        let stale = "SELECT id FROM ruleset WHERE id NOT IN
            (SELECT value FROM meta WHERE name IN ('rules', 'next_rules')) ORDER BY id LIMIT 1";
        let mut answers = self.session.begin(&[meta::lock(), call!(stale)])?;
        answers.next();
        let Some(stale) = rows::next_single(&mut answers, |row| rows::number(row, 0))? else {
            self.session.rollback()?;
            return Ok(0);
        };
        let drop = call!(
            "WITH dropped AS (
                DELETE FROM labelled WHERE (entry, rules, topic) IN
                    (SELECT entry, rules, topic FROM labelled WHERE rules = $1 LIMIT $2) RETURNING 1
             ) SELECT count(*) FROM dropped",
            stale,
            rows::limit(limit),
        );
        let dropped = rows::single(self.session.send(&[drop])?, |row| rows::number(row, 0))?.unwrap_or_default();
        let rest = (dropped == 0).then(|| call!("DELETE FROM ruleset WHERE id = $1", stale));
        self.session.commit(rest.as_slice())?;
        Ok(usize::try_from(dropped).unwrap_or_default().max(1))
    }
}

fn told_entry(row: &Row, topic: &str) -> Result<ToldEntry, StoreError> {
    let label = rows::get::<Option<f64>>(row, COLUMNS_COUNT + 1)?.map(|score| {
        let reasons = rows::json(row, COLUMNS_COUNT + 2)?.unwrap_or_default();
        Ok::<_, StoreError>(Label { topic: topic.to_owned(), score, reasons })
    });
    let is_withdrawn = rows::get(row, COLUMNS_COUNT)?;
    Ok(ToldEntry { stored: entries::read(row)?, is_withdrawn, label: label.transpose()? })
}

/// Deletes the clues of entries, which their sketches list.
pub(super) fn forget_clues(sketches: &[(i64, Vec<u8>)]) -> Call<'static> {
    let all = || {
        sketches
            .iter()
            .flat_map(|(number, clues)| clued::read(clues).into_iter().map(|(period, hash)| (period, hash, *number)))
    };
    call!(
        "DELETE FROM clue USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS gone (period, hash, entry)
         WHERE clue.period = gone.period AND clue.hash = gone.hash AND clue.entry = gone.entry",
        all().map(|(period, _, _)| period).collect::<Vec<_>>(),
        all().map(|(_, hash, _)| hash).collect::<Vec<_>>(),
        all().map(|(_, _, number)| number).collect::<Vec<_>>(),
    )
}
