//! The base of all test servers: a free port, a thread of their own, until they are dropped.

use std::net::{IpAddr, SocketAddr};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Stops the server when dropped.
pub(crate) type Stop = oneshot::Sender<()>;

/// Hands each connection to `converse`, so that synchronous tests and the real binary can talk to it too; returns the
/// server's address.
pub(crate) fn serve<C>(address: IpAddr, converse: impl FnMut(TcpStream) -> C + Send + 'static) -> (SocketAddr, Stop)
where
    C: Future<Output: Send> + Send + 'static,
{
    let listener = std::net::TcpListener::bind((address, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (address, serve_on(listener, converse))
}

/// The same for a listener that is there already.
pub(crate) fn serve_on<C>(
    listener: std::net::TcpListener,
    mut converse: impl FnMut(TcpStream) -> C + Send + 'static,
) -> Stop
where
    C: Future<Output: Send> + Send + 'static,
{
    listener.set_nonblocking(true).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            let accept = async {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(converse(stream));
                }
            };
            tokio::select! {
                () = accept => {}
                _ = stopped => {}
            }
        });
    });
    stop
}
