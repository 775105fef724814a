//! Persons as publishers write them: `a@b.fr (Élodie)`, `Élodie <a@b.fr>`, or in elements (RFC 4287 §3.2).

use super::html;
use super::xml::{Element, Ns};
use crate::feed::Person;

/// Reads an element that stands for a person; `None` if it says nothing.
pub(super) fn person(element: &Element<'_>) -> Option<Person> {
    let part = |name| element.elements().find(|child| child.name == name).and_then(html::line_of);
    let name = part("name");
    let email = part("email");
    let uri = part("uri").or_else(|| part("url")).or_else(|| part("homepage"));
    if name.is_none() && email.is_none() && uri.is_none() {
        return name_and_address(&html::line_of(element).filter(|_| element.elements().next().is_none())?);
    }
    let mut person = name.as_deref().and_then(name_and_address).unwrap_or_default();
    person.email = email.map(|email| email.trim_start_matches("mailto:").to_owned()).or(person.email);
    person.uri = uri;
    Some(person)
}

/// Splits a name and an address written in one text.
pub(super) fn name_and_address(text: &str) -> Option<Person> {
    let text = text.trim();
    let email = text.split(|c: char| c.is_whitespace() || "<>()[],;\"«»–—".contains(c)).find(|word| is_email(word));
    let Some(email) = email else {
        return (!text.is_empty()).then(|| Person { name: Some(text.to_owned()), ..Person::default() });
    };
    let rest = text.replacen(email, "", 1);
    let name = rest.trim_matches(|c: char| c.is_whitespace() || "<>()[],;:\"«»-–—".contains(c));
    Some(Person {
        name: (!name.is_empty()).then(|| name.to_owned()),
        email: Some(email.trim_start_matches("mailto:").to_owned()),
        uri: None,
    })
}

fn is_email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.') && !host.contains('@')
    })
}

/// Whether an element of an entry or feed names an author.
pub(super) fn is_author(element: &Element<'_>) -> bool {
    match element.ns {
        Ns::Core => matches!(&*element.name, "author" | "managingeditor"),
        Ns::Dc => matches!(&*element.name, "creator" | "author"),
        Ns::Itunes => element.name == "author",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, name: Option<&str>, email: Option<&str>) {
        let person = name_and_address(text).unwrap_or_default();
        assert_eq!((person.name.as_deref(), person.email.as_deref()), (name, email), "{text}");
    }

    #[test]
    fn name_and_address_are_told_apart() {
        check("a@b.fr (Élodie Martin)", Some("Élodie Martin"), Some("a@b.fr"));
        check("Élodie Martin <a@b.fr>", Some("Élodie Martin"), Some("a@b.fr"));
        check("mailto:a@b.fr", None, Some("a@b.fr"));
        check("Élodie Martin", Some("Élodie Martin"), None);
        check("", None, None);
    }

    #[test]
    fn characters_of_several_bytes_beside_an_address_are_no_matter() {
        check("Élodie\u{a0}a@b.fr", Some("Élodie"), Some("a@b.fr"));
        check("«a@b.fr", None, Some("a@b.fr"));
        check("a@b.fr—Direction", Some("Direction"), Some("a@b.fr"));
    }
}
