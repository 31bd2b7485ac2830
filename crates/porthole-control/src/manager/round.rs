//! The loop: what agents say is taken up at once, and everything is looked at once a round.

use super::{AgentMemory, Manager};
use crate::{Event, links::ChangeSet};
use porthole_model::ids::{AgentId, SessionId};
use porthole_store::{
    PageRequest, StoreError,
    agents::{AgentLoad, Seen},
    sessions::SessionFilter,
};
use porthole_wire::agent::ServerMessage;
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How old the stored report of an agent may grow while nothing in it changes.
const SEEN_EVERY: Duration = Duration::from_mins(1);

impl Manager {
    /// Keeps everything going until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        let mut rounds = tokio::time::interval(self.0.config.round);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                changes = self.0.links.changes() => self.take_up(changes).await,
                _ = rounds.tick() => self.round().await,
            };
            if let Err(error) = done {
                // The next round does what this one could not.
                tracing::error!(%error, "a round of the manager failed");
            }
        }
    }

    /// Takes up what agents said.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take_up(&self, changes: ChangeSet) -> Result<(), StoreError> {
        for id in changes.sessions {
            self.reconcile(id).await?;
        }
        let turned = changes
            .agents
            .into_iter()
            .filter(|id| self.turned(*id))
            .count();
        // An agent that came or went touches sessions that it did not name.
        if turned > 0 {
            self.round().await
        } else {
            Ok(())
        }
    }

    /// Whether an agent's link came or went, or its first report came, since the last round.
    fn turned(&self, id: AgentId) -> bool {
        let view = self.0.links.view(id);
        let now = view.map_or((false, false), |view| (view.connected, view.reported));
        self.memory()
            .agents
            .get(&id)
            .is_none_or(|agent| (agent.connected, agent.reported) != now)
    }

    /// Looks at everything once.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn round(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.0.rounds.lock().await;
        // Before the store is read: what an agent reports of a session comes after its row.
        let observed = self.0.links.all_observed();
        let loads = self.0.store.agents().loads().await?;
        let lost_or_found = self.note_agents(&loads).await?;
        self.note_images().await?;
        let sessions = self
            .0
            .store
            .sessions()
            .all(SessionFilter::default())
            .await?;

        let mut known: HashMap<SessionId, AgentId> = HashMap::new();
        let grace = !self.memory().graced;
        for session in sessions {
            if let Some(agent) = session.agent_id {
                known.insert(session.id, agent);
                if lost_or_found.contains(&agent) {
                    let (session_id, user_id) = (session.id, session.user_id);
                    self.0.events.send(Event::Session {
                        session_id,
                        user_id,
                    });
                }
            }
            if self.clock_ran_out(&session, grace).await? {
                self.reconcile(session.id).await?;
            } else {
                self.step(session).await?;
            }
        }
        self.remove_strays(&observed, &known);
        let mut memory = self.memory();
        memory.sessions.retain(|id, _| known.contains_key(id));
        memory.graced = true;
        Ok(())
    }

    /// Has agents hold the images of all workspaces that can be launched.
    async fn note_images(&self) -> Result<(), StoreError> {
        let page = PageRequest {
            limit: 10_000,
            ..PageRequest::default()
        };
        let workspaces = self.0.store.workspaces().list(None, &page).await?.items;
        let mut images = Vec::new();
        for settings in workspaces.into_iter().map(|workspace| workspace.settings) {
            if settings.enabled && !images.contains(&settings.image) {
                images.push(settings.image);
            }
        }
        self.0.links.set_images(&images);
        Ok(())
    }

    /// Keeps what agents say of themselves; returns those whose link came or went.
    async fn note_agents(&self, loads: &[AgentLoad]) -> Result<HashSet<AgentId>, StoreError> {
        let now = self.now();
        let views = self.0.links.views();
        let mut turned = HashSet::new();
        let mut to_store = Vec::new();
        {
            let mut memory = self.memory();
            memory
                .agents
                .retain(|id, _| loads.iter().any(|load| load.agent.id == *id));
            for load in loads {
                let view = views.get(&load.agent.id);
                let first = !memory.agents.contains_key(&load.agent.id);
                let agent: &mut AgentMemory = memory.agents.entry(load.agent.id).or_default();
                let connected = view.is_some_and(|view| view.connected);
                let reported = view.is_some_and(|view| view.reported);
                if agent.connected != connected || (agent.reported != reported && !first) {
                    turned.insert(load.agent.id);
                }
                agent.name.clone_from(&load.agent.name);
                (agent.connected, agent.reported) = (connected, reported);
                let Some((view, host)) =
                    view.and_then(|view| view.host.as_ref().map(|host| (view, host)))
                else {
                    continue;
                };
                let seen = Seen {
                    hostname: view.hostname.clone(),
                    version: view.version.clone(),
                    engine: host.host.engine.clone(),
                    offered: host.host.offered,
                };
                let stale = agent.seen.as_ref().is_none_or(|(last, at)| {
                    *last != seen || (connected && now - *at >= SEEN_EVERY)
                });
                if stale {
                    agent.seen = Some((seen.clone(), now));
                    to_store.push((load.agent.id, seen, view.heard_at));
                }
            }
        }
        for (id, seen, at) in to_store {
            match self.0.store.agents().seen(id, &seen, at).await {
                Ok(()) | Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if !turned.is_empty() {
            self.0.events.send(Event::Agents);
        }
        Ok(turned)
    }

    /// Sessions that an agent has and the store has not, or has elsewhere: they are to go.
    fn remove_strays(
        &self,
        observed: &[(AgentId, SessionId)],
        known: &HashMap<SessionId, AgentId>,
    ) {
        let now = self.now();
        let mut memory = self.memory();
        let mut strays = HashMap::new();
        for &(agent_id, session_id) in observed {
            if known.get(&session_id) == Some(&agent_id) {
                continue;
            }
            let key = (agent_id, session_id);
            let told = memory.strays.get(&key).copied();
            let again = told.is_none_or(|at| now - at >= self.0.config.repeat);
            if again {
                tracing::info!(%agent_id, %session_id, "removing a session that nobody knows");
                self.0
                    .links
                    .send(agent_id, ServerMessage::Remove { session_id });
            }
            strays.insert(key, if again { now } else { told.unwrap_or(now) });
        }
        memory.strays = strays;
    }
}
