//! Groups of users with the same rights.

use crate::{
    Store, StoreError,
    columns::parse,
    entity::{group_permissions, groups, user_groups},
};
use porthole_model::{ids::GroupId, permission::Permission};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
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
        let db = self.0.db();
        let rows = groups::Entity::find()
            .order_by_asc(groups::Column::Priority)
            .order_by_asc(groups::Column::Name)
            .all(db)
            .await?;
        let mut permissions: BTreeMap<String, BTreeSet<Permission>> = BTreeMap::new();
        for row in group_permissions::Entity::find().all(db).await? {
            permissions
                .entry(row.group_id)
                .or_default()
                .insert(parse(&row.permission)?);
        }
        let members: Vec<(String, i64)> = user_groups::Entity::find()
            .select_only()
            .column(user_groups::Column::GroupId)
            .column_as(user_groups::Column::UserId.count(), "members")
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
