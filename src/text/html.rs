//! Markup to text: what a person reads of HTML. The home of `html5ever`'s tokeniser.
//!
//! No tree is built, so any input costs linear time and no stack.

use std::cell::{Cell, RefCell};

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states};

use super::elements::is_inline;
use super::markup::{Odd, Piece, Pieces};

/// Whether nobody reads the content of an element.
fn is_skipped(name: &str) -> bool {
    matches!(name, "script" | "style" | "template" | "iframe" | "noembed" | "noframes" | "textarea" | "xmp")
}

/// Returns the text of `html`: entities resolved, blocks parted by blanks, white space folded, scripts gone.
#[must_use]
pub fn html_to_text(html: &str) -> String {
    plain_text(html).unwrap_or_else(|Odd| tokenised_text(html))
}

/// The text of HTML that is written plainly.
fn plain_text(html: &str) -> Result<String, Odd> {
    let mut line = Line { text: String::with_capacity(html.len()), ..Line::default() };
    let mut pieces = Pieces::of(html)?;
    while let Some(piece) = pieces.next()? {
        match piece {
            Piece::Text(text) => line.push(text),
            Piece::Reference((first, second)) => {
                line.push(first.encode_utf8(&mut [0; 4]));
                second.inspect(|second| line.push(second.encode_utf8(&mut [0; 4])));
            }
            Piece::Start(name) if is_skipped(name) => return Err(Odd),
            Piece::Start(name) | Piece::End(name) if !is_inline(name) => line.is_parted = true,
            Piece::Start(_) | Piece::End(_) => {}
        }
    }
    Ok(line.text)
}

fn tokenised_text(html: &str) -> String {
    let sink = TextSink { text: RefCell::new(String::with_capacity(html.len() / 2)), skipping: Cell::new(false) };
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
    let mut line = Line { text: String::with_capacity(text.len()), ..Line::default() };
    line.push(text);
    line.text
}

/// A text that grows, of words with one blank between two.
#[derive(Default)]
struct Line {
    text: String,
    /// Whether white space comes before the next word.
    is_parted: bool,
}

impl Line {
    fn push(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let (mut start, mut at) = (0, 0);
        while let Some(&byte) = bytes.get(at) {
            // White space begins with one of these bytes.
            if !matches!(byte, b'\t'..=b'\r' | b' ' | 0xC2 | 0xE1 | 0xE2 | 0xE3) {
                at += 1;
                continue;
            }
            // One blank between two words may stay.
            if byte == b' ' && at > start && bytes.get(at + 1).is_some_and(u8::is_ascii_graphic) {
                at += 2;
                continue;
            }
            let c = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
            if c.is_whitespace() {
                self.push_words(text.get(start..at).unwrap_or_default());
                self.is_parted = true;
                start = at + c.len_utf8();
            }
            at += c.len_utf8();
        }
        self.push_words(text.get(start..).unwrap_or_default());
    }

    /// Adds what neither begins nor ends with white space.
    fn push_words(&mut self, words: &str) {
        if words.is_empty() {
            return;
        }
        if std::mem::take(&mut self.is_parted) && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(words);
    }
}

struct TextSink {
    text: RefCell<String>,
    skipping: Cell<bool>,
}

impl TokenSink for TextSink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::CharacterTokens(characters) if !self.skipping.get() => {
                self.text.borrow_mut().push_str(&characters);
            }
            Token::TagToken(tag) => {
                let name: &str = &tag.name;
                if !is_inline(name) {
                    self.text.borrow_mut().push(' ');
                }
                let skipped = is_skipped(name) && tag.kind == TagKind::StartTag && !tag.self_closing;
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
    use proptest::prelude::*;

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
    fn what_is_shown_without_scripts_is_read() {
        check("<p>Avant</p><noscript><p>La <a href='/v'>vidéo</a></p><img alt=x></noscript>", "Avant La vidéo");
        check("<noscript>Jamais <b>fermé</b><p>Suite", "Jamais fermé Suite");
    }

    #[test]
    fn comments_end_where_browsers_end_them() {
        check("a<!-->b<!--->c<!-- d --!>e<!-- f -- g -->h<!-- i", "abceh");
    }

    #[test]
    fn a_hundred_thousand_open_elements_are_no_matter() {
        check(&"<div>x".repeat(100_000), "x ".repeat(100_000).trim_end());
    }

    #[test]
    fn broken_markup_is_text() {
        check("1 < 2 & 3 <", "1 < 2 & 3 <");
    }

    /// Markup of all kinds, mostly written plainly.
    fn markup() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            6 => "[a-zé  \n\u{a0}\u{2003}\u{85}.]{0,6}",
            1 => "&(amp|lt|nbsp|eacute|rsquo|notit|NotEqualTilde|x|#8217|#x2019|#146|#0|#32|#10|#1114112|b=1);?",
            1 => "[<>&/;#\"'=!?]{1,2}",
            3 => "</?(p|b|a|script|style|div|wbr|o:p|P)( ?/)?>",
            2 => "<(p|a|img|textarea|t)( (x|href|data-x|Y)( ?= ?(\"[^\"]{0,5}\"|'[^']{0,5}'|[a-z/&;]{0,4}))?){0,2} ?/?>",
            1 => "(<!--.{0,3}-->|<!d>|<\\?x>|<!\\[CDATA\\[x\\]\\]>|\r|\u{feff}|\0)",
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn the_short_way_and_the_tokeniser_agree(html in markup()) {
            if let Ok(text) = plain_text(&html) {
                prop_assert_eq!(text, tokenised_text(&html));
            }
        }

        #[test]
        fn one_line_has_the_words_with_a_blank_between(text in "[ab é\u{a0}\u{2003}\u{3000}\u{85}\u{a9}\t\n]{0,12}") {
            prop_assert_eq!(one_line(&text), text.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
}
