//! `veille add URL`: a feed, or the feed behind a page, into the config.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use chrono::Utc;
use url::Url;

use super::{Failure, open, output, save};
use crate::config::{Config, NewFeed, id_for, is_id};
use crate::feed::Feed;
use crate::fetch::{self, Answer, Client, Settings};
use crate::parse::{self, Candidate};
use crate::text::{count, feed_key, web_address};

/// Where feeds usually are, for sites whose pages do not say.
const USUAL_PATHS: [&str; 8] =
    ["feed", "feed/", "rss.xml", "rss", "atom.xml", "feed.xml", "index.xml", "spip.php?page=backend"];

#[derive(Debug, clap::Args)]
pub(super) struct AddOptions {
    /// A feed, or a page that names one
    #[arg(value_name = "URL")]
    url: String,
    /// The feed's id in the config [default: from its host]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Try the usual addresses if the page names no feed
    #[arg(long)]
    guess: bool,
}

/// The feed or page at an address.
enum FoundAt {
    Feed { url: Url, feed: Box<Feed> },
    Page { candidates: Vec<Candidate>, why: String },
}

pub(super) fn run(path: &Path, options: AddOptions) -> Result<(), Failure> {
    let config = open::config(Some(PathBuf::from(path)))?;
    let address = address(&options.url)?;
    if let Some(id) = &options.id {
        check_id(&config, id)?;
    }
    refuse_known(&config, &address)?;
    let client = Client::new(&Settings::new(&config.site, &config.poll))?;
    let (url, feed) = open::runtime()?.block_on(find(&config, &client, address, options.guess))?;
    refuse_known(&config, &url)?;
    let taken: HashSet<String> = config.sources.iter().map(|source| source.id.clone()).collect();
    let id = options.id.unwrap_or_else(|| id_for(&url, &taken));
    let title = feed.title.clone().filter(|title| !title.trim().is_empty());
    save::add(path, &[NewFeed { url: url.to_string(), id: id.clone(), title, tags: Vec::new() }])?;
    output::print(&for_people(&id, &url, &feed, path))?;
    Ok(())
}

/// People write addresses without a scheme.
fn address(written: &str) -> Result<Url, Failure> {
    let bare = || Url::parse(written).is_err().then(|| web_address(&format!("https://{written}"))).flatten();
    web_address(written).or_else(bare).ok_or_else(|| {
        Failure::Usage(format!(
            "error: `{written}` is no web address\nhelp: write it as a browser shows it: `https://…`"
        ))
    })
}

fn check_id(config: &Config, id: &str) -> Result<(), Failure> {
    if !is_id(id) {
        return Err(Failure::Usage(format!(
            "error: `{id}` is no id\nhelp: use `a` to `z`, `0` to `9` and `-`, at most 64"
        )));
    }
    match config.sources.iter().find(|source| source.id == id) {
        Some(other) => {
            Err(Failure::Usage(format!("error: `{id}` is the id of {}\nhelp: give another `--id`", other.url)))
        }
        None => Ok(()),
    }
}

/// A feed is there already under its address, also if it is written with `http` or another end.
fn refuse_known(config: &Config, url: &Url) -> Result<(), Failure> {
    match config.sources.iter().find(|source| feed_key(&source.url) == feed_key(url)) {
        Some(known) => Err(Failure::Usage(format!("error: this feed is there already, as `{}`", known.id))),
        None => Ok(()),
    }
}

/// Asks `address`; then, if it is a page, the feed that it names.
async fn find(config: &Config, client: &Client, address: Url, guess: bool) -> Result<(Url, Feed), Failure> {
    let (mut candidates, why) = match ask_page(config, client, &address).await? {
        FoundAt::Feed { url, feed } => return Ok((url, *feed)),
        FoundAt::Page { candidates, why } => (candidates, why),
    };
    if candidates.is_empty() && guess {
        return usual(config, client, &address).await;
    }
    let chosen = match candidates.len() {
        0 => {
            let help = "give the address of the feed itself, or let `--guess` try the usual ones";
            return Err(anyhow::anyhow!("{address} names no feed: {why}\nhelp: {help}").into());
        }
        1 => candidates.swap_remove(0),
        _ => choose(candidates)?,
    };
    match ask_page(config, client, &chosen.url).await? {
        FoundAt::Feed { url, feed } => Ok((url, *feed)),
        FoundAt::Page { why, .. } => Err(anyhow::anyhow!("{} is named as a feed, but {why}", chosen.url).into()),
    }
}

async fn usual(config: &Config, client: &Client, address: &Url) -> Result<(Url, Feed), Failure> {
    let folder = if address.path().ends_with('/') { address.clone() } else { address.join(".")? };
    let mut tried: Vec<Url> = Vec::new();
    for base in [&folder, &address.join("/")?] {
        for path in USUAL_PATHS {
            let url = base.join(path)?;
            if tried.contains(&url) {
                continue;
            }
            // A usual address without a feed is no failure.
            if let Ok(FoundAt::Feed { url, feed }) = ask_page(config, client, &url).await {
                return Ok((url, *feed));
            }
            tried.push(url);
        }
    }
    Err(anyhow::anyhow!("{address} names no feed, and none of {} usual addresses is one", tried.len()).into())
}

async fn ask_page(config: &Config, client: &Client, url: &Url) -> Result<FoundAt, Failure> {
    let fetched = client.fetch(&client.request(url.clone()), Utc::now()).await.map_err(|error| explained(&error))?;
    // A feed that moved for good is added at its new address; other redirects are the site's business.
    let at = fetched.moved().unwrap_or(url).clone();
    let Answer::Document(fetch::Document { body, content_type, .. }) = fetched.answer else {
        return Err(anyhow::anyhow!("{url} answers \"not modified\" to a first request").into());
    };
    let limits = parse::Limits { entries_max: config.poll.entries_max, ..parse::Limits::default() };
    let zone = config.poll.schedule.zone();
    match parse::read(&body, content_type.as_deref(), Some(&fetched.url), zone, &limits, Utc::now()) {
        Ok(feed) => Ok(FoundAt::Feed { url: at, feed: Box::new(feed) }),
        Err(error) => {
            let candidates = parse::discover(&body, content_type.as_deref(), &fetched.url);
            Ok(FoundAt::Page { candidates, why: error.to_string() })
        }
    }
}

fn explained(error: &fetch::FetchError) -> Failure {
    let help = error.hint().map(|hint| format!("\nhelp: {hint}")).unwrap_or_default();
    anyhow::anyhow!("{error}{help}").into()
}

/// Lets the person at the terminal choose; without one, lists what there is.
fn choose(mut candidates: Vec<Candidate>) -> Result<Candidate, Failure> {
    let mut list = String::new();
    for (at, candidate) in candidates.iter().enumerate() {
        let title = candidate.title.as_deref().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(list, "{:>3}  {}  {title}", at + 1, candidate.url);
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let text =
            format!("error: the page names {} feeds:\n{list}help: add one of them by its address", candidates.len());
        return Err(Failure::Usage(text));
    }
    output::note(&format!("The page names {} feeds:\n{list}Which one? [1]", candidates.len()));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    let number = if answer.trim().is_empty() { Some(1) } else { answer.trim().parse::<usize>().ok() };
    match number.and_then(|number| number.checked_sub(1)).filter(|at| *at < candidates.len()) {
        Some(at) => Ok(candidates.swap_remove(at)),
        None => Err(Failure::Usage(format!("error: `{}` is none of them; nothing was added", answer.trim()))),
    }
}

fn for_people(id: &str, url: &Url, feed: &Feed, path: &Path) -> String {
    let title = feed.title.as_deref().unwrap_or("(no title)");
    let latest = feed.entries.iter().filter_map(|entry| entry.published.or(entry.updated)).max();
    let latest = latest.map(|date| format!(", the latest of {}", date.format("%Y-%m-%d"))).unwrap_or_default();
    let entries = count(feed.entries.len(), "entry");
    format!(
        "{title}\n{url}\n{entries}{latest}\nadded to `{}` as `{id}`; a running daemon polls it at once\n",
        path.display()
    )
}
