//! Sessions, agents and events over v1.

use crate::{api::Api, stack::failure};
use axum::http::{Method, StatusCode, header};
use http_body_util::BodyExt;
use porthole_control::RequestContext;
use porthole_model::ids::SessionId;
use porthole_store::groups::ALL_USERS;
use serde_json::{Value, json};
use std::time::Duration;

async fn launched(api: &Api) -> String {
    let workspace = api.workspace("Terminal").await;
    let body = json!({ "workspace_id": workspace, "width": 1600, "height": 900 });
    let session = api.ok(Method::POST, "/api/v1/sessions", Some(body)).await;
    assert_eq!(session["user"]["username"], "user@kasm.local");
    assert_eq!(session["workspace"]["icon"], "/icons/terminal.svg");
    let id = session["id"].as_str().unwrap().to_owned();
    api.until_state(&id, "running").await;
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_users_way_through_a_session() {
    let api = Api::start().await;
    let id = launched(&api).await;
    let path = format!("/api/v1/sessions/{id}");
    let session = api.ok(Method::GET, &path, None).await;
    assert_eq!(session["agent"]["name"], "a1");
    assert_eq!(session["agent"]["connected"], true);
    assert!(session["expires_at"].is_string() && session["expiry_reason"].is_string());
    assert_eq!(session["progress"], Value::Null);
    let spec = api.stack.agent().spec(id.parse().unwrap()).unwrap();
    assert_eq!((spec.width, spec.height), (1600, 900));

    let connect = api.ok(Method::POST, &format!("{path}/connect"), None).await;
    assert_eq!(connect["url"], format!("/gateway/v1/sessions/{id}/display"));
    assert_eq!(connect["access"], "control");
    let verifier = api.stack.control.tickets().verifier().unwrap();
    let grant = verifier
        .verify(connect["ticket"].as_str().unwrap())
        .unwrap();
    assert_eq!(grant.session_id.to_string(), id);
    assert!(grant.login_id.is_some(), "the stream ends with the login");
    assert!(api.stack.control.open_stream(&grant).await.is_ok());

    let stopped = api.ok(Method::POST, &format!("{path}/stop"), None).await;
    assert_eq!(stopped["wanted"], "stopped");
    let session = api.until_state(&id, "stopped").await;
    assert_eq!(session["expires_at"], Value::Null);
    let (status, problem) = api
        .call(&api.user, Method::POST, &format!("{path}/connect"), None)
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["detail"], "the session is stopped; resume it first");
    assert!(api.stack.control.open_stream(&grant).await.is_err());

    api.ok(Method::POST, &format!("{path}/resume"), None).await;
    api.until_state(&id, "running").await;
    api.ok(Method::POST, &format!("{path}/extend"), None).await;
    api.ok(Method::DELETE, &path, None).await;
    for _ in 0..500 {
        if api.call(&api.user, Method::GET, &path, None).await.0 == StatusCode::NOT_FOUND {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let list = api.ok(Method::GET, "/api/v1/sessions", None).await;
    assert_eq!(list["total"], 0);
    assert_eq!(api.stack.reserved().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_carries_the_protection_that_it_was_launched_with() {
    use porthole_model::protection::Mark;
    let api = Api::start().await;
    let workspace = api.workspace("Terminal").await;
    let path = format!("/api/v1/workspaces/{workspace}");
    let protect = async |text: &str| {
        let watermark = json!({ "mark": { "kind": "text", "text": text } });
        let body = json!({ "protection": { "watermark": watermark } });
        let changed = api.call(&api.admin, Method::PATCH, &path, Some(body)).await;
        assert_eq!(changed.0, StatusCode::OK, "{}", changed.1);
    };
    let text = |id: &str| {
        let spec = api.stack.agent().spec(id.parse().unwrap()).unwrap();
        match spec.protection.watermark.unwrap().mark {
            Mark::Text { text, .. } => text,
            Mark::Picture { .. } => panic!("a picture"),
        }
    };
    protect("{username} in {workspace} {session} from {address}, 5%% %H:%M").await;
    let id = launched(&api).await;
    // Requests of these tests come from no address.
    let wanted = format!("user@kasm.local in Terminal {id} from 0.0.0.0, 5%% %H:%M");
    assert_eq!(text(&id), wanted);
    // What is changed later is for later sessions; a resumed one keeps its own.
    protect("another").await;
    api.ok(Method::POST, &format!("/api/v1/sessions/{id}/stop"), None)
        .await;
    api.until_state(&id, "stopped").await;
    api.ok(Method::POST, &format!("/api/v1/sessions/{id}/resume"), None)
        .await;
    api.until_state(&id, "running").await;
    assert_eq!(text(&id), wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_a_stream_does_is_kept_with_its_session() {
    let api = Api::start().await;
    let id = launched(&api).await;
    let path = format!("/api/v1/sessions/{id}");
    assert_eq!(
        api.ok(Method::GET, &path, None).await["statistics"],
        Value::Null
    );
    let told = json!({
        "frame_rate": 25, "dropped": 1, "bit_rate": 4_000_000,
        "network": 12_000, "encode": 1500, "decode": 900, "draw": null,
        "width": 1600, "height": 900,
        "codecs": { "lossless": 60, "fill": 10, "copy": 0, "jpeg": 30, "video": 0 },
    });
    let statistics = format!("{path}/statistics");
    api.ok(Method::POST, &statistics, Some(told.clone())).await;
    let (_, seen) = api.call(&api.admin, Method::GET, &path, None).await;
    assert_eq!(seen["statistics"], told);
    // Nothing without bounds, nothing else, nobody else, no other session.
    let (status, _) = api
        .call("", Method::POST, &statistics, Some(told.clone()))
        .await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    for (field, value) in [
        ("bit_rate", json!(1e300)),
        ("frame_rate", json!(-1)),
        ("x", json!(1)),
    ] {
        let mut wrong = told.clone();
        wrong[field] = value;
        let (status, _) = api
            .call(&api.user, Method::POST, &statistics, Some(wrong))
            .await;
        assert!(status.is_client_error(), "{field}: {status}");
    }
    // No more often than viewers tell; one has told already.
    for _ in 1..8 {
        api.ok(Method::POST, &statistics, Some(told.clone())).await;
    }
    let often = api
        .raw(&api.user, Method::POST, &statistics, Some(told.clone()))
        .await;
    assert_eq!(often.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        often.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    let wait: u64 = often.headers()[header::RETRY_AFTER]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=4).contains(&wait), "{wait}");
    api.ok(Method::POST, &format!("{path}/stop"), None).await;
    api.until_state(&id, "stopped").await;
    let (status, _) = api
        .call(&api.user, Method::POST, &statistics, Some(told))
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    let history = api
        .stack
        .control
        .store()
        .sessions()
        .history(id.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(history.last().unwrap().statistics.unwrap().frame_rate, 25);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_session_is_not_there() {
    let api = Api::start().await;
    let workspace = api.workspace("Terminal").await;
    let body = json!({ "workspace_id": workspace });
    let (status, session) = api
        .call(&api.admin, Method::POST, "/api/v1/sessions", Some(body))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{session}");
    let path = format!("/api/v1/sessions/{}", session["id"].as_str().unwrap());
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/stop")),
        (Method::POST, format!("{path}/resume")),
        (Method::POST, format!("{path}/extend")),
        (Method::POST, format!("{path}/retry")),
        (Method::POST, format!("{path}/connect")),
        (Method::GET, format!("{path}/thumbnail")),
    ] {
        let (status, problem) = api.call(&api.user, method.clone(), &path, None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path} {problem}");
        let (status, _) = api.call("", method.clone(), &path, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    for path in [
        "/api/v1/sessions?all=true",
        "/api/v1/events?all=true",
        "/api/v1/agents",
    ] {
        let (status, _) = api.call(&api.user, Method::GET, path, None).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
    let user_session = launched(&api).await;
    let (_, all) = api
        .call(&api.admin, Method::GET, "/api/v1/sessions?all=true", None)
        .await;
    assert_eq!(all["total"], 2);
    let (status, _) = api
        .call(
            &api.admin,
            Method::POST,
            &format!("/api/v1/sessions/{user_session}/stop"),
            None,
        )
        .await;
    assert_eq!(status, StatusCode::OK, "an administrator may");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_say_what_and_how_much() {
    let api = Api::start().await;
    let limit = porthole_model::policy::MAX_SESSIONS.name;
    let settings = api.stack.control.store().group_settings();
    settings.set(ALL_USERS, limit, &json!(2)).await.unwrap();
    let terminal = api.workspace("Terminal").await;
    let wish = |body: Value| api.call(&api.user, Method::POST, "/api/v1/sessions", Some(body));

    let (status, problem) = wish(json!({ "workspace_id": SessionId::new() })).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{problem}");
    for bad in [
        json!({}),
        json!({ "workspace_id": "x" }),
        json!({ "workspace_id": terminal, "width": 1 }),
        json!({ "workspace_id": terminal, "height": 70_000 }),
        json!({ "workspace_id": terminal, "device_pixel_ratio": 100 }),
        json!({ "workspace_id": terminal, "color": "red" }),
    ] {
        let (status, problem) = wish(bad.clone()).await;
        assert!(
            status.is_client_error() && problem["detail"].is_string(),
            "{bad} {problem}"
        );
    }
    for _ in 0..2 {
        let (status, session) = wish(json!({ "workspace_id": terminal })).await;
        assert_eq!(status, StatusCode::CREATED, "{session}");
    }
    let (status, problem) = wish(json!({ "workspace_id": terminal })).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .starts_with("you have 2 sessions"),
        "{problem}"
    );

    let (status, problem) = {
        let context = RequestContext::system("test");
        let input = serde_json::from_value(json!({
            "name": "Large", "image": "porthole/large:1.0", "cores": 16.0,
            "memory_bytes": 1_073_741_824, "shm_size_bytes": 67_108_864,
            "group_ids": ["68d557ac-4cac-42cc-a9f3-1c7c853de0f3"],
        }));
        let large = api
            .stack
            .control
            .create_workspace(&context, input.unwrap())
            .await
            .unwrap();
        let body = json!({ "workspace_id": large.id });
        api.call(&api.admin, Method::POST, "/api/v1/sessions", Some(body))
            .await
    };
    assert_eq!(status, StatusCode::CONFLICT);
    let text = problem["detail"].as_str().unwrap();
    assert!(
        text.starts_with("needs 16.0 cores; agent a1 has "),
        "{text}"
    );
    assert!(text.ends_with(" free of 4.0"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_told_retried_and_dismissed() {
    let api = Api::start().await;
    api.stack
        .agent()
        .behave(|b| b.fail_starts = Some(failure("The image can not be pulled")));
    let workspace = api.workspace("Terminal").await;
    let body = json!({ "workspace_id": workspace });
    let session = api.ok(Method::POST, "/api/v1/sessions", Some(body)).await;
    let id = session["id"].as_str().unwrap();
    let session = api.until_state(id, "failed").await;
    assert_eq!(session["failure"]["what"], "The image can not be pulled");
    api.stack.agent().behave(|b| b.fail_starts = None);
    let path = format!("/api/v1/sessions/{id}");
    api.ok(Method::POST, &format!("{path}/retry"), None).await;
    api.until_state(id, "running").await;
    api.stack
        .agent()
        .crash(id.parse().unwrap(), failure("It ended"));
    api.until_state(id, "failed").await;
    api.ok(Method::DELETE, &path, None).await;
    api.stack.until_gone(id.parse().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_lookers_cost_one_picture() {
    let api = Api::start().await;
    let id = launched(&api).await;
    let path = format!("/api/v1/sessions/{id}/thumbnail?width=320&height=180");
    let looks = (0..20).map(|_| api.raw(&api.user, Method::GET, &path, None));
    for answer in futures_util::future::join_all(looks).await {
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "image/jpeg");
        let picture = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(picture.starts_with(&[0xff, 0xd8, 0xff]), "a JPEG");
    }
    assert_eq!(api.stack.agent().screenshots(), 1);
    let path = format!("/api/v1/sessions/{id}/thumbnail?width=9999");
    let (status, _) = api.call(&api.user, Method::GET, &path, None).await;
    assert!(status.is_client_error());
}

/// Events as text, until one holds what is looked for.
async fn hear(body: &mut axum::body::Body, wanted: &str) -> String {
    let mut heard = String::new();
    let read = async {
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.unwrap().into_data() {
                heard.push_str(&String::from_utf8_lossy(&data));
            }
            if heard.contains(wanted) {
                return;
            }
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(10), read).await;
    assert!(
        done.is_ok() && heard.contains(wanted),
        "no {wanted:?} in {heard}"
    );
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_as_they_happen_and_end_with_the_login() {
    let api = Api::start().await;
    let answer = api
        .raw(&api.user, Method::GET, "/api/v1/events", None)
        .await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = answer.into_body();
    let id = launched(&api).await;
    let heard = hear(&mut body, r#""state":"running""#).await;
    assert!(
        heard.contains("event: session\n") && heard.contains(&id),
        "{heard}"
    );

    let workspace = api.workspace("Terminal").await;
    let other = json!({ "workspace_id": workspace });
    api.call(&api.admin, Method::POST, "/api/v1/sessions", Some(other))
        .await;
    api.ok(Method::DELETE, &format!("/api/v1/sessions/{id}"), None)
        .await;
    let heard = hear(&mut body, "event: session_gone").await;
    assert!(
        !heard.contains("admin@kasm.local"),
        "only one's own: {heard}"
    );

    api.ok(Method::POST, "/api/v1/auth/logout", None).await;
    let end = tokio::time::timeout(Duration::from_secs(2), async {
        while body.frame().await.is_some() {}
    });
    assert!(end.await.is_ok(), "the stream outlives the login");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_are_registered_switched_off_and_removed() {
    let api = Api::start().await;
    let admin = async |method, path: String, body| api.call(&api.admin, method, &path, body).await;
    let agents = "/api/v1/agents".to_owned();
    let (_, list) = admin(Method::GET, agents.clone(), None).await;
    let a1 = &list["items"][0];
    assert_eq!(
        (&a1["name"], &a1["connected"]),
        (&json!("a1"), &json!(true))
    );
    assert_eq!(a1["offered"]["cores"], 4.0);
    assert_eq!(a1["images"][0]["image"], "porthole/terminal:1.0");

    let (status, made) = admin(Method::POST, agents.clone(), Some(json!({ "name": "a2" }))).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert!(made["token"].as_str().unwrap().starts_with("pha."));
    assert!(
        made["command"]
            .as_str()
            .unwrap()
            .contains(made["token"].as_str().unwrap())
    );
    let (status, _) = admin(Method::POST, agents.clone(), Some(json!({ "name": "a2" }))).await;
    assert_eq!(status, StatusCode::CONFLICT, "the name is taken");
    let one = format!("{agents}/{}", made["agent"]["id"].as_str().unwrap());
    let (status, _) = admin(Method::PATCH, one.clone(), Some(json!({ "name": "" }))).await;
    assert!(status.is_client_error());
    let (_, changed) = admin(
        Method::PATCH,
        one.clone(),
        Some(json!({ "enabled": false })),
    )
    .await;
    assert_eq!(changed["enabled"], false);
    let (status, _) = admin(Method::DELETE, one, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);

    let id = launched(&api).await;
    let a1 = format!("{agents}/{}", a1["id"].as_str().unwrap());
    let (status, problem) = admin(Method::DELETE, a1.clone(), None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .starts_with("1 session(s) are on a1"),
        "{problem}"
    );
    let (status, problem) = admin(Method::DELETE, format!("{a1}?force=true"), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{problem}");
    assert!(api.stack.find(id.parse().unwrap()).await.is_none());
}
