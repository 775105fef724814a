//! `[site]`, `[store]`, `[poll]`, `[dedup]`, `[publish]` and `[serve]`.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use ipnet::IpNet;
use url::Url;

use super::access::proxy;
use super::diagnostic::Problems;
use super::keys::{Key, Kind};
use super::nearest::nearest;
use super::quantity;
use super::section::{Section, flag, text, texts, unfit, whole, words};
use super::tree::{Node, Value};
use super::{DedupSettings, Language, Listen, PollSettings, PublishSettings, ServeSettings, Site, StoreSettings};
use crate::schedule::Schedule;

pub(super) fn site(section: &Section<'_>, zone: Tz, problems: &mut Problems) -> Option<Site> {
    let title = section.read("title", text, problems);
    let url = section.read("url", site_url, problems);
    let language = section.read("language", language, problems);
    let contact = section.node("contact").and_then(|_| section.read("contact", contact, problems));
    Some(Site { title: title?, url: url?, language: language?, contact, zone })
}

pub(super) fn store(section: &Section<'_>, folder: &Path, problems: &mut Problems) -> Option<StoreSettings> {
    let path = store_path(section, folder, problems);
    let keep = section.read("keep", duration, problems);
    Some(StoreSettings { path: path?, keep: TimeDelta::from_std(keep?).ok()? })
}

/// `store.path`
pub(super) fn store_path(section: &Section<'_>, folder: &Path, problems: &mut Problems) -> Option<PathBuf> {
    Some(folder.join(section.read("path", path, problems)?))
}

pub(super) fn poll(section: &Section<'_>, folder: &Path, problems: &mut Problems) -> Option<PollSettings> {
    let zone = section.read("timezone", zone, problems);
    let schedule = section
        .read_with("schedule", problems, |node, key, problems| schedule(node, key, zone.unwrap_or(Tz::UTC), problems));
    let concurrency = section.read("concurrency", whole, problems);
    let per_host = section.read("per_host", whole, problems);
    let host_delay = section.read("host_delay", duration, problems);
    let timeout = section.read("timeout", duration, problems);
    let body_bytes_max = section.read("body_max", size, problems);
    let entries_max = section.read("entries_max", whole, problems);
    let pages_max = section.read("pages_max", whole, problems);
    let postpone_max = section.read("postpone_max", duration, problems);
    let allow_networks = section.read("allow_networks", networks, problems);
    let proxy = section.read_with("proxy", problems, |node, key, problems| proxy(node, key, folder, problems));
    Some(PollSettings {
        schedule: schedule?,
        concurrency: concurrency?,
        per_host: per_host?,
        host_delay: host_delay?,
        timeout: timeout?,
        body_bytes_max: body_bytes_max?,
        entries_max: entries_max?,
        pages_max: pages_max?,
        postpone_max: postpone_max?,
        allow_networks: allow_networks?,
        proxy: proxy?,
    })
}

pub(super) fn dedup(section: &Section<'_>, problems: &mut Problems) -> Option<DedupSettings> {
    let window = section.read("window", duration, problems);
    let near_duplicates = section.read("near_duplicates", flag, problems);
    let withdrawn_after = section.read("withdrawn_after", duration, problems);
    let revisions = section.read("revisions", whole, problems);
    Some(DedupSettings {
        window: TimeDelta::from_std(window?).ok()?,
        near_duplicates: near_duplicates?,
        withdrawn_after: TimeDelta::from_std(withdrawn_after?).ok()?,
        revisions: revisions?,
    })
}

pub(super) fn publish(section: &Section<'_>, folder: &Path, problems: &mut Problems) -> Option<PublishSettings> {
    let directory = section.read("directory", path, problems);
    let entries = section.read("entries", whole, problems);
    let related = section.read("related", whole, problems);
    let clean_links = section.read("clean_links", flag, problems);
    let hubs = section.read("hubs", urls, problems);
    Some(PublishSettings {
        directory: folder.join(directory?),
        entries: entries?,
        related: related?,
        clean_links: clean_links?,
        hubs: hubs?,
    })
}

pub(super) fn serve(section: &Section<'_>, folder: &Path, problems: &mut Problems) -> Option<ServeSettings> {
    section.read_with("listen", problems, |node, key, problems| listen(node, key, folder, problems))
}

fn site_url(node: &Node, key: &Key, problems: &mut Problems) -> Option<Url> {
    let mut url = url(node, key, problems)?;
    if url.query().is_some() || url.fragment().is_some() {
        let error = problems.error(&node.span, "`url` of the site must be a folder, without `?` or `#`");
        error.help("write the address under which the published files are found: `https://veille.example.org/`");
        return None;
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Some(url)
}

/// An address of the web, without credentials: addresses are published.
pub(super) fn url(node: &Node, key: &Key, problems: &mut Problems) -> Option<Url> {
    let Value::Text(text) = &node.value else { return unfit(node, key, problems) };
    web_address(text, node, problems)
}

fn web_address(text: &str, node: &Node, problems: &mut Problems) -> Option<Url> {
    let url = match Url::parse(text.trim()) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let error = problems.error(&node.span, "this address has no scheme");
            error.help(format!("write `https://{}`", text.trim().trim_start_matches('/')));
            return None;
        }
        Err(fault) => {
            problems.error(&node.span, format!("this is no address: {fault}"));
            return None;
        }
    };
    if !matches!(url.scheme(), "http" | "https") {
        let error = problems.error(&node.span, format!("scheme `{}` cannot be polled", url.scheme()));
        error.help("addresses begin with `https://` or `http://`");
        return None;
    }
    if !url.username().is_empty() || url.password().is_some() {
        let error = problems.error(&node.span, "this address holds a password, and addresses are published");
        error.help("write `auth = { user = \"…\", password = { file = \"…\" } }` in the feed instead");
        return None;
    }
    Some(url)
}

fn urls(node: &Node, key: &Key, problems: &mut Problems) -> Option<Vec<Url>> {
    let urls = texts(node, key, problems)?;
    Some(urls.into_iter().filter_map(|(text, node)| web_address(text, node, problems)).collect())
}

fn language(node: &Node, key: &Key, problems: &mut Problems) -> Option<Language> {
    match &node.value {
        Value::Text(text) if text == "fr" => Some(Language::French),
        Value::Text(text) if text == "en" => Some(Language::English),
        _ => unfit(node, key, problems),
    }
}

fn contact(node: &Node, key: &Key, problems: &mut Problems) -> Option<String> {
    let contact = text(node, key, problems)?;
    let is_address =
        contact.strip_prefix("mailto:").is_some_and(|address| address.contains('@')) || contact.starts_with("https://");
    // It goes into a request header.
    if is_address && contact.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(contact);
    }
    let error = problems.error(&node.span, format!("`contact` must be {}", key.kind.wanted()));
    if contact.contains('@') && !contact.contains(char::is_whitespace) && !contact.contains(':') {
        error.help(format!("write `mailto:{contact}`"));
    }
    None
}

fn path(node: &Node, key: &Key, problems: &mut Problems) -> Option<PathBuf> {
    text(node, key, problems).map(PathBuf::from)
}

fn duration(node: &Node, key: &Key, problems: &mut Problems) -> Option<Duration> {
    let Kind::Duration(min, max) = key.kind else { return unfit(node, key, problems) };
    let range = Duration::from_secs(min)..=Duration::from_secs(max);
    let read = match &node.value {
        Value::Text(text) => quantity::duration(text),
        _ => None,
    };
    match read.filter(|duration| range.contains(duration)) {
        Some(duration) => Some(duration),
        None => {
            quantity_fault(node, key, problems, ["s", "m", "h"], "units are `s`, `m`, `h`, `days`, `weeks`, `years`")
        }
    }
}

fn size(node: &Node, key: &Key, problems: &mut Problems) -> Option<u64> {
    let Kind::Size(min, max) = key.kind else { return unfit(node, key, problems) };
    let read = match &node.value {
        Value::Text(text) => quantity::bytes(text),
        _ => None,
    };
    match read.filter(|bytes| (min..=max).contains(bytes)) {
        Some(bytes) => Some(bytes),
        None => quantity_fault(node, key, problems, [" KiB", " MiB", " GiB"], "units are `KiB`, `MiB`, `GiB`"),
    }
}

fn quantity_fault<T>(node: &Node, key: &Key, problems: &mut Problems, units: [&str; 3], help: &str) -> Option<T> {
    let error = problems.error(&node.span, format!("`{}` must be {}", key.name, key.kind.wanted()));
    match node.value {
        Value::Whole(number) => {
            let examples = units.map(|unit| format!("`\"{number}{unit}\"`"));
            error.help(format!("write the unit: {}", examples.join(", ")))
        }
        _ => error.help(help),
    };
    None
}

fn zone(node: &Node, key: &Key, problems: &mut Problems) -> Option<Tz> {
    let text = text(node, key, problems)?;
    if let Ok(zone) = text.parse() {
        return Some(zone);
    }
    let near = nearest(&text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
    let error = problems.error(&node.span, format!("there is no time zone `{text}`"));
    error.help(near.map_or_else(
        || "names are those of the IANA list, such as `Europe/Paris`".into(),
        |near| format!("did you mean `{near}`?"),
    ));
    None
}

/// A crontab pattern.
pub(super) fn schedule(node: &Node, key: &Key, zone: Tz, problems: &mut Problems) -> Option<Schedule> {
    let text = words(node, key, problems)?;
    match Schedule::parse(&text, zone) {
        Ok(schedule) => Some(schedule),
        Err(fault) => {
            problems.error(&node.span, format!("`{}`: {fault}", key.name)).help(fault.help());
            None
        }
    }
}

fn networks(node: &Node, key: &Key, problems: &mut Problems) -> Option<Vec<IpNet>> {
    let mut networks = Vec::new();
    for (text, node) in texts(node, key, problems)? {
        if let Ok(network) = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
            networks.push(network);
        } else {
            let error = problems.error(&node.span, format!("`{text}` is no network"));
            error.help("write an address and the length of its prefix: `127.0.0.0/8`, `fd00::/8`");
        }
    }
    Some(networks)
}

fn listen(node: &Node, key: &Key, folder: &Path, problems: &mut Problems) -> Option<ServeSettings> {
    let text = words(node, key, problems)?;
    if text.is_empty() {
        return Some(ServeSettings { listen: None });
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(ServeSettings { listen: Some(Listen::Tcp(address)) });
    }
    if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
        return Some(ServeSettings { listen: Some(Listen::Unix(folder.join(path))) });
    }
    let error = problems.error(&node.span, format!("`listen` must be {}", key.kind.wanted()));
    if let Some(port) = text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')) {
        error.help(format!("write `127.0.0.1:{port}` for this machine only, `[::]:{port}` for all"));
    }
    None
}
