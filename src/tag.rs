//! Tags: from an entry to its topics.
//!
//! Comments do not count as the entry's text, nor do the sentences that blog software appends to every text.

use crate::config::Source;
use crate::feed::{Category, Entry};
use crate::story::Plain;
use crate::text::{Passage, without_boilerplate};
use crate::topic::{Fields, Judgement, Label, Matcher, Verdict, Weighed};

/// The labels of an entry, read as `plain`.
///
/// `source` is its source in the config; the entry of a former source (`None`) may be in every topic.
#[must_use]
pub fn labels(matcher: &Matcher, entry: &Entry, plain: &Plain, source_id: &str, source: Option<&Source>) -> Vec<Label> {
    let mut labels = matcher.labels(&fields(entry, plain, source_id, source));
    labels.retain(|label| may_be_in(source, &label.topic));
    labels
}

/// The judgement of every topic on an entry, for people; parameters as in [`labels`].
#[must_use]
pub fn judgements(
    matcher: &Matcher,
    entry: &Entry,
    plain: &Plain,
    source_id: &str,
    source: Option<&Source>,
) -> Vec<Judgement> {
    let mut judgements = matcher.judgements(&fields(entry, plain, source_id, source));
    for judgement in &mut judgements {
        if judgement.verdict == Verdict::In && !may_be_in(source, &judgement.topic) {
            judgement.verdict = Verdict::OtherSource;
        }
    }
    judgements
}

/// The entry as every topic weighs it, in the order of the topics; parameters as in [`labels`].
#[must_use]
pub fn weighed(
    matcher: &Matcher,
    entry: &Entry,
    plain: &Plain,
    source_id: &str,
    source: Option<&Source>,
) -> Vec<Weighed> {
    let mut all = matcher.weighed(&fields(entry, plain, source_id, source));
    for (weighed, topic) in all.iter_mut().zip(matcher.topics()) {
        if !may_be_in(source, &topic.id) {
            weighed.verdict = Verdict::OtherSource;
            weighed.parts.iter_mut().for_each(|weight| weight.is_decisive = false);
        }
    }
    all
}

/// The fields that rules look at in an entry, read as `plain`: texts without markup, tags of the publisher and of the
/// operator.
#[must_use]
pub fn fields(entry: &Entry, plain: &Plain, source_id: &str, source: Option<&Source>) -> Fields {
    let own_tags = source.into_iter().flat_map(|source| &source.tags).map(String::as_str);
    let tags: Vec<&str> = entry.categories.iter().map(name).chain(own_tags).collect();
    let own = |text: &Passage| text.part(0..without_boilerplate(text.as_str(), plain.title.as_str()).len());
    let mut fields = Fields::new(plain.title.clone(), own(&plain.summary), own(&plain.content), &tags, source_id);
    fields.declared.clone_from(&entry.language);
    fields
}

fn may_be_in(source: Option<&Source>, topic: &str) -> bool {
    let topics = source.and_then(|source| source.topics.as_ref());
    topics.is_none_or(|topics| topics.iter().any(|known| known == topic))
}

/// The name of a tag as people read it; a label can be empty.
fn name(category: &Category) -> &str {
    category.label.as_deref().filter(|label| !label.trim().is_empty()).unwrap_or(&category.term)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono_tz::Tz;
    use url::Url;

    use super::*;
    use crate::schedule::Schedule;
    use crate::topic::{Boost, Field, Pattern, Rule, Term, Topic};

    fn source() -> Source {
        Source {
            id: "education".into(),
            url: Url::parse("https://education.example/rss.xml").unwrap(),
            title: None,
            schedule: Schedule::parse("@hourly", Tz::UTC).unwrap(),
            topics: None,
            tags: Vec::new(),
            access: std::sync::Arc::default(),
            enabled: true,
            full_text: false,
            dedup: true,
            private: false,
        }
    }

    fn tagged(category: Category) -> Entry {
        let title = Some("Un partenariat est signé".into());
        Entry {
            title,
            summary: Some("<p>Le ministre a signé.</p>".into()),
            categories: vec![category],
            ..Entry::default()
        }
    }

    fn labelled(label: &str) -> Category {
        Category { term: "rubrique-12".into(), label: Some(label.into()), ..Category::default() }
    }

    /// The short form `any = ["numérique éducatif", "école numérique"]` as a topic.
    fn matcher() -> Matcher {
        let terms = ["numérique éducatif", "école numérique"].map(|term| Term::parse(term).unwrap());
        let fields = vec![Field::Title, Field::Lead, Field::Body, Field::Tags];
        Matcher::new(vec![Topic {
            id: "numerique-educatif".into(),
            title: "Numérique éducatif".into(),
            description: String::new(),
            threshold: 6.0,
            language: Some("fr".into()),
            boost: Boost::default(),
            body_cap: 3,
            rules: vec![Rule { name: "any".into(), weight: 3.0, fields, pattern: Pattern::Any(terms.to_vec()) }],
            not: Vec::new(),
            source_bonus: BTreeMap::new(),
            sources: None,
            include: Vec::new(),
            exclude: Vec::new(),
        }])
    }

    fn check(entry: &Entry, source: &Source, verdict: &Verdict) {
        check_told(entry, Some(source), verdict);
    }

    fn check_told(entry: &Entry, source: Option<&Source>, verdict: &Verdict) {
        let plain = Plain::of(entry);
        let judgements = judgements(&matcher(), entry, &plain, "education", source);
        assert_eq!(&judgements[0].verdict, verdict, "{judgements:?}");
        let labels = labels(&matcher(), entry, &plain, "education", source);
        assert_eq!(labels.len(), usize::from(*verdict == Verdict::In));
    }

    #[test]
    fn a_publishers_tag_alone_gets_an_entry_in() {
        check(&tagged(labelled("École numérique")), &source(), &Verdict::In);
        check(&tagged(Category { term: "Numérique éducatif".into(), ..Category::default() }), &source(), &Verdict::In);
        check(&tagged(labelled("Justice")), &source(), &Verdict::BelowThreshold);
    }

    #[test]
    fn an_empty_label_is_no_name_of_a_tag() {
        let category = Category { term: "école numérique".into(), label: Some(" ".into()), scheme: None };
        check(&tagged(category), &source(), &Verdict::In);
    }

    #[test]
    fn the_operators_tags_count_as_the_publishers() {
        let source = Source { tags: vec!["numérique éducatif".into()], ..source() };
        check(&tagged(labelled("Actualités")), &source, &Verdict::In);
    }

    #[test]
    fn a_source_for_other_topics_stays_out() {
        let source = Source { topics: Some(vec!["laicite".into()]), ..source() };
        check(&tagged(labelled("École numérique")), &source, &Verdict::OtherSource);
    }

    #[test]
    fn an_entry_of_a_former_source_may_be_in_every_topic() {
        check_told(&tagged(labelled("École numérique")), None, &Verdict::In);
        check_told(&tagged(labelled("Justice")), None, &Verdict::BelowThreshold);
    }

    #[test]
    fn markup_parts_words_as_people_see_them() {
        let content = "<h2>École</h2><p>Num&eacute;rique <b>&eacute;du</b>catif</p><script>école numérique</script>";
        let entry = Entry { content: Some(content.into()), ..Entry::default() };
        let fields = fields(&entry, &Plain::of(&entry), "education", None);
        assert_eq!(fields.lead.as_str(), "École Numérique éducatif");
    }

    #[test]
    fn comments_are_not_the_entrys_text() {
        let mut entry = tagged(labelled("Actualités"));
        entry.comments.url = Url::parse("https://education.example/ecole-numerique#comments").ok();
        check(&entry, &source(), &Verdict::BelowThreshold);
    }

    #[test]
    fn boilerplate_of_blog_software_is_not_the_entrys_text() {
        let signature = "L’article Un plan est apparu en premier sur École numérique.";
        let content = Some(format!("<p>Un texte.</p><p>{signature}</p>"));
        let entry = Entry { title: Some("Un plan".into()), content, ..Entry::default() };
        check(&entry, &source(), &Verdict::BelowThreshold);
    }
}
