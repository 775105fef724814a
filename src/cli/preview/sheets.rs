//! The answers to requests: from the board, and from the store where the board does not say.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use chrono_tz::Tz;

use super::super::diff::{self, Direction, GainOrLoss};
use super::super::explain::{self, Explained};
use super::super::nearby::NearStory;
use super::super::output::{self, Paint};
use super::super::telling::{self, StoryOnPage};
use super::super::words::{self, PartLine, TermTable};
use super::super::{Failure, judged, scan};
use super::board::{Board, Posted};
use super::follow::failure_told;
use super::review::{Review, TopicReview};
use crate::feed::Timestamp;
use crate::pipeline;
use crate::publish::preview::{
    JudgementRow, PREVIEW_SCRIPT, PREVIEW_STYLE, Phrase, PreviewHead, ProofRow, ReasonRow, SITE_STYLE, StoryRow,
    TermGroup, TermRow, TopicRow, TopicSheet, TriedRow, nothing_sheet, safe_link, search_sheet, topic_sheet,
    topics_sheet, try_sheet,
};
use crate::serve::{LocalAnswer, LocalRequest};
use crate::store::{self, Held, Part, Store};
use crate::story::{self, Plain, StoredEntry, Story, Told};
use crate::tag;
use crate::text::{count, web_address};
use crate::topic::{Evidence, Finder, Judgement, Query, Quote, Topic, Verdict};

/// Stories that a page shows of its topic, and those that it shows at most.
const PROOFS: usize = 20;
const PROOFS_MAX: usize = 200;

/// Stories gained, and lost, that a page lists.
const CHANGES: usize = 30;

/// Stories that a search lists.
const FOUND_MAX: usize = 50;

/// Longest search, in characters.
const WORDS_MAX: usize = 500;

/// Entries that one name may mean and that are judged.
const TRIED_MAX: usize = 10;

/// Answers a request.
pub(super) fn answer(board: &Board, request: &LocalRequest) -> LocalAnswer {
    let posted = board.look();
    let head = head(&posted);
    let Some(review) = posted.review.as_deref() else { return before_the_first(&head, request) };
    let language = review.config.site.language;
    match request.path.as_str() {
        "" => LocalAnswer::Page(home(&head, review)),
        "search" => LocalAnswer::Page(search(&head, review, request.field("words"))),
        "try" => LocalAnswer::Page(trial(&head, review, request)),
        path => match asset(path) {
            Some(asset) => asset,
            None => match path.strip_prefix("topic/").map(|id| (id, review.topic(id))) {
                Some((_, Some(topic))) => match sheet(review, topic, request.field("stories").parse().ok()) {
                    Ok(sheet) => LocalAnswer::Page(topic_sheet(&head, language, &sheet)),
                    Err(failure) => {
                        let head = PreviewHead { trouble: Some(failure_told(failure)), ..head };
                        LocalAnswer::Page(nothing_sheet(&head, 1, &Phrase::default()))
                    }
                },
                Some((id, None)) => {
                    let so_far = if posted.is_working { "was read so far has" } else { "is shown has" };
                    let why = format!("The file that {so_far} no topic `{}`.", output::harmless(id));
                    let why = Phrase::from(why);
                    LocalAnswer::Missing(nothing_sheet(&head, path.matches('/').count(), &why))
                }
                None => LocalAnswer::Missing(nothing_sheet(&head, path.matches('/').count(), &Phrase::default())),
            },
        },
    }
}

/// The style sheets and the script.
fn asset(path: &str) -> Option<LocalAnswer> {
    match path {
        "style.css" => Some(LocalAnswer::Style(SITE_STYLE)),
        "preview.css" => Some(LocalAnswer::Style(PREVIEW_STYLE)),
        "preview.js" => Some(LocalAnswer::Script(PREVIEW_SCRIPT)),
        _ => None,
    }
}

/// Answers while the first review is being made, or if it could not be made.
fn before_the_first(head: &PreviewHead, request: &LocalRequest) -> LocalAnswer {
    asset(&request.path).unwrap_or_else(|| {
        let depth = request.path.matches('/').count();
        LocalAnswer::Page(nothing_sheet(head, depth, &Phrase::default()))
    })
}

fn head(posted: &Posted) -> PreviewHead {
    let mut head = PreviewHead {
        file: posted.file.clone(),
        version: posted.version,
        is_working: posted.is_working,
        mistakes: posted.mistakes.clone(),
        trouble: posted.trouble.clone(),
        ..PreviewHead::default()
    };
    if let Some(review) = &posted.review {
        head.has_good = true;
        head.read_at = review.read.with_timezone(&review.config.site.zone).format("%H:%M:%S").to_string();
        head.stories = count(review.stories, "story");
        head.took = format!("{:.1} s", review.took.as_secs_f64());
        head.store = Phrase::from(review.usual.clone().unwrap_or_default());
        if let Some((remarks, valid)) = review.later().remarks {
            head.checked = Some(format!("{remarks}{}{valid}", if remarks.is_empty() { "" } else { "\n\n" }));
            head.has_remarks = !remarks.is_empty();
        }
    }
    head
}

fn home(head: &PreviewHead, review: &Review) -> String {
    let rows: Vec<TopicRow> = review.topics.iter().map(|topic| row(review, topic)).collect();
    let gone = review.former.values().map(|(broken, help)| Phrase::from(format!("{broken}: {help}")));
    topics_sheet(head, review.config.site.language, &rows, &gone.collect::<Vec<_>>())
}

fn row(review: &Review, topic: &TopicReview) -> TopicRow {
    let own = review.config.topics.iter().find(|own| own.id == topic.id);
    TopicRow {
        id: topic.id.clone(),
        title: own.map_or(&topic.id, |own| &own.title).clone(),
        before: topic.diff.before,
        then: topic.diff.then(),
        gained: topic.diff.gained,
        lost: topic.diff.lost,
        is_gone: own.is_none(),
    }
}

/// The page of a topic with so many stories.
fn sheet(review: &Review, topic: &TopicReview, stories: Option<usize>) -> Result<TopicSheet, Failure> {
    let zone = review.config.site.zone;
    let mut store = review.store()?;
    let row = row(review, topic);
    let of = |direction| topic.diff.changes.iter().filter(move |change| change.direction == direction).take(CHANGES);
    let changes: Vec<StoryRow> =
        of(Direction::Gained).chain(of(Direction::Lost)).map(|change| changed(change, zone)).collect();
    let changes_more = (row.gained + row.lost).saturating_sub(changes.len());
    let mut sheet = TopicSheet { title: row.title.clone(), changes, changes_more, row, ..TopicSheet::default() };
    let own = review.config.topics.iter().enumerate().find(|(_, own)| own.id == topic.id);
    let Some((place, own)) = own else {
        return Ok(sheet);
    };
    let most = stories.unwrap_or(PROOFS).min(PROOFS_MAX);
    sheet.description.clone_from(&own.description);
    sheet.proofs = proofs(review, &mut *store, topic, (place, own), most)?;
    sheet.proofs_more = sheet.row.then.saturating_sub(sheet.proofs.len());
    sheet.next = (sheet.proofs_more > 0 && most < PROOFS_MAX).then(|| (most * 5).min(PROOFS_MAX));
    sheet.near = topic.nearby.iter().flat_map(|nearby| &nearby.stories).map(|near| near_row(near, zone)).collect();
    let ways = review.later().ways.remove(&topic.id).unwrap_or_default();
    sheet.ways = ways.into_iter().map(Phrase::from).collect();
    let table = topic.census.table(own, review.stories);
    sheet.remarks = remarks(&table);
    sheet.terms = groups(&table);
    Ok(sheet)
}

/// A story that comes or goes.
fn changed(change: &GainOrLoss, zone: Tz) -> StoryRow {
    StoryRow {
        mark: match change.direction {
            Direction::Gained => "gained",
            Direction::Lost => "lost",
        },
        title: titled(change.title.as_deref()),
        url: change.url.as_deref().and_then(safe_link),
        note: note(&change.feed, change.date, change.told_by, zone),
        entry: change.id,
        quote: None,
        told: vec![Phrase::from(diff::why(change))],
    }
}

fn near_row(near: &NearStory, zone: Tz) -> StoryRow {
    let (lacks, misses) = near.told();
    StoryRow {
        mark: "",
        title: titled(near.title.as_deref()),
        url: near.url.as_deref().and_then(safe_link),
        note: note("", near.date, near.told_by, zone),
        entry: near.id,
        quote: None,
        told: std::iter::once(lacks).chain(misses).map(Phrase::from).collect(),
    }
}

fn titled(title: Option<&str>) -> String {
    output::harmless(title.filter(|title| !title.trim().is_empty()).unwrap_or("(no title)"))
}

/// `education, 2026-11-24 (told by 3)`
fn note(source: &str, date: Timestamp, told_by: usize, zone: Tz) -> String {
    let day = date.with_timezone(&zone).format("%Y-%m-%d");
    let comma = if source.is_empty() { "" } else { ", " };
    format!("{source}{comma}{day}{}", telling::told_by(told_by))
}

/// The newest stories of a topic, in the order in which readers would see them.
fn proofs(
    review: &Review,
    store: &mut dyn Store,
    topic: &TopicReview,
    (place, own): (usize, &Topic),
    most: usize,
) -> Result<Vec<ProofRow>, Failure> {
    let Review { config, matcher, .. } = review;
    // Readers have these already, under this id or a former one; the order is theirs.
    let former = config.aliases.iter().filter(|(_, now)| **now == own.id).map(|(alias, _)| alias);
    let mut numbers: Vec<i64> = Vec::new();
    for id in former.chain([&own.id]) {
        let held = store.stories(id, Part::Newest(most.saturating_add(topic.diff.lost)))?;
        numbers.extend(held.into_iter().map(|(_, number)| number).filter(|number| topic.after.contains(number)));
    }
    let of_gained = topic.diff.changes.iter().filter(|change| change.direction == Direction::Gained);
    let gained: HashSet<i64> = of_gained.map(|change| change.story).collect();
    numbers.truncate(most);
    numbers.retain(|story| !gained.contains(story));
    let newest_gained = topic.diff.changes.iter().filter(|change| gained.contains(&change.story)).take(most);
    let gained_numbers: Vec<i64> = newest_gained.map(|change| change.story).collect();
    let label = |mut told: Told| {
        for entry in &mut told.entries {
            let stored = &entry.stored;
            let labels = judged::labels_under(config, matcher, &stored.entry, &stored.source_id);
            entry.label = labels.into_iter().find(|label| label.topic == own.id);
        }
        let labelled = told.entries.iter().filter_map(|entry| Some((entry.label.as_ref()?.score, &entry.stored)));
        let (_, best) = labelled.reduce(|best, other| if other.0 > best.0 { other } else { best })?;
        let best = best.clone();
        Some((story::shown(told)?, best))
    };
    let mut read = |numbers: &[i64]| -> Result<Vec<(Story, StoredEntry)>, Failure> {
        Ok(store.told(&own.id, numbers)?.into_iter().filter_map(label).collect())
    };
    let (held, new) = (read(&numbers)?, read(&gained_numbers)?);
    let stories = in_order(held, new, most);
    let (shown, best): (Vec<Story>, Vec<StoredEntry>) = stories.into_iter().unzip();
    let articles = pipeline::proofs(config, store, own, &shown)?;
    let rows = shown.iter().zip(best).zip(articles).filter_map(|((story, best), html)| {
        let judgements = judged::judgements_under(config, matcher, &best.entry, &best.source_id);
        let judgement = judgements.into_iter().nth(place)?;
        Some(ProofRow {
            html,
            is_gained: gained.contains(&story.number),
            entry: best.number,
            verdict: judged::verdict(&judgement, Paint::none()),
            reasons: judgement.evidence.into_iter().map(reason).collect(),
        })
    });
    Ok(rows.collect())
}

/// Puts new stories among those that readers have, by their dates.
fn in_order<T>(held: Vec<(Story, T)>, new: Vec<(Story, T)>, most: usize) -> Vec<(Story, T)> {
    let mut stories = Vec::new();
    let (mut held, mut new) = (held.into_iter().peekable(), new.into_iter().peekable());
    while stories.len() < most {
        let is_new = match (held.peek(), new.peek()) {
            (Some((held, _)), Some((new, _))) => new.head.date > held.head.date,
            (held, _) => held.is_none(),
        };
        let Some(story) = (if is_new { new.next() } else { held.next() }) else { break };
        stories.push(story);
    }
    stories
}

fn reason(evidence: Evidence) -> ReasonRow {
    ReasonRow {
        points: output::signed(evidence.reason.points),
        told: Phrase::from(judged::rule_and_terms(&evidence.reason)),
        quotes: evidence.quotes,
    }
}

/// The rows of the table, then what `not` keeps out.
fn groups(table: &TermTable<'_>) -> Vec<TermGroup> {
    let rows = |lines: &[PartLine<'_>]| lines.iter().map(term_row).collect();
    let rules = TermGroup { title: Phrase::default(), rows: rows(&table.rules) };
    let barred = TermGroup { title: Phrase::from("kept out by `not`".to_owned()), rows: rows(&table.barred) };
    [rules, barred].into_iter().filter(|group| !group.rows.is_empty()).collect()
}

fn term_row(line: &PartLine<'_>) -> TermRow {
    TermRow {
        is_rule: line.is_rule(),
        name: line.name(),
        stories: line.stories,
        alone: line.alone,
        points: line.points_told(),
        last: line.last_told(),
    }
}

/// Terms that bring nothing, or are everywhere.
fn remarks(table: &TermTable<'_>) -> Vec<Phrase> {
    let silent = table.silent.iter().map(|(says, terms)| format!("{says}: {}", words::named(terms)));
    let common = table.common.iter().map(|(term, share)| format!("too common: {}", words::too_common(term, *share)));
    silent.chain(common).map(Phrase::from).collect()
}

/// Searches title and text of every stored entry. The store's index of texts would do, but completing it is writing.
fn search(head: &PreviewHead, review: &Review, words: &str) -> String {
    let language = review.config.site.language;
    let words: String = words.trim().chars().take(WORDS_MAX).collect();
    let query = Query::parse(&words);
    if query.is_empty() {
        return search_sheet(head, language, "", Ok(("", &[], 0)));
    }
    match found(review, query) {
        Ok((rows, stories)) => {
            let more = stories.saturating_sub(rows.len());
            search_sheet(head, language, &words, Ok((&count(stories, "story"), &rows, more)))
        }
        Err(failure) => search_sheet(head, language, &words, Err(&failure_told(failure))),
    }
}

/// The newest stories of which an entry holds all words, and their number.
fn found(review: &Review, mut query: Query) -> Result<(Vec<StoryRow>, usize), Failure> {
    let mut store = review.store()?;
    let finder = Finder::of(&query);
    let fields = |stored: &StoredEntry| tag::fields(&stored.entry, &Plain::of(&stored.entry), &stored.source_id, None);
    let judge = |held: &Held| {
        let stored = &held.stored;
        finder.finds(&fields(stored)).then_some((stored.story, stored.number, stored.date))
    };
    // By story: the newest date and the first entry.
    let mut stories: HashMap<i64, (Timestamp, i64)> = HashMap::new();
    scan::judge_each(&mut *store, "entries searched", judge, |hit| {
        if let Some((story, number, date)) = hit {
            let known = stories.entry(story).or_insert((date, number));
            *known = (known.0.max(date), known.1.min(number));
        }
    })?;
    let mut newest: Vec<(Timestamp, i64, i64)> =
        stories.iter().map(|(story, (date, number))| (*date, *story, *number)).collect();
    newest.sort_unstable_by(|a, b| b.cmp(a));
    newest.truncate(FOUND_MAX);
    let mut pages = telling::on_pages(&mut *store, newest.iter().map(|(_, story, _)| *story))?;
    let mut rows = Vec::new();
    for (_, story, number) in &newest {
        let Some(stored) = store::entry(&mut *store, *number)? else { continue };
        let page = pages.remove(story);
        let labels = judged::labels_under(&review.config, &review.matcher, &stored.entry, &stored.source_id);
        let topics: Vec<String> = labels.iter().map(|label| format!("`{}`", label.topic)).collect();
        let within = if topics.is_empty() { "in no topic".to_owned() } else { format!("in {}", topics.join(", ")) };
        rows.push(found_row(review.config.site.zone, &stored, page, query.quote(&fields(&stored)), within));
    }
    Ok((rows, stories.len()))
}

fn found_row(
    zone: Tz,
    stored: &StoredEntry,
    page: Option<StoryOnPage>,
    quote: Option<Quote>,
    within: String,
) -> StoryRow {
    let url = stored.entry.url.as_ref().and_then(|url| safe_link(url.as_str()));
    StoryRow {
        mark: "",
        title: titled(stored.entry.title.as_deref()),
        url,
        note: note(&stored.source_id, stored.date, page.map_or(1, |page| page.told_by), zone),
        entry: stored.number,
        quote,
        told: vec![Phrase::from(within)],
    }
}

/// Judges a text, the page at an address, or a stored entry.
fn trial(head: &PreviewHead, review: &Review, request: &LocalRequest) -> String {
    let language = review.config.site.language;
    let text = if request.is_sent { request.field("text") } else { request.field("entry") };
    if text.trim().is_empty() {
        return try_sheet(head, language, "", Ok(&[]));
    }
    match judged_text(review, text) {
        Ok(rows) => try_sheet(head, language, text, Ok(&rows)),
        Err(failure) => try_sheet(head, language, text, Err(&failure_told(failure))),
    }
}

fn judged_text(review: &Review, text: &str) -> Result<Vec<TriedRow>, Failure> {
    let config = &review.config;
    let name = text.trim();
    let is_name = !name.contains(char::is_whitespace) && (name.parse::<i64>().is_ok() || web_address(name).is_some());
    let subjects = if is_name { explain::subjects(config, name)? } else { vec![explain::as_entry(text)] };
    let titles: BTreeMap<&str, &str> = config.topics.iter().map(|topic| (&*topic.id, &*topic.title)).collect();
    Ok(subjects.into_iter().take(TRIED_MAX).map(|subject| tried(review, &subject, &titles)).collect())
}

fn tried(review: &Review, subject: &Explained, titles: &BTreeMap<&str, &str>) -> TriedRow {
    let Explained { number, source_id, entry, .. } = subject;
    let mut judgements = judged::judgements_under(&review.config, &review.matcher, entry, source_id);
    let silent = explain::leave_out_silent(&mut judgements);
    let mut note = String::new();
    if let Some(number) = number {
        // Writing to a String cannot fail.
        let _ = write!(note, "Entry {number} of {source_id}");
    }
    let others = if judgements.is_empty() { "topic" } else { "other topic" };
    // In first.
    judgements.sort_by_key(|judgement| judgement.verdict != Verdict::In);
    TriedRow {
        title: titled(entry.title.as_deref()),
        url: entry.url.as_ref().and_then(|url| safe_link(url.as_str())),
        note,
        judgements: judgements.into_iter().map(|judgement| judgement_row(judgement, titles)).collect(),
        silent: if silent > 0 { format!("Nothing in {}.", count(silent, others)) } else { String::new() },
    }
}

fn judgement_row(judgement: Judgement, titles: &BTreeMap<&str, &str>) -> JudgementRow {
    let is_in = judgement.verdict == Verdict::In;
    let verdict = judged::verdict(&judgement, Paint::none());
    let is_below = judgement.verdict == Verdict::BelowThreshold;
    let misses = judgement.near_misses.iter().filter(|_| is_below);
    let misses = misses.map(|miss| format!("{}: {}", output::harmless(&miss.rule), judged::missed(miss)));
    JudgementRow {
        title: titles
            .get(judgement.topic.as_str())
            .map_or_else(|| judgement.topic.clone(), |title| (*title).to_owned()),
        is_in,
        verdict: Phrase::from(verdict),
        misses: misses.map(Phrase::from).collect(),
        reasons: judgement.evidence.into_iter().map(reason).collect(),
        topic: judgement.topic,
    }
}
