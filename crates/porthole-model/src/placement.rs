//! Where a session runs, and why not elsewhere.

use crate::{ids::AgentId, image::ImageRef, resources::Resources};
use std::fmt;

/// An agent as placement sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its id.
    pub id: AgentId,
    /// Its name, for the explanation.
    pub name: String,
    /// Whether its link is up.
    pub connected: bool,
    /// Whether an administrator allows new sessions on it.
    pub enabled: bool,
    /// What it offers in all, overcommitment included.
    pub offered: Resources,
    /// What sessions there hold.
    pub reserved: Resources,
    /// Whether the wanted image is there already.
    pub has_image: bool,
}

/// What a session needs of an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// Cores and memory.
    pub resources: Resources,
    /// The image to run.
    pub image: ImageRef,
}

/// Why one agent cannot take a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Obstacle {
    /// Its link is down.
    Disconnected,
    /// An administrator has disabled it.
    Disabled,
    /// Too few cores are free.
    TooFewCores(Shortage),
    /// Too little memory is free.
    TooLittleMemory(Shortage),
}

/// The numbers of what does not fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shortage {
    /// What the session needs.
    pub wanted: Resources,
    /// What the agent has left.
    pub free: Resources,
    /// What it offers in all.
    pub offered: Resources,
}

/// No agent can take a session: what stood in the way on each.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct Refusal {
    /// Agent and obstacle, in the order of the candidates.
    pub obstacles: Vec<(String, Obstacle)>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.obstacles.is_empty() {
            return f.write_str("no agent is registered");
        }
        for (index, (agent, obstacle)) in self.obstacles.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            match obstacle {
                Obstacle::Disconnected => write!(f, "agent {agent} is not connected")?,
                Obstacle::Disabled => write!(f, "agent {agent} is disabled")?,
                Obstacle::TooFewCores(Shortage {
                    wanted,
                    free,
                    offered,
                }) => write!(
                    f,
                    "needs {} cores; agent {agent} has {} free of {}",
                    wanted.cores, free.cores, offered.cores
                )?,
                Obstacle::TooLittleMemory(Shortage {
                    wanted,
                    free,
                    offered,
                }) => write!(
                    f,
                    "needs {} of memory; agent {agent} has {} free of {}",
                    wanted.memory, free.memory, offered.memory
                )?,
            }
        }
        Ok(())
    }
}

/// Chooses the agent for a session: one that has the image before one that must pull it, then the
/// one with the larger share of cores free.
///
/// # Errors
/// A [`Refusal`] that tells for each agent what stood in the way.
pub fn place(need: &Need, candidates: &[Candidate]) -> Result<AgentId, Refusal> {
    let mut obstacles = Vec::new();
    let mut fitting = Vec::new();
    for candidate in candidates {
        match obstacle(need, candidate) {
            Some(obstacle) => obstacles.push((candidate.name.clone(), obstacle)),
            None => fitting.push(candidate),
        }
    }
    fitting
        .into_iter()
        .max_by(|a, b| {
            a.has_image
                .cmp(&b.has_image)
                .then_with(|| free_share(a).total_cmp(&free_share(b)))
                .then_with(|| b.id.cmp(&a.id))
        })
        .map(|candidate| candidate.id)
        .ok_or(Refusal { obstacles })
}

fn free_share(candidate: &Candidate) -> f64 {
    let free = candidate.offered.minus(candidate.reserved).cores.cores();
    free / candidate.offered.cores.cores().max(0.001)
}

fn obstacle(need: &Need, candidate: &Candidate) -> Option<Obstacle> {
    let (wanted, offered) = (need.resources, candidate.offered);
    let free = offered.minus(candidate.reserved);
    if !candidate.enabled {
        Some(Obstacle::Disabled)
    } else if !candidate.connected {
        Some(Obstacle::Disconnected)
    } else if wanted.cores > free.cores {
        Some(Obstacle::TooFewCores(Shortage {
            wanted,
            free,
            offered,
        }))
    } else if wanted.memory > free.memory {
        Some(Obstacle::TooLittleMemory(Shortage {
            wanted,
            free,
            offered,
        }))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::{Bytes, MilliCores};

    fn candidate(name: &str, cores: u32, used: u32) -> Candidate {
        Candidate {
            id: AgentId::new(),
            name: name.into(),
            connected: true,
            enabled: true,
            offered: Resources {
                cores: MilliCores(cores),
                memory: Bytes::mib(8192),
            },
            reserved: Resources {
                cores: MilliCores(used),
                memory: Bytes::mib(0),
            },
            has_image: true,
        }
    }

    fn need(cores: u32, mib: u64) -> Need {
        Need {
            resources: Resources {
                cores: MilliCores(cores),
                memory: Bytes::mib(mib),
            },
            image: "porthole/terminal:1.0".parse().unwrap(),
        }
    }

    #[test]
    fn refusal_gives_numbers() {
        let refusal = place(&need(2000, 512), &[candidate("a1", 2000, 1500)]).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "needs 2.0 cores; agent a1 has 0.5 free of 2.0"
        );
        let refusal = place(&need(1000, 9000), &[candidate("a1", 2000, 0)]).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "needs 8.8 GiB of memory; agent a1 has 8.0 GiB free of 8.0 GiB"
        );
        assert_eq!(
            place(&need(1, 1), &[]).unwrap_err().to_string(),
            "no agent is registered"
        );
    }

    #[test]
    fn prefers_the_image_then_the_freer_agent() {
        let (busy, mut free) = (candidate("busy", 4000, 3000), candidate("free", 4000, 0));
        assert_eq!(
            place(&need(1000, 1), &[busy.clone(), free.clone()]),
            Ok(free.id)
        );
        free.has_image = false;
        assert_eq!(place(&need(1000, 1), &[busy.clone(), free]), Ok(busy.id));
    }

    #[test]
    fn never_places_on_a_lost_or_disabled_agent() {
        let mut lost = candidate("lost", 4000, 0);
        lost.connected = false;
        let mut off = candidate("off", 4000, 0);
        off.enabled = false;
        let refusal = place(&need(1, 1), &[lost, off]).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "agent lost is not connected; agent off is disabled"
        );
    }
}
