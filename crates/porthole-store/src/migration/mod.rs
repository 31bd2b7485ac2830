//! The tables, in the order in which they came. A migration that was released never changes.

#![allow(
    clippy::wildcard_imports,
    reason = "the ORM's words for tables are many and known"
)]

use sea_orm_migration::{MigrationTrait, MigratorTrait};

mod m0001_identity;
mod m0002_sessions;
mod m0003_protection;
mod m0004_statistics;
mod m0005_policy;

pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_identity::Migration),
            Box::new(m0002_sessions::Migration),
            Box::new(m0003_protection::Migration),
            Box::new(m0004_statistics::Migration),
            Box::new(m0005_policy::Migration),
        ]
    }
}
