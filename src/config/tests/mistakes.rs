//! Mistakes in keys, values, feeds and the syntax, as users see them: whole.

use super::check;

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
  |
  = help: write `topics = ["laicite"]`

error: `dedup` must be `true` or `false`
 --> config.toml:4:9
  |
4 | dedup = 1
  |         ^
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
fn an_alias_is_no_topic_and_leads_to_one_topic_only() {
    check(
        r#"[[topic]]
id = "a"
any = ["mot"]
aliases = ["b", "c", "Été", "sources"]

[[topic]]
id = "b"
any = ["mot"]
aliases = ["c"]
"#,
        r#"
error: `b` is the id of a topic, whose addresses cannot lead elsewhere
 --> config.toml:4:12
  |
4 | aliases = ["b", "c", "Été", "sources"]
  |            ^^^
  |
  = help: take it out

error: a former id must be made of `a` to `z`, `0` to `9` and `-`, at most 64 of them
 --> config.toml:4:22
  |
4 | aliases = ["b", "c", "Été", "sources"]
  |                      ^^^^^
  |
  = help: take it out

error: no topic can have had the id `sources`
 --> config.toml:4:29
  |
4 | aliases = ["b", "c", "Été", "sources"]
  |                             ^^^^^^^^^
  |
  = help: take it out

error: `c` is an alias of topic `a` already
 --> config.toml:9:12
  |
9 | aliases = ["c"]
  |            ^^^
  |
  = help: take it out
"#,
    );
}

#[test]
fn slips_of_the_hand_are_told_with_the_line_as_it_was_meant() {
    check(
        r"[[feed]]
url = “https://a.example/”
enabled = non
[[topic]]
id: 'l'ecole'
threshold = 4,5
",
        r#"
error: texts stand in straight quotes: `"`
 --> config.toml:2:7
  |
2 | url = “https://a.example/”
  |       ^^^^^^^^^^^^^^^^^^^^
  |
  = help: write `url = "https://a.example/"`

error: yes and no are written `true` and `false`
 --> config.toml:3:11
  |
3 | enabled = non
  |           ^^^
  |
  = help: write `enabled = false`

error: a key has `=` behind it, not `:`
 --> config.toml:5:3
  |
5 | id: 'l'ecole'
  |   ^
  |
  = help: write `id = "l'ecole"`

error: a decimal point is a point: `.`
 --> config.toml:6:13
  |
6 | threshold = 4,5
  |             ^^^
  |
  = help: write `threshold = 4.5`
"#,
    );
}

#[test]
fn a_value_in_quotes_is_told_as_it_was_meant() {
    check(
        r#"[[feed]]
url = "https://a.example/"
enabled = "oui"
tags = "a, b"
[[topic]]
id = "ia"
any = "intelligence artificielle, IA"
threshold = "4,5"
"#,
        r#"
error: `enabled` must be `true` or `false`
 --> config.toml:3:11
  |
3 | enabled = "oui"
  |           ^^^^^
  |
  = help: write `enabled = true`

error: `tags` must be a list of texts: `["one", "two"]`
 --> config.toml:4:8
  |
4 | tags = "a, b"
  |        ^^^^^^
  |
  = help: write `tags = ["a", "b"]`

error: terms must be a list, not a text
 --> config.toml:7:7
  |
7 | any = "intelligence artificielle, IA"
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: write `["intelligence artificielle", "IA"]`

error: `threshold` must be a number from 0.1 to 1000
 --> config.toml:8:13
  |
8 | threshold = "4,5"
  |             ^^^^^
  |
  = help: write `threshold = 4.5`
"#,
    );
}
