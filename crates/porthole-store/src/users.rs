//! Users.

use crate::{
    Page, PageRequest, Store, StoreError,
    columns::{from_column, now, parse},
    entity::{group_permissions, groups, kasms, user_groups, users},
    groups::GroupName,
};
use porthole_model::{
    ids::{GroupId, UserId},
    permission::Permission,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel, JoinType,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, Func, LikeExpr},
};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

/// A person who signs in.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// What they sign in with; lower case, unique.
    pub username: String,
    /// Mail address.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Telephone number.
    pub phone: String,
    /// Organisation.
    pub organization: String,
    /// An administrator's notes.
    pub notes: String,
    /// Where the password is kept: `local`.
    pub realm: String,
    /// Whether too many wrong passwords locked the account.
    pub locked: bool,
    /// Whether an administrator switched the account off.
    pub disabled: bool,
    /// Wrong passwords since the last right one.
    pub failed_attempts: u32,
    /// When the password was set.
    pub password_set_at: OffsetDateTime,
    /// When the account was made.
    pub created_at: OffsetDateTime,
    /// The last sign-in.
    pub last_login_at: Option<OffsetDateTime>,
    /// Their groups, the weightiest first.
    pub groups: Vec<GroupName>,
    /// How many sessions they have.
    pub sessions: u64,
}

/// What a new user starts with.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// What they sign in with; lower case.
    pub username: String,
    /// Mail address.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Telephone number.
    pub phone: String,
    /// Organisation.
    pub organization: String,
    /// An administrator's notes.
    pub notes: String,
    /// Whether the account is locked.
    pub locked: bool,
    /// Whether the account is switched off.
    pub disabled: bool,
    /// The password's hash as PHC string.
    pub password_hash: String,
    /// Groups.
    pub groups: BTreeSet<GroupId>,
}

/// What to change of a user; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct UserPatch {
    /// What they sign in with; lower case.
    pub username: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Organisation.
    pub organization: Option<String>,
    /// An administrator's notes.
    pub notes: Option<String>,
    /// Locks, or unlocks and forgets the wrong passwords.
    pub locked: Option<bool>,
    /// Switches off or on.
    pub disabled: Option<bool>,
    /// The password's hash as PHC string.
    pub password_hash: Option<String>,
    /// All groups from now on.
    pub groups: Option<BTreeSet<GroupId>>,
}

/// The users.
#[derive(Debug, Clone, Copy)]
pub struct Users<'a>(&'a Store);

impl Store {
    /// The users.
    pub fn users(&self) -> Users<'_> {
        Users(self)
    }
}

const NOT_FOUND: StoreError = StoreError::not_found("user");

impl Users<'_> {
    /// One user.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn find(self, id: UserId) -> Result<User, StoreError> {
        let row = users::Entity::find_by_id(id.to_string())
            .one(self.0.db())
            .await?;
        one(self.0.db(), row.ok_or(NOT_FOUND)?).await
    }

    /// The user who signs in with this name, in lower case.
    pub async fn find_by_name(self, username: &str) -> Result<Option<User>, StoreError> {
        let row = users::Entity::find()
            .filter(users::Column::Username.eq(username))
            .one(self.0.db())
            .await?;
        match row {
            Some(row) => one(self.0.db(), row).await.map(Some),
            None => Ok(None),
        }
    }

    /// The password's hash as PHC string.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn password_hash(self, id: UserId) -> Result<String, StoreError> {
        let row = users::Entity::find_by_id(id.to_string())
            .one(self.0.db())
            .await?;
        Ok(row.ok_or(NOT_FOUND)?.pw_hash)
    }

    /// Users by name.
    pub async fn list(self, request: &PageRequest) -> Result<Page<User>, StoreError> {
        self.page(users::Entity::find(), request).await
    }

    async fn page(
        self,
        mut query: sea_orm::Select<users::Entity>,
        request: &PageRequest,
    ) -> Result<Page<User>, StoreError> {
        if let Some(search) = &request.search {
            let pattern = contains(search);
            let like = |column: users::Column| {
                Expr::expr(Func::lower(Expr::col(column)))
                    .like(LikeExpr::new(pattern.clone()).escape('\\'))
            };
            query = query.filter(
                Condition::any()
                    .add(like(users::Column::Username))
                    .add(like(users::Column::FirstName))
                    .add(like(users::Column::LastName))
                    .add(like(users::Column::Email)),
            );
        }
        let total = query.clone().count(self.0.db()).await?;
        let rows = query
            .order_by_asc(users::Column::Username)
            .offset(request.offset)
            .limit(request.limit)
            .all(self.0.db())
            .await?;
        Ok(Page {
            items: complete(self.0.db(), rows).await?,
            total,
        })
    }

    /// The members of a group, by name.
    pub async fn members(
        self,
        group: GroupId,
        request: &PageRequest,
    ) -> Result<Page<User>, StoreError> {
        let members = user_groups::Entity::find()
            .select_only()
            .column(user_groups::Column::UserId)
            .filter(user_groups::Column::GroupId.eq(group.to_string()));
        let query =
            users::Entity::find().filter(users::Column::UserId.in_subquery(members.into_query()));
        self.page(query, request).await
    }

    /// How many there are.
    pub async fn count(self) -> Result<u64, StoreError> {
        Ok(users::Entity::find().count(self.0.db()).await?)
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken, [`StoreError::NotFound`] for an unknown group.
    pub async fn create(self, new: NewUser) -> Result<User, StoreError> {
        let tx = self.0.write().await?;
        let id = UserId::new();
        let username = new.username.clone();
        let row = users::ActiveModel {
            user_id: Set(id.to_string()),
            username: Set(new.username),
            email: Set(new.email),
            first_name: Set(new.first_name),
            last_name: Set(new.last_name),
            phone: Set(new.phone),
            organization: Set(new.organization),
            notes: Set(new.notes),
            realm: Set("local".into()),
            locked: Set(new.locked),
            disabled: Set(new.disabled),
            failed_pw_attempts: Set(0),
            pw_hash: Set(new.password_hash),
            password_set_date: Set(now()),
            created: Set(now()),
            last_session: Set(None),
        };
        let row = row
            .insert(&tx)
            .await
            .map_err(|e| StoreError::naming_conflict(e, || taken(&username)))?;
        set_groups(&tx, id, &new.groups).await?;
        let user = one(&tx, row).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Changes a user.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown user or group, [`StoreError::Conflict`] when the name
    /// is taken or no administrator would be left who can sign in.
    pub async fn update(self, id: UserId, patch: UserPatch) -> Result<User, StoreError> {
        let tx = self.0.write().await?;
        let row = users::Entity::find_by_id(id.to_string())
            .one(&tx)
            .await?
            .ok_or(NOT_FOUND)?;
        let administrators = enabled_administrators(&tx).await?;
        let username = patch.username.clone().unwrap_or_default();
        let mut row = row.into_active_model();
        let set = |column: &mut sea_orm::ActiveValue<String>, value: Option<String>| {
            if let Some(value) = value {
                *column = Set(value);
            }
        };
        set(&mut row.username, patch.username);
        set(&mut row.email, patch.email);
        set(&mut row.first_name, patch.first_name);
        set(&mut row.last_name, patch.last_name);
        set(&mut row.phone, patch.phone);
        set(&mut row.organization, patch.organization);
        set(&mut row.notes, patch.notes);
        if let Some(locked) = patch.locked {
            row.locked = Set(locked);
            row.failed_pw_attempts = Set(0);
        }
        if let Some(disabled) = patch.disabled {
            row.disabled = Set(disabled);
        }
        if let Some(hash) = patch.password_hash {
            row.pw_hash = Set(hash);
            row.password_set_date = Set(now());
        }
        let row = row
            .update(&tx)
            .await
            .map_err(|e| StoreError::naming_conflict(e, || taken(&username)))?;
        if let Some(groups) = &patch.groups {
            set_groups(&tx, id, groups).await?;
        }
        keep_an_administrator(&tx, &administrators).await?;
        let user = one(&tx, row).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Deletes a user with their sign-ins and memberships.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] when sessions still stand on the user, or
    /// no administrator would be left who can sign in.
    pub async fn delete(self, id: UserId) -> Result<(), StoreError> {
        let tx = self.0.write().await?;
        let administrators = enabled_administrators(&tx).await?;
        let deleted = users::Entity::delete_by_id(id.to_string())
            .exec(&tx)
            .await?;
        if deleted.rows_affected == 0 {
            return Err(NOT_FOUND);
        }
        keep_an_administrator(&tx, &administrators).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Notes a wrong password; with the `limit`th in a row the account is locked. Tells whether it
    /// is locked now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn wrong_password(self, id: UserId, limit: u32) -> Result<bool, StoreError> {
        let tx = self.0.write().await?;
        let row = users::Entity::find_by_id(id.to_string())
            .one(&tx)
            .await?
            .ok_or(NOT_FOUND)?;
        let failed = row.failed_pw_attempts.saturating_add(1);
        let locked = row.locked || u32::try_from(failed).is_ok_and(|failed| failed >= limit);
        let mut row = row.into_active_model();
        row.failed_pw_attempts = Set(failed);
        row.locked = Set(locked);
        row.update(&tx).await?;
        tx.commit().await?;
        Ok(locked)
    }

    /// Notes a sign-in, and forgets the wrong passwords before it.
    pub async fn signed_in(self, id: UserId) -> Result<(), StoreError> {
        users::Entity::update_many()
            .col_expr(users::Column::FailedPwAttempts, Expr::value(0))
            .col_expr(users::Column::LastSession, Expr::value(now()))
            .filter(users::Column::UserId.eq(id.to_string()))
            .exec(self.0.db())
            .await?;
        Ok(())
    }

    /// What the user's groups allow.
    pub async fn permissions(self, id: UserId) -> Result<BTreeSet<Permission>, StoreError> {
        let names: Vec<String> = group_permissions::Entity::find()
            .select_only()
            .column(group_permissions::Column::Permission)
            .join(JoinType::InnerJoin, membership())
            .filter(user_groups::Column::UserId.eq(id.to_string()))
            .into_tuple()
            .all(self.0.db())
            .await?;
        names.iter().map(|name| parse(name)).collect()
    }
}

/// From a group's permissions to its members.
fn membership() -> sea_orm::RelationDef {
    group_permissions::Entity::belongs_to(user_groups::Entity)
        .from(group_permissions::Column::GroupId)
        .to(user_groups::Column::GroupId)
        .into()
}

fn taken(username: &str) -> String {
    format!("the user name {username:?} is taken")
}

/// A pattern for LIKE that finds the text anywhere.
pub(crate) fn contains(text: &str) -> String {
    let text = text
        .to_lowercase()
        .replace('\\', r"\\")
        .replace('%', r"\%")
        .replace('_', r"\_");
    format!("%{text}%")
}

async fn one(db: &impl ConnectionTrait, row: users::Model) -> Result<User, StoreError> {
    complete(db, vec![row]).await?.pop().ok_or(NOT_FOUND)
}

async fn complete(
    db: &impl ConnectionTrait,
    rows: Vec<users::Model>,
) -> Result<Vec<User>, StoreError> {
    let ids = rows.iter().map(|row| row.user_id.clone());
    let memberships: Vec<(String, String, String)> = user_groups::Entity::find()
        .select_only()
        .column(user_groups::Column::UserId)
        .column(groups::Column::GroupId)
        .column(groups::Column::Name)
        .join(
            JoinType::InnerJoin,
            user_groups::Entity::belongs_to(groups::Entity)
                .from(user_groups::Column::GroupId)
                .to(groups::Column::GroupId)
                .into(),
        )
        .filter(user_groups::Column::UserId.is_in(ids))
        .order_by_asc(groups::Column::Priority)
        .order_by_asc(groups::Column::Name)
        .into_tuple()
        .all(db)
        .await?;
    let mut of_user: BTreeMap<String, Vec<GroupName>> = BTreeMap::new();
    for (user, id, name) in memberships {
        of_user.entry(user).or_default().push(GroupName {
            id: parse(&id)?,
            name,
        });
    }
    let ids = rows.iter().map(|row| row.user_id.clone());
    let sessions: Vec<(String, i64)> = kasms::Entity::find()
        .select_only()
        .column(kasms::Column::UserId)
        .column_as(kasms::Column::KasmId.count(), "sessions")
        .filter(kasms::Column::UserId.is_in(ids))
        .group_by(kasms::Column::UserId)
        .into_tuple()
        .all(db)
        .await?;
    let sessions: BTreeMap<String, i64> = sessions.into_iter().collect();
    rows.into_iter()
        .map(|row| {
            Ok(User {
                sessions: sessions
                    .get(&row.user_id)
                    .and_then(|count| u64::try_from(*count).ok())
                    .unwrap_or_default(),
                id: parse(&row.user_id)?,
                groups: of_user.remove(&row.user_id).unwrap_or_default(),
                username: row.username,
                email: row.email,
                first_name: row.first_name,
                last_name: row.last_name,
                phone: row.phone,
                organization: row.organization,
                notes: row.notes,
                realm: row.realm,
                locked: row.locked,
                disabled: row.disabled,
                failed_attempts: row.failed_pw_attempts.try_into().unwrap_or_default(),
                password_set_at: from_column(row.password_set_date),
                created_at: from_column(row.created),
                last_login_at: row.last_session.map(from_column),
            })
        })
        .collect()
}

async fn set_groups(
    db: &impl ConnectionTrait,
    id: UserId,
    wanted: &BTreeSet<GroupId>,
) -> Result<(), StoreError> {
    crate::groups::check(db, wanted).await?;
    user_groups::Entity::delete_many()
        .filter(user_groups::Column::UserId.eq(id.to_string()))
        .exec(db)
        .await?;
    for group in wanted {
        let row = user_groups::ActiveModel {
            user_id: Set(id.to_string()),
            group_id: Set(group.to_string()),
        };
        row.insert(db).await?;
    }
    Ok(())
}

/// Administrators whose accounts are not switched off. A locked one counts: it can be unlocked from
/// the command line, and wrong passwords must not make another account undeletable.
pub(crate) async fn enabled_administrators(
    db: &impl ConnectionTrait,
) -> Result<BTreeSet<String>, StoreError> {
    let ids: Vec<String> = group_permissions::Entity::find()
        .select_only()
        .column(user_groups::Column::UserId)
        .join(JoinType::InnerJoin, membership())
        .join(
            JoinType::InnerJoin,
            user_groups::Entity::belongs_to(users::Entity)
                .from(user_groups::Column::UserId)
                .to(users::Column::UserId)
                .into(),
        )
        .filter(group_permissions::Column::Permission.eq(Permission::GlobalAdmin.as_str()))
        .filter(users::Column::Disabled.eq(false))
        .into_tuple()
        .all(db)
        .await?;
    Ok(ids.into_iter().collect())
}

/// Refuses a change after which nobody could administer any more; `before` are the administrators
/// before it.
pub(crate) async fn keep_an_administrator(
    db: &impl ConnectionTrait,
    before: &BTreeSet<String>,
) -> Result<(), StoreError> {
    if !before.is_empty() && enabled_administrators(db).await?.is_empty() {
        return Err(StoreError::conflict(
            "this is the last enabled administrator; make another user an administrator first",
        ));
    }
    Ok(())
}
