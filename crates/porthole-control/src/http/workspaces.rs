//! Workspaces.

use super::{
    Context, Json, Path, Query,
    list::{List, ListQuery},
};
use crate::{AppError, Control, app::workspaces::WorkspaceInput};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use porthole_model::{
    ids::{GroupId, WorkspaceId},
    permission::Permission,
    protection::Protection,
};
use porthole_store::workspaces;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Something a user can launch.
#[derive(Debug, Serialize, ToSchema)]
pub struct Workspace {
    /// The id.
    pub id: WorkspaceId,
    /// The name that people see.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The container image with its tag or digest.
    pub image: String,
    /// The picture: a path on this server or a data URI; may be empty.
    pub icon: String,
    /// Where it is listed.
    pub categories: Vec<String>,
    /// Cores for each session.
    pub cores: f64,
    /// Memory for each session in bytes.
    pub memory_bytes: u64,
    /// Shared memory (`/dev/shm`) for each session in bytes.
    pub shm_size_bytes: u64,
    /// Whether it can be launched.
    pub enabled: bool,
    /// Whether it is left out of the dashboard.
    pub hidden: bool,
    /// Environment variables for its containers; shown to administrators only.
    pub environment: BTreeMap<String, String>,
    /// What is burnt into the pixels of its sessions; shown to administrators only.
    pub protection: Protection,
    /// Whether the one who asks can launch it.
    pub available: bool,
    /// Why not, for a person to read: a limit that is reached, or no agent that could run it.
    #[schema(required)]
    pub unavailable_reason: Option<String>,
    /// The groups whose members may launch it; shown to administrators only.
    pub group_ids: BTreeSet<GroupId>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// Shows a workspace as far as the one who asks may see it.
fn show(
    workspace: workspaces::Workspace,
    unavailable_reason: Option<String>,
    admin: bool,
) -> Workspace {
    let settings = workspace.settings;
    Workspace {
        id: workspace.id,
        name: settings.name,
        description: settings.description,
        image: settings.image.into(),
        icon: settings.icon,
        categories: settings.categories,
        cores: settings.cores.cores(),
        memory_bytes: settings.memory.0,
        shm_size_bytes: settings.shm_size.0,
        enabled: settings.enabled,
        hidden: settings.hidden,
        // May hold secrets of the applications.
        environment: if admin {
            settings.environment
        } else {
            BTreeMap::new()
        },
        protection: if admin {
            settings.protection
        } else {
            Protection::default()
        },
        available: unavailable_reason.is_none(),
        unavailable_reason,
        group_ids: if admin {
            settings.groups
        } else {
            BTreeSet::new()
        },
        created_at: workspace.created_at,
        updated_at: workspace.updated_at,
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListWorkspaces {
    /// Every workspace, for administrators; otherwise those that the user may launch.
    #[serde(default)]
    all: bool,
    /// Entries at most, 1 to 500; 100 when left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u64>,
    /// The `next_cursor` of the part before.
    cursor: Option<String>,
    /// Only entries whose name, description, category or image holds this text, in any case.
    #[param(max_length = 128)]
    search: Option<String>,
}

/// Lists workspaces by name
#[utoipa::path(get, path = "/workspaces", operation_id = "listWorkspaces", tag = "workspaces",
    params(ListWorkspaces),
    responses((status = 200, description = "Workspaces", body = List<Workspace>)))]
async fn list_workspaces(
    State(control): State<Control>,
    Context(context): Context,
    Query(query): Query<ListWorkspaces>,
) -> Result<Json<List<Workspace>>, AppError> {
    let ListWorkspaces {
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
    let page = control.workspaces(&context, all, &request).await?;
    let reasons = control.why_not_launch(&context, &page.items).await?;
    let mut reasons = reasons.into_iter();
    let admin = context.may(Permission::ImagesView);
    Ok(Json(List::of(page, &request, |item| {
        show(item, reasons.next().flatten(), admin)
    })))
}

async fn one(
    control: &Control,
    context: &crate::RequestContext,
    workspace: workspaces::Workspace,
) -> Result<Workspace, AppError> {
    let reasons = control
        .why_not_launch(context, std::slice::from_ref(&workspace))
        .await?;
    Ok(show(
        workspace,
        reasons.into_iter().next().flatten(),
        context.may(Permission::ImagesView),
    ))
}

/// Adds a workspace
///
/// `name` and `image` are needed; the image must name its tag.
#[utoipa::path(post, path = "/workspaces", operation_id = "createWorkspace", tag = "workspaces",
    request_body = WorkspaceInput,
    responses((status = 201, description = "The new workspace", body = Workspace)))]
async fn create_workspace(
    State(control): State<Control>,
    Context(context): Context,
    Json(input): Json<WorkspaceInput>,
) -> Result<impl IntoResponse, AppError> {
    let workspace = control.create_workspace(&context, input).await?;
    let workspace = one(&control, &context, workspace).await?;
    let location = format!("/api/v1/workspaces/{}", workspace.id);
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(workspace),
    ))
}

/// One workspace
#[utoipa::path(get, path = "/workspaces/{id}", operation_id = "getWorkspace", tag = "workspaces",
    params(("id" = WorkspaceId, Path, description = "The workspace")),
    responses((status = 200, description = "The workspace", body = Workspace)))]
async fn get_workspace(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<WorkspaceId>,
) -> Result<Json<Workspace>, AppError> {
    let workspace = control.workspace(&context, id).await?;
    Ok(Json(one(&control, &context, workspace).await?))
}

/// Changes a workspace
///
/// Sessions that run keep what they started with.
#[utoipa::path(patch, path = "/workspaces/{id}", operation_id = "updateWorkspace", tag = "workspaces",
    params(("id" = WorkspaceId, Path, description = "The workspace")),
    request_body = WorkspaceInput,
    responses((status = 200, description = "The changed workspace", body = Workspace)))]
async fn update_workspace(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<WorkspaceId>,
    Json(input): Json<WorkspaceInput>,
) -> Result<Json<Workspace>, AppError> {
    let workspace = control.update_workspace(&context, id, input).await?;
    Ok(Json(one(&control, &context, workspace).await?))
}

/// Deletes a workspace
///
/// Sessions that run go on.
#[utoipa::path(delete, path = "/workspaces/{id}", operation_id = "deleteWorkspace", tag = "workspaces",
    params(("id" = WorkspaceId, Path, description = "The workspace")),
    responses((status = 204, description = "The workspace is gone")))]
async fn delete_workspace(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<WorkspaceId>,
) -> Result<StatusCode, AppError> {
    control.delete_workspace(&context, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(list_workspaces, create_workspace))
        .routes(routes!(get_workspace, update_workspace, delete_workspace))
}
