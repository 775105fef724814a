//! `veille explain ENTRY`: why an entry is or is not in a topic, and why it tells its story. Stores nothing.

use std::fmt::Write as _;
use std::io::Read;

use chrono::Utc;
use serde::Serialize;
use url::Url;

use super::output::{self, Paint};
use super::{Failure, judged, open, story};
use crate::config::Config;
use crate::feed::Entry;
use crate::fetch;
use crate::parse;
use crate::pipeline::{self, Account};
use crate::store::StoreError;
use crate::story::StoredEntry;
use crate::text::count;
use crate::topic::{Judgement, Matcher, Verdict};

/// Longest text that is read from stdin, in bytes.
const STDIN_MAX: u64 = 10 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct ExplainOptions {
    /// Its number, guid, Atom id or link; an address that is not stored is fetched; `-` reads a text from stdin, its
    /// title on the first line
    #[arg(allow_hyphen_values = true)]
    entry: String,
    /// Only this topic
    #[arg(long, value_name = "ID")]
    topic: Option<String>,
    /// Print a JSON line a topic
    #[arg(long)]
    json: bool,
}

/// An entry to explain.
pub(super) struct Explained {
    /// `None` if it is not stored.
    pub(super) number: Option<i64>,
    /// Empty if no source told it.
    pub(super) source_id: String,
    pub(super) entry: Entry,
    /// Why it tells its story; `None` if it is not stored.
    account: Option<Account>,
}

/// The JSON line of an entry in a topic; the keys are a contract.
#[derive(Debug, Serialize)]
struct JudgementLine<'a> {
    id: Option<i64>,
    title: Option<&'a str>,
    url: Option<&'a Url>,
    #[serde(flatten)]
    judgement: &'a Judgement,
}

pub(super) fn run(config: &Config, options: &ExplainOptions) -> Result<(), Failure> {
    if let Some(topic) = &options.topic {
        open::find_topic(config, topic)?;
    }
    let matcher = Matcher::new(config.topics.clone());
    let paint = Paint::of_stdout();
    let mut text = String::new();
    for subject in subjects(config, &options.entry)? {
        let mut judgements = judged::judgements_under(config, &matcher, &subject.entry, &subject.source_id);
        judgements.retain(|judgement| options.topic.as_ref().is_none_or(|topic| *topic == judgement.topic));
        if options.json {
            for judgement in &judgements {
                text.push_str(&serde_json::to_string(&line(&subject, judgement))?);
                text.push('\n');
            }
            if let (Some(account), None) = (&subject.account, &options.topic) {
                text.push_str(&serde_json::to_string(&story::story_line(account))?);
                text.push('\n');
            }
        } else {
            let left_out = if options.topic.is_some() { 0 } else { leave_out_silent(&mut judgements) };
            for_people(&mut text, &subject, &judgements, left_out, paint);
            if let (Some(account), None) = (&subject.account, &options.topic) {
                story::story_for_people(&mut text, account, paint);
            }
        }
    }
    Ok(output::print(&text)?)
}

/// Leaves out the topics that have nothing to say of an entry, and returns their number.
pub(super) fn leave_out_silent(judgements: &mut Vec<Judgement>) -> usize {
    let all = judgements.len();
    judgements.retain(|judgement| {
        let has_nothing = judgement.evidence.is_empty() && judgement.near_misses.is_empty();
        judgement.verdict == Verdict::In || !has_nothing
    });
    all - judgements.len()
}

/// Finds the entries that people call `name`: stored ones, else the page at that address.
pub(super) fn subjects(config: &Config, name: &str) -> Result<Vec<Explained>, Failure> {
    if name == "-" {
        return Ok(vec![from_stdin()?]);
    }
    let url = Url::parse(name).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let stored = stored(config, name, url.is_some())?;
    match url {
        Some(url) if stored.is_empty() => Ok(vec![fetched(config, url)?]),
        _ if stored.is_empty() => Err(open::unknown_entry(name)),
        _ => Ok(stored),
    }
}

fn stored(config: &Config, name: &str, has_address: bool) -> Result<Vec<Explained>, Failure> {
    let mut store = match open::store_to_read(config) {
        Ok(store) => store,
        // An address can be judged without any store.
        Err(Failure::Running(error))
            if has_address && matches!(error.downcast_ref(), Some(StoreError::Missing { .. })) =>
        {
            return Ok(Vec::new());
        }
        Err(failure) => return Err(failure),
    };
    let found = open::find_entries(&mut *store, name)?;
    let subject = |StoredEntry { number, source_id, entry, .. }| {
        let account = pipeline::account(&mut *store, config, number)?;
        Ok(Explained { number: Some(number), source_id, entry, account })
    };
    found.into_iter().map(subject).collect()
}

fn from_stdin() -> Result<Explained, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(STDIN_MAX).read_to_end(&mut bytes)?;
    Ok(as_entry(&String::from_utf8_lossy(&bytes)))
}

/// Takes a text for an entry: the first line is its title, the rest its text.
pub(super) fn as_entry(text: &str) -> Explained {
    let (title, text) = text.split_once('\n').unwrap_or((text, ""));
    let entry = Entry { title: Some(title.trim().into()), content: Some(text.trim().into()), ..Entry::default() };
    Explained { number: None, source_id: String::new(), entry, account: None }
}

/// A page that is not stored, read as an entry.
fn fetched(config: &Config, url: Url) -> Result<Explained, Failure> {
    let client = fetch::Client::new(&fetch::Settings::new(&config.site, &config.poll))?;
    let fetched = open::runtime()?.block_on(client.fetch(&client.request(url), Utc::now()));
    let fetched = fetched.map_err(|error| {
        let hint = error.hint().map(|hint| format!("\nhelp: {hint}")).unwrap_or_default();
        anyhow::anyhow!("{error}{hint}")
    })?;
    let fetch::Answer::Document(document) = fetched.answer else {
        return Err(anyhow::anyhow!("the server answers \"not modified\" to a first request").into());
    };
    let entry = parse::page(&document.body, document.content_type.as_deref(), &fetched.url);
    Ok(Explained { number: None, source_id: String::new(), entry, account: None })
}

fn line<'a>(subject: &'a Explained, judgement: &'a Judgement) -> JudgementLine<'a> {
    let Entry { title, url, .. } = &subject.entry;
    JudgementLine { id: subject.number, title: title.as_deref(), url: url.as_ref(), judgement }
}

fn for_people(text: &mut String, subject: &Explained, judgements: &[Judgement], left_out: usize, paint: Paint) {
    let Explained { number, source_id, entry, .. } = subject;
    let number = number.map(|number| format!("{number}  ")).unwrap_or_default();
    let source = if source_id.is_empty() { String::new() } else { format!("{source_id}  ") };
    let title = output::harmless(entry.title.as_deref().unwrap_or("(no title)"));
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{number}{source}{title}");
    if let Some(url) = &entry.url {
        let _ = writeln!(text, "{url}");
    }
    for judgement in judgements {
        text.push('\n');
        judged::judgement_for_people(text, judgement, paint);
    }
    if left_out > 0 {
        let others = if judgements.is_empty() { "topic" } else { "other topic" };
        let _ = writeln!(text, "\nnothing in {}", count(left_out, others));
    }
}
