//! HTML that is written plainly, as most is, read without a tokeniser.
//!
//! Markup that is read here means the same to a browser. Other markup is refused ([`Odd`]): then `html5ever` has to
//! read the text.

use html5ever::data::NAMED_ENTITIES;

/// Markup that is not written plainly: comments, unquoted signs in tags, references that are not closed, and the like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Odd;

/// A piece of markup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Characters that stand for themselves, or a single `&` or `<` that does.
    Text(&'a str),
    /// The character that a reference stands for.
    Reference(Character),
    /// A start tag, by its name in lower case. Its attributes are in [`Pieces::attributes`].
    Start(&'a str),
    /// An end tag, by its name in lower case.
    End(&'a str),
}

/// The character of a reference, and the combining one that some have behind it.
pub(crate) type Character = (char, Option<char>);

/// The pieces of a text, in order.
#[derive(Debug)]
pub(crate) struct Pieces<'a> {
    rest: &'a str,
    /// Names in lower case and values as written, of the last start tag.
    pub(crate) attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Pieces<'a> {
    /// Begins to read.
    ///
    /// # Errors
    /// If the text has characters that browsers do not take as they are.
    pub(crate) fn of(html: &'a str) -> Result<Self, Odd> {
        let is_odd =
            html.as_bytes().contains(&b'\0') || html.as_bytes().contains(&b'\r') || html.starts_with('\u{feff}');
        if is_odd { Err(Odd) } else { Ok(Self { rest: html, attributes: Vec::new() }) }
    }

    /// Returns the next piece; `None` at the end.
    ///
    /// # Errors
    /// At the first that is not written plainly.
    pub(crate) fn next(&mut self) -> Result<Option<Piece<'a>>, Odd> {
        let rest = self.rest;
        let text = rest.bytes().position(|byte| matches!(byte, b'<' | b'&')).unwrap_or(rest.len());
        if text > 0 {
            return Ok(Some(Piece::Text(self.take(text)?)));
        }
        match rest.as_bytes() {
            [] => Ok(None),
            [b'&', ..] => self.reference().map(Some),
            [_, b'/', next, ..] if next.is_ascii_alphabetic() => self.end().map(Some),
            [_, next, ..] if next.is_ascii_alphabetic() => self.start().map(Some),
            [_] | [_, b'/' | b'!' | b'?', ..] => Err(Odd),
            _ => Ok(Some(Piece::Text(self.take(1)?))),
        }
    }

    fn reference(&mut self) -> Result<Piece<'a>, Odd> {
        let after = self.rest.get(1..).ok_or(Odd)?;
        if !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '#') {
            return Ok(Piece::Text(self.take(1)?));
        }
        let (character, length) = character(after)?;
        self.take(1 + length)?;
        Ok(Piece::Reference(character))
    }

    fn end(&mut self) -> Result<Piece<'a>, Odd> {
        self.take(2)?;
        let name = self.name()?;
        self.blanks()?;
        self.sign('>')?;
        Ok(Piece::End(name))
    }

    fn start(&mut self) -> Result<Piece<'a>, Odd> {
        self.attributes.clear();
        self.take(1)?;
        let name = self.name()?;
        loop {
            let blanks = self.blanks()?;
            let end = match self.rest.as_bytes() {
                [b'>', ..] => 1,
                [b'/', b'>', ..] => 2,
                _ if blanks > 0 => {
                    self.attribute()?;
                    continue;
                }
                _ => return Err(Odd),
            };
            self.take(end)?;
            return Ok(Piece::Start(name));
        }
    }

    fn attribute(&mut self) -> Result<(), Odd> {
        let name = self.name()?;
        self.blanks()?;
        if self.sign('=').is_err() {
            self.attributes.push((name, ""));
            return Ok(());
        }
        self.blanks()?;
        let value = if let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            self.sign(quote)?;
            let value = self.take(self.rest.find(quote).ok_or(Odd)?)?;
            self.sign(quote)?;
            value
        } else {
            let is_end = |byte: u8| byte == b'>' || byte.is_ascii_whitespace();
            let value = self.take(self.rest.bytes().position(is_end).ok_or(Odd)?)?;
            let is_plain = !value.is_empty() && !value.contains(['"', '\'', '<', '=', '`']);
            if is_plain { value } else { return Err(Odd) }
        };
        self.attributes.push((name, value));
        Ok(())
    }

    fn name(&mut self) -> Result<&'a str, Odd> {
        let is_name =
            |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'_');
        let length = self.rest.bytes().position(|byte| !is_name(&byte)).ok_or(Odd)?;
        let is_ended = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/' | b'=');
        let name = self.take(length)?;
        let is_plain =
            name.starts_with(|c: char| c.is_ascii_lowercase()) && self.rest.as_bytes().first().is_some_and(is_ended);
        if is_plain { Ok(name) } else { Err(Odd) }
    }

    /// Passes white space over; returns how much.
    fn blanks(&mut self) -> Result<usize, Odd> {
        let length = self.rest.bytes().position(|byte| !byte.is_ascii_whitespace()).ok_or(Odd)?;
        self.take(length)?;
        Ok(length)
    }

    fn sign(&mut self, sign: char) -> Result<(), Odd> {
        self.rest = self.rest.strip_prefix(sign).ok_or(Odd)?;
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<&'a str, Odd> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Odd)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Returns what the reference stands for whose `&` was read, and its length.
///
/// # Errors
/// If it does not end with a semicolon, or stands for a character that browsers replace.
pub(crate) fn character(after: &str) -> Result<(Character, usize), Odd> {
    /// The longest name is shorter.
    const NAME_MAX: usize = 40;
    let end = after.bytes().take(NAME_MAX).position(|byte| byte == b';').ok_or(Odd)?;
    let name = after.get(..=end).ok_or(Odd)?;
    let number = name.strip_prefix('#').map(|number| number.trim_end_matches(';'));
    let character = if let Some(number) = number {
        (numbered(number).ok_or(Odd)?, None)
    } else {
        let (first, second) = *NAMED_ENTITIES.get(name).ok_or(Odd)?;
        let first = char::from_u32(first).filter(|first| *first != '\0').ok_or(Odd)?;
        (first, char::from_u32(second).filter(|second| *second != '\0'))
    };
    Ok((character, name.len()))
}

fn numbered(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    let code = u32::from_str_radix(digits, radix).ok().filter(|_| is_number)?;
    char::from_u32(code).filter(|c| matches!(c, ' '..='~' | '\u{a0}'..))
}
