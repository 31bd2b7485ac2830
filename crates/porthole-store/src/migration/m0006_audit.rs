//! The audit log. Its lines outlive the users and sessions that they name, so there are no foreign
//! keys; the names are kept as they were.

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
        // Read from the newest on: the ids sort by time.
        let table = Table::create()
            .table("audit_events")
            .col(text("audit_event_id").primary_key())
            .col(date_time("at"))
            .col(text("kind"))
            .col(text("user_id"))
            .col(text("username"))
            .col(text_null("kasm_id"))
            .col(text_null("image_name"))
            .col(text("target"))
            .col(text("details"))
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("audit_events").to_owned())
            .await
    }
}
