//! `veille man`: a page of the manual (man(7)) for veille and for each command.
//!
//! Names, synopses and options come from the arguments themselves; [`texts`] adds what these do not say.

mod markdown;
mod texts;

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Arguments, Failure, output};
use texts::Row;

/// The section of a manual that holds commands.
const SECTION: &str = "1";

#[derive(Debug, clap::Args)]
pub(super) struct ManualOptions {
    /// The command whose page is printed, such as `poll`; without one it is the page of veille
    #[arg(value_name = "COMMAND", conflicts_with = "to")]
    command: Vec<String>,
    /// Print what all pages say as one document in Markdown, as docs/commands.md is
    #[arg(long, conflicts_with_all = ["command", "to"])]
    markdown: bool,
    /// Write every page into this folder, such as /usr/local/share/man/man1, and print none
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

/// A page of the manual.
struct ManualPage {
    /// The words of the command: `["poll"]`, none for veille itself.
    command: Vec<String>,
    text: String,
}

impl ManualPage {
    /// The name under which man(1) finds the page: `veille-poll`.
    fn name(&self) -> String {
        page_name(&self.command)
    }
}

pub(super) fn run(options: &ManualOptions) -> Result<(), Failure> {
    if options.markdown {
        return Ok(output::print(&markdown::command_reference())?);
    }
    let pages = pages()?;
    if let Some(folder) = &options.to {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        for page in &pages {
            let path = folder.join(format!("{}.{SECTION}", page.name()));
            fs::write(&path, &page.text).with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        output::note(&format!("{} pages are in `{}`", pages.len(), folder.display()));
        return Ok(());
    }
    let page = pages.iter().find(|page| page.command == options.command).ok_or_else(|| {
        let name = options.command.join(" ");
        Failure::Usage(format!("error: there is no command `{name}`\nhelp: `veille help` lists them"))
    })?;
    Ok(output::print(&page.text)?)
}

/// The program with all its commands, whole.
fn veille() -> Command {
    let mut veille = Arguments::command().disable_help_subcommand(true);
    veille.build();
    veille
}

/// Writes all pages: that of veille first, those of its commands in their order.
fn pages() -> std::io::Result<Vec<ManualPage>> {
    let veille = veille();
    let mut pages = Vec::new();
    add_pages(&veille, &[], &mut pages)?;
    Ok(pages)
}

/// Adds the page of a command, then those of the commands below it.
fn add_pages(command: &Command, words: &[String], pages: &mut Vec<ManualPage>) -> std::io::Result<()> {
    pages.push(ManualPage { command: words.to_vec(), text: page(command, words)? });
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        let words: Vec<String> = words.iter().cloned().chain([below.get_name().to_owned()]).collect();
        add_pages(below, &words, pages)?;
    }
    Ok(())
}

fn page_name(words: &[String]) -> String {
    std::iter::once("veille").chain(words.iter().map(String::as_str)).collect::<Vec<_>>().join("-")
}

/// Writes one page.
fn page(command: &Command, words: &[String]) -> std::io::Result<String> {
    // The last line of a page names the version; a section of its own would be about nothing else.
    let mut command = command.clone().version(None);
    if words.is_empty() {
        command = command.long_about(texts::DESCRIPTION);
    }
    let man = Man::new(command)
        .title(page_name(words).to_uppercase())
        .section(SECTION)
        .date(texts::DATE)
        .source(concat!("veille ", env!("CARGO_PKG_VERSION")))
        .manual("Manual of veille");
    let mut text = Vec::new();
    man.render(&mut text)?;
    let mut more = Roff::new();
    for (heading, rows) in texts::sections(&words.join(" ")) {
        add_section(&mut more, heading, &rows);
    }
    let above = if words.is_empty() { texts::RELATED.to_vec() } else { vec!["veille(1)"] };
    more.control("SH", ["SEE ALSO"]);
    more.text([roman(above.join(", "))]);
    Ok(tidy(&(String::from_utf8_lossy(&text).into_owned() + &without_preamble(&more.render()))))
}

/// Adds a section: a list of terms, each with its explanation.
fn add_section(roff: &mut Roff, heading: &str, rows: &[Row]) {
    roff.control("SH", [heading]);
    for (term, explanation) in rows {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*explanation)]);
    }
}

/// Drops the definition of the apostrophe, which the beginning of the page has.
fn without_preamble(text: &str) -> String {
    let preamble = Roff::new().render();
    text.strip_prefix(&preamble).unwrap_or(text).to_owned()
}

/// Sets code in bold (`` `poll` `` in help), as pages of manuals do, and drops spaces at the ends of lines, empty lines, and
/// each break after a break: `clap_mangen` writes several before a list of values.
fn tidy(text: &str) -> String {
    let mut tidied = String::new();
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() || line == ".br" && tidied.ends_with("\n.br\n") {
            continue;
        }
        let mut pieces = line.split('`');
        tidied.push_str(pieces.next().unwrap_or_default());
        let mut is_code = true;
        for piece in pieces {
            tidied.push_str(if is_code { r"\fB" } else { r"\fR" });
            tidied.push_str(piece);
            is_code = !is_code;
        }
        tidied.push('\n');
    }
    tidied
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::process::{Command as Process, Stdio};

    use clap::Parser as _;
    use regex::Regex;

    use super::*;

    /// The words of a line for the shell, up to a pipe or a redirection.
    fn words(line: &str) -> Vec<String> {
        let word = Regex::new(r#"'([^']*)'|"([^"]*)"|(\S+)"#).unwrap();
        let words = word.captures_iter(line).map(|found| found.iter().skip(1).flatten().next().unwrap().as_str());
        words.take_while(|word| !["|", ">", "<", "&&"].contains(word)).map(str::to_owned).collect()
    }

    #[test]
    fn each_page_that_a_page_names_exists_and_each_page_is_named() {
        let pages = pages().unwrap();
        let written: BTreeSet<String> = pages.iter().map(ManualPage::name).collect();
        let reference = Regex::new(r"\b(veille[a-z-]*)\(1\)").unwrap();
        let plain = |page: &ManualPage| page.text.replace('\\', "");
        let named: BTreeSet<String> = pages
            .iter()
            .flat_map(|page| reference.captures_iter(&plain(page)).map(|found| found[1].to_owned()).collect::<Vec<_>>())
            .collect();
        assert!(written.len() > 20, "{written:?}");
        assert_eq!(named, written);
    }

    #[test]
    fn each_page_tells_exit_codes_and_shows_examples() {
        for page in pages().unwrap() {
            for heading in [".SH NAME", ".SH SYNOPSIS", ".SH \"EXIT STATUS\"", ".SH \"SEE ALSO\""] {
                assert!(page.text.contains(heading), "{}: {heading}\n{}", page.name(), page.text);
            }
            // A command that only has commands below it is never run by itself.
            let is_run = page.command.is_empty() || !page.text.contains(".SH SUBCOMMANDS");
            assert_eq!(is_run, page.text.contains(".SH EXAMPLES"), "{}", page.name());
        }
    }

    #[test]
    fn each_example_is_understood_as_an_example_of_its_command() {
        let commands: BTreeSet<String> = pages().unwrap().iter().map(|page| page.command.join(" ")).collect();
        for (command, rows) in texts::EXAMPLES {
            assert!(commands.contains(*command), "there is no command `{command}`");
            for (line, _) in *rows {
                let at = line.find("veille ").unwrap_or_else(|| panic!("no veille in `{line}`"));
                let words = words(&line[at..]);
                assert!(words[1..].join(" ").contains(command), "`{line}` shows another command than `{command}`");
                Arguments::try_parse_from(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
        }
    }

    /// The lines for the shell of a document that call veille, each up to a pipe, a redirection or a comment.
    fn calls(document: &str) -> Vec<Vec<String>> {
        let joined = document.replace("\\\n", " ");
        let blocks = joined.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```"));
        let lines = blocks.flat_map(|(block, _)| block.lines().map(str::trim));
        // After a prompt for rights or a variable of the environment.
        let call = Regex::new(r"^(?:sudo |[A-Z_]+=\S+ )*(veille .*)$").unwrap();
        lines.filter_map(|line| Some(words(call.captures(line)?.get(1)?.as_str().split(" #").next()?))).collect()
    }

    #[test]
    fn each_command_line_of_the_documents_is_understood() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let chapters = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
        let chapters = chapters.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
        let mut understood = 0;
        for path in chapters.chain([root.join("README.md"), root.join("CONTRIBUTING.md")]) {
            for mut words in calls(&fs::read_to_string(&path).unwrap()) {
                words.retain(|word| word != "&");
                let read = Arguments::try_parse_from(&words);
                assert!(read.is_ok(), "{}: {}: {}", path.display(), words.join(" "), read.unwrap_err());
                understood += 1;
            }
        }
        assert!(understood > 60, "{understood}");
    }

    #[test]
    fn help_in_code_is_bold() {
        assert_eq!(tidy(".SH A\nfor `veille test`, \n"), ".SH A\nfor \\fBveille test\\fR,\n");
    }

    #[test]
    fn several_breaks_are_one() {
        assert_eq!(tidy("The shell\n\n.br\n\n.br\nPossible values:\n"), "The shell\n.br\nPossible values:\n");
    }

    /// Skipped where there is no mandoc(1).
    #[test]
    fn mandoc_has_nothing_to_say_of_any_page() {
        let folder = tempfile::tempdir().unwrap();
        for page in pages().unwrap() {
            let path = folder.path().join(format!("{}.1", page.name()));
            fs::write(&path, &page.text).unwrap();
            let mut mandoc = Process::new("mandoc");
            let Ok(output) = mandoc.args(["-T", "lint", "-W", "warning"]).arg(&path).stdin(Stdio::null()).output()
            else {
                eprintln!("skipped: there is no mandoc");
                return;
            };
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && told.is_empty(), "{told}");
        }
    }
}
