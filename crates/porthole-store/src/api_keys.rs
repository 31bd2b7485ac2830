//! API keys for programs.

use crate::{
    Store, StoreError,
    columns::{from_column, now, parse, to_column},
    entity::api_keys,
};
use porthole_model::ids::ApiKeyId;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::Expr,
};
use time::OffsetDateTime;

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The id.
    pub id: ApiKeyId,
    /// What its maker called it.
    pub name: String,
    /// The public half.
    pub key: String,
    /// The secret half's hash in hexadecimal digits.
    pub secret_hash: String,
    /// What was hashed before the secret.
    pub salt: String,
    /// Whether it can be used.
    pub enabled: bool,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it ends.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<OffsetDateTime>,
}

/// A new API key.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// What its maker called it.
    pub name: String,
    /// The public half.
    pub key: String,
    /// The secret half's hash in hexadecimal digits.
    pub secret_hash: String,
    /// What was hashed before the secret.
    pub salt: String,
    /// When it ends.
    pub expires_at: Option<OffsetDateTime>,
}

/// The API keys.
#[derive(Debug, Clone, Copy)]
pub struct ApiKeys<'a>(&'a Store);

impl Store {
    /// The API keys.
    pub fn api_keys(&self) -> ApiKeys<'_> {
        ApiKeys(self)
    }
}

impl ApiKeys<'_> {
    /// All keys by name.
    pub async fn list(self) -> Result<Vec<ApiKey>, StoreError> {
        let rows = api_keys::Entity::find()
            .order_by_asc(api_keys::Column::Name)
            .order_by_asc(api_keys::Column::ApiId)
            .all(self.0.db())
            .await?;
        rows.into_iter().map(record).collect()
    }

    /// The key with this public half.
    pub async fn find(self, key: &str) -> Result<Option<ApiKey>, StoreError> {
        let row = api_keys::Entity::find()
            .filter(api_keys::Column::ApiKey.eq(key))
            .one(self.0.db())
            .await?;
        row.map(record).transpose()
    }

    /// Adds a key.
    pub async fn create(self, new: NewApiKey) -> Result<ApiKey, StoreError> {
        let row = api_keys::ActiveModel {
            api_id: Set(ApiKeyId::new().to_string()),
            name: Set(new.name),
            api_key: Set(new.key),
            api_key_secret_hash: Set(new.secret_hash),
            salt: Set(new.salt),
            enabled: Set(true),
            created: Set(now()),
            expires: Set(new.expires_at.map(to_column)),
            last_used: Set(None),
        };
        record(row.insert(self.0.db()).await?)
    }

    /// Notes that it was used now.
    pub async fn touch(self, id: ApiKeyId) -> Result<(), StoreError> {
        api_keys::Entity::update_many()
            .col_expr(api_keys::Column::LastUsed, Expr::value(now()))
            .filter(api_keys::Column::ApiId.eq(id.to_string()))
            .exec(self.0.db())
            .await?;
        Ok(())
    }

    /// Deletes a key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn delete(self, id: ApiKeyId) -> Result<(), StoreError> {
        let deleted = api_keys::Entity::delete_by_id(id.to_string())
            .exec(self.0.db())
            .await?;
        if deleted.rows_affected == 0 {
            Err(StoreError::not_found("API key"))
        } else {
            Ok(())
        }
    }
}

fn record(row: api_keys::Model) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: parse(&row.api_id)?,
        name: row.name,
        key: row.api_key,
        secret_hash: row.api_key_secret_hash,
        salt: row.salt,
        enabled: row.enabled,
        created_at: from_column(row.created),
        expires_at: row.expires.map(from_column),
        last_used_at: row.last_used.map(from_column),
    })
}
