//! Users and groups.

use crate::support::{ADMIN, Caller, Server, USER};
use serde_json::json;

#[tokio::test]
async fn an_administrator_makes_changes_and_deletes_users() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let new = json!({ "username": "Ada@Example.com", "password": "12345678", "first_name": "Ada" });
    let ada = server
        .post(&admin, "/api/v1/users", new.clone())
        .await
        .expect(201);
    assert_eq!(ada["username"], "ada@example.com");
    assert_eq!(ada["groups"][0]["name"], "All Users");
    assert_eq!(ada["last_login_at"], json!(null));
    let taken = server.post(&admin, "/api/v1/users", new).await.expect(409);
    assert!(
        taken["detail"]
            .as_str()
            .unwrap()
            .contains("ada@example.com")
    );
    server
        .try_login("ada@example.com", "12345678")
        .await
        .expect(200);

    let path = format!("/api/v1/users/{}", ada["id"].as_str().unwrap());
    let groups = server.get(&admin, "/api/v1/groups").await.expect(200);
    let administrators = &groups["items"][0]["id"];
    let patch = json!({ "last_name": "L", "group_ids": [administrators] });
    let changed = server.patch(&admin, &path, patch).await.expect(200);
    assert_eq!(
        changed["groups"].as_array().unwrap().len(),
        2,
        "All Users stays"
    );
    assert_eq!(
        (&changed["first_name"], &changed["last_name"]),
        (&json!("Ada"), &json!("L"))
    );
    server.delete(&admin, &path).await.expect(204);
    server.get(&admin, &path).await.expect(404);
}

#[tokio::test]
async fn lists_come_in_parts() {
    let server = Server::start().await;
    let admin = server.admin().await;
    for nth in 0..5 {
        let new = json!({ "username": format!("u{nth}"), "password": "12345678" });
        server.post(&admin, "/api/v1/users", new).await.expect(201);
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/users?limit=3".to_owned();
    loop {
        let part = server.get(&admin, &path).await.expect(200);
        assert_eq!(part["total"], 7);
        for user in part["items"].as_array().unwrap() {
            names.push(user["username"].as_str().unwrap().to_owned());
        }
        match part["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/users?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(names, [ADMIN, "u0", "u1", "u2", "u3", "u4", USER]);
    let found = server
        .get(&admin, "/api/v1/users?search=U3")
        .await
        .expect(200);
    assert_eq!(found["total"], 1);
}

#[tokio::test]
async fn the_last_administrator_can_not_go() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let path = format!("/api/v1/users/{}", server.user_id(ADMIN).await);
    for patch in [json!({ "disabled": true }), json!({ "group_ids": [] })] {
        server.patch(&admin, &path, patch).await.expect(409);
    }
    let refused = server.delete(&admin, &path).await.expect(409);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("last enabled administrator")
    );
    server.get(&admin, "/api/v1/users").await.expect(200);
}

#[tokio::test]
async fn all_faults_are_told_at_once() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let new = json!({ "username": "a b", "password": "short", "first_name": "x".repeat(65) });
    let refused = server.post(&admin, "/api/v1/users", new).await.expect(422);
    let fields: Vec<&str> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["username", "password", "first_name"]);
}

#[tokio::test]
async fn users_see_themselves_only() {
    let server = Server::start().await;
    let user = server.user().await;
    let own = format!("/api/v1/users/{}", server.user_id(USER).await);
    let other = format!("/api/v1/users/{}", server.user_id(ADMIN).await);
    server.get(&user, &own).await.expect(200);
    server.get(&user, &other).await.expect(403);
    server
        .patch(&user, &own, json!({ "disabled": false }))
        .await
        .expect(403);
    let promote = json!({ "group_ids": [porthole_store::groups::ADMINISTRATORS.to_string()] });
    server.patch(&user, &own, promote).await.expect(403);
    server.get(&Caller::nobody(), &own).await.expect(401);
}
