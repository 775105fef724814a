//! Posting: what waits in the outbox goes to its targets.
//!
//! [`plan_rows`] decides purely; each try ends with one transaction that notes its result. A crash between a request and that note
//! repeats the request: targets that know its key take it once, others twice. Nothing is ever lost: a row goes only when it was
//! sent or is skipped for a reason.

mod plan;
mod press;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::plan::{RowAction, RowStep, plan_rows};
use self::press::{Press, Printed};
use super::Context;
use super::health::note_turn;
use crate::config::{Auth, Post, Target};
use crate::feed::Timestamp;
use crate::fetch::{self, FetchError, Route};
use crate::outbox::{COMMAND_MAX, Outbox, OutboxRow, PostState, PostTopic, RowResult, RowState, StoryEvent, back_off};
use crate::post::{self, Credentials, Dispatch, MailWay, Receipt, TargetFacts};
use crate::state::{Health, Monitored};
use crate::store::{Change, Claim, Holder, StoreError};

/// Rows of one post that are looked at in one go.
const ROWS: usize = 1000;

/// Most stories in one mail.
const DIGEST_MAX: usize = 200;

/// Longest time that one go begins further messages: then a changed config and newer documents count.
const GO_MAX: Duration = Duration::from_secs(20);

/// Failures in a row from which a target counts as unreachable: a restart is over sooner.
const UNREACHABLE_FROM: u32 = 3;

/// Longest span of `at_most`.
const PACE_MAX: TimeDelta = TimeDelta::weeks(1);

/// The result of one go over a post.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostReport {
    /// The post's id.
    pub post: String,
    /// The word of its target.
    pub to: &'static str,
    /// Messages, edits and deletions that the target took.
    pub sent: usize,
    /// Stories that are never sent, each with the reason.
    pub skipped: Vec<(i64, String)>,
    /// Rows that wait.
    pub waiting: usize,
    /// When there is something to do again, if time alone brings that.
    pub next: Option<Timestamp>,
    /// The reason why the target takes no messages, in one line.
    pub trouble: Option<String>,
    /// Whether more is due at once: the go had taken long enough.
    pub is_ready: bool,
    /// Whether somebody has to do something before anything is sent.
    pub is_stopped: bool,
}

impl PostReport {
    /// Returns the report of this go and the next one.
    #[must_use]
    pub fn and(self, next: Self) -> Self {
        let skipped = [self.skipped, next.skipped.clone()].concat();
        Self { sent: self.sent + next.sent, skipped, ..next }
    }
}

/// A row that waits, as people look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingRow {
    /// The post's id.
    pub post: String,
    /// The word of its target.
    pub to: &'static str,
    /// The number of the story.
    pub story: i64,
    /// Its event.
    pub event: StoryEvent,
    /// Its next step now: `send`, `wait`, `skip`, `nothing`.
    pub action: &'static str,
    /// Until when it waits.
    pub until: Option<Timestamp>,
    /// Why it is skipped, or why its last try failed.
    pub why: Option<String>,
    /// The message as the target would show it.
    pub message: Option<String>,
}

/// Tells the store which posts tell of which topics. Before any poll: stories that come earlier are old to a new post.
///
/// # Errors
/// When the store fails.
pub async fn enroll(context: &Context) -> Result<(), StoreError> {
    let topics = context.config.posts.iter().flat_map(|post| {
        let topic = |topic: &String| PostTopic { post: post.id.clone(), topic: topic.clone(), too_old: post.too_old };
        post.topics.iter().map(topic)
    });
    let change = [Change::Enroll(topics.collect())];
    context.store.call(move |store| store.apply(&change, None).map(|_| ())).await
}

/// Sends what is due of all posts. `published` is the generation whose documents are in place; rows of later ones wait.
///
/// Only one process sends at a time: a second one returns without a report. When a go has taken long enough, the rest is due
/// at once by its report.
///
/// # Errors
/// When the store fails. A target that fails is in the report of its post.
///
/// # Cancellation
/// A message under way may be sent and not noted: it is sent again.
pub async fn post(
    context: &Arc<Context>,
    published: Option<i64>,
    stop: &CancellationToken,
) -> Result<Vec<PostReport>, StoreError> {
    if context.config.posts.is_empty() {
        return Ok(Vec::new());
    }
    let Some(_turn) = turn(context)? else { return Ok(Vec::new()) };
    let posts = context.config.posts.iter().map(|post| Sending::new(context, post, published, stop).run());
    futures_util::future::join_all(posts).await.into_iter().collect()
}

/// The turn to send: a lock on the machine of a store in a file, the lease of jobs where several nodes share a store.
struct SendingTurn {
    _claim: Option<Claim>,
}

/// Takes the turn to send: one process at a time does. `None` while another has it.
fn turn(context: &Context) -> Result<Option<SendingTurn>, StoreError> {
    if context.node().is_some() {
        return Ok(context.has_jobs().then_some(SendingTurn { _claim: None }));
    }
    let mut name = context.config.store.path.file_name().unwrap_or_default().to_owned();
    name.push(".posts");
    match Claim::take(&context.config.store.path.with_file_name(name), &Holder::this("post", None)) {
        Ok(claim) => Ok(Some(SendingTurn { _claim: claim })),
        Err(StoreError::Held { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns why the target of a post takes no messages, in one line; `None` if it takes them.
#[must_use]
pub fn post_trouble(outbox: &Outbox) -> Option<String> {
    let PostState { stopped, failures, last_error, .. } = &outbox.state;
    let of_post = last_error.clone().filter(|_| *failures > 0 || stopped.is_some());
    of_post.or_else(|| {
        let failing = outbox.waiting.iter().find(|row| row.failures > 0)?;
        Some(format!("a story is not taken: {}", failing.why.as_deref().unwrap_or_default()))
    })
}

/// Returns what would become of all rows now, with the messages.
///
/// # Errors
/// When the store fails.
pub async fn preview_posts(context: &Arc<Context>) -> Result<Vec<WaitingRow>, StoreError> {
    let mut rows = Vec::new();
    let mut press = Press::new(context);
    for post in &context.config.posts {
        let now = Utc::now();
        let outbox = read(context, post, now).await?;
        let mark = credentials(post).await.ok().map(|credentials| post::mark(post, &credentials));
        for RowStep { row, action } in plan_rows(post, &outbox, mark.as_deref(), None, now) {
            let (action, until, why) = match action {
                RowAction::Send => ("send", None, row.why.clone()),
                RowAction::Settle => ("nothing", None, None),
                RowAction::Skip(why) => ("skip", None, Some(why)),
                RowAction::Wait(until) => ("wait", until, row.why.clone()),
            };
            let is_shown = matches!(action, "send" | "wait");
            let printed = if is_shown { press.print(post, &row).await? } else { None };
            let message = printed.map(|printed| press.shown(post, &printed, row.event, now));
            let (post, to) = (post.id.clone(), post.target.word());
            rows.push(WaitingRow { post, to, story: row.told_as, event: row.event, action, until, why, message });
        }
    }
    Ok(rows)
}

/// Sends a message that says it is a trial: the newest story of a topic of the post, or one that is made up. A post that was
/// stopped goes on if the target takes it.
///
/// # Errors
/// When the store fails. The text is why the target did not take it.
pub async fn try_post(context: &Arc<Context>, post: &Post) -> Result<Result<(), String>, StoreError> {
    let stop = CancellationToken::new();
    let sending = Sending::new(context, post, None, &stop);
    let mut press = Press::new(context);
    let printed = press.print_newest(post).await?;
    let receipt = match credentials(post).await {
        Err(error) => failed(&error),
        Ok(credentials) => match sending.facts(&credentials).await {
            Err(receipt) => receipt.hiding(&credentials),
            Ok(facts) => sending.try_out(&press, &printed, &credentials, &facts).await.hiding(&credentials),
        },
    };
    match receipt {
        Receipt::Taken { .. } => {
            let state = read(context, post, Utc::now()).await?.state;
            let well = PostState { stopped: None, failures: 0, since: None, next_try: None, last_error: None, ..state };
            sending.note_health(&well, Utc::now()).await?;
            sending.keep(vec![Change::Post(well)]).await?;
            Ok(Ok(()))
        }
        Receipt::Refused { why } | Receipt::Later { why, .. } | Receipt::Stopped { why } => Ok(Err(why)),
    }
}

/// Marks all rows of a post that wait as done; returns their number.
///
/// # Errors
/// When the store fails.
pub async fn skip_post(context: &Context, post: &Post) -> Result<usize, StoreError> {
    let mut skipped = 0;
    loop {
        let outbox = read(context, post, Utc::now()).await?;
        if outbox.waiting.is_empty() {
            return Ok(skipped);
        }
        skipped += outbox.waiting.len();
        let by_hand = outbox.waiting.iter().map(|row| Change::Outbox(row.done("by hand")));
        let changes: Vec<Change> = by_hand.collect();
        context.store.call(move |store| store.apply(&changes, None).map(|_| ())).await?;
    }
}

async fn read(context: &Context, post: &Post, now: Timestamp) -> Result<Outbox, StoreError> {
    let id = post.id.clone();
    context.store.call(move |store| store.outbox(&id, now - PACE_MAX, ROWS)).await
}

fn report(post: &Post, outbox: &Outbox, skipped: Vec<(i64, String)>, sent: usize) -> PostReport {
    PostReport {
        post: post.id.clone(),
        to: post.target.word(),
        sent,
        skipped,
        waiting: outbox.count,
        next: None,
        is_ready: false,
        trouble: post_trouble(outbox),
        is_stopped: outbox.state.stopped.is_some(),
    }
}

/// Reads the secrets of a post as they are at the moment.
async fn credentials(post: &Post) -> Result<Credentials, FetchError> {
    let mut credentials = Credentials::default();
    match &post.target {
        Target::Mastodon { token, .. } | Target::Matrix { token, .. } => {
            fetch::secret("token", token).await?.trim().clone_into(&mut credentials.token);
        }
        Target::Channel { url, .. } => credentials.url = Some(address(url).await?),
        Target::Webhook { url, secret } => {
            credentials.url = Some(address(url).await?);
            if let Some(secret) = secret {
                credentials.secret = Some(fetch::secret("secret", secret).await?);
            }
        }
        Target::Mail { auth: Some(Auth { user, password }), .. } => {
            credentials.login = Some((user.clone(), fetch::secret("auth", password).await?));
        }
        Target::Mail { auth: None, .. } | Target::Command(_) => {}
    }
    Ok(credentials)
}

async fn address(secret: &crate::config::Secret) -> Result<url::Url, FetchError> {
    let text = fetch::secret("url", secret).await?;
    let url = url::Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    // The address itself is the secret.
    url.ok_or_else(|| FetchError::Access {
        key: "url",
        why: "it holds no address that begins with `https://`".to_owned(),
    })
}

/// The receipt of a request that brought no answer.
fn failed(error: &FetchError) -> Receipt {
    let now = Utc::now();
    match error {
        FetchError::Postponed { until, .. } => Receipt::Later { why: error.to_string(), wait: Some(*until - now) },
        FetchError::BadHeader { .. } => {
            Receipt::Stopped { why: "the token holds signs that no header can hold; correct it".to_owned() }
        }
        FetchError::Scheme { .. } | FetchError::NotPublic { .. } => {
            let advice = error.hint().map(|advice| format!("; {advice}")).unwrap_or_default();
            Receipt::Stopped { why: format!("{error}{advice}") }
        }
        _ => Receipt::Later { why: error.to_string(), wait: None },
    }
}

/// One post in one go.
struct Sending<'a> {
    context: &'a Arc<Context>,
    post: &'a Post,
    published: Option<i64>,
    stop: &'a CancellationToken,
    began: Instant,
    sent: usize,
    skipped: Vec<(i64, String)>,
}

impl<'a> Sending<'a> {
    fn new(context: &'a Arc<Context>, post: &'a Post, published: Option<i64>, stop: &'a CancellationToken) -> Self {
        Self { context, post, published, stop, began: Instant::now(), sent: 0, skipped: Vec::new() }
    }

    async fn run(mut self) -> Result<PostReport, StoreError> {
        loop {
            let outbox = read(self.context, self.post, Utc::now()).await?;
            let is_more = outbox.count > outbox.waiting.len();
            let before = self.sent + self.skipped.len();
            if !outbox.waiting.is_empty() {
                self.work(outbox).await?;
            }
            let has_moved = self.sent + self.skipped.len() > before;
            if !(is_more && has_moved) || self.is_over() {
                break;
            }
        }
        self.told().await
    }

    fn is_over(&self) -> bool {
        let has_turn = self.context.has_jobs();
        !has_turn || self.stop.is_cancelled() || self.began.elapsed() > GO_MAX
    }

    /// Reads how the post stands now.
    async fn told(self) -> Result<PostReport, StoreError> {
        let now = Utc::now();
        let outbox = read(self.context, self.post, now).await?;
        self.note_health(&outbox.state, now).await?;
        let mark = outbox.state.stopped.clone();
        let steps = plan_rows(self.post, &outbox, mark.as_deref(), self.published, now);
        let next = plan::next_due(&steps);
        // A row that could go now waits for another go.
        let is_ready = steps.iter().any(|step| step.action == RowAction::Send);
        let next = if is_ready { Some(now + TimeDelta::seconds(1)) } else { next };
        if self.sent > 0 {
            info!(target: "veille::detail", post = self.post.id, sent = self.sent, "posted");
        }
        if let Some((_, why)) = self.skipped.first() {
            let (id, number) = (&self.post.id, self.skipped.len());
            warn!(post = id, skipped = number, "post `{id}`: {number} stories are not sent: {why}");
        }
        Ok(PostReport { next, is_ready, ..report(self.post, &outbox, self.skipped, self.sent) })
    }

    /// Notes for the page of sources that the post is in trouble, or is well again. No reason is kept there: it may name servers.
    async fn note_health(&self, state: &PostState, now: Timestamp) -> Result<(), StoreError> {
        let trouble = match state {
            PostState { stopped: Some(_), .. } => Some(Health::Refused),
            PostState { failures: UNREACHABLE_FROM.., .. } => Some(Health::Unreachable),
            PostState { failures: 0, .. } => None,
            // It may be over soon.
            PostState { failures: 1.., .. } => return Ok(()),
        };
        let (of, trouble) = (Monitored::Post(self.post.id.clone()), trouble.map(|health| (health, String::new())));
        self.context.store.call(move |store| note_turn(store, &of, trouble, now)).await
    }

    async fn keep(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.context.store.call(move |store| store.apply(&changes, None).map(|_| ())).await
    }

    /// Does what is to be done with rows, until the target wants a pause.
    async fn work(&mut self, outbox: Outbox) -> Result<(), StoreError> {
        let now = Utc::now();
        let credentials = credentials(self.post).await;
        let mark = credentials.as_ref().ok().map(|credentials| post::mark(self.post, credentials));
        let steps = plan_rows(self.post, &outbox, mark.as_deref(), self.published, now);
        let mut state = outbox.state;
        let mut to_send = Vec::new();
        let mut settled = Vec::new();
        for RowStep { row, action } in steps {
            match action {
                RowAction::Send => to_send.push(row),
                RowAction::Settle => {
                    settled.push(Change::Outbox(RowResult { state: RowState::Sent, ..row.unchanged() }));
                }
                RowAction::Skip(why) => {
                    self.skipped.push((row.story, why.clone()));
                    let result = RowResult { state: RowState::Skipped, why: Some(why), ..row.unchanged() };
                    settled.push(Change::Outbox(result));
                }
                RowAction::Wait(_) => {}
            }
        }
        if !settled.is_empty() {
            self.keep(settled).await?;
        }
        if to_send.is_empty() {
            return Ok(());
        }
        let credentials = match credentials {
            Ok(credentials) => credentials,
            Err(error) => return self.fail(&mut state, failed(&error), None, None).await,
        };
        let facts = match self.facts(&credentials).await {
            Ok(facts) => facts,
            Err(receipt) => return self.fail(&mut state, receipt, mark, Some(&credentials)).await,
        };
        let mut press = Press::new(self.context);
        if self.post.target.digest().is_some() {
            return self.send_digests(&mut state, &to_send, &mut press, &credentials, mark).await;
        }
        for (place, row) in to_send.into_iter().enumerate() {
            if self.is_over() {
                return Ok(());
            }
            if place > 0 {
                tokio::time::sleep(post::pause(&self.post.target)).await;
            }
            let Some(printed) = press.print(self.post, &row).await? else {
                self.leave(&row, &press).await?;
                continue;
            };
            let receipt = self.send(&press, &printed, &row, &credentials, &facts).await;
            match receipt {
                Receipt::Refused { why } => self.refuse(&row, &credentials.hidden(&why)).await?,
                Receipt::Taken { remote, pause } => {
                    self.take(&mut state, vec![(row, remote)], pause).await?;
                    if pause.is_some() {
                        return Ok(());
                    }
                }
                receipt @ (Receipt::Later { .. } | Receipt::Stopped { .. }) => {
                    return self.fail(&mut state, receipt, mark, Some(&credentials)).await;
                }
            }
        }
        Ok(())
    }

    /// Asks the target for its facts, if it has any.
    async fn facts(&self, credentials: &Credentials) -> Result<TargetFacts, Receipt> {
        let Some(question) = post::question(self.post, credentials) else {
            return Ok(post::usual_facts(&self.post.target));
        };
        let answer = self.context.client.call(&question, &self.route(), Utc::now()).await;
        let answer = answer.map_err(|error| failed(&error))?;
        if matches!(self.post.target, Target::Matrix { .. }) {
            // Some homeservers take a call a second.
            tokio::time::sleep(post::pause(&self.post.target)).await;
        }
        post::learn(self.post, &answer, Utc::now())
    }

    fn route(&self) -> Route {
        Route { proxy: self.post.proxy.clone(), ca_file: self.post.ca_file.clone() }
    }

    /// Sends one event of a story.
    async fn send(
        &self,
        press: &Press<'_>,
        printed: &Printed,
        row: &OutboxRow,
        credentials: &Credentials,
        facts: &TargetFacts,
    ) -> Receipt {
        let dispatch = Dispatch {
            post: self.post,
            notice: &printed.notice,
            event: row.event,
            noted: row.noted,
            remote: row.remote.as_deref(),
            trial: None,
            now: Utc::now(),
        };
        self.deliver(press, &dispatch, std::slice::from_ref(printed), credentials, facts).await
    }

    /// Sends a trial.
    async fn try_out(
        &self,
        press: &Press<'_>,
        printed: &Printed,
        credentials: &Credentials,
        facts: &TargetFacts,
    ) -> Receipt {
        let now = Utc::now();
        let dispatch = Dispatch {
            post: self.post,
            notice: &printed.notice,
            event: StoryEvent::New,
            noted: now,
            remote: None,
            trial: Some(press.trial_mark()),
            now,
        };
        self.deliver(press, &dispatch, std::slice::from_ref(printed), credentials, facts).await
    }

    async fn deliver(
        &self,
        press: &Press<'_>,
        dispatch: &Dispatch<'_>,
        printed: &[Printed],
        credentials: &Credentials,
        facts: &TargetFacts,
    ) -> Receipt {
        match &self.post.target {
            Target::Mastodon { .. } | Target::Matrix { .. } | Target::Channel { .. } | Target::Webhook { .. } => {
                let Some(call) = post::call(dispatch, credentials, facts) else { return Receipt::taken() };
                match self.context.client.call(&call, &self.route(), Utc::now()).await {
                    Ok(answer) => post::receipt(dispatch, &answer),
                    Err(error) => failed(&error),
                }
            }
            Target::Command(words) => post::run_command(dispatch, words, COMMAND_MAX).await,
            Target::Mail { .. } => {
                let id = post::key_of(dispatch);
                self.mail(press, printed, &id, dispatch.trial.is_some(), credentials).await
            }
        }
    }

    async fn mail(
        &self,
        press: &Press<'_>,
        printed: &[Printed],
        id: &str,
        is_trial: bool,
        credentials: &Credentials,
    ) -> Receipt {
        let Target::Mail { from, .. } = &self.post.target else { return Receipt::taken() };
        let authorities = match &self.post.ca_file {
            None => None,
            Some(path) => match fetch::file("ca_file", path).await {
                Ok(pem) => Some(pem),
                Err(error) => return failed(&error),
            },
        };
        let connection = match post::mail_server(&self.post.target) {
            None => None,
            Some((host, port)) => match self.context.client.connect(host, port, &self.post.proxy).await {
                Ok(connection) => Some(connection),
                Err(error) => return failed(&error),
            },
        };
        let config = &self.context.config;
        let unsubscribe = post::unsubscribe(&config.site, &self.post.id, &from.address);
        let letter = press.letter(printed, &unsubscribe, is_trial);
        let way = MailWay {
            post: self.post,
            credentials,
            host: config.site.url.host_str().unwrap_or("localhost"),
            site: &config.site.title,
            unsubscribe: &unsubscribe,
            authorities: authorities.as_deref(),
            timeout: config.poll.timeout.max(Duration::from_secs(10)),
            now: Utc::now(),
        };
        post::send_mail(&letter, id, &way, connection).await
    }

    /// Sends all rows in as few mails as can be.
    async fn send_digests(
        &mut self,
        state: &mut PostState,
        rows: &[OutboxRow],
        press: &mut Press<'_>,
        credentials: &Credentials,
        mark: Option<String>,
    ) -> Result<(), StoreError> {
        for rows in rows.chunks(DIGEST_MAX) {
            let (mut printed, mut told) = (Vec::new(), Vec::new());
            for row in rows {
                match press.print(self.post, row).await? {
                    Some(story) => {
                        printed.push(story);
                        told.push((row.clone(), None));
                    }
                    None => self.leave(row, press).await?,
                }
            }
            // No mail without news.
            if printed.is_empty() {
                continue;
            }
            let id = post::digest_id(&self.post.id, &printed.iter().map(|story| &*story.notice.id).collect::<Vec<_>>());
            match self.mail(press, &printed, &id, false, credentials).await {
                Receipt::Taken { pause, .. } => self.take(state, told, pause).await?,
                Receipt::Refused { why } => {
                    for (row, _) in &told {
                        self.refuse(row, &credentials.hidden(&why)).await?;
                    }
                }
                receipt @ (Receipt::Later { .. } | Receipt::Stopped { .. }) => {
                    return self.fail(state, receipt, mark, Some(credentials)).await;
                }
            }
        }
        Ok(())
    }

    /// Notes that the target has messages.
    async fn take(
        &mut self,
        state: &mut PostState,
        rows: Vec<(OutboxRow, Option<String>)>,
        pause: Option<TimeDelta>,
    ) -> Result<(), StoreError> {
        let now = Utc::now();
        if state.failures > 0 || state.stopped.is_some() {
            info!(post = self.post.id, "post `{}` is taken again", self.post.id);
        }
        *state = PostState {
            post: self.post.id.clone(),
            next_try: pause.map(|pause| now + pause.clamp(TimeDelta::zero(), TimeDelta::days(1))),
            last_sent: Some(now),
            ..PostState::default()
        };
        self.sent += rows.len();
        let mut changes = vec![Change::Post(state.clone())];
        changes.extend(rows.into_iter().map(|(row, remote)| {
            Change::Outbox(RowResult {
                state: RowState::Sent,
                sent: Some(now),
                remote,
                failures: 0,
                next_try: None,
                why: None,
                ..row.unchanged()
            })
        }));
        self.keep(changes).await
    }

    /// Notes that the target does not take a story; it is tried again until it is too old.
    async fn refuse(&self, row: &OutboxRow, why: &str) -> Result<(), StoreError> {
        let failures = row.failures.saturating_add(1);
        if failures == 1 {
            warn!(post = self.post.id, "post `{}`: a story is not taken: {why}", self.post.id);
        }
        let next_try = Some(Utc::now() + back_off(failures, None));
        let result = RowResult { failures, next_try, why: Some(why.to_owned()), ..row.unchanged() };
        self.keep(vec![Change::Outbox(result)]).await
    }

    /// Notes that the target takes nothing now, or nothing until somebody has changed something.
    async fn fail(
        &self,
        state: &mut PostState,
        receipt: Receipt,
        mark: Option<String>,
        credentials: Option<&Credentials>,
    ) -> Result<(), StoreError> {
        let now = Utc::now();
        let hidden = |why: String| credentials.map_or(why.clone(), |credentials| credentials.hidden(&why));
        let (why, wait, stopped) = match receipt {
            Receipt::Stopped { why } => (hidden(why), None, mark),
            Receipt::Later { why, wait } => (hidden(why), wait, None),
            Receipt::Refused { why } => (hidden(why), None, None),
            Receipt::Taken { .. } => return Ok(()),
        };
        let failures = state.failures.saturating_add(1);
        let is_news = failures == 1 || stopped.is_some() != state.stopped.is_some();
        if is_news {
            let id = &self.post.id;
            let state = if stopped.is_some() { "is stopped" } else { "waits" };
            warn!(post = id, "post `{id}` {state}: {why}");
        }
        *state = PostState {
            post: self.post.id.clone(),
            next_try: stopped.is_none().then(|| now + back_off(failures, wait)),
            stopped,
            failures,
            since: state.since.or(Some(now)),
            last_error: Some(why),
            last_sent: state.last_sent,
        };
        self.keep(vec![Change::Post(state.clone())]).await
    }

    /// Leaves a row whose story no topic of the post shows, unless labels are being made.
    async fn leave(&mut self, row: &OutboxRow, press: &Press<'_>) -> Result<(), StoreError> {
        if press.is_relabelling().await? {
            return Ok(());
        }
        let result = match row.event {
            StoryEvent::New => {
                let why = "it was withdrawn, or has left the topic".to_owned();
                self.skipped.push((row.story, why.clone()));
                RowResult { state: RowState::Skipped, why: Some(why), ..row.unchanged() }
            }
            StoryEvent::Changed | StoryEvent::Withdrawn => RowResult { state: RowState::Sent, ..row.unchanged() },
        };
        self.keep(vec![Change::Outbox(result)]).await
    }
}
