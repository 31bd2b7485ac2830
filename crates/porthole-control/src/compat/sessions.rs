//! Sessions as Kasm's clients know them: a *kasm* is a session, an *image* a workspace.
//!
//! Where clients read different things of an answer, it has all of them: an answer on a session that
//! still starts has the `kasm` object and the `operational_*` members and no `error_message`.

use super::{
    Call, on_every_prefix,
    values::{date, maybe_date},
};
use crate::{
    Actor, AppError, Control, RequestContext,
    app::{
        sessions::{SessionView, SessionWish},
        users::NewUserInput,
    },
    http::Client,
    manager::Refused,
};
use axum::{
    Extension, Json, Router,
    extract::State,
    routing::{get, post},
};
use porthole_model::{
    ids::{SessionId, UserId, WorkspaceId},
    permission::Permission,
    policy::{ALLOW_CLIPBOARD_DOWN, ALLOW_CLIPBOARD_UP, EffectivePolicy, IDLE_DISCONNECT},
    session::{LaunchStep, SessionState, WantedState},
};
use porthole_store::{PageRequest, workspaces::Workspace};
use porthole_wire::agent::ExecSpec;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// The beginning of the message that clients know for "there is no room".
const NO_RESOURCES: &str = "No resources are available to create the requested Kasm. \
                            Please try again later or contact an Administrator";

fn id<T: std::str::FromStr>(field: &str, text: &str) -> Result<T, AppError> {
    text.trim()
        .parse()
        .map_err(|_| AppError::BadRequest(format!("Invalid {field}")))
}

/// How much of a start is done, in hundredths.
fn progress(view: &SessionView) -> u8 {
    let Some(progress) = &view.progress else {
        return if view.session.state == SessionState::Running {
            100
        } else {
            0
        };
    };
    let (from, to) = match progress.step {
        LaunchStep::Placed => (0, 5),
        LaunchStep::Display => (5, 10),
        LaunchStep::Pull => (10, 80),
        LaunchStep::Start => (80, 90),
        LaunchStep::Window => (90, 99),
        LaunchStep::Ready => (99, 100),
    };
    from + (to - from) * progress.percent.unwrap_or(0).min(100) / 100
}

fn message(view: &SessionView) -> String {
    if let Some(failure) = &view.session.failure {
        return failure.to_string();
    }
    match &view.progress {
        Some(progress) => {
            let step = match progress.step {
                LaunchStep::Placed => "An agent was chosen",
                LaunchStep::Display => "The display is prepared",
                LaunchStep::Pull => "The image is downloaded",
                LaunchStep::Start => "The container starts",
                LaunchStep::Window => "The first window is awaited",
                LaunchStep::Ready => "The session is ready",
            };
            match &progress.detail {
                Some(detail) => format!("{step}: {detail}"),
                None => step.to_owned(),
            }
        }
        None => format!("The session is {}", view.session.state),
    }
}

/// The `kasm` object.
fn kasm(view: &SessionView, workspace: Option<&Workspace>, host: &str) -> Value {
    let session = &view.session;
    let kasm_id = session.id.simple();
    let image = json!({
        "image_id": session.workspace_id.simple(),
        "name": session.image,
        "friendly_name": session.workspace_name,
        "image_src": workspace.map_or("", |workspace| workspace.settings.icon.as_str()),
    });
    let server = json!({
        "hostname": view.agent.as_ref().map(|(_, name, _)| name),
        "port": 443,
        "zone_name": "default",
        "provider": null,
    });
    let path = format!("gateway/v1/sessions/{}/display", session.id);
    let port_map = json!({ "vnc": { "port": 443, "path": path } });
    let mut kasm = json!({
        "kasm_id": kasm_id,
        "user_id": session.user_id.simple(),
        "username": session.username,
        "user": { "username": session.username },
        "image_id": session.workspace_id.simple(),
        "image": image,
        "server_id": session.agent_id.map(porthole_model::ids::AgentId::simple),
        "server": server,
        "container_id": session.container_id,
        "container_ip": null,
        "hostname": host,
        "host": host,
        "port": 443,
        "port_map": port_map,
        "token": null,
        "view_only_token": null,
        "share_id": null,
        "cores": session.resources.cores.cores(),
        "memory": session.resources.memory.0,
        "gpus": 0,
        "created_date": date(session.created_at),
        "start_date": date(session.started_at.unwrap_or(session.created_at)),
        "keepalive_date": date(session.keepalive_at),
        "expiration_date": maybe_date(session.expires_at),
        "operational_status": session.state.as_str(),
        "operational_message": message(view),
        "operational_progress": progress(view),
    });
    let constant = json!({
        "is_persistent_profile": false,
        "persistent_profile_mode": null,
        "point_of_presence": null,
        "docker_network": "porthole-sessions",
        "zone_name": "default",
        "connection_info": null,
        "rdp_client_type": null,
        "is_standby": false,
        "agent_installed": true,
        "queued_tasks": [],
        "client_settings": client_settings(&session.policy),
    });
    if let (Value::Object(kasm), Value::Object(constant)) = (&mut kasm, constant) {
        kasm.extend(constant);
    }
    kasm
}

/// What viewers may do.
fn client_settings(policy: &EffectivePolicy) -> Value {
    let (down, up) = (
        policy.allows(&ALLOW_CLIPBOARD_DOWN),
        policy.allows(&ALLOW_CLIPBOARD_UP),
    );
    json!({
        "allow_kasm_audio": false,
        "kasm_audio_default_on": false,
        "allow_kasm_microphone": false,
        "allow_kasm_uploads": false,
        "allow_kasm_downloads": false,
        "allow_kasm_clipboard_up": up,
        "allow_kasm_clipboard_down": down,
        "allow_kasm_clipboard_seamless": up || down,
        "allow_kasm_sharing": false,
        "lock_sharing_video_mode": false,
        "allow_persistent_profile": false,
        "allow_point_of_presence": false,
        "enable_webp": false,
        "idle_disconnect": policy.number(&IDLE_DISCONNECT),
    })
}

async fn kasms(
    control: &Control,
    views: &[SessionView],
    client: &Client,
) -> Result<Value, AppError> {
    let host = host_of(client);
    let mut kasms = Vec::with_capacity(views.len());
    for view in views {
        let workspace = workspace_of(control, view).await?;
        kasms.push(kasm(view, workspace.as_ref(), host));
    }
    Ok(json!({ "current_time": date(OffsetDateTime::now_utc()), "kasms": kasms }))
}

async fn workspace_of(
    control: &Control,
    view: &SessionView,
) -> Result<Option<Workspace>, AppError> {
    match control
        .store()
        .workspaces()
        .find(view.session.workspace_id)
        .await
    {
        Ok(workspace) => Ok(Some(workspace)),
        Err(porthole_store::StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn host_of(client: &Client) -> &str {
    let host = client.host.as_deref().unwrap_or_default();
    host.rsplit_once(':')
        .filter(|(_, port)| port.parse::<u16>().is_ok())
        .map_or(host, |(h, _)| h)
}

fn link(view: &SessionView, token: &SecretString) -> String {
    let session = &view.session;
    let (kasm_id, user_id) = (session.id.simple(), session.user_id.simple());
    format!(
        "/#/connect/kasm/{kasm_id}/{user_id}/{}",
        token.expose_secret()
    )
}

/// The session, if it is this user's where one is named, and not on its way out.
async fn find(
    control: &Control,
    context: &RequestContext,
    kasm_id: &str,
    user_id: Option<&str>,
) -> Result<SessionView, AppError> {
    let session_id: SessionId = id("kasm_id", kasm_id)?;
    let view = control.session(context, session_id).await?;
    let other = match user_id.filter(|text| !text.is_empty()) {
        Some(text) => id::<UserId>("user_id", text)? != view.session.user_id,
        None => false,
    };
    if other || view.session.wanted == WantedState::Deleted {
        return Err(AppError::not_found("session"));
    }
    Ok(view)
}

#[derive(Debug, Clone, Default, Deserialize)]
struct RequestKasm {
    user_id: Option<String>,
    image_id: Option<String>,
    kasm_url: Option<String>,
    environment: Option<BTreeMap<String, String>>,
    client_language: Option<String>,
    client_timezone: Option<String>,
}

async fn request_kasm(
    State(control): State<Control>,
    Call { context, arguments }: Call<RequestKasm>,
) -> Result<Json<Value>, AppError> {
    let asked = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let workspace_id: WorkspaceId = match asked(&arguments.image_id) {
        Some(text) => id("image_id", &text)?,
        // Users have no default image here.
        None => return Err(AppError::conflict("No Default Image Found")),
    };
    let mut anonymous = None;
    let user_id = match (asked(&arguments.user_id), &context.actor) {
        (Some(text), _) => id("user_id", &text)?,
        (None, Actor::User { user_id, .. }) => *user_id,
        (None, _) => {
            context.require(Permission::UsersCreate)?;
            // A wrong request shall leave no user behind.
            control.store().workspaces().find(workspace_id).await?;
            let user_id = anonymous_user(&control, &context).await?;
            anonymous = Some(user_id);
            user_id
        }
    };
    let wish = SessionWish {
        user_id: Some(user_id),
        environment: arguments.environment.unwrap_or_default(),
        launch_url: arguments.kasm_url,
        timezone: arguments.client_timezone,
        language: arguments.client_language,
        ..SessionWish::default()
    };
    let placed = control.place_session(&context, workspace_id, wish).await;
    if let (Some(user_id), Err(_) | Ok(Err(_))) = (anonymous, &placed) {
        // Whoever may add users need not be allowed to delete them.
        let porthole = RequestContext::system("launch of an anonymous user");
        control.delete_user(&porthole, user_id, true).await?;
    }
    let view = match placed? {
        Ok(view) => view,
        Err(refused @ Refused::Placement(_)) => {
            return Err(AppError::conflict(format!("{NO_RESOURCES} ({refused})")));
        }
        Err(refused) => return Err(refused.into()),
    };
    let token = control
        .link_token(&context, user_id, view.session.id)
        .await?;
    Ok(Json(json!({
        "kasm_id": view.session.id.simple(),
        "username": view.session.username,
        "status": "starting",
        "share_id": null,
        "user_id": user_id.simple(),
        "session_token": token.expose_secret(),
        "kasm_url": link(&view, &token),
    })))
}

/// A user of its own for a session that nobody was named for, with a password that nobody knows.
async fn anonymous_user(control: &Control, context: &RequestContext) -> Result<UserId, AppError> {
    let (name, password) = (rand::random::<u64>(), rand::random::<u128>());
    let input = NewUserInput {
        username: format!("anon_{name:016x}"),
        password: SecretString::from(format!("{password:032x}Aa1!")),
        notes: "Made for a session requested without a user".into(),
        ..NewUserInput::default()
    };
    Ok(control.create_user(context, input).await?.id)
}

#[derive(Debug, Clone, Deserialize)]
struct OneKasm {
    kasm_id: String,
    user_id: Option<String>,
}

async fn get_kasm_status(
    State(control): State<Control>,
    Extension(client): Extension<Client>,
    Call { context, arguments }: Call<OneKasm>,
) -> Result<Json<Value>, AppError> {
    let OneKasm { kasm_id, user_id } = arguments;
    let view = find(&control, &context, &kasm_id, user_id.as_deref()).await?;
    let session = &view.session;
    // The link of the answer before stops working.
    let token = control
        .link_token(&context, session.user_id, session.id)
        .await?;
    let workspace = workspace_of(&control, &view).await?;
    let mut answer = json!({
        "current_time": date(OffsetDateTime::now_utc()),
        "kasm_id": session.id.simple(),
        "status": session.state.as_str(),
        "kasm_url": link(&view, &token),
        "kasm": kasm(&view, workspace.as_ref(), host_of(&client)),
        "operational_status": session.state.as_str(),
        "operational_message": message(&view),
        "operational_progress": progress(&view),
    });
    if session.state == SessionState::Failed {
        // Whoever waits for it to run gives up on this.
        answer["error_message"] = json!(message(&view));
    }
    Ok(Json(answer))
}

#[derive(Debug, Clone, Default, Deserialize)]
struct NoArguments {}

async fn get_kasms(
    State(control): State<Control>,
    Extension(client): Extension<Client>,
    Call { context, .. }: Call<NoArguments>,
) -> Result<Json<Value>, AppError> {
    let request = PageRequest {
        limit: 100_000,
        ..PageRequest::default()
    };
    let all = context.may(Permission::SessionsView);
    let views = control.sessions(&context, all, &request).await?.items;
    Ok(Json(kasms(&control, &views, &client).await?))
}

#[derive(Debug, Clone, Default, Deserialize)]
struct OneUser {
    user_id: Option<String>,
}

async fn get_user_kasms(
    State(control): State<Control>,
    Extension(client): Extension<Client>,
    Call { context, arguments }: Call<OneUser>,
) -> Result<Json<Value>, AppError> {
    let user_id = match arguments.user_id.filter(|text| !text.is_empty()) {
        Some(text) => id("user_id", &text)?,
        None => context.require_user()?,
    };
    let views = control.sessions_of(&context, user_id).await?;
    Ok(Json(kasms(&control, &views, &client).await?))
}

async fn destroy_kasm(
    State(control): State<Control>,
    Call { context, arguments }: Call<OneKasm>,
) -> Result<Json<Value>, AppError> {
    let OneKasm { kasm_id, user_id } = arguments;
    let view = find(&control, &context, &kasm_id, user_id.as_deref()).await?;
    control.delete_session(&context, view.session.id).await?;
    Ok(Json(json!({})))
}

async fn stop_kasm(
    State(control): State<Control>,
    Call { context, arguments }: Call<OneKasm>,
) -> Result<Json<Value>, AppError> {
    let OneKasm { kasm_id, user_id } = arguments;
    let view = find(&control, &context, &kasm_id, user_id.as_deref()).await?;
    control.stop_session(&context, view.session.id).await?;
    Ok(Json(json!({})))
}

async fn resume_kasm(
    State(control): State<Control>,
    Call { context, arguments }: Call<OneKasm>,
) -> Result<Json<Value>, AppError> {
    let OneKasm { kasm_id, user_id } = arguments;
    let view = find(&control, &context, &kasm_id, user_id.as_deref()).await?;
    control.resume_session(&context, view.session.id).await?;
    Ok(Json(json!({})))
}

async fn keepalive(
    State(control): State<Control>,
    Call { context, arguments }: Call<OneKasm>,
) -> Result<Json<Value>, AppError> {
    let OneKasm { kasm_id, user_id } = arguments;
    let view = find(&control, &context, &kasm_id, user_id.as_deref()).await?;
    let usage_reached = control
        .keep_session_alive(&context, view.session.id)
        .await?;
    Ok(Json(json!({ "usage_reached": usage_reached })))
}

#[derive(Debug, Clone, Deserialize)]
struct ExecCommand {
    kasm_id: String,
    user_id: Option<String>,
    exec_config: ExecConfig,
}

/// A command as docker-py has it.
#[derive(Debug, Clone, Deserialize)]
struct ExecConfig {
    cmd: Cmd,
    environment: Option<BTreeMap<String, String>>,
    workdir: Option<String>,
    #[serde(default)]
    privileged: Option<bool>,
    user: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Cmd {
    Text(String),
    Words(Vec<String>),
}

impl ExecConfig {
    fn spec(self) -> Result<ExecSpec, AppError> {
        let cmd = match self.cmd {
            Cmd::Words(words) => words,
            Cmd::Text(text) => shlex::split(&text).ok_or_else(|| {
                AppError::invalid("exec_config.cmd", "a quote in it is not closed")
            })?,
        };
        let mut faults = crate::app::validate::Faults::default();
        if cmd.is_empty() || cmd[0].is_empty() {
            faults.add("exec_config.cmd", "it is empty");
        }
        if cmd.len() > 1024 || cmd.iter().any(|word| word.contains('\0')) {
            faults.add("exec_config.cmd", "it has more than 1024 words, or a NUL");
        }
        let environment = self.environment.unwrap_or_default();
        crate::app::validate::environment("exec_config.environment", &environment, &mut faults);
        faults.text("exec_config.workdir", self.workdir.as_ref(), 4096);
        faults.text("exec_config.user", self.user.as_ref(), 64);
        faults.finish()?;
        Ok(ExecSpec {
            cmd,
            environment,
            workdir: self.workdir.filter(|text| !text.is_empty()),
            user: self.user.filter(|text| !text.is_empty()),
            privileged: self.privileged.unwrap_or(false),
        })
    }
}

async fn exec_command_kasm(
    State(control): State<Control>,
    Extension(client): Extension<Client>,
    Call { context, arguments }: Call<ExecCommand>,
) -> Result<Json<Value>, AppError> {
    let ExecCommand {
        kasm_id,
        user_id,
        exec_config,
    } = arguments;
    let view = find(&control, &context, &kasm_id, user_id.as_deref()).await?;
    let view = control
        .exec_in_session(&context, view.session.id, exec_config.spec()?)
        .await?;
    let workspace = workspace_of(&control, &view).await?;
    Ok(Json(json!({
        "kasm": kasm(&view, workspace.as_ref(), host_of(&client)),
        "current_time": date(OffsetDateTime::now_utc()),
    })))
}

pub(super) fn routes() -> Router<Control> {
    on_every_prefix([
        ("request_kasm", post(request_kasm)),
        (
            "get_kasm_status",
            get(get_kasm_status).post(get_kasm_status),
        ),
        ("get_kasms", get(get_kasms).post(get_kasms)),
        ("get_user_kasms", get(get_user_kasms).post(get_user_kasms)),
        ("destroy_kasm", post(destroy_kasm)),
        ("stop_kasm", post(stop_kasm)),
        ("resume_kasm", post(resume_kasm)),
        ("keepalive", post(keepalive)),
        ("exec_command_kasm", post(exec_command_kasm)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_words_or_text() {
        let read = |text: &str| serde_json::from_str::<ExecConfig>(text).unwrap().spec();
        let spec = read(r#"{"cmd": "bash -c 'echo \"a b\" > /tmp/x'"}"#).unwrap();
        assert_eq!(spec.cmd, ["bash", "-c", "echo \"a b\" > /tmp/x"]);
        let spec = read(r#"{"cmd": ["ls", "-l"], "user": "root", "privileged": null}"#).unwrap();
        assert_eq!(
            (spec.cmd.len(), spec.user.as_deref(), spec.privileged),
            (2, Some("root"), false)
        );
        for bad in [r#"{"cmd": "echo 'x"}"#, r#"{"cmd": ""}"#, r#"{"cmd": []}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
