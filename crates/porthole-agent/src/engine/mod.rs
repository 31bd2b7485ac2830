//! The container engine: Docker's API over its socket, which Podman speaks too. Every call ends in
//! bounded time. The only user of the client library.

mod containers;
mod images;
mod talk;

pub(crate) use containers::{
    ContainerState, DisplaySpec, Kind, Labelled, Limits, WorkspaceSpec, display_name,
    workspace_name,
};
pub(crate) use images::{PullEvent, PullStream};
pub(crate) use talk::Talk;

use crate::StartError;
use bollard::{
    API_DEFAULT_VERSION, Docker,
    errors::Error,
    models::{EventMessageTypeEnum, NetworkCreateRequest},
    query_parameters::{EventsOptionsBuilder, ListNetworksOptionsBuilder},
};
use futures_util::{Stream, StreamExt};
use porthole_model::ids::AgentId;
use std::{
    collections::HashMap,
    future::Future,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::timeout;

/// Calls that only look.
const LOOK: Duration = Duration::from_secs(10);
/// Calls that change something.
const CHANGE: Duration = Duration::from_mins(1);

/// A call to the engine that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EngineError {
    /// Nobody answers at the address.
    #[error("the container engine does not answer: {0}")]
    Unreachable(String),
    /// It answers, but not in time.
    #[error("the container engine did not finish {0} in time")]
    TimedOut(&'static str),
    /// What the call names is not there.
    #[error("{0}")]
    NotFound(String),
    /// What the call would make is there, or in use.
    #[error("{0}")]
    Conflict(String),
    /// It says no.
    #[error("{0}")]
    Refused(String),
}

impl EngineError {
    /// Whether trying again later may help without anything being changed.
    pub fn transient(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::TimedOut(_))
    }

    /// Whether the container that was to be started is just being removed: it is still found, and
    /// never comes back.
    pub fn being_removed(&self) -> bool {
        matches!(self, Self::Conflict(text) | Self::Refused(text) if text.contains("marked for removal"))
    }
}

impl From<Error> for EngineError {
    fn from(error: Error) -> Self {
        match error {
            Error::DockerResponseServerError {
                status_code,
                message,
            } => match status_code {
                404 => Self::NotFound(message),
                409 => Self::Conflict(message),
                _ => Self::Refused(message),
            },
            Error::DockerStreamError { error } => Self::Refused(error),
            Error::RequestTimeoutError => Self::TimedOut("a request"),
            Error::JsonDataError { message, .. } => {
                Self::Refused(format!("its answer cannot be read: {message}"))
            }
            other => Self::Unreachable(chain(&other)),
        }
    }
}

/// An error with its causes: the client's own text alone says little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

pub(crate) type Result<T> = std::result::Result<T, EngineError>;

/// What the engine says of itself and its host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EngineInfo {
    /// Name and version, such as `Docker 20.10.24`.
    pub name: String,
    /// Processors of its host.
    pub cpus: u32,
    /// Memory of its host in bytes.
    pub memory: u64,
    /// Where images and containers are kept.
    pub root: String,
}

/// Something happened to a container or an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A container of this agent ended or went away: its name.
    Ended(String),
    /// Images came or went.
    Images,
}

#[derive(Debug)]
enum Address {
    Unix(String),
    Http(String),
}

/// A connection to the engine. Connects when it is needed, and again after a failure.
pub(crate) struct Engine {
    address: Address,
    client: Mutex<Option<Docker>>,
}

impl Engine {
    /// Only reads the address; nothing is asked yet.
    pub fn new(address: &str) -> std::result::Result<Self, StartError> {
        let address = match address.split_once("://") {
            None if address.starts_with('/') => Address::Unix(address.to_owned()),
            Some(("unix", path)) if path.starts_with('/') => Address::Unix(path.to_owned()),
            Some(("tcp" | "http", host)) if !host.is_empty() => Address::Http(host.to_owned()),
            _ => return Err(StartError::EngineAddress(address.to_owned())),
        };
        Ok(Self {
            address,
            client: Mutex::new(None),
        })
    }

    /// The client with the API version that the engine speaks.
    async fn client(&self) -> Result<Docker> {
        let cached = self
            .client
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(client) = cached {
            return Ok(client);
        }
        // The client's own time limit is for the whole of a request without a stream; ours are
        // shorter where they matter.
        let seconds = CHANGE.as_secs() * 2;
        let client = match &self.address {
            Address::Unix(path) => Docker::connect_with_unix(path, seconds, API_DEFAULT_VERSION),
            Address::Http(host) => Docker::connect_with_http(host, seconds, API_DEFAULT_VERSION),
        }?;
        let client = timeout(LOOK, client.negotiate_version())
            .await
            .map_err(|_| EngineError::TimedOut("the greeting"))??;
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(client.clone());
        Ok(client)
    }

    /// One call, bounded. After the engine was away its next version may be another, so the client
    /// is made anew.
    async fn call<T, F>(
        &self,
        what: &'static str,
        within: Duration,
        call: impl FnOnce(Docker) -> F,
    ) -> Result<T>
    where
        F: Future<Output = std::result::Result<T, Error>>,
    {
        let client = self.client().await?;
        let result = match timeout(within, call(client)).await {
            Ok(result) => result.map_err(EngineError::from),
            Err(_) => Err(EngineError::TimedOut(what)),
        };
        if let Err(error) = &result
            && error.transient()
        {
            *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        result
    }

    /// What the engine says of itself.
    pub async fn info(&self) -> Result<EngineInfo> {
        let version = self
            .call("its version", LOOK, |c| async move { c.version().await })
            .await?;
        let info = self
            .call("its information", LOOK, |c| async move { c.info().await })
            .await?;
        let platform = version
            .platform
            .map(|platform| platform.name)
            .unwrap_or_default();
        let podman = platform.contains("Podman")
            || version
                .components
                .iter()
                .flatten()
                .any(|c| c.name.contains("Podman"));
        let name = if podman { "Podman" } else { "Docker" };
        // Distributions append their own revision.
        let version = version.version.unwrap_or_default();
        let version = version.split('+').next().unwrap_or_default().to_owned();
        Ok(EngineInfo {
            name: format!("{name} {version}").trim_end().to_owned(),
            cpus: info.ncpu.and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
            memory: info
                .mem_total
                .and_then(|n| u64::try_from(n).ok())
                .unwrap_or(0),
            root: info.docker_root_dir.unwrap_or_default(),
        })
    }

    /// Makes the sessions' network if it is not there: a bridge on which containers reach the
    /// world but not each other. Gives a notice where the engine cannot separate them.
    pub async fn ensure_network(&self, name: &str) -> Result<Option<String>> {
        if !self.networks(name).await?.is_empty() {
            return Ok(None);
        }
        let separate = HashMap::from([(
            "com.docker.network.bridge.enable_icc".to_owned(),
            "false".to_owned(),
        )]);
        let (made, notice) = match self.create_network(name, Some(separate)).await {
            Err(EngineError::Refused(message)) => (
                self.create_network(name, None).await?,
                Some(format!(
                    "sessions on the network {name} can reach each other: {message}"
                )),
            ),
            Err(EngineError::Conflict(_)) => return Ok(None),
            made => (made?, None),
        };
        // An engine may take two networks of one name; of two that were made at once one stays.
        let all = self.networks(name).await?;
        if all.len() > 1 && all.iter().min() != Some(&made) {
            self.call("removing a network", CHANGE, |c| async move {
                c.remove_network(&made).await
            })
            .await?;
        }
        Ok(notice)
    }

    async fn networks(&self, name: &str) -> Result<Vec<String>> {
        let filters = HashMap::from([("name", vec![name])]);
        let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let networks = self
            .call("listing networks", LOOK, |c| async move {
                c.list_networks(Some(options)).await
            })
            .await?;
        // The filter takes names that contain it, too.
        let exact = networks
            .into_iter()
            .filter(|network| network.name.as_deref() == Some(name));
        Ok(exact.filter_map(|network| network.id).collect())
    }

    async fn create_network(
        &self,
        name: &str,
        options: Option<HashMap<String, String>>,
    ) -> Result<String> {
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            options,
            ..Default::default()
        };
        let made = self
            .call("making a network", CHANGE, |c| async move {
                c.create_network(request).await
            })
            .await?;
        Ok(made.id)
    }

    /// What happens to this agent's containers and to images, from now on. Ends when the
    /// connection does.
    pub async fn events(&self, agent_id: AgentId) -> Result<impl Stream<Item = Event> + Send> {
        let client = self.client().await?;
        let mut filters = HashMap::new();
        filters.insert("type", vec!["container", "image"]);
        // The request goes out when the stream is first asked; nothing since now may be missed.
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let options = EventsOptionsBuilder::new()
            .filters(&filters)
            .since(&now.to_string())
            .build();
        let label = agent_id.to_string();
        Ok(client
            .events(Some(options))
            .take_while(|event| {
                let open = event.is_ok();
                async move { open }
            })
            .filter_map(move |event| {
                let event = event.ok().and_then(|event| {
                    let action = event.action.unwrap_or_default();
                    if event.typ == Some(EventMessageTypeEnum::IMAGE) {
                        return Some(Event::Images);
                    }
                    let attributes = event.actor.and_then(|actor| actor.attributes)?;
                    let ours = attributes.get(containers::LABEL_AGENT) == Some(&label);
                    let ended = matches!(action.as_str(), "die" | "destroy" | "died" | "remove");
                    (ours && ended)
                        .then(|| attributes.get("name").cloned())
                        .flatten()
                        .map(Event::Ended)
                });
                async move { event }
            }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in [
            "/var/run/docker.sock",
            "unix:///run/podman/podman.sock",
            "tcp://127.0.0.1:2375",
        ] {
            assert!(Engine::new(good).is_ok(), "{good}");
        }
        for bad in ["", "docker.sock", "ssh://host", "unix://", "tcp://"] {
            assert!(Engine::new(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn nobody_at_the_address_is_unreachable() {
        let engine = Engine::new("/nonexistent/docker.sock").unwrap();
        assert!(matches!(
            engine.info().await,
            Err(EngineError::Unreachable(_))
        ));
    }
}
