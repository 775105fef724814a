//! Judgements: what a config says of an entry, and how people read it.

use std::fmt::Write as _;

use super::output::{self, Paint};
use crate::config::{Config, Source};
use crate::feed::Entry;
use crate::story::Plain;
use crate::tag;
use crate::text::Tongue;
use crate::topic::{Evidence, Judgement, Label, Matcher, NearMiss, Quote, Reason, Shortfall, Verdict, Weighed};

/// The topics that an entry of a source, in the config or not, is in.
pub(super) fn labels_under(config: &Config, matcher: &Matcher, entry: &Entry, source_id: &str) -> Vec<Label> {
    tag::labels(matcher, entry, &Plain::of(entry), source_id, source(config, source_id))
}

/// Returns an entry's judgement in every topic.
pub(super) fn judgements_under(config: &Config, matcher: &Matcher, entry: &Entry, source_id: &str) -> Vec<Judgement> {
    tag::judgements(matcher, entry, &Plain::of(entry), source_id, source(config, source_id))
}

/// The entry as every topic weighs it.
pub(super) fn weighed_under(config: &Config, matcher: &Matcher, entry: &Entry, source_id: &str) -> Vec<Weighed> {
    tag::weighed(matcher, entry, &Plain::of(entry), source_id, source(config, source_id))
}

fn source<'a>(config: &'a Config, id: &str) -> Option<&'a Source> {
    config.sources.iter().find(|source| source.id == id)
}

/// One topic's judgement: a line for the verdict, one for each rule that counted and each place where it did.
///
/// Rules that nearly counted are told when the entry did not get in.
pub(super) fn judgement_for_people(text: &mut String, judgement: &Judgement, paint: Paint) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}: {}", paint.strong(&judgement.topic), verdict(judgement, paint));
    for evidence in &judgement.evidence {
        counted(text, evidence, paint);
    }
    if judgement.verdict == Verdict::BelowThreshold {
        for miss in &judgement.near_misses {
            let _ = writeln!(text, "  {:>6}  {}: {}", "·", output::harmless(&miss.rule), missed(miss));
        }
    }
}

/// Whether the entry is in, and its points.
pub(super) fn verdict(judgement: &Judgement, paint: Paint) -> String {
    let Judgement { verdict, score, threshold, tongue, .. } = judgement;
    let of = format!("{} of {} points", output::points(*score), output::points(*threshold));
    match verdict {
        Verdict::In => format!("{}, {of}", paint.good("in")),
        Verdict::BelowThreshold => format!("{}, {of}", paint.bad("not in")),
        Verdict::Excluded(term) => format!("{} by `{}` of `not`, {of}", paint.bad("kept out"), output::harmless(term)),
        Verdict::OtherLanguage => format!("{}, {}, {of}", paint.bad("kept out"), language(*tongue)),
        Verdict::OtherSource => format!("{}, its feed is not for this topic, {of}", paint.bad("kept out")),
        Verdict::OtherTopic(id) => format!("{}, it is in topic `{id}`, {of}", paint.bad("kept out")),
    }
}

fn counted(text: &mut String, evidence: &Evidence, paint: Paint) {
    let Reason { points, .. } = &evidence.reason;
    let _ = writeln!(text, "  {:>6}  {}", output::signed(*points), rule_and_terms(&evidence.reason));
    for quote in &evidence.quotes {
        let _ = writeln!(text, "          {}", quoted(quote, paint));
    }
}

fn language(tongue: Tongue) -> String {
    match tongue {
        Tongue::Script(script) => format!("it is written in `{}`", script.trim_start_matches("und-")),
        Tongue::French | Tongue::English | Tongue::Other(_) | Tongue::Unknown => {
            format!("its language is `{}`", tongue.code())
        }
    }
}

/// Words that matched, in their context.
pub(super) fn quoted(quote: &Quote, paint: Paint) -> String {
    let Quote { before, words, after, .. } = quote;
    format!("« {}{}{} »", output::harmless(before), paint.found(words), output::harmless(after))
}

/// Tells what a rule lacked, and the points that it would have brought.
pub(super) fn missed(miss: &NearMiss) -> String {
    let lack = match &miss.shortfall {
        Shortfall::OtherField { field, terms } => {
            format!("{} only in the {}, where it does not look", terms_of(terms), field.name())
        }
        Shortfall::TooFar { distance, field, within } => {
            format!("{distance} words apart in the {}, {within} allowed", field.name())
        }
        Shortfall::OneGroup { terms } => format!("{} alone, nothing of the other group", terms_of(terms)),
    };
    format!("{lack} (worth {})", output::points(miss.points))
}

fn terms_of(terms: &[String]) -> String {
    let quoted: Vec<String> = terms.iter().map(|term| format!("`{}`", output::harmless(term))).collect();
    quoted.join(", ")
}

/// The rule, the field that it counted on, and the terms that stand there: ``expressions (title) for `école numérique` ``.
pub(super) fn rule_and_terms(reason: &Reason) -> String {
    let place = reason.field.map(|field| format!(" ({})", field.name())).unwrap_or_default();
    let terms = if reason.terms.is_empty() { String::new() } else { format!(" for {}", terms_of(&reason.terms)) };
    format!("{}{place}{terms}", output::harmless(&reason.rule))
}

/// Reasons on one line, the weightiest first: ``+9 expressions (title) for `école numérique`; −1.5 démarches (lead) for
/// `acte` ``.
pub(super) fn in_short(reasons: &[Reason]) -> String {
    let mut reasons: Vec<&Reason> = reasons.iter().collect();
    reasons.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()));
    let short =
        reasons.into_iter().map(|reason| format!("{} {}", output::signed(reason.points), rule_and_terms(reason)));
    short.collect::<Vec<_>>().join("; ")
}
