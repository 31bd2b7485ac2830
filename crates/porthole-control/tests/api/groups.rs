//! Groups, their settings, and what comes of them for users.

use crate::support::{ADMIN, Caller, PASSWORD, Server, USER};
use axum::http::Method;
use porthole_model::permission::Permission;
use serde_json::{Value, json};

const ALL_USERS: &str = "68d557ac-4cac-42cc-a9f3-1c7c853de0f3";
const ADMINISTRATORS: &str = "31aa063c-6706-4858-9533-d3c42092d02a";

async fn put(server: &Server, caller: &Caller, path: &str, body: Option<Value>) -> u16 {
    let answer = server.call(caller, Method::PUT, path, body).await;
    answer.status.as_u16()
}

async fn group(server: &Server, admin: &Caller, name: &str, priority: i32) -> String {
    let body = json!({ "name": name, "priority": priority });
    let group = server.post(admin, "/api/v1/groups", body).await.expect(201);
    group["id"].as_str().unwrap().to_owned()
}

fn setting<'a>(policy: &'a Value, name: &str) -> &'a Value {
    let settings = policy["settings"].as_array().unwrap();
    settings.iter().find(|s| s["name"] == name).unwrap()
}

#[tokio::test]
async fn the_group_that_decides_is_named() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let user = server.user_id(USER).await;
    let policy_path = format!("/api/v1/users/{user}/policy");

    let policy = server.get(&admin, &policy_path).await.expect(200);
    let declared = server
        .get(&admin, "/api/v1/group-settings")
        .await
        .expect(200);
    assert_eq!(
        policy["settings"].as_array().unwrap().len(),
        declared["total"]
    );
    for declared in declared["items"].as_array().unwrap() {
        let name = declared["name"].as_str().unwrap();
        let holds = setting(&policy, name);
        assert_eq!(holds["value"], declared["default"], "{name}");
        assert_eq!(holds["decided_by"], json!([]), "{name}");
    }

    let contractors = group(&server, &admin, "Contractors", 10).await;
    let night = group(&server, &admin, "Night shift", 20).await;
    for (id, value) in [(&contractors, 1), (&night, 9)] {
        let member = format!("/api/v1/groups/{id}/members/{user}");
        assert_eq!(put(&server, &admin, &member, None).await, 204);
        let path = format!("/api/v1/groups/{id}/settings/max_kasms_per_user");
        let body = json!({ "value": value });
        assert_eq!(put(&server, &admin, &path, Some(body)).await, 204);
    }
    // A user sees what holds for themselves.
    let own = server.user().await;
    let policy = server.get(&own, &policy_path).await.expect(200);
    let limit = setting(&policy, "max_kasms_per_user");
    assert_eq!(limit["value"], 1);
    assert_eq!(limit["decided_by"][0]["name"], "Contractors");
    assert_eq!(limit["overruled"][0]["group"]["name"], "Night shift");
    assert_eq!(limit["overruled"][0]["value"], 9);
    assert_eq!(policy["permissions"][0]["name"], "user");
    assert_eq!(policy["permissions"][0]["groups"][0]["name"], "All Users");

    // Left to others again, the next group decides; then the default.
    let path = format!("/api/v1/groups/{contractors}/settings/max_kasms_per_user");
    server.delete(&admin, &path).await.expect(204);
    let policy = server.get(&admin, &policy_path).await.expect(200);
    assert_eq!(setting(&policy, "max_kasms_per_user")["value"], 9);
    let path = format!("/api/v1/groups/{night}");
    server.delete(&admin, &path).await.expect(204);
    let policy = server.get(&admin, &policy_path).await.expect(200);
    assert_eq!(setting(&policy, "max_kasms_per_user")["value"], 5);
}

#[tokio::test]
async fn a_workspaces_tile_says_what_the_user_may() {
    let server = Server::start().await;
    let (admin, own) = (server.admin().await, server.user().await);
    let path = format!("/api/v1/groups/{ALL_USERS}/settings/max_kasms_per_user");
    assert_eq!(
        put(&server, &admin, &path, Some(json!({ "value": 0 }))).await,
        204
    );
    let list = server.get(&own, "/api/v1/workspaces").await.expect(200);
    let id = list["items"][0]["id"].as_str().unwrap();
    let user = server.user_id(USER).await;
    let path = format!("/api/v1/users/{user}/policy?workspace_id={id}");
    let policy = server.get(&admin, &path).await.expect(200);
    let workspace = &policy["workspace"];
    assert_eq!(workspace["allowed_by"][0]["name"], "All Users");
    assert!(workspace["unavailable_reason"].is_string(), "{workspace}");

    let path = format!("/api/v1/groups/{ALL_USERS}/workspaces/{id}");
    server.delete(&admin, &path).await.expect(204);
    let after = server.get(&own, "/api/v1/workspaces").await.expect(200);
    assert_eq!(
        after["total"].as_u64(),
        list["total"].as_u64().map(|n| n - 1)
    );
    assert_eq!(put(&server, &admin, &path, None).await, 204);
}

#[tokio::test]
async fn wrong_values_are_refused_with_what_is_expected() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let id = group(&server, &admin, "Contractors", 10).await;
    for (name, value, status) in [
        ("max_kasms_per_user", json!(-1), 422),
        ("allow_kasm_stop", json!("True"), 422),
        ("keepalive_expiration_action", json!("pause"), 422),
        ("run_config", json!({ "privileged": true }), 422),
        ("run_config", json!({ "environment": { "1X": "" } }), 422),
        ("nothing", json!(1), 404),
    ] {
        let path = format!("/api/v1/groups/{id}/settings/{name}");
        let answer = server
            .call(&admin, Method::PUT, &path, Some(json!({ "value": value })))
            .await;
        assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.text);
    }
    let values = server
        .get(&admin, &format!("/api/v1/groups/{id}/settings"))
        .await
        .expect(200);
    assert_eq!(values, json!({ "values": {} }));
    for (body, field) in [
        (json!({ "priority": 0 }), "priority"),
        (json!({ "name": " " }), "name"),
    ] {
        let problem = server
            .patch(&admin, &format!("/api/v1/groups/{id}"), body)
            .await
            .expect(422);
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
}

#[tokio::test]
async fn built_in_groups_stay() {
    let server = Server::start().await;
    let admin = server.admin().await;
    for id in [ALL_USERS, ADMINISTRATORS] {
        let path = format!("/api/v1/groups/{id}");
        server.delete(&admin, &path).await.expect(409);
        server
            .patch(&admin, &path, json!({ "name": "Mine" }))
            .await
            .expect(422);
        server
            .patch(&admin, &path, json!({ "priority": 7 }))
            .await
            .expect(200);
    }
    let user = server.user_id(USER).await;
    let path = format!("/api/v1/groups/{ALL_USERS}/members/{user}");
    server.delete(&admin, &path).await.expect(409);
    // Nobody can lock everybody out.
    let me = server.user_id(ADMIN).await;
    let path = format!("/api/v1/groups/{ADMINISTRATORS}/members/{me}");
    server.delete(&admin, &path).await.expect(409);
    let none = json!({ "permissions": [] });
    let path = format!("/api/v1/groups/{ADMINISTRATORS}");
    server.patch(&admin, &path, none).await.expect(409);
}

/// Delegated administrators do not become more than they are.
#[tokio::test]
async fn nobody_gives_what_they_have_not() {
    use Permission::*;
    let server = Server::start().await;
    let admin_id = server.user_id(ADMIN).await;
    let user_id = server.user_id(USER).await;
    let helper = server
        .with_permissions(&[
            User,
            UsersView,
            UsersModify,
            UsersCreate,
            UsersDelete,
            UsersAuthSession,
            GroupsView,
            GroupsModify,
            GroupsModifySystem,
            GroupsCreate,
            GroupsDelete,
            DevapiCreate,
        ])
        .await;
    let body = json!({ "name": "Night watch", "permissions": ["user", "sessions_view"] });
    let watch = server
        .post(&server.admin().await, "/api/v1/groups", body)
        .await
        .expect(201);
    let watch = watch["id"].as_str().unwrap();
    let forbidden = [
        (
            Method::PATCH,
            format!("/api/v1/users/{admin_id}"),
            Some(json!({ "password": PASSWORD })),
        ),
        (Method::DELETE, format!("/api/v1/users/{admin_id}"), None),
        (
            Method::POST,
            format!("/api/v1/users/{admin_id}/logout"),
            None,
        ),
        (
            Method::PUT,
            format!("/api/v1/groups/{ADMINISTRATORS}/members/{user_id}"),
            None,
        ),
        (
            Method::PATCH,
            format!("/api/v1/users/{user_id}"),
            Some(json!({ "group_ids": [ADMINISTRATORS] })),
        ),
        (
            Method::POST,
            "/api/v1/users".into(),
            Some(
                json!({ "username": "eve", "password": "a long pass phrase", "group_ids": [ADMINISTRATORS] }),
            ),
        ),
        (
            Method::POST,
            "/api/v1/groups".into(),
            Some(json!({ "name": "x", "permissions": ["global_admin"] })),
        ),
        (
            Method::PATCH,
            format!("/api/v1/groups/{ALL_USERS}"),
            Some(json!({ "permissions": ["user", "agents_delete"] })),
        ),
        // Nor do they take it from those who have it.
        (
            Method::PATCH,
            format!("/api/v1/groups/{watch}"),
            Some(json!({ "permissions": ["user"] })),
        ),
        (
            Method::DELETE,
            format!("/api/v1/groups/{ADMINISTRATORS}/members/{admin_id}"),
            None,
        ),
        (Method::DELETE, format!("/api/v1/groups/{watch}"), None),
        (
            Method::POST,
            "/api/v1/api-keys".into(),
            Some(json!({ "name": "x" })),
        ),
        (
            Method::POST,
            "/api/v1/api-keys".into(),
            Some(json!({ "name": "x", "permissions": ["sessions_view"] })),
        ),
    ];
    for (method, path, body) in forbidden {
        let answer = server.call(&helper, method.clone(), &path, body).await;
        assert_eq!(
            answer.status.as_u16(),
            403,
            "{method} {path}: {}",
            answer.text
        );
    }
    // What is within their own rights they can do.
    let body = json!({ "name": "mine", "permissions": ["users_view"] });
    server
        .post(&helper, "/api/v1/api-keys", body)
        .await
        .expect(201);
    let body = json!({ "priority": 7, "permissions": ["sessions_view"] });
    server
        .patch(&helper, &format!("/api/v1/groups/{watch}"), body)
        .await
        .expect(200);
    let body = json!({ "first_name": "Uschi" });
    server
        .patch(&helper, &format!("/api/v1/users/{user_id}"), body)
        .await
        .expect(200);
}

#[tokio::test]
async fn an_api_key_may_what_it_was_given() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let body = json!({ "name": "monitor", "permissions": ["sessions_view"] });
    let key = server
        .post(&admin, "/api/v1/api-keys", body)
        .await
        .expect(201);
    assert_eq!(key["permissions"], json!(["sessions_view"]));
    let with = |more: Value| {
        let mut body = json!({ "api_key": key["key"], "api_key_secret": key["secret"] });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let nobody = Caller::nobody();
    let kasms = server
        .post(&nobody, "/api/public/get_kasms", with(json!({})))
        .await
        .expect(200);
    assert_eq!(kasms["kasms"], json!([]));
    let refused = server
        .post(&nobody, "/api/public/get_users", with(json!({})))
        .await
        .expect(403);
    let message = refused["error_message"].as_str().unwrap();
    assert!(
        message.starts_with("Unauthorized") && message.contains("users_view"),
        "{message}"
    );
}

/// The compatible calls about groups, as their clients make them.
#[tokio::test]
async fn groups_over_the_compatible_calls() {
    let server = Server::start().await;
    let (key, secret) = server.api_key().await;
    let nobody = Caller::nobody();
    let call = async |name: &str, mut body: Value| {
        body["api_key"] = json!(key);
        body["api_key_secret"] = json!(secret);
        server
            .post(&nobody, &format!("/api/{name}"), body)
            .await
            .expect(200)
    };
    let target = json!({ "name": "Contractors", "priority": 10, "permissions": ["user"] });
    let made = call("public/create_group", json!({ "target_group": target })).await;
    let id = made["group"]["group_id"].as_str().unwrap().to_owned();
    assert_eq!((id.len(), &made["group"]["is_system"]), (32, &json!(false)));
    let of_group = json!({ "group_id": id });

    let setting = json!({ "name": "allow_kasm_clipboard_down", "value": "False" });
    let body = json!({ "target_group": of_group, "target_setting": setting });
    assert_eq!(call("public/add_settings_group", body).await, json!({}));
    let listed = call(
        "admin/get_settings_group",
        json!({ "target_group": of_group }),
    )
    .await;
    let listed = &listed["settings"][0];
    assert_eq!(listed["name"], "allow_kasm_clipboard_down");
    assert_eq!(
        (&listed["value"], &listed["value_type"]),
        (&json!("False"), &json!("bool"))
    );
    let setting = json!({ "group_setting_id": listed["group_setting_id"], "value": "True" });
    let body = json!({ "target_group": of_group, "target_setting": setting });
    assert_eq!(call("public/set_settings_group", body).await, json!({}));

    let user = server.user_id(USER).await;
    let body = json!({ "target_group": of_group, "target_user": { "user_id": user } });
    assert_eq!(call("public/add_user_group", body.clone()).await, json!({}));
    // This client names the group's id a user's.
    let members = call(
        "public/get_users_group",
        json!({ "target_user": { "user_id": id } }),
    )
    .await;
    assert_eq!(members["users"][0]["username"], USER);
    assert_eq!(call("public/remove_user_group", body).await, json!({}));

    let images = call("public/get_images", json!({})).await;
    let image = json!({ "image_id": images["images"][0]["image_id"] });
    let body = json!({ "target_group": of_group, "target_image": image });
    let images = call("public/add_images_group", body.clone()).await;
    assert_eq!(images["images"][0]["group_name"], "Contractors");
    let images = call("public/remove_images_group", body).await;
    assert_eq!(images["images"], json!([]));

    let target = json!({ "group_id": id, "priority": 11 });
    let changed = call("public/update_group", json!({ "target_group": target })).await;
    assert_eq!(changed["group"]["priority"], 11);
    assert_eq!(
        call("public/delete_group", json!({ "target_group": of_group })).await,
        json!({})
    );
}
