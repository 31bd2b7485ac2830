//! The audit log: lines are added and read, never changed.

use crate::{
    Page, PageRequest, Store, StoreError,
    columns::{from_column, from_json, now, parse, to_json},
    entity::{audit_events, kasm_history, users},
    users::contains,
};
use porthole_model::{
    audit::{AuditDetails, AuditRecord},
    ids::{AuditEventId, SessionId, UserId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Func, LikeExpr},
};
use time::OffsetDateTime;

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// Its id; later ones sort after earlier ones.
    pub id: AuditEventId,
    /// When it was noted.
    pub at: OffsetDateTime,
    /// Who did it.
    pub user_id: UserId,
    /// Their name at that time.
    pub username: String,
    /// In which session.
    pub session_id: Option<SessionId>,
    /// The name of the session's workspace.
    pub workspace_name: Option<String>,
    /// To what, such as a file's path.
    pub target: String,
    /// What it was.
    pub details: AuditDetails,
}

/// The audit log.
#[derive(Debug, Clone, Copy)]
pub struct AuditEvents<'a>(&'a Store);

impl Store {
    /// The audit log.
    pub fn audit_events(&self) -> AuditEvents<'_> {
        AuditEvents(self)
    }
}

impl AuditEvents<'_> {
    /// Adds a line. The session may be gone already, and so may the user.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record(self, record: &AuditRecord) -> Result<(), StoreError> {
        let tx = self.0.write().await?;
        let session = match record.session_id {
            Some(id) => launched(&tx, id).await?,
            None => None,
        };
        let row = audit_events::Model {
            audit_event_id: AuditEventId::new().to_string(),
            at: now(),
            kind: record.details.kind().to_owned(),
            user_id: record.user_id.to_string(),
            username: username(&tx, record.user_id, session.as_ref()).await?,
            kasm_id: record.session_id.map(|id| id.to_string()),
            image_name: session.map(|session| session.image_name),
            target: record.target.clone(),
            details: to_json(&record.details)?,
        };
        row.into_active_model().insert(&tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A part of the log, newest first; the search looks at the names of users and workspaces and
    /// at targets.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(self, page: &PageRequest) -> Result<Page<AuditEvent>, StoreError> {
        let mut query = audit_events::Entity::find();
        if let Some(search) = &page.search {
            let pattern = contains(search);
            let like = |column: audit_events::Column| {
                Expr::expr(Func::lower(Expr::col(column)))
                    .like(LikeExpr::new(pattern.clone()).escape('\\'))
            };
            query = query.filter(
                Condition::any()
                    .add(like(audit_events::Column::Username))
                    .add(like(audit_events::Column::ImageName))
                    .add(like(audit_events::Column::Target)),
            );
        }
        let total = query.clone().count(self.0.db()).await?;
        let rows = query
            .order_by_desc(audit_events::Column::AuditEventId)
            .offset(page.offset)
            .limit(page.limit)
            .all(self.0.db())
            .await?;
        let items = rows.into_iter().map(from_row).collect::<Result<_, _>>()?;
        Ok(Page { items, total })
    }
}

/// The first line of a session's history, which stays when the session goes.
async fn launched(
    db: &impl ConnectionTrait,
    id: SessionId,
) -> Result<Option<kasm_history::Model>, StoreError> {
    Ok(kasm_history::Entity::find()
        .filter(kasm_history::Column::KasmId.eq(id.to_string()))
        .order_by_asc(kasm_history::Column::KasmHistoryId)
        .one(db)
        .await?)
}

/// The user's name; of one who is gone the name in the session's history, or the id.
async fn username(
    db: &impl ConnectionTrait,
    id: UserId,
    session: Option<&kasm_history::Model>,
) -> Result<String, StoreError> {
    let id = id.to_string();
    let name: Option<String> = users::Entity::find_by_id(&id)
        .select_only()
        .column(users::Column::Username)
        .into_tuple()
        .one(db)
        .await?;
    Ok(name
        .or_else(|| {
            session
                .filter(|session| session.user_id == id)
                .map(|session| session.username.clone())
        })
        .unwrap_or(id))
}

fn from_row(row: audit_events::Model) -> Result<AuditEvent, StoreError> {
    Ok(AuditEvent {
        id: parse(&row.audit_event_id)?,
        at: from_column(row.at),
        user_id: parse(&row.user_id)?,
        username: row.username,
        session_id: row.kasm_id.as_deref().map(parse).transpose()?,
        workspace_name: row.image_name,
        target: row.target,
        details: from_json(&row.details)?,
    })
}
