//! What holds for a user, and why: for launching, and for whoever asks.

use crate::{
    AppError, Control, RequestContext,
    manager::{Usage, counts},
};
use porthole_model::{
    ids::{UserId, WorkspaceId},
    permission::Permission,
    policy::{Declaration, EffectivePolicy, check_session_limits},
};
use porthole_store::{
    groups::{Group, GroupName},
    sessions::SessionFilter,
    workspaces::Workspace,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// What holds for a user, with the groups behind it.
#[derive(Debug, Clone)]
pub struct UserPolicy {
    /// Every setting.
    pub policy: EffectivePolicy,
    /// What they may do, and by which groups.
    pub permissions: BTreeMap<Permission, Vec<GroupName>>,
    /// Sessions that count towards limits.
    pub sessions: u32,
    /// Hours used, where they are limited.
    pub usage: Option<Usage>,
    /// Of the workspace that was asked about.
    pub workspace: Option<WorkspacePolicy>,
}

/// What holds for a user and a workspace.
#[derive(Debug, Clone)]
pub struct WorkspacePolicy {
    /// The workspace.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// The groups by which the user may launch it; none when they may not.
    pub allowed_by: Vec<GroupName>,
    /// Sessions of it that count towards limits.
    pub sessions: u32,
    /// Why it can not be launched now, for a person to read.
    pub unavailable_reason: Option<String>,
}

impl Control {
    /// What holds for a user now.
    pub(crate) async fn policy_of(&self, user: UserId) -> Result<EffectivePolicy, AppError> {
        let groups = self.store.group_settings().of_user(user).await?;
        Ok(EffectivePolicy::of(&groups, &self.config.policy))
    }

    /// A setting's value where no group sets it.
    pub(crate) fn default_of(&self, declared: &Declaration) -> Value {
        EffectivePolicy::of(&[], &self.config.policy)
            .get(declared)
            .value
    }

    /// That hours of use are left.
    ///
    /// # Errors
    /// [`AppError::Conflict`] with the numbers.
    pub(crate) async fn within_usage(
        &self,
        policy: &EffectivePolicy,
        user: UserId,
    ) -> Result<(), AppError> {
        match self.manager.usage(policy, user).await? {
            Some(usage) if usage.reached() => Err(AppError::conflict(usage.told(policy))),
            _ => Ok(()),
        }
    }

    /// What holds for a user, and why; with a workspace also whether they can launch it.
    ///
    /// # Errors
    /// Without the permission, but for users about themselves; [`AppError::NotFound`].
    pub async fn user_policy(
        &self,
        context: &RequestContext,
        user_id: UserId,
        workspace_id: Option<WorkspaceId>,
    ) -> Result<UserPolicy, AppError> {
        let user = self.user(context, user_id).await?;
        let policy = self.policy_of(user_id).await?;
        let groups = self.store.groups().list().await?;
        let mine: Vec<&Group> = groups
            .iter()
            .filter(|group| user.groups.iter().any(|of_user| of_user.id == group.id))
            .collect();
        let name = |group: &&Group| GroupName {
            id: group.id,
            name: group.name.clone(),
        };
        let permissions = Permission::ALL
            .iter()
            .map(|permission| {
                let by = mine.iter().filter(|g| g.permissions.contains(permission));
                (*permission, by.map(name).collect::<Vec<_>>())
            })
            .filter(|(_, by)| !by.is_empty())
            .collect();
        let sessions = self.counted_sessions(user_id).await?;
        let workspace = match workspace_id {
            None => None,
            Some(id) => {
                let workspace = self.workspace(context, id).await?;
                let allowed = mine
                    .iter()
                    .filter(|group| workspace.settings.groups.contains(&group.id));
                let allowed_by: Vec<GroupName> = allowed.map(name).collect();
                let reasons = self
                    .reasons(user_id, &policy, std::slice::from_ref(&workspace))
                    .await?;
                Some(WorkspacePolicy {
                    id,
                    sessions: count(&sessions, Some(id)),
                    unavailable_reason: reasons.into_iter().next().flatten(),
                    name: workspace.settings.name,
                    allowed_by,
                })
            }
        };
        Ok(UserPolicy {
            usage: self.manager.usage(&policy, user_id).await?,
            sessions: count(&sessions, None),
            policy,
            permissions,
            workspace,
        })
    }

    /// For each workspace why the one who asks can not launch it, or `None` when they can.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn why_not_launch(
        &self,
        context: &RequestContext,
        workspaces: &[Workspace],
    ) -> Result<Vec<Option<String>>, AppError> {
        match context.user_id() {
            Some(user) => {
                let policy = self.policy_of(user).await?;
                self.reasons(user, &policy, workspaces).await
            }
            None => self.why_unavailable(workspaces).await,
        }
    }

    async fn reasons(
        &self,
        user: UserId,
        policy: &EffectivePolicy,
        workspaces: &[Workspace],
    ) -> Result<Vec<Option<String>>, AppError> {
        let unavailable = self.why_unavailable(workspaces).await?;
        let sessions = self.counted_sessions(user).await?;
        let usage = self.manager.usage(policy, user).await?;
        let used_up = usage.filter(Usage::reached).map(|usage| usage.told(policy));
        Ok(workspaces
            .iter()
            .zip(unavailable)
            .map(|(workspace, unavailable)| {
                unavailable.or_else(|| used_up.clone()).or_else(|| {
                    check_session_limits(policy, workspace.id, sessions.iter().copied())
                        .err()
                        .map(|reached| reached.to_string())
                })
            })
            .collect())
    }

    /// For each of the user's sessions that count towards limits, its workspace.
    async fn counted_sessions(&self, user: UserId) -> Result<Vec<WorkspaceId>, AppError> {
        let filter = SessionFilter {
            user_id: Some(user),
            ..SessionFilter::default()
        };
        let sessions = self.store.sessions().all(filter).await?;
        let counted = sessions.into_iter().filter(counts);
        Ok(counted.map(|session| session.workspace_id).collect())
    }
}

fn count(sessions: &[WorkspaceId], of: Option<WorkspaceId>) -> u32 {
    let counted = sessions.iter().filter(|id| of.is_none_or(|of| of == **id));
    u32::try_from(counted.count()).unwrap_or(u32::MAX)
}
