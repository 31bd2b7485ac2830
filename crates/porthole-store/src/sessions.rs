//! Sessions, the resources they hold, and their history.
//!
//! A session's row is the reservation: what it holds follows from its state, so nothing can be
//! leaked. Every change reads the row and writes it in one transaction.

use crate::{
    Page, PageRequest, Store, StoreError,
    agents::{self, AgentLoad},
    columns,
    entity::{kasm_history, kasms},
    runs,
};
use porthole_model::{
    ids::{AgentId, DisplayId, SessionId, UserId, WorkspaceId},
    policy::EffectivePolicy,
    resources::Resources,
    session::{EndReason, Failure, Progress, SessionState, WantedState},
    statistics::StreamStatistics,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// A session as the store has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The user's name when it was requested.
    pub username: String,
    /// What it is an instance of. The workspace may be gone.
    pub workspace_id: WorkspaceId,
    /// The workspace's name when it was requested.
    pub workspace_name: String,
    /// The image it runs.
    pub image: String,
    /// Where it is.
    pub agent_id: Option<AgentId>,
    /// Where it is on its way.
    pub state: SessionState,
    /// What is wanted of it.
    pub wanted: WantedState,
    /// What it holds while its state holds anything; nothing once it is deleted after it had given it back.
    pub resources: Resources,
    /// What the agent is told, as JSON. The store does not read it.
    pub spec: String,
    /// Its container in the engine.
    pub container_id: Option<String>,
    /// Its display.
    pub display_id: Option<DisplayId>,
    /// How far its start is, step by step.
    pub progress: Option<Progress>,
    /// What is wrong with it.
    pub failure: Option<Failure>,
    /// Why it ends; with [`WantedState::Deleted`].
    pub end_reason: Option<EndReason>,
    /// When it was requested.
    pub created_at: OffsetDateTime,
    /// When it first ran.
    pub started_at: Option<OffsetDateTime>,
    /// When it was last kept alive.
    pub keepalive_at: OffsetDateTime,
    /// When it is ended unless kept alive.
    pub expires_at: Option<OffsetDateTime>,
    /// When it came into its state.
    pub state_at: OffsetDateTime,
    /// Counts the row's changes.
    pub version: i64,
    /// How its stream was doing when a viewer last told.
    pub statistics: Option<StreamStatistics>,
    /// What held for its user when it was requested.
    pub policy: EffectivePolicy,
}

/// A line of a session's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened, in one word: `requested`, `running`, `stopping`, `stopped`, `resumed`,
    /// `retried`, `failed`, `extended`, `deleted`, `removed`.
    pub event: &'static str,
    /// Why.
    pub reason: Option<String>,
    /// Who did it; `None` for Porthole itself.
    pub actor: Option<String>,
}

/// A line of the history as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The session.
    pub session_id: SessionId,
    /// Its user's name.
    pub username: String,
    /// Its workspace's name.
    pub workspace_name: String,
    /// What happened.
    pub event: String,
    /// Why.
    pub reason: Option<String>,
    /// Who did it.
    pub actor: Option<String>,
    /// When.
    pub at: OffsetDateTime,
    /// How the session's stream was doing when a viewer last told.
    pub statistics: Option<StreamStatistics>,
}

/// What a change of a session comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing to write.
    Keep,
    /// Write the row, and this line of history where there is one.
    Save(Option<Event>),
    /// The session is gone: remove the row, keep this line.
    Remove(Event),
}

/// Why a session could not be changed: the store's reason or the caller's own.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError<E> {
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller's rule.
    #[error("{0}")]
    Rule(E),
}

impl<E> From<sea_orm::DbErr> for ChangeError<E> {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

/// Which sessions to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionFilter {
    /// Only this user's.
    pub user_id: Option<UserId>,
    /// Only this agent's.
    pub agent_id: Option<AgentId>,
    /// Only of this workspace.
    pub workspace_id: Option<WorkspaceId>,
}

/// The sessions' repository.
pub struct Sessions<'a>(&'a Store);

impl Store {
    /// Sessions.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions(self)
    }
}

impl Sessions<'_> {
    /// Places and stores a new session in one transaction, so that no two requests can be given
    /// the same cores, nor pass a user's limit together. `place` gets the sessions that the user
    /// has already and the load of each agent, and fills in the agent.
    ///
    /// # Errors
    /// `place`'s own refusal, or the store's.
    pub async fn request<E>(
        &self,
        mut session: Session,
        event: Event,
        place: impl FnOnce(&mut Session, &[Session], &[AgentLoad]) -> Result<(), E>,
    ) -> Result<Session, ChangeError<E>> {
        let txn = self.0.write().await?;
        agents::lock(&txn).await?;
        let loads = agents::loads(&txn).await?;
        let others = of_user(&txn, session.user_id).await?;
        place(&mut session, &others, &loads).map_err(ChangeError::Rule)?;
        to_row(&session)?.into_active_model().insert(&txn).await?;
        remember(&txn, &session, event, session.created_at).await?;
        txn.commit().await?;
        Ok(session)
    }

    /// Changes a session in one transaction. Returns it as it is afterwards, or `None` when the
    /// change removed it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such session, the store's errors, or `change`'s
    /// own.
    pub async fn change<E>(
        &self,
        id: SessionId,
        at: OffsetDateTime,
        change: impl FnOnce(&mut Session) -> Result<Change, E>,
    ) -> Result<Option<Session>, ChangeError<E>> {
        let txn = self.0.write().await?;
        let session = locked(&txn, id).await?;
        apply(txn, session, at, change).await
    }

    /// As [`change`](Self::change), for a change that takes resources again: with all sessions of
    /// its user and the load of each agent. Both count the session itself as it is stored.
    ///
    /// # Errors
    /// As [`change`](Self::change).
    pub async fn replace<E>(
        &self,
        id: SessionId,
        at: OffsetDateTime,
        change: impl FnOnce(&mut Session, &[Session], &[AgentLoad]) -> Result<Change, E>,
    ) -> Result<Option<Session>, ChangeError<E>> {
        let txn = self.0.write().await?;
        agents::lock(&txn).await?;
        let loads = agents::loads(&txn).await?;
        let session = locked(&txn, id).await?;
        let all = of_user(&txn, session.user_id).await?;
        apply(txn, session, at, |session| change(session, &all, &loads)).await
    }

    /// One session.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this id.
    pub async fn find(&self, id: SessionId) -> Result<Session, StoreError> {
        kasms::Entity::find_by_id(id.to_string())
            .one(self.0.db())
            .await?
            .ok_or(StoreError::not_found("session"))
            .and_then(from_row)
    }

    /// Every session, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn all(&self, filter: SessionFilter) -> Result<Vec<Session>, StoreError> {
        let rows = kasms::Entity::find()
            .filter(condition(filter, None))
            .order_by_asc(kasms::Column::KasmId)
            .all(self.0.db())
            .await?;
        rows.into_iter().map(from_row).collect()
    }

    /// A part of the sessions, newest first; the search looks at workspace and user names.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(
        &self,
        filter: SessionFilter,
        page: &PageRequest,
    ) -> Result<Page<Session>, StoreError> {
        let query = kasms::Entity::find().filter(condition(filter, page.search.as_deref()));
        let total = query.clone().count(self.0.db()).await?;
        let rows = query
            .order_by_desc(kasms::Column::KasmId)
            .offset(page.offset)
            .limit(page.limit)
            .all(self.0.db())
            .await?;
        let items = rows.into_iter().map(from_row).collect::<Result<_, _>>()?;
        Ok(Page { items, total })
    }

    /// What happened to a session, oldest first; also after it is gone.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn history(&self, id: SessionId) -> Result<Vec<HistoryEntry>, StoreError> {
        let rows = kasm_history::Entity::find()
            .filter(kasm_history::Column::KasmId.eq(id.to_string()))
            .order_by_asc(kasm_history::Column::KasmHistoryId)
            .all(self.0.db())
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(HistoryEntry {
                    session_id: columns::parse(&row.kasm_id)?,
                    username: row.username,
                    workspace_name: row.image_name,
                    event: row.event,
                    reason: row.reason,
                    actor: row.actor,
                    at: columns::from_column(row.at),
                    statistics: read_statistics(row.statistics.as_deref())?,
                })
            })
            .collect()
    }

    /// How many sessions each user has.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn counts_by_user(
        &self,
    ) -> Result<std::collections::HashMap<UserId, u64>, StoreError> {
        let owners: Vec<String> = kasms::Entity::find()
            .select_only()
            .column(kasms::Column::UserId)
            .into_tuple()
            .all(self.0.db())
            .await?;
        let mut counts = std::collections::HashMap::new();
        for owner in owners {
            *counts.entry(columns::parse(&owner)?).or_default() += 1;
        }
        Ok(counts)
    }
}

fn condition(filter: SessionFilter, search: Option<&str>) -> Condition {
    let mut all = Condition::all();
    if let Some(id) = filter.user_id {
        all = all.add(kasms::Column::UserId.eq(id.to_string()));
    }
    if let Some(id) = filter.agent_id {
        all = all.add(kasms::Column::ServerId.eq(id.to_string()));
    }
    if let Some(id) = filter.workspace_id {
        all = all.add(kasms::Column::ImageId.eq(id.to_string()));
    }
    if let Some(search) = search.filter(|text| !text.is_empty()) {
        all = all.add(
            Condition::any()
                .add(kasms::Column::ImageName.contains(search))
                .add(kasms::Column::Username.contains(search)),
        );
    }
    all
}

async fn of_user<C: ConnectionTrait>(db: &C, id: UserId) -> Result<Vec<Session>, StoreError> {
    let rows = kasms::Entity::find()
        .filter(kasms::Column::UserId.eq(id.to_string()))
        .all(db)
        .await?;
    rows.into_iter().map(from_row).collect()
}

async fn locked(txn: &DatabaseTransaction, id: SessionId) -> Result<Session, StoreError> {
    let mut query = kasms::Entity::find_by_id(id.to_string());
    if txn.get_database_backend() == sea_orm::DbBackend::Postgres {
        query = query.lock_exclusive();
    }
    query
        .one(txn)
        .await?
        .ok_or(StoreError::not_found("session"))
        .and_then(from_row)
}

async fn apply<E>(
    txn: DatabaseTransaction,
    mut session: Session,
    at: OffsetDateTime,
    change: impl FnOnce(&mut Session) -> Result<Change, E>,
) -> Result<Option<Session>, ChangeError<E>> {
    let before = session.state;
    let change = change(&mut session).map_err(ChangeError::Rule)?;
    match change {
        Change::Keep => Ok(Some(session)),
        Change::Save(event) => {
            session.version += 1;
            if session.state != before {
                session.state_at = at;
            }
            let row = to_row(&session)?.into_active_model().reset_all();
            row.update(&txn).await?;
            runs::note(&txn, &session, before, at).await?;
            if let Some(event) = event {
                remember(&txn, &session, event, at).await?;
            }
            txn.commit().await?;
            Ok(Some(session))
        }
        Change::Remove(event) => {
            kasms::Entity::delete_by_id(session.id.to_string())
                .exec(&txn)
                .await?;
            runs::end(&txn, session.id, at).await?;
            remember(&txn, &session, event, at).await?;
            txn.commit().await?;
            Ok(None)
        }
    }
}

async fn remember<C: ConnectionTrait>(
    db: &C,
    session: &Session,
    event: Event,
    at: OffsetDateTime,
) -> Result<(), StoreError> {
    let row = kasm_history::Model {
        kasm_history_id: Uuid::now_v7().to_string(),
        kasm_id: session.id.to_string(),
        user_id: session.user_id.to_string(),
        username: session.username.clone(),
        image_id: session.workspace_id.to_string(),
        image_name: session.workspace_name.clone(),
        server_id: session.agent_id.map(|id| id.to_string()),
        event: event.event.into(),
        reason: event.reason,
        actor: event.actor,
        at: columns::to_column(at),
        statistics: write_statistics(session)?,
    };
    row.into_active_model().insert(db).await?;
    Ok(())
}

fn to_row(session: &Session) -> Result<kasms::Model, StoreError> {
    Ok(kasms::Model {
        kasm_id: session.id.to_string(),
        user_id: session.user_id.to_string(),
        username: session.username.clone(),
        image_id: session.workspace_id.to_string(),
        image_name: session.workspace_name.clone(),
        image_src: session.image.clone(),
        server_id: session.agent_id.map(|id| id.to_string()),
        state: session.state.as_str().into(),
        wanted: session.wanted.as_str().into(),
        cores_milli: i64::from(session.resources.cores.0),
        memory: session.resources.memory.0 as i64,
        spec: session.spec.clone(),
        container_id: session.container_id.clone(),
        display_id: session.display_id.map(|id| id.to_string()),
        progress: session
            .progress
            .as_ref()
            .map(columns::to_json)
            .transpose()?,
        failure: session.failure.as_ref().map(columns::to_json).transpose()?,
        end_reason: session.end_reason.map(|reason| reason.as_str().into()),
        created_date: columns::to_column(session.created_at),
        start_date: session.started_at.map(columns::to_column),
        keepalive_date: columns::to_column(session.keepalive_at),
        expiration_date: session.expires_at.map(columns::to_column),
        state_date: columns::to_column(session.state_at),
        version: session.version,
        statistics: write_statistics(session)?,
        policy: columns::to_json(&session.policy)?,
    })
}

fn write_statistics(session: &Session) -> Result<Option<String>, StoreError> {
    session
        .statistics
        .as_ref()
        .map(columns::to_json)
        .transpose()
}

fn read_statistics(column: Option<&str>) -> Result<Option<StreamStatistics>, StoreError> {
    column.map(columns::from_json).transpose()
}

fn from_row(row: kasms::Model) -> Result<Session, StoreError> {
    Ok(Session {
        id: columns::parse(&row.kasm_id)?,
        user_id: columns::parse(&row.user_id)?,
        username: row.username,
        workspace_id: columns::parse(&row.image_id)?,
        workspace_name: row.image_name,
        image: row.image_src,
        agent_id: row.server_id.as_deref().map(columns::parse).transpose()?,
        state: columns::parse(&row.state)?,
        wanted: columns::parse(&row.wanted)?,
        resources: agents::resources(row.cores_milli, row.memory),
        spec: row.spec,
        container_id: row.container_id,
        display_id: row.display_id.as_deref().map(columns::parse).transpose()?,
        progress: row
            .progress
            .as_deref()
            .map(columns::from_json)
            .transpose()?,
        failure: row.failure.as_deref().map(columns::from_json).transpose()?,
        end_reason: row.end_reason.as_deref().map(columns::parse).transpose()?,
        created_at: columns::from_column(row.created_date),
        started_at: row.start_date.map(columns::from_column),
        keepalive_at: columns::from_column(row.keepalive_date),
        expires_at: row.expiration_date.map(columns::from_column),
        state_at: columns::from_column(row.state_date),
        version: row.version,
        statistics: read_statistics(row.statistics.as_deref())?,
        policy: columns::from_json(&row.policy)?,
    })
}
