//! Any bytes under any charset: the first line is the `Content-Type`, the rest the document.
#![no_main]

use chrono::DateTime;
use chrono_tz::Tz;
use libfuzzer_sys::fuzz_target;
use veille::parse::{Limits, read};

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let label = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let document = parts.next().unwrap_or_default();
    let _ = read(document, Some(&label), None, Tz::UTC, &Limits::default(), DateTime::UNIX_EPOCH);
});
