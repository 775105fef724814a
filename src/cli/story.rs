//! Why an entry tells its story with others or alone, as programs and people read it.

use std::fmt::Write as _;

use serde::Serialize;

use super::output::{self, Paint};
use crate::dedup::Refusal;
use crate::pipeline::{Account, Kinship};
use crate::story::Sameness;

/// What a line tells of an entry's story; the keys are a contract.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    id: i64,
    story: i64,
    others: Vec<Other<'a>>,
    nearest: Option<Other<'a>>,
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

pub(super) fn line(account: &Account) -> Line<'_> {
    Line {
        id: account.number,
        story: account.head,
        others: account.others.iter().map(other).collect(),
        nearest: account.nearest.as_ref().map(other),
    }
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

pub(super) fn for_people(text: &mut String, account: &Account, paint: Paint) {
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
}

fn entry(text: &mut String, kinship: &Kinship, why: &str) {
    let stored = &kinship.stored;
    let title = output::plain(stored.entry.title.as_deref().unwrap_or("(no title)"));
    let _ = writeln!(text, "  {:>6}  {}  {title}\n          {why}", stored.number, stored.source_id);
}

/// How alike they are; nothing where there is nothing to compare.
fn figures(kinship: &Kinship) -> String {
    let (title, words) = (kinship.comparison.title * 100.0, kinship.comparison.words);
    if words == 0 {
        return format!(" (titles {title:.0} % alike)");
    }
    let text = kinship.comparison.text * 100.0;
    format!(" (titles {title:.0} % alike, {text:.0} % of the shorter text, {words} words, is in the other)")
}
