//! Every route of the API as nobody, as a user and as an administrator. A route that is not in the
//! table fails the test, so that nobody adds one without saying who may use it.

use crate::{
    input::operations,
    support::{Caller, Server},
};
use serde_json::json;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Access {
    /// Anybody.
    Public,
    /// Who is signed in.
    SignedIn,
    /// Administrators.
    Administrators,
}

use Access::{Administrators, Public, SignedIn};

const TABLE: &[(&str, Access)] = &[
    ("changePassword", SignedIn),
    ("connectSession", SignedIn),
    ("connectSessionFiles", SignedIn),
    ("createAgent", Administrators),
    ("createApiKey", Administrators),
    ("createSession", SignedIn),
    ("createUser", Administrators),
    ("createWorkspace", Administrators),
    ("deleteAgent", Administrators),
    ("deleteApiKey", Administrators),
    ("deleteSession", SignedIn),
    ("deleteUser", Administrators),
    ("deleteWorkspace", Administrators),
    ("extendSession", SignedIn),
    ("getMe", SignedIn),
    ("getOpenApi", Public),
    ("getSession", SignedIn),
    ("getSessionThumbnail", SignedIn),
    // A user sees themselves; the test asks for somebody else.
    ("getUser", Administrators),
    ("getWorkspace", SignedIn),
    ("listAgents", Administrators),
    ("listApiKeys", Administrators),
    ("listAuditEvents", Administrators),
    ("listGroups", Administrators),
    ("listSessions", SignedIn),
    ("listUsers", Administrators),
    ("listWorkspaces", SignedIn),
    ("login", Public),
    ("logout", SignedIn),
    ("logoutEverywhere", SignedIn),
    ("logoutUser", Administrators),
    ("noteSessionStatistics", SignedIn),
    ("resumeSession", SignedIn),
    ("retrySession", SignedIn),
    ("stopSession", SignedIn),
    ("streamEvents", SignedIn),
    ("tokenLogin", Public),
    ("updateAgent", Administrators),
    ("updateUser", Administrators),
    ("updateWorkspace", Administrators),
];

/// A body that can be read, so that the answer is about who asks.
fn body(operation: &str) -> serde_json::Value {
    match operation {
        "changePassword" => json!({ "current_password": "x", "new_password": "y" }),
        "createApiKey" | "createAgent" => json!({ "name": "" }),
        "createSession" => json!({ "workspace_id": "0193f3a0-0000-7000-8000-000000000000" }),
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

#[tokio::test]
async fn every_route_as_nobody_as_user_and_as_administrator() {
    let server = Server::start().await;
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

        let path = path.replace("{id}", "0193f3a0-0000-7000-8000-000000000000");
        let wants_body = !operation["requestBody"].is_null();
        let callers = [Caller::nobody(), server.user().await, server.admin().await];
        for (who, caller) in callers.iter().enumerate() {
            let body = wants_body.then(|| body(name));
            if *name == "streamEvents" && who > 0 {
                // It does not end by itself; its own tests follow it.
                continue;
            }
            let answer = server.call(caller, method.clone(), &path, body).await;
            let status = answer.status.as_u16();
            assert!(status < 500, "{name}: {}", answer.text);
            let (in_401, in_403) = (status == 401, status == 403);
            match (access, who) {
                (Public, _) => assert!(!in_403, "{name}: {}", answer.text),
                (_, 0) => assert!(in_401, "{name} as nobody: {status} {}", answer.text),
                (Administrators, 1) => assert!(in_403, "{name} as user: {status} {}", answer.text),
                _ => assert!(!in_401 && !in_403, "{name}: {status} {}", answer.text),
            }
        }
    }
    let gone: Vec<_> = TABLE
        .iter()
        .filter(|(name, _)| !known.contains(name))
        .collect();
    assert!(gone.is_empty(), "in the table but not in the API: {gone:?}");
}
