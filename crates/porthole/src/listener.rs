//! Accepts connections, speaks TLS and HTTP/1.1 and HTTP/2, and ends in good order.

use anyhow::{Context, Result};
use axum::{Router, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The longest a client may take for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long open requests may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(5);

/// Binds the listening socket.
///
/// # Errors
/// When the port is taken or not ours to take; the message says what to do.
pub async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| match address.port() {
        port @ 1..1024 => format!(
            "cannot listen on {address}: ports under 1024 need root (or CAP_NET_BIND_SERVICE), and port {port} must be free"
        ),
        _ => format!("cannot listen on {address}: is another server running there? choose another with PORTHOLE_LISTEN"),
    })
}

/// Serves until `stop` is cancelled, then lets open requests end, for at most five seconds.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: Router,
    stop: CancellationToken,
) {
    let acceptor = tls.map(TlsAcceptor::from);
    let graceful = Arc::new(tokio::sync::Mutex::new(Some(GracefulShutdown::new())));
    loop {
        let (socket, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors: wait a little instead of spinning.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let (acceptor, router, graceful) =
            (acceptor.clone(), router.clone(), Arc::clone(&graceful));
        tokio::spawn(async move {
            // Input and its echo are small packets; waiting to fill one would be felt.
            let _ = socket.set_nodelay(true);
            match acceptor {
                None => connection(socket, peer, router, &graceful).await,
                Some(acceptor) => {
                    match tokio::time::timeout(HANDSHAKE, acceptor.accept(socket)).await {
                        Ok(Ok(stream)) => connection(stream, peer, router, &graceful).await,
                        Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
                        Err(_) => tracing::debug!(%peer, "TLS handshake took too long"),
                    }
                }
            }
        });
    }
    drop(listener);
    let open = graceful.lock().await.take();
    if let Some(open) = open
        && tokio::time::timeout(DRAIN, open.shutdown()).await.is_err()
    {
        tracing::info!("some requests did not end in time and were cut");
    }
}

async fn connection<S>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    graceful: &tokio::sync::Mutex<Option<GracefulShutdown>>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(axum::body::Body::new)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(hyper_util::rt::TokioTimer::new())
        .header_read_timeout(Duration::from_secs(15))
        .max_buf_size(64 * 1024);
    // No WebSocket over HTTP/2: a stream gets a connection of its own, so that nothing else stands
    // in its way.
    builder
        .http2()
        .timer(hyper_util::rt::TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .max_concurrent_streams(128)
        .max_header_list_size(32 * 1024);
    let connection = builder
        .serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service))
        .into_owned();
    let watched = match graceful.lock().await.as_ref() {
        Some(graceful) => graceful.watch(connection),
        None => return,
    };
    if let Err(error) = watched.await {
        tracing::debug!(%peer, %error, "connection ended");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn an_open_request_ends_before_the_server_does() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let router = Router::new().route(
            "/",
            get(move || async move {
                stopping.cancel();
                tokio::task::yield_now().await;
                "whole"
            }),
        );
        let server = tokio::spawn(serve(listener, None, router, stop));
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        client
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("whole"), "{answer}");
        server.await.unwrap();
    }
}
