//! A store that cannot be written: what was published is served on, no feed is asked, and the store is tried again until
//! it can be written.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{error, warn};

use super::{Daemon, clock, polls_max, publication};
use crate::config::Config;
use crate::outage::{Lack, Outage};
use crate::pipeline::{self, Context};
use crate::publish::files;
use crate::store::ailment::Ailment;
use crate::store::{Handle, Store, StoreError, StorePlace};
use crate::text::rough_duration;

/// Longest time that a transaction waits for another process that writes. Nothing is lost when that is over: it is an
/// outage, and the store is tried again. Much shorter than the time after which the watchdog finds the daemon dead.
const PATIENCE: Duration = Duration::from_secs(15);

/// The same at a start: nobody is served until then.
const PATIENCE_AT_START: Duration = Duration::from_secs(5);

/// The same for a try.
const PATIENCE_OF_TRY: Duration = Duration::from_secs(1);

/// Pauses between two tries, in seconds; the last one stays.
const PAUSES: [u64; 6] = [2, 5, 10, 20, 40, 60];

/// Polls at once after an outage, until one is kept: only then is it sure that the store takes them.
const POLLS_ON_PROBATION: usize = 3;

/// The store cannot be written for now.
pub(super) struct Ailing {
    ailment: Ailment,
    /// When it is tried again.
    next: Instant,
}

#[cfg(test)]
impl Ailing {
    /// Lets the next try be due.
    pub(super) fn try_now(&mut self) {
        self.next = Instant::now();
    }
}

/// The store of a daemon that starts.
pub(super) struct Opened {
    pub(super) handle: Handle,
    pub(super) thread: std::thread::JoinHandle<()>,
    /// Why it cannot be written, if so.
    pub(super) trouble: Option<StoreError>,
}

/// Opens the store as well as it can be: for writing, else for reading, else not at all if there are published documents
/// to be served meanwhile.
///
/// # Errors
/// When there is nothing to be served either: the operator is at hand at a first start.
pub(super) fn open_as_can_be(config: &Config) -> anyhow::Result<Opened> {
    let place = StorePlace::of(&config.store);
    let (store, trouble) = match pipeline::open_store_within(config, PATIENCE_AT_START) {
        Ok(mut store) => {
            let trouble = store.attempt().err();
            store.set_patience(PATIENCE)?;
            (Some(store), trouble)
        }
        Err(error) => (readable(&place, &error), Some(error)),
    };
    let (handle, thread) = match (store, trouble.as_ref()) {
        (Some(store), _) => Handle::new(store)?,
        (None, Some(error)) if is_worth_waiting(config, error) => Handle::shut()?,
        (None, _) => return Err(trouble.unwrap_or(StoreError::Shut).into()),
    };
    Ok(Opened { handle, thread, trouble })
}

/// Opens for reading a store that cannot be opened for writing, if its content is not to blame.
fn readable(place: &StorePlace, error: &StoreError) -> Option<Box<dyn Store>> {
    let is_sound = matches!(error, StoreError::Open { ailment, .. } if *ailment != Ailment::Damaged);
    // One that another process only writes can be read.
    let is_locked = error.ailment() == Some(Ailment::Locked);
    if is_sound || is_locked { place.read_within(PATIENCE_OF_TRY).ok() } else { None }
}

fn is_worth_waiting(config: &Config, error: &StoreError) -> bool {
    error.ailment() == Some(Ailment::Locked) || files::is_published(&config.publish.directory)
}

impl Daemon {
    /// Lets a failure of the store be an outage; any other failure ends the daemon.
    ///
    /// # Errors
    /// Any other failure.
    pub(super) fn survive<T>(&mut self, result: anyhow::Result<Option<T>>) -> anyhow::Result<Option<T>> {
        let Err(error) = &result else { return result };
        let of_store = error.chain().find_map(|cause| cause.downcast_ref::<StoreError>());
        if matches!(of_store, Some(StoreError::Overtaken { .. })) {
            // Another node does it from now on.
            return Ok(None);
        }
        match of_store.filter(|error| error.ailment().is_some()) {
            Some(error) => {
                self.store_fails(error);
                Ok(None)
            }
            None => result,
        }
    }

    /// Notices that the store cannot be written or read: until it can, no feed is asked.
    pub(super) fn store_fails(&mut self, error: &StoreError) {
        self.front.metrics.store_failed();
        let Some(ailment) = error.ailment() else { return };
        if self.is_ailing() {
            // A store that can only be read, or is not open, says nothing of the reason.
            return;
        }
        self.ailing = Some(Ailing { ailment, next: Instant::now() + self.pause() });
        self.tell_store(error);
        self.serve_published();
    }

    /// Tells everywhere why the store cannot be written.
    fn tell_store(&mut self, error: &StoreError) {
        self.begin_outage(Lack::Store, error.outage());
        // The pages tell it, if the store can be read.
        self.publishing.ask();
    }

    /// Returns how long to wait for the next try, longer each time.
    fn pause(&mut self) -> Duration {
        let pause = PAUSES.get(self.tries).or(PAUSES.last()).copied().unwrap_or_default();
        self.tries += 1;
        Duration::from_secs(pause)
    }

    /// Serves the documents that lie in the published folder, unless those of a publication are served.
    fn serve_published(&mut self) {
        if self.published.is_some() || self.socket.is_none() {
            return;
        }
        let config = &self.context.config;
        self.front.prefix.store(publication::prefix(config));
        self.front.aliases.store(config.aliases.clone());
        self.front.tree.store(publication::published_before(&config.publish.directory, &self.front));
        self.serve();
        self.tell_ready();
    }

    /// Tells whether the store cannot be written for now.
    pub(super) fn is_ailing(&self) -> bool {
        self.ailing.is_some()
    }

    /// Returns the largest number of polls that may be under way.
    pub(super) fn room_for_polls(&self) -> usize {
        let most = polls_max(&self.context);
        if self.tries == 0 { most } else { most.min(POLLS_ON_PROBATION) }
    }

    /// Tries whether the store can be written again, if that is due.
    pub(super) fn tend_store(&mut self) {
        let Some(ailing) = &self.ailing else { return };
        if ailing.next <= Instant::now() && !self.mending.is_running() {
            self.mending.ask();
        }
        let (context, place, ailment) = (&self.context, &self.store_place, ailing.ailment);
        self.mending.start(|| mend(Arc::clone(context), place.clone(), ailment));
    }

    /// Goes on with a store that can be written again, or waits longer.
    pub(super) fn mended(&mut self, mended: Result<(), StoreError>) {
        if let Err(error) = mended {
            let (next, ailment) = (Instant::now() + self.pause(), error.ailment().unwrap_or(Ailment::Other));
            let before = self.ailing.replace(Ailing { ailment, next });
            if !before.is_some_and(|before| before.ailment.is_same(ailment)) {
                self.tell_store(&error);
            }
            return;
        }
        self.ailing = None;
        self.end_outage(Lack::Store);
        // Another file may have come: all that is known of sources is read anew.
        self.is_to_replan = true;
        self.reloading.ask();
        self.relabelling.ask();
        self.publishing.ask();
    }

    /// Returns the outages that cannot be kept in the store, for the pages.
    pub(super) fn outages_untold(&self) -> Vec<Outage> {
        self.outages.get(&Lack::Store).cloned().into_iter().collect()
    }

    /// Tells everywhere that this machine lacks something, unless it is told already.
    pub(super) fn begin_outage(&mut self, lack: Lack, reason: String) {
        let known = self.outages.get(&lack);
        let is_told = match lack {
            Lack::Network | Lack::Resources => known.is_some(),
            Lack::Store | Lack::Folder => known.is_some_and(|known| known.reason == reason),
        };
        if is_told {
            return;
        }
        let since = known.map_or_else(clock::now, |known| known.since);
        match lack {
            Lack::Network | Lack::Resources => warn!("{reason}; {}", lack.hint()),
            // Seldom over by itself.
            Lack::Store | Lack::Folder => error!("{reason}; {}", lack.hint()),
        }
        self.set_trouble(lack.id(), Some(format!("{reason}; {}", lack.hint())));
        self.outages.insert(lack, Outage { lack, since, reason });
        self.noting.ask();
    }

    /// Tells everywhere that this machine has again what it lacked, unless it lacked nothing.
    pub(super) fn end_outage(&mut self, lack: Lack) {
        let Some(outage) = self.outages.remove(&lack) else { return };
        let now = clock::now();
        let after = rough_duration(now - outage.since);
        // As loud as the beginning: who reads warnings alone must not believe that it lasts.
        match lack {
            Lack::Network => warn!("hosts answer again, after {after}: what is due is polled"),
            Lack::Resources => warn!("this machine has again what polls need, after {after}"),
            Lack::Store => warn!("the store can be written again, after {after}: what is due is polled"),
            Lack::Folder => warn!("files can be written again, after {after}: all are up to date"),
        }
        self.set_trouble(lack.id(), None);
        self.noting.ask();
        match lack {
            Lack::Network | Lack::Resources | Lack::Store => self.due.spread(now),
            Lack::Folder => {}
        }
    }
}

/// Opens the store again and tries whether it can be written; if so, it takes the place of the one before.
async fn mend(
    context: Arc<Context>,
    store_place: StorePlace,
    ailment: Ailment,
) -> anyhow::Result<Result<(), StoreError>> {
    let (config, own_place) = (context.config.clone(), store_place.clone());
    let open = move || {
        let mut store = pipeline::reopen_store(&config, &store_place, PATIENCE_OF_TRY)?;
        if ailment == Ailment::Damaged {
            store.check_all()?;
        }
        store.attempt()?;
        store.set_patience(PATIENCE)?;
        Ok::<_, StoreError>(store)
    };
    let store = match tokio::task::spawn_blocking(open).await? {
        Ok(store) => store,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(node) = context.node() {
        match tokio::task::spawn_blocking(move || own_place.open_existing(PATIENCE)).await? {
            Ok(store) => node.store().put(store).await?,
            Err(error) => return Ok(Err(error)),
        }
        // The store may have lost its last seconds, and what this node did not renew may have run out.
        node.leases().doubt();
    }
    Ok(context.store.put(store).await)
}
