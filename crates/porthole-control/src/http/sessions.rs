//! Sessions.

use super::{
    Context, Json, Path, Query,
    list::{List, ListQuery},
};
use crate::{
    AppError, Control,
    app::sessions::{Connection, SessionView, SessionWish},
};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use porthole_model::{
    ids::{AgentId, SessionId, UserId, WorkspaceId},
    policy::{EffectivePolicy, Kind, SETTINGS},
    session::{Failure, Progress, SessionState, WantedState},
    statistics::StreamStatistics,
};
use porthole_wire::agent::Access;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// One running instance of a workspace.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// What it is an instance of.
    pub workspace: SessionWorkspace,
    /// Whose it is.
    pub user: SessionUser,
    /// Where it is on its way.
    pub state: SessionState,
    /// What is wanted of it.
    pub wanted: WantedState,
    /// How far its start is.
    #[schema(required)]
    pub progress: Option<Progress>,
    /// What is wrong with it.
    #[schema(required)]
    pub failure: Option<Failure>,
    /// Where it is.
    #[schema(required)]
    pub agent: Option<SessionAgent>,
    /// When it was requested.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it first ran.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub started_at: Option<OffsetDateTime>,
    /// When it is deleted unless it is kept alive; a viewer keeps it alive.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub expires_at: Option<OffsetDateTime>,
    /// What its clock waits for, for a person to read.
    #[schema(required)]
    pub expiry_reason: Option<String>,
    /// Viewers connected.
    pub viewers: u32,
    /// How its stream was doing when a viewer last told.
    #[schema(required)]
    pub statistics: Option<StreamStatistics>,
    /// What policy forbids in it.
    pub denied: Vec<Denied>,
}

/// Something that policy forbids in a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct Denied {
    /// The group setting that is off.
    pub setting: &'static str,
    /// The group that decided; absent for the default.
    #[schema(required)]
    pub group: Option<String>,
}

fn denied(policy: &EffectivePolicy) -> Vec<Denied> {
    SETTINGS
        .into_iter()
        .filter(|declared| matches!(declared.kind, Kind::Switch { .. }) && !policy.allows(declared))
        .map(|declared| Denied {
            setting: declared.name,
            group: policy
                .get(declared)
                .decided_by
                .into_iter()
                .next()
                .map(|group| group.name),
        })
        .collect()
}

/// The workspace of a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionWorkspace {
    /// The id; the workspace may be gone.
    pub id: WorkspaceId,
    /// Its name when the session was requested.
    pub name: String,
    /// Its picture; empty when the workspace is gone.
    pub icon: String,
}

/// The user of a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionUser {
    /// The id.
    pub id: UserId,
    /// The name they sign in with.
    pub username: String,
}

/// The agent of a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionAgent {
    /// The id.
    pub id: AgentId,
    /// The name.
    pub name: String,
    /// Whether the server hears of it. The session goes on when not.
    pub connected: bool,
}

impl From<SessionView> for Session {
    fn from(view: SessionView) -> Self {
        let SessionView {
            session,
            icon,
            agent,
            progress,
            viewers,
            expiry_reason,
        } = view;
        Self {
            id: session.id,
            workspace: SessionWorkspace {
                id: session.workspace_id,
                name: session.workspace_name,
                icon,
            },
            user: SessionUser {
                id: session.user_id,
                username: session.username,
            },
            state: session.state,
            wanted: session.wanted,
            progress,
            failure: session.failure,
            agent: agent.map(|(id, name, connected)| SessionAgent {
                id,
                name,
                connected,
            }),
            created_at: session.created_at,
            started_at: session.started_at,
            expires_at: session.expires_at,
            expiry_reason: expiry_reason.map(str::to_owned),
            viewers,
            statistics: session.statistics,
            denied: denied(&session.policy),
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListSessions {
    /// Everybody's sessions, for administrators; otherwise one's own.
    #[serde(default)]
    all: bool,
    /// Entries at most, 1 to 500; 100 when left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u64>,
    /// The `next_cursor` of the part before.
    cursor: Option<String>,
    /// Only sessions whose workspace or user name holds this text.
    #[param(max_length = 128)]
    search: Option<String>,
}

/// Lists sessions, newest first
#[utoipa::path(get, path = "/sessions", operation_id = "listSessions", tag = "sessions",
    params(ListSessions),
    responses((status = 200, description = "Sessions", body = List<Session>)))]
async fn list_sessions(
    State(control): State<Control>,
    Context(context): Context,
    Query(query): Query<ListSessions>,
) -> Result<Json<List<Session>>, AppError> {
    let ListSessions {
        all,
        limit,
        cursor,
        search,
    } = query;
    let request = ListQuery {
        limit,
        cursor,
        search,
    }
    .page()?;
    let page = control.sessions(&context, all, &request).await?;
    Ok(Json(List::of(page, &request, Session::from)))
}

/// A wish for a session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSession {
    /// What to launch.
    workspace_id: WorkspaceId,
    /// The display's first width in device pixels, 64 to 5120; the viewer changes it later.
    #[schema(minimum = 64, maximum = 5120)]
    width: Option<u16>,
    /// The display's first height in device pixels, 64 to 5120.
    #[schema(minimum = 64, maximum = 5120)]
    height: Option<u16>,
    /// Device pixels per CSS pixel of the viewer, 0.25 to 8.
    #[schema(minimum = 0.25, maximum = 8)]
    device_pixel_ratio: Option<f64>,
}

/// Starts a session
///
/// Refused with 409 and the numbers when no agent has room, or the user has as many as they may.
#[utoipa::path(post, path = "/sessions", operation_id = "createSession", tag = "sessions",
    request_body = NewSession,
    responses((status = 201, description = "The session, on its way", body = Session)))]
async fn create_session(
    State(control): State<Control>,
    Context(context): Context,
    Json(input): Json<NewSession>,
) -> Result<impl IntoResponse, AppError> {
    let wish = SessionWish {
        width: input.width,
        height: input.height,
        device_pixel_ratio: input.device_pixel_ratio,
        ..SessionWish::default()
    };
    let session = control
        .request_session(&context, input.workspace_id, wish)
        .await?;
    let location = format!("/api/v1/sessions/{}", session.session.id);
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(Session::from(session)),
    ))
}

/// One session
#[utoipa::path(get, path = "/sessions/{id}", operation_id = "getSession", tag = "sessions",
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 200, description = "The session", body = Session)))]
async fn get_session(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<SessionId>,
) -> Result<Json<Session>, AppError> {
    Ok(Json(control.session(&context, id).await?.into()))
}

/// Deletes a session
///
/// Everything in it is gone. A failed session is dismissed with this.
#[utoipa::path(delete, path = "/sessions/{id}", operation_id = "deleteSession", tag = "sessions",
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 204, description = "The session is gone, or on its way out")))]
async fn delete_session(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, AppError> {
    control.delete_session(&context, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops a session
///
/// Its processes end, its disk is kept, and it holds neither cores nor memory.
#[utoipa::path(post, path = "/sessions/{id}/stop", operation_id = "stopSession", tag = "sessions",
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 200, description = "The session", body = Session)))]
async fn stop_session(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<SessionId>,
) -> Result<Json<Session>, AppError> {
    Ok(Json(control.stop_session(&context, id).await?.into()))
}

/// Resumes a stopped session
#[utoipa::path(post, path = "/sessions/{id}/resume", operation_id = "resumeSession", tag = "sessions",
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 200, description = "The session", body = Session)))]
async fn resume_session(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<SessionId>,
) -> Result<Json<Session>, AppError> {
    Ok(Json(control.resume_session(&context, id).await?.into()))
}

/// Winds the session's clock
#[utoipa::path(post, path = "/sessions/{id}/extend", operation_id = "extendSession", tag = "sessions",
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 200, description = "The session", body = Session)))]
async fn extend_session(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<SessionId>,
) -> Result<Json<Session>, AppError> {
    Ok(Json(control.extend_session(&context, id).await?.into()))
}

/// Starts a failed session again
#[utoipa::path(post, path = "/sessions/{id}/retry", operation_id = "retrySession", tag = "sessions",
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 200, description = "The session", body = Session)))]
async fn retry_session(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<SessionId>,
) -> Result<Json<Session>, AppError> {
    Ok(Json(control.retry_session(&context, id).await?.into()))
}

/// The way to a session's display.
#[derive(Debug, Serialize, ToSchema)]
struct Connect {
    /// The stream's WebSocket on this server, as a path, without the ticket.
    url: String,
    /// Give this as the query parameter `ticket`; good for one stream and 30 seconds.
    ticket: String,
    /// What the viewer may do.
    access: AccessName,
    /// Whether text may go from the browser to the session.
    clipboard_up: bool,
    /// Whether text may go from the session to the browser.
    clipboard_down: bool,
    /// When the ticket ends.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// What a viewer may do.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AccessName {
    /// See, control, resize.
    Control,
    /// Only see.
    View,
}

impl From<Connection> for Connect {
    fn from(connection: Connection) -> Self {
        let Connection {
            path,
            ticket,
            grant,
            expires_at,
        } = connection;
        Self {
            url: path,
            ticket,
            access: match grant.access {
                Access::Control => AccessName::Control,
                Access::View => AccessName::View,
            },
            clipboard_up: grant.clipboard_up,
            clipboard_down: grant.clipboard_down,
            expires_at,
        }
    }
}

/// Grants a stream to a session's display
///
/// Waits up to 10 s for a display that is about to be there; then answers 409. Answers 503 while
/// the session's agent is not connected.
#[utoipa::path(post, path = "/sessions/{id}/connect", operation_id = "connectSession", tag = "sessions",
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 200, description = "Where to connect, and the ticket", body = Connect)))]
async fn connect_session(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<SessionId>,
) -> Result<impl IntoResponse, AppError> {
    let connect = Connect::from(control.connect_session(&context, id).await?);
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(connect)))
}

/// Tells how a session's stream is doing
///
/// For viewers, every half minute or so and at the end; the last one is kept with the session and
/// in its history. 429 with `Retry-After` where it comes more often than eight viewers do that.
#[utoipa::path(post, path = "/sessions/{id}/statistics", operation_id = "noteSessionStatistics",
    tag = "sessions", request_body = StreamStatistics,
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 204, description = "They are kept")))]
async fn note_session_statistics(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<SessionId>,
    Json(statistics): Json<StreamStatistics>,
) -> Result<StatusCode, AppError> {
    control.note_statistics(&context, id, statistics).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ThumbnailSize {
    /// The largest width in pixels, 16 to 1920; the ratio is kept.
    #[serde(default = "default_width")]
    #[param(minimum = 16, maximum = 1920, default = 480)]
    width: u16,
    /// The largest height in pixels, 16 to 1920.
    #[serde(default = "default_height")]
    #[param(minimum = 16, maximum = 1920, default = 270)]
    height: u16,
}

const fn default_width() -> u16 {
    480
}

const fn default_height() -> u16 {
    270
}

/// A small picture of a running session
///
/// At most 5 s old.
#[utoipa::path(get, path = "/sessions/{id}/thumbnail", operation_id = "getSessionThumbnail",
    tag = "sessions",
    params(("id" = SessionId, Path, description = "The session"), ThumbnailSize),
    responses((status = 200, description = "The picture", body = Vec<u8>, content_type = "image/jpeg")))]
async fn get_session_thumbnail(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<SessionId>,
    Query(size): Query<ThumbnailSize>,
) -> Result<Response, AppError> {
    let picture = control
        .session_thumbnail(&context, id, size.width, size.height)
        .await?;
    let headers = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::CACHE_CONTROL, "private, max-age=5"),
    ];
    Ok((headers, picture).into_response())
}

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(list_sessions, create_session))
        .routes(routes!(get_session, delete_session))
        .routes(routes!(stop_session))
        .routes(routes!(resume_session))
        .routes(routes!(extend_session))
        .routes(routes!(retry_session))
        .routes(routes!(connect_session))
        .routes(routes!(note_session_statistics))
        .routes(routes!(get_session_thumbnail))
}
