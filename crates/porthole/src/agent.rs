//! `porthole agent`: a container host of its own, linked to a server elsewhere.

use crate::{config::Config, serve};
use anyhow::{Context, Result};
use porthole_agent::{
    Agent, AgentConfig,
    remote::{self, AgentToken, RemoteConfig},
};
use porthole_model::{ids::AgentId, image::ImageRef, resources::Bytes};
use std::path::Path;

/// Runs until Ctrl-C or SIGTERM. Sessions go on; the next start finds them.
///
/// # Errors
/// When token, address or configuration cannot be used. A server that does not answer is awaited.
pub async fn run(config: &Config, server: &str, token: &str, ca: Option<&Path>) -> Result<()> {
    let token: AgentToken = token.parse()?;
    let ca_pem = ca
        .map(|file| std::fs::read(file).with_context(|| format!("cannot read {}", file.display())))
        .transpose()?;
    let agent_id = token.agent_id;
    let folder = config.data_dir.join("agent");
    let _lock = serve::lock(&folder)?;
    let agent = Agent::start(settings(config, agent_id, &folder)?)?;
    tracing::info!(server, %agent_id, "agent started");
    let remote = RemoteConfig {
        server_url: server.to_owned(),
        token,
        ca_pem,
    };
    let outcome = tokio::select! {
        ended = remote::run(remote, agent.clone()) => ended.map_err(anyhow::Error::from),
        () = serve::asked_to_stop() => Ok(()),
    };
    agent.shut_down().await;
    outcome
}

/// An agent's settings from the configuration.
///
/// # Errors
/// When the display image's name is not one.
pub fn settings(config: &Config, agent_id: AgentId, folder: &Path) -> Result<AgentConfig> {
    let local = &config.agent;
    let image: ImageRef = local.display_image.parse().context("agent.display_image")?;
    Ok(AgentConfig {
        runtime_dir: folder.to_path_buf(),
        engine: local.engine.clone(),
        warm_displays: local.warm_displays,
        cpu_overcommit: local.cpu_overcommit,
        memory_reserve: Bytes::mib(local.memory_reserve_mib),
        pids_limit: local.pids_limit,
        ..AgentConfig::new(agent_id, image)
    })
}
