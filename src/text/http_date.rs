//! Dates as HTTP writes them (RFC 9110 §5.6.7).

use chrono::DateTime;

use crate::feed::Timestamp;

/// Reads the three forms of a date, and what programs send that are not exact: a date as in e-mails, one in `UTC` in place
/// of `GMT`, one without zone. A wrong weekday is no reason to refuse a date.
#[must_use]
pub fn read_http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let bare = text.strip_suffix("GMT").or_else(|| text.strip_suffix("UTC")).unwrap_or(text).trim_end();
    let in_gmt = format!("{bare} GMT");
    let forms = [text, bare, &in_gmt];
    let as_in_e_mails = |text: &str| {
        let without_weekday = text.split_once(',').map_or(text, |(_, rest)| rest);
        Some(DateTime::parse_from_rfc2822(without_weekday).ok()?.to_utc())
    };
    let exact = forms.iter().find_map(|form| httpdate::parse_http_date(form).ok()).map(Timestamp::from);
    exact.or_else(|| forms.iter().find_map(|form| as_in_e_mails(form)))
}

/// Writes a date (IMF-fixdate).
///
/// `httpdate` can write dates too, but panics at those before 1970, and a file's clock may say anything.
#[must_use]
pub fn http_date(at: Timestamp) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(read_http_date(text).map(http_date).as_deref(), expected, "{text}");
    }

    const NOON: Option<&str> = Some("Tue, 24 Nov 2026 12:02:00 GMT");

    #[test]
    fn the_three_forms_are_read() {
        check("Tue, 24 Nov 2026 12:02:00 GMT", NOON);
        check("Tuesday, 24-Nov-26 12:02:00 GMT", NOON);
        check("Tue Nov 24 12:02:00 2026", NOON);
        check("Thu Jan  1 00:00:00 1970", Some("Thu, 01 Jan 1970 00:00:00 GMT"));
    }

    #[test]
    fn dates_that_are_not_exact_are_read() {
        check("Tue, 24 Nov 2026 12:02:00 UTC", NOON);
        check("Tue, 24 Nov 2026 12:02:00", NOON);
        check("Tue Nov 24 12:02:00 2026 GMT", NOON);
        check("tue, 24 nov 2026 12:02:00 gmt", NOON);
        check("Tue, 24 Nov 2026 13:02:00 +0100", NOON);
        check("Mon, 24 Nov 2026 13:02:00 +0100", NOON);
        check("Mon, 24 Nov 2026 12:02:00 GMT", NOON);
        check("Sat, 7 Nov 2026 12:02:00 UTC", Some("Sat, 07 Nov 2026 12:02:00 GMT"));
        check("Wed, 31 Dec 1969 23:59:59 GMT", Some("Wed, 31 Dec 1969 23:59:59 GMT"));
    }

    #[test]
    fn no_date_is_made_of_other_texts() {
        for text in ["", "0", "-1", "soon", "GMT", ",", "1795521600", "Tue, 32 Nov 2026 12:02:00 GMT", "é, é GMT"] {
            check(text, None);
        }
    }
}
