//! Any document: no panic, no defect that hides one, and what is kept can be sanitised.
#![no_main]

use chrono::DateTime;
use chrono_tz::Tz;
use libfuzzer_sys::fuzz_target;
use veille::parse::{Limits, read, sanitise};

fuzz_target!(|document: &[u8]| {
    let limits = Limits::default();
    let Ok(feed) = read(document, None, None, Tz::Europe__Paris, &limits, DateTime::UNIX_EPOCH) else { return };
    assert!(feed.entries.len() <= limits.entries_max);
    assert!(feed.defects.iter().all(|defect| defect.code != "entry"), "feed-rs refused what repair wrote");
    feed.entries.into_iter().take(10).for_each(|entry| drop(sanitise(entry)));
});
