//! Whether this machine is connected, as told by the hosts that it asks. No clock, no network.
//!
//! One host that does not answer is dead; when nearly all do not, it is this machine. So a poll without an answer is
//! kept in doubt until the others have ended. The decision goes by proportion ([`judge`]), and by number: of one or two
//! hosts nothing can be said, unless the system itself says that there is no way out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

/// Hosts that must leave us without an answer before it can be this machine.
const HOSTS_MIN: usize = 3;

/// It is this machine if for each host that answers so many do not: a feed of the local network may answer still.
const UNHEARD_SHARE: usize = 9;

/// Hosts without an answer, and none with one, from which the others need not be waited for.
const MANY: usize = 8;

/// Longest time that a poll stays in doubt: longer than connecting and waiting for an answer take.
const PATIENCE: Duration = Duration::from_secs(45);

/// Time for which an answer counts: longer than any poll stays in doubt.
const ANSWER_LIFE: Duration = Duration::from_mins(5);

/// Pauses between two tries while nothing answers, in seconds; the last one stays.
const PAUSES: [u64; 8] = [5, 10, 20, 40, 60, 120, 240, 300];

/// Sources that are asked in one try.
const TRIED_AT_ONCE: usize = 3;

/// The way in which a host did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// No answer, and the system says that this machine has no way out.
    Offline,
    /// The resolver did not answer for its name: it, or the servers of the name, are out of order.
    Unresolved,
    /// No answer: an unknown name, a refused connection, silence, a proxy that refuses.
    Silent,
    /// Something else may have answered in its place: a page that is no feed, or a redirect away, over plain http. Pages and
    /// places that are the same have the same mark.
    Doubtful(String),
}

/// The facts that [`judge`] decides by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hearing {
    /// Hosts that answered while those in doubt were asked.
    pub answered: usize,
    /// Hosts in doubt.
    pub replies: Vec<Reply>,
    /// Hosts that did not answer before, since any other did.
    pub former: usize,
    /// Hosts that are being asked, other than those in doubt.
    pub asking: usize,
    /// Others will be asked before the patience is over.
    pub is_more_to_come: bool,
    /// The patience is over.
    pub is_overdue: bool,
}

/// A decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Too early to say.
    Open,
    /// Each host is at fault for itself.
    Hosts,
    /// This machine has no network.
    Offline,
    /// Something answers in the place of all hosts, as in a hotel.
    Portal,
}

/// Decides whether hosts that did not answer are at fault, or this machine.
#[must_use]
pub fn judge(hearing: &Hearing) -> Finding {
    let marks: BTreeSet<&str> = hearing.replies.iter().filter_map(mark).collect();
    let silent = hearing.replies.iter().filter(|reply| mark(reply).is_none()).count();
    let doubtful = hearing.replies.len() - silent;
    // Pages that differ are of hosts that differ.
    let (answered, doubtful) =
        if marks.len() > 1 { (hearing.answered + doubtful, 0) } else { (hearing.answered, doubtful) };
    let unheard = silent + doubtful + hearing.former;
    let machine = if doubtful >= HOSTS_MIN.max(silent) { Finding::Portal } else { Finding::Offline };
    if answered >= unheard.max(HOSTS_MIN) {
        return Finding::Hosts;
    }
    if answered == 0 && silent > 0 && hearing.replies.iter().all(|reply| *reply == Reply::Offline) {
        return Finding::Offline;
    }
    let is_plain = answered == 0 && unheard >= MANY.max(hearing.asking);
    if hearing.asking > 0 && !hearing.is_overdue && !is_plain {
        return Finding::Open;
    }
    let is_enough = silent + hearing.former >= HOSTS_MIN || doubtful >= HOSTS_MIN;
    if is_enough && answered * UNHEARD_SHARE <= unheard {
        return machine;
    }
    let is_resolver = |reply: &Reply| matches!(reply, Reply::Offline | Reply::Unresolved);
    if answered == 0 && silent >= 2 && hearing.replies.iter().all(is_resolver) {
        return Finding::Offline;
    }
    if answered == 0 && hearing.is_more_to_come && !hearing.is_overdue { Finding::Open } else { Finding::Hosts }
}

fn mark(reply: &Reply) -> Option<&str> {
    match reply {
        Reply::Doubtful(mark) => Some(mark),
        Reply::Offline | Reply::Unresolved | Reply::Silent => None,
    }
}

/// Follows the hosts that are asked, and keeps polls in doubt until it is decided who is at fault.
#[derive(Debug)]
pub struct Network<D> {
    /// Polls under way by host.
    asking: HashMap<String, usize>,
    /// When each host answered last.
    answers: HashMap<String, Instant>,
    /// Hosts that have not answered, since any other did.
    former: HashSet<String>,
    doubts: BTreeMap<String, Doubtful<D>>,
    /// When the first of them came.
    since: Option<Instant>,
    down: Option<Down>,
}

/// A host whose polls are in doubt.
#[derive(Debug)]
struct Doubtful<D> {
    reply: Reply,
    began: Instant,
    polls: Vec<D>,
}

/// While this machine has no network.
#[derive(Debug)]
struct Down {
    /// Hosts that answered all the same.
    exceptions: HashSet<String>,
    /// Number of tries so far.
    tries: usize,
    /// Polls begun in the try that is due or under way.
    begun: usize,
    /// When the next try is due.
    next: Instant,
}

impl<D> Default for Network<D> {
    fn default() -> Self {
        let (asking, answers, former) = (HashMap::new(), HashMap::new(), HashSet::new());
        Self { asking, answers, former, doubts: BTreeMap::new(), since: None, down: None }
    }
}

impl<D> Network<D> {
    /// Tells whether this machine has no network, as far as is known.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.down.is_some()
    }

    /// Tells whether a poll may begin now: any while the network is there, else few at once, and seldom.
    #[must_use]
    pub fn admits(&self, now: Instant) -> bool {
        self.down.as_ref().is_none_or(|down| down.next <= now && down.begun < TRIED_AT_ONCE)
    }

    /// Returns when something is to be decided or tried though no poll ends; `None` if never.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        let overdue = self.since.map(|since| since + PATIENCE);
        let retry = self.down.as_ref().map(|down| down.next);
        overdue.into_iter().chain(retry).min()
    }

    /// Notes that a host is being asked.
    pub fn ask(&mut self, host: &str) {
        *self.asking.entry(host.to_owned()).or_default() += 1;
        if let Some(down) = &mut self.down {
            down.begun += 1;
        }
    }

    /// Notes the end of a poll that says nothing about its host.
    pub fn leave(&mut self, host: &str, now: Instant) {
        if let Some(polls) = self.asking.get_mut(host) {
            *polls -= 1;
            if *polls == 0 {
                self.asking.remove(host);
            }
        }
        // The last poll of a try: the next try is later.
        if let Some(down) = self.down.as_mut().filter(|down| self.asking.is_empty() && down.begun > 0) {
            down.next = now + pause(down.tries);
            down.tries += 1;
            down.begun = 0;
        }
    }

    /// Notes that a host answered. Says whether that ends an outage.
    pub fn answer(&mut self, host: &str, now: Instant) -> bool {
        self.leave(host, now);
        self.answers.insert(host.to_owned(), now);
        self.answers.retain(|_, at| now.saturating_duration_since(*at) < ANSWER_LIFE);
        let is_end = self.down.as_ref().is_some_and(|down| !down.exceptions.contains(host));
        if is_end || self.down.is_none() {
            self.former.clear();
        }
        if is_end {
            self.down = None;
        }
        is_end
    }

    /// Keeps a poll in doubt that began at `began` and got no answer.
    pub fn doubt(&mut self, host: &str, reply: Reply, began: Instant, now: Instant, poll: D) {
        self.leave(host, now);
        self.since.get_or_insert(now);
        let new = || Doubtful { reply: reply.clone(), began, polls: Vec::new() };
        let doubtful = self.doubts.entry(host.to_owned()).or_insert_with(new);
        doubtful.reply = reply;
        doubtful.polls.push(poll);
    }

    /// Decides on the polls in doubt, and returns those on which it is decided; `is_more_to_come` says that others will be
    /// asked soon.
    pub fn settle(&mut self, is_more_to_come: bool, now: Instant) -> (Finding, Vec<D>) {
        let Some(since) = self.since else { return (Finding::Open, Vec::new()) };
        let began = self.doubts.values().map(|doubtful| doubtful.began).min().unwrap_or(now);
        let answered: HashSet<&String> =
            self.answers.iter().filter(|(_, at)| **at >= began).map(|(host, _)| host).collect();
        let hearing = Hearing {
            answered: answered.len(),
            replies: self.doubts.values().map(|doubtful| doubtful.reply.clone()).collect(),
            former: self.former.iter().filter(|host| !self.doubts.contains_key(*host)).count(),
            asking: self.asking.keys().filter(|host| !self.doubts.contains_key(*host)).count(),
            is_more_to_come,
            is_overdue: now.saturating_duration_since(since) >= PATIENCE,
        };
        let mut finding = judge(&hearing);
        if self.is_down() {
            // Nothing that ends an outage has come: all stay due.
            let differ = matches!(finding, Finding::Hosts) && hearing.replies.iter().all(|reply| mark(reply).is_some());
            if differ {
                self.down = None;
            } else {
                finding = Finding::Offline;
            }
        } else if matches!(finding, Finding::Offline | Finding::Portal) {
            let exceptions = answered.into_iter().cloned().collect();
            self.down = Some(Down { exceptions, tries: 1, begun: 0, next: now + pause(0) });
        }
        if finding == Finding::Open {
            return (finding, Vec::new());
        }
        self.since = None;
        let doubts = std::mem::take(&mut self.doubts);
        if finding == Finding::Hosts && hearing.answered == 0 {
            self.former.extend(doubts.keys().cloned());
        }
        (finding, doubts.into_values().flat_map(|doubtful| doubtful.polls).collect())
    }
}

fn pause(tries: usize) -> Duration {
    PAUSES.get(tries).or(PAUSES.last()).copied().map(Duration::from_secs).unwrap_or_default()
}

#[cfg(test)]
mod tests;
