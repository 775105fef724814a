//! This process as one of several nodes on one store: signs of life, leases, and whose rules are followed.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::Utc;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::node_mark::NodeMark;
use super::{Context, wall_clock};
use crate::config::Config;
use crate::fetch::{LeaseUse, Leases};
use crate::state::lease::{JOBS, rules_to_follow};
use crate::state::{Hold, LeaseAnswer, LeaseRequest, NodeSign, NodeState};
use crate::store::{Change, Handle, StoreError, StorePlace};

/// Longest wait for locks of other nodes.
const PATIENCE: Duration = Duration::from_secs(15);

/// Longest time between two rounds of a command, and the shortest.
const ATTENDANCE: Duration = Duration::from_secs(2);
const ATTENDANCE_PAUSE: Duration = Duration::from_millis(50);

/// One of the nodes that share a store.
#[derive(Debug)]
pub struct Membership {
    id: String,
    name: String,
    /// A connection of its own: a lease must not run out behind long jobs of the store.
    store: Handle,
    leases: Arc<Leases>,
    changed: Arc<Notify>,
    /// Whether it is a command that ends soon.
    is_passing: bool,
    /// Lets who comes after a crash know of it.
    mark: Mutex<Option<NodeMark>>,
    /// Nodes that died here, until the store knows of it.
    dead: Mutex<Vec<NodeMark>>,
    jobs: Mutex<Option<LeaseUse>>,
    nodes: Mutex<Vec<NodeState>>,
    /// Whether this node's rules are those that are followed.
    is_followed: AtomicBool,
}

/// The leases that a node would like to have.
#[derive(Debug, Clone, Default)]
pub struct LeaseWishes {
    /// Hosts, the most urgent first.
    pub wanted: Vec<String>,
    /// Most of them that it can use now.
    pub most: usize,
    /// Their sources that are due as far as it knows.
    pub due: Vec<String>,
}

/// The state of a node, as it tells of itself beside its name.
#[derive(Debug, Clone, Default)]
pub struct NodeFigures {
    /// The store's generation that it serves.
    pub published: i64,
    /// Delay of its poll that has been due for longest, in seconds.
    pub lag_seconds: u64,
    /// Its troubles, one line each.
    pub reasons: Vec<String>,
}

impl Membership {
    /// Makes a node of this name on a store, through a connection that nothing else uses. It publishes to `folder`, as did
    /// those that it replaces.
    #[must_use]
    pub fn new(name: &str, store: Handle, folder: &Path, is_passing: bool) -> Arc<Self> {
        let started = Utc::now().timestamp_nanos_opt().unwrap_or_default();
        let id = format!("{name}-{:x}-{:08x}", std::process::id(), started.cast_unsigned() & 0xffff_ffff);
        let dead = NodeMark::dead_beside(folder);
        Arc::new(Self {
            mark: Mutex::new(NodeMark::left_beside(folder, &id)),
            dead: Mutex::new(dead),
            id,
            name: name.to_owned(),
            store,
            leases: Leases::new(),
            changed: Arc::default(),
            is_passing,
            jobs: Mutex::default(),
            nodes: Mutex::default(),
            // As far as is known: the first round takes up the jobs if nobody does them, before any poll begins.
            is_followed: AtomicBool::new(true),
        })
    }

    /// Returns its name among all processes that ever were.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns its leases.
    #[must_use]
    pub fn leases(&self) -> &Arc<Leases> {
        &self.leases
    }

    /// Waits until another node may have changed what readers see.
    ///
    /// # Cancellation
    /// Loses nothing.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Hears of changes as soon as they are there, for as long as it is awaited.
    ///
    /// # Cancellation
    /// Changes are seen later, by rounds.
    pub fn listen(&self, config: &Config) -> impl Future<Output = ()> + use<> {
        StorePlace::of(&config.store).listen(Arc::clone(&self.changed))
    }

    /// Returns the connection for leases alone.
    #[must_use]
    pub fn store(&self) -> &Handle {
        &self.store
    }

    /// Returns all nodes as the last round told them.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeState> {
        lock(&self.nodes).clone()
    }

    /// Returns the lease of what is done once for all, if this node holds it.
    #[must_use]
    pub fn jobs(&self) -> Option<Hold> {
        lock(&self.jobs).as_ref().filter(|used| used.is_open()).map(|used| used.hold().clone())
    }

    /// Says which nodes are gone, and which living ones have other rules than those that are followed.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let nodes = lock(&self.nodes);
        let rules = rules_to_follow(&nodes);
        let tell = |node: &NodeState| {
            let name = &node.sign.name;
            if !node.is_alive() {
                // Nobody waits for a command that was killed.
                return (!node.sign.is_passing).then(|| format!("node {name} gives no sign of life"));
            }
            let own = if node.sign.id == self.id { " (this one)" } else { "" };
            let text = format!("node {name}{own} runs other rules: let all nodes have one config and one version");
            rules.is_some_and(|rules| rules != node.sign.rules).then_some(text)
        };
        nodes.iter().filter_map(tell).collect()
    }

    /// Makes a round with the store: gives a sign of life, renews leases and gives back those that are not used, asks for
    /// those that are wished for, tells of dead nodes, and sets the clock.
    ///
    /// # Errors
    /// When the store fails. Leases run out then.
    pub async fn round(
        &self,
        context: &Context,
        wishes: LeaseWishes,
        figures: NodeFigures,
    ) -> Result<LeaseAnswer, StoreError> {
        let LeaseWishes { wanted, most, due } = wishes;
        let mut request = LeaseRequest { wanted, most, due, ..self.request(context, figures) };
        let wants_jobs = self.is_followed.load(Ordering::Relaxed);
        if wants_jobs && self.jobs().is_none() {
            lock(&self.jobs).take();
            request.wanted.insert(0, JOBS.to_owned());
            request.most += 1;
        }
        context.client.ask_leases(&mut request);
        request.dead = lock(&self.dead).iter().map(|mark| mark.node.clone()).collect();
        let (asked, wall) = (Instant::now(), Utc::now());
        let sent = request.clone();
        let answer = self.store.call(move |store| store.lease(&sent)).await?;
        std::mem::take(&mut *lock(&self.dead)).into_iter().for_each(NodeMark::erase);
        // The store read its clock between the two.
        let ours = wall + (Utc::now() - wall) / 2;
        if let Some(ahead) = wall_clock::follow(answer.now, ours).filter(|ahead| !ahead.is_zero()) {
            warn!("the clock of this machine is {} s behind the store's, which is followed", ahead.num_seconds());
        }
        context.client.take_leases(asked, &request, &answer, wall_clock::current());
        self.follow(&context.rules, &answer);
        Ok(answer)
    }

    fn request(&self, context: &Context, figures: NodeFigures) -> LeaseRequest {
        let NodeFigures { published, lag_seconds, reasons } = figures;
        let node = NodeSign {
            id: self.id.clone(),
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rules: context.rules.to_string(),
            is_passing: self.is_passing,
            published,
            lag_seconds,
            hosts: u64::try_from(self.leases.hosts()).unwrap_or(u64::MAX),
            reasons,
        };
        LeaseRequest { node, ..LeaseRequest::default() }
    }

    /// Notes the nodes and whose rules are followed; takes up what is done once for all, or lets it go.
    fn follow(&self, rules: &str, answer: &LeaseAnswer) {
        let is_followed = rules_to_follow(&answer.nodes).is_none_or(|followed| followed == rules);
        self.is_followed.store(is_followed, Ordering::Relaxed);
        (*lock(&self.nodes)).clone_from(&answer.nodes);
        let mut jobs = lock(&self.jobs);
        if is_followed && jobs.is_none() {
            *jobs = self.leases.use_now(JOBS);
            if jobs.is_some() {
                info!(target: "veille::detail", node = self.name, "this node does what is done once for all");
            }
        } else if !is_followed {
            jobs.take();
        }
    }

    /// Gives all leases back, at the end of this process.
    ///
    /// # Errors
    /// When the store fails: the leases run out by themselves.
    pub async fn leave(&self, context: &Context) -> Result<(), StoreError> {
        lock(&self.jobs).take();
        let mut request = self.request(context, NodeFigures::default());
        context.client.ask_leases(&mut request);
        let kept = std::mem::take(&mut request.kept);
        request.returned.extend(kept.into_iter().map(|hold| (hold, request.gap)));
        (request.wanted, request.most) = (Vec::new(), 0);
        request.is_leaving = true;
        self.store.call(move |store| store.lease(&request).map(|_| ())).await?;
        if let Some(mark) = lock(&self.mark).take() {
            mark.erase();
        }
        Ok(())
    }
}

/// Makes this process a node, if the store of a config may have several: a daemon, or a command (`is_passing`). A store that
/// cannot be opened is opened later ([`Membership::store`]).
///
/// # Errors
/// When the system gives no thread.
pub fn join(config: &Config, is_passing: bool) -> std::io::Result<Option<Arc<Membership>>> {
    let place = StorePlace::of(&config.store);
    if place.file().is_some() {
        return Ok(None);
    }
    let (store, _) = match place.open_existing(PATIENCE) {
        Ok(store) => Handle::new(store)?,
        Err(_) => Handle::shut()?,
    };
    let host = || nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = config.store.node.clone().unwrap_or_else(host);
    let name = if is_passing { "a command" } else { &name };
    Ok(Some(Membership::new(name, store, &config.publish.directory, is_passing)))
}

/// A command as one of several nodes: keeps its leases as long as it lives.
#[derive(Debug)]
pub struct Attendance {
    rounds: Option<JoinHandle<()>>,
}

impl Attendance {
    /// Makes the first rounds of a command, and the others in the background.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin(context: &Arc<Context>) -> Result<Self, StoreError> {
        let Some(node) = context.node.clone() else { return Ok(Self { rounds: None }) };
        node.round(context, LeaseWishes::default(), NodeFigures::default()).await?;
        let context = Arc::clone(context);
        let rounds = async move {
            loop {
                let _ = timeout(ATTENDANCE, node.leases().wished()).await;
                sleep(ATTENDANCE_PAUSE).await;
                // Leases that are not renewed are not used, and what is kept under a lost one is refused.
                if let Err(error) = node.round(&context, LeaseWishes::default(), NodeFigures::default()).await {
                    warn!("{}", error.reason());
                }
            }
        };
        Ok(Self { rounds: Some(tokio::spawn(rounds)) })
    }

    /// Ends the rounds, and gives all leases back.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end(self, context: &Context) -> Result<(), StoreError> {
        let (Some(rounds), Some(node)) = (self.rounds, &context.node) else { return Ok(()) };
        rounds.abort();
        // The task holds the context until it has ended.
        let _ = rounds.await;
        node.leave(context).await
    }
}

impl Context {
    /// Whether this process may do what is done once for all.
    #[must_use]
    pub fn has_jobs(&self) -> bool {
        self.node.as_ref().is_none_or(|node| node.jobs().is_some())
    }

    /// Adds to changes of what is done once for all that they are refused once another node does it.
    pub(super) fn as_job(&self, changes: Vec<Change>) -> Result<Vec<Change>, StoreError> {
        let Some(node) = &self.node else { return Ok(changes) };
        let hold = node.jobs().ok_or_else(|| StoreError::Overtaken { lease: JOBS.to_owned() })?;
        Ok(std::iter::once(Change::Held(hold)).chain(changes).collect())
    }
}

/// No code can panic while it holds one of these locks, so a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Timestamp;

    #[test]
    fn a_node_that_is_silent_is_missed_and_a_command_that_was_killed_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let node = Membership::new("a", Handle::shut().unwrap().0, &folder.path().join("public"), false);
        let silent = |name: &str, is_passing| NodeState {
            sign: NodeSign { name: name.into(), is_passing, ..NodeSign::default() },
            began: Timestamp::UNIX_EPOCH,
            silent_seconds: 100,
            has_jobs: false,
            rules_met: Timestamp::UNIX_EPOCH,
        };
        *lock(&node.nodes) = vec![silent("a command", true), silent("b", false)];
        assert_eq!(node.troubles(), ["node b gives no sign of life"]);
    }
}
