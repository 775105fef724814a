//! Related news in the store: telling words of entries (table `terms`), gists, and choices. For the words used here see
//! `dedup/related/mod.rs`.
//!
//! A choice is kept for good, for readers have seen it. So `related` is no derived table.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio_postgres::Row;

use super::archive::{month_of, stored_instant};
use super::rows::{self, array, text, unix};
use super::session::{Call, call};
use super::{Postgres, StoreError};
use crate::story::{Chosen, Gist, Order, Related, TellingWords, WINDOW};

/// The columns of [`gist`]; `entry` is a story's head.
const COLUMNS: &str = "entry.number, entry.source_id, entry.date, entry.title, entry.url IS NOT NULL, terms.hashes";

fn gist(row: &Row) -> Result<Gist, StoreError> {
    Ok(Gist {
        number: rows::number(row, 0)?,
        source_id: rows::get(row, 1)?,
        date: rows::time(row, 2)?.unwrap_or_default(),
        title: rows::get(row, 3)?,
        has_page: rows::get(row, 4)?,
        telling_words: rows::get::<Option<&[u8]>>(row, 5)?.map(TellingWords::from_bytes),
    })
}

/// Asks for gists; [`gists`] reads the answer.
pub(super) fn ask_gists(stories: &BTreeSet<i64>) -> Call<'static> {
    let sql = format!(
        "SELECT {COLUMNS} FROM entry LEFT JOIN terms ON terms.entry = entry.number WHERE entry.number = ANY($1)"
    );
    call!(sql, array(stories.iter().copied()))
}

pub(super) fn gists(rows: &[Row]) -> Result<HashMap<i64, Gist>, StoreError> {
    rows.iter().map(|row| gist(row).map(|gist| (gist.number, gist))).collect()
}

/// Rows that are read at once of a window: a story may have several labels.
const WINDOW_ROWS: usize = WINDOW * 2;

impl Postgres {
    /// The windows before some places, merged, in a transaction that is under way.
    ///
    /// Stories are read backwards from the last place. Where a window ends, the stories up to the next place are skipped.
    pub(super) fn windows(
        &mut self,
        topic: &str,
        places: &BTreeSet<Order>,
    ) -> Result<BTreeMap<Order, Gist>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, label.date, label.entry FROM label JOIN entry AS told ON told.number = label.entry
             JOIN entry ON entry.number = told.story LEFT JOIN terms ON terms.entry = entry.number
             WHERE label.topic = $1 AND (label.date, label.entry) < ($2, $3) AND entry.url IS NOT NULL
                AND (label.date, entry.number) < ($4, $5)
             ORDER BY label.date DESC, label.entry DESC LIMIT $6"
        );
        let mut stories: BTreeMap<Order, Gist> = BTreeMap::new();
        let mut places = places.iter().rev().copied().peekable();
        while let Some(place) = places.next() {
            let (date, number) = (unix(place.0), place.1);
            let (mut left, mut before) = (WINDOW, (date, i64::MAX));
            'window: loop {
                let ask =
                    call!(sql.clone(), topic.to_owned(), before.0, before.1, date, number, rows::limit(WINDOW_ROWS),);
                let found = self.session.send(&[ask])?.next().unwrap_or_default();
                for row in &found {
                    let gist = gist(row)?;
                    before = (rows::number(row, 6)?, rows::number(row, 7)?);
                    while places.next_if(|next| *next > gist.order()).is_some() {
                        left = WINDOW;
                    }
                    if left == 0 {
                        break 'window;
                    }
                    if stories.insert(gist.order(), gist).is_none() {
                        left -= 1;
                    }
                }
                if found.len() < WINDOW_ROWS {
                    break;
                }
            }
        }
        Ok(stories)
    }

    pub(super) fn unrelated_page(
        &mut self,
        topic: &str,
        after: Option<Order>,
        limit: usize,
    ) -> Result<Vec<(Gist, bool)>, StoreError> {
        let rules = "SELECT value FROM meta WHERE name IN ('next_rules', 'rules') ORDER BY name LIMIT 1";
        let rules = rows::single(self.session.begin_look(&[call!(rules)])?, |row| rows::number(row, 0))?;
        let rules = rules.unwrap_or_default();
        let after = match after {
            None => self.before_unrelated(rules, topic)?,
            after => after,
        };
        let Some(after) = after else {
            self.session.rollback()?;
            return Ok(Vec::new());
        };
        let sql = format!(
            "SELECT DISTINCT {COLUMNS}, EXISTS (SELECT 1 FROM related WHERE related.topic = $2
                                                AND related.story = entry.number AND related.place = 0), labelled.date
             FROM labelled JOIN entry AS told ON told.number = labelled.entry
             JOIN entry ON entry.number = told.story LEFT JOIN terms ON terms.entry = entry.number
             WHERE labelled.rules = $1 AND labelled.topic = $2 AND labelled.date >= $3
             AND (labelled.date, entry.number) > ($3, $4)
             ORDER BY labelled.date, entry.number LIMIT $5"
        );
        let ask = call!(sql, rules, topic.to_owned(), unix(after.0), after.1, rows::limit(limit));
        rows::next(&mut self.session.commit(&[ask])?, |row| Ok((gist(row)?, rows::get(row, COLUMNS_COUNT)?)))
    }

    /// The place one window before the first story without a choice.
    fn before_unrelated(&mut self, rules: i64, topic: &str) -> Result<Option<Order>, StoreError> {
        let first = call!(
            "SELECT labelled.date FROM labelled JOIN entry ON entry.number = labelled.entry
             WHERE labelled.rules = $1 AND labelled.topic = $2 AND NOT EXISTS (
                 SELECT 1 FROM related WHERE related.topic = $2 AND related.story = entry.story AND related.place = 0)
             ORDER BY labelled.date LIMIT 1",
            rules,
            topic.to_owned(),
        );
        let Some(first) = rows::single(self.session.send(&[first])?, |row| rows::number(row, 0))? else {
            return Ok(None);
        };
        let before = call!(
            "SELECT date FROM labelled WHERE rules = $1 AND topic = $2 AND date < $3
             ORDER BY date DESC LIMIT 1 OFFSET $4",
            rules,
            topic.to_owned(),
            first,
            rows::limit(WINDOW),
        );
        let before = rows::single(self.session.send(&[before])?, |row| rows::number(row, 0))?;
        Ok(Some((before.map_or(crate::feed::Timestamp::MIN_UTC, stored_instant), i64::MIN)))
    }
}

/// The number of [`COLUMNS`].
const COLUMNS_COUNT: usize = 6;

/// Keeps the choices for stories, where none was made yet, and stamps the months that show them.
pub(super) fn relate<'a>(choices: &[(&'a str, i64, &'a [i64])]) -> Call<'a> {
    let mut known = BTreeSet::new();
    let choices: Vec<_> = choices.iter().filter(|(topic, story, _)| known.insert((*topic, *story))).collect();
    let others = || {
        choices.iter().flat_map(|(topic, story, others)| {
            (1_i64..).zip(*others).map(|(place, other)| (*topic, *story, place, *other))
        })
    };
    call!(
        concat!(
            "WITH made AS (
                INSERT INTO related SELECT topic, story, 0, story FROM unnest($1::text[], $2::bigint[]) AS made (topic, story)
                ON CONFLICT DO NOTHING RETURNING topic, story
             ), chosen AS (
                INSERT INTO related SELECT topic, story, place, other
                FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::bigint[]) AS asked (topic, story, place, other)
                JOIN made USING (topic, story) ON CONFLICT DO NOTHING RETURNING topic, story
             )
             INSERT INTO month SELECT DISTINCT label.topic, ",
            month_of!("label.date"),
            ", (SELECT value FROM meta WHERE name = 'generation')
             FROM chosen JOIN entry ON entry.story = chosen.story
             JOIN label ON label.entry = entry.number AND label.topic = chosen.topic
             ON CONFLICT (topic, month) DO UPDATE SET stamp = excluded.stamp"
        ),
        array(choices.iter().map(|(topic, _, _)| text(topic))),
        array(choices.iter().map(|(_, story, _)| *story)),
        array(others().map(|(topic, _, _, _)| text(topic))),
        array(others().map(|(_, story, _, _)| story)),
        array(others().map(|(_, _, place, _)| place)),
        array(others().map(|(_, _, _, other)| other)),
    )
}

pub(super) fn ask_waiting() -> Call<'static> {
    call!("SELECT story FROM unrelated ORDER BY story LIMIT 1000")
}

/// Asks for the stories that now hold the choices for stories, best first; [`chosen`] reads the answer.
pub(super) fn ask_chosen(topic: &str, stories: &[i64]) -> Call<'static> {
    let sql = "SELECT related.story, head.number, head.title, head.url, EXISTS (
             SELECT 1 FROM entry AS told JOIN label ON label.entry = told.number
             WHERE told.story = head.number AND told.withdrawn IS NULL AND label.topic = $1)
         FROM related JOIN entry AS chosen ON chosen.number = related.other
         JOIN entry AS head ON head.number = chosen.story
         WHERE related.topic = $1 AND related.story = ANY($2) AND related.place > 0
         ORDER BY related.story, related.place";
    call!(sql, topic.to_owned(), stories.to_vec())
}

/// The choices by story.
pub(super) fn chosen(rows: &[Row]) -> Result<HashMap<i64, Vec<Chosen>>, StoreError> {
    let mut chosen: HashMap<i64, Vec<Chosen>> = HashMap::new();
    for row in rows {
        let head = Related { number: rows::number(row, 1)?, title: rows::get(row, 2)?, url: rows::url(row, 3)? };
        let choice = Chosen { head, is_in_topic: rows::get(row, 4)? };
        chosen.entry(rows::number(row, 0)?).or_default().push(choice);
    }
    Ok(chosen)
}
