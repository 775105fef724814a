//! A search as it is asked: `?q=WORDS&topic=ID&page=NUMBER`, read strictly and within limits.

use url::form_urlencoded::Serializer;

use crate::publish::legal;

/// Characters of a search: enough for a long title.
const CHARACTERS_MAX: usize = 400;
/// Words of a search, as blanks part them.
const WORDS_MAX: usize = 32;

/// A search for words, or for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SearchAsked {
    /// The words as they were typed, on one line.
    pub(super) words: String,
    /// The only topic that is searched, by its id.
    pub(super) topic: Option<String>,
    /// The page of the results, from 1.
    pub(super) page: usize,
}

/// The reason why a search is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SearchFault {
    /// It has more words or characters than are looked for.
    TooLong,
    /// It is no UTF-8, or its page is no number.
    Unreadable,
}

impl SearchAsked {
    /// Reads the query of an address. Of a parameter that stands there twice the first counts; unknown ones mean nothing.
    pub(super) fn read(query: &str) -> Result<Self, SearchFault> {
        let (mut words, mut topic, mut page) = (None, None, None);
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = match name {
                "q" => &mut words,
                "topic" => &mut topic,
                "page" => &mut page,
                _ => continue,
            };
            if place.is_none() {
                let value = value.replace('+', " ");
                let decoded = percent_encoding::percent_decode_str(&value).decode_utf8();
                *place = Some(decoded.map_err(|_| SearchFault::Unreadable)?.into_owned());
            }
        }
        let words = words.unwrap_or_default().replace(char::is_control, " ");
        if words.chars().count() > CHARACTERS_MAX || words.split_whitespace().count() > WORDS_MAX {
            return Err(SearchFault::TooLong);
        }
        let words = legal::readable_line(&words).unwrap_or_default();
        let Ok(page @ 1..) = page.as_deref().unwrap_or("1").parse() else { return Err(SearchFault::Unreadable) };
        Ok(Self { words, topic: topic.filter(|topic| !topic.is_empty()), page })
    }

    /// Writes the query of the same search at another page.
    pub(super) fn at(&self, page: usize) -> String {
        let mut query = Serializer::for_suffix(String::from("?"), 1);
        query.append_pair("q", &self.words);
        query.extend_pairs(self.topic.as_ref().map(|topic| ("topic", topic)));
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        query.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, words: &str, topic: Option<&str>, page: usize) {
        let asked = SearchAsked { words: words.into(), topic: topic.map(str::to_owned), page };
        assert_eq!(SearchAsked::read(query), Ok(asked), "{query}");
    }

    #[track_caller]
    fn check_refused(query: &str, fault: SearchFault) {
        assert_eq!(SearchAsked::read(query), Err(fault), "{}", &query[..query.len().min(80)]);
    }

    #[test]
    fn words_are_read_as_browsers_write_them() {
        check("q=l%E2%80%99%C3%A9cole+num%C3%A9rique", "l’école numérique", None, 1);
        check("topic=ecole&q=a&page=3&x=y", "a", Some("ecole"), 3);
        check("q=un&q=deux&topic=", "un", None, 1);
        check("q=100%&", "100%", None, 1);
        check("", "", None, 1);
    }

    #[test]
    fn control_characters_are_no_words() {
        check("q=a%00b%0D%0Ac%1B", "a b c", None, 1);
    }

    #[test]
    fn what_is_no_search_is_refused() {
        check_refused("q=%FF%FE", SearchFault::Unreadable);
        check_refused("q=a&page=0", SearchFault::Unreadable);
        check_refused("q=a&page=-1", SearchFault::Unreadable);
        check_refused("q=a&page=99999999999999999999999", SearchFault::Unreadable);
        check_refused(&format!("q={}", "a".repeat(401)), SearchFault::TooLong);
        check_refused(&format!("q={}", "a+".repeat(33)), SearchFault::TooLong);
    }

    #[test]
    fn a_search_is_written_as_it_is_read() {
        let asked = SearchAsked { words: "« l’école » & co".into(), topic: Some("ecole".into()), page: 2 };
        assert_eq!(SearchAsked::read(&asked.at(2)[1..]), Ok(asked));
    }
}
