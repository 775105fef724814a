//! The archive of a topic: its stories by month, and the stamps of months.
//!
//! A stamp is the generation of the last change that a reader of the month could see.

use tokio_postgres::Row;

use super::StoreError;
use super::rows::{self, unix};
use super::session::{Answers, Call, call};
use crate::feed::Timestamp;
use crate::store::TopicOutline;
use crate::story::Month;

/// The month of a date, as a column.
macro_rules! month_of {
    ($date:literal) => {
        concat!("to_char(to_timestamp(", $date, ") AT TIME ZONE 'UTC', 'YYYY-MM')")
    };
}

pub(super) use month_of;

/// Asks for the months of topics; [`topic_outlines`] reads the answers.
///
/// One look into the index a month, whatever the number of stories: from a month's last label to the last before the
/// month.
pub(super) fn ask_topics(topics: &[String]) -> [Call<'static>; 2] {
    let stamps = "SELECT coalesce((SELECT max(stamp) FROM month WHERE month.topic = asked.topic), 0)
         FROM unnest($1::text[]) WITH ORDINALITY AS asked (topic, place) ORDER BY place";
    let months = "WITH RECURSIVE last AS (
            SELECT place, topic, (SELECT max(date) FROM label WHERE label.topic = asked.topic) AS date
            FROM unnest($1::text[]) WITH ORDINALITY AS asked (topic, place)
            UNION ALL
            SELECT place, topic, (
                SELECT max(date) FROM label WHERE label.topic = last.topic AND label.date < extract(epoch FROM
                    date_trunc('month', to_timestamp(last.date) AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')::bigint)
            FROM last WHERE date IS NOT NULL
         )
         SELECT place, date, coalesce((
            SELECT stamp FROM month WHERE month.topic = last.topic
                AND month.month = to_char(to_timestamp(last.date) AT TIME ZONE 'UTC', 'YYYY-MM')), 0)
         FROM last WHERE date IS NOT NULL ORDER BY place, date";
    [call!(stamps, topics.to_vec()), call!(months, topics.to_vec())]
}

pub(super) fn topic_outlines(answers: &mut Answers) -> Result<Vec<TopicOutline>, StoreError> {
    let stamps = rows::next(answers, |row| rows::number(row, 0))?;
    let mut topics: Vec<TopicOutline> =
        stamps.into_iter().map(|stamp| TopicOutline { stamp, months: Vec::new() }).collect();
    let read = |row: &Row| {
        let place = usize::try_from(rows::number(row, 0)?).unwrap_or_default();
        Ok((place, Month::of(rows::time(row, 1)?.unwrap_or_default()), rows::number(row, 2)?))
    };
    for (place, month, stamp) in rows::next(answers, read)? {
        // Places are counted from 1.
        if let Some(topic) = place.checked_sub(1).and_then(|place| topics.get_mut(place)) {
            topic.months.push((month, stamp));
        }
    }
    Ok(topics)
}

/// The bounds of a month.
pub(super) fn bounds(month: Month) -> (i64, i64) {
    (unix(month.start()), unix(month.next().start()))
}

/// A statement that stamps the months of the labels in a `FROM` clause.
macro_rules! stamp {
    ($from:literal) => {
        concat!(
            "INSERT INTO month (topic, month, stamp) SELECT DISTINCT label.topic, ",
            month_of!("label.date"),
            ", (SELECT value FROM meta WHERE name = 'generation') ",
            $from,
            " ON CONFLICT (topic, month) DO UPDATE SET stamp = excluded.stamp"
        )
    };
}

/// Stamps each month in which a topic shows one of these stories, alone or as related news.
pub(super) fn touch(stories: &[i64]) -> [Call<'static>; 2] {
    let own = stamp!("FROM entry JOIN label ON label.entry = entry.number WHERE entry.story = ANY($1)");
    let as_related = stamp!(
        "FROM entry AS chosen JOIN related ON related.other = chosen.number AND related.place > 0
         JOIN entry ON entry.story = related.story
         JOIN label ON label.entry = entry.number AND label.topic = related.topic WHERE chosen.story = ANY($1)"
    );
    [call!(own, stories.to_vec()), call!(as_related, stories.to_vec())]
}

/// Notes the months that show these entries now: they will differ once the relabelling is done.
pub(super) fn note_relabelled(numbers: &[i64]) -> [Call<'static>; 2] {
    let own = concat!(
        "INSERT INTO relabelled SELECT DISTINCT label.topic, ",
        month_of!("label.date"),
        " FROM entry AS told JOIN entry ON entry.story = told.story JOIN label ON label.entry = entry.number
          WHERE told.number = ANY($1) ON CONFLICT DO NOTHING"
    );
    let as_related = concat!(
        "INSERT INTO relabelled SELECT DISTINCT label.topic, ",
        month_of!("label.date"),
        " FROM entry AS told JOIN entry AS chosen ON chosen.story = told.story
          JOIN related ON related.other = chosen.number AND related.place > 0
          JOIN entry ON entry.story = related.story
          JOIN label ON label.entry = entry.number AND label.topic = related.topic
          WHERE told.number = ANY($1) ON CONFLICT DO NOTHING"
    );
    [call!(own, numbers.to_vec()), call!(as_related, numbers.to_vec())]
}

/// Notes the months that will show these stories under the rules to come.
pub(super) fn note_to_come(stories: &[i64], rules: i64) -> Call<'static> {
    let sql = concat!(
        "INSERT INTO relabelled SELECT DISTINCT labelled.topic, ",
        month_of!("labelled.date"),
        " FROM entry JOIN labelled ON labelled.entry = entry.number
          WHERE entry.story = ANY($1) AND labelled.rules = $2 ON CONFLICT DO NOTHING"
    );
    call!(sql, stories.to_vec(), rules)
}

/// The instant of a date as stored.
pub(super) fn stored_instant(date: i64) -> Timestamp {
    Timestamp::from_timestamp(date, 0).unwrap_or_default()
}
