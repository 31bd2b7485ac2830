//! People who sign in.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub phone: String,
    pub organization: String,
    pub notes: String,
    pub realm: String,
    pub locked: bool,
    pub disabled: bool,
    pub failed_pw_attempts: i32,
    pub pw_hash: String,
    pub password_set_date: TimeDateTime,
    pub created: TimeDateTime,
    pub last_session: Option<TimeDateTime>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
