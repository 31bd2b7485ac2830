//! Workspaces.

use crate::support::Server;
use porthole_control::Event;
use serde_json::{Value, json};

#[tokio::test]
async fn the_defaults_are_there_for_users() {
    let server = Server::start().await;
    let user = server.user().await;
    let list = server.get(&user, "/api/v1/workspaces").await.expect(200);
    let names: Vec<&Value> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| &w["name"])
        .collect();
    assert_eq!(
        names,
        ["Chromium", "Desktop", "Firefox", "LibreOffice", "Terminal"]
    );
    assert_eq!(list["items"][4]["image"], "porthole/terminal:1.0");
    // Without an agent nothing can run, and that is said.
    assert_eq!(list["items"][0]["available"], false);
    assert_eq!(
        list["items"][0]["unavailable_reason"],
        "no agent is registered"
    );
    server
        .get(&user, "/api/v1/workspaces?all=true")
        .await
        .expect(403);
}

#[tokio::test]
async fn an_image_needs_a_tag() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let new = json!({ "name": "X", "image": "debian" });
    let refused = server
        .post(&admin, "/api/v1/workspaces", new)
        .await
        .expect(422);
    assert_eq!(refused["errors"][0]["field"], "image");
    assert!(
        refused["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("has no tag; add one")
    );
}

#[tokio::test]
async fn made_changed_hidden_and_deleted() {
    let server = Server::start().await;
    let (admin, user) = (server.admin().await, server.user().await);
    let mut events = server.control.events().subscribe();
    let new = json!({
        "name": "Editor", "image": "porthole/editor:2", "cores": 0.5, "memory_bytes": 536_870_912,
        "categories": ["Office", "Office"], "environment": { "EDITOR_MODE": "x" },
    });
    let made = server
        .post(&admin, "/api/v1/workspaces", new.clone())
        .await
        .expect(201);
    assert_eq!(made["categories"], json!(["Office"]));
    assert_eq!(
        (&made["cores"], &made["shm_size_bytes"]),
        (&json!(0.5), &json!(536_870_912))
    );
    assert_eq!(events.try_recv().unwrap(), Event::Workspaces);
    server
        .post(&admin, "/api/v1/workspaces", new)
        .await
        .expect(409);

    let path = format!("/api/v1/workspaces/{}", made["id"].as_str().unwrap());
    let seen = server.get(&user, &path).await.expect(200);
    assert_eq!(seen["environment"], json!({}), "variables may hold secrets");
    server
        .patch(&admin, &path, json!({ "description": "d", "cores": 1 }))
        .await
        .expect(200);
    let changed = server.get(&admin, &path).await.expect(200);
    assert_eq!(
        (&changed["description"], &changed["name"]),
        (&json!("d"), &json!("Editor"))
    );
    assert_eq!(changed["environment"], json!({ "EDITOR_MODE": "x" }));

    server
        .patch(&admin, &path, json!({ "group_ids": [] }))
        .await
        .expect(200);
    server.get(&user, &path).await.expect(404);
    server
        .patch(&user, &path, json!({ "name": "Mine" }))
        .await
        .expect(403);
    server.delete(&user, &path).await.expect(403);
    server.delete(&admin, &path).await.expect(204);
    server.delete(&admin, &path).await.expect(404);
}

#[tokio::test]
async fn ranges_are_checked() {
    let server = Server::start().await;
    let admin = server.admin().await;
    for (field, bad) in [
        ("cores", json!(0)),
        ("cores", json!(-1)),
        ("cores", json!(1e9)),
        ("memory_bytes", json!(1)),
        ("memory_bytes", json!(1u64 << 60)),
        ("memory_bytes", json!(-5)),
        ("memory_bytes", json!("1G")),
        ("shm_size_bytes", json!(0)),
        ("name", json!("")),
        ("name", json!("x".repeat(129))),
        ("name", json!("two\nlines")),
        ("description", json!("x".repeat(2001))),
        ("icon", json!("javascript:alert(1)")),
        ("categories", json!("Office")),
        ("environment", json!({ "A": 1 })),
        ("group_ids", json!(["nonsense"])),
        ("group_ids", json!(["00000000-0000-0000-0000-000000000000"])),
        ("enabled", json!("yes")),
    ] {
        let mut new = json!({ "name": "X", "image": "porthole/x:1" });
        new[field] = bad.clone();
        let refused = server
            .post(&admin, "/api/v1/workspaces", new)
            .await
            .expect(422);
        let named = refused["errors"][0]["field"].as_str().unwrap();
        assert!(named.starts_with(field), "{field} {bad}: {refused}");
    }
    let unknown = json!({ "name": "X", "image": "porthole/x:1", "colour": "red" });
    let refused = server
        .post(&admin, "/api/v1/workspaces", unknown)
        .await
        .expect(422);
    assert_eq!(refused["errors"][0]["field"], "colour");
}

#[tokio::test]
async fn protection_is_checked_kept_and_shown_to_administrators() {
    let server = Server::start().await;
    let (admin, user) = (server.admin().await, server.user().await);
    let protection = json!({
        "watermark": { "mark": { "kind": "text", "text": "{username} %H:%M" }, "angle": -30 },
        "black_out": [{ "top": "-40" }],
    });
    let new = json!({ "name": "Safe", "image": "porthole/x:1", "protection": protection });
    let made = server
        .post(&admin, "/api/v1/workspaces", new)
        .await
        .expect(201);
    let mark = &made["protection"]["watermark"];
    assert_eq!(
        (&mark["opacity"], &mark["colour"]),
        (&json!(25), &json!("#808080"))
    );
    assert_eq!(made["protection"]["black_out"][0]["right"], "100%");
    let path = format!("/api/v1/workspaces/{}", made["id"].as_str().unwrap());
    let seen = server.get(&user, &path).await.expect(200);
    assert_eq!(seen["protection"], json!({}));
    for (bad, field) in [
        (
            json!({ "watermark": { "mark": { "kind": "text", "text": "{who}" } } }),
            "protection.watermark.mark.text",
        ),
        (
            json!({ "watermark": { "mark": { "kind": "text", "text": "x" }, "opacity": 0 } }),
            "protection.watermark.opacity",
        ),
        (
            json!({ "visible": { "left": "50%", "right": "10%" } }),
            "protection.visible",
        ),
        (
            json!({ "visible": { "left": "far" } }),
            "protection.visible.left",
        ),
        (json!({ "tint": 1 }), "protection"),
    ] {
        let body = json!({ "protection": bad });
        let refused = server.patch(&admin, &path, body).await.expect(422);
        let named = refused["errors"][0]["field"].as_str().unwrap();
        assert!(named.starts_with(field), "{field}: {refused}");
    }
    let kept = server
        .patch(&admin, &path, json!({ "description": "d" }))
        .await
        .expect(200);
    assert_eq!(kept["protection"], made["protection"]);
    let none = server
        .patch(&admin, &path, json!({ "protection": {} }))
        .await
        .expect(200);
    assert_eq!(none["protection"], json!({}));
}
