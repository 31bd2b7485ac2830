//! Agents: registered, renamed, switched off and removed by administrators.

use super::validate;
use crate::{
    AppError, Control, Event, RequestContext,
    links::{AgentView, http::AgentToken},
};
use porthole_model::{ids::AgentId, permission::Permission};
use porthole_store::{StoreError, agents::AgentLoad};

/// An agent with its load and, when it has had a link since the server started, its last report.
#[derive(Debug, Clone)]
pub struct AgentState {
    /// The agent and what sessions hold on it.
    pub load: AgentLoad,
    /// What it says.
    pub view: Option<AgentView>,
}

impl Control {
    /// Every agent, by name.
    ///
    /// # Errors
    /// Without the permission.
    pub async fn agents(&self, context: &RequestContext) -> Result<Vec<AgentState>, AppError> {
        context.require(Permission::AgentsView)?;
        self.agent_states().await
    }

    async fn agent_states(&self) -> Result<Vec<AgentState>, AppError> {
        let mut views = self.links().views();
        let loads = self.store.agents().loads().await?;
        Ok(loads
            .into_iter()
            .map(|load| AgentState {
                view: views.remove(&load.agent.id),
                load,
            })
            .collect())
    }

    /// Registers an agent. Its token is told this once.
    ///
    /// # Errors
    /// Without the permission; [`AppError::Invalid`], [`AppError::Conflict`] when the name is taken.
    pub async fn create_agent(
        &self,
        context: &RequestContext,
        name: &str,
    ) -> Result<(AgentState, AgentToken), AppError> {
        context.require(Permission::AgentsCreate)?;
        let name = agent_name(name)?;
        let id = AgentId::new();
        let token = AgentToken::new(id, (self.config.pin.0)().as_deref());
        self.store.agents().create(id, &name, &token.hash).await?;
        tracing::info!(agent = name, by = ?context.actor, "agent registered");
        self.events.send(Event::Agents);
        Ok((self.agent_state(id).await?, token))
    }

    /// Renames an agent, or switches it off for new sessions.
    ///
    /// # Errors
    /// Without the permission; [`AppError::NotFound`], [`AppError::Conflict`] when the name is taken.
    pub async fn update_agent(
        &self,
        context: &RequestContext,
        id: AgentId,
        name: Option<&str>,
        enabled: Option<bool>,
    ) -> Result<AgentState, AppError> {
        context.require(Permission::AgentsModify)?;
        let name = name.map(agent_name).transpose()?;
        let agent = self
            .store
            .agents()
            .update(id, name.as_deref(), enabled)
            .await?;
        tracing::info!(agent = agent.name, ?enabled, by = ?context.actor, "agent changed");
        self.events.send(Event::Agents);
        self.agent_state(id).await
    }

    /// Removes an agent for good. With sessions on it only by force: they end, and what is left of
    /// them on the host is for its administrator to remove.
    ///
    /// # Errors
    /// Without the permission; [`AppError::NotFound`]; [`AppError::Conflict`] for the server's own
    /// agent, and when sessions are on it and `force` is not set.
    pub async fn delete_agent(
        &self,
        context: &RequestContext,
        id: AgentId,
        force: bool,
    ) -> Result<(), AppError> {
        context.require(Permission::AgentsDelete)?;
        let state = self.agent_state(id).await?;
        let name = &state.load.agent.name;
        if state.load.agent.local {
            return Err(AppError::conflict(format!(
                "{name} runs inside the server; switch it off in the server's configuration"
            )));
        }
        if state.load.sessions > 0 {
            if !force {
                return Err(AppError::conflict(format!(
                    "{} session(s) are on {name}; delete them first, or remove the agent by force",
                    state.load.sessions
                )));
            }
            self.manager.delete_of_agent(id).await?;
            // A connected agent is told to remove them; without its link they are gone at once.
            self.links().forget(id);
            self.manager.round().await?;
        }
        self.store.agents().delete(id).await?;
        self.links().forget(id);
        tracing::info!(agent = name, by = ?context.actor, "agent removed");
        self.events.send(Event::Agents);
        Ok(())
    }

    async fn agent_state(&self, id: AgentId) -> Result<AgentState, AppError> {
        let mut agents = self.agent_states().await?.into_iter();
        let found = agents.find(|state| state.load.agent.id == id);
        found.ok_or_else(|| StoreError::not_found("agent").into())
    }
}

fn agent_name(name: &str) -> Result<String, AppError> {
    validate::name(name, 64).map_err(|message| AppError::invalid("name", message))
}
