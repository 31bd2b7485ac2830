//! API keys.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub api_id: String,
    pub name: String,
    pub api_key: String,
    pub api_key_secret_hash: String,
    pub salt: String,
    pub enabled: bool,
    pub created: TimeDateTime,
    pub expires: Option<TimeDateTime>,
    pub last_used: Option<TimeDateTime>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
