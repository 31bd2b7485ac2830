//! The store on a SQLite file, in memory, and on PostgreSQL when `PORTHOLE_TEST_POSTGRES_URL` names
//! a server on which databases may be made.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use porthole_model::{
    ids::{GroupId, LoginId, UserId},
    permission::Permission,
    protection::{Protection, Region},
    resources::{Bytes, MilliCores},
};
use porthole_store::{
    PageRequest, Store, StoreError,
    api_keys::NewApiKey,
    groups::{ADMINISTRATORS, ALL_USERS},
    logins::{LoginKind, NewLogin},
    seed,
    users::{NewUser, UserPatch},
    workspaces::WorkspaceSettings,
};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use std::{collections::BTreeSet, future::Future};
use time::{Duration, OffsetDateTime};

/// Runs a test on every database there is.
async fn on_each<F: Future<Output = ()>>(test: impl Fn(Store, String) -> F) {
    let directory = tempfile::tempdir().unwrap();
    let file = format!(
        "sqlite://{}",
        directory.path().join("porthole.db").display()
    );
    test(Store::open(&file).await.unwrap(), file).await;
    let memory = "sqlite::memory:".to_owned();
    test(Store::open(&memory).await.unwrap(), memory).await;
    if let Ok(server) = std::env::var("PORTHOLE_TEST_POSTGRES_URL") {
        let name = format!("porthole_{}", UserId::new().simple());
        let admin = Database::connect(&server).await.unwrap();
        admin
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        test(Store::open(&url).await.unwrap(), url).await;
        admin
            .execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)"))
            .await
            .unwrap();
    }
}

async fn seeded(store: &Store) {
    assert!(store.seed_groups().await.unwrap());
    store.seed("$admin", "$user").await.unwrap();
    assert!(!store.seed_groups().await.unwrap());
}

fn someone(name: &str) -> NewUser {
    NewUser {
        username: name.into(),
        password_hash: "$hash".into(),
        groups: BTreeSet::from([ALL_USERS]),
        ..Default::default()
    }
}

fn all() -> PageRequest {
    PageRequest {
        limit: 100,
        ..Default::default()
    }
}

#[tokio::test]
async fn first_start_and_second_start() {
    on_each(|store, _| async move {
        seeded(&store).await;
        // A start that broke off before it was noted as done is repeated.
        store.seed("$other", "$other").await.unwrap();
        assert_eq!(store.users().list(&all()).await.unwrap().total, 2);
        let admin = store
            .users()
            .find_by_name(seed::ADMIN)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            store.users().password_hash(admin.id).await.unwrap(),
            "$admin"
        );
        let names: Vec<&str> = admin
            .groups
            .iter()
            .map(|group| group.name.as_str())
            .collect();
        assert_eq!(names, ["Administrators", "All Users"]);
        let permissions = store.users().permissions(admin.id).await.unwrap();
        assert_eq!(
            permissions,
            BTreeSet::from([Permission::User, Permission::GlobalAdmin])
        );
        assert_eq!(store.workspaces().count().await.unwrap(), 5);
        let groups = store.groups().list().await.unwrap();
        assert_eq!(
            groups.iter().map(|group| group.members).collect::<Vec<_>>(),
            [1, 2]
        );
    })
    .await;
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite://{}",
        directory.path().join("porthole.db").display()
    );
    let store = Store::open(&url).await.unwrap();
    seeded(&store).await;
    store.close().await.unwrap();
    let store = Store::open(&url).await.unwrap();
    assert!(!store.seed_groups().await.unwrap());
    assert_eq!(store.users().count().await.unwrap(), 2);
}

#[tokio::test]
async fn the_queries_that_administrators_know() {
    on_each(|store, url| async move {
        if url.contains(":memory:") {
            return;
        }
        seeded(&store).await;
        let db = Database::connect(&url).await.unwrap();
        for (query, rows) in [
            ("SELECT user_id, username, locked FROM users;", 2),
            ("SELECT * FROM kasms WHERE state = 'running';", 0),
            (
                "SELECT u.username, g.name FROM user_groups ug JOIN users u ON ug.user_id = u.user_id \
                 JOIN groups g ON ug.group_id = g.group_id;",
                3,
            ),
        ] {
            let kind = if store.is_postgres() { DbBackend::Postgres } else { DbBackend::Sqlite };
            let found = db.query_all_raw(Statement::from_string(kind, query)).await.unwrap();
            assert_eq!(found.len(), rows, "{query}");
        }
        db.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn users_come_change_and_go() {
    on_each(|store, _| async move {
        seeded(&store).await;
        let users = store.users();
        let ada = users.create(someone("ada")).await.unwrap();
        assert!(matches!(
            users.create(someone("ada")).await,
            Err(StoreError::Conflict { .. })
        ));
        let stray = NewUser {
            groups: BTreeSet::from([GroupId::new()]),
            ..someone("bob")
        };
        let error = users.create(stray).await.unwrap_err();
        assert!(
            matches!(error, StoreError::NotFound { what: "group" }),
            "{error}"
        );
        assert!(
            users.find_by_name("bob").await.unwrap().is_none(),
            "half a user stayed"
        );

        let patch = UserPatch {
            first_name: Some("Ada".into()),
            groups: Some(BTreeSet::from([ALL_USERS, ADMINISTRATORS])),
            ..Default::default()
        };
        let changed = users.update(ada.id, patch).await.unwrap();
        assert_eq!(
            (changed.first_name.as_str(), changed.groups.len()),
            ("Ada", 2)
        );
        let search = PageRequest {
            limit: 1,
            offset: 0,
            search: Some("AD".into()),
        };
        let found = users.list(&search).await.unwrap();
        assert_eq!((found.items.len(), found.total), (1, 2), "ada and admin");
        // A per cent sign is a letter like others, not a pattern.
        let none = PageRequest {
            search: Some("%".into()),
            ..all()
        };
        assert_eq!(users.list(&none).await.unwrap().total, 0);

        login(&store, ada.id, "a").await;
        users.delete(ada.id).await.unwrap();
        assert!(store.logins().find("a").await.unwrap().is_none());
        assert!(matches!(
            users.find(ada.id).await,
            Err(StoreError::NotFound { what: "user" })
        ));
        assert!(matches!(
            users.delete(ada.id).await,
            Err(StoreError::NotFound { .. })
        ));
    })
    .await;
}

async fn login(store: &Store, user_id: UserId, hash: &str) -> LoginId {
    let new = NewLogin {
        user_id,
        kind: LoginKind::Password,
        session_id: None,
        token_hash: hash.into(),
        ip: "127.0.0.1".into(),
        user_agent: String::new(),
        expires_at: OffsetDateTime::now_utc() + Duration::HOUR,
    };
    store.logins().create(new).await.unwrap()
}

#[tokio::test]
async fn the_last_administrator_stays() {
    on_each(|store, _| async move {
        seeded(&store).await;
        let users = store.users();
        let admin = users.find_by_name(seed::ADMIN).await.unwrap().unwrap();
        let off = UserPatch {
            disabled: Some(true),
            ..Default::default()
        };
        let demote = UserPatch {
            groups: Some(BTreeSet::from([ALL_USERS])),
            ..Default::default()
        };
        for patch in [off.clone(), demote] {
            let error = users.update(admin.id, patch).await.unwrap_err();
            assert!(
                error.to_string().contains("last enabled administrator"),
                "{error}"
            );
        }
        assert!(matches!(
            users.delete(admin.id).await,
            Err(StoreError::Conflict { .. })
        ));
        let still = users.find(admin.id).await.unwrap();
        assert!(!still.disabled && still.groups.len() == 2);

        let groups = BTreeSet::from([ALL_USERS, ADMINISTRATORS]);
        let second = users
            .create(NewUser {
                groups,
                ..someone("second")
            })
            .await
            .unwrap();
        users.update(admin.id, off).await.unwrap();
        assert!(matches!(
            users.delete(second.id).await,
            Err(StoreError::Conflict { .. })
        ));
        users.delete(admin.id).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn wrong_passwords_lock() {
    on_each(|store, _| async move {
        store.seed_groups().await.unwrap();
        let user = store.users().create(someone("eve")).await.unwrap();
        for nth in 1..=5 {
            assert_eq!(
                store.users().wrong_password(user.id, 5).await.unwrap(),
                nth == 5
            );
        }
        let unlock = UserPatch {
            locked: Some(false),
            ..Default::default()
        };
        assert_eq!(
            store
                .users()
                .update(user.id, unlock)
                .await
                .unwrap()
                .failed_attempts,
            0
        );
        assert!(!store.users().wrong_password(user.id, 5).await.unwrap());
        store.users().signed_in(user.id).await.unwrap();
        let user = store.users().find(user.id).await.unwrap();
        assert!(user.failed_attempts == 0 && user.last_login_at.is_some());
    })
    .await;
}

#[tokio::test]
async fn wrong_passwords_at_once_are_all_counted() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite://{}",
        directory.path().join("porthole.db").display()
    );
    let store = Store::open(&url).await.unwrap();
    store.seed_groups().await.unwrap();
    let user = store.users().create(someone("eve")).await.unwrap();
    let tries = (0..20).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.users().wrong_password(user.id, 100).await.unwrap() })
    });
    for one in tries.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    assert_eq!(
        store.users().find(user.id).await.unwrap().failed_attempts,
        20
    );
}

#[tokio::test]
async fn logins_end() {
    on_each(|store, _| async move {
        seeded(&store).await;
        let user = store
            .users()
            .find_by_name(seed::USER)
            .await
            .unwrap()
            .unwrap()
            .id;
        let first = login(&store, user, "1").await;
        let second = login(&store, user, "2").await;
        let third = login(&store, user, "3").await;
        let logins = store.logins();
        assert_eq!(logins.find("1").await.unwrap().unwrap().id, first);
        assert!(logins.delete(first).await.unwrap());
        assert!(!logins.delete(first).await.unwrap());
        let ended = logins.delete_of_user(user, Some(third)).await.unwrap();
        assert_eq!(ended, [second], "all but the one to keep");
        let now = OffsetDateTime::now_utc();
        assert_eq!(logins.sweep(now, now - Duration::HOUR).await.unwrap(), []);
        let later = now + 2 * Duration::HOUR;
        assert_eq!(
            logins.sweep(later, now - Duration::HOUR).await.unwrap(),
            [third]
        );
    })
    .await;
}

#[tokio::test]
async fn failures_are_counted_by_name_and_address() {
    on_each(|store, _| async move {
        let attempts = store.login_attempts();
        let start = OffsetDateTime::now_utc() - Duration::SECOND;
        for name in ["a", "a", "b"] {
            attempts.record(name, "192.0.2.1").await.unwrap();
        }
        assert!(attempts.nth_latest_by_name("a", 2).await.unwrap().unwrap() > start);
        assert_eq!(attempts.nth_latest_by_name("a", 3).await.unwrap(), None);
        assert!(
            attempts
                .nth_latest_by_address("192.0.2.1", 3)
                .await
                .unwrap()
                .is_some()
        );
        attempts
            .sweep(OffsetDateTime::now_utc() + Duration::SECOND)
            .await
            .unwrap();
        assert_eq!(
            attempts
                .nth_latest_by_address("192.0.2.1", 1)
                .await
                .unwrap(),
            None
        );
    })
    .await;
}

fn protection() -> Protection {
    Protection {
        black_out: vec![Region::default()],
        ..Protection::default()
    }
}

fn settings(name: &str) -> WorkspaceSettings {
    WorkspaceSettings {
        name: name.into(),
        description: "d".into(),
        image: "porthole/x:1".parse().unwrap(),
        icon: String::new(),
        categories: vec!["Office".into()],
        cores: MilliCores(1500),
        memory: Bytes::mib(512),
        shm_size: Bytes::mib(64),
        enabled: true,
        hidden: false,
        environment: [("A".to_owned(), "1".to_owned())].into(),
        protection: protection(),
        groups: BTreeSet::from([ALL_USERS]),
    }
}

#[tokio::test]
async fn workspaces_by_group() {
    on_each(|store, _| async move {
        seeded(&store).await;
        let user = store
            .users()
            .find_by_name(seed::USER)
            .await
            .unwrap()
            .unwrap()
            .id;
        let workspaces = store.workspaces();
        let made = workspaces.create(settings("Mine")).await.unwrap();
        assert_eq!(workspaces.find(made.id).await.unwrap(), made);
        assert_eq!(made.settings, settings("Mine"));
        let again = workspaces.create(settings("Mine")).await;
        assert!(matches!(again, Err(StoreError::Conflict { .. })));
        assert_eq!(workspaces.list(Some(user), &all()).await.unwrap().total, 6);
        let hide = |before| {
            let groups = BTreeSet::from([ADMINISTRATORS]);
            Ok::<_, StoreError>(WorkspaceSettings { groups, ..before })
        };
        let changed = workspaces.update(made.id, hide).await.unwrap();
        assert_eq!(changed.created_at, made.created_at);
        assert_eq!(workspaces.list(Some(user), &all()).await.unwrap().total, 5);
        assert!(!workspaces.may_launch(user, made.id).await.unwrap());
        let search = PageRequest {
            search: Some("offi".into()),
            ..all()
        };
        assert_eq!(
            workspaces.list(None, &search).await.unwrap().total,
            2,
            "name or category"
        );
        workspaces.delete(made.id).await.unwrap();
        assert!(matches!(
            workspaces.delete(made.id).await,
            Err(StoreError::NotFound { .. })
        ));
    })
    .await;
}

#[tokio::test]
async fn api_keys_and_settings() {
    on_each(|store, _| async move {
        let keys = store.api_keys();
        let new = NewApiKey {
            name: "ci".into(),
            key: "k".into(),
            secret_hash: "h".into(),
            salt: "s".into(),
            expires_at: Some(OffsetDateTime::now_utc()),
            permissions: [Permission::SessionsView].into(),
        };
        let key = keys.create(new).await.unwrap();
        assert_eq!(key.permissions, [Permission::SessionsView].into());
        keys.touch(key.id).await.unwrap();
        let found = keys.find("k").await.unwrap().unwrap();
        assert!(found.last_used_at.is_some() && found.expires_at.is_some());
        keys.delete(key.id).await.unwrap();
        assert!(keys.list().await.unwrap().is_empty());

        store.settings().set("a", "1").await.unwrap();
        store.settings().set("a", "2").await.unwrap();
        assert_eq!(
            store.settings().get("a").await.unwrap().as_deref(),
            Some("2")
        );
    })
    .await;
}

#[tokio::test]
async fn addresses_that_can_not_be_used_are_refused() {
    for url in ["mysql://x", "nonsense", ""] {
        assert!(
            matches!(Store::open(url).await, Err(StoreError::BadUrl(_))),
            "{url}"
        );
    }
    let missing = Store::open("sqlite:///nonexistent/directory/x.db").await;
    assert!(matches!(missing, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn groups_with_settings_members_and_workspaces() {
    use porthole_store::groups::GroupDetails;
    use serde_json::json;
    on_each(|store, _| async move {
        seeded(&store).await;
        let details = GroupDetails {
            name: "Contractors".into(),
            description: String::new(),
            priority: 10,
            permissions: [Permission::User].into(),
        };
        let group = store.groups().create(details.clone()).await.unwrap();
        let again = store.groups().create(details).await.unwrap_err();
        assert!(matches!(again, StoreError::Conflict { .. }), "{again}");

        let user = store
            .users()
            .find_by_name(seed::USER)
            .await
            .unwrap()
            .unwrap();
        for _ in 0..2 {
            store.groups().add_member(group.id, user.id).await.unwrap();
        }
        assert_eq!(store.groups().find(group.id).await.unwrap().members, 1);
        let page = PageRequest {
            limit: 10,
            ..PageRequest::default()
        };
        let members = store.users().members(group.id, &page).await.unwrap();
        assert_eq!((members.total, members.items[0].id), (1, user.id));

        let workspace = store.workspaces().list(None, &page).await.unwrap().items[0].id;
        for _ in 0..2 {
            store
                .groups()
                .add_workspace(group.id, workspace)
                .await
                .unwrap();
        }
        assert_eq!(
            store.groups().workspaces(group.id).await.unwrap()[0].id,
            workspace
        );
        store
            .groups()
            .remove_workspace(group.id, workspace)
            .await
            .unwrap();
        assert!(
            store
                .groups()
                .workspaces(group.id)
                .await
                .unwrap()
                .is_empty()
        );

        for value in [json!(2), json!(1)] {
            store
                .group_settings()
                .set(group.id, "max_kasms_per_user", &value)
                .await
                .unwrap();
        }
        let groups = store.group_settings().of_user(user.id).await.unwrap();
        let contractors = groups.iter().find(|g| g.id == group.id).unwrap();
        assert_eq!(contractors.values["max_kasms_per_user"], json!(1));
        assert_eq!(groups.len(), 2);
        store
            .group_settings()
            .unset(group.id, "max_kasms_per_user")
            .await
            .unwrap();
        assert!(
            store
                .group_settings()
                .of_group(group.id)
                .await
                .unwrap()
                .is_empty()
        );

        for builtin in [ALL_USERS, ADMINISTRATORS] {
            let refused = store.groups().delete(builtin).await.unwrap_err();
            assert!(refused.to_string().contains("built in"), "{refused}");
        }
        let admin = store
            .users()
            .find_by_name(seed::ADMIN)
            .await
            .unwrap()
            .unwrap();
        let refused = store
            .groups()
            .remove_member(ADMINISTRATORS, admin.id)
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("last enabled administrator"),
            "{refused}"
        );
        store.groups().delete(group.id).await.unwrap();
        assert!(matches!(
            store.groups().find(group.id).await,
            Err(StoreError::NotFound { .. })
        ));
        assert!(store.users().find(user.id).await.is_ok(), "members stay");
    })
    .await;
}
