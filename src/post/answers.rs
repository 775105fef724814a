//! The meaning of an answer of HTTP for a post, and the wait that it asks for.

use chrono::{DateTime, TimeDelta};
use serde_json::Value;

use super::Receipt;
use crate::feed::Timestamp;
use crate::outbox::HttpAnswer;

/// Longest message of a target that is repeated, in characters.
const SAID_MAX: usize = 200;

/// Larger numbers in a header that tells a wait are instants of Unix.
const INSTANT_MIN: f64 = 1e9;

/// Judges an answer that is no success. `advice` says what to do where the target refuses us.
pub(super) fn refusal(answer: &HttpAnswer, advice: &str, now: Timestamp) -> Receipt {
    let why = said_by_target(answer);
    match answer.status {
        401 | 403 | 404 | 405 | 410 => Receipt::Stopped { why: format!("{why}; {advice}") },
        301 | 308 => {
            let to = answer.header("location").and_then(|to| url::Url::parse(to).ok());
            let to = to.and_then(|url| url.host_str().map(|host| format!(" to {host}"))).unwrap_or_default();
            Receipt::Stopped { why: format!("{why}: it has moved{to}; write its new address") }
        }
        408 | 425 | 429 | 300..=399 | 500.. => Receipt::Later { why, wait: wait(answer, now) },
        _ => Receipt::Refused { why },
    }
}

/// The status of an answer, and the words of the target.
pub(super) fn said_by_target(answer: &HttpAnswer) -> String {
    let body = String::from_utf8_lossy(&answer.body);
    let json = serde_json::from_str::<Value>(&body).ok();
    let words = json.as_ref().and_then(|json| {
        ["error_description", "error", "message"].iter().find_map(|key| json.get(key)?.as_str().map(str::to_owned))
    });
    let is_markup = body.trim_start().starts_with('<');
    let words = words.or_else(|| (json.is_none() && !is_markup).then(|| body.into_owned())).unwrap_or_default();
    let words: String = crate::text::one_line(&words).chars().filter(|c| !c.is_control()).take(SAID_MAX).collect();
    let status = answer.status;
    if words.is_empty() { format!("it answered {status}") } else { format!("it answered {status}: {words}") }
}

/// Returns how long an answer asks to wait: by its headers, else by its body.
pub(super) fn wait(answer: &HttpAnswer, now: Timestamp) -> Option<TimeDelta> {
    let json = || serde_json::from_slice::<Value>(&answer.body).ok();
    let by_body = || {
        let json = json()?;
        let milliseconds = json.get("retry_after_ms").and_then(Value::as_f64).map(|number| number / 1000.0);
        in_seconds(milliseconds.or_else(|| json.get("retry_after").and_then(Value::as_f64))?)
    };
    let after = answer.header("x-ratelimit-reset-after").and_then(|text| text.parse::<f64>().ok());
    answer
        .retry_after
        .or_else(|| in_seconds(after?))
        .or_else(by_body)
        .or_else(|| reset(answer.header("x-ratelimit-reset")?, now))
}

/// Reads when a limit is over: an instant in words (Mastodon), an instant of Unix (Discord), or seconds from now (Mattermost).
fn reset(text: &str, now: Timestamp) -> Option<TimeDelta> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc() - now);
    }
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)?;
    if number >= INSTANT_MIN {
        return Some(Timestamp::UNIX_EPOCH + in_seconds(number)? - now);
    }
    in_seconds(number)
}

/// A wait in seconds, as services write it; a negative one is none, and three hundred years are as good as more.
fn in_seconds(number: f64) -> Option<TimeDelta> {
    TimeDelta::from_std(std::time::Duration::try_from_secs_f64(number.clamp(0.0, 1e10)).ok()?).ok()
}

/// Returns the pause that a target wants after a message that it took: its limit is used up.
pub(super) fn pause_asked(answer: &HttpAnswer, now: Timestamp) -> Option<TimeDelta> {
    let left = answer.header("x-ratelimit-remaining")?.parse::<f64>().ok()?;
    if left > 0.0 { None } else { wait(answer, now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> HttpAnswer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HttpAnswer { status, headers, body: body.into(), retry_after: None }
    }

    #[track_caller]
    fn check_wait(headers: &[(&str, &str)], body: &str, milliseconds: Option<i64>) {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let found = wait(&answer(429, headers, body), now);
        assert_eq!(found.map(|wait| wait.num_milliseconds()), milliseconds, "{headers:?} {body}");
    }

    #[test]
    fn each_service_tells_a_wait_in_its_own_way() {
        check_wait(&[], "", None);
        check_wait(&[("x-ratelimit-reset", "2026-11-24T12:05:00.000Z")], "", Some(300_000));
        check_wait(&[("x-ratelimit-reset", "1795521660.5")], "", Some(60_500));
        check_wait(&[("x-ratelimit-reset", "7")], "", Some(7_000));
        check_wait(&[("x-ratelimit-reset-after", "1.25")], "", Some(1_250));
        check_wait(&[], "{\"errcode\":\"M_LIMIT_EXCEEDED\",\"retry_after_ms\":2000}", Some(2_000));
        check_wait(
            &[],
            "{\"message\":\"You are being rate limited.\",\"retry_after\":64.57,\"global\":false}",
            Some(64_570),
        );
        check_wait(&[("x-ratelimit-reset", "soon")], "{\"retry_after\":\"long\"}", None);
    }

    #[track_caller]
    fn check(status: u16, body: &str, expected: &Receipt) {
        let found = refusal(&answer(status, &[], body), "do this", Timestamp::UNIX_EPOCH);
        assert_eq!(found, *expected);
    }

    #[test]
    fn a_refusal_of_us_stops_one_of_a_story_does_not_and_others_are_tried_again() {
        let stopped = |why: &str| Receipt::Stopped { why: why.into() };
        let later = |why: &str| Receipt::Later { why: why.into(), wait: None };
        let json = "{\"error\":\"The access token is invalid\"}";
        check(401, json, &stopped("it answered 401: The access token is invalid; do this"));
        check(403, "invalid_token", &stopped("it answered 403: invalid_token; do this"));
        check(410, "", &stopped("it answered 410; do this"));
        check(422, "{\"error\":\"Text too long\"}", &Receipt::Refused { why: "it answered 422: Text too long".into() });
        check(503, "<html>Down", &later("it answered 503"));
        check(429, "slow\ndown\u{7}", &later("it answered 429: slow down"));
        check(302, "", &later("it answered 302"));
    }

    #[test]
    fn a_used_up_limit_asks_for_a_pause() {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let reset = ("x-ratelimit-reset-after", "2");
        let of = |left| pause_asked(&answer(200, &[("x-ratelimit-remaining", left), reset], ""), now);
        assert_eq!((of("1"), of("0")), (None, Some(TimeDelta::seconds(2))));
    }
}
