//! Stories and the months that hold them.

use super::*;

#[test]
fn candidates_share_a_recent_clue_or_a_lasting_one() {
    check(|store| {
        let number = store.insert("education", &prepared("a"), None, noon()).unwrap();
        store.insert("education", &prepared("b"), None, noon()).unwrap();
        let Clues { recent, lasting } = prepared("a").identity.clues;
        let recent = Clues { recent, lasting: Vec::new() };
        let lasting = Clues { recent: Vec::new(), lasting };
        let mut found = |clues: &Clues, since| {
            let found = store.candidates(clues, since).unwrap();
            found.iter().map(|entry| entry.number).collect::<Vec<_>>()
        };
        let [before, later] = [TimeDelta::days(200), -TimeDelta::seconds(1)].map(|before| noon() - before);
        assert_eq!(
            (found(&recent, before), found(&recent, noon()), found(&recent, later)),
            (vec![number], vec![number], vec![])
        );
        assert_eq!(found(&lasting, later), [number]);
    });
}

#[test]
fn a_phrase_that_many_entries_have_is_no_clue() {
    check(|store| {
        for number in 0..=u8::try_from(COMMON_CLUE).unwrap() {
            let mut one = prepared("a");
            one.identity.key = EntryKey([number; 16]);
            one.identity.clues.recent = vec![2, 3];
            store.insert("education", &one, None, noon()).unwrap();
        }
        let mut found =
            |clue: i64| store.candidates(&Clues { recent: vec![clue], lasting: Vec::new() }, noon()).unwrap().len();
        assert_eq!((found(2), found(3)), (0, COMMON_CLUE + 1));
    });
}

#[test]
fn a_corrected_head_shows_its_own_text_until_the_others_follow() {
    check(|store| {
        let long = |words: &str| {
            let mut telling = prepared("b");
            telling.entry.content = Some(words.to_owned());
            telling
        };
        let head = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let telling =
            store.insert("culture", &long("Un texte bien plus long, de douze millions"), Some(head), noon()).unwrap();
        let shown = |store: &mut dyn Store| {
            let story = newest(store, "numerique", 9).remove(0);
            (story.text.is_some(), story.head.changed)
        };
        assert_eq!(shown(store), (true, None));
        let after = |hours| Some(noon() + TimeDelta::hours(hours));
        store.update(head, &prepared("a"), after(1)).unwrap();
        assert_eq!(shown(store), (false, after(1)));
        store.update(telling, &long("Un texte bien plus long, de neuf millions"), after(2)).unwrap();
        assert_eq!(shown(store), (true, after(2)), "what is shown has changed");
    });
}

#[test]
fn candidates_bring_the_head_of_their_story_with_them() {
    check(|store| {
        let head = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let telling = store.insert("culture", &prepared("b"), Some(head), noon()).unwrap();
        let found = store.candidates(&prepared("b").identity.clues, noon()).unwrap();
        assert_eq!(found.iter().map(|entry| entry.number).collect::<Vec<_>>(), [head, telling]);
    });
}

#[test]
fn a_topic_shows_each_story_once_with_all_its_tellings() {
    check(|store| {
        let head = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let mut second = prepared("b");
        second.entry.content = Some("<p>Un texte bien plus long que celui de la tête, pour les lecteurs.</p>".into());
        store.insert("culture", &second, Some(head), noon()).unwrap();
        let stories = newest(store, "numerique", 10);
        let [story] = stories.as_slice() else { panic!("one story, not {}", stories.len()) };
        assert_eq!(story.head.atom_id, "urn:a");
        assert_eq!(
            story.tellings.iter().map(|telling| &*telling.source_id).collect::<Vec<_>>(),
            ["education", "culture"]
        );
        assert_eq!(story.text.clone().unwrap().1, second.entry.content);
    });
}

#[test]
fn a_month_holds_the_stories_whose_heads_are_of_it_and_its_stamp_changes_with_them() {
    check(|store| {
        let october = Month { year: 2026, month: 10 };
        let november = Month { year: 2026, month: 11 };
        let mut old = prepared("a");
        old.entry.published = Some(october.start());
        let head = store.insert("education", &old, None, noon()).unwrap();
        store.insert("education", &prepared("b"), None, noon()).unwrap();
        let stamps = |store: &mut dyn Store| months(store);
        let before = stamps(store);
        assert_eq!(before.iter().map(|(month, _)| *month).collect::<Vec<_>>(), [october, november]);
        let titles = |store: &mut dyn Store, month| -> Vec<String> {
            shown_of(store, "numerique", Part::Month(month))
                .into_iter()
                .filter_map(|story| story.head.entry.title)
                .collect()
        };
        assert_eq!((titles(store, october), titles(store, november)), (vec!["a".into()], vec!["b".into()]));
        // Told again in November, it stays a story of October.
        store.insert("culture", &prepared("c"), Some(head), noon()).unwrap();
        assert_eq!((titles(store, october), titles(store, november)), (vec!["a".into()], vec!["b".into()]));
        let after = stamps(store);
        assert_ne!(before[0].1, after[0].1, "another telling is shown");
        assert_eq!(before[1].1, after[1].1, "the other month is as it was");
    });
}

#[test]
fn stamps_stay_when_labels_do() {
    check(|store| {
        let number = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let before = months(store);
        store.relabel(&[(number, prepared("a").labels)], "rules 2").unwrap();
        assert_eq!(months(store), before);
        store.relabel(&[(number, Vec::new())], "rules 3").unwrap();
        assert_eq!(months(store), []);
    });
}

#[test]
fn a_corrected_date_moves_a_story_to_another_month() {
    check(|store| {
        let number = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let mut corrected = prepared("a");
        corrected.entry.published = Some(noon() - TimeDelta::days(60));
        store.update(number, &corrected, None).unwrap();
        let months: Vec<Month> = months(store).into_iter().map(|(month, _)| month).collect();
        assert_eq!(months, [Month { year: 2026, month: 9 }]);
        assert_eq!(shown_of(store, "numerique", Part::Month(months[0])).len(), 1);
    });
}
