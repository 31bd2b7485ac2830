//! Every route of the API as nobody, as a user, with each permission alone, with all permissions but
//! one, and as an administrator. A route that is not in the table fails the test, so that nobody
//! adds one without saying who may use it.

use crate::{
    input::operations,
    support::{Caller, Server},
};
use porthole_model::permission::Permission;
use serde_json::json;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Access {
    /// Anybody.
    Public,
    /// Who is signed in.
    SignedIn,
    /// Who has this permission.
    May(Permission),
}

use Access::{May, Public, SignedIn};
use Permission::*;

const TABLE: &[(&str, Access)] = &[
    ("changePassword", SignedIn),
    ("connectSession", SignedIn),
    ("createAgent", May(AgentsCreate)),
    ("createApiKey", May(DevapiCreate)),
    ("createSession", SignedIn),
    ("createUser", May(UsersCreate)),
    ("createWorkspace", May(ImagesCreate)),
    ("deleteAgent", May(AgentsDelete)),
    ("deleteApiKey", May(DevapiDelete)),
    ("deleteSession", SignedIn),
    ("deleteUser", May(UsersDelete)),
    ("deleteWorkspace", May(ImagesDelete)),
    ("extendSession", SignedIn),
    ("getMe", SignedIn),
    ("getOpenApi", Public),
    ("getSession", SignedIn),
    ("getSessionThumbnail", SignedIn),
    // A user sees themselves; the test asks for somebody else.
    ("getUser", May(UsersView)),
    ("getWorkspace", SignedIn),
    ("listAgents", May(AgentsView)),
    ("listApiKeys", May(DevapiView)),
    ("listGroups", May(GroupsView)),
    ("listSessions", SignedIn),
    ("listUsers", May(UsersView)),
    ("listWorkspaces", SignedIn),
    ("login", Public),
    ("logout", SignedIn),
    ("logoutEverywhere", SignedIn),
    ("logoutUser", May(UsersAuthSession)),
    ("noteSessionStatistics", SignedIn),
    ("resumeSession", SignedIn),
    ("retrySession", SignedIn),
    ("stopSession", SignedIn),
    ("streamEvents", SignedIn),
    ("tokenLogin", Public),
    ("updateAgent", May(AgentsModify)),
    ("updateUser", May(UsersModify)),
    ("updateWorkspace", May(ImagesModify)),
    ("addGroupMember", May(GroupsModify)),
    ("addGroupWorkspace", May(GroupsModify)),
    ("createGroup", May(GroupsCreate)),
    ("deleteGroup", May(GroupsDelete)),
    ("getGroup", May(GroupsView)),
    ("getGroupSettings", May(GroupsView)),
    ("getUserPolicy", May(UsersView)),
    ("listGroupMembers", May(GroupsView)),
    ("listGroupSettings", SignedIn),
    ("listGroupWorkspaces", May(GroupsView)),
    ("listPermissions", SignedIn),
    ("removeGroupMember", May(GroupsModify)),
    ("removeGroupWorkspace", May(GroupsModify)),
    ("setGroupSetting", May(GroupsModify)),
    ("unsetGroupSetting", May(GroupsModify)),
    ("updateGroup", May(GroupsModify)),
];

/// A body that can be read, so that the answer is about who asks.
fn body(operation: &str) -> serde_json::Value {
    match operation {
        "changePassword" => json!({ "current_password": "x", "new_password": "y" }),
        "createAgent" => json!({ "name": "" }),
        // Without them it would ask for more than one may have.
        "createApiKey" => json!({ "name": "", "permissions": [] }),
        "createSession" => json!({ "workspace_id": "0193f3a0-0000-7000-8000-000000000000" }),
        "setGroupSetting" => json!({ "value": true }),
        "createUser" => json!({ "username": "", "password": "" }),
        "login" => json!({ "username": "x", "password": "x" }),
        "noteSessionStatistics" => json!({
            "frame_rate": 0, "dropped": 0, "bit_rate": 0, "width": 1, "height": 1,
            "codecs": { "lossless": 0, "fill": 0, "copy": 0, "jpeg": 0, "video": 0 },
        }),
        "tokenLogin" => json!({ "token": "x" }),
        _ => json!({}),
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Who {
    Nobody,
    User,
    Administrator,
    /// With no other permission.
    Only(Permission),
    /// With every permission but this one and that of administrators.
    AllBut(Permission),
}

async fn callers(server: &Server) -> Vec<(Who, Caller)> {
    let mut callers = vec![
        (Who::Nobody, Caller::nobody()),
        (Who::User, Caller::nobody()),
        (Who::Administrator, Caller::nobody()),
    ];
    for permission in Permission::ALL.iter().copied() {
        if matches!(permission, User | GlobalAdmin) {
            continue;
        }
        let rest = Permission::ALL.iter().copied();
        let rest = rest
            .filter(|p| *p != permission && *p != GlobalAdmin)
            .collect();
        for (who, permissions) in [
            (Who::Only(permission), vec![permission]),
            (Who::AllBut(permission), rest),
        ] {
            callers.push((who, server.with_permissions(&permissions).await));
        }
    }
    callers
}

fn fill(path: &str) -> String {
    let ids = ["{id}", "{user_id}", "{workspace_id}"];
    let path = ids.iter().fold(path.to_owned(), |path, id| {
        path.replace(id, "0193f3a0-0000-7000-8000-000000000000")
    });
    path.replace("{name}", "allow_kasm_stop")
}

#[tokio::test]
async fn every_route_as_nobody_as_user_with_each_permission_and_as_administrator() {
    let server = Server::start().await;
    let callers = callers(&server).await;
    let mut known: Vec<&str> = Vec::new();
    for (method, path, operation) in operations() {
        let name = operation["operationId"].as_str().unwrap();
        let Some((name, access)) = TABLE.iter().find(|(known, _)| *known == name) else {
            panic!("{method} {path} ({name}) is not in the table: say who may use it");
        };
        known.push(name);
        // Public routes say so in the description, and no others.
        let said_public = operation["security"]
            .as_array()
            .is_some_and(|s| s.iter().any(|s| s == &json!({})));
        assert_eq!(
            said_public,
            *access == Public,
            "{name}: {}",
            operation["security"]
        );

        let path = fill(&path);
        let wants_body = !operation["requestBody"].is_null();
        for (who, caller) in &callers {
            if *name == "streamEvents" && *who != Who::Nobody {
                // It does not end by itself; its own tests follow it.
                continue;
            }
            if !matches!(access, May(_)) && matches!(who, Who::Only(_) | Who::AllBut(_)) {
                // Permissions are nothing to it, and it may end the login that others need.
                continue;
            }
            let body = wants_body.then(|| body(name));
            let caller = match who {
                // Signing out ends their logins.
                Who::User => server.user().await,
                Who::Administrator => server.admin().await,
                _ => caller.clone(),
            };
            let answer = server.call(&caller, method.clone(), &path, body).await;
            let status = answer.status.as_u16();
            assert!(status < 500, "{name}: {}", answer.text);
            let may = match (access, who) {
                (Public, _) => true,
                (_, Who::Nobody) => {
                    assert_eq!(status, 401, "{name} as nobody: {}", answer.text);
                    continue;
                }
                (SignedIn, _) | (May(_), Who::Administrator) => true,
                (May(_), Who::User) => false,
                (May(needed), Who::Only(has)) => needed == has,
                (May(needed), Who::AllBut(missing)) => needed != missing,
            };
            assert!(
                status != 401 || *access == Public,
                "{name} as {who:?}: {}",
                answer.text
            );
            assert_eq!(
                status != 403,
                may,
                "{name} as {who:?}: {status} {}",
                answer.text
            );
        }
    }
    let gone: Vec<_> = TABLE
        .iter()
        .filter(|(name, _)| !known.contains(name))
        .collect();
    assert!(gone.is_empty(), "in the table but not in the API: {gone:?}");
}
