//! The days and hours of pages, on the clocks of the site's readers.

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};

use crate::config::Site;
use crate::feed::Timestamp;
use crate::publish::words::words_in;

/// Days that are called by a word of their own.
const RELATIVE_DAYS: i64 = 1;

/// The heading of a day.
pub(super) struct DayHeading {
    /// `day_2026-11-28`
    pub(super) id: String,
    /// `Aujourd’hui`, or the day itself.
    pub(super) name: String,
    /// The day itself, if it is called by another word.
    pub(super) date: Option<String>,
}

/// Returns the day on which it is this instant in the site's zone.
#[must_use]
pub fn day_in_zone(site: &Site, instant: Timestamp) -> NaiveDate {
    instant.with_timezone(&site.zone).date_naive()
}

/// Returns the heading of a day. With `today`, the last two days are called by words that hold until midnight.
pub(super) fn heading(site: &Site, day: NaiveDate, today: Option<NaiveDate>) -> DayHeading {
    let words = &words_in(site.language).page;
    let is_of_this_year = today.is_some_and(|today| today.year() == day.year());
    let weekday = day.weekday().num_days_from_monday() as usize;
    let year = (!is_of_this_year).then(|| day.year());
    let date = capital(&(words.weekday)(weekday, day.day(), day.month0() as usize, year));
    let id = format!("day_{day}");
    match today.map(|today| (today - day).num_days()) {
        Some(0) => DayHeading { id, name: words.today.to_owned(), date: Some(date) },
        Some(RELATIVE_DAYS) => DayHeading { id, name: words.yesterday.to_owned(), date: Some(date) },
        _ => DayHeading { id, name: date, date: None },
    }
}

/// Returns a day within a sentence.
pub(super) fn in_sentence(site: &Site, day: NaiveDate, today: NaiveDate) -> String {
    let DayHeading { name, .. } = heading(site, day, Some(today));
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// Returns the hour and the minute of an instant in the site's zone.
pub(super) fn hour_and_minute(site: &Site, instant: Timestamp) -> (u32, u32) {
    let local = instant.with_timezone(&site.zone);
    (local.hour(), local.minute())
}

/// Returns the hour at which a story is shown, as clocks show it. `None` if its publisher told only the day: then it is
/// midnight there, or in UTC.
pub(super) fn hour(site: &Site, instant: Timestamp) -> Option<String> {
    let is_midnight = instant.time() == NaiveTime::MIN;
    let (hour, minute) = hour_and_minute(site, instant);
    let is_midnight_here = (hour, minute, instant.second()) == (0, 0, 0);
    (!is_midnight && !is_midnight_here).then(|| format!("{hour:02}:{minute:02}"))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Language;
    use crate::publish::newsroom::{Newsroom, date};

    #[track_caller]
    fn check(language: Language, day: &str, today: Option<&str>, expected: (&str, Option<&str>)) {
        let mut newsroom = Newsroom::new();
        newsroom.site.language = language;
        let shown = heading(&newsroom.site, day.parse().unwrap(), today.map(|day| day.parse().unwrap()));
        let plain = |text: String| text.replace('\u{a0}', " ");
        assert_eq!((plain(shown.name).as_str(), shown.date.map(plain).as_deref()), expected);
    }

    #[test]
    fn the_last_two_days_have_words_of_their_own() {
        let today = Some("2026-11-28");
        check(Language::French, "2026-11-28", today, ("Aujourd’hui", Some("Samedi 28 novembre")));
        check(Language::French, "2026-11-27", today, ("Hier", Some("Vendredi 27 novembre")));
        check(Language::French, "2026-11-26", today, ("Jeudi 26 novembre", None));
        check(Language::English, "2026-11-27", today, ("Yesterday", Some("Friday 27 November")));
    }

    #[test]
    fn a_year_is_told_where_it_is_another_or_the_page_stays_for_years() {
        check(Language::French, "2025-12-01", Some("2026-01-01"), ("Lundi 1er décembre 2025", None));
        check(Language::French, "2026-11-26", None, ("Jeudi 26 novembre 2026", None));
    }

    #[test]
    fn a_day_to_come_is_a_date() {
        check(Language::French, "2026-11-29", Some("2026-11-28"), ("Dimanche 29 novembre", None));
    }

    #[test]
    fn an_hour_is_that_of_the_zone_and_midnight_tells_none() {
        let site = Newsroom::new().site;
        assert_eq!(hour(&site, date("2026-11-23T08:05:00Z")).as_deref(), Some("09:05"));
        assert_eq!(hour(&site, date("2026-11-23T23:00:00Z")), None);
        assert_eq!(hour(&site, date("2026-11-23T00:00:00Z")), None);
        assert_eq!(day_in_zone(&site, date("2026-11-23T23:00:00Z")), "2026-11-24".parse().unwrap());
    }
}
