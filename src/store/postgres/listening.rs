//! Hearing at once that the store has changed (`LISTEN`), on a connection of its own.
//!
//! Nothing depends on it: rounds of leases see the generation too, a little later.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{StreamExt, poll_fn};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_postgres::config::SslMode;
use tokio_postgres::{AsyncMessage, NoTls};

use super::tls;
use super::{Address, StoreError, causes};

/// The channel of all stores of one database.
pub(super) const CHANNEL: &str = "veille";

/// Pause after a connection was lost.
const PAUSE: Duration = Duration::from_secs(5);

/// Tells `changed` whenever a node has raised the generation, for as long as it is awaited.
///
/// # Cancellation
/// The connection ends.
pub async fn listen(address: Address, changed: Arc<Notify>) {
    loop {
        // A server that is away is told elsewhere.
        let _ = hear(&address, &changed).await;
        sleep(PAUSE).await;
    }
}

/// Listens until the connection is lost.
async fn hear(address: &Address, changed: &Notify) -> Result<(), StoreError> {
    let target = address.read()?;
    let verification = target.security.verification(target.roots.is_some());
    let mut last = Ok(());
    for way in target.security.ways() {
        let mut config = target.config.clone();
        config.ssl_mode(*way);
        let heard = match *way {
            SslMode::Disable => match config.connect(NoTls).await {
                Ok((client, connection)) => follow(client, connection, changed).await,
                Err(error) => Err(error),
            },
            _ => match tls::connector(verification, target.roots.as_deref()) {
                Ok(connector) => match config.connect(connector).await {
                    Ok((client, connection)) => follow(client, connection, changed).await,
                    Err(error) => Err(error),
                },
                Err(_) => continue,
            },
        };
        last = heard.map_err(|error| causes::failed(error, &target.name()));
        if last.is_ok() {
            break;
        }
    }
    last
}

async fn follow<S, T>(
    client: tokio_postgres::Client,
    mut connection: tokio_postgres::Connection<S, T>,
    changed: &Notify,
) -> Result<(), tokio_postgres::Error>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut messages = poll_fn(move |context| connection.poll_message(context));
    let listening = async {
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        // Something may have changed before.
        changed.notify_one();
        std::future::pending::<Result<(), tokio_postgres::Error>>().await
    };
    let hearing = async {
        while let Some(message) = messages.next().await {
            if let AsyncMessage::Notification(_) = message? {
                changed.notify_one();
            }
        }
        Ok(())
    };
    tokio::select! {
        ended = listening => ended,
        ended = hearing => ended,
    }
}
