//! What an agent is told at its start.

use porthole_model::{
    ids::AgentId,
    image::ImageRef,
    resources::{Bytes, MilliCores, Resources},
};
use std::path::PathBuf;

/// The configuration of one container host.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// Who it is; every container it makes bears this id, and it touches no other.
    pub agent_id: AgentId,
    /// Where displays have their directories, such as `/run/porthole`. Must be seen by the engine
    /// under the same path, and outlast a restart of the agent.
    pub runtime_dir: PathBuf,
    /// The container engine: a path, `unix:///path`, or `tcp://host:port`.
    pub engine: String,
    /// The image of display containers.
    pub display_image: ImageRef,
    /// Displays to have ready, 0 to 64.
    pub warm_displays: u16,
    /// The size of `/dev/shm` of warm displays; a session that wants more gets a display of its
    /// own.
    pub shm_size: Bytes,
    /// The largest picture a display can show, in pixels.
    pub display_max: (u16, u16),
    /// Memory limit of a display container.
    pub display_memory: Bytes,
    /// Cores offered for each core that is there, such as 2.0.
    pub cpu_overcommit: f64,
    /// Memory kept back from sessions.
    pub memory_reserve: Bytes,
    /// The most processes and threads in a workspace container.
    pub pids_limit: u32,
    /// The engine's network for sessions.
    pub network: String,
    /// Image names that are made on the host and never asked of a registry: those that start with
    /// one of these. Without a registry's name in front they would be somebody else's on Docker
    /// Hub.
    pub local_images: Vec<String>,
}

impl AgentConfig {
    /// The defaults for a host.
    pub fn new(agent_id: AgentId, display_image: ImageRef) -> Self {
        Self {
            agent_id,
            runtime_dir: "/run/porthole".into(),
            engine: "/var/run/docker.sock".into(),
            display_image,
            warm_displays: 2,
            shm_size: Bytes::mib(1024),
            display_max: (5120, 2880),
            display_memory: Bytes::mib(1024),
            cpu_overcommit: 2.0,
            memory_reserve: Bytes::mib(1024),
            pids_limit: 2048,
            network: "porthole-sessions".into(),
            local_images: vec!["porthole/".into()],
        }
    }

    /// What is offered to sessions of a host with so many cores and so much memory.
    pub(crate) fn offered(&self, cores: MilliCores, memory: Bytes) -> Resources {
        let overcommit = if self.cpu_overcommit.is_finite() {
            self.cpu_overcommit
        } else {
            1.0
        };
        let offered = (f64::from(cores.0) * overcommit.clamp(0.1, 100.0)).round();
        Resources {
            cores: MilliCores(offered as u32),
            memory: Bytes(memory.0.saturating_sub(self.memory_reserve.0)),
        }
    }

    pub(crate) fn is_local(&self, image: &ImageRef) -> bool {
        self.local_images
            .iter()
            .any(|prefix| image.as_str().starts_with(prefix.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_what_is_there_times_the_overcommitment() {
        let mut config =
            AgentConfig::new(AgentId::new(), "porthole/display:0.1.0".parse().unwrap());
        let offered = config.offered(MilliCores(2000), Bytes::mib(4096));
        assert_eq!(
            offered,
            Resources {
                cores: MilliCores(4000),
                memory: Bytes::mib(3072)
            }
        );
        config.cpu_overcommit = f64::NAN;
        config.memory_reserve = Bytes::mib(9999);
        let offered = config.offered(MilliCores(2000), Bytes::mib(4096));
        assert_eq!(
            offered,
            Resources {
                cores: MilliCores(2000),
                memory: Bytes(0)
            }
        );
    }

    #[test]
    fn local_images_are_known_by_their_start() {
        let config = AgentConfig::new(AgentId::new(), "porthole/display:0.1.0".parse().unwrap());
        assert!(config.is_local(&"porthole/terminal:1.0".parse().unwrap()));
        assert!(
            !config.is_local(
                &"registry.example.com/porthole/terminal:1.0"
                    .parse()
                    .unwrap()
            )
        );
    }
}
