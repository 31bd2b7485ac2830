//! Users: who there is, and who may change them.

use super::{
    passwords,
    validate::{self, Faults},
};
use crate::{AppError, Control, RequestContext, Revocation};
use porthole_model::{
    ids::{GroupId, UserId},
    permission::Permission,
    session::EndReason,
};
use porthole_store::{
    Page, PageRequest,
    groups::ALL_USERS,
    users::{NewUser, User, UserPatch},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// A new user.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser)]
pub struct NewUserInput {
    /// What they sign in with; kept in lower case.
    #[schema(max_length = 255)]
    pub username: String,
    /// 8 to 256 characters.
    #[schema(value_type = String, format = Password)]
    pub password: SecretString,
    /// First name.
    #[serde(default)]
    pub first_name: String,
    /// Last name.
    #[serde(default)]
    pub last_name: String,
    /// Mail address.
    #[serde(default)]
    pub email: String,
    /// Telephone number.
    #[serde(default)]
    pub phone: String,
    /// Organisation.
    #[serde(default)]
    pub organization: String,
    /// An administrator's notes.
    #[serde(default)]
    pub notes: String,
    /// Whether the account is switched off.
    #[serde(default)]
    pub disabled: bool,
    /// Whether the account is locked.
    #[serde(default)]
    pub locked: bool,
    /// Groups; *All Users* is always among them.
    #[serde(default)]
    pub group_ids: BTreeSet<GroupId>,
}

/// What to change of a user; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserPatch)]
pub struct UserPatchInput {
    /// What they sign in with; kept in lower case.
    pub username: Option<String>,
    /// A new password, 8 to 256 characters; ends all their logins.
    #[schema(value_type = Option<String>, format = Password)]
    pub password: Option<SecretString>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Organisation.
    pub organization: Option<String>,
    /// An administrator's notes.
    pub notes: Option<String>,
    /// Switches the account off, ending all its logins, or on.
    pub disabled: Option<bool>,
    /// Locks the account, ending all its logins, or unlocks it.
    pub locked: Option<bool>,
    /// All groups from now on; *All Users* is always among them.
    pub group_ids: Option<BTreeSet<GroupId>>,
}

impl Control {
    /// Users by name.
    ///
    /// # Errors
    /// Without the permission.
    pub async fn users(
        &self,
        context: &RequestContext,
        page: &PageRequest,
    ) -> Result<Page<User>, AppError> {
        context.require(Permission::UsersView)?;
        Ok(self.store.users().list(page).await?)
    }

    /// One user.
    ///
    /// # Errors
    /// For administrators, and for users about themselves.
    pub async fn user(&self, context: &RequestContext, id: UserId) -> Result<User, AppError> {
        if context.user_id() != Some(id) {
            context.require(Permission::UsersView)?;
        }
        Ok(self.store.users().find(id).await?)
    }

    /// The user with this name.
    ///
    /// # Errors
    /// Without the permission; [`AppError::NotFound`].
    pub async fn user_by_name(
        &self,
        context: &RequestContext,
        username: &str,
    ) -> Result<User, AppError> {
        context.require(Permission::UsersView)?;
        let found = self
            .store
            .users()
            .find_by_name(&username.trim().to_lowercase())
            .await?;
        found.ok_or(AppError::not_found("user"))
    }

    /// Adds a user.
    ///
    /// # Errors
    /// Without the permission; [`AppError::Invalid`], [`AppError::Conflict`] when the name is taken.
    pub async fn create_user(
        &self,
        context: &RequestContext,
        input: NewUserInput,
    ) -> Result<User, AppError> {
        context.require(Permission::UsersCreate)?;
        self.may_regroup(context, &BTreeSet::new(), &input.group_ids)
            .await?;
        let mut faults = Faults::default();
        let username = faults
            .take("username", validate::username(&input.username))
            .unwrap_or_default();
        faults.take(
            "password",
            passwords::check(input.password.expose_secret(), &username),
        );
        faults.text("first_name", Some(&input.first_name), 64);
        faults.text("last_name", Some(&input.last_name), 64);
        faults.text("email", Some(&input.email), 255);
        faults.text("phone", Some(&input.phone), 64);
        faults.text("organization", Some(&input.organization), 64);
        faults.text("notes", Some(&input.notes), 4096);
        faults.finish()?;
        if self.store.users().find_by_name(&username).await?.is_some() {
            return Err(AppError::conflict(format!(
                "the user name {username:?} is taken"
            )));
        }
        let password_hash = self.passwords.hash(input.password).await?;
        let mut groups = input.group_ids;
        groups.insert(ALL_USERS);
        let user = self
            .store
            .users()
            .create(NewUser {
                username,
                email: input.email,
                first_name: input.first_name,
                last_name: input.last_name,
                phone: input.phone,
                organization: input.organization,
                notes: input.notes,
                locked: input.locked,
                disabled: input.disabled,
                password_hash,
                groups,
            })
            .await
            .map_err(group_field)?;
        tracing::info!(user = %user.username, by = ?context.actor, "user created");
        Ok(user)
    }

    /// Changes a user. Switching off, locking and a new password end the user's logins at once.
    ///
    /// # Errors
    /// Without the permission; [`AppError::Invalid`], [`AppError::Conflict`] when the name is taken
    /// or nobody could administer any more.
    pub async fn update_user(
        &self,
        context: &RequestContext,
        id: UserId,
        input: UserPatchInput,
    ) -> Result<User, AppError> {
        context.require(Permission::UsersModify)?;
        let before = self.store.users().find(id).await?;
        self.may_act_on(context, Permission::UsersModify, id)
            .await?;
        if let Some(wanted) = &input.group_ids {
            let has = before.groups.iter().map(|group| group.id).collect();
            self.may_regroup(context, &has, wanted).await?;
        }
        let mut faults = Faults::default();
        let username = input
            .username
            .as_deref()
            .and_then(|name| faults.take("username", validate::username(name)));
        if let Some(password) = &input.password {
            let name = username.as_deref().unwrap_or(&before.username);
            faults.take("password", passwords::check(password.expose_secret(), name));
        }
        faults.text("first_name", input.first_name.as_ref(), 64);
        faults.text("last_name", input.last_name.as_ref(), 64);
        faults.text("email", input.email.as_ref(), 255);
        faults.text("phone", input.phone.as_ref(), 64);
        faults.text("organization", input.organization.as_ref(), 64);
        faults.text("notes", input.notes.as_ref(), 4096);
        faults.finish()?;
        let ends_access =
            input.password.is_some() || input.disabled == Some(true) || input.locked == Some(true);
        let password_hash = match input.password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        let groups = input.group_ids.map(|mut groups| {
            groups.insert(ALL_USERS);
            groups
        });
        let patch = UserPatch {
            username,
            email: input.email,
            first_name: input.first_name,
            last_name: input.last_name,
            phone: input.phone,
            organization: input.organization,
            notes: input.notes,
            locked: input.locked,
            disabled: input.disabled,
            password_hash,
            groups,
        };
        let regrouped = patch.groups.is_some();
        let user = self
            .store
            .users()
            .update(id, patch)
            .await
            .map_err(group_field)?;
        if ends_access {
            // An administrator who changes their own password stays signed in.
            self.end_logins(
                id,
                context.login_id().filter(|_| context.user_id() == Some(id)),
            )
            .await?;
        }
        if regrouped {
            self.events.send(crate::Event::Workspaces);
        }
        tracing::info!(user = %user.username, by = ?context.actor, "user changed");
        Ok(user)
    }

    /// Deletes a user with their logins. Their sessions are deleted too when `force` is set.
    ///
    /// # Errors
    /// Without the permission; [`AppError::Conflict`] when the user has sessions and `force` is not
    /// set, or nobody could administer any more.
    pub async fn delete_user(
        &self,
        context: &RequestContext,
        id: UserId,
        force: bool,
    ) -> Result<(), AppError> {
        context.require(Permission::UsersDelete)?;
        let user = self.store.users().find(id).await?;
        self.may_act_on(context, Permission::UsersDelete, id)
            .await?;
        if user.sessions > 0 && !force {
            return Err(AppError::conflict(format!(
                "{} has {} session(s); delete them first, or delete the user by force",
                user.username, user.sessions
            )));
        }
        // First the user, so that no new session can come between.
        self.store.users().delete(id).await?;
        self.manager
            .delete_of_user(id, EndReason::UserDeleted)
            .await?;
        // The logins went with the user's row.
        self.events.revoke(Revocation::UserRevoked(id));
        tracing::info!(user = %user.username, by = ?context.actor, "user deleted");
        Ok(())
    }

    /// Ends all logins of a user.
    ///
    /// # Errors
    /// Without the permission; [`AppError::NotFound`].
    pub async fn logout_user(&self, context: &RequestContext, id: UserId) -> Result<(), AppError> {
        context.require(Permission::UsersAuthSession)?;
        self.store.users().find(id).await?;
        self.may_act_on(context, Permission::UsersAuthSession, id)
            .await?;
        self.end_logins(id, None).await
    }
}

impl Control {
    /// That this may be done to that user: nobody acts on users who may do more than themselves,
    /// since a new password or a link would make it their own.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], with what is missing.
    pub(crate) async fn may_act_on(
        &self,
        context: &RequestContext,
        permission: Permission,
        user: UserId,
    ) -> Result<(), AppError> {
        context.require(permission)?;
        let changes = matches!(
            permission,
            Permission::UsersModify | Permission::UsersDelete
        );
        if context.is_admin() || (changes && context.may(Permission::UsersModifyAdmin)) {
            return Ok(());
        }
        let theirs = self.store.users().permissions(user).await?;
        context.require_all(&theirs)
    }

    /// That these memberships may change so.
    async fn may_regroup(
        &self,
        context: &RequestContext,
        before: &BTreeSet<GroupId>,
        after: &BTreeSet<GroupId>,
    ) -> Result<(), AppError> {
        for id in before.symmetric_difference(after) {
            if *id == ALL_USERS {
                continue;
            }
            match self.store.groups().find(*id).await {
                Ok(group) => {
                    super::groups::may_change_members(context, &group)?;
                }
                // Told with the field that names it.
                Err(porthole_store::StoreError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// An unknown group is the fault of the field that names it.
fn group_field(error: porthole_store::StoreError) -> AppError {
    match error {
        porthole_store::StoreError::NotFound { what: "group" } => {
            AppError::invalid("group_ids", "there is no such group")
        }
        other => other.into(),
    }
}
