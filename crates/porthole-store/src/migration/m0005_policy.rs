//! Settings of groups, the policy that each session was launched with, what API keys may do, and
//! when sessions ran.

use sea_orm_migration::{
    prelude::*,
    schema::{date_time, date_time_null, text},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// A reference whose row goes when the row it names goes.
fn owned_by(column: &'static str, table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from_col(column)
        .to(table, column)
        .on_delete(ForeignKeyAction::Cascade)
        .on_update(ForeignKeyAction::Cascade)
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// Whole or not at all, on SQLite too: a start that broke off halfway is repeated.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            Table::create()
                .table("group_settings")
                .col(text("group_id"))
                .col(text("name"))
                .col(text("value"))
                .primary_key(Index::create().col("group_id").col("name"))
                .foreign_key(&mut owned_by("group_id", "groups"))
                .to_owned(),
            Table::create()
                .table("api_key_permissions")
                .col(text("api_id"))
                .col(text("permission"))
                .primary_key(Index::create().col("api_id").col("permission"))
                .foreign_key(&mut owned_by("api_id", "api_keys"))
                .to_owned(),
            // Without references: usage counts on when session and user are gone.
            Table::create()
                .table("kasm_runs")
                .col(text("kasm_run_id").primary_key())
                .col(text("kasm_id"))
                .col(text("user_id"))
                .col(date_time("start_date"))
                .col(date_time_null("end_date"))
                .to_owned(),
        ] {
            manager.create_table(table).await?;
        }
        for (name, columns) in [
            ("kasm_runs_user", ["user_id", "end_date"]),
            ("kasm_runs_kasm", ["kasm_id", "end_date"]),
        ] {
            let mut index = Index::create().name(name).table("kasm_runs").to_owned();
            for column in columns {
                index.col(column);
            }
            manager.create_index(index).await?;
        }
        let column = text("policy").default("{}").to_owned();
        manager
            .alter_table(Table::alter().table("kasms").add_column(column).to_owned())
            .await?;
        let db = manager.get_connection();
        // Until now every key could do everything.
        for permission in ["user", "global_admin"] {
            db.execute_unprepared(&format!(
                "INSERT INTO api_key_permissions (api_id, permission) \
                 SELECT api_id, '{permission}' FROM api_keys"
            ))
            .await?;
        }
        // What runs now began when it was started.
        db.execute_unprepared(
            "INSERT INTO kasm_runs (kasm_run_id, kasm_id, user_id, start_date) \
             SELECT kasm_id, kasm_id, user_id, state_date FROM kasms WHERE state = 'running'",
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let policy = Table::alter()
            .table("kasms")
            .drop_column("policy")
            .to_owned();
        manager.alter_table(policy).await?;
        for table in ["kasm_runs", "api_key_permissions", "group_settings"] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}
