//! API keys: rights of their own, for programs.

use super::{auth::sha256_hex, validate};
use crate::{Actor, AppError, Control, RequestContext};
use porthole_model::{ids::ApiKeyId, permission::Permission};
use porthole_store::api_keys::{ApiKey, NewApiKey};
use rand::distr::{Alphanumeric, SampleString};
use secrecy::SecretString;
use std::collections::BTreeSet;
use time::{Duration, OffsetDateTime};

/// Characters of the public half.
const KEY_LENGTH: usize = 12;
/// Characters of the secret half; 190 bits, so that a fast hash keeps it safe.
const SECRET_LENGTH: usize = 32;

impl Control {
    /// All API keys, without their secrets.
    ///
    /// # Errors
    /// Without the permission.
    pub async fn api_keys(&self, context: &RequestContext) -> Result<Vec<ApiKey>, AppError> {
        context.require(Permission::DevapiView)?;
        Ok(self.store.api_keys().list().await?)
    }

    /// Makes an API key; the secret is known only here and now.
    ///
    /// # Errors
    /// Without the permission; [`AppError::Invalid`].
    pub async fn create_api_key(
        &self,
        context: &RequestContext,
        name: &str,
        expires_at: Option<OffsetDateTime>,
        permissions: BTreeSet<Permission>,
    ) -> Result<(ApiKey, SecretString), AppError> {
        context.require(Permission::DevapiCreate)?;
        context.require_all(&permissions)?;
        let name = validate::name(name, 128).map_err(|e| AppError::invalid("name", e))?;
        if expires_at.is_some_and(|at| at <= OffsetDateTime::now_utc()) {
            return Err(AppError::invalid(
                "expires_at",
                "this time has passed already",
            ));
        }
        let (secret, salt) = (random(SECRET_LENGTH), random(16));
        let key = self
            .store
            .api_keys()
            .create(NewApiKey {
                name,
                key: random(KEY_LENGTH),
                secret_hash: salted(&salt, &secret),
                salt,
                expires_at,
                permissions,
            })
            .await?;
        tracing::info!(key = %key.key, name = %key.name, by = ?context.actor, "API key created");
        Ok((key, secret.into()))
    }

    /// Deletes an API key; it ends at once.
    ///
    /// # Errors
    /// Without the permission; [`AppError::NotFound`].
    pub async fn delete_api_key(
        &self,
        context: &RequestContext,
        id: ApiKeyId,
    ) -> Result<(), AppError> {
        context.require(Permission::DevapiDelete)?;
        self.store.api_keys().delete(id).await?;
        tracing::info!(key = %id, by = ?context.actor, "API key deleted");
        Ok(())
    }

    /// The context of a request that carries this API key.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] when key or secret is not good.
    pub async fn context_of_api_key(
        &self,
        nobody: RequestContext,
        key: &str,
        secret: &str,
    ) -> Result<RequestContext, AppError> {
        if key.len() > 64 || secret.len() > 256 {
            return Err(AppError::Unauthenticated);
        }
        let found = self
            .store
            .api_keys()
            .find(key)
            .await?
            .ok_or(AppError::Unauthenticated)?;
        let now = OffsetDateTime::now_utc();
        if !equal(&salted(&found.salt, secret), &found.secret_hash)
            || !found.enabled
            || found.expires_at.is_some_and(|at| at <= now)
        {
            return Err(AppError::Unauthenticated);
        }
        if found
            .last_used_at
            .is_none_or(|at| now - at > Duration::MINUTE)
        {
            self.store.api_keys().touch(found.id).await?;
        }
        Ok(RequestContext {
            actor: Actor::ApiKey {
                api_key_id: found.id,
                name: found.name,
            },
            permissions: found.permissions,
            ..nobody
        })
    }
}

/// Random letters and digits.
fn random(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}

fn salted(salt: &str, secret: &str) -> String {
    sha256_hex(&[salt.as_bytes(), secret.as_bytes()])
}

/// Compares in a time that does not depend on where they differ.
fn equal(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes()
            .zip(b.bytes())
            .fold(0, |diff, (a, b)| diff | (a ^ b))
            == 0
}
