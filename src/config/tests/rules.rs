//! Mistakes in topics, rules and lexicons, as users see them: whole.

use super::check;

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
