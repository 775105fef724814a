//! `veille post`: what waits in the outbox goes to its targets, or is shown, tried, skipped.

use std::sync::Arc;

use anyhow::anyhow;
use chrono_tz::Tz;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{Failure, open, output};
use crate::config::{Config, Post};
use crate::feed::Timestamp;
use crate::pipeline::{self, Attendance, Context, PostReport, WaitingRow};
use crate::store::Handle;
use crate::text::count;

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("instead").multiple(false))]
pub(super) struct PostOptions {
    /// Show what waits, where it would go and as it would look; send nothing
    #[arg(long, group = "instead")]
    dry_run: bool,
    /// Send one message that says it is a trial; a post that was stopped goes on if its target takes it
    #[arg(long, value_name = "ID", group = "instead")]
    test: Option<String>,
    /// Mark all that waits in a post as done
    #[arg(long, value_name = "ID", group = "instead")]
    skip: Option<String>,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

/// The JSON line of a post; the keys are a contract.
#[derive(Debug, Serialize)]
struct PostLine<'a> {
    post: &'a str,
    to: &'static str,
    sent: usize,
    skipped: usize,
    waiting: usize,
    next: Option<Timestamp>,
    stopped: bool,
    error: Option<&'a str>,
}

/// The JSON line of a row that waits; the keys are a contract.
#[derive(Debug, Serialize)]
struct WaitingLine<'a> {
    post: &'a str,
    to: &'static str,
    story: i64,
    event: &'static str,
    action: &'static str,
    until: Option<Timestamp>,
    why: Option<&'a str>,
    message: Option<&'a str>,
}

pub(super) fn run(config: Config, options: &PostOptions) -> Result<(), Failure> {
    let named = options.test.as_ref().or(options.skip.as_ref()).map(|id| chosen(&config, id)).transpose()?;
    if config.posts.is_empty() {
        output::note("this config has no `[[post]]`: the example `config.toml` shows some");
        return Ok(());
    }
    pipeline::refuse_others(&config)?;
    let store = pipeline::open_store(&config)?;
    let (store, thread) = Handle::new(store)?;
    open::runtime()?.block_on(async {
        let is_sending = named.is_none() && !options.dry_run;
        // Where several nodes share the store, one of them sends.
        let node = if is_sending { pipeline::join(&config, true)? } else { None };
        let context = Arc::new(Context::sharing(config, store, node)?);
        let attendance = Attendance::begin(&context).await?;
        let done = match named {
            _ if options.dry_run => show(&pipeline::preview_posts(&context).await?, &context.config, options.json),
            Some(post) if options.test.is_some() => {
                let tried = pipeline::try_post(&context, &post).await?;
                tried.map_err(|why| anyhow!("post `{}`: {why}", post.id))?;
                output::note(&format!("a trial has gone to `{}` ({})", post.id, post.target.word()));
                Ok(())
            }
            Some(post) => {
                let skipped = pipeline::skip_post(&context, &post).await?;
                output::note(&format!("{} of post `{}` are marked as done", count(skipped, "row"), post.id));
                Ok(())
            }
            None => send(&context, options.json).await,
        };
        attendance.end(&context).await?;
        done
    })?;
    let _ = thread.join();
    Ok(())
}

fn chosen(config: &Config, id: &str) -> Result<Post, Failure> {
    config.posts.iter().find(|post| post.id == *id).cloned().ok_or_else(|| {
        let known: Vec<&str> = config.posts.iter().map(|post| post.id.as_str()).collect();
        Failure::Usage(format!("error: there is no post `{id}`\nhelp: the posts are `{}`", known.join("`, `")))
    })
}

async fn send(context: &Arc<Context>, json: bool) -> Result<(), Failure> {
    // A post that is new begins now.
    pipeline::enroll(context).await?;
    let mut reports = pipeline::post(context, None, &CancellationToken::new()).await?;
    let has_moved = |report: &PostReport| report.sent + report.skipped.len() > 0;
    let goes_on = |report: &PostReport| report.is_ready && report.trouble.is_none() && has_moved(report);
    let mut is_more = reports.iter().any(goes_on);
    while is_more {
        let more = pipeline::post(context, None, &CancellationToken::new()).await?;
        if more.is_empty() {
            break;
        }
        is_more = more.iter().any(goes_on);
        reports = reports.into_iter().zip(more).map(|(before, after)| before.and(after)).collect();
    }
    if reports.is_empty() {
        output::note("another process is sending at this moment");
        return Ok(());
    }
    let zone = context.config.poll.timezone;
    let lines: Vec<String> = reports.iter().map(|report| line(report, zone, json)).collect::<Result<_, _>>()?;
    output::print(&lines.concat())?;
    let failing: Vec<&str> =
        reports.iter().filter(|report| report.trouble.is_some()).map(|report| report.post.as_str()).collect();
    if failing.is_empty() {
        Ok(())
    } else {
        Err(anyhow!("not everything could be sent: {}", failing.join(", ")).into())
    }
}

fn line(report: &PostReport, zone: Tz, json: bool) -> serde_json::Result<String> {
    let PostReport { post, to, sent, skipped, waiting, next, trouble, is_stopped, .. } = report;
    if json {
        let (skipped, error) = (skipped.len(), trouble.as_deref());
        let line =
            PostLine { post, to, sent: *sent, skipped, waiting: *waiting, next: *next, stopped: *is_stopped, error };
        return Ok(serde_json::to_string(&line)? + "\n");
    }
    let mut text = format!("{post} ({to}): {sent} sent, {waiting} waiting");
    if let Some(next) = next.filter(|_| *waiting > 0) {
        text += &format!(", next at {}", minute(next, zone));
    }
    text.push('\n');
    for (story, why) in skipped {
        text += &format!("  story {story} is not sent: {why}\n");
    }
    if let Some(trouble) = trouble {
        let state = if *is_stopped { "stopped" } else { "tried again later" };
        text += &format!("  {state}: {}\n", output::harmless(trouble));
    }
    Ok(text)
}

fn minute(at: Timestamp, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string()
}

fn show(rows: &[WaitingRow], config: &Config, json: bool) -> Result<(), Failure> {
    let zone = config.poll.timezone;
    let mut text = String::new();
    for row in rows {
        let WaitingRow { post, to, story, event, action, until, why, message } = row;
        if json {
            let (event, why, message) = (event.word(), why.as_deref(), message.as_deref());
            let line = WaitingLine { post, to, story: *story, event, action, until: *until, why, message };
            text += &(serde_json::to_string(&line)? + "\n");
            continue;
        }
        let until = until.map(|until| format!(" until {}", minute(until, zone))).unwrap_or_default();
        let why = why.as_ref().map(|why| format!(": {}", output::harmless(why))).unwrap_or_default();
        text += &format!("{post} ({to}), story {story}, {}: {action}{until}{why}\n", event.word());
        for line in message.iter().flat_map(|message| message.lines()) {
            text += &format!("  {}\n", output::harmless(line));
        }
        text.push('\n');
    }
    if rows.is_empty() && !json {
        text += "nothing waits\n";
    }
    Ok(output::print(&text)?)
}
