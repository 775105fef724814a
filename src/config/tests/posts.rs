//! Mistakes in posts, as users see them.

use std::path::Path;

use super::check;
use crate::config::{Invalid, parse};

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
    check_post(&MASTODON.replace("'ecole'", "'ecol'"), &[("there is no topic `ecol`", "did you mean `ecole`?")]);
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
