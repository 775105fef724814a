//! The commands, one file each; how they end and what they print.
//!
//! The home of `clap` and `indicatif`. Results go to stdout, everything else to stderr.

mod add;
mod backup;
mod check;
mod demo;
mod diff;
mod entries;
mod explain;
mod export;
mod feeds;
mod former;
mod import;
mod inspect;
mod judged;
mod label;
mod labelled;
mod log;
mod manual;
mod memory;
mod merge;
mod nearby;
mod nodes;
mod open;
mod output;
mod poll;
mod post;
mod preview;
mod progress;
mod publish;
mod replace;
mod restore;
mod save;
mod scan;
mod shell;
mod split;
mod store;
mod story;
mod suggest;
mod telling;
mod test;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::daemon;
use crate::fetch::descriptors;

/// Keeps watch over news feeds and republishes each topic as one clean Atom feed.
#[derive(Debug, Parser)]
#[command(name = "veille", version, max_term_width = 100)]
struct Arguments {
    /// The config file [default: `$VEILLE_CONFIG`, else ./config.toml, else /etc/veille/config.toml]
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// More of the log on stderr; twice for all of it
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run as a daemon: poll on schedule, publish, serve
    Run,
    /// Poll now every feed that is due, publish, and exit: with 1 if no host answers, or if every feed that was asked
    /// failed and these are more than half of all, or were named
    Poll(poll::PollOptions),
    /// Show everything at work on made-up feeds, without network and config; Ctrl-C ends it, and nothing stays
    Demo(demo::DemoOptions),
    /// Validate the config and show every problem at once
    Check(check::Options),
    /// Show what a feed holds and which topics each entry would get, without storing anything
    Inspect(inspect::InspectOptions),
    /// Show why an entry is or is not in a topic
    Explain(explain::ExplainOptions),
    /// Show which stored entries each topic would gain and lose under the config as it stands, before it is live
    Diff(diff::DiffOptions),
    /// Show for each rule and term of topics the stories that it brings, and brings alone, and the stories that are nearly in
    Words(words::WordsOptions),
    /// Show a page on this machine that follows the config file as it is saved: what each topic would gain, lose and nearly
    /// get, and why
    Preview(preview::PreviewOptions),
    /// Learn rules for a topic from labelled entries, and print those that do better on sources they were not learnt from
    Suggest(suggest::SuggestOptions),
    /// Run the topics on labelled entries and show how often they are right
    Test(test::TestOptions),
    /// Label stored entries by hand, for `veille test`
    Label(label::LabelOptions),
    /// Show the health of every feed
    Feeds(feeds::FeedsOptions),
    /// List or search stored entries
    Entries(entries::EntriesOptions),
    /// Say that two entries are one story, and stay one
    Merge(merge::MergeOptions),
    /// Say that an entry is a story of its own, and stays one
    Split(split::SplitOptions),
    /// List the machines that share the store, what each does and what is wrong with it
    Nodes(nodes::NodesOptions),
    /// Write every output again from the store
    Publish,
    /// Send what waits for the places of `[[post]]`; a running daemon does it by itself
    Post(post::PostOptions),
    /// Find the feed behind an address and add it to the config, whose comments and layout stay
    Add(add::AddOptions),
    /// Add the feeds of another reader to the config, folders as tags
    Import(import::ImportOptions),
    /// Print the feeds as OPML for other readers
    Export(export::ExportOptions),
    /// Write a consistent copy of the store, also while the daemon runs
    Backup(backup::BackupOptions),
    /// Put a backup in the place of the store, which stays beside it; not while the daemon runs
    Restore(restore::RestoreOptions),
    /// Work on the store as a whole
    Store(store::StoreOptions),
    /// Print completions for a shell
    Completions(shell::ShellOptions),
    /// Print a page of the manual, or write all of them
    Man(manual::ManualOptions),
}

/// Ended with a message that is printed already, or by wrong usage or config.
const EXIT_USAGE: u8 = 2;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
enum Failure {
    /// Wrong usage or config, told in full: exit code 2.
    Usage(String),
    /// Failed while running: exit code 1.
    Running(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Running(error.into())
    }
}

/// Runs the command that the arguments name, and returns the process's exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = run(arguments);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(text)) => {
            output::error(&text);
            ExitCode::from(EXIT_USAGE)
        }
        // Whoever reads us has seen enough.
        Err(Failure::Running(error)) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(Failure::Running(error)) => {
            output::error(&output::error_text(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { config, verbose, command } = arguments;
    if matches!(command, Command::Run | Command::Demo(_) | Command::Poll(_) | Command::Publish) {
        memory::restart_with_settings();
        descriptors::raise();
    }
    log::start(matches!(command, Command::Run | Command::Demo(_)), verbose);
    match command {
        Command::Run => {
            let config = open::config(config)?;
            let runtime = open::runtime()?;
            let result = runtime.block_on(daemon::run(config));
            // Nobody misses the work of threads that still run; dropping the runtime would wait for them.
            runtime.shutdown_background();
            Ok(result?)
        }
        Command::Poll(options) => poll::run(open::config(config)?, options),
        Command::Demo(options) => demo::run(&options),
        Command::Check(options) => check::run(config, &options),
        Command::Inspect(options) => inspect::run(config, &options),
        Command::Explain(options) => explain::run(&open::config(config)?, &options),
        Command::Diff(options) => diff::run(&open::config(config)?, &options),
        Command::Words(options) => words::run(&open::config(config)?, &options),
        Command::Preview(options) => preview::run(config, &options),
        Command::Suggest(options) => suggest::run(&open::config(config)?, &options),
        Command::Test(options) => test::run(&open::config(config)?, &options),
        Command::Label(options) => label::run(&open::config(config)?, &options),
        Command::Feeds(options) => feeds::run(config, &options),
        Command::Entries(options) => entries::run(&open::config(config)?, options),
        Command::Merge(options) => merge::run(&open::config(config)?, &options),
        Command::Split(options) => split::run(&open::config(config)?, &options),
        Command::Nodes(options) => nodes::run(&open::config(config)?, &options),
        Command::Publish => publish::run(open::config(config)?),
        Command::Post(options) => post::run(open::config(config)?, &options),
        Command::Add(options) => add::run(open::config_path(config)?.as_path(), options),
        Command::Import(options) => import::run(open::config_path(config)?.as_path(), &options),
        Command::Export(options) => export::run(&open::config(config)?, &options),
        Command::Backup(options) => backup::run(&open::config(config)?, &options),
        Command::Restore(options) => restore::run(&open::config(config)?, &options),
        Command::Store(options) => store::run(&open::config(config)?, &options),
        Command::Completions(options) => shell::completions(&options),
        Command::Man(options) => manual::run(&options),
    }
}
