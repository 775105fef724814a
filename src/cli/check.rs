//! `veille check`.

use std::collections::HashSet;
use std::path::PathBuf;

use super::words::Census;
use super::{Failure, former, judged, open, output};
use crate::config::{self, Config, Diagnosis, Diagnostic, Severity};
use crate::store::{Filter, Held, StorePlace};
use crate::text::count;
use crate::topic::Matcher;

/// Stored entries that topics are held against, the newest.
const ENTRIES_MAX: usize = 5_000;

/// Stored entries that tell how common a term is, the newest.
const SHARED_MAX: usize = 1_000;

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
    let config = open::config(config)?;
    StorePlace::of(&config.store).check().map_err(|error| Failure::Usage(output::error_text(&error.into())))?;
    let hints = hints(&config);
    if !hints.diagnostics.is_empty() {
        output::error(&hints.render(output::colour()));
    }
    output::print(&format!("{}\n", valid(&config)))?;
    let missing = missing(&config);
    if !missing.is_empty() {
        output::note(&missing);
    }
    Ok(())
}

/// Says that a config is valid, and its size.
fn valid(config: &Config) -> String {
    let on = config.sources.iter().filter(|source| source.enabled).count();
    format!(
        "`{}` is valid: {} to poll ({} off), {}",
        config.path.display(),
        count(on, "feed"),
        config.sources.len() - on,
        count(config.topics.len(), "topic"),
    )
}

/// Returns everything that `veille check` tells of a valid config, and apart from it the last line, which says that it is.
/// Topics that are gone are left out: who compares knows more of them.
pub(super) fn remarks(config: &Config) -> (String, String) {
    let mut hints = hints(config);
    hints.diagnostics.retain(|one| one.span.is_some());
    let diagnoses = [config.warnings.render(false), hints.render(false), missing(config)];
    let told = diagnoses.iter().map(|text| text.trim_end()).filter(|text| !text.is_empty());
    (told.collect::<Vec<_>>().join("\n\n"), valid(config))
}

/// Tells what to add to a config that does nothing yet.
fn missing(config: &Config) -> String {
    let mut help = String::new();
    if config.sources.is_empty() {
        help.push_str("help: there is no feed to poll: `veille add https://www.education.gouv.fr` finds one and adds it, or write\n\n  [[feed]]\n  url = \"https://www.education.gouv.fr/rss.xml\"\n");
    }
    if config.topics.is_empty() {
        help.push_str("help: there is no topic, so nothing is published: write\n\n  [[topic]]\n  id = \"numerique-educatif\"\n  title = \"Numérique éducatif\"\n  any = [\"numérique éducatif\", \"école numérique\"]\n");
    }
    help
}

/// Topics that are published and gone, terms that are everywhere, and topics that no stored entry is in. Without a store, or with an empty one, there
/// is nothing to say.
fn hints(config: &Config) -> Diagnosis {
    let filter = Filter { limit: ENTRIES_MAX, ..Filter::default() };
    let entries =
        open::store_to_read(config).ok().and_then(|mut store| store.entries(&filter).ok()).unwrap_or_default();
    let matcher = Matcher::new(config.topics.clone());
    let mut found: HashSet<String> = HashSet::new();
    let labels = entries.iter().flat_map(|held| &held.labels);
    let former = former::former_topics(config, labels.map(|label| label.topic.clone()));
    let gone = former.iter().map(|id| Diagnostic {
        severity: Severity::Warning,
        message: former::broken(id),
        span: None,
        also: None,
        help: Some(former::way_out(id, None)),
    });
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
    // The newest are enough to know how common a word is.
    let census = Census::of(config, &matcher, entries.get(..SHARED_MAX).unwrap_or(&entries));
    let common = census.common(config).into_iter().filter_map(|(place, term, share)| {
        let mut from = config.topic_spans.get(place)?.clone();
        let end = config.topic_spans.get(place + 1).map_or(config.warnings.text.len(), |next| next.start);
        let written = format!("\"{term}\"");
        let found = config.warnings.text.get(from.start..end).and_then(|text| text.find(&written));
        if let Some(at) = found {
            from = from.start + at..from.start + at + written.len();
        }
        let topic = config.topics.get(place)?;
        let message = format!("`{term}` counts in {:.0} % of the stored stories", share * 100.0);
        let help =
            format!("a word that is everywhere tells no topic; `veille words {}` shows what each brings", topic.id);
        Some(Diagnostic { severity: Severity::Warning, message, span: Some(from), also: None, help: Some(help) })
    });
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
    let empty = unmatched.filter(|_| !entries.is_empty()).map(|(topic, span)| hint(&topic.id, span));
    let mut diagnostics: Vec<Diagnostic> = gone.chain(common).chain(empty).collect();
    diagnostics.sort_by_key(|one| one.span.as_ref().map(|span| span.start));
    Diagnosis { diagnostics, ..config.warnings.clone() }
}
