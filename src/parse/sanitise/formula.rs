//! Formulas as text: `MathML` is shown by few readers, and what it holds is a way around sanitisers.

use std::borrow::Cow;

use super::super::entity;
use crate::text::{html_to_text, one_line};

/// Longest formula, in bytes of its markup, whose fractions and powers are written out.
const FORMULA_BYTES_MAX: usize = 16 * 1024;

/// Signs between the operands of an element: the second, the third and so on.
const SIGNS: &[(&str, &[&str])] = &[
    ("mfrac", &["/"]),
    ("mfenced", &[", ", ", ", ", ", ", "]),
    ("mover", &["^"]),
    ("mroot", &["^1/"]),
    ("msub", &["_"]),
    ("msubsup", &["_", "^"]),
    ("msup", &["^"]),
    ("mtable", &["; ", "; ", "; ", "; ", "; ", "; "]),
    ("mtr", &[", ", ", ", ", ", ", ", ", ", ", "]),
    ("munder", &["_"]),
    ("munderover", &["_", "^"]),
];

/// Returns the plain text of the content of a `math` element.
pub(super) fn formula_text(markup: &str) -> String {
    if markup.len() > FORMULA_BYTES_MAX {
        return html_to_text(markup);
    }
    let mut formula = Formula::default();
    let mut parts = markup.split('<');
    formula.push(parts.next().unwrap_or_default());
    for part in parts {
        let Some((tag, text)) = part.split_once('>') else {
            formula.push("<");
            formula.push(part);
            continue;
        };
        let name = tag.trim_start_matches('/').split(|c: char| c.is_ascii_whitespace() || c == '/').next();
        // The prefix of MathML in XHTML.
        let name = name.map(|name| name.rsplit(':').next().unwrap_or(name)).unwrap_or_default();
        if tag.starts_with('/') {
            formula.end(name);
        } else if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            formula.start(name);
            if tag.ends_with('/') {
                formula.end(name);
            }
        }
        formula.push(text);
    }
    one_line(&formula.out)
}

#[derive(Default)]
struct Formula<'m> {
    out: String,
    open: Vec<Operand<'m>>,
}

/// An open element.
struct Operand<'m> {
    name: &'m str,
    /// The start of its text.
    start: usize,
    /// The number of operands so far.
    operands: usize,
}

impl<'m> Formula<'m> {
    fn start(&mut self, name: &'m str) {
        if let Some(parent) = self.open.last_mut() {
            let sign = parent.operands.checked_sub(1).and_then(|at| signs(parent.name)?.get(at));
            self.out.push_str(sign.copied().unwrap_or_default());
            parent.operands += 1;
        }
        self.out.push_str(match name {
            "mfenced" => "(",
            "msqrt" => "√",
            "mspace" => " ",
            _ => "",
        });
        self.open.push(Operand { name, start: self.out.len(), operands: 0 });
    }

    fn end(&mut self, name: &str) {
        let Some(level) = self.open.iter().rposition(|open| open.name == name) else { return };
        let Some(closed) = self.open.drain(level..).next() else { return };
        if name == "mfenced" {
            self.out.push(')');
        }
        let parent = self.open.last().map(|parent| parent.name).unwrap_or_default();
        let is_operand = name == "msqrt" || matches!(parent, "mfrac" | "msub" | "msup" | "msubsup" | "mroot");
        let text = self.out.get(closed.start..).unwrap_or_default().trim();
        if is_operand
            && !text.starts_with(['(', '√'])
            && !text.chars().all(char::is_alphanumeric)
            && text.chars().count() > 1
        {
            self.out.insert(closed.start, '(');
            self.out.push(')');
        }
    }

    fn push(&mut self, text: &str) {
        if self.open.iter().any(|open| matches!(open.name, "annotation" | "annotation-xml" | "script" | "style")) {
            return;
        }
        // Signs that are not written, such as the invisible times.
        let text = entity::unescape(Cow::Borrowed(text.trim()));
        self.out.extend(text.chars().filter(|c| !matches!(c, '\u{2061}'..='\u{2064}')));
    }
}

fn signs(name: &str) -> Option<&'static [&'static str]> {
    SIGNS.iter().find(|(known, _)| *known == name).map(|(_, signs)| *signs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(markup: &str, expected: &str) {
        assert_eq!(formula_text(markup), expected);
    }

    #[test]
    fn a_row_is_written_as_it_is_read() {
        check("<mi>x</mi> <mo>&gt;</mo>\n<mn>0</mn>", "x>0");
        check("<mi>f</mi><mo>&#x2061;</mo><mo>(</mo><mi>x</mi><mo>)</mo>", "f(x)");
        check("<m:mi>x</m:mi><m:mo>=</m:mo><m:mn>1</m:mn>", "x=1");
    }

    #[test]
    fn fractions_and_powers_keep_their_meaning() {
        check("<mfrac><mn>1</mn><mi>x</mi></mfrac>", "1/x");
        check("<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac>", "(a+b)/2");
        check("<msup><mi>x</mi><mn>2</mn></msup><mo>+</mo><msub><mi>y</mi><mi>i</mi></msub>", "x^2+y_i");
        check("<msqrt><mi>a</mi><mo>+</mo><mn>1</mn></msqrt>", "√(a+1)");
        check(
            "<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>0</mn></mtd></mtr><mtr><mtd><mn>2</mn></mtd></mtr></mtable>",
            "1, 0; 2",
        );
    }

    #[test]
    fn annotations_say_it_again() {
        check("<semantics><mi>x</mi><annotation encoding='application/x-tex'>x</annotation></semantics>", "x");
    }

    #[test]
    fn broken_formulas_are_text() {
        check("</mi>a<mfrac><mi>b", "ab");
        check("a < b", "a<b");
    }
}
