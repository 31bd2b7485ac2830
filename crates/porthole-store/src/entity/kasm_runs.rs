//! When sessions ran.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "kasm_runs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub kasm_run_id: String,
    pub kasm_id: String,
    pub user_id: String,
    pub start_date: TimeDateTime,
    pub end_date: Option<TimeDateTime>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
