use std::path::Path;
use std::time::Duration;

use super::keys::TABLES;
use super::table::{Absent, Key, Wanted, in_bytes, in_words};
use super::*;
use crate::topic::{Boost, Field, Pattern, Term};

const EXAMPLE: &str = include_str!("../../config.toml");

fn config(text: &str) -> Config {
    parse(text, Path::new("config.toml")).unwrap_or_else(|invalid| panic!("{invalid}"))
}

/// Checks the whole report that a user sees.
#[track_caller]
fn check(text: &str, seen: &str) {
    let report = match parse(text, Path::new("config.toml")) {
        Ok(config) => config.warnings,
        Err(Invalid(diagnosis)) => diagnosis,
    };
    let rendered = report.render(false);
    let trimmed: Vec<&str> = rendered.lines().map(str::trim_end).collect();
    assert_eq!(trimmed.join("\n"), seen.trim_matches('\n'));
}

#[test]
fn the_example_is_valid_without_a_warning() {
    let config = config(EXAMPLE);
    assert_eq!(config.warnings.render(false), "");
    assert!(config.sources.len() >= 25, "{} feeds", config.sources.len());
    let ids: Vec<&str> = config.topics.iter().map(|topic| topic.id.as_str()).collect();
    assert_eq!(ids[..3], ["numerique-educatif", "laicite", "harcelement-scolaire"]);
}

/// The keys that the example shows: table, key, the rest of the line, whether it is commented out.
fn shown() -> Vec<(String, String, String, bool)> {
    let mut table = String::new();
    let mut shown = Vec::new();
    for line in EXAMPLE.lines() {
        let (line, is_comment) = line.strip_prefix("# ").map_or((line, false), |line| (line, true));
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, rest)) = line.split_once(" = ")
            && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        {
            shown.push((table.clone(), key.to_owned(), rest.to_owned(), is_comment));
        }
    }
    shown
}

/// Checks that the example tells each key so that `tells` finds it in the rest of one of its lines.
#[track_caller]
fn check_example(tells: impl Fn(&Key, &str, bool) -> bool) {
    let shown = shown();
    for table in TABLES.iter().filter(|table| table.written.starts_with('[')) {
        for key in table.keys().filter(|key| key.name != "rule") {
            let mut lines = shown.iter().filter(|(within, name, ..)| within == table.name() && name == key.name);
            let is_told = lines.any(|(.., rest, is_comment)| tells(key, rest, *is_comment));
            assert!(is_told, "config.toml does not tell `{}.{}`", table.name(), key.name);
        }
    }
    for table in TABLES.iter().filter(|table| table.written.contains(" = ")) {
        let (.., rest, _) = shown.iter().find(|(_, name, ..)| name == table.name()).unwrap();
        for key in table.keys() {
            let (_, own) = rest.split_once(&format!("{} = ", key.name)).unwrap();
            assert!(tells(key, own, true), "config.toml does not tell `{}.{}`", table.name(), key.name);
        }
    }
}

#[test]
fn the_example_shows_every_key_with_its_default() {
    check_example(|key, rest, is_comment| match key.absent {
        Absent::Default(default) => {
            (is_comment && rest.starts_with(default)) || rest.ends_with(&format!("default {default}"))
        }
        Absent::Means(_) | Absent::Refused => true,
    });
}

#[test]
fn the_example_tells_every_range() {
    check_example(|key, rest, _| match key.wanted {
        _ if matches!(key.absent, Absent::Means(text) if text.starts_with("that of")) => true,
        Wanted::Described(_) => true,
        Wanted::Whole(_, max) => rest.contains(&format!("to {max}")),
        Wanted::Decimal(_, max) => rest.contains(&format!("to {max}")),
        Wanted::Duration(_, max) => rest.contains(&format!("to {}", in_words(max))),
        Wanted::Size(_, max) => rest.contains(&format!("to {}", in_bytes(max))),
    });
}

#[test]
fn the_reference_is_made_from_the_keys() {
    let made = include_str!("../../docs/config.md") == reference();
    assert!(made, "write it again: `cargo run -- check --keys > docs/config.md`");
}

#[test]
fn the_boosts_that_the_reference_tells_are_those_of_topics() {
    let usual = Boost::default();
    let told = super::keys::BoostTable::TABLE.keys().map(|key| match key.absent {
        Absent::Means(text) => text.trim_matches('`').parse().unwrap(),
        Absent::Default(_) | Absent::Refused => panic!("{}", key.name),
    });
    assert_eq!(told.collect::<Vec<f64>>(), [usual.title, usual.lead, usual.head, usual.body, usual.tags]);
}

#[test]
fn every_commented_key_of_the_example_can_be_set() {
    let is_key = |line: &str| {
        line.starts_with('[')
            || line.split_once(" = ").is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
    };
    let uncommented = |line: &'static str| line.strip_prefix("# ").filter(|line| is_key(line)).unwrap_or(line);
    // A database takes the place of the file.
    let lines = EXAMPLE.lines().filter(|line| *line != "# path = \"data/veille.db\"");
    let text = lines.map(uncommented).collect::<Vec<_>>().join("\n");
    let config = config(&text);
    assert_eq!(config.warnings.render(false), "");
    assert_eq!(config.topics.len(), 8);
}

#[test]
fn every_default_can_be_written() {
    // Each key alone, set to its default, in an otherwise empty config.
    for table in TABLES {
        for key in table.keys() {
            let Absent::Default(default) = key.absent else { continue };
            let more = match table.name() {
                "feed" => "url = \"https://a.example/\"\n",
                "topic" => "id = \"a\"\nany = [\"mot\"]\n",
                "topic.rule" if key.name == "within" => "near = [[\"un\"], [\"deux\"]]\n",
                "topic.rule" => "any = [\"mot\"]\n",
                "post" => {
                    "id = \"a\"\ntopics = [\"a\"]\nto = \"mastodon\"\nserver = \"https://a.example/\"\ntoken = \"a\"\n"
                }
                _ => "",
            };
            let around = match table.name() {
                "topic.rule" => "[[topic]]\nid = \"a\"\n",
                "post" => "[[topic]]\nid = \"a\"\nany = [\"mot\"]\n",
                _ => "",
            };
            config(&format!("{around}{}\n{more}{} = {default}\n", table.written, key.name));
        }
    }
}

#[test]
fn an_empty_file_is_a_config() {
    let config = config("");
    assert_eq!(config.site.url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(config.store.path, Path::new("data/veille.db"));
    assert_eq!(config.serve.listen, Some(Listen::Tcp("127.0.0.1:8080".parse().unwrap())));
    assert_eq!(config.poll.timeout, Duration::from_secs(30));
    assert_eq!(config.poll.body_bytes_max, 10 << 20);
    assert_eq!(config.poll.postpone_max, Duration::from_hours(24));
    assert_eq!(config.poll.schedule.text(), "0 * * * *");
}

#[test]
fn a_topic_is_limited_to_listed_feeds_and_those_with_a_tag() {
    let feed =
        |id: &str, tags: &str| format!("[[feed]]\nid = '{id}'\nurl = 'https://{id}.example/'\ntags = [{tags}]\n");
    let topic = "[[topic]]\nid = 't'\nany = ['mot']\nfrom = ['c']\nfrom_tags = ['presse']\n";
    let config = config(&format!("{}{}{}{topic}", feed("a", "'presse'"), feed("b", ""), feed("c", "")));
    assert_eq!(config.topics[0].sources, Some(vec!["c".to_owned(), "a".to_owned()]));
}

#[test]
fn one_feed_and_one_topic_are_enough() {
    let config =
        config("[[feed]]\nurl = 'https://www.education.gouv.fr/rss.xml'\n[[topic]]\nid = 'a'\nany = ['mot']\n");
    assert_eq!(config.sources[0].id, "education");
    assert_eq!(config.topics[0].title, "a");
    assert_eq!(config.topics[0].threshold.to_string(), "6");
    assert_eq!(config.topics[0].language.as_deref(), Some("fr"));
}

#[test]
fn relative_paths_are_relative_to_the_file() {
    let text = "[store]\npath = 'veille.db'\n[publish]\ndirectory = '/srv/feeds'";
    let config = parse(text, Path::new("/etc/veille/config.toml")).unwrap();
    assert_eq!(config.store.path, Path::new("/etc/veille/veille.db"));
    assert_eq!(config.publish.directory, Path::new("/srv/feeds"));
}

#[test]
fn the_address_of_the_site_ends_with_a_slash() {
    assert_eq!(config("[site]\nurl = 'https://a.example/veille'").site.url.as_str(), "https://a.example/veille/");
}

#[test]
fn nothing_to_listen_on_means_files_only() {
    assert_eq!(config("[serve]\nlisten = ''").serve.listen, None);
}

#[test]
fn a_feed_has_its_own_schedule_or_that_of_all() {
    let config = config(
        "[poll]\nschedule = '@daily'\ntimezone = 'Indian/Reunion'\n\
         [[feed]]\nurl = 'https://a.example/'\n[[feed]]\nurl = 'https://b.example/'\nschedule = '@hourly'",
    );
    let schedules: Vec<String> = config.sources.iter().map(|source| format!("{:?}", source.schedule)).collect();
    assert_eq!(schedules, ["Schedule(\"@daily\", Indian/Reunion)", "Schedule(\"@hourly\", Indian/Reunion)"]);
}

#[test]
fn the_zone_of_the_schedules_is_that_of_the_sites_days() {
    assert_eq!(config("[poll]\ntimezone = 'Indian/Reunion'").site.zone, chrono_tz::Indian::Reunion);
    assert_eq!(config("").site.zone, chrono_tz::Europe::Paris);
}

#[test]
fn addresses_with_parentheses_brackets_and_accents_are_fine() {
    let config = config(
        "[[feed]]\nurl = 'https://a.example/ID_420120/(type)/instance'\n\
         [[feed]]\nurl = 'https://b.example/rss.xml?discipline[0]=Mathématiques'",
    );
    assert_eq!(config.sources[0].url.as_str(), "https://a.example/ID_420120/(type)/instance");
    assert_eq!(config.sources[1].url.as_str(), "https://b.example/rss.xml?discipline[0]=Math%C3%A9matiques");
}

#[test]
fn lines_may_end_as_on_windows_and_begin_with_a_mark() {
    assert_eq!(config("\u{feff}[site]\r\ntitle = 'Veille'\r\n").site.title, "Veille");
}

fn topic(text: &str) -> Topic {
    config(text).topics.remove(0)
}

#[test]
fn the_short_form_becomes_rules() {
    let topic = topic("[[topic]]\nid = 'a'\nany = ['un', 'deux']\nnear = [['un'], ['deux']]\nnot = ['trois']");
    let terms = |words: &[&str]| words.iter().map(|word| Term::parse(word).unwrap()).collect::<Vec<_>>();
    assert_eq!(topic.not, terms(&["trois"]));
    let [any, near] = &topic.rules[..] else { panic!("{:?}", topic.rules) };
    assert_eq!(format!("{} {}", any.name, any.weight), "un, deux 3");
    assert_eq!(any.fields, [Field::Title, Field::Lead, Field::Body, Field::Tags]);
    assert_eq!(any.pattern, Pattern::Any(terms(&["un", "deux"])));
    assert_eq!(format!("{} {}", near.name, near.weight), "un ~ deux 3");
    assert_eq!(near.fields, [Field::Title, Field::Head]);
    assert_eq!(near.pattern, Pattern::Near { left: terms(&["un"]), right: terms(&["deux"]), within: 12 });
}

#[test]
fn a_topic_changes_the_defaults_in_part() {
    let text = "[topic_defaults]\nthreshold = 4\nboost = { title = 5 }\nlang = 'en'\n\
                [[topic]]\nid = 'a'\nany = ['mot']\nlang = ''\nboost = { body = 2.5 }";
    let topic = topic(text);
    assert_eq!(topic.language, None);
    assert_eq!(
        format!("{:?}", [topic.threshold, topic.boost.title, topic.boost.body, topic.boost.lead]),
        "[4.0, 5.0, 2.5, 2.0]"
    );
}

fn words_of(text: &str) -> Vec<String> {
    match &topic(text).rules[0].pattern {
        Pattern::Any(terms) => terms.iter().map(|term| term.written.clone()).collect(),
        Pattern::Near { .. } => panic!("no any"),
    }
}

#[test]
fn a_list_replaces_the_shipped_one_of_its_name() {
    let text = "[lexicon]\nnum = ['un']\n[[topic]]\nid = 'a'\nany = ['@num', 'deux', 'un']";
    assert_eq!(words_of(text), ["un", "deux"]);
}

#[test]
fn a_list_that_holds_its_own_name_extends_the_shipped_one() {
    let words = words_of("[lexicon]\nsup = ['@sup', 'un']\n[[topic]]\nid = 'a'\nany = ['@sup']");
    assert!(words.len() > 2 && words.contains(&"crous".to_owned()) && words.contains(&"un".to_owned()), "{words:?}");
}

#[test]
fn lists_may_hold_lists() {
    let text = "[lexicon]\na = ['@b', 'un']\nb = ['deux']\n[[topic]]\nid = 'a'\nany = ['@a']";
    assert_eq!(words_of(text), ["deux", "un"]);
}

#[test]
fn lists_that_double_again_and_again_stay_small() {
    let lists: Vec<String> = (1..30).map(|n| format!("l{n} = ['@l{0}', '@l{0}']", n - 1)).collect();
    let lists = lists.join("\n");
    let text = format!("[lexicon]\nl0 = ['un']\n{lists}\n[[topic]]\nid = 'a'\nany = ['@l29']");
    assert_eq!(words_of(&text), ["un"]);
}

#[test]
fn feeds_of_one_host_get_different_ids_and_a_warning() {
    let config = config(
        "[[feed]]\nurl = 'https://www.senat.fr/rss/textes.rss'\n[[feed]]\nurl = 'https://www.senat.fr/rss/presse.rss'\n\
         [[feed]]\nurl = 'https://www.senat.fr/rss/presse.xml'",
    );
    let ids: Vec<&str> = config.sources.iter().map(|source| source.id.as_str()).collect();
    assert_eq!(&ids[..2], ["senat", "senat-presse"]);
    assert!(ids[2].starts_with("senat-") && ids[2].len() == 14, "{}", ids[2]);
    assert_eq!(config.warnings.diagnostics.len(), 2);
}

#[test]
fn a_file_that_cannot_be_read_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let seen = |path: &Path| load(path).map(|_| ()).unwrap_err().to_string().replace(&*path.to_string_lossy(), "PATH");
    assert!(seen(folder.path()).starts_with("error: this is a folder, not a config file\n--> PATH\n"));
    assert!(seen(&folder.path().join("no.toml")).starts_with("error: there is no such config file\n--> PATH\n"));
    let latin = folder.path().join("latin.toml");
    std::fs::write(&latin, b"[site]\ntitle = \"\xe9ducation\"\n").unwrap();
    let seen = seen(&latin);
    assert!(seen.starts_with("error: the file is not UTF-8 from here on\n --> PATH:2:10\n"), "{seen}");
}

#[test]
fn a_summary_names_the_first_error_and_counts_the_rest() {
    let Err(Invalid(report)) = parse("[site]\ntitel = 'a'\nurl = 1\n", Path::new("config.toml")) else { panic!() };
    assert_eq!(report.summary(), "config.toml:2:1: unknown key `titel` in `site` (and 1 more)");
    let text = "titel = 1\n[[feed]]\nurl = 'https://a.example/'\n[[topic]]\nid = 'a'\ntitle = 'A'\nany = ['ENT']\n";
    let Err(Invalid(report)) = parse(text, Path::new("config.toml")) else { panic!() };
    assert_eq!(report.diagnostics.len(), 2, "a warning too");
    assert_eq!(report.summary(), "config.toml:1:1: unknown key `titel`");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "(\\[\\[?(site|poll|feed|topic|topic.rule|lexicon)\\]?\\]\n|(url|id|any|near|in|schedule|num|sources) = |\\[|\\]|\\{|\\}|\"@?[a-z é*=]{0,4}\"|[0-9.]{1,4}|,|\n){0,30}") {
        let _ = parse(&text, Path::new("config.toml")).map_err(|invalid| invalid.render(true));
    }
}

mod mistakes;
mod posts;
mod rules;
mod warnings;

#[test]
fn a_post_takes_the_defaults_of_its_target_and_the_zone_of_polls() {
    let text = "[poll]\ntimezone = 'America/Martinique'\n[[topic]]\nid = 'ecole'\nany = ['école']\n[[post]]\nid = 'a'\n\
                topics = ['ecole']\nto = 'mail'\nfrom = 'v@a.example'\nrecipients = ['b@b.example']\n\
                schedule = '0 7 * * mon'\n[[post]]\nid = 'b'\ntopics = ['ecole']\nto = 'mail'\nfrom = 'v@a.example'\n\
                recipients = ['b@b.example']\nschedule = '0 7 * * mon'\ntimezone = 'Europe/Paris'\nserver = 'smtp://[::1]'";
    let posts = config(text).posts;
    let zone = |post: &Post| (post.zone, post.target.digest().unwrap().zone());
    assert_eq!(zone(&posts[0]), (chrono_tz::America::Martinique, chrono_tz::America::Martinique));
    assert_eq!(zone(&posts[1]), (chrono_tz::Europe::Paris, chrono_tz::Europe::Paris));
    let relay = |post: &Post| match &post.target {
        Target::Mail { relay, .. } => relay.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(relay(&posts[0]), MailRelay::Sendmail);
    assert_eq!(relay(&posts[1]), MailRelay::Smtp { host: "::1".into(), port: 25 });
    assert_eq!((posts[0].wait.num_minutes(), posts[0].too_old.num_days(), posts[0].edits), (15, 2, false));
}
