//! Sign-ins that are still good.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "logins")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub login_id: String,
    pub user_id: String,
    pub token_hash: String,
    pub kind: String,
    pub kasm_id: Option<String>,
    pub ip: String,
    pub user_agent: String,
    pub created: TimeDateTime,
    pub last_used: TimeDateTime,
    pub expires: TimeDateTime,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
