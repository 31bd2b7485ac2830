//! The tables as the ORM sees them; a file each, named as the noun.

pub(crate) mod api_key_permissions;
pub(crate) mod api_keys;
pub(crate) mod group_images;
pub(crate) mod group_permissions;
pub(crate) mod group_settings;
pub(crate) mod groups;
pub(crate) mod kasm_history;
pub(crate) mod kasm_runs;
pub(crate) mod kasms;
pub(crate) mod login_attempts;
pub(crate) mod logins;
pub(crate) mod servers;
pub(crate) mod settings;
pub(crate) mod user_groups;
pub(crate) mod users;
pub(crate) mod workspaces;
