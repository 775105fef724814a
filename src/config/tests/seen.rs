//! Diagnostics as users see them, whole.

use std::path::Path;

use super::check;
use crate::config::{Invalid, parse};

#[test]
fn an_unknown_key_names_the_nearest_and_all_problems_are_told() {
    check(
        r#"[site]
titel = "Veille"

[poll]
timeout = 30
concurrency = 0
"#,
        r#"
error: unknown key `titel` in `site`
 --> config.toml:2:1
  |
2 | titel = "Veille"
  | ^^^^^
  |
  = help: did you mean `title`?

error: `timeout` must be a duration from 1 second to 1 hour
 --> config.toml:5:11
  |
5 | timeout = 30
  |           ^^
  |
  = help: write the unit: `"30s"`, `"30m"`, `"30h"`

error: `concurrency` must be a whole number from 1 to 1024
 --> config.toml:6:15
  |
6 | concurrency = 0
  |               ^
"#,
    );
}

#[test]
fn a_key_in_the_wrong_table_is_sent_home() {
    check(
        r#"schedule = "@daily"

[serve]
timeout = "30s"
"#,
        r#"
error: unknown key `schedule`
 --> config.toml:1:1
  |
1 | schedule = "@daily"
  | ^^^^^^^^
  |
  = help: `schedule` is a key of `poll`

error: unknown key `timeout` in `serve`
 --> config.toml:4:1
  |
4 | timeout = "30s"
  | ^^^^^^^
  |
  = help: `timeout` is a key of `poll`
"#,
    );
}

#[test]
fn a_fault_in_a_schedule_says_what_to_write() {
    check(
        r#"[poll]
schedule = "0 0 6 * * *"

[[feed]]
url = "https://a.example/"
schedule = "0 6 * * 6-0"
"#,
        r#"
error: `schedule`: a crontab pattern has 5 fields, this has 6
 --> config.toml:2:12
  |
2 | schedule = "0 0 6 * * *"
  |            ^^^^^^^^^^^^^
  |
  = help: write minute, hour, day of month, month, weekday; there is no field for seconds or years

error: `schedule`: weekday `6-0` runs backwards
 --> config.toml:6:12
  |
6 | schedule = "0 6 * * 6-0"
  |            ^^^^^^^^^^^^^
  |
  = help: write two ranges: `22-23,0-5` for 22-5, `6-7` for Saturday and Sunday
"#,
    );
}

#[test]
fn a_feed_listed_twice_shows_both_places() {
    check(
        r#"[[feed]]
url = "https://a.example/rss"
id = "a"

[[feed]]
url = "https://A.example/rss#top"
id = "a"
"#,
        r#"
error: this feed is listed twice
 --> config.toml:6:7
  |
6 | url = "https://A.example/rss#top"
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
 ::: config.toml:2:7
  |
2 | url = "https://a.example/rss"
  |       ----------------------- first here
  |
  = help: take one of them out

error: the id `a` is used twice
 --> config.toml:7:6
  |
7 | id = "a"
  |      ^^^
  |
 ::: config.toml:3:6
  |
3 | id = "a"
  |      --- first here
  |
  = help: give one of them another id
"#,
    );
}

#[test]
fn a_feed_without_an_address_is_shown() {
    check(
        r#"[[feed]]
id = "a"
"#,
        r"
error: this feed has no `url`
 --> config.toml:1:1
  |
1 | [[feed]]
  | ^^^^^^^^
  |
  = help: add `url = …`: an address that begins with `https://` or `http://`
",
    );
}

#[test]
fn addresses_must_be_of_the_web_and_hold_no_password() {
    check(
        r#"[[feed]]
url = "www.education.gouv.fr/rss.xml"

[[feed]]
url = "file:///etc/passwd"

[[feed]]
url = "https://me:secret@a.example/"
"#,
        r#"
error: this address has no scheme
 --> config.toml:2:7
  |
2 | url = "www.education.gouv.fr/rss.xml"
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: write `https://www.education.gouv.fr/rss.xml`

error: scheme `file` cannot be polled
 --> config.toml:5:7
  |
5 | url = "file:///etc/passwd"
  |       ^^^^^^^^^^^^^^^^^^^^
  |
  = help: addresses begin with `https://` or `http://`

error: this address holds a password, and addresses are published
 --> config.toml:8:7
  |
8 | url = "https://me:secret@a.example/"
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: write `auth = { user = "…", password = { file = "…" } }` in the feed instead
"#,
    );
}

#[test]
fn an_unknown_topic_names_the_nearest() {
    check(
        r#"[[feed]]
url = "https://a.example/"
topics = ["laicité"]

[[topic]]
id = "laicite"
any = ["laïcité"]
"#,
        r#"
error: there is no topic `laicité`
 --> config.toml:3:11
  |
3 | topics = ["laicité"]
  |           ^^^^^^^^^
  |
  = help: did you mean `laicite`?
"#,
    );
}

#[test]
fn an_unknown_list_names_the_nearest() {
    check(
        r#"[[topic]]
id = "a"
near = [["@nums"], ["@ecoles"]]
"#,
        r#"
error: there is no list `nums`
 --> config.toml:3:10
  |
3 | near = [["@nums"], ["@ecoles"]]
  |          ^^^^^^^
  |
  = help: did you mean `num`?

error: there is no list `ecoles`
 --> config.toml:3:21
  |
3 | near = [["@nums"], ["@ecoles"]]
  |                     ^^^^^^^^^
  |
  = help: did you mean `ecole`?
"#,
    );
}

#[test]
fn lists_in_a_circle_are_shown() {
    check(
        r#"[lexicon]
a = ["@b"]
b = ["un", "@a"]

[[topic]]
id = "a"
any = ["@a", "@b"]
"#,
        r#"
error: `@a` holds itself
 --> config.toml:3:12
  |
3 | b = ["un", "@a"]
  |            ^^^^
  |
  = help: `@a` holds `@b` holds `@a`: take one of them out
"#,
    );
}

#[test]
fn faults_in_terms_are_shown_where_they_are() {
    check(
        r#"[[topic]]
id = "a"
any = [
  "numérique",
  "…",
  "c*",
  3,
]
"#,
        r#"
error: nothing of `…` is left to look for: it has no letter and no digit
 --> config.toml:5:3
  |
5 |   "…",
  |   ^^^

error: the prefix `c*` is too short: it needs 3 letters before the `*`
 --> config.toml:6:3
  |
6 |   "c*",
  |   ^^^^

error: a term must be a text in quotes, not a number
 --> config.toml:7:3
  |
7 |   3,
  |   ^
"#,
    );
}

#[test]
fn a_rule_needs_terms_and_fields_that_exist() {
    check(
        r#"[[topic]]
id = "a"

[[topic.rule]]
weight = 2

[[topic.rule]]
in = ["titel"]
any = []

[[topic.rule]]
near = [["un"]]
"#,
        r#"
error: this rule has no terms
 --> config.toml:4:1
  |
4 | [[topic.rule]]
  | ^^^^^^^^^^^^^^
  |
  = help: add `any = ["a word"]` or `near = [["a word"], ["another"]]`

error: there is no field `titel`
 --> config.toml:8:7
  |
8 | in = ["titel"]
  |       ^^^^^^^
  |
  = help: did you mean `title`?

error: this list of terms is empty
 --> config.toml:9:7
  |
9 | any = []
  |       ^^
  |
  = help: without terms nothing matches

error: `near` has two sides: a word of one near a word of the other
  --> config.toml:12:8
   |
12 | near = [["un"]]
   |        ^^^^^^^^
   |
   = help: write `near = [["@num"], ["@ecole"]]`
"#,
    );
}

#[test]
fn ids_become_addresses_so_they_are_plain_and_not_taken() {
    check(
        r#"[[topic]]
id = "Numérique éducatif"
any = ["mot"]

[[topic]]
id = "sources"
any = ["mot"]
"#,
        r#"
error: `id` must be made of `a` to `z`, `0` to `9` and `-`, at most 64 of them
 --> config.toml:2:6
  |
2 | id = "Numérique éducatif"
  |      ^^^^^^^^^^^^^^^^^^^^
  |
  = help: write `numerique-educatif`

error: no topic can have the id `sources`
 --> config.toml:6:6
  |
6 | id = "sources"
  |      ^^^^^^^^^
  |
  = help: its files would lie where others are published: write another word
"#,
    );
}

#[test]
fn one_pair_of_brackets_is_told_from_two() {
    check(
        r#"[feed]
url = "https://a.example/"

[[site]]
title = "a"
"#,
        r"
error: `feed` must be a list of tables, not a table
 --> config.toml:1:1
  |
1 | [feed]
  | ^^^^^^
  |
  = help: write `[[feed]]` with two pairs of brackets

error: `site` must be a table, not a list
 --> config.toml:4:1
  |
4 | [[site]]
  | ^^^^^^^^
  |
  = help: write `[site]` with one pair of brackets
",
    );
}

#[test]
fn a_table_that_is_written_inline_shows_how() {
    check(
        r"[topic_defaults]
boost = 3.0
",
        r"
error: `boost` must be a table, not a number
 --> config.toml:2:9
  |
2 | boost = 3.0
  |         ^^^
  |
  = help: write `boost = { title = 3.0 }`
",
    );
}

#[test]
fn a_key_of_the_wrong_type_tells_what_it_takes() {
    check(
        r#"[[feed]]
url = "https://a.example/"
topics = "laicite"
dedup = 1
"#,
        r#"
error: `topics` must be a list of topics by id: `["laicite"]`
 --> config.toml:3:10
  |
3 | topics = "laicite"
  |          ^^^^^^^^^

error: `dedup` must be `true` or `false`
 --> config.toml:4:9
  |
4 | dedup = 1
  |         ^
"#,
    );
}

#[test]
fn a_rule_with_two_patterns_is_told_with_the_faults_of_both() {
    check(
        r#"[[topic]]
id = "a"

[[topic.rule]]
any = ["c*"]
near = [["un"], []]
"#,
        r#"
error: the prefix `c*` is too short: it needs 3 letters before the `*`
 --> config.toml:5:8
  |
5 | any = ["c*"]
  |        ^^^^

error: a rule has either `any` or `near`
 --> config.toml:6:8
  |
6 | near = [["un"], []]
  |        ^^^^^^^^^^^^
  |
  = help: make two rules of it

error: this list of terms is empty
 --> config.toml:6:17
  |
6 | near = [["un"], []]
  |                 ^^
  |
  = help: without terms nothing matches
"#,
    );
}

#[test]
fn a_mistake_of_a_feed_hides_neither_its_tags_nor_its_id() {
    check(
        r#"[[feed]]
url = "https://a.example/"
id = "a"
tags = ["presse"]
user_agent = 3

[[topic]]
id = "t"
any = ["mot"]
from = ["a"]
from_tags = ["presse"]
"#,
        r"
error: `user_agent` must be a text in quotes
 --> config.toml:5:14
  |
5 | user_agent = 3
  |              ^
",
    );
}

#[test]
fn every_fault_of_the_syntax_is_told() {
    check(
        r#"[site]
title = "Veille
url = https://a.example/

[site]
"#,
        r#"
error: invalid basic string, expected `"`
 --> config.toml:2:16
  |
2 | title = "Veille
  |                ^
  |
  = help: close the quotes on the line on which they open

error: string values must be quoted, expected literal string
 --> config.toml:3:7
  |
3 | url = https://a.example/
  |       ^^^^^^^^^^^^^^^^^^
  |
  = help: write it in quotes

error: duplicate key
 --> config.toml:5:2
  |
5 | [site]
  |  ^^^^
  |
  = help: it stands above already; further feeds, topics and rules have two pairs of brackets: `[[topic]]`
"#,
    );
}

#[test]
fn of_a_list_that_swallows_the_rest_only_the_first_fault_is_told() {
    check(
        r#"[[topic]]
id = "a"
any = ["mot]
[[topic]]
id = "b"
any = ["mer"]
"#,
        r#"
error: invalid basic string, expected `"`
 --> config.toml:3:13
  |
3 | any = ["mot]
  |             ^
  |
  = help: close the quotes on the line on which they open
"#,
    );
    check(
        r#"[[topic]]
id = "a"
any = ["mot"
title = "A"
"#,
        r#"
error: missing comma between array elements, expected `,`
 --> config.toml:4:1
  |
4 | title = "A"
  | ^
  |
  = help: write `,` between two values, or `]` where the list ends
"#,
    );
}

#[test]
fn headers_must_be_headers() {
    check(
        r#"[[feed]]
url = "https://a.example/"
headers = { "X Y" = "1", Host = "b", X-Note = "é" }
"#,
        r#"
error: `X Y` is no name of a header
 --> config.toml:3:13
  |
3 | headers = { "X Y" = "1", Host = "b", X-Note = "é" }
  |             ^^^^^

error: header `Host` is set by veille itself
 --> config.toml:3:26
  |
3 | headers = { "X Y" = "1", Host = "b", X-Note = "é" }
  |                          ^^^^
  |
  = help: take it out

error: header `X-Note` cannot hold this value
 --> config.toml:3:47
  |
3 | headers = { "X Y" = "1", Host = "b", X-Note = "é" }
  |                                               ^^^
  |
  = help: write ASCII on one line
"#,
    );
}

#[test]
fn a_password_says_where_it_is() {
    check(
        r#"[poll]
proxy = "enviroment"
[[feed]]
url = "https://a.example/"
auth = { user = "a:b", password = { env = "X" } }
proxy = "socks5://127.0.0.1"
[[feed]]
url = "https://b.example/"
auth = "a:b"
[[feed]]
url = "https://c.example/"
auth = { user = "c", password = { file = "nowhere.pass" } }
[[feed]]
url = "https://d.example/"
auth = { user = "d" }
"#,
        r#"
error: `proxy` must be the address of a proxy, `{ file = "…" }`, `"environment"`, or `""` for none
 --> config.toml:2:9
  |
2 | proxy = "enviroment"
  |         ^^^^^^^^^^^^
  |
  = help: did you mean `environment`?

error: `user` cannot hold `:`, which parts name and password (RFC 7617)
 --> config.toml:5:17
  |
5 | auth = { user = "a:b", password = { env = "X" } }
  |                 ^^^^^

error: this must be a text in quotes, or where to find it
 --> config.toml:5:35
  |
5 | auth = { user = "a:b", password = { env = "X" } }
  |                                   ^^^^^^^^^^^^^
  |
  = help: write `"…"`, `{ file = "path" }` or `{ credential = "name" }` (systemd's `LoadCredential`)

error: `proxy` must be the address of a proxy, `{ file = "…" }`, `"environment"`, or `""` for none
 --> config.toml:6:9
  |
6 | proxy = "socks5://127.0.0.1"
  |         ^^^^^^^^^^^^^^^^^^^^
  |
  = help: SOCKS is not supported; most such proxies speak HTTP as well

error: `auth` must be a table, not a text
 --> config.toml:9:8
  |
9 | auth = "a:b"
  |        ^^^^^
  |
  = help: write `auth = { user = "…", password = { file = "…" } }`

warning: there is no file `nowhere.pass`
  --> config.toml:12:33
   |
12 | auth = { user = "c", password = { file = "nowhere.pass" } }
   |                                 ^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: paths are relative to the folder of this config

error: this auth has no `password`
  --> config.toml:15:8
   |
15 | auth = { user = "d" }
   |        ^^^^^^^^^^^^^^
   |
   = help: add `password = …`: a text in quotes, `{ file = "…" }` or `{ credential = "…" }`
"#,
    );
}

#[test]
fn an_acronym_that_folds_is_a_warning() {
    check(
        r#"[[topic]]
id = "a"
any = ["=TICE", "ENT"]
"#,
        r#"
warning: `ENT` matches `ent` too
 --> config.toml:3:17
  |
3 | any = ["=TICE", "ENT"]
  |                 ^^^^^
  |
  = help: write `=ENT` if only the acronym is meant
"#,
    );
}

#[test]
fn signs_that_no_word_holds_are_a_warning() {
    check(
        r#"[[topic]]
id = "a"
any = ["=C++", ".NET", "l'élève(s)", "m@gistère", "cyber*", "=R&D", "a.gouv.fr"]
"#,
        r#"
warning: only `C` of `=C++` is looked for
 --> config.toml:3:8
  |
3 | any = ["=C++", ".NET", "l'élève(s)", "m@gistère", "cyber*", "=R&D", "a.gouv.fr"]
  |        ^^^^^^
  |
  = help: signs before and after a word are not seen: leave them out, or add the words around it

warning: only `NET` of `.NET` is looked for
 --> config.toml:3:16
  |
3 | any = ["=C++", ".NET", "l'élève(s)", "m@gistère", "cyber*", "=R&D", "a.gouv.fr"]
  |                ^^^^^^
  |
  = help: signs before and after a word are not seen: leave them out, or add the words around it
"#,
    );
}

#[test]
fn a_topic_that_nothing_can_get_into_is_a_warning() {
    check(
        r#"[[topic]]
id = "a"
threshold = 20
any = ["mot"]
"#,
        r"
warning: nothing can get into topic `a`: all its rules give 9 points
 --> config.toml:3:13
  |
3 | threshold = 20
  |             ^^
  |
  = help: the threshold is 20: lower it, or raise a weight
",
    );
}

#[test]
fn a_topic_that_no_feed_gives_to_is_a_warning() {
    check(
        r#"[[feed]]
url = "https://a.example/"
topics = ["a"]

[[topic]]
id = "a"
any = ["mot"]

[[topic]]
id = "b"
any = ["mot"]
"#,
        r"
warning: no feed gives entries to topic `b`
 --> config.toml:9:1
  |
9 | [[topic]]
  | ^^^^^^^^^
  |
  = help: list it in the `topics` of a feed, or take that key out of one
",
    );
}

#[test]
fn a_rule_that_never_gives_a_point_is_a_warning() {
    check(
        r#"[[topic]]
id = "a"
any = ["mot"]
boost = { tags = 0.0 }

[[topic.rule]]
in = ["tags"]
any = ["autre"]
"#,
        r#"
warning: rule `autre` never gives a point
 --> config.toml:7:6
  |
7 | in = ["tags"]
  |      ^^^^^^^^
  |
  = help: the `boost` of its fields is 0: raise it, or look elsewhere
"#,
    );
}

#[test]
fn topics_and_feeds_that_a_topic_names_must_exist() {
    check(
        r#"[[feed]]
url = "https://a.example/"
id = "cnil"
tags = ["presse"]

[[topic]]
id = "laicite"
any = ["mot"]

[[topic]]
id = "a"
include = ["laicitee"]
exclude = ["a"]
from = ["cnill"]
from_tags = ["pressse"]
"#,
        r#"
error: there is no topic `laicitee`
  --> config.toml:12:12
   |
12 | include = ["laicitee"]
   |            ^^^^^^^^^^
   |
   = help: did you mean `laicite`?

error: topic `a` cannot exclude itself
  --> config.toml:13:12
   |
13 | exclude = ["a"]
   |            ^^^
   |
   = help: take it out

error: there is no feed `cnill`
  --> config.toml:14:9
   |
14 | from = ["cnill"]
   |         ^^^^^^^
   |
   = help: did you mean `cnil`?

error: there is no feed with the tag `pressse`
  --> config.toml:15:14
   |
15 | from_tags = ["pressse"]
   |              ^^^^^^^^^
   |
   = help: did you mean `presse`?
"#,
    );
}

#[test]
fn a_list_that_no_topic_uses_is_a_warning() {
    check(
        r#"[lexicon]
mots = ["un"]
"#,
        r#"
warning: no topic uses the list `@mots`
 --> config.toml:2:1
  |
2 | mots = ["un"]
  | ^^^^
  |
  = help: write `"@mots"` where a topic lists terms
"#,
    );
}

#[test]
fn points_are_for_feeds_that_exist() {
    check(
        r#"[[feed]]
url = "https://a.example/"
id = "education"

[[topic]]
id = "a"
any = ["mot"]
sources = { educaton = 2.0, education = "2" }
"#,
        r#"
error: there is no feed `educaton`
 --> config.toml:8:13
  |
8 | sources = { educaton = 2.0, education = "2" }
  |             ^^^^^^^^
  |
  = help: did you mean `education`?

error: points must be a number from -100 to 100
 --> config.toml:8:41
  |
8 | sources = { educaton = 2.0, education = "2" }
  |                                         ^^^
"#,
    );
}

#[test]
fn a_private_file_is_not_published() {
    check(
        r#"[store]
path = "data/veille.db"

[publish]
directory = "data"
"#,
        r"
error: the database lies in the folder that is published
 --> config.toml:4:1
  |
4 | [publish]
  | ^^^^^^^^^
  |
  = help: give `publish.directory` a folder of its own
",
    );
}

#[test]
fn nor_is_the_config_file() {
    check(
        r#"[publish]
directory = "."
[store]
path="/var/lib/veille.db"
"#,
        r"
error: the config file lies in the folder that is published
 --> config.toml:1:1
  |
1 | [publish]
  | ^^^^^^^^^
  |
  = help: give `publish.directory` a folder of its own
",
    );
}

/// A config with a topic and this post.
fn with_post(post: &str) -> String {
    format!("[[topic]]\nid = \"ecole\"\nany = [\"école\"]\n[[post]]\n{post}\n")
}

/// Checks the messages and the help about a post.
#[track_caller]
fn check_post(post: &str, expected: &[(&str, &str)]) {
    let told: Vec<(String, String)> = match parse(&with_post(post), Path::new("config.toml")) {
        Ok(config) => config.warnings.diagnostics,
        Err(Invalid(diagnosis)) => diagnosis.diagnostics,
    }
    .into_iter()
    .map(|one| (one.message, one.help.unwrap_or_default()))
    .collect();
    let told: Vec<(&str, &str)> = told.iter().map(|(message, help)| (&**message, &**help)).collect();
    assert_eq!(told, expected, "{post}");
}

const MASTODON: &str = "id = 'a'\ntopics = ['ecole']\nto = 'mastodon'\nserver = 'https://m.example'\ntoken = 'x'";

#[test]
fn a_text_that_names_an_unknown_field_is_shown_in_its_place() {
    check(
        &with_post(&format!("{MASTODON}\ntext = \"{{titel}} {{link}}\"")),
        r#"
error: there is no field `titel`
  --> config.toml:10:8
   |
10 | text = "{titel} {link}"
   |        ^^^^^^^^^^^^^^^^
   |
   = help: did you mean `title`?
"#,
    );
}

#[test]
fn a_target_that_does_not_exist_names_the_nearest() {
    let wanted = "`to` must be `\"mastodon\"`, `\"matrix\"`, `\"mattermost\"`, `\"slack\"`, `\"discord\"`, \
                  `\"webhook\"`, `\"mail\"` or `\"command\"`";
    check_post("id = 'a'\ntopics = ['ecole']\nto = 'mastadon'", &[(wanted, "did you mean `mastodon`?")]);
}

#[test]
fn a_post_needs_the_keys_of_its_target_and_takes_no_others() {
    check_post(
        "id = 'a'\ntopics = ['ecole']\nto = 'matrix'\nserver = 'https://m.example'\nvisibility = 'public'",
        &[
            (
                "this post to `matrix` has no `token`",
                "add `token = { file = \"token\" }`: the account's access token, which its settings give",
            ),
            (
                "this post to `matrix` has no `room`",
                "add `room = \"!abc:example.org\"`: the settings of the room show its id",
            ),
            ("`visibility` is no key of a post to `matrix`", "it is one of `mastodon`: take it out"),
        ],
    );
    check_post(
        "id = 'a'\ntopics = ['ecole']\nto = 'webhook'\nurl = 'https://w.example/'\ntext = '{title}'",
        &[(
            "`text` is no key of a post to `webhook`",
            "it is one of `mastodon`, `matrix`, `mattermost`, `slack`, `discord`: take it out",
        )],
    );
}

#[test]
fn paces_and_hours_that_cannot_be_read_say_what_to_write() {
    for pace in ["4", "4 an hour", "0 per hour", "per hour", "4 per month", "4 per hour or so", "-1 per day"] {
        let expected = (
            "`at_most` must be a number and a span: `\"4 per hour\"`, `\"10 per day\"`",
            "write 1 to 1000, then `per minute`, `per hour`, `per day` or `per week`",
        );
        check_post(&format!("{MASTODON}\nat_most = '{pace}'"), &[expected]);
    }
    for hours in ["20:00", "20-7", "25:00-07:00", "20:00-07:60", "nights"] {
        let expected = (
            "`quiet` must be hours such as `\"20:00-07:00\"`",
            "write two times of the day with `-` between them: `\"20:00-07:00\"`",
        );
        check_post(&format!("{MASTODON}\nquiet = '{hours}'"), &[expected]);
    }
    let all_day = ("these hours begin and end at the same time", "a post that never sends is one to take out");
    check_post(&format!("{MASTODON}\nquiet = '07:00-07:00'"), &[all_day]);
}

#[test]
fn a_post_names_topics_that_exist_and_at_least_one() {
    check_post(
        &MASTODON.replace("'ecole'", "'ecol'"),
        &[("there is no topic `ecol`", "did you mean `ecole`?")],
    );
    check_post(
        &MASTODON.replace("'ecole'", ""),
        &[("this post has no topic, so nothing is sent", "name at least one")],
    );
}

#[test]
fn mail_needs_addresses_and_a_server_that_speaks_mail() {
    let mail = "id = 'a'\ntopics = ['ecole']\nto = 'mail'";
    check_post(&format!("{mail}\nfrom = 'Veille <veille@a.example>'\nrecipients = ['b@b.example']"), &[]);
    check_post(
        &format!("{mail}\nfrom = 'veille'\nrecipients = ['b@b.example, c@c.example']\nserver = 'mail.example.org'"),
        &[
            ("`veille` is no mail address", "write `one@example.org` or `Name <one@example.org>`"),
            ("`b@b.example, c@c.example` is no mail address", "write `one@example.org` or `Name <one@example.org>`"),
            (
                "this is no server for mail",
                "write `smtp://mail.example.org:587` (STARTTLS), `smtps://mail.example.org` or `sendmail`",
            ),
        ],
    );
    check_post(
        &format!("{mail}\nfrom = 'v@a.example'\nrecipients = ['b@b.example']\nserver = 'https://mail.example.org'"),
        &[(
            "this is no server for mail",
            "write `smtp://mail.example.org:587` (STARTTLS), `smtps://mail.example.org` or `sendmail`",
        )],
    );
}

#[test]
fn a_command_is_a_list_and_no_line_of_a_shell() {
    check_post(
        "id = 'a'\ntopics = ['ecole']\nto = 'command'\ncommand = 'mail -s x'",
        &[(
            "`command` must be a program and its arguments: `[\"program\", \"argument\"]`",
            "no shell reads it: each argument is a text of its own",
        )],
    );
}

#[test]
fn a_token_that_goes_unencrypted_is_a_warning_except_on_this_machine() {
    check_post(
        &MASTODON.replace("https:", "http:"),
        &[("the token goes over the network unencrypted", "write `https://`")],
    );
    check_post(&MASTODON.replace("https://m.example", "http://127.0.0.1:3000"), &[]);
}
