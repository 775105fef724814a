//! Progress of long work, on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Counts to a known end.
pub(super) fn bar(length: usize, things: &str) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX));
    ticking(bar, &format!("{{bar:40}} {{pos}}/{{len}} {things}, {{elapsed}}"))
}

/// Counts without one.
pub(super) fn counter(things: &str) -> ProgressBar {
    ticking(ProgressBar::no_length(), &format!("{{spinner}} {{pos}} {things}, {{elapsed}}"))
}

fn ticking(bar: ProgressBar, template: &str) -> ProgressBar {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
