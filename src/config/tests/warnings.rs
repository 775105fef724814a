//! Warnings as users see them: whole.

use super::check;

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

#[test]
fn terms_joined_as_in_a_search_engine_are_told_in_our_words() {
    check(
        r#"[[feed]]
url = "https://a.example/"
[[topic]]
id = "ia"
any = ["savoir ET lire", "livre OU lecture", "école SAUF maternelle", "a, b"]
"#,
        r#"
warning: `ET` is looked for like any other word
 --> config.toml:5:8
  |
5 | any = ["savoir ET lire", "livre OU lecture", "école SAUF maternelle", "a, b"]
  |        ^^^^^^^^^^^^^^^^
  |
  = help: write `near = [["savoir"], ["lire"]]` in place of `any`: both, near one another

warning: `OU` is looked for like any other word
 --> config.toml:5:26
  |
5 | any = ["savoir ET lire", "livre OU lecture", "école SAUF maternelle", "a, b"]
  |                          ^^^^^^^^^^^^^^^^^^
  |
  = help: write `"livre", "lecture"`

warning: `SAUF` is looked for like any other word
 --> config.toml:5:46
  |
5 | any = ["savoir ET lire", "livre OU lecture", "école SAUF maternelle", "a, b"]
  |                                              ^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: write `"école"` here, and `not = ["maternelle"]` in the topic

warning: this is one term, with a comma that no text can match
 --> config.toml:5:71
  |
5 | any = ["savoir ET lire", "livre OU lecture", "école SAUF maternelle", "a, b"]
  |                                                                       ^^^^^^
  |
  = help: write `"a", "b"`
"#,
    );
}
