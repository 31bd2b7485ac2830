//! What groups and API keys may do. The names are those of the Kasm-compatible API.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! permissions {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)*) => {
        /// One thing that may be allowed.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            utoipa::ToSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum Permission {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Permission {
            /// All permissions.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name in the database and the API.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// What it allows, for an administrator to read.
            pub fn description(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+).trim(),)*
                }
            }
        }
    };
}

permissions! {
    /// Launch workspaces and use one's own sessions.
    User = "user",
    /// Everything, on everybody's behalf.
    GlobalAdmin = "global_admin",
    /// See users, and what holds for them.
    UsersView = "users_view",
    /// Change users, their passwords too; not those who may do more than oneself.
    UsersModify = "users_modify",
    /// Change and delete users who may do more than oneself.
    UsersModifyAdmin = "users_modify_admin",
    /// Add users.
    UsersCreate = "users_create",
    /// Delete users; not those who may do more than oneself.
    UsersDelete = "users_delete",
    /// Act for users: sign them out, launch for them, make links that sign them in.
    UsersAuthSession = "users_auth_session",
    /// See groups with their settings, members and workspaces.
    GroupsView = "groups_view",
    /// Change groups; give and take no permission that one has not.
    GroupsModify = "groups_modify",
    /// Change the built-in groups, too.
    GroupsModifySystem = "groups_modify_system",
    /// Add groups.
    GroupsCreate = "groups_create",
    /// Delete groups; not those with a permission that one has not.
    GroupsDelete = "groups_delete",
    /// See agents.
    AgentsView = "agents_view",
    /// Change agents.
    AgentsModify = "agents_modify",
    /// Add agents.
    AgentsCreate = "agents_create",
    /// Remove agents.
    AgentsDelete = "agents_delete",
    /// See everybody's sessions.
    SessionsView = "sessions_view",
    /// Use and change everybody's sessions, and run commands in them.
    SessionsModify = "sessions_modify",
    /// Delete everybody's sessions.
    SessionsDelete = "sessions_delete",
    /// See all workspaces with all of their settings.
    ImagesView = "images_view",
    /// Change workspaces.
    ImagesModify = "images_modify",
    /// Add workspaces.
    ImagesCreate = "images_create",
    /// Delete workspaces.
    ImagesDelete = "images_delete",
    /// See API keys, without their secrets.
    DevapiView = "devapi_view",
    /// Make API keys; with no permission that one has not.
    DevapiCreate = "devapi_create",
    /// Delete API keys.
    DevapiDelete = "devapi_delete",
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A permission's name that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown permission {0:?}")]
pub struct UnknownPermission(pub String);

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        Self::ALL
            .iter()
            .copied()
            .find(|p| p.as_str() == text)
            .ok_or_else(|| UnknownPermission(text.into()))
    }
}
