//! What changes, as the server tells it (`GET /api/v1/events`, server-sent events).

use crate::{
    ClientError,
    api::{Client, Session},
};
use porthole_model::ids::SessionId;
use serde::Deserialize;
use std::{collections::VecDeque, time::Duration};

const PATH: &str = "/api/v1/events";
/// The longest that events are heard without asking anew.
const LIFE: Duration = Duration::from_hours(24);
/// The most of one event that is kept, in bytes.
const MOST: usize = 1024 * 1024;

/// A change.
#[derive(Debug)]
pub enum Event {
    /// A session is as it is told.
    Session(Session),
    /// A session is no more.
    SessionGone(SessionId),
    /// Another change, by the event's name.
    Other(String),
}

/// The changes of one's own sessions, from when it was opened.
pub struct Events {
    response: reqwest::Response,
    heard: Vec<u8>,
    lines: VecDeque<String>,
    name: String,
}

impl Client {
    /// Hears what changes from now on.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn events(&self) -> Result<Events, ClientError> {
        let request = self.http().get(self.url(PATH)).timeout(LIFE);
        Ok(Events {
            response: self.answer("GET", PATH, request).await?,
            heard: Vec::new(),
            lines: VecDeque::new(),
            name: String::new(),
        })
    }
}

impl Events {
    /// The next change; `None` when the server ends the stream.
    ///
    /// # Errors
    /// When the connection breaks, or what is told cannot be read.
    pub async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        loop {
            while let Some(line) = self.lines.pop_front() {
                if let Some(name) = field(&line, "event") {
                    name.clone_into(&mut self.name);
                } else if let Some(data) = field(&line, "data") {
                    return event(&self.name, data).map(Some);
                }
            }
            let broken = |error: String| ClientError::Answer {
                path: PATH.to_owned(),
                error,
            };
            if self.heard.len() > MOST {
                return Err(broken(format!("an event is longer than {MOST} bytes")));
            }
            let chunk = self.response.chunk().await;
            let Some(chunk) = chunk.map_err(|error| broken(error.to_string()))? else {
                return Ok(None);
            };
            self.heard.extend_from_slice(&chunk);
            while let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                self.lines.push_back(line.trim_end().to_owned());
            }
        }
    }
}

/// A line's value when it is of this field. The server writes an event's data in one line.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let value = line.strip_prefix(name)?.strip_prefix(':')?;
    Some(value.strip_prefix(' ').unwrap_or(value))
}

fn event(name: &str, data: &str) -> Result<Event, ClientError> {
    #[derive(Deserialize)]
    struct Gone {
        id: SessionId,
    }
    let unread = |error: serde_json::Error| ClientError::Answer {
        path: format!("event {name}"),
        error: error.to_string(),
    };
    match name {
        "session" => serde_json::from_str(data)
            .map(Event::Session)
            .map_err(unread),
        "session_gone" => serde_json::from_str(data)
            .map(|gone: Gone| Event::SessionGone(gone.id))
            .map_err(unread),
        other => Ok(Event::Other(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, event, field};

    #[test]
    fn fields_are_told_apart() {
        assert_eq!(field("event: session", "event"), Some("session"));
        assert_eq!(field("data:{}", "data"), Some("{}"));
        assert_eq!(field(": keep-alive", "event"), None);
        assert_eq!(field("eventual: x", "event"), None);
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        assert!(matches!(event("agents", "{}"), Ok(Event::Other(name)) if name == "agents"));
        assert!(event("session_gone", r#"{"id": 7}"#).is_err());
        assert!(event("session", "no json").is_err());
    }
}
