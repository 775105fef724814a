//! Any HTML to text: no panic, on one line, and text stays the text that it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use veille::text::{html_to_text, one_line};

fuzz_target!(|html: &str| {
    let text = html_to_text(html);
    assert_eq!(text, one_line(&text));
    assert!(text.len() <= html.len() * 3 + 10, "{} bytes gave {}", html.len(), text.len());
    // HTML passes a byte order mark over.
    if !html.contains(['<', '&', '\0', '\r', '\u{feff}']) {
        assert_eq!(text, one_line(html));
    }
});
