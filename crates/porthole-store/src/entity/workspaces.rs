//! Workspaces; the table has the name that the Kasm-compatible API gives them.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "images")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub image_id: String,
    pub name: String,
    pub friendly_name: String,
    pub description: String,
    pub image_src: String,
    pub categories: String,
    pub cores: f64,
    pub memory: i64,
    pub shm_size: i64,
    pub enabled: bool,
    pub hidden: bool,
    pub environment: String,
    pub protection: String,
    pub created_at: TimeDateTime,
    pub updated_at: TimeDateTime,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
