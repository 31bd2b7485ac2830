//! Groups: their members, what these may do and launch, and what holds for them.

use super::validate::{self, Faults};
use crate::{AppError, Control, Event, RequestContext};
use porthole_model::{
    ids::{GroupId, UserId, WorkspaceId},
    permission::Permission,
    policy::{Declaration, RUN_CONFIG, setting},
};
use porthole_store::{
    Page, PageRequest,
    groups::{ALL_USERS, Group, GroupDetails, GroupWorkspace},
    users::User,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// Priorities that groups can have.
const PRIORITIES: std::ops::RangeInclusive<i32> = 1..=100_000;
/// A new group's, where none is given.
const PRIORITY: i32 = 100;

/// All that can be set of a group; what is left out stays, or gets its default when it is new.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GroupPatch)]
pub struct GroupInput {
    /// The name; unique. Built-in groups keep theirs.
    #[schema(max_length = 128)]
    pub name: Option<String>,
    /// What it is for.
    #[schema(max_length = 2000)]
    pub description: Option<String>,
    /// Where groups differ, the lower number wins; 1 to 100,000, new ones have 100.
    #[schema(minimum = 1, maximum = 100_000)]
    pub priority: Option<i32>,
    /// What its members may do, all of it anew; new ones give nothing. Nobody can add or take away
    /// what they may not do themselves.
    pub permissions: Option<BTreeSet<Permission>>,
}

/// Whether somebody's membership of a group may be changed by the one who asks: nobody gives what
/// they have not, nor takes it from those who have.
///
/// # Errors
/// [`AppError::Forbidden`], with what is missing.
pub(super) fn may_change_members(context: &RequestContext, group: &Group) -> Result<(), AppError> {
    may_change(context, group)?;
    context.require_all(&group.permissions)
}

fn may_change(context: &RequestContext, group: &Group) -> Result<(), AppError> {
    context.require(Permission::GroupsModify)?;
    if group.system {
        context.require(Permission::GroupsModifySystem)?;
    }
    Ok(())
}

impl Control {
    /// All groups, the weightiest first.
    ///
    /// # Errors
    /// Without the permission.
    pub async fn groups(&self, context: &RequestContext) -> Result<Vec<Group>, AppError> {
        context.require(Permission::GroupsView)?;
        Ok(self.store.groups().list().await?)
    }

    /// One group.
    ///
    /// # Errors
    /// Without the permission; [`AppError::NotFound`].
    pub async fn group(&self, context: &RequestContext, id: GroupId) -> Result<Group, AppError> {
        context.require(Permission::GroupsView)?;
        Ok(self.store.groups().find(id).await?)
    }

    /// Adds a group.
    ///
    /// # Errors
    /// Without the permission, or with permissions that one has not oneself; [`AppError::Invalid`],
    /// [`AppError::Conflict`] when the name is taken.
    pub async fn create_group(
        &self,
        context: &RequestContext,
        input: GroupInput,
    ) -> Result<Group, AppError> {
        context.require(Permission::GroupsCreate)?;
        context.require_all(input.permissions.iter().flatten())?;
        let group = self.store.groups().create(details(None, input)?).await?;
        tracing::info!(group = %group.name, by = ?context.actor, "group created");
        Ok(group)
    }

    /// Changes a group; for its members it holds at once, sessions that run keep their settings.
    ///
    /// # Errors
    /// As [`create_group`](Self::create_group); [`AppError::Conflict`] also when nobody could
    /// administer any more.
    pub async fn update_group(
        &self,
        context: &RequestContext,
        id: GroupId,
        input: GroupInput,
    ) -> Result<Group, AppError> {
        context.require(Permission::GroupsModify)?;
        let group = self
            .store
            .groups()
            .update(id, |before| {
                may_change(context, before)?;
                if let Some(wanted) = &input.permissions {
                    context.require_all(before.permissions.symmetric_difference(wanted))?;
                }
                details(Some(before), input.clone())
            })
            .await?;
        self.events.send(Event::Workspaces);
        tracing::info!(group = %group.name, by = ?context.actor, "group changed");
        Ok(group)
    }

    /// Deletes a group; its members stay.
    ///
    /// # Errors
    /// Without the permission, or where it takes what one has not oneself; [`AppError::NotFound`];
    /// [`AppError::Conflict`] for a built-in one, or when nobody could administer any more.
    pub async fn delete_group(
        &self,
        context: &RequestContext,
        id: GroupId,
    ) -> Result<(), AppError> {
        context.require(Permission::GroupsDelete)?;
        let group = self.store.groups().find(id).await?;
        context.require_all(&group.permissions)?;
        self.store.groups().delete(id).await?;
        self.events.send(Event::Workspaces);
        tracing::info!(group = %group.name, by = ?context.actor, "group deleted");
        Ok(())
    }

    /// The members of a group, by name.
    ///
    /// # Errors
    /// Without the permission; [`AppError::NotFound`].
    pub async fn group_members(
        &self,
        context: &RequestContext,
        id: GroupId,
        request: &PageRequest,
    ) -> Result<Page<User>, AppError> {
        self.group(context, id).await?;
        Ok(self.store.users().members(id, request).await?)
    }

    /// Makes a user a member, or no longer one.
    ///
    /// # Errors
    /// Without the permission, or where it gives or takes what one has not oneself;
    /// [`AppError::NotFound`];
    /// [`AppError::Conflict`] for *All Users*, and when nobody could administer any more.
    pub async fn set_group_member(
        &self,
        context: &RequestContext,
        id: GroupId,
        user: UserId,
        member: bool,
    ) -> Result<(), AppError> {
        context.require(Permission::GroupsModify)?;
        let group = self.store.groups().find(id).await?;
        may_change_members(context, &group)?;
        self.store.users().find(user).await?;
        if member {
            self.store.groups().add_member(id, user).await?;
        } else if id == ALL_USERS {
            return Err(AppError::conflict(
                "every user is a member of All Users; switch the account off instead",
            ));
        } else {
            self.store.groups().remove_member(id, user).await?;
        }
        self.events.send(Event::Workspaces);
        tracing::info!(group = %group.name, %user, member, by = ?context.actor, "membership changed");
        Ok(())
    }

    /// What members of a group may launch, by name.
    ///
    /// # Errors
    /// Without the permission; [`AppError::NotFound`].
    pub async fn group_workspaces(
        &self,
        context: &RequestContext,
        id: GroupId,
    ) -> Result<Vec<GroupWorkspace>, AppError> {
        self.group(context, id).await?;
        Ok(self.store.groups().workspaces(id).await?)
    }

    /// Lets members of a group launch a workspace, or no longer.
    ///
    /// # Errors
    /// Without the permission; [`AppError::NotFound`].
    pub async fn set_group_workspace(
        &self,
        context: &RequestContext,
        id: GroupId,
        workspace: WorkspaceId,
        launchable: bool,
    ) -> Result<(), AppError> {
        context.require(Permission::GroupsModify)?;
        let group = self.store.groups().find(id).await?;
        may_change(context, &group)?;
        self.store.workspaces().find(workspace).await?;
        if launchable {
            self.store.groups().add_workspace(id, workspace).await?;
        } else {
            self.store.groups().remove_workspace(id, workspace).await?;
        }
        self.events.send(Event::Workspaces);
        Ok(())
    }

    /// What a group sets, by name.
    ///
    /// # Errors
    /// Without the permission; [`AppError::NotFound`].
    pub async fn group_settings(
        &self,
        context: &RequestContext,
        id: GroupId,
    ) -> Result<BTreeMap<String, Value>, AppError> {
        self.group(context, id).await?;
        Ok(self.store.group_settings().of_group(id).await?)
    }

    /// Sets one; `None` takes it away, so that lighter groups or the default decide. Sessions that
    /// run keep what they were launched with.
    ///
    /// # Errors
    /// Without the permission; [`AppError::NotFound`]; [`AppError::Invalid`] with what is expected.
    pub async fn set_group_setting(
        &self,
        context: &RequestContext,
        id: GroupId,
        name: &str,
        value: Option<&Value>,
    ) -> Result<(), AppError> {
        context.require(Permission::GroupsModify)?;
        let group = self.store.groups().find(id).await?;
        may_change(context, &group)?;
        let declared = setting(name).ok_or(AppError::not_found("group setting"))?;
        match value {
            Some(value) => {
                let value = check(declared, value)?;
                self.store.group_settings().set(id, name, &value).await?;
            }
            None => self.store.group_settings().unset(id, name).await?,
        }
        self.events.send(Event::Workspaces);
        tracing::info!(group = %group.name, setting = name, by = ?context.actor, "group setting changed");
        Ok(())
    }
}

/// The value as it is stored.
fn check(declared: &Declaration, value: &Value) -> Result<Value, AppError> {
    let value = declared
        .check(value)
        .map_err(|message| AppError::invalid("value", message))?;
    if declared.name == RUN_CONFIG.name {
        let environment = value.get("environment").cloned().unwrap_or_default();
        let environment = serde_json::from_value(environment).unwrap_or_default();
        let mut faults = Faults::default();
        validate::environment("value.environment", &environment, &mut faults);
        faults.finish()?;
    }
    Ok(value)
}

/// What was there with what is wanted, checked.
fn details(before: Option<&Group>, input: GroupInput) -> Result<GroupDetails, AppError> {
    let mut faults = Faults::default();
    let name = match (&input.name, before) {
        (Some(name), _) => faults
            .take("name", validate::name(name, 128))
            .unwrap_or_default(),
        (None, Some(before)) => before.name.clone(),
        (None, None) => {
            faults.add("name", "it is missing");
            String::new()
        }
    };
    if before.is_some_and(|before| before.system && before.name != name) {
        faults.add("name", "a built-in group keeps its name");
    }
    faults.text("description", input.description.as_ref(), 2000);
    let priority = input
        .priority
        .or(before.map(|before| before.priority))
        .unwrap_or(PRIORITY);
    if !PRIORITIES.contains(&priority) {
        let (least, most) = (PRIORITIES.start(), PRIORITIES.end());
        faults.add("priority", format!("it is not between {least} and {most}"));
    }
    faults.finish()?;
    Ok(GroupDetails {
        name,
        description: input
            .description
            .or_else(|| before.map(|before| before.description.clone()))
            .unwrap_or_default(),
        priority,
        permissions: input
            .permissions
            .or_else(|| before.map(|before| before.permissions.clone()))
            .unwrap_or_default(),
    })
}
