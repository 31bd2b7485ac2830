//! What groups set. Values are JSON, checked before by the setting's declaration.

use crate::{
    Store, StoreError,
    columns::{from_json, parse, to_json},
    entity::{group_settings, groups, user_groups},
};
use porthole_model::{
    ids::{GroupId, UserId},
    policy::GroupSettings as OfGroup,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect,
    sea_query::OnConflict,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// The groups' settings.
#[derive(Debug, Clone, Copy)]
pub struct GroupSettings<'a>(&'a Store);

impl Store {
    /// The groups' settings.
    pub fn group_settings(&self) -> GroupSettings<'_> {
        GroupSettings(self)
    }
}

impl GroupSettings<'_> {
    /// What a group sets, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of_group(self, id: GroupId) -> Result<BTreeMap<String, Value>, StoreError> {
        let rows = group_settings::Entity::find()
            .filter(group_settings::Column::GroupId.eq(id.to_string()))
            .all(self.0.db())
            .await?;
        rows.into_iter()
            .map(|row| Ok((row.name, from_json(&row.value)?)))
            .collect()
    }

    /// The groups of a user with what they set.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of_user(self, id: UserId) -> Result<Vec<OfGroup>, StoreError> {
        let memberships = groups::Entity::find()
            .join(
                JoinType::InnerJoin,
                groups::Entity::belongs_to(user_groups::Entity)
                    .from(groups::Column::GroupId)
                    .to(user_groups::Column::GroupId)
                    .into(),
            )
            .filter(user_groups::Column::UserId.eq(id.to_string()))
            .all(self.0.db())
            .await?;
        let ids = memberships.iter().map(|group| group.group_id.clone());
        let mut values: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        for row in group_settings::Entity::find()
            .filter(group_settings::Column::GroupId.is_in(ids))
            .all(self.0.db())
            .await?
        {
            values
                .entry(row.group_id)
                .or_default()
                .insert(row.name, from_json(&row.value)?);
        }
        memberships
            .into_iter()
            .map(|group| {
                Ok(OfGroup {
                    id: parse(&group.group_id)?,
                    values: values.remove(&group.group_id).unwrap_or_default(),
                    name: group.name,
                    priority: group.priority,
                })
            })
            .collect()
    }

    /// Sets one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the group is gone.
    pub async fn set(self, id: GroupId, name: &str, value: &Value) -> Result<(), StoreError> {
        let row = group_settings::ActiveModel {
            group_id: Set(id.to_string()),
            name: Set(name.to_owned()),
            value: Set(to_json(value)?),
        };
        let replace = OnConflict::columns([
            group_settings::Column::GroupId,
            group_settings::Column::Name,
        ])
        .update_column(group_settings::Column::Value)
        .to_owned();
        group_settings::Entity::insert(row)
            .on_conflict(replace)
            .exec_without_returning(self.0.db())
            .await?;
        Ok(())
    }

    /// Takes one away, so that lighter groups or the default decide.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unset(self, id: GroupId, name: &str) -> Result<(), StoreError> {
        group_settings::Entity::delete_by_id((id.to_string(), name.to_owned()))
            .exec(self.0.db())
            .await?;
        Ok(())
    }
}
