//! Tags as hashtags: in one word, each part with a capital, so that screen readers read the parts.

/// Publishers' tags that become hashtags: blogs give dozens.
const PUBLISHERS_MAX: usize = 4;

/// Longest hashtag that is made of a publisher's tag, in characters: a longer one is a sentence.
const CHARACTERS_MAX: usize = 40;

/// Returns the hashtags of a message: those of the post, then those made of the publishers' tags; none twice.
pub(super) fn hashtags(own: &[String], publishers: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |tag: String| {
        let is_new = !found.iter().any(|other| other.to_lowercase() == tag.to_lowercase());
        if is_new {
            found.push(tag);
        }
        is_new
    };
    for tag in own.iter().filter_map(|tag| hashtag(tag)) {
        add(tag);
    }
    let mut left = PUBLISHERS_MAX;
    for tag in publishers.iter().filter_map(|tag| hashtag(tag)).filter(|tag| tag.chars().count() <= CHARACTERS_MAX) {
        if left == 0 {
            break;
        }
        left -= usize::from(add(tag));
    }
    found
}

/// Makes a hashtag of a tag; `None` if it has no letter, for a number is none.
fn hashtag(tag: &str) -> Option<String> {
    let words: Vec<&str> =
        tag.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    let is_one = words.len() == 1;
    let joined: String = words
        .iter()
        .map(|word| {
            let mut characters = word.chars();
            match characters.next() {
                // One word stays as it is written.
                Some(first) if !is_one || first.is_lowercase() => first.to_uppercase().chain(characters).collect(),
                _ => (*word).to_owned(),
            }
        })
        .collect::<Vec<String>>()
        .concat();
    joined.contains(char::is_alphabetic).then(|| format!("#{joined}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(own: &[&str], publishers: &[&str], expected: &str) {
        let owned = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
        assert_eq!(hashtags(&owned(own), &owned(publishers)).join(" "), expected);
    }

    #[test]
    fn each_part_of_a_tag_has_a_capital() {
        check(
            &["Laïcité"],
            &["éducation nationale", "NSI", "l’école-inclusive"],
            "#Laïcité #ÉducationNationale #NSI #LÉcoleInclusive",
        );
        check(&["#numérique"], &[], "#Numérique");
    }

    #[test]
    fn what_is_no_word_or_a_sentence_is_no_hashtag() {
        check(
            &[],
            &["2026", "…", "", "@everyone", "une phrase qui ne finit pas et qui est bien trop longue"],
            "#Everyone",
        );
    }

    #[test]
    fn none_is_there_twice_and_publishers_have_four() {
        check(&["École"], &["école", "a", "b", "c", "d", "e"], "#École #A #B #C #D");
    }
}
