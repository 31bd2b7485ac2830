//! Users, groups, workspaces, sign-ins, API keys, settings.

use sea_orm_migration::{prelude::*, schema::*};

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
                .table("users")
                .col(text("user_id").primary_key())
                .col(text_uniq("username"))
                .col(text("email"))
                .col(text("first_name"))
                .col(text("last_name"))
                .col(text("phone"))
                .col(text("organization"))
                .col(text("notes"))
                .col(text("realm"))
                .col(boolean("locked"))
                .col(boolean("disabled"))
                .col(integer("failed_pw_attempts"))
                .col(text("pw_hash"))
                .col(date_time("password_set_date"))
                .col(date_time("created"))
                .col(date_time_null("last_session"))
                .to_owned(),
            Table::create()
                .table("groups")
                .col(text("group_id").primary_key())
                .col(text_uniq("name"))
                .col(text("description"))
                .col(integer("priority"))
                .col(boolean("is_system"))
                .to_owned(),
            Table::create()
                .table("group_permissions")
                .col(text("group_id"))
                .col(text("permission"))
                .primary_key(Index::create().col("group_id").col("permission"))
                .foreign_key(&mut owned_by("group_id", "groups"))
                .to_owned(),
            Table::create()
                .table("user_groups")
                .col(text("user_id"))
                .col(text("group_id"))
                .primary_key(Index::create().col("user_id").col("group_id"))
                .foreign_key(&mut owned_by("user_id", "users"))
                .foreign_key(&mut owned_by("group_id", "groups"))
                .to_owned(),
            Table::create()
                .table("images")
                .col(text("image_id").primary_key())
                .col(text("name"))
                .col(text_uniq("friendly_name"))
                .col(text("description"))
                .col(text("image_src"))
                .col(text("categories"))
                .col(double("cores"))
                .col(big_integer("memory"))
                .col(big_integer("shm_size"))
                .col(boolean("enabled"))
                .col(boolean("hidden"))
                .col(text("environment"))
                .col(date_time("created_at"))
                .col(date_time("updated_at"))
                .to_owned(),
            Table::create()
                .table("group_images")
                .col(text("group_id"))
                .col(text("image_id"))
                .primary_key(Index::create().col("group_id").col("image_id"))
                .foreign_key(&mut owned_by("group_id", "groups"))
                .foreign_key(&mut owned_by("image_id", "images"))
                .to_owned(),
            Table::create()
                .table("logins")
                .col(text("login_id").primary_key())
                .col(text("user_id"))
                .col(text_uniq("token_hash"))
                .col(text("kind"))
                .col(text_null("kasm_id"))
                .col(text("ip"))
                .col(text("user_agent"))
                .col(date_time("created"))
                .col(date_time("last_used"))
                .col(date_time("expires"))
                .foreign_key(&mut owned_by("user_id", "users"))
                .to_owned(),
            Table::create()
                .table("login_attempts")
                .col(text("login_attempt_id").primary_key())
                .col(text("username"))
                .col(text("ip"))
                .col(date_time("at"))
                .to_owned(),
            Table::create()
                .table("api_keys")
                .col(text("api_id").primary_key())
                .col(text("name"))
                .col(text_uniq("api_key"))
                .col(text("api_key_secret_hash"))
                .col(text("salt"))
                .col(boolean("enabled"))
                .col(date_time("created"))
                .col(date_time_null("expires"))
                .col(date_time_null("last_used"))
                .to_owned(),
            Table::create()
                .table("settings")
                .col(text("name").primary_key())
                .col(text("value"))
                .to_owned(),
        ] {
            manager.create_table(table).await?;
        }
        for (name, table, columns) in [
            ("user_groups_group", "user_groups", &["group_id"][..]),
            ("group_images_image", "group_images", &["image_id"]),
            ("logins_user", "logins", &["user_id"]),
            ("logins_expires", "logins", &["expires"]),
            (
                "login_attempts_username",
                "login_attempts",
                &["username", "at"],
            ),
            ("login_attempts_ip", "login_attempts", &["ip", "at"]),
        ] {
            let mut index = Index::create().name(name).table(table).to_owned();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "settings",
            "api_keys",
            "login_attempts",
            "logins",
            "group_images",
            "images",
            "user_groups",
            "group_permissions",
            "groups",
            "users",
        ] {
            manager
                .drop_table(Table::drop().table(table).if_exists().to_owned())
                .await?;
        }
        Ok(())
    }
}
