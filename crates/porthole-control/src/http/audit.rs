//! The audit log.

use super::{
    Context, Json, Query,
    list::{List, ListQuery},
};
use crate::{AppError, Control};
use axum::extract::State;
use porthole_model::{
    audit::AuditDetails,
    ids::{AuditEventId, SessionId, UserId},
};
use porthole_store::audit_events;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Something that somebody did. Names are those of that time; user and session may be gone.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEvent {
    /// The id; later ones sort after earlier ones.
    pub id: AuditEventId,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Who.
    pub user_id: UserId,
    /// What they sign in with.
    pub username: String,
    /// In which session.
    #[schema(required)]
    pub session_id: Option<SessionId>,
    /// The name of the session's workspace.
    #[schema(required)]
    pub workspace_name: Option<String>,
    /// To what: of a file its path below the session's home.
    pub target: String,
    /// What it was.
    pub details: AuditDetails,
}

impl From<audit_events::AuditEvent> for AuditEvent {
    fn from(event: audit_events::AuditEvent) -> Self {
        Self {
            id: event.id,
            at: event.at,
            user_id: event.user_id,
            username: event.username,
            session_id: event.session_id,
            workspace_name: event.workspace_name,
            target: event.target,
            details: event.details,
        }
    }
}

/// Lists the audit log, newest first
///
/// The search looks at the names of users and workspaces and at targets.
#[utoipa::path(get, path = "/audit-events", operation_id = "listAuditEvents", tag = "audit",
    params(ListQuery),
    responses((status = 200, description = "A part of the log", body = List<AuditEvent>)))]
async fn list_audit_events(
    State(control): State<Control>,
    Context(context): Context,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<AuditEvent>>, AppError> {
    let request = query.page()?;
    let page = control.audit_events(&context, &request).await?;
    Ok(Json(List::of(page, &request, AuditEvent::from)))
}

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list_audit_events))
}
