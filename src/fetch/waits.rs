//! The waits before the next request that an answer asks for: `Retry-After`, `Cache-Control`, `Expires`.
//!
//! Times are measured on the server's own clock (`Date`) where it tells it, so a wrong clock on either side changes
//! nothing. Apparent age (RFC 9111 §4.2.3) is left out for the same reason. Only what postpones is reported: a fresh
//! answer may be asked for again, `no-cache` and a date in the past ask for nothing.

use chrono::TimeDelta;
use reqwest::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName, RETRY_AFTER};

use crate::feed::Timestamp;
use crate::state::Wait;
use crate::text::read_http_date;

/// Beyond a year a wait is a mistake (milliseconds, or an instant where seconds belong), not a wish.
const DELAY_MAX: TimeDelta = TimeDelta::days(366);

/// Returns every wait that an answer asks for.
pub(super) fn asks(headers: &HeaderMap, now: Timestamp) -> Vec<Wait> {
    let waits = [retry(headers, now), freshness(headers, now)];
    waits.into_iter().flatten().filter(|wait| wait.delay > TimeDelta::zero()).collect()
}

/// Returns the wait that is asked of us, whatever caches may do.
pub(super) fn retry(headers: &HeaderMap, now: Timestamp) -> Option<Wait> {
    let delay = retry_after(headers, now).filter(|delay| *delay > TimeDelta::zero())?;
    Some(Wait { delay, why: format!("Retry-After: {}", delay.num_seconds()) })
}

/// Returns the wait of `Retry-After`, in seconds or as a date (RFC 9110 §10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<TimeDelta> {
    let text = text(headers, &RETRY_AFTER)?;
    let delay = seconds(text).or_else(|| Some(read_http_date(text)? - server_now(headers, now)))?;
    (delay <= DELAY_MAX).then_some(delay)
}

/// Returns what is left of the freshness lifetime (RFC 9111 §4.2.1): `max-age` goes before `Expires`.
fn freshness(headers: &HeaderMap, now: Timestamp) -> Option<Wait> {
    let directives = directives(headers);
    // `no-cache="set-cookie"` speaks of one field only.
    if directives.iter().any(|(name, value)| name == "no-store" || (name == "no-cache" && value.is_empty())) {
        return None;
    }
    let max_age = directives.iter().find(|(name, _)| name == "max-age");
    let (lifetime, why) = match max_age {
        Some((_, value)) => {
            let lifetime = seconds(value)?.min(DELAY_MAX);
            (lifetime, format!("Cache-Control: max-age={}", lifetime.num_seconds()))
        }
        None => (read_http_date(text(headers, &EXPIRES)?)? - server_now(headers, now), "Expires".to_owned()),
    };
    let age = text(headers, &AGE).and_then(seconds).unwrap_or_default();
    Some(Wait { delay: lifetime.min(DELAY_MAX) - age, why })
}

/// Splits `Cache-Control` (RFC 9111 §5.2) into lower-case names and values without quotes; several headers are one.
fn directives(headers: &HeaderMap) -> Vec<(String, String)> {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_owned())
        })
        .collect()
}

/// Returns what time it was by the server's clock (RFC 9110 §6.6.1).
pub(super) fn server_date(headers: &HeaderMap) -> Option<Timestamp> {
    text(headers, &DATE).and_then(read_http_date)
}

fn server_now(headers: &HeaderMap, now: Timestamp) -> Timestamp {
    server_date(headers).unwrap_or(now)
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

/// Reads delta-seconds; a number too large for us counts as the largest (RFC 9111 §1.2.2).
fn seconds(text: &str) -> Option<TimeDelta> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = is_number.then(|| text.parse::<i64>().unwrap_or(i64::MAX))?;
    Some(TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: &str = "Tue, 24 Nov 2026 12:00:00 GMT";

    /// Checks the waits asked for at noon by an answer with these headers, in seconds.
    fn check(headers: &[(&str, &str)], expected: &[(i64, &str)]) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let found = asks(&map, read_http_date(NOON).unwrap());
        let found: Vec<_> = found.iter().map(|wait| (wait.delay.num_seconds(), wait.why.as_str())).collect();
        assert_eq!(found, expected, "{headers:?}");
    }

    #[test]
    fn an_answer_without_these_headers_asks_for_nothing() {
        check(&[], &[]);
    }

    #[test]
    fn retry_after_counts_in_seconds() {
        check(&[("retry-after", "120")], &[(120, "Retry-After: 120")]);
    }

    #[test]
    fn retry_after_can_be_a_date_in_all_three_forms() {
        for date in ["Tue, 24 Nov 2026 12:02:00 GMT", "Tuesday, 24-Nov-26 12:02:00 GMT", "Tue Nov 24 12:02:00 2026"] {
            check(&[("retry-after", date)], &[(120, "Retry-After: 120")]);
        }
    }

    #[test]
    fn a_wrong_weekday_does_not_spoil_a_date() {
        check(&[("retry-after", "Mon, 24 Nov 2026 12:02:00 GMT")], &[(120, "Retry-After: 120")]);
    }

    #[test]
    fn a_date_counts_from_the_servers_own_clock() {
        let skewed = ("date", "Tue, 24 Nov 2026 15:00:00 GMT");
        check(&[skewed, ("retry-after", "Tue, 24 Nov 2026 15:02:00 GMT")], &[(120, "Retry-After: 120")]);
        check(&[skewed, ("expires", "Tue, 24 Nov 2026 15:05:00 GMT")], &[(300, "Expires")]);
    }

    #[test]
    fn absurd_retry_after_is_ignored() {
        for value in
            ["-5", "soon", "", "1e3", "1795521600", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT", "0"]
        {
            check(&[("retry-after", value)], &[]);
        }
    }

    #[test]
    fn max_age_goes_before_expires() {
        let expires = ("expires", "Tue, 24 Nov 2026 18:00:00 GMT");
        check(&[("cache-control", "public, Max-Age=600"), expires], &[(600, "Cache-Control: max-age=600")]);
        check(&[("cache-control", "public"), expires], &[(21_600, "Expires")]);
    }

    #[test]
    fn age_is_taken_off_the_lifetime() {
        check(&[("cache-control", "max-age=600"), ("age", "200")], &[(400, "Cache-Control: max-age=600")]);
        check(&[("cache-control", "max-age=600"), ("age", "900")], &[]);
    }

    #[test]
    fn no_cache_and_no_store_ask_for_nothing() {
        check(&[("cache-control", "no-cache, max-age=600")], &[]);
        check(&[("cache-control", "max-age=600"), ("cache-control", "no-store")], &[]);
        check(&[("cache-control", "no-cache=\"set-cookie\", max-age=\"600\"")], &[(600, "Cache-Control: max-age=600")]);
    }

    #[test]
    fn a_malformed_or_past_lifetime_counts_as_over() {
        check(&[("cache-control", "max-age=many")], &[]);
        for date in ["0", "-1", "Thu, 01 Jan 1970 00:00:00 GMT", "tomorrow"] {
            check(&[("expires", date)], &[]);
        }
    }

    #[test]
    fn an_endless_lifetime_is_cut_to_a_year() {
        check(&[("cache-control", "max-age=99999999999999999999")], &[(31_622_400, "Cache-Control: max-age=31622400")]);
    }

    #[test]
    fn retry_after_and_freshness_are_both_told() {
        let both = [("retry-after", "60"), ("cache-control", "max-age=90")];
        check(&both, &[(60, "Retry-After: 60"), (90, "Cache-Control: max-age=90")]);
    }
}
