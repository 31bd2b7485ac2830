//! What a new database starts with.

use crate::{
    Store, StoreError,
    groups::{ADMINISTRATORS, ALL_USERS},
    users::NewUser,
    workspaces::WorkspaceSettings,
};
use porthole_model::{
    permission::Permission,
    protection::Protection,
    resources::{Bytes, MilliCores},
};
use std::collections::{BTreeMap, BTreeSet};

/// The first administrator.
pub const ADMIN: &str = "admin@kasm.local";
/// The first user.
pub const USER: &str = "user@kasm.local";

/// Set once the first users and workspaces were made, so that deleting them is for good.
const DONE: &str = "seeded";

struct Bundled {
    name: &'static str,
    description: &'static str,
    image: &'static str,
    icon: &'static str,
    category: &'static str,
    millicores: u32,
    mib: u64,
}

const WORKSPACES: [Bundled; 5] = [
    Bundled {
        name: "Desktop",
        description: "A whole desktop with files, a terminal and an editor",
        image: "porthole/desktop:1.0",
        icon: "/icons/desktop.svg",
        category: "Desktop",
        millicores: 1000,
        mib: 2048,
    },
    Bundled {
        name: "Terminal",
        description: "A command line on Debian",
        image: "porthole/terminal:1.0",
        icon: "/icons/terminal.svg",
        category: "Development",
        millicores: 500,
        mib: 768,
    },
    Bundled {
        name: "Firefox",
        description: "Browse the web away from your own machine",
        image: "porthole/firefox:1.0",
        icon: "/icons/firefox.svg",
        category: "Browser",
        millicores: 1000,
        mib: 2048,
    },
    Bundled {
        name: "Chromium",
        description: "Browse the web away from your own machine",
        image: "porthole/chromium:1.0",
        icon: "/icons/chromium.svg",
        category: "Browser",
        millicores: 1000,
        mib: 2048,
    },
    Bundled {
        name: "LibreOffice",
        description: "Texts, tables and presentations",
        image: "porthole/libreoffice:1.0",
        icon: "/icons/libreoffice.svg",
        category: "Office",
        millicores: 1000,
        mib: 2048,
    },
];

impl Store {
    /// Makes the built-in groups where they are missing, and tells whether the first users and
    /// workspaces are still to be made.
    pub async fn seed_groups(&self) -> Result<bool, StoreError> {
        self.groups()
            .ensure(
                ALL_USERS,
                "All Users",
                "Every user",
                1000,
                &[Permission::User],
            )
            .await?;
        self.groups()
            .ensure(
                ADMINISTRATORS,
                "Administrators",
                "May do everything",
                1,
                &[Permission::User, Permission::GlobalAdmin],
            )
            .await?;
        Ok(self.settings().get(DONE).await?.is_none())
    }

    /// Makes the first users, with these hashes of their passwords, and the default workspaces.
    /// What is there stays, so that a start that broke off can be repeated.
    pub async fn seed(&self, admin_hash: &str, user_hash: &str) -> Result<(), StoreError> {
        for (username, hash, name, groups) in [
            (
                ADMIN,
                admin_hash,
                "Administrator",
                BTreeSet::from([ALL_USERS, ADMINISTRATORS]),
            ),
            (USER, user_hash, "User", BTreeSet::from([ALL_USERS])),
        ] {
            let new = NewUser {
                username: username.into(),
                email: username.into(),
                first_name: name.into(),
                password_hash: hash.into(),
                groups,
                ..Default::default()
            };
            ignore_conflict(self.users().create(new).await)?;
        }
        for bundled in WORKSPACES {
            let image = bundled
                .image
                .parse()
                .map_err(|e| StoreError::Corrupt(format!("{}: {e}", bundled.image)))?;
            let settings = WorkspaceSettings {
                name: bundled.name.into(),
                description: bundled.description.into(),
                image,
                icon: bundled.icon.into(),
                categories: vec![bundled.category.into()],
                cores: MilliCores(bundled.millicores),
                memory: Bytes::mib(bundled.mib),
                shm_size: Bytes::mib(512),
                enabled: true,
                hidden: false,
                environment: BTreeMap::new(),
                protection: Protection::default(),
                groups: BTreeSet::from([ALL_USERS]),
            };
            ignore_conflict(self.workspaces().create(settings).await)?;
        }
        self.settings().set(DONE, "1").await
    }
}

fn ignore_conflict<T>(result: Result<T, StoreError>) -> Result<(), StoreError> {
    match result {
        Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
