//! `veille preview`: a page on this machine that follows the config file as it is saved, and shows what it would do.
//!
//! Figures, reasons and messages are those of `diff`, `words`, `explain`, `entries` and `check`. Reads the store, beside a
//! running daemon, and writes nothing.

mod board;
mod follow;
mod review;
mod sheets;

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::{Failure, diff, open, output};
use crate::serve::{LocalSite, serve_locally};
use board::Board;

#[derive(Debug, clap::Args)]
pub(super) struct PreviewOptions {
    /// The port on 127.0.0.1; without it one is chosen that is free
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port: u16,
}

pub(super) fn run(config: Option<PathBuf>, options: &PreviewOptions) -> Result<(), Failure> {
    let path = open::config_path(config)?;
    let config = open::config(Some(path.clone()))?;
    // A store that is not there is told here, not on a page.
    let (store, usual) = diff::store(&config)?;
    drop(store);
    if let Some(usual) = &usual {
        output::note(&diff::comparing_with(usual));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
        .with_context(|| format!("cannot listen at 127.0.0.1:{}", options.port))?;
    let token = token().context("cannot make a token")?;
    let address = format!("http://{}/{token}/", listener.local_addr()?);
    let board = Arc::new(Board::new(&path));
    let (alive, ended) = oneshot::channel::<()>();
    let following = Arc::clone(&board);
    std::thread::Builder::new().name("follow".to_owned()).spawn(move || {
        // Dropped with the thread, also if that panics.
        let _alive = alive;
        follow::follow_file(&following, config);
    })?;
    output::print(&format!("{address}\n"))?;
    output::note(&format!("The page follows `{}` whenever it is saved. Ctrl-C ends it.", path.display()));
    let runtime = open::runtime()?;
    let served = runtime.block_on(async move {
        let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let versions = board.versions();
        let site = LocalSite { token, answering: Box::new(move |request| sheets::answer(&board, request)), versions };
        let stop = async {
            tokio::select! { _ = terminated.recv() => {}, _ = interrupted.recv() => {} }
        };
        tokio::select! {
            served = serve_locally(listener, site, stop) => Ok(served?),
            _ = ended => Err(anyhow::anyhow!("veille has a fault that this config brings to light")),
        }
    });
    // Nobody misses the work that is under way.
    runtime.shutdown_background();
    Ok(served?)
}

/// A text that nobody can guess: 128 random bits.
fn token() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(data_encoding::HEXLOWER.encode(&bytes))
}
