//! `veille check`.

use std::collections::HashSet;
use std::path::PathBuf;

use super::{Failure, judged, open, output};
use crate::config::{self, Config, Diagnosis, Diagnostic, Severity};
use crate::store::{Filter, Held, StorePlace};
use crate::text::count;
use crate::topic::Matcher;

/// Stored entries that topics are held against, the newest.
const ENTRIES_MAX: usize = 5_000;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Print every key that a config may have, with its values and its default, instead
    #[arg(long)]
    keys: bool,
}

pub(super) fn run(config: Option<PathBuf>, options: &Options) -> Result<(), Failure> {
    if options.keys {
        return Ok(output::print(&config::reference())?);
    }
    let path = open::config_path(config)?;
    let config = open::config(Some(path.clone()))?;
    StorePlace::of(&config.store).check().map_err(|error| Failure::Usage(output::error_text(&error.into())))?;
    let hints = hints(&config);
    if !hints.diagnostics.is_empty() {
        output::error(&hints.render(output::colour()));
    }
    let on = config.sources.iter().filter(|source| source.enabled).count();
    output::print(&format!(
        "`{}` is valid: {} to poll ({} off), {}\n",
        path.display(),
        count(on, "feed"),
        config.sources.len() - on,
        count(config.topics.len(), "topic"),
    ))?;
    Ok(())
}

/// Topics that no stored entry is in. Without a store, or with an empty one, there is nothing to say.
fn hints(config: &Config) -> Diagnosis {
    let filter = Filter { limit: ENTRIES_MAX, ..Filter::default() };
    let entries =
        open::store_to_read(config).ok().and_then(|mut store| store.entries(&filter).ok()).unwrap_or_default();
    let matcher = Matcher::new(config.topics.clone());
    let mut found: HashSet<String> = HashSet::new();
    for Held { stored, .. } in &entries {
        if found.len() == config.topics.len() {
            break;
        }
        found.extend(
            judged::labels_under(config, &matcher, &stored.entry, &stored.source_id)
                .into_iter()
                .map(|label| label.topic),
        );
    }
    let unmatched = config.topics.iter().zip(&config.topic_spans).filter(|(topic, _)| !found.contains(&topic.id));
    let hint = |id: &str, span: &std::ops::Range<usize>| Diagnostic {
        severity: Severity::Hint,
        message: format!("no stored entry is in topic `{id}`"),
        span: Some(span.clone()),
        also: None,
        help: Some(format!(
            "the newest {} were looked at; `veille explain ENTRY --topic {id}` tells why one is not in",
            entries.len()
        )),
    };
    let diagnostics = unmatched.filter(|_| !entries.is_empty()).map(|(topic, span)| hint(&topic.id, span)).collect();
    Diagnosis { diagnostics, ..config.warnings.clone() }
}
