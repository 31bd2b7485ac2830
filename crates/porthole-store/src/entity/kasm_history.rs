//! What happened to sessions, kept after they are gone.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "kasm_history")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub kasm_history_id: String,
    pub kasm_id: String,
    pub user_id: String,
    pub username: String,
    pub image_id: String,
    pub image_name: String,
    pub server_id: Option<String>,
    pub event: String,
    pub reason: Option<String>,
    pub actor: Option<String>,
    pub at: TimeDateTime,
    pub statistics: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
