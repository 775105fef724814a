//! Writing: all or nothing, on what was seen, and what a change does to the generation.

use super::*;

#[test]
fn changes_are_kept_all_or_none() {
    check(|store| {
        let before = generation(store);
        let taken =
            [insertion(1, "education", 1, &prepared("a"), noon()), insertion(1, "x", 1, &prepared("b"), noon())];
        assert!(matches!(store.apply(&taken, None), Err(StoreError::Failed { .. })));
        assert_eq!((held(store, Which::Newest), generation(store)), (Vec::new(), before));
        assert_eq!(look(store, Inquiry::default()).next_number, 1);
    });
}

#[test]
fn what_fails_after_an_edit_takes_the_edit_back() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        let before = stamps(store, "numerique");
        let edited = Prepared { labels: Vec::new(), ..prepared("b") };
        let changes = [
            Change::Leave { numbers: vec![a], now: noon() },
            update(a, &edited),
            insertion(a, "x", a, &edited, noon()),
        ];
        store.apply(&changes, None).unwrap_err();
        assert_eq!(entry(store, a).unwrap().unwrap().entry, prepared("a").entry);
        assert_eq!((shown(store, "numerique"), stamps(store, "numerique")), (vec![a], before));
        let asked = Inquiry { listings: BTreeSet::from(["education".into()]), ..Inquiry::default() };
        assert_eq!(look(store, asked).listings["education"].len(), 1);
    });
}

/// Makes every commit fail that inserted into, or deleted from, this table.
fn spoil(file: &Kept, event: &str) {
    if !file.is_file() {
        return file.run(&format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'spoilt'; END $$;
             CREATE CONSTRAINT TRIGGER spoil AFTER {event} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
                EXECUTE FUNCTION refuse()"
        ));
    }
    file.run(&format!(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER spoil AFTER {event} BEGIN INSERT INTO child VALUES (7); END"
    ));
}

#[test]
fn a_commit_that_fails_is_an_error_and_keeps_nothing() {
    check_kept(|file| {
        spoil(file, "INSERT ON entry");
        let before = generation(&mut *file.store);
        let insertion = [insertion(1, "education", 1, &prepared("a"), noon())];
        assert!(matches!(file.store.apply(&insertion, None), Err(StoreError::Failed { .. })));
        assert_eq!((held(&mut *file.store, Which::Newest), generation(&mut *file.store)), (Vec::new(), before));
        file.run(if file.is_file() { "DROP TRIGGER spoil" } else { "DROP TRIGGER spoil ON entry" });
        assert_eq!(file.store.apply(&insertion, Some(before)).unwrap(), Applied::Kept, "the store goes on");
    });
}

#[test]
fn a_drop_whose_commit_fails_is_an_error_and_drops_nothing() {
    check_kept(|file| {
        let a = insert(&mut *file.store, "education", &prepared("a"));
        spoil(file, "DELETE ON entry");
        assert!(matches!(file.store.drop_before(hour(24), &[], 9), Err(StoreError::Failed { .. })));
        assert_eq!(shown(&mut *file.store, "numerique"), [a]);
    });
}

#[test]
fn labels_whose_drop_fails_at_its_commit_stay() {
    check_kept(|file| {
        insert(&mut *file.store, "education", &prepared("a"));
        apply(&mut *file.store, &[Change::BeginRules("rules 2".into()), Change::FinishRules]);
        spoil(file, "DELETE ON labelled");
        let failed = (0..9).find_map(|_| file.store.drop_labels(9).err());
        assert!(matches!(failed, Some(StoreError::Failed { .. })));
        assert_eq!(file.numbers("SELECT count(*) FROM labelled"), [1]);
    });
}

#[test]
fn what_was_decided_on_an_older_moment_is_a_conflict_and_not_written() {
    check(|store| {
        let seen = look(store, Inquiry::default()).generation;
        insert(store, "education", &prepared("a"));
        let now = generation(store);
        let late = [insertion(2, "education", 2, &prepared("b"), noon())];
        assert_eq!(store.apply(&late, Some(seen)).unwrap(), Applied::Conflict);
        assert_eq!((held(store, Which::Newest).len(), generation(store)), (1, now));
        assert_eq!(store.apply(&late, Some(now)).unwrap(), Applied::Kept);
        assert_eq!(held(store, Which::Newest).len(), 2);
    });
}

#[test]
fn another_process_that_wrote_in_between_makes_a_conflict_too() {
    check_kept(|file| {
        let seen = generation(&mut *file.store);
        insert(&mut *file.another(), "education", &prepared("a"));
        assert_eq!(file.store.apply(&[Change::Labelled(1)], Some(seen)).unwrap(), Applied::Conflict);
    });
}

#[test]
fn what_depends_on_no_moment_is_written_whatever_has_changed() {
    check(|store| {
        insert_all(store, ["a", "b"]);
        apply(store, &[insertion(9, "education", 9, &prepared("c"), noon())]);
        assert_eq!(held(store, Which::Newest).len(), 3);
    });
}

#[test]
fn the_generation_grows_with_everything_that_can_be_seen() {
    check(|store| {
        let [a, b] = insert_all(store, ["a", "b"]);
        let (numbers, now) = (vec![a], noon());
        let turn = Turn { of: Monitored::Source("x".into()), date: now, health: Health::Gone, detail: None };
        let changes = vec![
            Change::Turn(turn),
            Change::Announced(Announcement::default()),
            insertion(9, "education", 9, &prepared("c"), now),
            update(a, &prepared("a")),
            Change::Move { number: b, story: a, joined: None },
            Change::Bind(Bond::new(a, b, true)),
            Change::Relate { topic: "numerique".into(), story: a, others: Vec::new() },
            Change::Leave { numbers: numbers.clone(), now },
            Change::Miss { numbers: numbers.clone(), since: Some(now) },
            Change::Withdraw { numbers, now },
            Change::Relist { number: a, changed: None },
            label(a, "a", &["laicite"]),
            Change::FinishRules,
        ];
        for change in changes {
            let before = generation(store);
            apply(store, std::slice::from_ref(&change));
            assert!(generation(store) > before, "{change:?}");
        }
        let before = generation(store);
        assert!(store.drop_before(hour(24), &[], 9).unwrap() > 0);
        assert!(generation(store) > before);
    });
}

#[test]
fn what_nobody_sees_leaves_the_generation_as_it_is() {
    check(|store| {
        let a = insert_all(store, ["a"])[0];
        let before = generation(store);
        let throttle = Throttle { host: "a".into(), until: hour(1) };
        apply(store, &[Change::Source(Box::default()), Change::Throttle { throttle, now: noon() }]);
        apply(store, &[label(a, "a", &["numerique"])]);
        let sketch = Change::Sketch { number: a, clues: Clues::default(), sketch: Vec::new() };
        apply(
            store,
            &[
                Change::TellingWords { number: a, telling_words: TellingWords::default() },
                sketch,
                Change::Rebuilt(None),
            ],
        );
        apply(store, &[Change::BeginRules("rules 2".into()), label(a, "a", &["laicite"]), Change::Labelled(a)]);
        apply(store, &[]);
        assert_eq!(generation(store), before);
    });
}

#[test]
fn a_store_put_back_from_a_backup_never_repeats_a_generation() {
    check_file(|file| {
        let copy = file.path.with_file_name("copy.db");
        insert(&mut file.store, "education", &prepared("a"));
        file.store.backup(&copy).unwrap();
        let later = |store: &mut dyn Store| {
            ["b", "c", "d"].map(|name| {
                insert(store, "education", &prepared(name));
                generation(store)
            })
        };
        assert_ne!(later(&mut file.store), later(&mut Sqlite::open(&copy).unwrap()));
    });
}
