//! The config file with feeds added: comments and layout stay as they are. The only home of `toml_edit`.

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};

/// A feed to add.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewFeed {
    /// Its address.
    pub url: String,
    /// Its id.
    pub id: String,
    /// For people.
    pub title: Option<String>,
    /// Given to all its entries.
    pub tags: Vec<String>,
}

/// Why nothing can be added.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file is no TOML.
    #[error("the config is no TOML: {0}")]
    Syntax(String),
    /// `feed` is something else than a list of tables.
    #[error("`feed` is no list of tables")]
    NoList,
}

/// Returns the text of a config with `feeds` added after those that it has; line ends and byte order mark stay.
///
/// # Errors
/// If it is no TOML, or `feed` no list.
pub fn with_feeds(text: &str, feeds: &[NewFeed]) -> Result<String, EditError> {
    let (mark, written) = match text.strip_prefix('\u{feff}') {
        Some(rest) => ("\u{feff}", rest),
        None => ("", text),
    };
    // The crate ends all lines in `\n`.
    let plain = written.replace("\r\n", "\n");
    let added = added(&plain, feeds)?;
    if plain.len() == written.len() {
        return Ok([mark, &added].concat());
    }
    let start = added.floor_char_boundary(common(plain.bytes(), added.bytes(), usize::MAX));
    let end = common(plain.bytes().rev(), added.bytes().rev(), plain.len().saturating_sub(start));
    let end = added.ceil_char_boundary(added.len().saturating_sub(end));
    let tail = plain.len().saturating_sub(added.len().saturating_sub(end));
    let (head, tail) = (written_length(written, start), written_length(written, tail));
    let is_windows = 2 * (written.len() - plain.len()) >= plain.matches('\n').count();
    let new = added.get(start..end).unwrap_or_default();
    let new = if is_windows { new.replace('\n', "\r\n") } else { new.to_owned() };
    Ok([mark, written.get(..head).unwrap_or_default(), &new, written.get(tail..).unwrap_or_default()].concat())
}

/// Counts the bytes that two texts begin with in common, `most` at most.
fn common(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>, most: usize) -> usize {
    one.zip(other).take(most).take_while(|(one, other)| one == other).count()
}

/// Returns how long the beginning of a text is that has `length` bytes once all its lines end in `\n`.
fn written_length(written: &str, length: usize) -> usize {
    let mut left = length;
    let mut taken = 0;
    for line in written.split_inclusive('\n') {
        let extra = usize::from(line.ends_with("\r\n"));
        if left < line.len() - extra {
            break;
        }
        left -= line.len() - extra;
        taken += line.len();
    }
    taken + left
}

fn added(text: &str, feeds: &[NewFeed]) -> Result<String, EditError> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        EditError::Syntax(error.message().lines().collect::<Vec<_>>().join("; "))
    })?;
    let mut end = document.trailing().as_str().unwrap_or_default().to_owned();
    document.set_trailing("");
    match document.entry("feed").or_insert(Item::ArrayOfTables(ArrayOfTables::new())) {
        Item::ArrayOfTables(list) => feeds.iter().for_each(|feed| list.push(table(feed))),
        Item::Value(Value::Array(list)) => feeds.iter().for_each(|feed| list.push(inline(feed))),
        _ => return Err(EditError::NoList),
    }
    let text = document.to_string();
    let added = tables(feeds);
    // Comments at the end of the file belong to what stood there before.
    match text.strip_suffix(&added) {
        Some(before) => {
            if !end.is_empty() && !end.ends_with('\n') {
                end.push('\n');
            }
            Ok([before, &end, &added].concat())
        }
        None => Ok(text + &end),
    }
}

fn tables(feeds: &[NewFeed]) -> String {
    let mut document = DocumentMut::new();
    document.insert("feed", Item::ArrayOfTables(feeds.iter().map(table).collect()));
    document.to_string()
}

fn pairs(feed: &NewFeed) -> impl Iterator<Item = (&'static str, Value)> {
    let texts = [("url", Some(&feed.url)), ("id", Some(&feed.id)), ("title", feed.title.as_ref())];
    let tags = (!feed.tags.is_empty()).then(|| ("tags", Value::Array(feed.tags.iter().collect::<Array>())));
    texts.into_iter().filter_map(|(key, text)| Some((key, Value::from(text?)))).chain(tags)
}

fn table(feed: &NewFeed) -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    for (key, value) in pairs(feed) {
        table.insert(key, Item::Value(value));
    }
    table
}

fn inline(feed: &NewFeed) -> InlineTable {
    pairs(feed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed() -> NewFeed {
        NewFeed {
            url: "https://b.example/rss?a=1&b=\"2\"".into(),
            id: "b".into(),
            title: Some("L’« école »".into()),
            tags: vec!["presse".into()],
        }
    }

    const ADDED: &str = "\n[[feed]]\nurl = 'https://b.example/rss?a=1&b=\"2\"'\nid = \"b\"\ntitle = \"L’« école »\"\ntags = [\"presse\"]\n";

    /// Checks that `before` + `after` becomes `before`, the feed, `after`.
    fn check(before: &str, after: &str) {
        let text = with_feeds(&format!("{before}{after}"), &[feed()]).unwrap();
        let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
        assert_eq!(text, format!("{before}{end}{ADDED}{after}"));
    }

    #[test]
    fn a_feed_is_added_after_the_last_one_and_nothing_else_changes() {
        check("# ours\n[site]\ntitle = 'x' # yes\n\n[[feed]]  # first\nurl = 'https://a.example/'\n# its remark\n", "");
        check("[[feed]]\nurl = 'https://a.example/'\n# dedup = true", "");
        check("[[feed]]\nurl = 'https://a.example/'\n", "\n# topics\n[[topic]]\nid = 'a'\nany = ['mot']\n");
    }

    #[test]
    fn the_first_feed_of_a_config_is_added_at_its_end() {
        check("[site]\ntitle = \"x\"\n", "");
        check("", "");
    }

    #[test]
    fn the_example_keeps_every_byte() {
        let example = include_str!("../../config.toml");
        let text = with_feeds(example, &[feed()]).unwrap();
        assert_eq!(text.replacen(ADDED, "", 1), example);
    }

    #[test]
    fn a_list_written_inline_stays_inline() {
        let text = with_feeds("feed = [{ url = 'https://a.example/' }]\n", &[feed()]).unwrap();
        assert!(text.starts_with("feed = [{ url = 'https://a.example/' }, { url = "), "{text}");
    }

    #[test]
    fn a_feed_that_is_no_list_is_told() {
        assert!(matches!(with_feeds("feed = 1", &[feed()]), Err(EditError::NoList)));
        assert!(matches!(with_feeds("feed = ", &[feed()]), Err(EditError::Syntax(_))));
    }

    #[test]
    fn line_ends_and_the_byte_order_mark_stay() {
        let windows = |text: &str| text.replace('\n', "\r\n");
        for mark in ["", "\u{feff}"] {
            for (before, after) in [
                ("# été\n[[feed]]\nurl = 'https://a.example/'\n", ""),
                (
                    "[[feed]]\nurl = 'https://a.example/'\n",
                    "\n# topics\n[[topic]]\nid = 'é'\nany = [\"\"\"\nmot\"\"\"]\n",
                ),
                ("[site]\ntitle = \"x\" # la fin\n\n", ""),
            ] {
                let text = with_feeds(&format!("{mark}{}", windows(&format!("{before}{after}"))), &[feed()]).unwrap();
                assert_eq!(text, format!("{mark}{}", windows(&format!("{before}{ADDED}{after}"))));
            }
        }
    }

    #[test]
    fn mixed_line_ends_stay_as_they_are() {
        let before = "# a\r\n# b\n[[feed]]\r\nurl = 'https://a.example/'\n";
        assert_eq!(with_feeds(before, &[feed()]).unwrap(), format!("{before}{}", ADDED.replace('\n', "\r\n")));
        let before = "# a\n# b\n# c\n[[feed]]\nurl = 'https://a.example/' # é\r\n";
        assert_eq!(with_feeds(before, &[feed()]).unwrap(), format!("{before}{ADDED}"));
    }

    #[test]
    fn an_inline_list_keeps_the_line_ends_around_it() {
        let text = with_feeds("# a\r\nfeed = [{ url = 'https://a.example/' }]\r\n# b\r\n", &[feed()]).unwrap();
        assert!(text.starts_with("# a\r\nfeed = [{ url = 'https://a.example/' }, { url = "), "{text}");
        assert!(text.ends_with("] }]\r\n# b\r\n"), "{text}");
    }
}
