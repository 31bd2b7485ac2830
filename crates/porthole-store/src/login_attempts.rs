//! Failed sign-ins, counted for throttling.

use crate::{
    Store, StoreError,
    columns::{from_column, now, to_column},
    entity::login_attempts,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::SimpleExpr,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// The failed sign-ins.
#[derive(Debug, Clone, Copy)]
pub struct LoginAttempts<'a>(&'a Store);

impl Store {
    /// The failed sign-ins.
    pub fn login_attempts(&self) -> LoginAttempts<'_> {
        LoginAttempts(self)
    }
}

impl LoginAttempts<'_> {
    /// Notes a failure.
    pub async fn record(self, username: &str, ip: &str) -> Result<(), StoreError> {
        let row = login_attempts::ActiveModel {
            login_attempt_id: Set(Uuid::now_v7().to_string()),
            username: Set(username.to_owned()),
            ip: Set(ip.to_owned()),
            at: Set(now()),
        };
        row.insert(self.0.db()).await?;
        Ok(())
    }

    /// When the `nth` latest failure with this user name was, counted from one.
    pub async fn nth_latest_by_name(
        self,
        username: &str,
        nth: u64,
    ) -> Result<Option<OffsetDateTime>, StoreError> {
        self.nth_latest(login_attempts::Column::Username.eq(username), nth)
            .await
    }

    /// When the `nth` latest failure from this address was, counted from one.
    pub async fn nth_latest_by_address(
        self,
        ip: &str,
        nth: u64,
    ) -> Result<Option<OffsetDateTime>, StoreError> {
        self.nth_latest(login_attempts::Column::Ip.eq(ip), nth)
            .await
    }

    async fn nth_latest(
        self,
        which: SimpleExpr,
        nth: u64,
    ) -> Result<Option<OffsetDateTime>, StoreError> {
        let row = login_attempts::Entity::find()
            .filter(which)
            .order_by_desc(login_attempts::Column::At)
            .offset(nth.saturating_sub(1))
            .limit(1)
            .one(self.0.db())
            .await?;
        Ok(row.map(|row| from_column(row.at)))
    }

    /// Forgets failures before then.
    pub async fn sweep(self, before: OffsetDateTime) -> Result<(), StoreError> {
        login_attempts::Entity::delete_many()
            .filter(login_attempts::Column::At.lt(to_column(before)))
            .exec(self.0.db())
            .await?;
        Ok(())
    }
}
