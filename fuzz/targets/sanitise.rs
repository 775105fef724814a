//! Any HTML: what comes out holds no element or attribute that runs code, and grows no more than it must.
#![no_main]

mod safe;

use libfuzzer_sys::fuzz_target;
use veille::feed::Entry;
use veille::parse::sanitise;

fuzz_target!(|html: &str| {
    let entry = Entry { content: Some(html.to_owned()), ..Entry::default() };
    let clean = sanitise(entry).content.unwrap_or_default();
    assert!(clean.len() <= html.len() * 20 + 1000, "{} bytes gave {}", html.len(), clean.len());
    safe::assert_safe(&clean);
});
