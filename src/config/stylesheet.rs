//! The operator's style sheet: a file that takes the place of the shipped one.
//!
//! Pages ask no other site for anything. On our own server their content security policy sees to that; among static files
//! nothing does. So a style sheet that names another address is refused.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::findings::Findings;
use super::table::{Key, KeyType};
use super::tree::Literal;
use super::values::read_text;

pub(super) const STYLESHEET: KeyType<Stylesheet> = KeyType::new("a path in quotes", stylesheet);

/// Largest style sheet: a hundred times the shipped one. A phone has to read it before it shows anything.
const BYTES_MAX: u64 = 512 << 10;

/// A style sheet that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stylesheet {
    /// Its file.
    pub path: PathBuf,
    /// Its text.
    pub text: Arc<str>,
}

fn stylesheet(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Stylesheet> {
    let path = found.folder.join(read_text(literal, key, found)?);
    let shown = path.display();
    let mut bytes = Vec::new();
    let read = File::open(&path).and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes));
    let fault = match read {
        Err(error) => Some((format!("the style sheet `{shown}` cannot be read: {error}"), "name a file of CSS")),
        Ok(_) if bytes.len() as u64 > BYTES_MAX => {
            Some((format!("the style sheet `{shown}` is larger than 512 KiB"), "this is hardly a style sheet"))
        }
        Ok(_) => None,
    };
    if let Some((message, help)) = fault {
        found.error(&literal.span, message).help(help);
        return None;
    }
    let Ok(text) = String::from_utf8(bytes) else {
        found.error(&literal.span, format!("the style sheet `{shown}` is not UTF-8")).help("save it as UTF-8");
        return None;
    };
    if let Some((line, what)) = foreign(&text) {
        let message = format!("line {line} of the style sheet `{shown}` has {what}, which pages would not load");
        let error = found.error(&literal.span, message);
        error.help("pages ask no other site for anything: take it out; pictures can be drawn by gradients");
        return None;
    }
    Some(Stylesheet { path, text: text.into() })
}

#[expect(clippy::expect_used, reason = "constant patterns, compiled by every test run")]
static ADDRESS: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    let import = r"(?i)@(?:import|namespace|font-face)\b";
    let address = r#"(?i)(?:\b(?:url|src|image|image-set|-webkit-image-set|cross-fade)\()\s*["']?\s*([^)"']*)"#;
    [import, address].map(|pattern| Regex::new(pattern).expect("constant pattern"))
});

/// Returns the first thing in a style sheet that is to be loaded from elsewhere, with its line.
fn foreign(css: &str) -> Option<(usize, String)> {
    let plain = plain(css);
    let [import, address] = &*ADDRESS;
    let imported = import.find(&plain).map(|found| (found.start(), format!("`{}`", found.as_str())));
    let named = address.captures_iter(&plain).find_map(|found| {
        let target = found.get(1)?.as_str().trim();
        // A part of the page itself, such as a filter in an inline picture.
        (!target.starts_with('#')).then(|| (found.get(0).map_or(0, |whole| whole.start()), "an address".to_owned()))
    });
    let (at, what) = imported.into_iter().chain(named).min_by_key(|(at, _)| *at)?;
    Some((plain.get(..at)?.matches('\n').count() + 1, what))
}

/// Returns a style sheet without comments and with its escapes resolved, line by line as it is: `\75rl(` is `url(`.
fn plain(css: &str) -> String {
    let mut plain = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(c) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("/*") {
            let (comment, after) = comment.split_once("*/").unwrap_or((comment, ""));
            plain.extend(comment.chars().filter(|c| *c == '\n'));
            rest = after;
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        if c != '\\' {
            plain.push(c);
            continue;
        }
        let digits = rest.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
        let number = rest.get(..digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if let Some(number) = number {
            plain.extend(char::from_u32(number));
            rest = rest.get(digits..).unwrap_or_default();
            // One blank ends the digits.
            rest = rest.strip_prefix([' ', '\t', '\n']).unwrap_or(rest);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(css: &str, expected: Option<usize>) {
        assert_eq!(foreign(css).map(|(line, _)| line), expected, "{css}");
    }

    #[test]
    fn ordinary_styles_are_taken() {
        check("a { color: red; content: \"url\"; background: linear-gradient(#fff, #000) }", None);
        check("/* url(https://a.example/) and @import */ p { filter: url(#blur) }", None);
        check("@media print { a::after { content: \" (\" attr(href) \")\" } }", None);
    }

    #[test]
    fn addresses_are_found_however_they_are_written() {
        check("a{}\nb { background: url(https://a.example/1.png) }", Some(2));
        check("b { background: URL( '//a.example/1.png' ) }", Some(1));
        check("b { background: \\75rl(https://a.example/1.png) }", Some(1));
        check("b { background: u/**/rl(a); background: image-set(\"https://a.example/1.png\" 1x) }", Some(1));
        check("/*\n*/@IMPORT 'a.css';", Some(2));
        check("@\\69mport 'a.css';", Some(1));
        check("@font-face { src: local(x) }", Some(1));
        check("b { background: url(data:image/png;base64,AA) }", Some(1));
    }
}
