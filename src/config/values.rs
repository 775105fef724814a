//! The types of keys that hold plain values: texts, numbers, durations, addresses, paths, schedules.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use ipnet::IpNet;
use url::Url;

use super::findings::Findings;
use super::nearest::nearest;
use super::table::{Key, KeyType, Wanted};
use super::tree::{Literal, Value};
use super::{Language, Listen, ShownHealth, ShownImages, quantity, slips};
use crate::schedule::Schedule;

/// Text that is not blank.
pub(super) const TEXT: KeyType<String> = KeyType::new("a text in quotes", read_text);
/// Text that may be empty.
pub(super) const LINE: KeyType<String> = KeyType::new("a text in quotes", read_line);
pub(super) const TEXTS: KeyType<Vec<String>> = KeyType::new("a list of texts: `[\"one\", \"two\"]`", owned_texts);
pub(super) const FLAG: KeyType<bool> = KeyType::new("`true` or `false`", flag);
/// An address of the web, without a password: it is published.
pub(super) const WEB: KeyType<Url> = KeyType::new("an address that begins with `https://` or `http://`", web);
pub(super) const FOLDER: KeyType<Url> = KeyType::new("an address that begins with `https://` or `http://`", web_folder);
pub(super) const WEBS: KeyType<Vec<Url>> = KeyType::new("a list of addresses: `[\"https://…\"]`", webs);
pub(super) const PATH: KeyType<PathBuf> = KeyType::new("a path in quotes", path);
pub(super) const SCHEDULE: KeyType<Schedule> =
    KeyType::new("a crontab pattern: `\"0 * * * *\"` is every hour", schedule);
/// Sets the wall clock of all schedules that are read after it.
pub(super) const ZONE: KeyType<Tz> = KeyType::new("a time zone such as `\"Europe/Paris\"`", zone);
pub(super) const LISTEN: KeyType<Option<Listen>> = KeyType::new(
    "an IP address and a port such as `\"127.0.0.1:8080\"`, a socket such as `\"unix:veille.sock\"`, or `\"\"` for files \
     only",
    listen,
);
pub(super) const INTERNAL: KeyType<Listen> = KeyType::new(
    "an IP address and a port such as `\"127.0.0.1:8081\"`, or a socket such as `\"unix:/run/veille/internal.sock\"`",
    |literal, key, found| listen(literal, key, found)?.or_else(|| note_unfit(literal, key, found)),
);
pub(super) const HEALTH: KeyType<ShownHealth> =
    KeyType::new("`\"sources\"` or `\"public\"`", |literal, key, found| match literal.text() {
        Some("sources") => Some(ShownHealth::Sources),
        Some("public") => Some(ShownHealth::All),
        _ => note_unfit(literal, key, found),
    });
pub(super) const IMAGES: KeyType<ShownImages> =
    KeyType::new("`\"none\"` or `\"link\"`", |literal, key, found| match literal.text() {
        Some("none") => Some(ShownImages::Nowhere),
        Some("link") => Some(ShownImages::Linked),
        _ => note_unfit(literal, key, found),
    });
pub(super) const NETWORKS: KeyType<Vec<IpNet>> = KeyType::new("a list of networks: `[\"127.0.0.0/8\"]`", networks);
pub(super) const PAGES: KeyType<Language> = KeyType::new("`\"fr\"` or `\"en\"`", pages);
pub(super) const CONTACT: KeyType<String> = KeyType::new("a `mailto:` or `https:` address", contact);

pub(super) const fn whole(min: i64, max: i64) -> KeyType<usize> {
    KeyType { wanted: Wanted::Whole(min, max), read: number }
}

pub(super) const fn decimal(min: f64, max: f64) -> KeyType<f64> {
    KeyType { wanted: Wanted::Decimal(min, max), read: fraction }
}

pub(super) const fn duration(seconds_min: u64, seconds_max: u64) -> KeyType<Duration> {
    KeyType { wanted: Wanted::Duration(seconds_min, seconds_max), read: seconds }
}

/// As [`duration`], in the type that instants are moved by.
pub(super) const fn period(seconds_min: u64, seconds_max: u64) -> KeyType<TimeDelta> {
    KeyType {
        wanted: Wanted::Duration(seconds_min, seconds_max),
        read: |literal, key, found| TimeDelta::from_std(seconds(literal, key, found)?).ok(),
    }
}

pub(super) const fn size(bytes_min: u64, bytes_max: u64) -> KeyType<u64> {
    KeyType { wanted: Wanted::Size(bytes_min, bytes_max), read: bytes }
}

/// Notes a value that is not of its key's type.
pub(super) fn note_unfit<T>(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<T> {
    let error = found.error(&literal.span, format!("`{}` must be {}", key.name, key.wanted));
    if let Some(value) = literal.text().and_then(|text| meant(text.trim(), key.wanted)) {
        error.help(format!("write `{} = {value}`", key.name));
    }
    None
}

/// Returns the value that a text was probably meant to be.
fn meant(text: &str, wanted: Wanted) -> Option<String> {
    match wanted {
        Wanted::Whole(..) | Wanted::Decimal(..) => {
            Some(text.replacen(',', ".", 1)).filter(|text| text.parse::<f64>().is_ok_and(f64::is_finite))
        }
        Wanted::Described(described) if described.starts_with("`true`") => slips::flag(text).map(str::to_owned),
        Wanted::Described(described) if described.starts_with("a list of") => Some(format!("[{}]", slips::list(text))),
        _ => None,
    }
}

pub(super) fn read_text(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<String> {
    let text = read_line(literal, key, found)?;
    if text.trim().is_empty() {
        found.error(&literal.span, format!("`{}` is blank", key.name));
        return None;
    }
    Some(text)
}

pub(super) fn read_line(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<String> {
    literal.text().map(str::to_owned).or_else(|| note_unfit(literal, key, found))
}

/// The texts of a list, each with its place.
pub(super) fn read_texts<'l>(
    literal: &'l Literal,
    key: &Key,
    found: &mut Findings<'_>,
) -> Option<Vec<(&'l str, &'l Literal)>> {
    let Value::List(list) = &literal.value else { return note_unfit(literal, key, found) };
    let mut texts = Vec::new();
    for literal in list {
        if let Some(text) = literal.text() {
            texts.push((text, literal));
        } else {
            let message = format!("`{}` must hold texts in quotes only, not {}", key.name, literal.kind());
            found.error(&literal.span, message);
        }
    }
    Some(texts)
}

fn owned_texts(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Vec<String>> {
    Some(read_texts(literal, key, found)?.into_iter().map(|(text, _)| text.to_owned()).collect())
}

fn flag(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<bool> {
    match literal.value {
        Value::Flag(flag) => Some(flag),
        _ => note_unfit(literal, key, found),
    }
}

fn number(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<usize> {
    match (&literal.value, key.wanted) {
        (Value::Whole(number), Wanted::Whole(min, max)) if (min..=max).contains(number) => {
            usize::try_from(*number).ok()
        }
        _ => note_unfit(literal, key, found),
    }
}

pub(super) fn fraction(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<f64> {
    match (literal.number(), key.wanted) {
        (Some(number), Wanted::Decimal(min, max)) if (min..=max).contains(&number) => Some(number),
        _ => note_unfit(literal, key, found),
    }
}

fn seconds(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Duration> {
    match (literal.text().and_then(quantity::seconds), key.wanted) {
        (Some(seconds), Wanted::Duration(min, max)) if (min..=max).contains(&seconds) => {
            Some(Duration::from_secs(seconds))
        }
        _ => quantity(literal, key, ["s", "m", "h"], "units are `s`, `m`, `h`, `days`, `weeks`, `years`", found),
    }
}

fn bytes(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<u64> {
    match (literal.text().and_then(quantity::bytes), key.wanted) {
        (Some(bytes), Wanted::Size(min, max)) if (min..=max).contains(&bytes) => Some(bytes),
        _ => quantity(literal, key, [" KiB", " MiB", " GiB"], "units are `KiB`, `MiB`, `GiB`", found),
    }
}

/// Notes a number without a unit, and any other value that is not of its key's type.
fn quantity<T>(literal: &Literal, key: &Key, units: [&str; 3], help: &str, found: &mut Findings<'_>) -> Option<T> {
    let error = found.error(&literal.span, format!("`{}` must be {}", key.name, key.wanted));
    match literal.value {
        Value::Whole(number) => {
            let examples = units.map(|unit| format!("`\"{number}{unit}\"`"));
            error.help(format!("write the unit: {}", examples.join(", ")))
        }
        _ => error.help(help),
    };
    None
}

fn web(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Url> {
    let Some(text) = literal.text() else { return note_unfit(literal, key, found) };
    web_address(text, literal, found)
}

fn web_address(text: &str, literal: &Literal, found: &mut Findings<'_>) -> Option<Url> {
    let url = match Url::parse(text.trim()) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let error = found.error(&literal.span, "this address has no scheme");
            error.help(format!("write `https://{}`", text.trim().trim_start_matches('/')));
            return None;
        }
        Err(fault) => {
            found.error(&literal.span, format!("this is no address: {fault}"));
            return None;
        }
    };
    if !matches!(url.scheme(), "http" | "https") {
        let error = found.error(&literal.span, format!("scheme `{}` cannot be polled", url.scheme()));
        error.help("addresses begin with `https://` or `http://`");
        return None;
    }
    if !url.username().is_empty() || url.password().is_some() {
        let error = found.error(&literal.span, "this address holds a password, and addresses are published");
        error.help("write `auth = { user = \"…\", password = { file = \"…\" } }` in the feed instead");
        return None;
    }
    Some(url)
}

fn web_folder(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Url> {
    let mut url = web(literal, key, found)?;
    if url.query().is_some() || url.fragment().is_some() {
        let error = found.error(&literal.span, "`url` of the site must be a folder, without `?` or `#`");
        error.help("write the address under which the published files are found: `https://veille.example.org/`");
        return None;
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Some(url)
}

fn webs(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Vec<Url>> {
    let texts = read_texts(literal, key, found)?;
    Some(texts.into_iter().filter_map(|(text, literal)| web_address(text, literal, found)).collect())
}

fn pages(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Language> {
    match literal.text() {
        Some("fr") => Some(Language::French),
        Some("en") => Some(Language::English),
        _ => note_unfit(literal, key, found),
    }
}

/// It goes into a request header, so it is ASCII without blanks.
fn contact(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<String> {
    let contact = read_text(literal, key, found)?;
    let is_address =
        contact.strip_prefix("mailto:").is_some_and(|address| address.contains('@')) || contact.starts_with("https://");
    if is_address && contact.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(contact);
    }
    let error = found.error(&literal.span, format!("`{}` must be {}", key.name, key.wanted));
    if contact.contains('@') && !contact.contains(char::is_whitespace) && !contact.contains(':') {
        error.help(format!("write `mailto:{contact}`"));
    }
    None
}

fn path(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<PathBuf> {
    Some(found.folder.join(read_text(literal, key, found)?))
}

fn zone(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Tz> {
    let text = read_text(literal, key, found)?;
    if let Ok(zone) = text.parse() {
        found.zone = zone;
        return Some(zone);
    }
    let near = nearest(&text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
    let error = found.error(&literal.span, format!("there is no time zone `{text}`"));
    error.help(near.map_or_else(
        || "names are those of the IANA list, such as `Europe/Paris`".into(),
        |near| format!("did you mean `{near}`?"),
    ));
    None
}

fn schedule(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Schedule> {
    let text = read_line(literal, key, found)?;
    if let Some(known) = found.schedules.get(&text) {
        return Some(known.clone());
    }
    match Schedule::parse(&text, found.zone) {
        Ok(schedule) => {
            found.schedules.insert(text, schedule.clone());
            Some(schedule)
        }
        Err(fault) => {
            found.error(&literal.span, format!("`{}`: {fault}", key.name)).help(fault.hint());
            None
        }
    }
}

fn networks(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Vec<IpNet>> {
    let mut networks = Vec::new();
    for (text, literal) in read_texts(literal, key, found)? {
        if let Ok(network) = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
            networks.push(network);
        } else {
            let error = found.error(&literal.span, format!("`{text}` is no network"));
            error.help("write an address and the length of its prefix: `127.0.0.0/8`, `fd00::/8`");
        }
    }
    Some(networks)
}

#[expect(clippy::option_option, reason = "without the outer one there is a mistake, without the inner one no address")]
fn listen(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Option<Listen>> {
    let text = read_line(literal, key, found)?;
    if text.is_empty() {
        return Some(None);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(Some(Listen::Tcp(address)));
    }
    if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
        return Some(Some(Listen::Unix(found.folder.join(path))));
    }
    let error = found.error(&literal.span, format!("`{}` must be {}", key.name, key.wanted));
    if let Some(port) = text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')) {
        error.help(format!("write `127.0.0.1:{port}` for this machine only, `[::]:{port}` for all"));
    }
    None
}
