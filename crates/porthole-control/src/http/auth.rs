//! Signing in and out, and who one is.

use super::{Anonymous, Context, Json, extract::COOKIE, groups::GroupName};
use crate::{AppError, Control, app::auth::SignedIn};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use porthole_model::{ids::UserId, permission::Permission};
use porthole_store::users;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// User name and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// The user name, in any case.
    username: String,
    /// The password.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// The token of a link into a session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LinkToken {
    /// The token.
    #[schema(value_type = String, format = Password)]
    token: SecretString,
}

/// One's own password, and the one to come.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The password until now.
    #[schema(value_type = String, format = Password)]
    current_password: SecretString,
    /// The password from now on, 8 to 256 characters.
    #[schema(value_type = String, format = Password)]
    new_password: SecretString,
}

/// One's own account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    /// The id.
    pub id: UserId,
    /// What one signs in with.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Mail address.
    pub email: String,
    /// One's groups, the weightiest first.
    pub groups: Vec<GroupName>,
}

impl From<users::User> for Account {
    fn from(user: users::User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            first_name: user.first_name,
            last_name: user.last_name,
            email: user.email,
            groups: user.groups.into_iter().map(Into::into).collect(),
        }
    }
}

/// A sign-in.
#[derive(Debug, Serialize, ToSchema)]
struct Login {
    /// Who.
    user: Account,
    /// For programs: goes into the header `Authorization: Bearer <token>`. Browsers got it as a
    /// cookie already.
    token: String,
    /// When it ends at the latest.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// Who is signed in, and what they may do.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// The account.
    user: Account,
    /// What it may do.
    permissions: BTreeSet<Permission>,
    /// Whether it may do everything.
    is_admin: bool,
    /// The server.
    server: ServerInfo,
}

/// The server.
#[derive(Debug, Serialize, ToSchema)]
struct ServerInfo {
    /// The installation's name.
    name: String,
    /// Its version.
    version: &'static str,
}

fn signed_in(login: SignedIn) -> Response {
    let token = login.token.expose_secret();
    let age = (login.expires_at - OffsetDateTime::now_utc())
        .whole_seconds()
        .max(0);
    let cookie = format!("{COOKIE}={token}; Path=/; Max-Age={age}; HttpOnly; Secure; SameSite=Lax");
    let body = Login {
        token: token.to_owned(),
        expires_at: login.expires_at,
        user: login.user.into(),
    };
    with_cookie(Json(body).into_response(), &cookie)
}

fn signed_out() -> Response {
    let cookie = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax");
    with_cookie(StatusCode::NO_CONTENT.into_response(), &cookie)
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    match HeaderValue::from_str(cookie) {
        Ok(mut value) => {
            value.set_sensitive(true);
            response.headers_mut().append(header::SET_COOKIE, value);
            response
        }
        Err(error) => AppError::internal(error).into_response(),
    }
}

pub(crate) fn user_agent(headers: &HeaderMap) -> &str {
    headers
        .get(header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default()
}

/// Signs in
///
/// Sets the cookie `__Host-porthole`, and answers the same token for programs. 401 for an unknown
/// user and for a wrong password alike; 423 when the account is locked; 429 with `Retry-After` after
/// too many failures.
#[utoipa::path(post, path = "/auth/login", operation_id = "login", tag = "auth", security(()),
    request_body = Credentials,
    responses((status = 200, description = "Signed in", body = Login)))]
async fn login(
    State(control): State<Control>,
    Anonymous(context): Anonymous,
    headers: HeaderMap,
    Json(input): Json<Credentials>,
) -> Result<Response, AppError> {
    let agent = user_agent(&headers);
    control
        .login(&context, &input.username, input.password, agent)
        .await
        .map(signed_in)
}

/// Signs in by a link's token
///
/// Such links are the `kasm_url`s that the Kasm-compatible calls give.
#[utoipa::path(post, path = "/auth/token-login", operation_id = "tokenLogin", tag = "auth", security(()),
    request_body = LinkToken,
    responses((status = 200, description = "Signed in", body = Login)))]
async fn token_login(
    State(control): State<Control>,
    Anonymous(context): Anonymous,
    headers: HeaderMap,
    Json(input): Json<LinkToken>,
) -> Result<Response, AppError> {
    let agent = user_agent(&headers);
    control
        .token_login(&context, input.token.expose_secret(), agent)
        .await
        .map(signed_in)
}

/// Signs out
#[utoipa::path(post, path = "/auth/logout", operation_id = "logout", tag = "auth",
    responses((status = 204, description = "Signed out")))]
async fn logout(
    State(control): State<Control>,
    Context(context): Context,
) -> Result<Response, AppError> {
    control.logout(&context).await?;
    Ok(signed_out())
}

/// Signs out everywhere
#[utoipa::path(post, path = "/auth/logout-everywhere", operation_id = "logoutEverywhere", tag = "auth",
    responses((status = 204, description = "Signed out everywhere")))]
async fn logout_everywhere(
    State(control): State<Control>,
    Context(context): Context,
) -> Result<Response, AppError> {
    control.logout_everywhere(&context).await?;
    Ok(signed_out())
}

/// Changes one's own password
///
/// All other logins end.
#[utoipa::path(post, path = "/auth/password", operation_id = "changePassword", tag = "auth",
    request_body = PasswordChange,
    responses((status = 204, description = "Changed")))]
async fn change_password(
    State(control): State<Control>,
    Context(context): Context,
    Json(input): Json<PasswordChange>,
) -> Result<StatusCode, AppError> {
    control
        .change_password(&context, input.current_password, input.new_password)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is signed in
#[utoipa::path(get, path = "/me", operation_id = "getMe", tag = "auth",
    responses((status = 200, description = "One's own account", body = Me)))]
async fn me(
    State(control): State<Control>,
    Context(context): Context,
) -> Result<Json<Me>, AppError> {
    let user = control.user(&context, context.require_user()?).await?;
    Ok(Json(Me {
        user: user.into(),
        is_admin: context.is_admin(),
        permissions: context.permissions,
        server: ServerInfo {
            name: control.config.name.clone(),
            version: env!("CARGO_PKG_VERSION"),
        },
    }))
}

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(login))
        .routes(routes!(token_login))
        .routes(routes!(logout))
        .routes(routes!(logout_everywhere))
        .routes(routes!(change_password))
        .routes(routes!(me))
}
