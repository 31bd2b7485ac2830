//! Puts a display's unix WebSocket and a folder of files behind one TCP port: what a browser needs
//! to look at a display without a server. Bytes of an upgraded connection pass untouched.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;

/// Serves a folder, and `/rfb` from a unix socket.
#[derive(Parser)]
struct Arguments {
    /// Address and port to listen on.
    #[arg(long)]
    listen: String,
    /// The display's socket.
    #[arg(long)]
    socket: PathBuf,
    /// The folder with the page.
    #[arg(long)]
    files: PathBuf,
}

/// A request's head is never longer.
const HEAD_LIMIT: usize = 16 * 1024;

fn main() -> Result<()> {
    let arguments = Arc::new(Arguments::parse());
    let listener = TcpListener::bind(&arguments.listen)
        .with_context(|| format!("listening on {}", arguments.listen))?;
    println!("ready");
    for stream in listener.incoming().flatten() {
        let arguments = Arc::clone(&arguments);
        std::thread::spawn(move || {
            if let Err(error) = serve(stream, &arguments) {
                eprintln!("bridge: {error:#}");
            }
        });
    }
    Ok(())
}

fn serve(mut stream: TcpStream, arguments: &Arguments) -> Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut head = Vec::new();
    let end = loop {
        if let Some(at) = head.windows(4).position(|part| part == b"\r\n\r\n") {
            break at + 4;
        }
        let mut part = [0; 4096];
        let count = stream.read(&mut part)?;
        if count == 0 || head.len() > HEAD_LIMIT {
            return Ok(());
        }
        head.extend_from_slice(&part[..count]);
    };
    let text = String::from_utf8_lossy(&head[..end]).into_owned();
    let target = text.split_whitespace().nth(1).unwrap_or("/");
    if target.starts_with("/rfb") {
        stream.set_read_timeout(None)?;
        return splice(stream, &arguments.socket, &head);
    }
    let path = target.split('?').next().unwrap_or("/");
    file(&mut stream, &arguments.files, path)
}

/// Both directions until either side ends.
fn splice(stream: TcpStream, socket: &Path, head: &[u8]) -> Result<()> {
    let mut display = UnixStream::connect(socket)
        .with_context(|| format!("connecting to {}", socket.display()))?;
    display.write_all(head)?;
    let (mut up_from, mut up_to) = (stream.try_clone()?, display.try_clone()?);
    let up = std::thread::spawn(move || {
        let _ = io::copy(&mut up_from, &mut up_to);
        let _ = up_to.shutdown(Shutdown::Both);
    });
    let mut stream = stream;
    // A read's worth at a time and at once: a larger buffer would wait for nothing, a queue would lie.
    let mut part = vec![0; 256 * 1024];
    while let Ok(count @ 1..) = display.read(&mut part) {
        if stream.write_all(&part[..count]).is_err() {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
    let _ = display.shutdown(Shutdown::Both);
    let _ = up.join();
    Ok(())
}

fn file(stream: &mut TcpStream, files: &Path, path: &str) -> Result<()> {
    let name = if path == "/" {
        "index.html"
    } else {
        path.trim_start_matches('/')
    };
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript",
        Some("css") => "text/css",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    };
    let body = if name.contains("..") {
        None
    } else {
        fs::read(files.join(name)).ok()
    };
    let (status, body) = body.map_or(("404 Not Found", b"no such file".to_vec()), |body| {
        ("200 OK", body)
    });
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)?;
    Ok(())
}
