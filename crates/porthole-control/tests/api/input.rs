//! Bad input on every endpoint: always a 4xx with a message, never a 5xx.

use crate::support::{Caller, Server};
use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::{Value, json};

/// Every operation of the API's description: method and path.
pub fn operations() -> Vec<(Method, String, Value)> {
    let document: Value =
        serde_json::from_str(&porthole_control::http::document().to_json().unwrap()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            operations.push((method, path.clone(), operation.clone()));
        }
    }
    assert!(operations.len() >= 22);
    operations
}

fn with_id(path: &str, id: &str) -> String {
    path.replace("{id}", id)
}

#[tokio::test]
async fn bodies_that_are_not_what_is_wanted() {
    let server = Server::start().await;
    let admin = server.admin().await;
    for (method, path, operation) in operations() {
        if operation["requestBody"].is_null() {
            continue;
        }
        let path = with_id(&path, "0193f3a0-0000-7000-8000-000000000000");
        for body in [
            "",
            "{",
            "null",
            "[]",
            "42",
            "\"text\"",
            "{\"no_such_field\":1}",
            "{\"name\":{}}",
            "{\"username\":[],\"password\":{}}",
            "\u{0}",
            "{\"a\":1}{",
            &"[".repeat(10_000),
        ] {
            let request = Request::builder()
                .method(method.clone())
                .uri(&path)
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_owned()))
                .unwrap();
            let answer = server.send(&admin, request).await;
            let shown = &body[..body.len().min(20)];
            assert!(
                answer.status.is_client_error(),
                "{method} {path} {shown}: {}",
                answer.status
            );
            let problem = answer.json();
            assert!(
                problem["detail"]
                    .as_str()
                    .is_some_and(|text| text.len() > 5),
                "{problem}"
            );
            assert!(problem["request_id"].is_string());
        }
        let request = Request::builder()
            .method(method.clone())
            .uri(&path)
            .body(Body::from("{}"))
            .unwrap();
        server.send(&admin, request).await.expect(415);
    }
}

#[tokio::test]
async fn ten_megabytes_are_refused_everywhere() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let large = "x".repeat(10 * 1024 * 1024);
    let mut targets: Vec<(Method, String)> = operations()
        .into_iter()
        .filter(|(_, _, operation)| !operation["requestBody"].is_null())
        .map(|(method, path, _)| {
            (
                method,
                with_id(&path, "0193f3a0-0000-7000-8000-000000000000"),
            )
        })
        .collect();
    for call in [
        "login",
        "create_user",
        "get_users",
        "request_kasm",
        "destroy_kasm",
    ] {
        targets.push((Method::POST, format!("/api/public/{call}")));
    }
    for (method, path) in targets {
        for length_known in [true, false] {
            let body = if length_known {
                Body::from(large.clone())
            } else {
                let chunks = (0..10).map(|_| Ok::<_, std::io::Error>("x".repeat(1024 * 1024)));
                Body::from_stream(futures_util::stream::iter(chunks))
            };
            let mut request = Request::builder()
                .method(method.clone())
                .uri(&path)
                .header(header::CONTENT_TYPE, "application/json");
            if length_known {
                request = request.header(header::CONTENT_LENGTH, large.len());
            }
            let answer = server.send(&admin, request.body(body).unwrap()).await;
            assert!(
                answer.text.contains("1048576 bytes"),
                "{path}: {}",
                answer.text
            );
            answer.expect(413);
        }
    }
}

#[tokio::test]
async fn ids_that_are_none_and_ids_of_nothing() {
    let server = Server::start().await;
    let admin = server.admin().await;
    for (method, path, operation) in operations() {
        if !path.contains("{id}") {
            continue;
        }
        let body = (!operation["requestBody"].is_null()).then(|| json!({}));
        let nonsense = with_id(&path, "nonsense");
        let answer = server
            .call(&admin, method.clone(), &nonsense, body.clone())
            .await;
        assert_eq!(
            answer.status.as_u16(),
            400,
            "{method} {nonsense}: {}",
            answer.text
        );
        let unknown = with_id(&path, "0193f3a0-0000-7000-8000-000000000000");
        let answer = server.call(&admin, method.clone(), &unknown, body).await;
        assert!(
            answer.status.is_client_error(),
            "{method} {unknown}: {}",
            answer.text
        );
        assert!(answer.json()["detail"].is_string());
    }
}

#[tokio::test]
async fn parts_of_lists_that_make_no_sense() {
    let server = Server::start().await;
    let admin = server.admin().await;
    for list in ["users", "workspaces", "sessions"] {
        for query in [
            "limit=0",
            "limit=501",
            "limit=x",
            "cursor=x",
            "cursor=-1",
            "colour=red",
            "limit=1&limit=2",
        ] {
            let answer = server.get(&admin, &format!("/api/v1/{list}?{query}")).await;
            assert!(
                answer.status.is_client_error(),
                "{list} {query}: {}",
                answer.text
            );
        }
        let wild = format!("/api/v1/{list}?search=%25_%5C%27%22%00");
        let answer = server.get(&admin, &wild).await;
        assert!(!answer.status.is_server_error(), "{list}: {}", answer.text);
    }
}

#[tokio::test]
async fn credentials_of_every_broken_shape() {
    let server = Server::start().await;
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic !!",
        "Basic eDo=",
        "Digest x",
        "x",
    ] {
        let caller = Caller::nobody().with("authorization", value);
        server.get(&caller, "/api/v1/me").await.expect(401);
    }
    let caller = Caller::bearer(&"x".repeat(5000));
    server.get(&caller, "/api/v1/me").await.expect(401);
    let caller = Caller::nobody().with("cookie", "__Host-porthole=x; ;=;a");
    server.get(&caller, "/api/v1/me").await.expect(401);
}
