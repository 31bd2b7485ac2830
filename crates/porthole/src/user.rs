//! What the administrator of the machine may do to accounts without signing in: whoever can write
//! the database owns it anyway.

use crate::config::Config;
use anyhow::{Context, Result, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use porthole_control::app::{
    first_start::generated_password,
    passwords::{self, Passwords},
};
use porthole_model::{
    ids::{LoginId, UserId},
    permission::Permission,
};
use porthole_store::{
    PageRequest, Store,
    logins::{LoginKind, NewLogin},
    users::UserPatch,
};
use rand::{TryRngCore, rngs::OsRng};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use std::io::BufRead;
use time::{Duration, OffsetDateTime};

/// How long the doctor's sign-in lasts, should the doctor not come to give it back.
const BORROWED: Duration = Duration::minutes(5);
/// Sets a user's password, unlocks the account and ends its sign-ins.
///
/// # Errors
/// When there is no such user, or the password is too short.
pub async fn password(config: &Config, username: &str, from_input: bool) -> Result<()> {
    let store = open(config).await?;
    let Some(user) = store.users().find_by_name(username).await? else {
        bail!("there is no user {username:?}");
    };
    let password = if from_input {
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .context("cannot read the password")?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        generated_password().expose_secret().to_owned()
    };
    if let Err(why) = passwords::check(&password, username) {
        bail!("{why}");
    }
    let hash = Passwords::default().hash(password.clone().into()).await?;
    let patch = UserPatch {
        password_hash: Some(hash),
        locked: Some(false),
        ..UserPatch::default()
    };
    store.users().update(user.id, patch).await?;
    store.logins().delete_of_user(user.id, None).await?;
    println!("{username} can sign in again; every earlier sign-in has ended.");
    if !from_input {
        println!("The new password, shown once: {password}");
    }
    Ok(())
}

/// A sign-in as an administrator, for the doctor.
pub struct Borrowed {
    store: Store,
    login: LoginId,
    /// The Bearer token.
    pub token: String,
}

impl Borrowed {
    /// Ends it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn give_back(self) -> Result<()> {
        self.store.logins().delete(self.login).await?;
        Ok(())
    }
}

/// Signs in as an administrator through the database.
///
/// # Errors
/// When the database cannot be written, or no administrator can sign in.
pub async fn borrow_administrator(config: &Config) -> Result<Borrowed> {
    let store = open(config).await?;
    let administrator = an_administrator(&store).await?;
    let mut secret = [0_u8; 32];
    OsRng
        .try_fill_bytes(&mut secret)
        .context("the system gives no random numbers")?;
    let token = URL_SAFE_NO_PAD.encode(secret);
    let login = store
        .logins()
        .create(NewLogin {
            user_id: administrator,
            kind: LoginKind::Password,
            session_id: None,
            token_hash: hex::encode(Sha256::digest(&token)),
            ip: "127.0.0.1".into(),
            user_agent: concat!("porthole doctor ", env!("CARGO_PKG_VERSION")).into(),
            expires_at: OffsetDateTime::now_utc() + BORROWED,
        })
        .await?;
    Ok(Borrowed {
        store,
        login,
        token,
    })
}

async fn an_administrator(store: &Store) -> Result<UserId> {
    let everybody = PageRequest {
        limit: 10_000,
        ..PageRequest::default()
    };
    for user in store.users().list(&everybody).await?.items {
        let permissions = store.users().permissions(user.id).await?;
        if permissions.contains(&Permission::GlobalAdmin) && !user.disabled && !user.locked {
            return Ok(user.id);
        }
    }
    bail!("there is no administrator who is neither locked nor disabled")
}

async fn open(config: &Config) -> Result<Store> {
    let url = config.database();
    // A wrong folder must not become a new, empty database.
    let url = url.replace("mode=rwc", "mode=rw");
    Store::open(&url)
        .await
        .with_context(|| format!("cannot open the database {url}"))
}
