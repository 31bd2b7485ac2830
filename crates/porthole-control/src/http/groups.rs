//! Groups.

use super::{Context, Json, list::List};
use crate::{AppError, Control};
use axum::extract::State;
use porthole_model::{ids::GroupId, permission::Permission};
use porthole_store::groups;
use serde::Serialize;
use std::collections::BTreeSet;
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

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list_groups))
}
