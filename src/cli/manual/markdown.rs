//! All commands as one document in Markdown: `docs/commands.md`, a chapter of the book.

use std::fmt::Write as _;

use clap::{Arg, Command};

use super::texts::{self, Row};

/// Returns the reference of all commands in Markdown (`docs/commands.md`).
pub(super) fn command_reference() -> String {
    let veille = super::veille();
    let mut text = "# The commands\n\n\
        `veille man --markdown` prints this page, `veille help COMMAND` a part of it, and `veille man COMMAND` the page for \
        `man`.\n\n## All of them\n\n"
        .to_owned();
    add_arguments(&mut text, veille.get_arguments());
    let general = texts::sections("");
    for (heading, name) in
        [("Exit codes", "EXIT STATUS"), ("Variables of the environment", "ENVIRONMENT"), ("Files", "FILES")]
    {
        add_rows(&mut text, &format!("### {heading}"), rows(&general, name).iter());
    }
    add_commands(&mut text, &veille, &[]);
    text.trim_end().to_owned() + "\n"
}

/// Adds the commands below a command, each with those below it.
fn add_commands(text: &mut String, above: &Command, words: &[&str]) {
    for command in above.get_subcommands().filter(|command| !command.is_hide_set()) {
        let words = [words, &[command.get_name()]].concat();
        if command.has_subcommands() {
            add_commands(text, command, &words);
            continue;
        }
        let name = words.join(" ");
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ");
        let _ = write!(text, "## `veille {name}`\n\n{about}.\n\n```text\n{usage}\n```\n\n");
        let is_own = |argument: &&Arg| !argument.is_global_set() && argument.get_id() != "help";
        add_arguments(text, command.get_arguments().filter(is_own));
        let (sections, general) = (texts::sections(&name), texts::sections(""));
        let codes = rows(&sections, "EXIT STATUS");
        let own = codes.iter().filter(|row| !rows(&general, "EXIT STATUS").contains(row));
        add_rows(text, "Exit codes of its own:", own);
        for (example, explanation) in rows(&sections, "EXAMPLES") {
            let _ = write!(text, "{explanation}\n\n```sh\n{example}\n```\n\n");
        }
    }
}

/// Adds a list of arguments and options.
fn add_arguments<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    let mut list = String::new();
    for argument in arguments.filter(|argument| !argument.is_hide_set()) {
        let short = argument.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = write!(list, "- **`{short}{argument}`** {help}.");
        let mut add_values = |heading: &str, values: Vec<String>| {
            if !values.is_empty() && argument.get_action().takes_values() {
                let _ = write!(list, " {heading}: `{}`.", values.join("`, `"));
            }
        };
        let values = argument.get_possible_values();
        add_values("One of", values.iter().map(|value| value.get_name().to_owned()).collect());
        let defaults = argument.get_default_values();
        add_values("Default", defaults.iter().map(|value| value.to_string_lossy().into_owned()).collect());
        list.push('\n');
    }
    if !list.is_empty() {
        let _ = writeln!(text, "{list}");
    }
}

/// The rows of a section.
fn rows<'a>(sections: &'a [(&str, Vec<Row>)], name: &str) -> &'a [Row] {
    sections.iter().find(|(heading, _)| *heading == name).map_or(&[], |(_, rows)| rows)
}

/// Adds a list of terms with their explanations under a heading; nothing if there is none.
fn add_rows<'a>(text: &mut String, heading: &str, rows: impl Iterator<Item = &'a Row>) {
    let list: String = rows.map(|(term, explanation)| format!("- **`{term}`** {explanation}\n")).collect();
    if !list.is_empty() {
        let _ = write!(text, "{heading}\n\n{list}\n");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_document_of_commands_is_the_one_that_the_program_prints() {
        let made = include_str!("../../../docs/commands.md") == super::command_reference();
        assert!(made, "write it again: `cargo run -- man --markdown > docs/commands.md`");
    }
}
