//! `veille demo`: everything at work on made-up feeds, without network.
//!
//! The feeds, which stand in the folder `demo`, are served on loopback. Two rounds of polls bring news, an edit and a withdrawn
//! story; then the daemon goes on with a config and a store of its own, which go at the end unless they are to be kept.

mod feeds;

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::poll::PollOptions;
use super::{Failure, open, output, poll};
use crate::config;
use crate::daemon;

/// The config, with places for the addresses of the page and of the feeds.
const CONFIG: &str = include_str!("demo/config.toml");

/// The port that is taken if it is free and no other is asked for: that of `serve.listen`.
const PORT: u16 = 8080;

/// Pause between two looks whether the page is served.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Debug, clap::Args)]
pub(super) struct DemoOptions {
    /// The port of the page on 127.0.0.1 [default: 8080, or a free one]
    #[arg(long)]
    port: Option<u16>,
    /// Keep the config, the store and the published files in this folder, which is new or empty
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

/// The folder of the demo.
enum Stage {
    /// It goes with this value.
    Passing(tempfile::TempDir),
    Kept(PathBuf),
}

impl Stage {
    fn new(keep: Option<&Path>) -> Result<Self, Failure> {
        let Some(folder) = keep else {
            let folder = tempfile::Builder::new().prefix("veille-demo-").tempdir();
            return Ok(Self::Passing(folder.context("cannot make a folder for the demo")?));
        };
        let shown = folder.display();
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{shown}`"))?;
        if fs::read_dir(folder).with_context(|| format!("cannot read the folder `{shown}`"))?.next().is_some() {
            let text = format!("error: the folder `{shown}` is not empty\nhelp: name a new one, or remove it first");
            return Err(Failure::Usage(text));
        }
        Ok(Self::Kept(folder.canonicalize()?))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Passing(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }

    /// Takes the folder away, or says where it is.
    fn end(self) -> Result<(), Failure> {
        match self {
            Self::Passing(folder) => Ok(folder.close().context("cannot remove the demo's folder")?),
            Self::Kept(folder) => {
                let config = folder.join("config.toml");
                let text =
                    format!("the demo stays in `{0}`: `veille words --config {1}`", folder.display(), config.display());
                output::note(&text);
                Ok(())
            }
        }
    }
}

pub(super) fn run(options: &DemoOptions) -> Result<(), Failure> {
    let port = port(options.port)?;
    let runtime = open::runtime()?;
    let stopped = CancellationToken::new();
    // From here on a signal ends the demo in order, so that its folder is removed.
    runtime.block_on(async { stop_by_signals(&stopped) })?;
    let stage = Stage::new(options.keep.as_deref())?;
    let feeds = runtime.block_on(feeds::open_port())?;
    let path = stage.path().join("config.toml");
    let text = CONFIG.replace("{page}", &port.to_string()).replace("{feeds}", &feeds.local_addr()?.to_string());
    fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    let round = Arc::new(AtomicUsize::new(0));
    runtime.spawn(feeds::serve_feeds(feeds, Arc::clone(&round)));
    for heading in ["this morning's feeds:\n", "\nan hour later, with an edit and a withdrawn story:\n"] {
        round.fetch_add(1, Ordering::Relaxed);
        if stopped.is_cancelled() {
            return stage.end();
        }
        output::print(heading)?;
        poll::run(config(&path)?, PollOptions::of_all())?;
    }
    // The news that the daemon finds within a minute.
    round.fetch_add(1, Ordering::Relaxed);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let guide = guide(address, &path, options.keep.is_some());
    let result = runtime.block_on(async {
        let told = tokio::task::spawn_blocking({
            let stopped = stopped.clone();
            move || tell_once_served(address, &guide, &stopped)
        });
        let result = daemon::run_until(config(&path)?, stopped.cancelled()).await;
        stopped.cancel();
        told.await??;
        Ok::<_, Failure>(result?)
    });
    runtime.shutdown_background();
    stage.end().and(result)
}

fn config(path: &Path) -> Result<config::Config, Failure> {
    config::load(path).map_err(|invalid| Failure::Usage(invalid.render(output::colour())))
}

/// Cancels `stopped` at the first signal to end; also when the terminal is closed.
fn stop_by_signals(stopped: &CancellationToken) -> std::io::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let (mut signal, stopped) = (signal(kind)?, stopped.clone());
        tokio::spawn(async move {
            signal.recv().await;
            stopped.cancel();
        });
    }
    Ok(())
}

/// Finds the port of the page. The daemon takes it a moment later, and says so should somebody else have been faster.
fn port(asked: Option<u16>) -> Result<u16, Failure> {
    let bound = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = match (bound(asked.unwrap_or(PORT)), asked) {
        (Err(error), Some(port)) if error.kind() == ErrorKind::AddrInUse => {
            return Err(anyhow!("another program serves on port {port}\nhelp: `--port 0` takes a free one").into());
        }
        (Err(_), None) => bound(0),
        (listener, _) => listener,
    };
    Ok(listener.and_then(|listener| listener.local_addr()).context("cannot listen on 127.0.0.1")?.port())
}

/// Prints the guide as soon as somebody answers at the address.
fn tell_once_served(address: SocketAddr, guide: &str, stopped: &CancellationToken) -> std::io::Result<()> {
    while TcpStream::connect(address).is_err() {
        if stopped.is_cancelled() {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
    output::print(guide)
}

/// The text that says where to look and what to try.
fn guide(address: SocketAddr, config: &Path, is_kept: bool) -> String {
    let config = config.display();
    let end = if is_kept { "the folder stays" } else { "nothing stays" };
    format!(
        "
The demo is served on http://{address}/ until Ctrl-C; then {end}.
Publishers and news are made up: links to them lead nowhere.

  http://{address}/numerique-educatif/        a topic; one story is told by three sources, one was edited
  http://{address}/numerique-educatif.atom    its feed, for your reader
  http://{address}/sources/                   the health of the feeds, one of which is broken

Within two minutes another story arrives. Meanwhile, in another terminal:

  veille words --config {config}
  veille feeds --config {config}
  veille entries --topic numerique-educatif --config {config}

and edit this config: a saved change of a topic is live within seconds.

"
    )
}
