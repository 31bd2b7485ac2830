//! What Porthole remembers, on SQLite (embedded) or PostgreSQL (by URL), and the only user of the ORM.
//!
//! A file for each noun: its record type and its repository, reached from [`Store`] by name, as in
//! `store.users().find(id)`. Callers see typed ids and records, never rows or SQL. Every change is
//! one transaction; a repository's method is the unit.
//!
//! Column types are chosen so that both databases hold the same, readable values: ids are hyphenated
//! UUIDs as text, times are UTC in `YYYY-MM-DD HH:MM:SS.ffffff`, lists and maps are JSON text.

mod columns;
mod entity;
mod error;
mod migration;
mod store;

pub mod agents;
pub mod api_keys;
pub mod group_settings;
pub mod groups;
pub mod login_attempts;
pub mod logins;
pub mod runs;
pub mod seed;
pub mod sessions;
pub mod settings;
pub mod users;
pub mod workspaces;

pub use error::StoreError;
pub use store::{Page, PageRequest, Store};
