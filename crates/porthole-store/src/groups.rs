//! Groups of users with the same rights.

use crate::{
    Store, StoreError,
    columns::parse,
    entity::{group_images, group_permissions, groups, user_groups, workspaces},
    users::{enabled_administrators, keep_an_administrator},
};
use porthole_model::{
    ids::{GroupId, UserId, WorkspaceId},
    permission::Permission,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::OnConflict,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::{Uuid, uuid};

/// The group that every user belongs to. The id is the one that existing API clients know.
pub const ALL_USERS: GroupId = GroupId(uuid!("68d557ac-4cac-42cc-a9f3-1c7c853de0f3"));
/// The group of administrators. The id is the one that existing API clients know.
pub const ADMINISTRATORS: GroupId =
    GroupId(Uuid::from_u128(0x31aa_063c_6706_4858_9533_d3c4_2092_d02a));

/// A group as others show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupName {
    /// The id.
    pub id: GroupId,
    /// The name.
    pub name: String,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The id.
    pub id: GroupId,
    /// The name; unique.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Where groups differ, the lower number wins.
    pub priority: i32,
    /// Whether it is built in.
    pub system: bool,
    /// What its members may do.
    pub permissions: BTreeSet<Permission>,
    /// How many members it has.
    pub members: u64,
}

/// All that can be changed of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDetails {
    /// The name; unique.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Where groups differ, the lower number wins.
    pub priority: i32,
    /// What its members may do.
    pub permissions: BTreeSet<Permission>,
}

/// A workspace as a group shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupWorkspace {
    /// The id.
    pub id: WorkspaceId,
    /// The name that people see.
    pub name: String,
    /// The container image.
    pub image: String,
    /// The picture.
    pub icon: String,
}

const NOT_FOUND: StoreError = StoreError::not_found("group");

/// The groups.
#[derive(Debug, Clone, Copy)]
pub struct Groups<'a>(&'a Store);

impl Store {
    /// The groups.
    pub fn groups(&self) -> Groups<'_> {
        Groups(self)
    }
}

impl Groups<'_> {
    /// All groups, the weightiest first.
    pub async fn list(self) -> Result<Vec<Group>, StoreError> {
        let rows = groups::Entity::find()
            .order_by_asc(groups::Column::Priority)
            .order_by_asc(groups::Column::Name)
            .all(self.0.db())
            .await?;
        complete(self.0.db(), rows).await
    }

    /// One group.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn find(self, id: GroupId) -> Result<Group, StoreError> {
        let row = groups::Entity::find_by_id(id.to_string())
            .one(self.0.db())
            .await?
            .ok_or(NOT_FOUND)?;
        one(self.0.db(), row).await
    }

    /// Adds a group.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn create(self, details: GroupDetails) -> Result<Group, StoreError> {
        let tx = self.0.write().await?;
        let id = GroupId::new();
        let row = groups::ActiveModel {
            group_id: Set(id.to_string()),
            name: Set(details.name.clone()),
            description: Set(details.description),
            priority: Set(details.priority),
            is_system: Set(false),
        };
        let row = row
            .insert(&tx)
            .await
            .map_err(|e| StoreError::naming_conflict(e, || taken(&details.name)))?;
        set_permissions(&tx, id, &details.permissions).await?;
        let group = one(&tx, row).await?;
        tx.commit().await?;
        Ok(group)
    }

    /// Changes a group: `change` gets what is there and gives what shall be.
    ///
    /// # Errors
    /// Those of `change`; [`StoreError::NotFound`]; [`StoreError::Conflict`] when the name is taken
    /// or nobody could administer any more.
    pub async fn update<E: From<StoreError>>(
        self,
        id: GroupId,
        change: impl FnOnce(&Group) -> Result<GroupDetails, E>,
    ) -> Result<Group, E> {
        let tx = self.0.write().await?;
        let row = groups::Entity::find_by_id(id.to_string())
            .one(&tx)
            .await
            .map_err(StoreError::from)?
            .ok_or(NOT_FOUND)?;
        let administrators = enabled_administrators(&tx).await?;
        let details = change(&one(&tx, row.clone()).await?)?;
        let mut row = row.into_active_model();
        row.name = Set(details.name.clone());
        row.description = Set(details.description);
        row.priority = Set(details.priority);
        let row = row
            .update(&tx)
            .await
            .map_err(|e| StoreError::naming_conflict(e, || taken(&details.name)))?;
        set_permissions(&tx, id, &details.permissions).await?;
        keep_an_administrator(&tx, &administrators).await?;
        let group = one(&tx, row).await?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(group)
    }

    /// Deletes a group with its settings and memberships; its members stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] for a built-in one, or when nobody could
    /// administer any more.
    pub async fn delete(self, id: GroupId) -> Result<(), StoreError> {
        let tx = self.0.write().await?;
        let row = groups::Entity::find_by_id(id.to_string())
            .one(&tx)
            .await?
            .ok_or(NOT_FOUND)?;
        if row.is_system {
            return Err(StoreError::conflict(format!(
                "the group {:?} is built in and can not be deleted",
                row.name
            )));
        }
        let administrators = enabled_administrators(&tx).await?;
        groups::Entity::delete_by_id(id.to_string())
            .exec(&tx)
            .await?;
        keep_an_administrator(&tx, &administrators).await?;
        Ok(tx.commit().await?)
    }

    /// Makes a user a member; a member stays one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the user or the group is gone.
    pub async fn add_member(self, id: GroupId, user: UserId) -> Result<(), StoreError> {
        let row = user_groups::ActiveModel {
            user_id: Set(user.to_string()),
            group_id: Set(id.to_string()),
        };
        let there =
            OnConflict::columns([user_groups::Column::UserId, user_groups::Column::GroupId])
                .do_nothing()
                .to_owned();
        user_groups::Entity::insert(row)
            .on_conflict(there)
            .exec_without_returning(self.0.db())
            .await?;
        Ok(())
    }

    /// Ends a membership, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when nobody could administer any more.
    pub async fn remove_member(self, id: GroupId, user: UserId) -> Result<(), StoreError> {
        let tx = self.0.write().await?;
        let administrators = enabled_administrators(&tx).await?;
        user_groups::Entity::delete_by_id((user.to_string(), id.to_string()))
            .exec(&tx)
            .await?;
        keep_an_administrator(&tx, &administrators).await?;
        Ok(tx.commit().await?)
    }

    /// What members of a group may launch, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn workspaces(self, id: GroupId) -> Result<Vec<GroupWorkspace>, StoreError> {
        let launchable = group_images::Entity::find()
            .select_only()
            .column(group_images::Column::ImageId)
            .filter(group_images::Column::GroupId.eq(id.to_string()));
        let rows = workspaces::Entity::find()
            .filter(workspaces::Column::ImageId.in_subquery(launchable.into_query()))
            .order_by_asc(workspaces::Column::FriendlyName)
            .all(self.0.db())
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(GroupWorkspace {
                    id: parse(&row.image_id)?,
                    name: row.friendly_name,
                    image: row.name,
                    icon: row.image_src,
                })
            })
            .collect()
    }

    /// Lets members launch a workspace; one that they may stays so.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the workspace or the group is gone.
    pub async fn add_workspace(
        self,
        id: GroupId,
        workspace: WorkspaceId,
    ) -> Result<(), StoreError> {
        let row = group_images::ActiveModel {
            group_id: Set(id.to_string()),
            image_id: Set(workspace.to_string()),
        };
        let there =
            OnConflict::columns([group_images::Column::GroupId, group_images::Column::ImageId])
                .do_nothing()
                .to_owned();
        group_images::Entity::insert(row)
            .on_conflict(there)
            .exec_without_returning(self.0.db())
            .await?;
        Ok(())
    }

    /// Members may no longer launch a workspace through this group.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove_workspace(
        self,
        id: GroupId,
        workspace: WorkspaceId,
    ) -> Result<(), StoreError> {
        group_images::Entity::delete_by_id((id.to_string(), workspace.to_string()))
            .exec(self.0.db())
            .await?;
        Ok(())
    }

    /// Adds a group with this id when it is not there; tells whether it was added.
    pub(crate) async fn ensure(
        self,
        id: GroupId,
        name: &str,
        description: &str,
        priority: i32,
        permissions: &[Permission],
    ) -> Result<bool, StoreError> {
        let tx = self.0.write().await?;
        if groups::Entity::find_by_id(id.to_string())
            .one(&tx)
            .await?
            .is_some()
        {
            return Ok(false);
        }
        let row = groups::ActiveModel {
            group_id: Set(id.to_string()),
            name: Set(name.to_owned()),
            description: Set(description.to_owned()),
            priority: Set(priority),
            is_system: Set(true),
        };
        row.insert(&tx).await?;
        for permission in permissions {
            let row = group_permissions::ActiveModel {
                group_id: Set(id.to_string()),
                permission: Set(permission.to_string()),
            };
            row.insert(&tx).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

fn taken(name: &str) -> String {
    format!("there is a group named {name:?} already")
}

async fn one(db: &impl ConnectionTrait, row: groups::Model) -> Result<Group, StoreError> {
    complete(db, vec![row]).await?.pop().ok_or(NOT_FOUND)
}

async fn complete(
    db: &impl ConnectionTrait,
    rows: Vec<groups::Model>,
) -> Result<Vec<Group>, StoreError> {
    let ids: Vec<String> = rows.iter().map(|row| row.group_id.clone()).collect();
    let mut permissions: BTreeMap<String, BTreeSet<Permission>> = BTreeMap::new();
    for row in group_permissions::Entity::find()
        .filter(group_permissions::Column::GroupId.is_in(ids.clone()))
        .all(db)
        .await?
    {
        permissions
            .entry(row.group_id)
            .or_default()
            .insert(parse(&row.permission)?);
    }
    let members: Vec<(String, i64)> = user_groups::Entity::find()
        .select_only()
        .column(user_groups::Column::GroupId)
        .column_as(user_groups::Column::UserId.count(), "members")
        .filter(user_groups::Column::GroupId.is_in(ids))
        .group_by(user_groups::Column::GroupId)
        .into_tuple()
        .all(db)
        .await?;
    let members: BTreeMap<String, i64> = members.into_iter().collect();
    rows.into_iter()
        .map(|row| {
            Ok(Group {
                id: parse(&row.group_id)?,
                permissions: permissions.remove(&row.group_id).unwrap_or_default(),
                members: members
                    .get(&row.group_id)
                    .copied()
                    .unwrap_or(0)
                    .try_into()
                    .unwrap_or(0),
                name: row.name,
                description: row.description,
                priority: row.priority,
                system: row.is_system,
            })
        })
        .collect()
}

async fn set_permissions(
    db: &impl ConnectionTrait,
    id: GroupId,
    wanted: &BTreeSet<Permission>,
) -> Result<(), StoreError> {
    group_permissions::Entity::delete_many()
        .filter(group_permissions::Column::GroupId.eq(id.to_string()))
        .exec(db)
        .await?;
    for permission in wanted {
        let row = group_permissions::ActiveModel {
            group_id: Set(id.to_string()),
            permission: Set(permission.to_string()),
        };
        row.insert(db).await?;
    }
    Ok(())
}

/// That all these groups exist.
pub(crate) async fn check(
    db: &impl ConnectionTrait,
    wanted: &BTreeSet<GroupId>,
) -> Result<(), StoreError> {
    let known = groups::Entity::find()
        .filter(groups::Column::GroupId.is_in(wanted.iter().map(ToString::to_string)))
        .count(db)
        .await?;
    if known < wanted.len() as u64 {
        return Err(StoreError::not_found("group"));
    }
    Ok(())
}
