//! Agents: the container hosts that an administrator has registered.

use crate::{
    Store, StoreError, columns,
    entity::{kasms, servers},
};
use porthole_model::{
    ids::AgentId,
    resources::{Bytes, MilliCores, Resources},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::HashMap;
use time::OffsetDateTime;

/// A registered agent, and what it said last.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Its name to people.
    pub name: String,
    /// Whether it is the one inside the server's own process.
    pub local: bool,
    /// Whether new sessions may be placed on it.
    pub enabled: bool,
    /// The host's name; empty before its first link.
    pub hostname: String,
    /// The agent's program version; empty before its first link.
    pub version: String,
    /// The container engine; empty before its first report.
    pub engine: String,
    /// What it offers to sessions.
    pub offered: Resources,
    /// When it was registered.
    pub created_at: OffsetDateTime,
    /// When it last reported, to the minute or so.
    pub last_seen_at: Option<OffsetDateTime>,
}

/// What an agent says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The host's name.
    pub hostname: String,
    /// The agent's program version.
    pub version: String,
    /// The container engine.
    pub engine: String,
    /// What it offers to sessions.
    pub offered: Resources,
}

/// An agent with what its sessions hold.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentLoad {
    /// The agent.
    pub agent: Agent,
    /// What sessions hold on it.
    pub reserved: Resources,
    /// How many sessions are on it, whatever their state.
    pub sessions: u64,
}

/// The agents' repository.
pub struct Agents<'a>(&'a Store);

impl Store {
    /// Agents.
    pub fn agents(&self) -> Agents<'_> {
        Agents(self)
    }
}

impl Agents<'_> {
    /// Every agent with its load, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn loads(&self) -> Result<Vec<AgentLoad>, StoreError> {
        loads(self.0.db()).await
    }

    /// One agent.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this id.
    pub async fn find(&self, id: AgentId) -> Result<Agent, StoreError> {
        servers::Entity::find_by_id(id.to_string())
            .one(self.0.db())
            .await?
            .ok_or(StoreError::not_found("agent"))
            .and_then(from_row)
    }

    /// Registers an agent that dials in with a token; only the token's hash is kept.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn create(
        &self,
        id: AgentId,
        name: &str,
        token_hash: &str,
    ) -> Result<Agent, StoreError> {
        self.insert(id, name, Some(token_hash), false).await
    }

    /// The agent inside the server's own process; registered under this name at the first call.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another agent has the name.
    pub async fn ensure_local(&self, name: &str) -> Result<Agent, StoreError> {
        let there = servers::Entity::find()
            .filter(servers::Column::Local.eq(true))
            .one(self.0.db())
            .await?;
        match there {
            Some(row) => from_row(row),
            None => self.insert(AgentId::new(), name, None, true).await,
        }
    }

    async fn insert(
        &self,
        id: AgentId,
        name: &str,
        token_hash: Option<&str>,
        local: bool,
    ) -> Result<Agent, StoreError> {
        let row = servers::Model {
            server_id: id.to_string(),
            name: name.to_owned(),
            local,
            enabled: true,
            token_hash: token_hash.map(str::to_owned),
            hostname: String::new(),
            agent_version: String::new(),
            engine: String::new(),
            cores_milli: 0,
            memory: 0,
            created: columns::now(),
            last_reported: None,
        };
        let row = row.into_active_model().insert(self.0.db()).await;
        from_row(row.map_err(|e| taken(e, name))?)
    }

    /// Changes the name, or whether new sessions may be placed there; `None` leaves it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or [`StoreError::Conflict`] when the name is taken.
    pub async fn update(
        &self,
        id: AgentId,
        name: Option<&str>,
        enabled: Option<bool>,
    ) -> Result<Agent, StoreError> {
        let row = servers::Entity::find_by_id(id.to_string())
            .one(self.0.db())
            .await?;
        let unchanged = row.ok_or(StoreError::not_found("agent"))?;
        if name.is_none() && enabled.is_none() {
            return from_row(unchanged);
        }
        let mut row = unchanged.into_active_model();
        if let Some(name) = name {
            row.name = Set(name.to_owned());
        }
        if let Some(enabled) = enabled {
            row.enabled = Set(enabled);
        }
        let row = row.update(self.0.db()).await;
        from_row(row.map_err(|e| taken(e, name.unwrap_or_default()))?)
    }

    /// Removes an agent that no session is on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or [`StoreError::Conflict`] when sessions are on it.
    pub async fn delete(&self, id: AgentId) -> Result<(), StoreError> {
        let txn = self.0.write().await?;
        let sessions = kasms::Entity::find()
            .select_only()
            .column(kasms::Column::KasmId)
            .filter(kasms::Column::ServerId.eq(id.to_string()))
            .into_tuple::<String>()
            .all(&txn)
            .await?
            .len();
        if sessions > 0 {
            return Err(StoreError::conflict(format!(
                "{sessions} sessions are on the agent"
            )));
        }
        let gone = servers::Entity::delete_by_id(id.to_string())
            .exec(&txn)
            .await?;
        txn.commit().await?;
        if gone.rows_affected == 0 {
            Err(StoreError::not_found("agent"))
        } else {
            Ok(())
        }
    }

    /// The hash of an agent's token; `None` for an unknown agent and for the local one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn token_hash(&self, id: AgentId) -> Result<Option<String>, StoreError> {
        let row = servers::Entity::find_by_id(id.to_string())
            .one(self.0.db())
            .await?;
        Ok(row.and_then(|row| row.token_hash))
    }

    /// Keeps what an agent says about itself.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not registered any more.
    pub async fn seen(
        &self,
        id: AgentId,
        seen: &Seen,
        at: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let row = servers::ActiveModel {
            hostname: Set(seen.hostname.clone()),
            agent_version: Set(seen.version.clone()),
            engine: Set(seen.engine.clone()),
            cores_milli: Set(i64::from(seen.offered.cores.0)),
            memory: Set(seen.offered.memory.0 as i64),
            last_reported: Set(Some(columns::to_column(at))),
            ..Default::default()
        };
        let done = servers::Entity::update_many()
            .set(row)
            .filter(servers::Column::ServerId.eq(id.to_string()))
            .exec(self.0.db())
            .await?;
        if done.rows_affected == 0 {
            Err(StoreError::not_found("agent"))
        } else {
            Ok(())
        }
    }
}

fn taken(error: sea_orm::DbErr, name: &str) -> StoreError {
    StoreError::naming_conflict(error, || format!("an agent named {name:?} exists already"))
}

/// The agents with their loads. Inside a transaction that writes, nothing can be placed between
/// this and its commit.
pub(crate) async fn loads<C: ConnectionTrait>(db: &C) -> Result<Vec<AgentLoad>, StoreError> {
    let held: Vec<(Option<String>, String, i64, i64)> = kasms::Entity::find()
        .select_only()
        .column(kasms::Column::ServerId)
        .column(kasms::Column::State)
        .column(kasms::Column::CoresMilli)
        .column(kasms::Column::Memory)
        .into_tuple()
        .all(db)
        .await?;
    let mut loads: HashMap<String, (Resources, u64)> = HashMap::new();
    for (server_id, state, cores, memory) in held {
        let Some(server_id) = server_id else { continue };
        let state: porthole_model::session::SessionState = columns::parse(&state)?;
        let (reserved, sessions) = loads.entry(server_id).or_default();
        *sessions += 1;
        if state.holds_resources() {
            *reserved = reserved.plus(resources(cores, memory));
        }
    }
    let rows = servers::Entity::find()
        .order_by_asc(servers::Column::Name)
        .all(db)
        .await?;
    rows.into_iter()
        .map(|row| {
            let (reserved, sessions) = loads.remove(&row.server_id).unwrap_or_default();
            Ok(AgentLoad {
                agent: from_row(row)?,
                reserved,
                sessions,
            })
        })
        .collect()
}

/// Holds the rows of all agents until the transaction ends, so that two placements can not see the
/// same free cores. SQLite's write lock does that already; PostgreSQL needs the rows locked.
pub(crate) async fn lock<C: ConnectionTrait>(db: &C) -> Result<(), StoreError> {
    if db.get_database_backend() == sea_orm::DbBackend::Postgres {
        servers::Entity::find()
            .order_by_asc(servers::Column::ServerId)
            .lock_exclusive()
            .all(db)
            .await?;
    }
    Ok(())
}

pub(crate) fn resources(cores_milli: i64, memory: i64) -> Resources {
    Resources {
        cores: MilliCores(u32::try_from(cores_milli).unwrap_or(0)),
        memory: Bytes(u64::try_from(memory).unwrap_or(0)),
    }
}

fn from_row(row: servers::Model) -> Result<Agent, StoreError> {
    Ok(Agent {
        id: columns::parse(&row.server_id)?,
        name: row.name,
        local: row.local,
        enabled: row.enabled,
        hostname: row.hostname,
        version: row.agent_version,
        engine: row.engine,
        offered: resources(row.cores_milli, row.memory),
        created_at: columns::from_column(row.created),
        last_seen_at: row.last_reported.map(columns::from_column),
    })
}
