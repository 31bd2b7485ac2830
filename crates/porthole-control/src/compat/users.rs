//! Users: `login`, `get_users`, `get_user`, `create_user`, `update_user`, `delete_user`,
//! `logout_user`, groups and attributes.

use super::{
    Call, on_every_prefix,
    values::{date, id, maybe_date, null_as_default, text},
};
use crate::{
    AppError, Control, RequestContext,
    app::users::{NewUserInput, UserPatchInput},
    http::{Anonymous, Json, user_agent},
};
use axum::{
    Router,
    extract::State,
    http::HeaderMap,
    routing::{get, post},
};
use porthole_model::ids::{GroupId, UserId};
use porthole_store::{
    PageRequest,
    sessions::{Session, SessionFilter},
    users::User,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// More users than one answer should hold; those clients know no pages.
const EVERY: PageRequest = PageRequest {
    limit: 10_000,
    offset: 0,
    search: None,
};

#[derive(Deserialize)]
struct Login {
    username: String,
    password: SecretString,
}

async fn login(
    State(control): State<Control>,
    Anonymous(context): Anonymous,
    headers: HeaderMap,
    Json(input): Json<Login>,
) -> Result<Json<Value>, AppError> {
    let agent = user_agent(&headers);
    let login = control
        .login(&context, &input.username, input.password, agent)
        .await?;
    Ok(Json(json!({
        "token": login.token.expose_secret(),
        "user_id": login.user.id.simple(),
        "username": login.user.username,
        "expires": date(login.expires_at),
    })))
}

/// A user by id or by name, and what to make of them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Target {
    user_id: Option<String>,
    username: Option<String>,
    password: Option<SecretString>,
    first_name: Option<String>,
    last_name: Option<String>,
    phone: Option<String>,
    organization: Option<String>,
    email: Option<String>,
    notes: Option<String>,
    locked: Option<bool>,
    disabled: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TargetGroup {
    group_id: Option<String>,
}

#[derive(Deserialize)]
struct OfUser {
    target_user: Target,
    #[serde(default, deserialize_with = "null_as_default")]
    target_group: TargetGroup,
    #[serde(default, deserialize_with = "null_as_default")]
    force: bool,
}

impl OfUser {
    fn user_id(&self) -> Result<UserId, AppError> {
        id("user_id", self.target_user.user_id.as_deref())
    }

    /// By id, else by name.
    async fn find(&self, control: &Control, context: &RequestContext) -> Result<User, AppError> {
        match (&self.target_user.user_id, &self.target_user.username) {
            (None, Some(username)) => control.user_by_name(context, username).await,
            _ => control.user(context, self.user_id()?).await,
        }
    }
}

async fn get_users(
    State(control): State<Control>,
    Call { context, .. }: Call<Value>,
) -> Result<Json<Value>, AppError> {
    let users = control.users(&context, &EVERY).await?;
    let mut sessions: HashMap<UserId, Vec<Session>> = HashMap::new();
    for session in control
        .store
        .sessions()
        .list(SessionFilter::default(), &EVERY)
        .await?
        .items
    {
        sessions.entry(session.user_id).or_default().push(session);
    }
    let users: Vec<Value> = users
        .items
        .iter()
        .map(|user| show(user, sessions.get(&user.id).map_or(&[][..], Vec::as_slice)))
        .collect();
    Ok(Json(json!({ "users": users })))
}

/// A user as an answer.
async fn answer(control: &Control, user: &User) -> Result<Json<Value>, AppError> {
    let filter = SessionFilter {
        user_id: Some(user.id),
        ..SessionFilter::default()
    };
    let sessions = control.store.sessions().list(filter, &EVERY).await?.items;
    Ok(Json(json!({ "user": show(user, &sessions) })))
}

async fn get_user(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfUser>,
) -> Result<Json<Value>, AppError> {
    let user = arguments.find(&control, &context).await?;
    answer(&control, &user).await
}

async fn create_user(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfUser>,
) -> Result<Json<Value>, AppError> {
    let target = arguments.target_user;
    let missing = |name| AppError::BadRequest(format!("target_user.{name} is missing"));
    let username = target.username.ok_or_else(|| missing("username"))?;
    let input = NewUserInput {
        // Where the name is a mail address, it is the address as well.
        email: target.email.unwrap_or_else(|| {
            if username.contains('@') {
                username.clone()
            } else {
                String::new()
            }
        }),
        username,
        password: target.password.ok_or_else(|| missing("password"))?,
        first_name: target.first_name.unwrap_or_default(),
        last_name: target.last_name.unwrap_or_default(),
        phone: target.phone.unwrap_or_default(),
        organization: target.organization.unwrap_or_default(),
        notes: target.notes.unwrap_or_default(),
        disabled: target.disabled.unwrap_or_default(),
        locked: target.locked.unwrap_or_default(),
        group_ids: BTreeSet::new(),
    };
    let user = control.create_user(&context, input).await?;
    answer(&control, &user).await
}

async fn update_user(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfUser>,
) -> Result<Json<Value>, AppError> {
    let user_id = arguments.user_id()?;
    let target = arguments.target_user;
    let patch = UserPatchInput {
        username: target.username,
        password: target.password,
        first_name: target.first_name,
        last_name: target.last_name,
        email: target.email,
        phone: target.phone,
        organization: target.organization,
        notes: target.notes,
        disabled: target.disabled,
        locked: target.locked,
        group_ids: None,
    };
    let user = control.update_user(&context, user_id, patch).await?;
    answer(&control, &user).await
}

async fn delete_user(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfUser>,
) -> Result<Json<Value>, AppError> {
    control
        .delete_user(&context, arguments.user_id()?, arguments.force)
        .await?;
    Ok(Json(json!({})))
}

async fn logout_user(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfUser>,
) -> Result<Json<Value>, AppError> {
    control.logout_user(&context, arguments.user_id()?).await?;
    Ok(Json(json!({})))
}

async fn add_user_group(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfUser>,
) -> Result<Json<Value>, AppError> {
    set_member(&control, &context, &arguments, true).await
}

async fn remove_user_group(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfUser>,
) -> Result<Json<Value>, AppError> {
    set_member(&control, &context, &arguments, false).await
}

async fn set_member(
    control: &Control,
    context: &RequestContext,
    arguments: &OfUser,
    member: bool,
) -> Result<Json<Value>, AppError> {
    let group: GroupId = id("group_id", arguments.target_group.group_id.as_deref())?;
    control
        .set_group_member(context, group, arguments.user_id()?, member)
        .await?;
    Ok(Json(json!({})))
}

/// Preferences are not kept yet; every user has the same.
async fn get_attributes(
    State(control): State<Control>,
    Call { context, arguments }: Call<OfUser>,
) -> Result<Json<Value>, AppError> {
    let user = arguments.find(&control, &context).await?;
    Ok(Json(json!({
        "user_attributes": {
            "user_attributes_id": user.id.simple(),
            "user_id": user.id.simple(),
            "ssh_public_key": "",
            "show_tips": false,
            "toggle_control_panel": false,
            "theme": "Auto",
            "preferred_language": "Auto",
            "preferred_timezone": "Auto",
            "default_image": null,
            "auto_login_kasm": null,
        }
    })))
}

fn show(user: &User, sessions: &[Session]) -> Value {
    let kasms: Vec<Value> = sessions
        .iter()
        .map(|session| {
            json!({
                "kasm_id": session.id.simple(),
                "start_date": maybe_date(session.started_at),
                "keepalive_date": date(session.keepalive_at),
                "expiration_date": maybe_date(session.expires_at),
                "server": { "server_id": session.agent_id.map(porthole_model::ids::AgentId::simple) },
            })
        })
        .collect();
    let groups: Vec<Value> = user
        .groups
        .iter()
        .map(|group| json!({ "name": group.name, "group_id": group.id.simple() }))
        .collect();
    json!({
        "user_id": user.id.simple(),
        "username": user.username,
        "first_name": text(&user.first_name),
        "last_name": text(&user.last_name),
        "phone": text(&user.phone),
        "organization": text(&user.organization),
        "email": text(&user.email),
        "notes": text(&user.notes),
        "realm": user.realm,
        "last_session": maybe_date(user.last_login_at),
        "groups": groups,
        "kasms": kasms,
        "disabled": user.disabled,
        "locked": user.locked,
        "created": date(user.created_at),
        "password_set_date": date(user.password_set_at),
        "two_factor": false,
        "program_id": null,
        "hash": null,
        "company": {},
        "city": null,
        "state": null,
        "country": null,
        "assigned_servers": [],
    })
}

pub(super) fn routes() -> Router<Control> {
    on_every_prefix([
        ("get_users", get(get_users).post(get_users)),
        ("get_user", get(get_user).post(get_user)),
        ("create_user", post(create_user)),
        ("update_user", post(update_user)),
        ("delete_user", post(delete_user)),
        ("logout_user", post(logout_user)),
        ("add_user_group", post(add_user_group)),
        ("remove_user_group", post(remove_user_group)),
        // One client asks for the attributes by the longer name.
        ("get_attributes", get(get_attributes).post(get_attributes)),
        (
            "get_user_attributes",
            get(get_attributes).post(get_attributes),
        ),
    ])
    .route("/api/public/login", post(login))
}
