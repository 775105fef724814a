//! `veille completions`.

use clap::CommandFactory;

use super::{Arguments, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct ShellOptions {
    /// The shell
    shell: clap_complete::Shell,
}

pub(super) fn completions(options: &ShellOptions) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "veille", &mut text);
    Ok(super::output::print(&String::from_utf8_lossy(&text))?)
}
