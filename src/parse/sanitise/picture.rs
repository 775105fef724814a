//! Finds the picture that is meant: pages load theirs late, in sizes, and in formats to choose from (HTML §4.8.4.3).

use url::Url;

use super::super::{entity, scan};

/// Widest picture that is chosen, in pixels: no screen of a reader shows more.
const WIDTH_MAX: f64 = 2048.0;

/// Attributes in which themes and plug-ins keep the address for a script. Any `data-…src` is read as one of these.
const LAZY: &[&str] = &["data-original", "data-lazy", "data-lazyload", "data-echo", "data-url", "data-actualsrc"];

/// Parts of names of files that hold the place of a picture.
const PLACEHOLDERS: &[&str] = &[
    "1x1",
    "blank.",
    "clear.",
    "dummy.",
    "empty.",
    "gray.",
    "grey.",
    "lazy",
    "loader.",
    "loading",
    "pixel.",
    "placeholder",
    "preload",
    "spacer",
    "spinner",
    "trans.",
    "transparent",
];

/// A picture that an element asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) url: Url,
    /// Whether a script would load it.
    pub(super) is_lazy: bool,
}

/// Returns the best picture that the attributes of an `img` offer; `source` is that of the `picture` around it.
pub(super) fn best_picture(
    attributes: &[(&str, &str)],
    source: Option<Picture>,
    base: Option<&Url>,
) -> Option<Picture> {
    let value = |name: &str| find(attributes, name);
    let late = || {
        let names = |is: fn(&str) -> bool| {
            attributes.iter().filter(move |(name, _)| is(&name.to_ascii_lowercase())).map(|(_, value)| *value)
        };
        let mut addresses = value("data-src").into_iter().chain(names(is_lazy));
        let sets = || names(|name| name.starts_with("data-") && name.ends_with("srcset"));
        addresses.find_map(|address| resolve(address, base)).or_else(|| sets().find_map(|set| largest(set, base)))
    };
    let src = value("src").and_then(|src| resolve(src, base));
    let is_placeholder = src.as_ref().is_none_or(is_placeholder);
    if let Some(url) = late() {
        return Some(Picture { url, is_lazy: true });
    }
    // Beside a source that a script would load, `src` is a blurred copy.
    let (late_source, source) = source.map(|source| (source.is_lazy, source.url)).unzip();
    if !is_placeholder && late_source != Some(true) {
        return src.map(|url| Picture { url, is_lazy: false });
    }
    let named = || {
        let data =
            attributes.iter().filter(|(name, _)| name.len() > 5 && name.to_ascii_lowercase().starts_with("data-"));
        data.filter_map(|(_, value)| resolve(value, base)).find(is_picture)
    };
    let other = value("srcset").and_then(|set| largest(set, base)).or(source).or_else(named);
    // A picture may be about spinners.
    let is_lazy = other.is_some();
    other.or(src).map(|url| Picture { url, is_lazy })
}

/// Returns the picture that a `source` of a `picture` offers.
pub(super) fn offered_picture(attributes: &[(&str, &str)], base: Option<&Url>) -> Option<Picture> {
    let offers =
        [("data-srcset", true), ("data-lazy-srcset", true), ("srcset", false), ("data-src", true), ("src", false)];
    offers.iter().find_map(|(name, is_lazy)| {
        let url = largest(find(attributes, name)?, base)?;
        Some(Picture { url, is_lazy: *is_lazy })
    })
}

/// Whether a `source` is for small screens only.
pub(super) fn is_for_small_screens(attributes: &[(&str, &str)]) -> bool {
    find(attributes, "media").is_some_and(|media| media.contains("max-width"))
}

fn find<'v>(attributes: &[(&str, &'v str)], name: &str) -> Option<&'v str> {
    attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}

fn is_lazy(name: &str) -> bool {
    name.starts_with("data-") && name.ends_with("src") || name.ends_with("lazy-src") || LAZY.contains(&name)
}

/// Returns the address of a picture; a number, a template and a picture inside the page are none.
fn resolve(written: &str, base: Option<&Url>) -> Option<Url> {
    let written = entity::unescape(written.trim().into());
    let is_address = written.contains(['/', '.']) && !written.contains(['{', '}', '<', '>']);
    scan::resolve(&written, base).filter(|_| is_address)
}

fn is_placeholder(url: &Url) -> bool {
    let name = url.path().rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|part| name.contains(part))
}

fn is_picture(url: &Url) -> bool {
    mime_guess::from_path(url.path()).first_raw().is_some_and(|media_type| media_type.starts_with("image/"))
}

/// Returns the largest picture of a `srcset` that a screen can show, else its first.
fn largest(set: &str, base: Option<&Url>) -> Option<Url> {
    let offered = candidates(set).filter_map(|(address, size)| Some((resolve(address, base)?, size)));
    let offered: Vec<(Url, f64)> = offered.filter(|(url, _)| !is_placeholder(url)).collect();
    let best = offered
        .iter()
        .filter(|(_, size)| *size <= WIDTH_MAX)
        .reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.or(offered.first()).map(|(url, _)| url.clone())
}

/// Parses a `srcset` (HTML §4.8.4.3.10): addresses, which may hold commas, with their widths or densities.
fn candidates(set: &str) -> impl Iterator<Item = (&str, f64)> {
    let mut rest = set;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (address, after) = rest.split_at_checked(end).filter(|(address, _)| !address.is_empty())?;
        if address.ends_with(',') {
            rest = after;
            return Some((address.trim_end_matches(','), 1.0));
        }
        let (descriptor, after) = after.split_once(',').unwrap_or((after, ""));
        rest = after;
        let number =
            descriptor.split_ascii_whitespace().find_map(|word| word.trim_end_matches(['w', 'x']).parse().ok());
        Some((address, number.unwrap_or(1.0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(attributes: &[(&str, &str)], expected: &str) {
        let base = Url::parse("https://site.example/a/").unwrap();
        let best = best_picture(attributes, None, Some(&base)).map(|picture| picture.url.to_string());
        assert_eq!(best.unwrap_or_default(), expected);
    }

    #[test]
    fn the_address_that_a_script_would_load_comes_first() {
        for name in
            ["data-src", "data-lazy-src", "data-orig-src", "data-cfsrc", "data-original", "nitro-lazy-src", "DATA-SRC"]
        {
            check(&[("src", "/petit.jpg"), (name, "/grand.jpg")], "https://site.example/grand.jpg");
        }
        check(
            &[("src", "/a.jpg"), ("data-src", "12"), ("data-lazy-src", "/{width}.jpg")],
            "https://site.example/a.jpg",
        );
    }

    #[test]
    fn the_largest_of_a_set_is_taken_if_a_screen_can_show_it() {
        let set = |set| check(&[("srcset", set)], "https://site.example/b.jpg");
        set("/a.jpg 400w, /b.jpg 800w,/c.jpg 9000w");
        set("/a.jpg, /b.jpg 2x");
        set("/b.jpg");
        set("/b.jpg 9000w");
        check(
            &[("srcset", "https://c.example/w_400,h_3/b.jpg 400w, https://c.example/w_800,h_6/b.jpg 800w")],
            "https://c.example/w_800,h_6/b.jpg",
        );
    }

    #[test]
    fn what_holds_the_place_of_a_picture_is_shown_only_if_there_is_no_other() {
        check(&[("src", "/images/lazyload.gif"), ("data-large-file", "/b.jpg")], "https://site.example/b.jpg");
        check(&[("src", "data:image/gif;base64,R0"), ("srcset", "b.jpg 2x")], "https://site.example/a/b.jpg");
        check(&[("src", "/spinner.jpg"), ("data-id", "7")], "https://site.example/spinner.jpg");
        check(&[("src", "data:image/gif;base64,R0")], "");
    }

    #[test]
    fn a_picture_that_is_there_stays_what_it_is() {
        check(
            &[("src", "/a.jpg"), ("srcset", "/b.jpg 800w"), ("data-large-file", "/c.jpg")],
            "https://site.example/a.jpg",
        );
    }
}
