//! One connection to a server, and how statements get there: each call is one round trip, however many statements it
//! sends.
//!
//! The driver is `tokio-postgres` itself, not the crate `postgres` around it: that one waits for the answer to each
//! statement, where a look at the surroundings of a poll sends twenty at once. Beside `listening.rs` this is the only file with
//! `async` in it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::resume_unwind;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use super::address::{Address, Destination};
use super::{StoreError, causes, tls};
use crate::store::ailment::Ailment;

/// Longest time that one statement may take on the server.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(50);

/// Longest wait for the answers to one call: a server that is stopped keeps its connections. The daemon takes a store that does
/// not answer for 75 s for dead.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// Time after which the server ends a transaction of a machine that says nothing more: its locks hold up all others.
///
/// Shorter than the time that they wait for a lock: they need not notice.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// After a failure to connect, none is tried for so long: callers would wait one after the other.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Most statements that are kept prepared.
const STATEMENTS_MAX: usize = 256;

/// Begins a transaction that reads, all at one moment.
pub(super) const LOOK: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A statement with its parameters.
pub(super) struct Call<'a> {
    sql: Cow<'static, str>,
    parameters: Vec<Parameter<'a>>,
}

/// A parameter of a statement.
pub(super) type Parameter<'a> = Box<dyn ToSql + Sync + Send + 'a>;

impl<'a> Call<'a> {
    pub(super) fn new(sql: impl Into<Cow<'static, str>>, parameters: Vec<Parameter<'a>>) -> Self {
        Self { sql: sql.into(), parameters }
    }

    /// Adds a parameter.
    pub(super) fn add(&mut self, parameter: Parameter<'a>) {
        self.parameters.push(parameter);
    }
}

/// Makes a [`Call`]: its text, then its parameters.
macro_rules! call {
    ($sql:expr $(, $parameter:expr)* $(,)?) => {
        $crate::store::postgres::session::Call::new($sql, vec![$(Box::new($parameter)),*])
    };
}

pub(super) use call;

/// The rows that answer the calls of one round trip, in the order of the calls.
pub(super) type Answers = std::vec::IntoIter<Vec<Row>>;

/// A connection that is made again when it was lost.
pub(super) struct Session {
    address: Address,
    name: String,
    patience: Duration,
    open: Option<OpenConnection>,
    /// When no connection could be made last, and why.
    failed: Option<(Instant, Ailment)>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Session").field("name", &self.name).finish_non_exhaustive()
    }
}

struct OpenConnection {
    /// `None` while it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    statements: HashMap<String, Statement>,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        // Waits for nothing: a store may be dropped where nobody may wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Session {
    /// Connects; statements wait for locks of others no longer than `patience`.
    pub(super) fn connect(address: &Address, patience: Duration) -> Result<Self, StoreError> {
        let target = address.read()?;
        let mut session = Self { address: address.clone(), name: target.name(), patience, open: None, failed: None };
        session.open = Some(session.open(&target)?);
        Ok(session)
    }

    /// The database as messages name it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Waits for locks of others no longer than this.
    pub(super) fn set_patience(&mut self, patience: Duration) -> Result<(), StoreError> {
        self.patience = patience;
        let set = format!("SET lock_timeout = {}", patience.as_millis());
        self.simple(&set)
    }

    /// Sends calls that read, all of one moment.
    pub(super) fn look(&mut self, calls: &[Call<'_>]) -> Result<Answers, StoreError> {
        self.first(Some(LOOK), calls, Some("COMMIT"))
    }

    /// Sends calls that write, all or none, in one round trip.
    pub(super) fn at_once(&mut self, calls: &[Call<'_>]) -> Result<Answers, StoreError> {
        self.first(Some("BEGIN"), calls, Some("COMMIT"))
    }

    /// Begins a transaction that writes, with its first calls.
    pub(super) fn begin(&mut self, calls: &[Call<'_>]) -> Result<Answers, StoreError> {
        self.first(Some("BEGIN"), calls, None)
    }

    /// Begins a transaction that reads, all at one moment, with its first calls.
    pub(super) fn begin_look(&mut self, calls: &[Call<'_>]) -> Result<Answers, StoreError> {
        self.first(Some(LOOK), calls, None)
    }

    /// Goes on with a transaction.
    pub(super) fn send(&mut self, calls: &[Call<'_>]) -> Result<Answers, StoreError> {
        self.rest(calls, None)
    }

    /// Sends the last calls of a transaction, and commits it.
    pub(super) fn commit(&mut self, calls: &[Call<'_>]) -> Result<Answers, StoreError> {
        self.rest(calls, Some("COMMIT"))
    }

    /// Gives a transaction up.
    pub(super) fn rollback(&mut self) -> Result<(), StoreError> {
        self.rest(&[], Some("ROLLBACK")).map(|_| ())
    }

    /// Goes on with a transaction by statements without parameters.
    pub(super) fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.rest_framed(Some(sql), &[], None).map(|_| ())
    }

    /// Runs statements without parameters, in a transaction of their own if several.
    pub(super) fn simple(&mut self, sql: &str) -> Result<(), StoreError> {
        self.first(Some(sql), &[], None).map(|_| ())
    }

    /// Sends the first calls of a job. A connection that was lost since the last one is made anew: nothing was begun.
    fn first(&mut self, before: Option<&str>, calls: &[Call<'_>], after: Option<&str>) -> Result<Answers, StoreError> {
        if self.open.as_ref().is_some_and(|open| !open.client.is_closed()) {
            match self.rest_framed(before, calls, after) {
                Err(StoreError::Failed { ailment: Ailment::Away, .. }) if self.open.is_none() => {}
                answered => return answered,
            }
        }
        self.reconnect()?;
        self.rest_framed(before, calls, after)
    }

    fn rest(&mut self, calls: &[Call<'_>], after: Option<&str>) -> Result<Answers, StoreError> {
        self.rest_framed(None, calls, after)
    }

    /// One round trip. After a failure nothing is left open: neither a transaction, nor a connection that is of no use.
    fn rest_framed(
        &mut self,
        before: Option<&str>,
        calls: &[Call<'_>],
        after: Option<&str>,
    ) -> Result<Answers, StoreError> {
        let Some(open) = &mut self.open else {
            let source = "the connection was lost".into();
            return Err(StoreError::Failed { store: self.name.clone(), ailment: Ailment::Away, source });
        };
        match open.run(before, calls, after) {
            Ok(Ok(answers)) => Ok(answers.into_iter()),
            Ok(Err(error)) => {
                if causes::of(&error) == Ailment::Away || !open.undo() {
                    self.open = None;
                }
                Err(causes::failed(error, &self.name))
            }
            Err(silence) => {
                self.open = None;
                Err(StoreError::Failed { store: self.name.clone(), ailment: Ailment::Busy, source: silence.into() })
            }
        }
    }

    /// The statements that were sent so far, each with the number of its parameters.
    #[cfg(test)]
    pub(super) fn sent(&self) -> Vec<(String, usize)> {
        let statements = self.open.iter().flat_map(|open| &open.statements);
        statements.map(|(sql, statement)| (sql.clone(), statement.params().len())).collect()
    }

    fn reconnect(&mut self) -> Result<(), StoreError> {
        self.open = None;
        if let Some((_, ailment)) = self.failed.filter(|(at, _)| at.elapsed() < RETRY_PAUSE) {
            let source = "a connection was tried a moment ago".into();
            return Err(StoreError::Failed { store: self.name.clone(), ailment, source });
        }
        let target = self.address.read()?;
        self.name = target.name();
        match self.open(&target) {
            Ok(open) => {
                (self.open, self.failed) = (Some(open), None);
                Ok(())
            }
            Err(error) => {
                self.failed = error.ailment().map(|ailment| (Instant::now(), ailment));
                Err(error)
            }
        }
    }

    fn open(&self, target: &Destination) -> Result<OpenConnection, StoreError> {
        let cannot_open =
            |ailment, why: String| StoreError::Open { store: self.name.clone(), ailment, source: why.into() };
        let verification = target.security.verification(target.roots.is_some());
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| cannot_open(Ailment::Other, error.to_string()))?;
        let mut last = None;
        for way in target.security.ways() {
            let mut config = target.config.clone();
            config.ssl_mode(*way).options(self.options(target));
            let connector = match *way {
                SslMode::Disable => tls::connector(tls::Verification::None, None),
                _ => tls::connector(verification, target.roots.as_deref()),
            };
            let connector = connector.map_err(|why| cannot_open(Ailment::Certificate, why))?;
            let connecting = async {
                let (client, connection) = config.connect(connector).await?;
                // Its end is seen by the client.
                tokio::spawn(connection);
                Ok::<_, tokio_postgres::Error>(client)
            };
            match wait(&runtime, async { timeout(target.patience(), connecting).await }) {
                Ok(Ok(client)) => {
                    return Ok(OpenConnection { runtime: Some(runtime), client, statements: HashMap::new() });
                }
                Ok(Err(error)) => {
                    // Another way is for a server without TLS that works, or one that asks for it.
                    let is_other_tried = match *way {
                        SslMode::Prefer => causes::of(&error) == Ailment::Certificate,
                        SslMode::Disable => causes::of(&error) == Ailment::Login,
                        _ => false,
                    };
                    last = Some(causes::cannot_open(error, &self.name));
                    if !is_other_tried {
                        break;
                    }
                }
                Err(silence) => last = Some(cannot_open(Ailment::Away, silence.to_string())),
            }
        }
        runtime.shutdown_background();
        Err(last.unwrap_or_else(|| cannot_open(Ailment::Other, "no way to connect".into())))
    }

    /// The settings of our sessions, then those of the address.
    ///
    /// Tables are read through their indexes: statistics that were taken when the store was young make the planner read
    /// whole tables.
    fn options(&self, target: &Destination) -> String {
        let of_address = target.config.get_options().unwrap_or_default();
        format!(
            "-c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={} -c jit=off \
             -c plan_cache_mode=force_generic_plan -c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off \
             -c client_min_messages=error {of_address}",
            STATEMENT_TIMEOUT.as_millis(),
            self.patience.as_millis(),
            IDLE_TIMEOUT.as_millis(),
        )
    }
}

impl OpenConnection {
    /// Sends all, and waits for the answers, but not for ever.
    fn run(
        &mut self,
        before: Option<&str>,
        calls: &[Call<'_>],
        after: Option<&str>,
    ) -> Result<Result<Vec<Vec<Row>>, tokio_postgres::Error>, Elapsed> {
        let Some(runtime) = &self.runtime else { return Ok(Ok(Vec::new())) };
        if self.statements.len() > STATEMENTS_MAX {
            self.statements.clear();
        }
        let (client, statements) = (&self.client, &mut self.statements);
        let job = async {
            let mut unprepared: Vec<&str> = Vec::new();
            for call in calls {
                if !statements.contains_key(&*call.sql) && !unprepared.contains(&&*call.sql) {
                    unprepared.push(&call.sql);
                }
            }
            // Within a transaction too: it would fail for them anyway.
            let prepared = try_join_all(unprepared.iter().map(|sql| client.prepare(sql))).await?;
            statements.extend(unprepared.into_iter().map(str::to_owned).zip(prepared));
            let statements = &*statements;
            let framed = |sql: Option<&str>| {
                let sql = sql.map(str::to_owned);
                async move {
                    match sql {
                        Some(sql) => client.batch_execute(&sql).await,
                        None => Ok(()),
                    }
                }
            };
            let answers = calls.iter().filter_map(|call| {
                let statement = statements.get(&*call.sql)?;
                Some(async move {
                    let parameters: Vec<&(dyn ToSql + Sync)> =
                        call.parameters.iter().map(|parameter| &**parameter as &(dyn ToSql + Sync)).collect();
                    client.query(statement, &parameters).await
                })
            });
            // All are sent before the first answer is waited for.
            let ((), answers, ()) = tokio::try_join!(biased; framed(before), try_join_all(answers), framed(after))?;
            Ok(answers)
        };
        wait(runtime, async { timeout(ANSWER_TIMEOUT, job).await })
    }

    /// Leaves the transaction that a failure ended; tells whether the connection is still of use.
    fn undo(&self) -> bool {
        let Some(runtime) = &self.runtime else { return false };
        let job = async { timeout(ANSWER_TIMEOUT, self.client.batch_execute("ROLLBACK")).await };
        matches!(wait(runtime, job), Ok(Ok(())))
    }
}

/// Waits for a future, also where a runtime runs already: none can be entered twice on one thread.
fn wait<T: Send>(runtime: &Runtime, future: impl Future<Output = T> + Send) -> T {
    if Handle::try_current().is_err() {
        return runtime.block_on(future);
    }
    let waited = std::thread::scope(|scope| scope.spawn(|| runtime.block_on(future)).join());
    waited.unwrap_or_else(|panic| resume_unwind(panic))
}
