//! API keys.

use super::{Context, Json, Path, list::List};
use crate::{AppError, Control};
use axum::{extract::State, http::StatusCode};
use porthole_model::{ids::ApiKeyId, permission::Permission};
use porthole_store::api_keys;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A key for programs, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKey {
    /// The id.
    pub id: ApiKeyId,
    /// What its maker called it.
    pub name: String,
    /// The public half; `api_key` in the Kasm-compatible calls.
    pub key: String,
    /// Whether it can be used.
    pub enabled: bool,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it ends.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub expires_at: Option<OffsetDateTime>,
    /// When it was last used, to the minute.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub last_used_at: Option<OffsetDateTime>,
    /// What it may do.
    pub permissions: BTreeSet<Permission>,
}

impl From<api_keys::ApiKey> for ApiKey {
    fn from(key: api_keys::ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            key: key.key,
            enabled: key.enabled,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            permissions: key.permissions,
        }
    }
}

/// A new key for programs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewApiKey {
    /// What to call it.
    #[schema(max_length = 128)]
    name: String,
    /// When it ends; never when left out.
    #[serde(default, with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
    /// What it may do, nothing beyond what its maker may; everything when left out.
    permissions: Option<BTreeSet<Permission>>,
}

/// A key with its secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
struct CreatedApiKey {
    /// The key.
    #[serde(flatten)]
    api_key: ApiKey,
    /// The secret half; `api_key_secret` in the Kasm-compatible calls.
    secret: String,
}

/// Lists API keys
#[utoipa::path(get, path = "/api-keys", operation_id = "listApiKeys", tag = "api-keys",
    responses((status = 200, description = "Keys without their secrets", body = List<ApiKey>)))]
async fn list_api_keys(
    State(control): State<Control>,
    Context(context): Context,
) -> Result<Json<List<ApiKey>>, AppError> {
    let keys = control.api_keys(&context).await?;
    Ok(Json(List::whole(
        keys.into_iter().map(ApiKey::from).collect(),
    )))
}

/// Makes an API key
///
/// Nobody can give it a permission that they have not themselves.
#[utoipa::path(post, path = "/api-keys", operation_id = "createApiKey", tag = "api-keys",
    request_body = NewApiKey,
    responses((status = 201, description = "The key, with its secret this once", body = CreatedApiKey)))]
async fn create_api_key(
    State(control): State<Control>,
    Context(context): Context,
    Json(input): Json<NewApiKey>,
) -> Result<(StatusCode, Json<CreatedApiKey>), AppError> {
    let permissions = input
        .permissions
        .unwrap_or_else(|| BTreeSet::from([Permission::User, Permission::GlobalAdmin]));
    let (key, secret) = control
        .create_api_key(&context, &input.name, input.expires_at, permissions)
        .await?;
    let secret = secret.expose_secret().to_owned();
    Ok((
        StatusCode::CREATED,
        Json(CreatedApiKey {
            api_key: key.into(),
            secret,
        }),
    ))
}

/// Deletes an API key
#[utoipa::path(delete, path = "/api-keys/{id}", operation_id = "deleteApiKey", tag = "api-keys",
    params(("id" = ApiKeyId, Path, description = "The key")),
    responses((status = 204, description = "The key is gone")))]
async fn delete_api_key(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<ApiKeyId>,
) -> Result<StatusCode, AppError> {
    control.delete_api_key(&context, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(list_api_keys, create_api_key))
        .routes(routes!(delete_api_key))
}
