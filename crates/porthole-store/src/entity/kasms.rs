//! Sessions.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "kasms")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub kasm_id: String,
    pub user_id: String,
    pub username: String,
    pub image_id: String,
    pub image_name: String,
    pub image_src: String,
    pub server_id: Option<String>,
    pub state: String,
    pub wanted: String,
    pub cores_milli: i64,
    pub memory: i64,
    pub spec: String,
    pub container_id: Option<String>,
    pub display_id: Option<String>,
    pub progress: Option<String>,
    pub failure: Option<String>,
    pub end_reason: Option<String>,
    pub created_date: TimeDateTime,
    pub start_date: Option<TimeDateTime>,
    pub keepalive_date: TimeDateTime,
    pub expiration_date: Option<TimeDateTime>,
    pub state_date: TimeDateTime,
    pub version: i64,
    pub statistics: Option<String>,
    pub policy: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
