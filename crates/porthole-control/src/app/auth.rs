//! Signing in and out, and what a token stands for.

use super::passwords::{self, MAX_LENGTH};
use crate::{Actor, AppError, Control, RequestContext, Revocation};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use porthole_model::{
    ids::{LoginId, SessionId, UserId},
    permission::Permission,
};
use porthole_store::{
    logins::{LoginKind, NewLogin},
    users::User,
};
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{fmt::Write, time::Duration};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// Wrong passwords in a row that lock an account.
const LOCK_AFTER: u32 = 5;
/// How far back failures count for throttling.
const WINDOW: time::Duration = time::Duration::minutes(15);
/// Failures within the window from one address before it must wait.
const PER_ADDRESS: u64 = 50;
/// Failures within the window with one user name before it must wait, from anywhere.
const PER_ACCOUNT: u64 = 10;
/// How long a name that belongs to nobody behaves as a locked account does, so that nothing tells
/// which names exist.
const MEMORY: time::Duration = time::Duration::hours(24);
/// How long a link into a session can be followed.
const TICKET_LIFETIME: Duration = Duration::from_hours(24);

const LOCKED: &str =
    "the account is locked after too many wrong passwords; an administrator can unlock it";

/// A sign-in that was just made.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// What a browser or program shows from now on.
    pub token: SecretString,
    /// When it ends, whatever happens.
    pub expires_at: OffsetDateTime,
}

impl Control {
    /// Signs in by user name and password.
    ///
    /// # Errors
    /// [`AppError::BadCredentials`] with the same text and in the same time for an unknown name and
    /// a wrong password; [`AppError::Locked`], [`AppError::TooMany`]; [`AppError::Forbidden`] when
    /// the password is right but the account is switched off.
    pub async fn login(
        &self,
        context: &RequestContext,
        username: &str,
        password: SecretString,
        user_agent: &str,
    ) -> Result<SignedIn, AppError> {
        let username = username.trim().to_lowercase();
        if username.chars().count() > 255 || password.expose_secret().chars().count() > MAX_LENGTH {
            return Err(AppError::BadCredentials);
        }
        let user = self.check_password(context, &username, password).await?;
        if user.disabled {
            return Err(AppError::forbidden(
                "the account is switched off; ask an administrator",
            ));
        }
        self.store.users().signed_in(user.id).await?;
        tracing::info!(user = %user.username, ip = %context.ip, "signed in");
        self.sign_in(context, user, LoginKind::Password, user_agent)
            .await
    }

    /// Follows a link that [`Control::link_token`] made: signs its user in.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] when the link is not good any more.
    pub async fn token_login(
        &self,
        context: &RequestContext,
        token: &str,
        user_agent: &str,
    ) -> Result<SignedIn, AppError> {
        let login = self
            .find_login(token)
            .await?
            .ok_or(AppError::Unauthenticated)?;
        let user = self.store.users().find(login.user_id).await?;
        if user.disabled {
            return Err(AppError::Unauthenticated);
        }
        self.store.users().signed_in(user.id).await?;
        self.sign_in(context, user, LoginKind::Link, user_agent)
            .await
    }

    /// A token that signs the user in once it is shown to [`Control::token_login`]; it ends the one
    /// made before for the same session. For administrators and API keys, on a user's behalf, and
    /// for users themselves.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for other users.
    pub async fn link_token(
        &self,
        context: &RequestContext,
        user_id: UserId,
        session_id: SessionId,
    ) -> Result<SecretString, AppError> {
        if context.user_id() != Some(user_id) {
            self.may_act_on(context, Permission::UsersAuthSession, user_id)
                .await?;
        }
        let token = new_token();
        self.store
            .logins()
            .create(NewLogin {
                user_id,
                kind: LoginKind::Ticket,
                session_id: Some(session_id),
                token_hash: hash_of(token.expose_secret()),
                ip: context.ip.to_string(),
                user_agent: String::new(),
                expires_at: OffsetDateTime::now_utc() + TICKET_LIFETIME,
            })
            .await?;
        Ok(token)
    }

    /// The context of a request that carries this token.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] when the token is not good (any more).
    pub async fn context_of_token(
        &self,
        nobody: RequestContext,
        token: &str,
    ) -> Result<RequestContext, AppError> {
        let login = self
            .find_login(token)
            .await?
            .ok_or(AppError::Unauthenticated)?;
        if login.kind == LoginKind::Ticket {
            return Err(AppError::Unauthenticated);
        }
        let user = match self.store.users().find(login.user_id).await {
            Err(porthole_store::StoreError::NotFound { .. }) => {
                return Err(AppError::Unauthenticated);
            }
            other => other?,
        };
        if user.disabled {
            return Err(AppError::Unauthenticated);
        }
        let permissions = self.store.users().permissions(user.id).await?;
        if OffsetDateTime::now_utc() - login.last_used_at > time::Duration::MINUTE {
            self.store.logins().touch(login.id).await?;
        }
        Ok(RequestContext {
            actor: Actor::User {
                user_id: user.id,
                username: user.username,
                login_id: login.id,
            },
            permissions,
            ..nobody
        })
    }

    /// Signs out: this login ends at once, with the streams that stand on it.
    pub async fn logout(&self, context: &RequestContext) -> Result<(), AppError> {
        if let Some(login) = context.login_id()
            && self.store.logins().delete(login).await?
        {
            self.events.revoke(Revocation::LoginEnded(login));
        }
        Ok(())
    }

    /// Signs out everywhere.
    ///
    /// # Errors
    /// For signed-in users only.
    pub async fn logout_everywhere(&self, context: &RequestContext) -> Result<(), AppError> {
        self.end_logins(context.require_user()?, None).await
    }

    /// Changes one's own password; all other logins end.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when the current password is wrong or the new one is not acceptable.
    pub async fn change_password(
        &self,
        context: &RequestContext,
        current: SecretString,
        new: SecretString,
    ) -> Result<(), AppError> {
        let user_id = context.require_user()?;
        let user = self.store.users().find(user_id).await?;
        passwords::check(new.expose_secret(), &user.username)
            .map_err(|message| AppError::invalid("new_password", message))?;
        if current.expose_secret().chars().count() > MAX_LENGTH {
            return Err(AppError::invalid("current_password", "it is wrong"));
        }
        self.check_password(context, &user.username, current)
            .await
            .map_err(|error| match error {
                AppError::BadCredentials => AppError::invalid("current_password", "it is wrong"),
                other => other,
            })?;
        let patch = porthole_store::users::UserPatch {
            password_hash: Some(self.passwords.hash(new).await?),
            ..Default::default()
        };
        self.store.users().update(user_id, patch).await?;
        tracing::info!(user = %user.username, ip = %context.ip, "password changed");
        self.end_logins(user_id, context.login_id()).await
    }

    /// Ends all logins of a user but the one to `keep`, and the streams that stand on them.
    pub(crate) async fn end_logins(
        &self,
        user: UserId,
        keep: Option<LoginId>,
    ) -> Result<(), AppError> {
        let ended = self.store.logins().delete_of_user(user, keep).await?;
        if keep.is_none() {
            // Streams that API keys opened for the user end with them.
            self.events.revoke(Revocation::UserRevoked(user));
        }
        for login in ended {
            self.events.revoke(Revocation::LoginEnded(login));
        }
        Ok(())
    }

    /// Once a minute, until `stop`: ends logins that ran out, and forgets old failures.
    pub async fn watch_logins(&self, stop: CancellationToken) {
        let mut minutes = tokio::time::interval(Duration::from_mins(1));
        minutes.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = minutes.tick() => {}
            }
            if let Err(error) = self.end_old_logins(OffsetDateTime::now_utc()).await {
                tracing::warn!(%error, "logins that ran out could not be ended; tried again in a minute");
            }
        }
    }

    async fn end_old_logins(&self, now: OffsetDateTime) -> Result<(), AppError> {
        let ended = self
            .store
            .logins()
            .sweep(now, now - self.config.login_idle)
            .await?;
        for login in ended {
            self.events.revoke(Revocation::LoginEnded(login));
        }
        Ok(self.store.login_attempts().sweep(now - MEMORY).await?)
    }

    async fn sign_in(
        &self,
        context: &RequestContext,
        user: User,
        kind: LoginKind,
        user_agent: &str,
    ) -> Result<SignedIn, AppError> {
        let token = new_token();
        let expires_at = OffsetDateTime::now_utc() + self.config.login_lifetime;
        self.store
            .logins()
            .create(NewLogin {
                user_id: user.id,
                kind,
                session_id: None,
                token_hash: hash_of(token.expose_secret()),
                ip: context.ip.to_string(),
                user_agent: user_agent.chars().take(256).collect(),
                expires_at,
            })
            .await?;
        Ok(SignedIn {
            user,
            token,
            expires_at,
        })
    }

    /// The login of a token, while it is good.
    async fn find_login(
        &self,
        token: &str,
    ) -> Result<Option<porthole_store::logins::Login>, AppError> {
        if token.len() > 128 {
            return Ok(None);
        }
        let now = OffsetDateTime::now_utc();
        let login = self.store.logins().find(&hash_of(token)).await?;
        Ok(login.filter(|login| {
            login.expires_at > now
                && (login.kind == LoginKind::Ticket
                    || login.last_used_at + self.config.login_idle > now)
        }))
    }

    /// The user, when the password is theirs; counts failures, waits and locks.
    async fn check_password(
        &self,
        context: &RequestContext,
        username: &str,
        password: SecretString,
    ) -> Result<User, AppError> {
        let now = OffsetDateTime::now_utc();
        let attempts = self.store.login_attempts();
        let ip = context.ip.to_string();
        for nth in [
            attempts.nth_latest_by_address(&ip, PER_ADDRESS).await?,
            attempts.nth_latest_by_name(username, PER_ACCOUNT).await?,
        ] {
            if let Some(wait) = nth
                .map(|at| at + WINDOW - now)
                .filter(|wait| wait.is_positive())
            {
                let retry_after = Duration::from_secs(wait.whole_seconds().unsigned_abs() + 1);
                return Err(AppError::TooMany { retry_after });
            }
        }
        let user = self.store.users().find_by_name(username).await?;
        let locked = match &user {
            Some(user) => user.locked,
            None => attempts
                .nth_latest_by_name(username, LOCK_AFTER.into())
                .await?
                .is_some_and(|at| at + MEMORY > now),
        };
        if locked {
            attempts.record(username, &ip).await?;
            return Err(AppError::Locked(LOCKED.into()));
        }
        let hash = match &user {
            Some(user) => Some(self.store.users().password_hash(user.id).await?),
            None => None,
        };
        let right = self.passwords.verify(password, hash).await?;
        if let Some(user) = user.as_ref().filter(|_| right) {
            // It may have been locked by others while this one waited for its turn.
            let user = self.store.users().find(user.id).await?;
            return if user.locked {
                Err(AppError::Locked(LOCKED.into()))
            } else {
                Ok(user)
            };
        }
        attempts.record(username, &ip).await?;
        tracing::info!(username, %ip, "sign-in refused");
        if let Some(user) = user
            && self
                .store
                .users()
                .wrong_password(user.id, LOCK_AFTER)
                .await?
        {
            tracing::warn!(user = %user.username, %ip, "account locked after wrong passwords");
        }
        Err(AppError::BadCredentials)
    }
}

/// 256 random bits as text.
fn new_token() -> SecretString {
    let mut bytes = [0u8; 32];
    rand::rng().fill(&mut bytes);
    BASE64_URL_SAFE_NO_PAD.encode(bytes).into()
}

fn hash_of(token: &str) -> String {
    sha256_hex(&[token.as_bytes()])
}

/// The SHA-256 of the parts, one after the other, in hexadecimal digits.
pub(crate) fn sha256_hex(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String can not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
