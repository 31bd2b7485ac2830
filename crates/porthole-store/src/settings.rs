//! Settings of the whole installation: a name and a text each.

use crate::{Store, StoreError, entity::settings};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

/// The settings.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a>(&'a Store);

impl Store {
    /// The settings.
    pub fn settings(&self) -> Settings<'_> {
        Settings(self)
    }
}

impl Settings<'_> {
    /// A setting's value.
    pub async fn get(self, name: &str) -> Result<Option<String>, StoreError> {
        let row = settings::Entity::find_by_id(name.to_owned())
            .one(self.0.db())
            .await?;
        Ok(row.map(|row| row.value))
    }

    /// Sets it.
    pub async fn set(self, name: &str, value: &str) -> Result<(), StoreError> {
        let row = settings::ActiveModel {
            name: Set(name.to_owned()),
            value: Set(value.to_owned()),
        };
        settings::Entity::insert(row)
            .on_conflict(
                OnConflict::column(settings::Column::Name)
                    .update_column(settings::Column::Value)
                    .to_owned(),
            )
            .exec_without_returning(self.0.db())
            .await?;
        Ok(())
    }
}
