//! Sessions: who may start, see, change and view them.

mod connect;
mod statistics;
mod thumbnails;

pub use connect::Connection;
pub use statistics::Tellings;
pub use thumbnails::Thumbnails;

use crate::{
    Actor, AppError, Control, RequestContext,
    links::Broken,
    manager::{Launch, Refused, progress_of},
};
use porthole_model::{
    ids::{AgentId, SessionId, UserId, WorkspaceId},
    permission::Permission,
    policy::{ALLOW_DELETE, ALLOW_STOP, Declaration, ExpiryAction, ends},
    protection::Values,
    resources::Resources,
    session::{EndReason, Progress, SessionState, WantedState},
};
use porthole_store::{
    Page, PageRequest, StoreError,
    sessions::{Session, SessionFilter},
    workspaces::Workspace,
};
use porthole_wire::agent::ExecSpec;
use std::collections::{BTreeMap, HashMap, hash_map::Entry};

/// The smallest and the largest display in pixels.
const SIZES: std::ops::RangeInclusive<u16> = 64..=5120;
/// The display's size where none is asked for.
const DEFAULT_SIZE: (u16, u16) = (1280, 720);

/// A wish for a session.
#[derive(Debug, Clone, Default)]
pub struct SessionWish {
    /// Whose it shall be; the caller's own where `None`.
    pub user_id: Option<UserId>,
    /// The display's first width in device pixels.
    pub width: Option<u16>,
    /// See `width`.
    pub height: Option<u16>,
    /// Device pixels per CSS pixel of the viewer.
    pub device_pixel_ratio: Option<f64>,
    /// More environment than the workspace's own. For administrators and API keys.
    pub environment: BTreeMap<String, String>,
    /// The address that a browser workspace opens first.
    pub launch_url: Option<String>,
    /// The user's time zone, such as `Europe/Berlin`.
    pub timezone: Option<String>,
    /// The user's language, such as `de_DE.UTF-8`.
    pub language: Option<String>,
}

impl SessionWish {
    /// What the viewer's page tells of its user, as the images' start-up scripts read it.
    fn preferences(&self) -> Result<BTreeMap<String, String>, AppError> {
        let mut environment = BTreeMap::new();
        let mut faults = super::validate::Faults::default();
        for (field, value, most, variables) in [
            (
                "kasm_url",
                &self.launch_url,
                2048,
                &["KASM_URL", "LAUNCH_URL"][..],
            ),
            ("client_timezone", &self.timezone, 64, &["TZ"]),
            ("client_language", &self.language, 64, &["LANG", "LC_ALL"]),
        ] {
            let Some(value) = value.as_ref().filter(|value| !value.is_empty()) else {
                continue;
            };
            if value.contains(char::is_control) {
                faults.add(field, "it has control characters");
            }
            faults.text(field, Some(value), most);
            for variable in variables {
                environment.insert((*variable).to_owned(), value.clone());
            }
        }
        if self
            .device_pixel_ratio
            .is_some_and(|ratio| !(0.25..=8.0).contains(&ratio))
        {
            faults.add("device_pixel_ratio", "it is not between 0.25 and 8");
        }
        faults.finish()?;
        if let Some(ratio) = self.device_pixel_ratio {
            environment.insert("PORTHOLE_DEVICE_PIXEL_RATIO".into(), ratio.to_string());
        }
        Ok(environment)
    }
}

/// A session with what only its agent and its workspace know of it.
#[derive(Debug, Clone)]
pub struct SessionView {
    /// The session as it is stored.
    pub session: Session,
    /// The workspace's picture; empty when the workspace is gone.
    pub icon: String,
    /// Where it is: id, name, and whether the agent's link is up.
    pub agent: Option<(AgentId, String, bool)>,
    /// How far its start is.
    pub progress: Option<Progress>,
    /// Viewers connected.
    pub viewers: u32,
    /// What its clock waits for, for a person to read.
    pub expiry_reason: Option<&'static str>,
}

impl From<Refused> for AppError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Store(error) => error.into(),
            Refused::Placement(_) | Refused::Limit(_) | Refused::State { .. } => {
                Self::conflict(refused.to_string())
            }
        }
    }
}

impl From<Broken> for AppError {
    fn from(error: Broken) -> Self {
        match error {
            Broken::Failed(failure) => Self::Failed(failure),
            Broken::Disconnected | Broken::TimedOut(_) | Broken::TooMany => {
                Self::Unavailable(error.to_string())
            }
        }
    }
}

impl Control {
    /// Starts a session of a workspace.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a workspace the user may not see, [`AppError::Forbidden`] for one
    /// on another's behalf without being an administrator, [`AppError::Conflict`] with the numbers
    /// when a limit is reached or no agent has room.
    pub async fn request_session(
        &self,
        context: &RequestContext,
        workspace_id: WorkspaceId,
        wish: SessionWish,
    ) -> Result<SessionView, AppError> {
        Ok(self.place_session(context, workspace_id, wish).await??)
    }

    /// As [`request_session`](Self::request_session), with the manager's refusal apart from what is
    /// wrong with the request itself.
    ///
    /// # Errors
    /// As there.
    pub async fn place_session(
        &self,
        context: &RequestContext,
        workspace_id: WorkspaceId,
        wish: SessionWish,
    ) -> Result<Result<SessionView, Refused>, AppError> {
        let user_id = match wish.user_id {
            Some(user_id) if context.user_id() != Some(user_id) => {
                self.may_act_on(context, Permission::UsersAuthSession, user_id)
                    .await?;
                user_id
            }
            _ => context.require_user()?,
        };
        context.require(Permission::User)?;
        let user = self.store.users().find(user_id).await?;
        if user.disabled {
            return Err(AppError::conflict(format!(
                "the account {} is switched off",
                user.username
            )));
        }
        let workspace = self.launchable(context, user_id, workspace_id).await?;
        let policy = self.policy_of(user_id).await?;
        self.within_usage(&policy, user_id).await?;
        let settings = workspace.settings;
        let mut environment = policy.environment();
        environment.extend(settings.environment);
        environment.extend(wish.preferences()?);
        if !wish.environment.is_empty() {
            context.require(Permission::SessionsModify)?;
            let mut faults = super::validate::Faults::default();
            super::validate::environment("environment", &wish.environment, &mut faults);
            faults.finish()?;
            environment.extend(wish.environment);
        }
        let (width, height) = size(wish.width, wish.height)?;
        let id = SessionId::new();
        let protection = settings.protection.filled(&Values {
            username: &user.username,
            name: format!("{} {}", user.first_name, user.last_name).trim(),
            email: &user.email,
            workspace: &settings.name,
            session: &id.to_string(),
            address: &context.ip.to_string(),
        });
        let launch = Launch {
            id,
            user_id,
            username: user.username,
            workspace_id,
            workspace_name: settings.name,
            image: settings.image,
            resources: Resources {
                cores: settings.cores,
                memory: settings.memory,
            },
            shm_size: settings.shm_size,
            environment,
            width,
            height,
            protection,
            policy,
            actor: actor_name(context),
        };
        let session = match self.manager.request(launch).await {
            Ok(session) => session,
            Err(refused) => return Ok(Err(refused)),
        };
        // The user may have been deleted meanwhile, with all sessions that were there then.
        if let Err(error @ StoreError::NotFound { .. }) = self.store.users().find(user_id).await {
            self.manager
                .delete(session.id, EndReason::UserDeleted, None)
                .await?;
            return Err(error.into());
        }
        Ok(Ok(self.view(session).await?))
    }

    /// The workspace, if the user may launch it.
    async fn launchable(
        &self,
        context: &RequestContext,
        user_id: UserId,
        id: WorkspaceId,
    ) -> Result<Workspace, AppError> {
        let workspace = self.store.workspaces().find(id).await?;
        let own = context.user_id() == Some(user_id) && context.is_admin();
        if !own && !self.store.workspaces().may_launch(user_id, id).await? {
            return Err(AppError::not_found("workspace"));
        }
        if !workspace.settings.enabled {
            return Err(AppError::conflict(format!(
                "the workspace {} is switched off; an administrator can switch it on",
                workspace.settings.name
            )));
        }
        Ok(workspace)
    }

    /// The caller's sessions, newest first, or everybody's for administrators.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for everybody's without being an administrator.
    pub async fn sessions(
        &self,
        context: &RequestContext,
        all: bool,
        request: &PageRequest,
    ) -> Result<Page<SessionView>, AppError> {
        let user_id = if all {
            context.require(Permission::SessionsView)?;
            None
        } else {
            Some(context.require_user()?)
        };
        let filter = SessionFilter {
            user_id,
            ..SessionFilter::default()
        };
        let page = self.store.sessions().list(filter, request).await?;
        Ok(Page {
            total: page.total,
            items: self.views(page.items).await?,
        })
    }

    /// Every session of one user.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for another's without being an administrator.
    pub async fn sessions_of(
        &self,
        context: &RequestContext,
        user_id: UserId,
    ) -> Result<Vec<SessionView>, AppError> {
        if context.user_id() != Some(user_id) {
            context.require(Permission::SessionsView)?;
        }
        let filter = SessionFilter {
            user_id: Some(user_id),
            ..SessionFilter::default()
        };
        let sessions = self.store.sessions().all(filter).await?;
        self.views(sessions).await
    }

    /// One session.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is none, or it is somebody else's.
    pub async fn session(
        &self,
        context: &RequestContext,
        id: SessionId,
    ) -> Result<SessionView, AppError> {
        let session = self
            .accessible(context, id, Permission::SessionsView)
            .await?;
        self.view(session).await
    }

    /// The session, if the caller may do this with it: the owner, and who has the permission.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it is somebody else's; [`AppError::Forbidden`] for an owner who
    /// may not use sessions any more.
    pub(crate) async fn accessible(
        &self,
        context: &RequestContext,
        id: SessionId,
        permission: Permission,
    ) -> Result<Session, AppError> {
        context.require_somebody()?;
        let session = self.store.sessions().find(id).await?;
        if context.may(permission) {
            Ok(session)
        } else if context.user_id() == Some(session.user_id) {
            context.require(Permission::User)?;
            Ok(session)
        } else {
            // Whether it exists is nobody else's business.
            Err(AppError::not_found("session"))
        }
    }

    /// Stops a session and keeps its disk.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] unless it runs.
    pub async fn stop_session(
        &self,
        context: &RequestContext,
        id: SessionId,
    ) -> Result<SessionView, AppError> {
        let session = self
            .accessible(context, id, Permission::SessionsModify)
            .await?;
        if !context.may(Permission::SessionsModify) {
            allowed(&session, &ALLOW_STOP, "stopping sessions")?;
        }
        let session = self.manager.stop(id, actor_name(context)).await?;
        self.view(session).await
    }

    /// Resumes a stopped session.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] unless it is stopped, or when there is no room.
    pub async fn resume_session(
        &self,
        context: &RequestContext,
        id: SessionId,
    ) -> Result<SessionView, AppError> {
        let session = self
            .accessible(context, id, Permission::SessionsModify)
            .await?;
        self.within_usage(&session.policy, session.user_id).await?;
        let session = self.manager.resume(id, actor_name(context)).await?;
        self.view(session).await
    }

    /// Starts a failed session again.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] unless it failed, or when there is no room.
    pub async fn retry_session(
        &self,
        context: &RequestContext,
        id: SessionId,
    ) -> Result<SessionView, AppError> {
        let session = self
            .accessible(context, id, Permission::SessionsModify)
            .await?;
        self.within_usage(&session.policy, session.user_id).await?;
        // The right to launch may have been withdrawn since; a workspace that is gone stays usable.
        match self
            .launchable(context, session.user_id, session.workspace_id)
            .await
        {
            Ok(_) => {}
            Err(AppError::NotFound { .. }) if self.workspace_is_gone(&session).await? => {}
            Err(error) => return Err(error),
        }
        let session = self.manager.retry(id, actor_name(context)).await?;
        self.view(session).await
    }

    async fn workspace_is_gone(&self, session: &Session) -> Result<bool, AppError> {
        match self.store.workspaces().find(session.workspace_id).await {
            Ok(_) => Ok(false),
            Err(StoreError::NotFound { .. }) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Winds the session's clock; the history tells who did.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] when it has no clock.
    pub async fn extend_session(
        &self,
        context: &RequestContext,
        id: SessionId,
    ) -> Result<SessionView, AppError> {
        self.accessible(context, id, Permission::SessionsModify)
            .await?;
        let actor = actor_name(context).unwrap_or_default();
        let session = self.manager.extend(id, Some(actor)).await?;
        self.view(session).await
    }

    /// As [`extend_session`](Self::extend_session), for programs that do so every few seconds.
    /// Tells whether the hours of use are used up.
    ///
    /// # Errors
    /// As there.
    pub async fn keep_session_alive(
        &self,
        context: &RequestContext,
        id: SessionId,
    ) -> Result<bool, AppError> {
        let session = self
            .accessible(context, id, Permission::SessionsModify)
            .await?;
        self.manager.extend(id, None).await?;
        let usage = self.manager.usage(&session.policy, session.user_id).await?;
        Ok(usage.is_some_and(|usage| usage.reached()))
    }

    /// Deletes a session; a failed one is dismissed with this.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn delete_session(
        &self,
        context: &RequestContext,
        id: SessionId,
    ) -> Result<(), AppError> {
        let session = self
            .accessible(context, id, Permission::SessionsDelete)
            .await?;
        if session.state != SessionState::Failed && !context.may(Permission::SessionsDelete) {
            allowed(&session, &ALLOW_DELETE, "deleting sessions")?;
        }
        let own = context.user_id() == Some(session.user_id);
        let reason = if own {
            EndReason::User
        } else {
            EndReason::Administrator
        };
        Ok(self.manager.delete(id, reason, actor_name(context)).await?)
    }

    /// Starts a command in the session's container and does not wait for its end.
    ///
    /// # Errors
    /// For administrators and API keys only; [`AppError::NotFound`]; [`AppError::Conflict`] unless
    /// it runs; the agent's own.
    pub async fn exec_in_session(
        &self,
        context: &RequestContext,
        id: SessionId,
        exec: ExecSpec,
    ) -> Result<SessionView, AppError> {
        context.require(Permission::SessionsModify)?;
        let session = self
            .accessible(context, id, Permission::SessionsModify)
            .await?;
        let agent_id = running_on(&session)?;
        tracing::info!(session_id = %id, by = ?context.actor, user = ?exec.user, "command in a session");
        self.links().exec(agent_id, id, exec).await?;
        self.view(session).await
    }

    /// A session with what its agent and its workspace know.
    pub(crate) async fn view(&self, session: Session) -> Result<SessionView, AppError> {
        let views = self.views(vec![session]).await?;
        views
            .into_iter()
            .next()
            .ok_or_else(|| AppError::internal("a view of one session is none"))
    }

    async fn views(&self, sessions: Vec<Session>) -> Result<Vec<SessionView>, AppError> {
        let mut icons = HashMap::new();
        for id in sessions.iter().map(|session| session.workspace_id) {
            if let Entry::Vacant(icon) = icons.entry(id) {
                icon.insert(match self.store.workspaces().find(id).await {
                    Ok(workspace) => workspace.settings.icon,
                    Err(StoreError::NotFound { .. }) => String::new(),
                    Err(error) => return Err(error.into()),
                });
            }
        }
        let mut names = HashMap::new();
        for id in sessions.iter().filter_map(|session| session.agent_id) {
            if let Entry::Vacant(name) = names.entry(id) {
                name.insert(match self.store.agents().find(id).await {
                    Ok(agent) => agent.name,
                    Err(StoreError::NotFound { .. }) => "removed".to_owned(),
                    Err(error) => return Err(error.into()),
                });
            }
        }
        let view = |session: Session| {
            let observed = session
                .agent_id
                .and_then(|agent| self.links().observed(agent, session.id));
            let starts = matches!(
                session.state,
                SessionState::Requested | SessionState::Starting
            );
            let live = observed.as_ref().and_then(progress_of).cloned();
            SessionView {
                icon: icons
                    .get(&session.workspace_id)
                    .cloned()
                    .unwrap_or_default(),
                agent: session.agent_id.map(|id| {
                    let name = names.get(&id).cloned().unwrap_or_default();
                    (id, name, self.links().connected(id))
                }),
                progress: live.or_else(|| session.progress.clone()).filter(|_| starts),
                viewers: observed.map_or(0, |observed| observed.report.viewers),
                expiry_reason: session.expires_at.map(|_| why_it_ends(&session)),
                session,
            }
        };
        Ok(sessions.into_iter().map(view).collect())
    }
}

/// What happens at the end of the session's clock.
fn why_it_ends(session: &Session) -> &'static str {
    const TIME_LIMIT: &str = "It is deleted then: its time limit is reached";
    if session.wanted == WantedState::Stopped {
        return TIME_LIMIT;
    }
    let end = ends(&session.policy, session.created_at, session.keepalive_at);
    match (end.reason, end.action) {
        (EndReason::TimeLimit, _) => TIME_LIMIT,
        (_, ExpiryAction::Stop) => "It is stopped then, unless it is viewed or extended before",
        (_, ExpiryAction::Delete) => "It is deleted then, unless it is viewed or extended before",
    }
}

/// That the session's policy lets its user do this.
fn allowed(session: &Session, setting: &Declaration, what: &str) -> Result<(), AppError> {
    if session.policy.allows(setting) {
        return Ok(());
    }
    Err(AppError::forbidden(format!(
        "{what} is off for you ({}); an administrator can do it, or allow {}",
        session.policy.source(setting),
        setting.name
    )))
}

/// The agent of a session that runs.
fn running_on(session: &Session) -> Result<AgentId, AppError> {
    match session.agent_id {
        Some(agent) if session.state == SessionState::Running => Ok(agent),
        _ if session.wanted == WantedState::Deleted => Err(AppError::not_found("session")),
        _ => Err(AppError::conflict(format!(
            "the session is {}; it must run for this",
            session.state
        ))),
    }
}

/// Who acts, for the history.
fn actor_name(context: &RequestContext) -> Option<String> {
    match &context.actor {
        Actor::User { username, .. } => Some(username.clone()),
        Actor::ApiKey { name, .. } => Some(format!("API key {name}")),
        Actor::System(_) | Actor::Nobody => None,
    }
}

fn size(width: Option<u16>, height: Option<u16>) -> Result<(u16, u16), AppError> {
    let mut faults = super::validate::Faults::default();
    for (field, value) in [("width", width), ("height", height)] {
        if value.is_some_and(|value| !SIZES.contains(&value)) {
            let (least, most) = (SIZES.start(), SIZES.end());
            faults.add(
                field,
                format!("it is not between {least} and {most} pixels"),
            );
        }
    }
    faults.finish()?;
    Ok((
        width.unwrap_or(DEFAULT_SIZE.0),
        height.unwrap_or(DEFAULT_SIZE.1),
    ))
}
