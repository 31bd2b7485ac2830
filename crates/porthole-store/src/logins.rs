//! Sign-ins that are good, by the hash of their token.

use crate::{
    Store, StoreError,
    columns::{from_column, now, parse, to_column},
    entity::logins,
};
use porthole_model::ids::{LoginId, SessionId, UserId};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr,
};
use std::{fmt, str::FromStr};
use time::OffsetDateTime;

/// How a sign-in came about, and so what it is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginKind {
    /// By user name and password: for everything.
    Password,
    /// By a link that was made for the user: for everything.
    Link,
    /// A link that was not followed yet: only to be exchanged for a [`LoginKind::Link`].
    Ticket,
}

impl LoginKind {
    const ALL: [Self; 3] = [Self::Password, Self::Link, Self::Ticket];

    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Link => "link",
            Self::Ticket => "ticket",
        }
    }
}

impl fmt::Display for LoginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LoginKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("unknown kind of sign-in {text:?}"))
    }
}

/// A sign-in.
#[derive(Debug, Clone)]
pub struct Login {
    /// The id.
    pub id: LoginId,
    /// Who.
    pub user_id: UserId,
    /// How.
    pub kind: LoginKind,
    /// When it was last used, to the minute.
    pub last_used_at: OffsetDateTime,
    /// When it ends, whatever happens.
    pub expires_at: OffsetDateTime,
}

/// A new sign-in.
#[derive(Debug, Clone)]
pub struct NewLogin {
    /// Who.
    pub user_id: UserId,
    /// How.
    pub kind: LoginKind,
    /// The session that a link opens.
    pub session_id: Option<SessionId>,
    /// The token's SHA-256 in hexadecimal digits.
    pub token_hash: String,
    /// From where.
    pub ip: String,
    /// By which program.
    pub user_agent: String,
    /// When it ends, whatever happens.
    pub expires_at: OffsetDateTime,
}

/// The sign-ins.
#[derive(Debug, Clone, Copy)]
pub struct Logins<'a>(&'a Store);

impl Store {
    /// The sign-ins.
    pub fn logins(&self) -> Logins<'_> {
        Logins(self)
    }
}

impl Logins<'_> {
    /// Adds a sign-in. A [`LoginKind::Ticket`] takes the place of the one before it for the same
    /// user and session.
    pub async fn create(self, new: NewLogin) -> Result<LoginId, StoreError> {
        let id = LoginId::new();
        let tx = self.0.write().await?;
        let session = new.session_id.map(|id| id.to_string());
        if new.kind == LoginKind::Ticket {
            let mut before = logins::Entity::delete_many()
                .filter(logins::Column::UserId.eq(new.user_id.to_string()))
                .filter(logins::Column::Kind.eq(LoginKind::Ticket.as_str()));
            before = match &session {
                Some(session) => before.filter(logins::Column::KasmId.eq(session.clone())),
                None => before.filter(logins::Column::KasmId.is_null()),
            };
            before.exec(&tx).await?;
        }
        let row = logins::ActiveModel {
            login_id: Set(id.to_string()),
            user_id: Set(new.user_id.to_string()),
            token_hash: Set(new.token_hash),
            kind: Set(new.kind.to_string()),
            kasm_id: Set(session),
            ip: Set(new.ip),
            user_agent: Set(new.user_agent),
            created: Set(now()),
            last_used: Set(now()),
            expires: Set(to_column(new.expires_at)),
        };
        row.insert(&tx).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The sign-in of the token with this hash.
    pub async fn find(self, token_hash: &str) -> Result<Option<Login>, StoreError> {
        let row = logins::Entity::find()
            .filter(logins::Column::TokenHash.eq(token_hash))
            .one(self.0.db())
            .await?;
        row.map(|row| {
            Ok(Login {
                id: parse(&row.login_id)?,
                user_id: parse(&row.user_id)?,
                kind: parse(&row.kind)?,
                last_used_at: from_column(row.last_used),
                expires_at: from_column(row.expires),
            })
        })
        .transpose()
    }

    /// Whether it has not ended.
    pub async fn lives(self, id: LoginId) -> Result<bool, StoreError> {
        Ok(logins::Entity::find_by_id(id.to_string())
            .one(self.0.db())
            .await?
            .is_some())
    }

    /// Notes that it was used now.
    pub async fn touch(self, id: LoginId) -> Result<(), StoreError> {
        logins::Entity::update_many()
            .col_expr(logins::Column::LastUsed, Expr::value(now()))
            .filter(logins::Column::LoginId.eq(id.to_string()))
            .exec(self.0.db())
            .await?;
        Ok(())
    }

    /// Ends one sign-in; tells whether it was there.
    pub async fn delete(self, id: LoginId) -> Result<bool, StoreError> {
        let deleted = logins::Entity::delete_by_id(id.to_string())
            .exec(self.0.db())
            .await?;
        Ok(deleted.rows_affected > 0)
    }

    /// Ends all sign-ins of a user, but the one to `keep`; tells which.
    pub async fn delete_of_user(
        self,
        user: UserId,
        keep: Option<LoginId>,
    ) -> Result<Vec<LoginId>, StoreError> {
        let tx = self.0.write().await?;
        let keep = keep.map(|id| id.to_string());
        let rows = logins::Entity::find()
            .filter(logins::Column::UserId.eq(user.to_string()))
            .all(&tx)
            .await?;
        let mut ended = Vec::new();
        for row in rows {
            if keep.as_ref() != Some(&row.login_id) {
                ended.push(parse(&row.login_id)?);
                logins::Entity::delete_by_id(row.login_id).exec(&tx).await?;
            }
        }
        tx.commit().await?;
        Ok(ended)
    }

    /// Forgets sign-ins that ended by themselves before `expired`, or were not used since `idle`;
    /// tells which.
    pub async fn sweep(
        self,
        expired: OffsetDateTime,
        idle: OffsetDateTime,
    ) -> Result<Vec<LoginId>, StoreError> {
        let tx = self.0.write().await?;
        let rows = logins::Entity::find()
            .filter(
                sea_orm::Condition::any()
                    .add(logins::Column::Expires.lt(to_column(expired)))
                    .add(logins::Column::LastUsed.lt(to_column(idle))),
            )
            .all(&tx)
            .await?;
        let mut ended = Vec::new();
        for row in rows {
            ended.push(parse(&row.login_id)?);
            logins::Entity::delete_by_id(row.login_id).exec(&tx).await?;
        }
        tx.commit().await?;
        Ok(ended)
    }
}
