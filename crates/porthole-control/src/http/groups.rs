//! Groups.

use super::{
    Context, Json, Path, Query,
    list::{List, ListQuery},
    users::User,
};
use crate::{AppError, Control, app::groups::GroupInput};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use porthole_model::{
    ids::{GroupId, UserId, WorkspaceId},
    permission::Permission,
};
use porthole_store::groups;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A group as a user shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupName {
    /// The id.
    pub id: GroupId,
    /// The name.
    pub name: String,
}

impl From<groups::GroupName> for GroupName {
    fn from(group: groups::GroupName) -> Self {
        Self {
            id: group.id,
            name: group.name,
        }
    }
}

/// Users with the same rights.
#[derive(Debug, Serialize, ToSchema)]
pub struct Group {
    /// The id.
    pub id: GroupId,
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Where groups differ, the lower number wins.
    pub priority: i32,
    /// Whether it is built in.
    pub system: bool,
    /// What its members may do.
    pub permissions: BTreeSet<Permission>,
    /// How many members it has.
    pub members: u64,
}

impl From<groups::Group> for Group {
    fn from(group: groups::Group) -> Self {
        Self {
            id: group.id,
            name: group.name,
            description: group.description,
            priority: group.priority,
            system: group.system,
            permissions: group.permissions,
            members: group.members,
        }
    }
}

/// A workspace that members of a group may launch.
#[derive(Debug, Serialize, ToSchema)]
struct GroupWorkspace {
    /// The id.
    id: WorkspaceId,
    /// The name that people see.
    name: String,
    /// The container image.
    image: String,
    /// The picture.
    icon: String,
}

impl From<groups::GroupWorkspace> for GroupWorkspace {
    fn from(workspace: groups::GroupWorkspace) -> Self {
        Self {
            id: workspace.id,
            name: workspace.name,
            image: workspace.image,
            icon: workspace.icon,
        }
    }
}

/// What a group sets, by name.
#[derive(Debug, Serialize, ToSchema)]
struct GroupSettingValues {
    /// The values, as the settings' declarations have them.
    values: BTreeMap<String, Value>,
}

/// A value for a setting.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSettingValue {
    /// The value, as the setting's declaration has it.
    value: Value,
}

/// Lists groups, the weightiest first
#[utoipa::path(get, path = "/groups", operation_id = "listGroups", tag = "users",
    responses((status = 200, description = "Groups", body = List<Group>)))]
async fn list_groups(
    State(control): State<Control>,
    Context(context): Context,
) -> Result<Json<List<Group>>, AppError> {
    let groups = control.groups(&context).await?;
    Ok(Json(List::whole(
        groups.into_iter().map(Group::from).collect(),
    )))
}

/// Adds a group
#[utoipa::path(post, path = "/groups", operation_id = "createGroup", tag = "users",
    request_body = GroupInput,
    responses((status = 201, description = "The new group", body = Group)))]
async fn create_group(
    State(control): State<Control>,
    Context(context): Context,
    Json(input): Json<GroupInput>,
) -> Result<impl IntoResponse, AppError> {
    let group = Group::from(control.create_group(&context, input).await?);
    let location = format!("/api/v1/groups/{}", group.id);
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(group),
    ))
}

/// One group
#[utoipa::path(get, path = "/groups/{id}", operation_id = "getGroup", tag = "users",
    params(("id" = GroupId, Path, description = "The group")),
    responses((status = 200, description = "The group", body = Group)))]
async fn get_group(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<GroupId>,
) -> Result<Json<Group>, AppError> {
    Ok(Json(control.group(&context, id).await?.into()))
}

/// Changes a group
#[utoipa::path(patch, path = "/groups/{id}", operation_id = "updateGroup", tag = "users",
    params(("id" = GroupId, Path, description = "The group")),
    request_body = GroupInput,
    responses((status = 200, description = "The changed group", body = Group)))]
async fn update_group(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<GroupId>,
    Json(input): Json<GroupInput>,
) -> Result<Json<Group>, AppError> {
    Ok(Json(
        control.update_group(&context, id, input).await?.into(),
    ))
}

/// Deletes a group
///
/// Its members stay. Built-in groups can not be deleted.
#[utoipa::path(delete, path = "/groups/{id}", operation_id = "deleteGroup", tag = "users",
    params(("id" = GroupId, Path, description = "The group")),
    responses((status = 204, description = "The group is gone")))]
async fn delete_group(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<GroupId>,
) -> Result<StatusCode, AppError> {
    control.delete_group(&context, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the members of a group, by name
#[utoipa::path(get, path = "/groups/{id}/members", operation_id = "listGroupMembers", tag = "users",
    params(("id" = GroupId, Path, description = "The group"), ListQuery),
    responses((status = 200, description = "Members", body = List<User>)))]
async fn list_group_members(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<GroupId>,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<User>>, AppError> {
    let request = query.page()?;
    let page = control.group_members(&context, id, &request).await?;
    Ok(Json(List::of(page, &request, User::from)))
}

/// Makes a user a member of a group
#[utoipa::path(put, path = "/groups/{id}/members/{user_id}", operation_id = "addGroupMember", tag = "users",
    params(("id" = GroupId, Path, description = "The group"),
        ("user_id" = UserId, Path, description = "The user")),
    responses((status = 204, description = "The user is a member")))]
async fn add_group_member(
    State(control): State<Control>,
    Context(context): Context,
    Path((id, user)): Path<(GroupId, UserId)>,
) -> Result<StatusCode, AppError> {
    control.set_group_member(&context, id, user, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a membership
#[utoipa::path(delete, path = "/groups/{id}/members/{user_id}", operation_id = "removeGroupMember", tag = "users",
    params(("id" = GroupId, Path, description = "The group"),
        ("user_id" = UserId, Path, description = "The user")),
    responses((status = 204, description = "The user is no member")))]
async fn remove_group_member(
    State(control): State<Control>,
    Context(context): Context,
    Path((id, user)): Path<(GroupId, UserId)>,
) -> Result<StatusCode, AppError> {
    control.set_group_member(&context, id, user, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists what members of a group may launch, by name
#[utoipa::path(get, path = "/groups/{id}/workspaces", operation_id = "listGroupWorkspaces", tag = "users",
    params(("id" = GroupId, Path, description = "The group")),
    responses((status = 200, description = "Workspaces", body = List<GroupWorkspace>)))]
async fn list_group_workspaces(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<GroupId>,
) -> Result<Json<List<GroupWorkspace>>, AppError> {
    let workspaces = control.group_workspaces(&context, id).await?;
    Ok(Json(List::whole(
        workspaces.into_iter().map(GroupWorkspace::from).collect(),
    )))
}

/// Lets members of a group launch a workspace
#[utoipa::path(put, path = "/groups/{id}/workspaces/{workspace_id}", operation_id = "addGroupWorkspace", tag = "users",
    params(("id" = GroupId, Path, description = "The group"),
        ("workspace_id" = WorkspaceId, Path, description = "The workspace")),
    responses((status = 204, description = "Members may launch it")))]
async fn add_group_workspace(
    State(control): State<Control>,
    Context(context): Context,
    Path((id, workspace)): Path<(GroupId, WorkspaceId)>,
) -> Result<StatusCode, AppError> {
    control
        .set_group_workspace(&context, id, workspace, true)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Members of a group may no longer launch a workspace through it
#[utoipa::path(delete, path = "/groups/{id}/workspaces/{workspace_id}", operation_id = "removeGroupWorkspace", tag = "users",
    params(("id" = GroupId, Path, description = "The group"),
        ("workspace_id" = WorkspaceId, Path, description = "The workspace")),
    responses((status = 204, description = "Members may not launch it through this group")))]
async fn remove_group_workspace(
    State(control): State<Control>,
    Context(context): Context,
    Path((id, workspace)): Path<(GroupId, WorkspaceId)>,
) -> Result<StatusCode, AppError> {
    control
        .set_group_workspace(&context, id, workspace, false)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a group sets
#[utoipa::path(get, path = "/groups/{id}/settings", operation_id = "getGroupSettings", tag = "users",
    params(("id" = GroupId, Path, description = "The group")),
    responses((status = 200, description = "What it sets; nothing of what it leaves to others", body = GroupSettingValues)))]
async fn get_group_settings(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<GroupId>,
) -> Result<Json<GroupSettingValues>, AppError> {
    let values = control.group_settings(&context, id).await?;
    Ok(Json(GroupSettingValues { values }))
}

/// Sets a setting of a group
///
/// It holds for sessions launched from now on.
#[utoipa::path(put, path = "/groups/{id}/settings/{name}", operation_id = "setGroupSetting", tag = "users",
    params(("id" = GroupId, Path, description = "The group"),
        ("name" = String, Path, description = "The setting")),
    request_body = NewSettingValue,
    responses((status = 204, description = "It is set")))]
async fn set_group_setting(
    State(control): State<Control>,
    Context(context): Context,
    Path((id, name)): Path<(GroupId, String)>,
    Json(input): Json<NewSettingValue>,
) -> Result<StatusCode, AppError> {
    control
        .set_group_setting(&context, id, &name, Some(&input.value))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Leaves a setting to other groups and the default
#[utoipa::path(delete, path = "/groups/{id}/settings/{name}", operation_id = "unsetGroupSetting", tag = "users",
    params(("id" = GroupId, Path, description = "The group"),
        ("name" = String, Path, description = "The setting")),
    responses((status = 204, description = "The group does not set it")))]
async fn unset_group_setting(
    State(control): State<Control>,
    Context(context): Context,
    Path((id, name)): Path<(GroupId, String)>,
) -> Result<StatusCode, AppError> {
    control.set_group_setting(&context, id, &name, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(list_groups, create_group))
        .routes(routes!(get_group, update_group, delete_group))
        .routes(routes!(list_group_members))
        .routes(routes!(add_group_member, remove_group_member))
        .routes(routes!(list_group_workspaces))
        .routes(routes!(add_group_workspace, remove_group_workspace))
        .routes(routes!(get_group_settings))
        .routes(routes!(set_group_setting, unset_group_setting))
}
