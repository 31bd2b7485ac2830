//! What groups can set, what can be allowed, and what holds for a user.

use super::{Context, Json, Path, Query, groups::GroupName, list::List};
use crate::{AppError, Control, app::policy, manager::Usage};
use axum::extract::State;
use porthole_model::{
    ids::{UserId, WorkspaceId},
    permission::Permission as Name,
    policy::{
        Decider, Declaration, EffectivePolicy, Enforcer, Kind, Merge, Overruled, SETTINGS, Section,
        Unit, UsageLimit,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// A setting that groups can have.
#[derive(Debug, Serialize, ToSchema)]
struct GroupSetting {
    /// The name.
    name: &'static str,
    /// Where it stands in a form.
    section: Section,
    /// What values it has.
    kind: SettingKind,
    /// The value where no group sets it.
    #[schema(required)]
    default: Value,
    /// How the groups of a user come to one value.
    merge: Merge,
    /// What it does.
    description: &'static str,
    /// The part that sees to it.
    enforced_by: Enforcer,
}

/// What values a setting has.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum SettingKind {
    /// `true` or `false`.
    Switch,
    /// A whole number.
    Number {
        /// The smallest.
        least: u32,
        /// The largest.
        most: u32,
        /// Counted in.
        unit: Unit,
        /// What 0 means, where it is allowed beside the range.
        #[schema(required)]
        zero: Option<&'static str>,
    },
    /// One of these words.
    Choice {
        /// The words.
        words: Vec<&'static str>,
    },
    /// `{"type": "per_user" or "per_group", "interval": "daily", "weekly", "monthly" or "total",
    /// "hours": 20}`, or `null`.
    UsageLimit,
    /// Keywords of docker-py's `containers.run`.
    RunConfig,
}

impl From<Kind> for SettingKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Switch { .. } => Self::Switch,
            Kind::Number {
                least,
                most,
                unit,
                zero,
                ..
            } => Self::Number {
                least,
                most,
                unit,
                zero,
            },
            Kind::Choice(words) => Self::Choice {
                words: words.to_vec(),
            },
            Kind::UsageLimit => Self::UsageLimit,
            Kind::RunConfig => Self::RunConfig,
        }
    }
}

/// Something that may be allowed.
#[derive(Debug, Serialize, ToSchema)]
struct DescribedPermission {
    /// The name.
    name: Name,
    /// What it allows.
    description: &'static str,
}

/// What holds for a user, and why.
#[derive(Debug, Serialize, ToSchema)]
struct UserPolicy {
    /// Every setting, in the order of the declarations.
    settings: Vec<PolicySetting>,
    /// What they may do, and by which groups.
    permissions: Vec<PolicyPermission>,
    /// Sessions that count towards limits.
    sessions: u32,
    /// Hours used, where they are limited.
    #[schema(required)]
    usage: Option<PolicyUsage>,
    /// Of the workspace that was asked about.
    #[schema(required)]
    workspace: Option<PolicyWorkspace>,
}

/// A setting as it holds for a user.
#[derive(Debug, Serialize, ToSchema)]
struct PolicySetting {
    /// The name.
    name: &'static str,
    /// The value that holds.
    #[schema(required)]
    value: Value,
    /// The groups that it comes from, the weightiest first; none for the default.
    decided_by: Vec<Decider>,
    /// The groups that say something else in vain.
    overruled: Vec<Overruled>,
}

/// A permission of a user.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyPermission {
    /// The permission.
    name: Name,
    /// The groups that give it.
    groups: Vec<GroupName>,
}

/// Hours of use.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyUsage {
    /// The limit.
    limit: UsageLimit,
    /// Hours used since the count began.
    used_hours: f64,
    /// Whether nothing is left.
    reached: bool,
}

/// What holds for a user and a workspace.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyWorkspace {
    /// The workspace.
    id: WorkspaceId,
    /// Its name.
    name: String,
    /// The groups by which the user may launch it; none when they may not.
    allowed_by: Vec<GroupName>,
    /// Sessions of it that count towards limits.
    sessions: u32,
    /// Why it can not be launched now.
    #[schema(required)]
    unavailable_reason: Option<String>,
}

impl From<Usage> for PolicyUsage {
    fn from(usage: Usage) -> Self {
        Self {
            limit: usage.limit,
            used_hours: usage.used.as_secs_f64() / 3600.0,
            reached: usage.reached(),
        }
    }
}

fn settings(policy: &EffectivePolicy) -> Vec<PolicySetting> {
    let show = |declared: &'static Declaration| {
        let effective = policy.get(declared);
        PolicySetting {
            name: declared.name,
            value: effective.value,
            decided_by: effective.decided_by,
            overruled: effective.overruled,
        }
    };
    SETTINGS.into_iter().map(show).collect()
}

fn names(groups: Vec<porthole_store::groups::GroupName>) -> Vec<GroupName> {
    groups.into_iter().map(GroupName::from).collect()
}

impl From<policy::UserPolicy> for UserPolicy {
    fn from(of_user: policy::UserPolicy) -> Self {
        Self {
            settings: settings(&of_user.policy),
            permissions: of_user
                .permissions
                .into_iter()
                .map(|(name, groups)| PolicyPermission {
                    name,
                    groups: names(groups),
                })
                .collect(),
            sessions: of_user.sessions,
            usage: of_user.usage.map(PolicyUsage::from),
            workspace: of_user.workspace.map(|workspace| PolicyWorkspace {
                id: workspace.id,
                name: workspace.name,
                allowed_by: names(workspace.allowed_by),
                sessions: workspace.sessions,
                unavailable_reason: workspace.unavailable_reason,
            }),
        }
    }
}

/// Lists the settings that groups can have
#[utoipa::path(get, path = "/group-settings", operation_id = "listGroupSettings", tag = "users",
    responses((status = 200, description = "Settings", body = List<GroupSetting>)))]
async fn list_group_settings(
    State(control): State<Control>,
    Context(context): Context,
) -> Result<Json<List<GroupSetting>>, AppError> {
    context.require_somebody()?;
    let show = |declared: &'static Declaration| GroupSetting {
        name: declared.name,
        section: declared.section,
        kind: declared.kind.into(),
        default: control.default_of(declared),
        merge: declared.merge,
        description: declared.description,
        enforced_by: declared.enforced_by,
    };
    Ok(Json(List::whole(SETTINGS.into_iter().map(show).collect())))
}

/// Lists what can be allowed
#[utoipa::path(get, path = "/permissions", operation_id = "listPermissions", tag = "users",
    responses((status = 200, description = "Permissions", body = List<DescribedPermission>)))]
async fn list_permissions(
    Context(context): Context,
) -> Result<Json<List<DescribedPermission>>, AppError> {
    context.require_somebody()?;
    let show = |name: &Name| DescribedPermission {
        name: *name,
        description: name.description(),
    };
    Ok(Json(List::whole(Name::ALL.iter().map(show).collect())))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfWorkspace {
    /// Tells also whether the user can launch this workspace.
    workspace_id: Option<WorkspaceId>,
}

/// What holds for a user, and which group decided
///
/// For sessions launched from now on.
#[utoipa::path(get, path = "/users/{id}/policy", operation_id = "getUserPolicy", tag = "users",
    params(("id" = UserId, Path, description = "The user"), OfWorkspace),
    responses((status = 200, description = "What holds", body = UserPolicy)))]
async fn get_user_policy(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<UserId>,
    Query(query): Query<OfWorkspace>,
) -> Result<Json<UserPolicy>, AppError> {
    let policy = control
        .user_policy(&context, id, query.workspace_id)
        .await?;
    Ok(Json(policy.into()))
}

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(list_group_settings))
        .routes(routes!(list_permissions))
        .routes(routes!(get_user_policy))
}
