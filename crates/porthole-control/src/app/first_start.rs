//! What a new installation starts with.

use super::passwords;
use crate::{AppError, Control};
use porthole_store::seed::{ADMIN, USER};
use rand::distr::{Alphanumeric, SampleString};
use secrecy::{ExposeSecret, SecretString};

/// Passwords for the first users; made up where they are not given.
#[derive(Debug, Default)]
pub struct FirstPasswords {
    /// Of `admin@kasm.local`.
    pub admin: Option<SecretString>,
    /// Of `user@kasm.local`.
    pub user: Option<SecretString>,
}

/// A user that was just made.
#[derive(Debug)]
pub struct FirstUser {
    /// What they sign in with.
    pub username: &'static str,
    /// Their password, to be shown this once.
    pub password: SecretString,
    /// Whether the password was made up here.
    pub generated: bool,
}

impl Control {
    /// Makes the built-in groups, and on the first start of all the first users and the default
    /// workspaces. Gives the users that it made; none on later starts.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when a given password is not acceptable; those of the store.
    pub async fn first_start(&self, given: FirstPasswords) -> Result<Vec<FirstUser>, AppError> {
        if !self.store.seed_groups().await? {
            return Ok(Vec::new());
        }
        let mut made = Vec::new();
        for (username, given) in [(ADMIN, given.admin), (USER, given.user)] {
            let generated = given.is_none();
            let password = given.unwrap_or_else(generated_password);
            passwords::check(password.expose_secret(), username)
                .map_err(|message| AppError::invalid(format!("password of {username}"), message))?;
            made.push(FirstUser {
                username,
                password,
                generated,
            });
        }
        let [admin, user] = &made[..] else {
            return Ok(made);
        };
        let admin = self.passwords.hash(admin.password.clone()).await?;
        let user = self.passwords.hash(user.password.clone()).await?;
        self.store.seed(&admin, &user).await?;
        Ok(made)
    }
}

/// A password of 95 random bits.
pub fn generated_password() -> SecretString {
    Alphanumeric.sample_string(&mut rand::rng(), 16).into()
}
