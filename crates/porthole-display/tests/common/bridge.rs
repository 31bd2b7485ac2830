//! Lets clients that know nothing of unix sockets reach a display.

use futures_util::{SinkExt as _, StreamExt as _};
use std::{net::SocketAddr, path::PathBuf};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
};
use tokio_tungstenite::{client_async, tungstenite::Message};

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// RFB on a bare TCP connection.
    Rfb,
    /// HTTP and WebSockets, passed on as they are.
    Http,
}

/// Listens on a port of this machine for the rest of the test.
pub async fn bridge(socket: PathBuf, speaks: Speaks) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let socket = socket.clone();
            tokio::spawn(async move {
                let Ok(mut display) = UnixStream::connect(&socket).await else {
                    return;
                };
                let mut client = client;
                match speaks {
                    Speaks::Rfb => carry(client, display).await,
                    Speaks::Http => drop(copy_bidirectional(&mut client, &mut display).await),
                }
            });
        }
    });
    address
}

async fn carry(mut client: TcpStream, display: UnixStream) {
    let url = "ws://display/rfb?access=control";
    let Ok((mut display, _)) = client_async(url, display).await else {
        return;
    };
    let mut buffer = vec![0; 16384];
    loop {
        tokio::select! {
            read = client.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return,
                Ok(length) => {
                    let bytes = buffer[..length].to_vec();
                    if display.send(Message::Binary(bytes.into())).await.is_err() {
                        return;
                    }
                }
            },
            message = display.next() => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    if client.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    }
}
