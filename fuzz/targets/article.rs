//! Any web page: no panic, and the article that is taken out is as safe as any text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use url::Url;
use veille::feed::Entry;
use veille::parse::{article, sanitise};

fuzz_target!(|page: &[u8]| {
    let url = Url::parse("https://site.example/a/b").unwrap();
    let Ok(content) = article(page, None, &url) else { return };
    let entry = Entry { content: Some(content.clone()), base: Some(url), ..Entry::default() };
    assert_eq!(sanitise(entry).content, Some(content));
});
