//! Why an entry tells its story with others or alone, as programs and people read it.

use std::fmt::Write as _;

use serde::Serialize;

use super::output::{self, Paint};
use crate::dedup::Refusal;
use crate::feed::Timestamp;
use crate::pipeline::{Account, Kinship};
use crate::story::{Revision, Sameness};
use crate::text::html_to_text;

/// Characters of an earlier text that are shown.
const EXCERPT: usize = 120;

/// The JSON line of an entry's story; the keys are a contract.
#[derive(Debug, Serialize)]
pub(super) struct StoryLine<'a> {
    id: i64,
    story: i64,
    others: Vec<Other<'a>>,
    nearest: Option<Other<'a>>,
    /// Its earlier texts, the latest first.
    revisions: Vec<Earlier<'a>>,
}

#[derive(Debug, Serialize)]
struct Earlier<'a> {
    replaced: Timestamp,
    title: Option<&'a str>,
    summary: Option<&'a str>,
    content: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Other<'a> {
    id: i64,
    feed: &'a str,
    title: Option<&'a str>,
    url: Option<&'a str>,
    /// Why they are the same item.
    same: Option<Sameness>,
    /// Why they are not.
    refused: Option<Refusal>,
    /// Bound together or apart.
    bound: Option<bool>,
    title_likeness: f64,
    text_likeness: f64,
    words: usize,
}

pub(super) fn story_line(account: &Account) -> StoryLine<'_> {
    StoryLine {
        id: account.number,
        story: account.head,
        others: account.others.iter().map(other).collect(),
        nearest: account.nearest.as_ref().map(other),
        revisions: account.revisions.iter().map(earlier).collect(),
    }
}

fn earlier(revision: &Revision) -> Earlier<'_> {
    let Revision { replaced, title, summary, content, .. } = revision;
    Earlier { replaced: *replaced, title: title.as_deref(), summary: summary.as_deref(), content: content.as_deref() }
}

fn other(kinship: &Kinship) -> Other<'_> {
    let Kinship { stored, comparison, bond } = kinship;
    Other {
        id: stored.number,
        feed: &stored.source_id,
        title: stored.entry.title.as_deref(),
        url: stored.entry.url.as_ref().map(url::Url::as_str),
        same: comparison.verdict.ok(),
        refused: comparison.verdict.err(),
        bound: *bond,
        title_likeness: comparison.title,
        text_likeness: comparison.text,
        words: comparison.words,
    }
}

pub(super) fn story_for_people(text: &mut String, account: &Account, paint: Paint) {
    let told = match account.others.len() {
        0 => "told by this entry alone".to_owned(),
        others if account.head == account.number => format!("told by {} entries, this one first", others + 1),
        others => format!("told by {} entries, first by {}", others + 1, account.head),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n{}: {told}", paint.strong("story"));
    for kinship in &account.others {
        let why = match (kinship.bond, kinship.comparison.verdict) {
            (Some(_), _) => {
                "bound together: by hand, or because they were published as one and edited since".to_owned()
            }
            (None, Ok(sameness)) => format!("{}{}", paint.good(&sameness.to_string()), figures(kinship)),
            (None, Err(refusal)) => format!("through another of them; {refusal}{}", figures(kinship)),
        };
        entry(text, kinship, &why);
    }
    if let Some(kinship) = &account.nearest {
        let why = match (kinship.bond, kinship.comparison.verdict) {
            (Some(_), _) => "held apart by hand".to_owned(),
            (None, Err(refusal)) => format!("{}{}", paint.bad(&refusal.to_string()), figures(kinship)),
            (None, Ok(sameness)) => {
                format!("{sameness}{}, but another entry of one of the stories is refused", figures(kinship))
            }
        };
        let _ = writeln!(text, "  the nearest of another story:");
        entry(text, kinship, &why);
    }
    if !account.revisions.is_empty() {
        let _ = writeln!(text, "\n{}: what it said before", paint.strong("edited"));
        for revision in &account.revisions {
            edited(text, revision);
        }
    }
}

/// An earlier title and the beginning of its text.
fn edited(text: &mut String, revision: &Revision) {
    let day = revision.replaced.format("%Y-%m-%d %H:%M");
    let title = output::harmless(revision.title.as_deref().unwrap_or("(no title)"));
    let html = revision.content.as_ref().or(revision.summary.as_ref()).map_or("", String::as_str);
    let words: String = html_to_text(html).chars().take(EXCERPT).collect();
    let _ = writeln!(text, "  until {day}: {title}\n          {}", output::harmless(&words));
}

fn entry(text: &mut String, kinship: &Kinship, why: &str) {
    let stored = &kinship.stored;
    let title = output::harmless(stored.entry.title.as_deref().unwrap_or("(no title)"));
    let _ = writeln!(text, "  {:>6}  {}  {title}\n          {why}", stored.number, stored.source_id);
}

/// Returns their likeness; nothing where there is nothing to compare.
fn figures(kinship: &Kinship) -> String {
    let (title, words) = (kinship.comparison.title * 100.0, kinship.comparison.words);
    if words == 0 {
        return format!(" (titles {title:.0} % alike)");
    }
    let text = kinship.comparison.text * 100.0;
    format!(" (titles {title:.0} % alike, {text:.0} % of the shorter text, {words} words, is in the other)")
}
