//! Agents, sessions and what happened to them.
//!
//! A session names its user, its workspace and its agent without a foreign key: it outlives a
//! deleted workspace, and after its user is deleted it is still there until its agent has removed
//! it.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// Whole or not at all, on SQLite too: a start that broke off halfway is repeated.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            Table::create()
                .table("servers")
                .col(text("server_id").primary_key())
                .col(text_uniq("name"))
                .col(boolean("local"))
                .col(boolean("enabled"))
                .col(text_null("token_hash"))
                .col(text("hostname"))
                .col(text("agent_version"))
                .col(text("engine"))
                .col(big_integer("cores_milli"))
                .col(big_integer("memory"))
                .col(date_time("created"))
                .col(date_time_null("last_reported"))
                .to_owned(),
            Table::create()
                .table("kasms")
                .col(text("kasm_id").primary_key())
                .col(text("user_id"))
                .col(text("username"))
                .col(text("image_id"))
                .col(text("image_name"))
                .col(text("image_src"))
                .col(text_null("server_id"))
                .col(text("state"))
                .col(text("wanted"))
                .col(big_integer("cores_milli"))
                .col(big_integer("memory"))
                .col(text("spec"))
                .col(text_null("container_id"))
                .col(text_null("display_id"))
                .col(text_null("progress"))
                .col(text_null("failure"))
                .col(text_null("end_reason"))
                .col(date_time("created_date"))
                .col(date_time_null("start_date"))
                .col(date_time("keepalive_date"))
                .col(date_time_null("expiration_date"))
                .col(date_time("state_date"))
                .col(big_integer("version"))
                .to_owned(),
            Table::create()
                .table("kasm_history")
                .col(text("kasm_history_id").primary_key())
                .col(text("kasm_id"))
                .col(text("user_id"))
                .col(text("username"))
                .col(text("image_id"))
                .col(text("image_name"))
                .col(text_null("server_id"))
                .col(text("event"))
                .col(text_null("reason"))
                .col(text_null("actor"))
                .col(date_time("at"))
                .to_owned(),
        ] {
            manager.create_table(table).await?;
        }
        for (name, table, column) in [
            ("kasms_user", "kasms", "user_id"),
            ("kasms_server", "kasms", "server_id"),
            ("kasms_expiration", "kasms", "expiration_date"),
            ("kasm_history_kasm", "kasm_history", "kasm_id"),
            ("kasm_history_at", "kasm_history", "at"),
        ] {
            let index = Index::create()
                .name(name)
                .table(table)
                .col(column)
                .to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["kasm_history", "kasms", "servers"] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}
