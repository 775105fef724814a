//! Slips of the hand that TOML refuses: quotes of a word processor, a decimal comma, `oui` for `true`.
//!
//! A line is rewritten as it was probably meant. The rewritten line is shown only if the parser takes it.

use std::ops::Range;

/// A mistaken line, and as it was meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slip {
    /// The first mistake, in bytes of the line.
    pub(super) span: Range<usize>,
    /// The mistake, for people.
    pub(super) message: &'static str,
    /// The line without it, and without the others of its kinds.
    pub(super) line: String,
}

/// Quotes of word processors, with those that close them.
const QUOTES: [(char, &[char]); 7] =
    [('“', &['”', '“']), ('”', &['”']), ('„', &['“', '”']), ('«', &['»']), ('»', &['«']), ('‘', &['’']), ('’', &['’'])];

/// Words that people write for `true` and `false`.
const FLAGS: [(&str, &[&str]); 2] =
    [("true", &["oui", "vrai", "yes", "on", "ja", "wahr"]), ("false", &["non", "faux", "no", "off", "nein", "falsch"])];

/// A line while it is rewritten.
struct Rewriting<'l> {
    line: &'l str,
    at: usize,
    written: String,
    first: Option<(Range<usize>, &'static str)>,
}

/// Rewrites a line; `None` if it has none of these mistakes.
pub(super) fn slip(line: &str) -> Option<Slip> {
    let mut rewriting = Rewriting { line, at: 0, written: String::new(), first: None };
    rewriting.key();
    while rewriting.step().is_some() {}
    let (span, message) = rewriting.first?;
    Some(Slip { span, message, line: rewriting.written })
}

impl Rewriting<'_> {
    fn rest(&self) -> &str {
        self.line.get(self.at..).unwrap_or_default()
    }

    /// Goes on behind `length` bytes, for which `replacement` is written.
    fn replace(&mut self, length: usize, replacement: &str, message: &'static str) {
        self.first.get_or_insert((self.at..self.at + length, message));
        self.written.push_str(replacement);
        self.at += length;
    }

    fn copy(&mut self, length: usize) {
        let end = self.line.len().min(self.at + length);
        self.written.push_str(self.line.get(self.at..end).unwrap_or_default());
        self.at = end;
    }

    /// Takes `key:` as `key =`, at the beginning of the line.
    fn key(&mut self) {
        let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let indent = self.line.len() - self.line.trim_start().len();
        self.copy(indent);
        let name = self.rest().find(|c| !bare(c)).unwrap_or_default();
        let behind = self.rest().get(name..).unwrap_or_default();
        let colon = behind.len() - behind.trim_start().len();
        if name > 0 && behind.trim_start().starts_with(':') {
            self.copy(name);
            self.replace(colon + 1, " =", "a key has `=` behind it, not `:`");
        }
    }

    /// Copies or rewrites one piece; `None` at the end.
    fn step(&mut self) -> Option<()> {
        let rest = self.rest();
        let next = rest.chars().next()?;
        match next {
            '#' => self.copy(rest.len()),
            '"' => self.copy(basic(rest)),
            '\'' => self.literal(),
            '\u{a0}' | '\u{202f}' | '\u{2009}' | '\u{2007}' => {
                self.replace(next.len_utf8(), " ", "this looks like a space and is a no-break space");
            }
            ';' if is_end(rest.get(1..).unwrap_or_default()) => self.replace(1, "", "a line ends without `;`"),
            '0'..='9' if self.is_value() => self.number(),
            _ if next.is_alphabetic() => self.word(),
            _ => self.quoted(next),
        }
        Some(())
    }

    /// Whether a value begins here: behind `=`, spaces aside.
    fn is_value(&self) -> bool {
        self.written.trim_end().ends_with('=')
    }

    fn quoted(&mut self, open: char) {
        let length = open.len_utf8();
        let Some((_, closing)) = QUOTES.iter().find(|(quote, _)| *quote == open) else { return self.copy(length) };
        let inner = self.rest().get(length..).unwrap_or_default();
        // A straight quote may close what a curly one opened.
        let Some((end, close)) = inner.char_indices().find(|(_, c)| closing.contains(c) || *c == '"') else {
            return self.copy(length);
        };
        let text = escaped(inner.get(..end).unwrap_or_default().trim());
        self.replace(length + end + close.len_utf8(), &text, "texts stand in straight quotes: `\"`");
    }

    /// A text in single quotes, which ends at the first one: `'l'école'` is cut short.
    fn literal(&mut self) {
        let inner = self.rest().get(1..).unwrap_or_default();
        let ends = inner.char_indices().filter(|(_, c)| *c == '\'').map(|(at, _)| at);
        let end = ends.into_iter().find(|at| {
            let behind = inner.get(at + 1..).unwrap_or_default().trim_start();
            behind.is_empty() || behind.starts_with([',', ']', '}', '#', '=', ';', '.'])
        });
        let Some(end) = end else { return self.copy(1) };
        let text = inner.get(..end).unwrap_or_default();
        if text.contains('\'') {
            let text = escaped(text);
            self.replace(end + 2, &text, "a text with an apostrophe stands in double quotes");
        } else {
            self.copy(end + 2);
        }
    }

    fn number(&mut self) {
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let whole = digits(self.rest());
        let fraction = self.rest().get(whole..).and_then(|rest| rest.strip_prefix(',')).map_or(0, digits);
        let behind = self.rest().get(whole + 1 + fraction..).unwrap_or_default();
        if fraction > 0 && (is_end(behind) || behind.trim_start().starts_with([',', '}', ']', ';'])) {
            let number = self.rest().get(..=whole + fraction).unwrap_or_default().replace(',', ".");
            self.replace(whole + 1 + fraction, &number, "a decimal point is a point: `.`");
        } else {
            self.copy(whole);
        }
    }

    fn word(&mut self) {
        let length = self.rest().find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest().len());
        let word = self.rest().get(..length).unwrap_or_default();
        match flag(word).filter(|flag| self.is_value() && word != *flag) {
            Some(flag) => self.replace(length, flag, "yes and no are written `true` and `false`"),
            None => self.copy(length),
        }
    }
}

/// Returns `true` or `false` if a word says so.
pub(super) fn flag(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    FLAGS.iter().find(|(flag, others)| *flag == word || others.contains(&word.as_str())).map(|(flag, _)| *flag)
}

/// Writes what stands between commas as the texts of a list.
pub(super) fn list(text: &str) -> String {
    let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    texts.map(escaped).collect::<Vec<_>>().join(", ")
}

/// Whether a line has nothing more to say.
fn is_end(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with('#')
}

/// Returns the length of a text in double quotes; 1 if it has no end.
fn basic(rest: &str) -> usize {
    let mut is_escaped = true;
    let end = rest.char_indices().find(|(_, c)| {
        let is_end = *c == '"' && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        is_end
    });
    end.map_or(1, |(at, _)| at + 1)
}

/// Writes a text in double quotes.
fn escaped(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, mistake: &str, meant: &str) {
        let slip = slip(line).unwrap_or_else(|| panic!("no slip in {line}"));
        assert_eq!((line.get(slip.span), slip.line.as_str()), (Some(mistake), meant));
    }

    #[test]
    fn quotes_of_word_processors_are_made_straight() {
        check("id = “ia”", "“ia”", "id = \"ia\"");
        check("id = «\u{a0}ia\u{a0}»", "«\u{a0}ia\u{a0}»", "id = \"ia\"");
        check("any = [“l’école”, ‘ia’, \"x\"]", "“l’école”", "any = [\"l’école\", \"ia\", \"x\"]");
        check("title = “a \\ b”", "“a \\ b”", "title = \"a \\\\ b\"");
    }

    #[test]
    fn what_stands_in_texts_and_comments_is_left() {
        for line in
            ["title = \"« ia » ; 4,5\"", "id = 'a' # “b”; c'est ici", "id = \"a\\\"“b”\"", "weight = 4", "[topic]"]
        {
            assert_eq!(slip(line), None, "{line}");
        }
    }

    #[test]
    fn each_slip_is_found_where_it_is() {
        check("id\u{a0}= \"ia\"", "\u{a0}", "id = \"ia\"");
        check("threshold = 4,5", "4,5", "threshold = 4.5");
        check("boost = { title = 2,5, lead = 1 }", "2,5", "boost = { title = 2.5, lead = 1 }");
        check("any = ['l'école', 'ia']", "'l'école'", "any = [\"l'école\", 'ia']");
        check("enabled = Non # le temps des vacances", "Non", "enabled = false # le temps des vacances");
        check("enabled = True", "True", "enabled = true");
        check("  id : \"ia\"", " :", "  id = \"ia\"");
        check("weight = 5;", ";", "weight = 5");
    }

    #[test]
    fn several_slips_are_mended_at_once() {
        check("threshold: 4,5;", ":", "threshold = 4.5");
    }

    #[test]
    fn no_line_makes_it_panic() {
        use proptest::prelude::*;
        proptest!(|(line in "[a-c =:'\"“”«»,;.#0-9éx\u{a0}\\\\\\[\\]{}]{0,40}")| {
            let _ = slip(&line);
        });
    }
}
