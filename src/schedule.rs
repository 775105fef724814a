//! Crontab schedules.

/// When to poll: a crontab line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule;
