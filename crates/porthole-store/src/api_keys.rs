//! API keys for programs.

use crate::{
    Store, StoreError,
    columns::{from_column, now, parse, to_column},
    entity::{api_key_permissions, api_keys},
};
use porthole_model::{ids::ApiKeyId, permission::Permission};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder, sea_query::Expr,
};
use std::collections::{BTreeMap, BTreeSet};
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
    /// What it may do.
    pub permissions: BTreeSet<Permission>,
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
    /// What it may do.
    pub permissions: BTreeSet<Permission>,
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
        with_permissions(self.0.db(), rows).await
    }

    /// The key with this public half.
    pub async fn find(self, key: &str) -> Result<Option<ApiKey>, StoreError> {
        let row = api_keys::Entity::find()
            .filter(api_keys::Column::ApiKey.eq(key))
            .one(self.0.db())
            .await?;
        let rows = row.into_iter().collect();
        Ok(with_permissions(self.0.db(), rows).await?.pop())
    }

    /// Adds a key.
    pub async fn create(self, new: NewApiKey) -> Result<ApiKey, StoreError> {
        let tx = self.0.write().await?;
        let id = ApiKeyId::new();
        let row = api_keys::ActiveModel {
            api_id: Set(id.to_string()),
            name: Set(new.name),
            api_key: Set(new.key),
            api_key_secret_hash: Set(new.secret_hash),
            salt: Set(new.salt),
            enabled: Set(true),
            created: Set(now()),
            expires: Set(new.expires_at.map(to_column)),
            last_used: Set(None),
        };
        let row = row.insert(&tx).await?;
        for permission in new.permissions {
            let row = api_key_permissions::ActiveModel {
                api_id: Set(id.to_string()),
                permission: Set(permission.to_string()),
            };
            row.insert(&tx).await?;
        }
        let made = with_permissions(&tx, vec![row]).await?.pop();
        tx.commit().await?;
        made.ok_or(StoreError::not_found("API key"))
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

async fn with_permissions(
    db: &impl ConnectionTrait,
    rows: Vec<api_keys::Model>,
) -> Result<Vec<ApiKey>, StoreError> {
    let ids = rows.iter().map(|row| row.api_id.clone());
    let mut permissions: BTreeMap<String, BTreeSet<Permission>> = BTreeMap::new();
    for row in api_key_permissions::Entity::find()
        .filter(api_key_permissions::Column::ApiId.is_in(ids))
        .all(db)
        .await?
    {
        permissions
            .entry(row.api_id)
            .or_default()
            .insert(parse(&row.permission)?);
    }
    rows.into_iter()
        .map(|row| {
            let permissions = permissions.remove(&row.api_id).unwrap_or_default();
            record(row, permissions)
        })
        .collect()
}

fn record(row: api_keys::Model, permissions: BTreeSet<Permission>) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        permissions,
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
