//! Sums of entries: by source, and by topic.

use tokio_postgres::Row;

use super::rows::{self, unix};
use super::session::call;
use super::{Postgres, StoreError};
use crate::feed::Timestamp;
use crate::store::{Arrivals, SourceShare};
use crate::story::StoryTally;

impl Postgres {
    /// Reads of the entries themselves only those in topics.
    pub(super) fn all_shares(&mut self) -> Result<Vec<SourceShare>, StoreError> {
        let sql = "WITH counted AS MATERIALIZED (
                SELECT source_id, count(*) AS entries FROM entry GROUP BY source_id
             ), told AS MATERIALIZED (
                SELECT entry.source_id, count(*) AS entries FROM (SELECT DISTINCT entry FROM label) AS label
                JOIN entry ON entry.number = label.entry GROUP BY entry.source_id
             )
             SELECT counted.source_id, counted.entries,
                coalesce((SELECT told.entries FROM told WHERE told.source_id = counted.source_id), 0),
                coalesce(
                    (SELECT max(date) FROM entry WHERE source_id = counted.source_id AND left_feed IS NULL),
                    (SELECT max(date) FROM entry WHERE source_id = counted.source_id)
                )
             FROM counted ORDER BY counted.source_id";
        let read = |row: &Row| {
            let (entries, in_topics) = (rows::number(row, 1)?.unsigned_abs(), rows::number(row, 2)?.unsigned_abs());
            Ok(SourceShare { source_id: rows::get(row, 0)?, entries, in_topics, last: rows::time(row, 3)? })
        };
        rows::next(&mut self.session.look(&[call!(sql)])?, read)
    }

    /// Reads the end of the table of labels, which is by entry.
    pub(super) fn arrived(&mut self, after: i64) -> Result<Arrivals, StoreError> {
        let last = "SELECT value FROM meta WHERE name = 'last_entry'";
        let counts = "SELECT topic, count(*) FROM labelled
             WHERE entry > $1 AND rules = (SELECT value FROM meta WHERE name = 'rules') GROUP BY topic ORDER BY topic";
        let mut answers = self.session.look(&[call!(last), call!(counts, after)])?;
        let last = rows::next_single(&mut answers, |row| rows::number(row, 0))?.unwrap_or_default();
        let read = |row: &Row| Ok((rows::get(row, 0)?, usize::try_from(rows::number(row, 1)?).unwrap_or_default()));
        Ok(Arrivals { last, topics: rows::next(&mut answers, read)? })
    }

    /// Counts stories from the labels of a span, and looks up the entries of these labels alone.
    pub(super) fn tally_of(
        &mut self,
        topics: &[String],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<StoryTally, StoreError> {
        let labels = "FROM label JOIN entry ON entry.number = label.entry
             WHERE label.topic = ANY($1) AND label.date >= $2 AND label.date < $3";
        let by_day = format!(
            "SELECT label.date / 86400, count(DISTINCT entry.story) {labels}
             AND EXISTS (SELECT 1 FROM entry AS told WHERE told.story = entry.story AND told.withdrawn IS NULL)
             GROUP BY label.date / 86400"
        );
        // The first of January 1970 was a Thursday.
        let by_source = format!(
            "SELECT entry.source_id, (label.date / 86400 + 3) % 7, count(DISTINCT entry.story), max(label.date) {labels}
             AND entry.withdrawn IS NULL GROUP BY entry.source_id, (label.date / 86400 + 3) % 7"
        );
        let (from, until) = (unix(from), unix(until));
        let asked = [call!(by_day, topics.to_vec(), from, until), call!(by_source, topics.to_vec(), from, until)];
        let mut answers = self.session.look(&asked)?;
        let read = |row: &Row| Ok((rows::number(row, 0)?, rows::number(row, 1)?.unsigned_abs()));
        let mut tally =
            StoryTally { days: rows::next(&mut answers, read)?.into_iter().collect(), ..StoryTally::default() };
        let read = |row: &Row| {
            let weekday = usize::try_from(rows::number(row, 1)?).unwrap_or_default();
            Ok((rows::get::<String>(row, 0)?, weekday, rows::number(row, 2)?.unsigned_abs(), rows::number(row, 3)?))
        };
        for (source_id, weekday, stories, last) in rows::next(&mut answers, read)? {
            tally.add(&source_id, weekday, stories, last);
        }
        Ok(tally)
    }
}
