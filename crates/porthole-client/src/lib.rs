//! The public API's client: sign in, launch a session, open its stream and its files. For the doctor, the
//! benchmarks and the tests, which go through the same doors as a browser.

pub mod api;
pub mod events;
pub mod files;
pub mod stream;
pub mod trust;

/// What can go wrong on the way to a desktop.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is not one.
    #[error("{0:?} is not an address such as https://localhost:8443")]
    Address(String),
    /// The server cannot be reached.
    #[error("cannot reach {url}: {error}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        error: String,
    },
    /// The server refused.
    #[error("{method} {path} was answered with {status}: {detail}")]
    Refused {
        /// The request's method.
        method: &'static str,
        /// The request's path.
        path: String,
        /// The HTTP status.
        status: u16,
        /// The server's reason.
        detail: String,
    },
    /// The server's answer makes no sense.
    #[error("unexpected answer from {path}: {error}")]
    Answer {
        /// The request's path.
        path: String,
        /// What was wrong.
        error: String,
    },
    /// The stream was closed.
    #[error("the stream was closed with {code}: {reason}")]
    Closed {
        /// The WebSocket close code; 1006 when there was none.
        code: u16,
        /// The reason.
        reason: String,
    },
    /// The display broke the protocol.
    #[error("the display sent something that is not RFB: {0}")]
    Protocol(String),
    /// It took too long.
    #[error("{what} took longer than {seconds} s")]
    TooLong {
        /// What.
        what: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// The session failed.
    #[error("the session failed: {0}")]
    SessionFailed(String),
    /// No trust in the server could be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}
