//! Markup to text: what a person reads of HTML. The home of `html5ever`'s tokeniser.
//!
//! No tree is built, so any input costs linear time and no stack.

use std::cell::{Cell, RefCell};

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states};

/// Elements whose content nobody reads.
const SKIPPED: [&str; 9] =
    ["script", "style", "template", "noscript", "iframe", "noembed", "noframes", "textarea", "xmp"];

/// Elements that do not part words; any other does.
const INLINE: [&str; 32] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd",
    "mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var",
    "wbr",
];

/// Returns the text of `html`: entities resolved, blocks parted by blanks, white space folded, scripts gone.
#[must_use]
pub fn html_to_text(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return one_line(html);
    }
    let sink = Text { text: RefCell::new(String::with_capacity(html.len() / 2)), skipping: Cell::new(false) };
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    // The tokeniser stops only for a script that the sink asks it to run; ours never does.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    one_line(&tokenizer.sink.text.into_inner())
}

/// Folds every run of white space into one blank and trims.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

struct Text {
    text: RefCell<String>,
    skipping: Cell<bool>,
}

impl TokenSink for Text {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::CharacterTokens(characters) if !self.skipping.get() => {
                self.text.borrow_mut().push_str(&characters);
            }
            Token::TagToken(tag) => {
                let name: &str = &tag.name;
                if !INLINE.contains(&name) {
                    self.text.borrow_mut().push(' ');
                }
                let skipped = SKIPPED.contains(&name) && tag.kind == TagKind::StartTag && !tag.self_closing;
                self.skipping.set(skipped);
                if skipped {
                    return TokenSinkResult::RawData(states::RawKind::Rawtext);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &str) {
        assert_eq!(html_to_text(html), expected);
    }

    #[test]
    fn entities_are_resolved_and_tags_gone() {
        check("<p>L&rsquo;&eacute;cole <b>num&eacute;</b>rique &amp; libre</p>", "L’école numérique & libre");
    }

    #[test]
    fn blocks_and_breaks_part_words() {
        check("<li>un</li><li>deux<br>trois</li>", "un deux trois");
        check("anti<wbr>constitutionnel", "anticonstitutionnel");
    }

    #[test]
    fn scripts_and_styles_are_not_read() {
        check("a<script>if (a<b) x()</script><style>p{}</style>b", "a b");
        check("a<script>never closed", "a");
    }

    #[test]
    fn a_hundred_thousand_open_elements_are_no_matter() {
        check(&"<div>x".repeat(100_000), "x ".repeat(100_000).trim_end());
    }

    #[test]
    fn broken_markup_is_text() {
        check("1 < 2 & 3 <", "1 < 2 & 3 <");
    }
}
