//! Users.

use super::{
    Context, Json, Path,
    groups::GroupName,
    list::{List, ListQuery},
};
use crate::{
    AppError, Control,
    app::users::{NewUserInput, UserPatchInput},
    http::Query,
};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use porthole_model::ids::UserId;
use porthole_store::users;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// A person who signs in.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// What they sign in with.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Mail address.
    pub email: String,
    /// Telephone number.
    pub phone: String,
    /// Organisation.
    pub organization: String,
    /// An administrator's notes.
    pub notes: String,
    /// Whether an administrator switched the account off.
    pub disabled: bool,
    /// Whether the account is locked after too many wrong passwords.
    pub locked: bool,
    /// Their groups, the weightiest first.
    pub groups: Vec<GroupName>,
    /// When the account was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// The last sign-in.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub last_login_at: Option<OffsetDateTime>,
    /// How many sessions they have.
    pub sessions: u64,
}

impl From<users::User> for User {
    fn from(user: users::User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            first_name: user.first_name,
            last_name: user.last_name,
            email: user.email,
            phone: user.phone,
            organization: user.organization,
            notes: user.notes,
            disabled: user.disabled,
            locked: user.locked,
            groups: user.groups.into_iter().map(Into::into).collect(),
            created_at: user.created_at,
            last_login_at: user.last_login_at,
            sessions: user.sessions,
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeleteUser {
    /// Deletes the user's sessions too.
    #[serde(default)]
    force: bool,
}

/// Lists users by name
#[utoipa::path(get, path = "/users", operation_id = "listUsers", tag = "users", params(ListQuery),
    responses((status = 200, description = "Users", body = List<User>)))]
async fn list_users(
    State(control): State<Control>,
    Context(context): Context,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<User>>, AppError> {
    let request = query.page()?;
    let page = control.users(&context, &request).await?;
    Ok(Json(List::of(page, &request, User::from)))
}

/// Adds a user
#[utoipa::path(post, path = "/users", operation_id = "createUser", tag = "users",
    request_body = NewUserInput,
    responses((status = 201, description = "The new user", body = User)))]
async fn create_user(
    State(control): State<Control>,
    Context(context): Context,
    Json(input): Json<NewUserInput>,
) -> Result<impl IntoResponse, AppError> {
    let user = User::from(control.create_user(&context, input).await?);
    let location = format!("/api/v1/users/{}", user.id);
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(user),
    ))
}

/// One user
#[utoipa::path(get, path = "/users/{id}", operation_id = "getUser", tag = "users",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 200, description = "The user", body = User)))]
async fn get_user(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<UserId>,
) -> Result<Json<User>, AppError> {
    Ok(Json(control.user(&context, id).await?.into()))
}

/// Changes a user
///
/// Switching off, locking and a new password end the user's logins, and what they look at, at once.
#[utoipa::path(patch, path = "/users/{id}", operation_id = "updateUser", tag = "users",
    params(("id" = UserId, Path, description = "The user")),
    request_body = UserPatchInput,
    responses((status = 200, description = "The changed user", body = User)))]
async fn update_user(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<UserId>,
    Json(input): Json<UserPatchInput>,
) -> Result<Json<User>, AppError> {
    Ok(Json(control.update_user(&context, id, input).await?.into()))
}

/// Deletes a user
#[utoipa::path(delete, path = "/users/{id}", operation_id = "deleteUser", tag = "users",
    params(("id" = UserId, Path, description = "The user"), DeleteUser),
    responses((status = 204, description = "The user is gone")))]
async fn delete_user(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<UserId>,
    Query(query): Query<DeleteUser>,
) -> Result<StatusCode, AppError> {
    control.delete_user(&context, id, query.force).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all logins of a user
#[utoipa::path(post, path = "/users/{id}/logout", operation_id = "logoutUser", tag = "users",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 204, description = "The user is signed out everywhere")))]
async fn logout_user(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<UserId>,
) -> Result<StatusCode, AppError> {
    control.logout_user(&context, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(list_users, create_user))
        .routes(routes!(get_user, update_user, delete_user))
        .routes(routes!(logout_user))
}
