//! The Kasm-compatible calls, as their clients make them.

use crate::support::{ADMIN, Caller, PASSWORD, Server, USER};
use serde_json::{Value, json};

/// A call with an API key in the body.
async fn call(server: &Server, key: &(String, String), name: &str, mut arguments: Value) -> Value {
    arguments["api_key"] = json!(key.0);
    arguments["api_key_secret"] = json!(key.1);
    server
        .post(&Caller::nobody(), &format!("/api/public/{name}"), arguments)
        .await
        .expect(200)
}

#[tokio::test]
async fn sign_in_and_lists_by_bearer() {
    let server = Server::start().await;
    let body = json!({ "username": ADMIN, "password": PASSWORD });
    let login = server
        .post(&Caller::nobody(), "/api/public/login", body)
        .await
        .expect(200);
    let caller = Caller::bearer(login["token"].as_str().unwrap());
    for (list, count) in [("users", 2), ("images", 5), ("groups", 2)] {
        let answer = server
            .get(&caller, &format!("/api/public/get_{list}"))
            .await
            .expect(200);
        assert_eq!(answer[list].as_array().unwrap().len(), count);
        let answer = server
            .post(&caller, &format!("/api/admin/get_{list}"), json!({}))
            .await
            .expect(200);
        assert_eq!(answer[list].as_array().unwrap().len(), count);
    }
    let wrong = json!({ "username": ADMIN, "password": "wrong" });
    let refused = server
        .post(&Caller::nobody(), "/api/public/login", wrong)
        .await
        .expect(403);
    assert!(refused["error_message"].is_string());
}

#[tokio::test]
async fn users_by_api_key() {
    let server = Server::start().await;
    let key = server.api_key().await;
    let target = json!({ "target_user": {
        "username": "ada@example.com", "password": "12345678", "first_name": "Ada", "last_name": null,
        "phone": null, "organization": null, "locked": false, "disabled": false,
    }});
    let ada = &call(&server, &key, "create_user", target).await["user"];
    let id = ada["user_id"].as_str().unwrap();
    assert!(id.len() == 32 && !id.contains('-'), "{id}");
    assert_eq!(ada["last_session"], "None");
    assert_eq!(
        ada["created"].as_str().unwrap().len(),
        "2026-01-01 00:00:00.000000".len()
    );
    assert_eq!(
        ada["groups"][0]["group_id"],
        "68d557ac4cac42cca9f31c7c853de0f3"
    );

    let hyphens = uuid::Uuid::parse_str(id).unwrap().to_string();
    for spelling in [id, hyphens.as_str()] {
        let found = call(
            &server,
            &key,
            "get_user",
            json!({ "target_user": { "user_id": spelling } }),
        )
        .await;
        assert_eq!(found["user"]["username"], "ada@example.com");
    }
    let found = call(
        &server,
        &key,
        "get_user",
        json!({ "target_user": { "username": "ADA@example.com" } }),
    )
    .await;
    assert_eq!(found["user"]["user_id"], id);
    let update = json!({ "target_user": { "user_id": id, "last_name": "L", "locked": true } });
    let changed = call(&server, &key, "update_user", update).await;
    assert_eq!(
        (&changed["user"]["last_name"], &changed["user"]["locked"]),
        (&json!("L"), &json!(true))
    );
    let group = json!({
        "target_user": { "user_id": id },
        "target_group": { "group_id": porthole_store::groups::ADMINISTRATORS.simple() },
    });
    assert_eq!(
        call(&server, &key, "add_user_group", group.clone()).await,
        json!({})
    );
    let found = call(
        &server,
        &key,
        "get_user",
        json!({ "target_user": { "user_id": id } }),
    )
    .await;
    assert_eq!(found["user"]["groups"].as_array().unwrap().len(), 2);
    assert_eq!(
        call(&server, &key, "remove_user_group", group).await,
        json!({})
    );
    let attributes = call(
        &server,
        &key,
        "get_attributes",
        json!({ "target_user": { "user_id": id } }),
    )
    .await;
    assert_eq!(attributes["user_attributes"]["user_id"], id);
    let gone = call(
        &server,
        &key,
        "delete_user",
        json!({ "target_user": { "user_id": id }, "force": false }),
    )
    .await;
    assert_eq!(gone, json!({}));
}

#[tokio::test]
async fn images_have_every_member_that_clients_read() {
    let server = Server::start().await;
    let key = server.api_key().await;
    let images = call(&server, &key, "get_images", json!({})).await;
    let terminal = images["images"]
        .as_array()
        .unwrap()
        .iter()
        .find(|i| i["friendly_name"] == "Terminal")
        .unwrap();
    assert_eq!(terminal["name"], "porthole/terminal:1.0");
    assert_eq!(terminal["image_id"].as_str().unwrap().len(), 32);
    assert_eq!(
        (&terminal["cores"], &terminal["memory"]),
        (&json!(0.5), &json!(805_306_368))
    );
    for member in [
        "image_type",
        "available",
        "run_config",
        "imageAttributes",
        "categories",
        "exec_config",
    ] {
        assert!(!terminal[member].is_null(), "{member}");
    }
    let one = call(
        &server,
        &key,
        "get_image",
        json!({ "target_image": { "image_id": terminal["image_id"] } }),
    )
    .await;
    assert_eq!(&one["image"], terminal);
}

#[tokio::test]
async fn refusals_have_an_error_message() {
    let server = Server::start().await;
    let key = server.api_key().await;
    let user = server.user().await;
    let body =
        |target: Value| json!({ "api_key": key.0, "api_key_secret": key.1, "target_user": target });
    for (caller, name, body, status) in [
        (&Caller::nobody(), "get_users", json!({}), 403),
        (
            &Caller::nobody(),
            "get_users",
            json!({ "api_key": key.0, "api_key_secret": "wrong" }),
            403,
        ),
        (&Caller::nobody(), "get_users", json!({ "api_key": 7 }), 400),
        (&user, "get_users", json!({}), 403),
        (
            &Caller::nobody(),
            "get_user",
            body(json!({ "user_id": "nonsense" })),
            400,
        ),
        (
            &Caller::nobody(),
            "get_user",
            body(json!({ "user_id": uuid::Uuid::nil() })),
            400,
        ),
        (&Caller::nobody(), "get_user", body(json!({})), 400),
        (
            &Caller::nobody(),
            "create_user",
            body(json!({ "username": USER, "password": "12345678" })),
            400,
        ),
        (
            &Caller::nobody(),
            "create_user",
            body(json!({ "username": "x", "password": "short" })),
            400,
        ),
        (&Caller::nobody(), "create_user", body(json!([])), 400),
        (&Caller::nobody(), "nothing", json!({}), 404),
    ] {
        let shown = body.to_string();
        let answer = server
            .post(caller, &format!("/api/public/{name}"), body)
            .await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{name} {shown}: {}",
            answer.text
        );
        assert!(
            answer.json()["error_message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn users_see_their_own_workspaces_only() {
    let server = Server::start().await;
    let (admin, user) = (server.admin().await, server.user().await);
    let new = json!({ "name": "Secret", "image": "porthole/secret:1", "group_ids": [] });
    server
        .post(&admin, "/api/v1/workspaces", new)
        .await
        .expect(201);
    for (caller, count) in [(&admin, 6), (&user, 5)] {
        let images = server
            .get(caller, "/api/public/get_images")
            .await
            .expect(200);
        assert_eq!(images["images"].as_array().unwrap().len(), count);
    }
}
