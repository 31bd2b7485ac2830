//! Agents.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "servers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub server_id: String,
    pub name: String,
    pub local: bool,
    pub enabled: bool,
    pub token_hash: Option<String>,
    pub hostname: String,
    pub agent_version: String,
    pub engine: String,
    pub cores_milli: i64,
    pub memory: i64,
    pub created: TimeDateTime,
    pub last_reported: Option<TimeDateTime>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
