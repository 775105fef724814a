//! Notifications to systemd (`sd_notify(3)`). Without systemd nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;

/// Time between two signs of life if the manager sets no limit (`WATCHDOG_USEC`).
const PACE: Duration = Duration::from_secs(5);

/// Signs of life within the limit of the manager: it may miss three.
const PACE_SHARE: u32 = 4;

/// Returns the time between two signs of life ([`alive`]).
pub(super) fn pace() -> Duration {
    let limit = sd_notify::watchdog_enabled().filter(|limit| *limit >= Duration::from_millis(1));
    limit.map_or(PACE, |limit| limit / PACE_SHARE)
}

/// Ready to serve.
pub(super) fn ready(status: &str) {
    tell_systemd(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// A reload has begun; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell_systemd(&[NotifyState::Reloading, now]),
        Err(_) => tell_systemd(&[NotifyState::Reloading]),
    }
}

/// The end has begun.
pub(super) fn stopping() {
    tell_systemd(&[NotifyState::Stopping]);
}

/// Still alive: the loop goes round and the store answers.
pub(super) fn alive() {
    tell_systemd(&[NotifyState::Watchdog]);
}

/// A manager that cannot be reached is no reason to stop working.
fn tell_systemd(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager was not reached");
    }
}
