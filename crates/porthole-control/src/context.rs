//! Who asks, from where: a parameter of every call into `app/`.

use crate::AppError;
use porthole_model::{
    ids::{ApiKeyId, LoginId, UserId},
    permission::Permission,
};
use std::{collections::BTreeSet, net::IpAddr};

/// On whose behalf something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody who did not sign in.
    Nobody,
    /// A person who signed in.
    User {
        /// Who.
        user_id: UserId,
        /// The name they sign in with.
        username: String,
        /// By which sign-in.
        login_id: LoginId,
    },
    /// A program with an API key.
    ApiKey {
        /// The key.
        api_key_id: ApiKeyId,
        /// What its maker called it.
        name: String,
    },
    /// Porthole itself, such as the manager's clocks.
    System(&'static str),
}

/// One request: who, with which rights, from where.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// On whose behalf.
    pub actor: Actor,
    /// What they may do.
    pub permissions: BTreeSet<Permission>,
    /// The browser's or program's own address, seen through proxies that are trusted.
    pub ip: IpAddr,
    /// Names the request in logs and in error bodies.
    pub request_id: String,
}

impl RequestContext {
    /// For what Porthole does by itself; may do everything.
    pub fn system(part: &'static str) -> Self {
        Self {
            actor: Actor::System(part),
            permissions: Permission::ALL.iter().copied().collect(),
            ip: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            request_id: part.to_owned(),
        }
    }

    /// The user who signed in; `None` for API keys, the system and nobody.
    pub fn user_id(&self) -> Option<UserId> {
        match self.actor {
            Actor::User { user_id, .. } => Some(user_id),
            _ => None,
        }
    }

    /// The sign-in in use; `None` for API keys, the system and nobody.
    pub fn login_id(&self) -> Option<LoginId> {
        match self.actor {
            Actor::User { login_id, .. } => Some(login_id),
            _ => None,
        }
    }

    /// Whether everything is allowed.
    pub fn is_admin(&self) -> bool {
        self.permissions.contains(&Permission::GlobalAdmin)
    }

    /// The user who signed in.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] for nobody; [`AppError::Forbidden`] for an API key, which has
    /// no account of its own.
    pub fn require_user(&self) -> Result<UserId, AppError> {
        match self.actor {
            Actor::User { user_id, .. } => Ok(user_id),
            Actor::Nobody => Err(AppError::Unauthenticated),
            Actor::ApiKey { .. } | Actor::System(_) => Err(AppError::forbidden(
                "this call needs a signed-in user; an API key has no account",
            )),
        }
    }

    /// Somebody, whoever it is.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] for nobody.
    pub fn require_somebody(&self) -> Result<(), AppError> {
        match self.actor {
            Actor::Nobody => Err(AppError::Unauthenticated),
            _ => Ok(()),
        }
    }

    /// Whether this is allowed.
    pub fn may(&self, permission: Permission) -> bool {
        self.is_admin() || self.permissions.contains(&permission)
    }

    /// Somebody to whom this is allowed. Every call of `app/` that is not for everybody asks here.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] for nobody, [`AppError::Forbidden`] for those who may not.
    pub fn require(&self, permission: Permission) -> Result<(), AppError> {
        self.require_somebody()?;
        if self.may(permission) {
            Ok(())
        } else {
            Err(AppError::forbidden(format!(
                "this call needs the permission {permission}; an administrator can give it"
            )))
        }
    }

    /// That nothing in `permissions` goes beyond one's own: nobody gives what they have not.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], with what one has not.
    pub fn require_all<'a>(
        &self,
        permissions: impl IntoIterator<Item = &'a Permission>,
    ) -> Result<(), AppError> {
        self.require_somebody()?;
        match permissions.into_iter().find(|p| !self.may(**p)) {
            None => Ok(()),
            Some(missing) => Err(AppError::forbidden(format!(
                "this needs the permission {missing}, which you do not have yourself"
            ))),
        }
    }
}
