//! Any web page: no panic, and the article that is taken out is as safe as any text.
#![no_main]

mod safe;

use libfuzzer_sys::fuzz_target;
use url::Url;
use veille::parse::article;

fuzz_target!(|page: &[u8]| {
    let url = Url::parse("https://site.example/a/b").unwrap();
    let Ok(content) = article(page, None, &url) else { return };
    safe::assert_safe(&content);
});
