//! The tables, in the order in which they came. A migration that was released never changes.

use sea_orm_migration::{MigrationTrait, MigratorTrait};

mod m0001_identity;

pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_identity::Migration)]
    }
}
