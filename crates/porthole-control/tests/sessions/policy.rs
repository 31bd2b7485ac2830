//! Policy where it is enforced: limits, clocks, and what is told of them.

use crate::{api::Api, stack::Stack};
use axum::http::{Method, StatusCode};
use http_body_util::BodyExt;
use porthole_model::{
    ids::{GroupId, SessionId, UserId},
    policy::{
        EffectivePolicy, GroupSettings, KEEPALIVE_EXPIRATION, KEEPALIVE_EXPIRATION_ACTION,
        SESSION_TIME_LIMIT, USAGE_LIMIT,
    },
    session::SessionState,
};
use porthole_store::groups::ALL_USERS;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

async fn running(stack: &Stack, policy: EffectivePolicy) -> SessionId {
    let mut launch = stack.launch(UserId::new(), 1000);
    launch.policy = policy;
    let id = stack.control.manager().request(launch).await.unwrap().id;
    stack.until(id, SessionState::Running).await;
    id
}

async fn reason(stack: &Stack, id: SessionId, event: &str) -> Option<String> {
    let history = stack.control.store().sessions().history(id).await.unwrap();
    let entry = history.into_iter().find(|entry| entry.event == event);
    entry.unwrap().reason
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_stopped_where_policy_says_so() {
    let stack = Stack::start().await;
    let policy = EffectivePolicy::default()
        .with(&KEEPALIVE_EXPIRATION, json!(60))
        .with(&KEEPALIVE_EXPIRATION_ACTION, json!("stop"));
    let id = running(&stack, policy).await;
    stack.clock.advance(Duration::from_secs(61));
    stack.until(id, SessionState::Stopped).await;
    assert_eq!(
        reason(&stack, id, "stopping").await.as_deref(),
        Some("expired")
    );
    // Its disk is there, and its clock starts anew.
    let manager = stack.control.manager();
    manager.resume(id, None).await.unwrap();
    stack.until(id, SessionState::Running).await;
    let session = stack.find(id).await.unwrap();
    assert!(session.expires_at.unwrap() > manager.now());
    stack.clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_limit_holds_however_often_a_session_is_kept_alive() {
    let stack = Stack::start().await;
    let policy = EffectivePolicy::default().with(&SESSION_TIME_LIMIT, json!(7200));
    let id = running(&stack, policy).await;
    let manager = stack.control.manager();
    for _ in 0..3 {
        stack.clock.advance(Duration::from_mins(35));
        manager.extend(id, None).await.unwrap();
    }
    let session = stack.find(id).await.unwrap();
    assert_eq!(
        session.expires_at,
        Some(session.created_at + Duration::from_hours(2))
    );
    stack.clock.advance(Duration::from_mins(16));
    stack.until_gone(id).await;
    assert_eq!(
        reason(&stack, id, "deleted").await.as_deref(),
        Some("time_limit")
    );
}

/// Its user may neither resume nor, where policy says so, delete it then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_limit_ends_what_is_stopped_too() {
    let stack = Stack::start().await;
    let policy = EffectivePolicy::default().with(&SESSION_TIME_LIMIT, json!(7200));
    let id = running(&stack, policy).await;
    let manager = stack.control.manager();
    manager.stop(id, None).await.unwrap();
    stack.until(id, SessionState::Stopped).await;
    let session = stack.find(id).await.unwrap();
    assert_eq!(
        session.expires_at,
        Some(session.created_at + Duration::from_hours(2))
    );
    stack.clock.advance(Duration::from_mins(121));
    stack.until_gone(id).await;
    assert_eq!(
        reason(&stack, id, "deleted").await.as_deref(),
        Some("time_limit")
    );
}

/// The store keeps microseconds.
fn assert_about(is: Duration, expected: Duration) {
    let off = is.abs_diff(expected);
    assert!(off < Duration::from_millis(1), "{is:?} is not {expected:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_of_use_run_out() {
    let stack = Stack::start().await;
    let group = GroupSettings {
        id: GroupId::new(),
        name: "Contractors".into(),
        priority: 1,
        values: BTreeMap::from([
            (
                USAGE_LIMIT.name.to_owned(),
                json!({ "type": "per_user", "interval": "total", "hours": 2 }),
            ),
            (KEEPALIVE_EXPIRATION.name.to_owned(), json!(100_000)),
        ]),
    };
    let policy = EffectivePolicy::of(&[group], &BTreeMap::new());
    let id = running(&stack, policy.clone()).await;
    let session = stack.find(id).await.unwrap();
    let manager = stack.control.manager();
    stack.clock.advance(Duration::from_mins(60));
    let usage = manager
        .usage(&policy, session.user_id)
        .await
        .unwrap()
        .unwrap();
    assert_about(usage.used, Duration::from_hours(1));
    // While it is stopped its hours do not count.
    manager.stop(id, None).await.unwrap();
    stack.until(id, SessionState::Stopped).await;
    stack.clock.advance(Duration::from_hours(5));
    manager.resume(id, None).await.unwrap();
    stack.until(id, SessionState::Running).await;
    let usage = manager
        .usage(&policy, session.user_id)
        .await
        .unwrap()
        .unwrap();
    assert_about(usage.used, Duration::from_hours(1));
    stack.clock.advance(Duration::from_mins(61));
    stack.until_gone(id).await;
    assert_eq!(
        reason(&stack, id, "deleted").await.as_deref(),
        Some("usage_limit")
    );
    let usage = manager
        .usage(&policy, session.user_id)
        .await
        .unwrap()
        .unwrap();
    assert!(usage.reached());
    assert!(
        usage
            .told(&policy)
            .starts_with("you have used 2.0 of 2 hours in all (group Contractors)"),
        "{}",
        usage.told(&policy)
    );
}

async fn set(api: &Api, name: &str, value: Value) {
    let path = format!("/api/v1/groups/{ALL_USERS}/settings/{name}");
    let body = Some(json!({ "value": value }));
    let (status, problem) = api.call(&api.admin, Method::PUT, &path, body).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_policy_forbids_is_refused_and_told() {
    let api = Api::start().await;
    set(&api, "allow_kasm_clipboard_down", json!(false)).await;
    set(&api, "clipboard_up_size", json!(100)).await;
    set(&api, "allow_kasm_stop", json!(false)).await;
    set(&api, "max_kasms_per_workspace", json!(1)).await;
    set(&api, "idle_disconnect", json!(3)).await;
    set(
        &api,
        "run_config",
        json!({ "environment": { "TEAM": "blue" } }),
    )
    .await;
    let terminal = api.workspace("Terminal").await;
    let wish = json!({ "workspace_id": terminal });
    let session = api
        .ok(Method::POST, "/api/v1/sessions", Some(wish.clone()))
        .await;
    let id = session["id"].as_str().unwrap();
    let session = api.until_state(id, "running").await;
    assert_eq!(
        session["denied"],
        json!([
            { "setting": "allow_kasm_stop", "group": "All Users" },
            { "setting": "allow_kasm_clipboard_down", "group": "All Users" },
        ])
    );
    let spec = api.stack.agent().spec(id.parse().unwrap()).unwrap();
    assert_eq!(spec.environment["TEAM"], "blue");

    let context_id: SessionId = id.parse().unwrap();
    let connect = api
        .ok(
            Method::POST,
            &format!("/api/v1/sessions/{id}/connect"),
            None,
        )
        .await;
    assert_eq!(
        (&connect["clipboard_down"], &connect["clipboard_up"]),
        (&json!(false), &json!(true))
    );
    let ticket = connect["ticket"].as_str().unwrap();
    let grant = api
        .stack
        .control
        .tickets()
        .verifier()
        .unwrap()
        .verify(ticket)
        .unwrap();
    assert_eq!(
        (
            grant.session_id,
            grant.clipboard_up_max,
            grant.idle_disconnect
        ),
        (context_id, 100, 180)
    );

    // The tile says it before, and the server refuses it.
    let list = api.ok(Method::GET, "/api/v1/workspaces", None).await;
    let tile = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|w| w["id"] == terminal.as_str())
        .unwrap();
    assert_eq!(tile["available"], false);
    let reason = tile["unavailable_reason"].as_str().unwrap();
    assert!(
        reason.starts_with("you have 1 session of this workspace and may have 1 (group All Users)"),
        "{reason}"
    );
    let (status, problem) = api
        .call(&api.user, Method::POST, "/api/v1/sessions", Some(wish))
        .await;
    assert_eq!(
        (status, &problem["detail"]),
        (StatusCode::CONFLICT, &json!(reason))
    );

    let stop = format!("/api/v1/sessions/{id}/stop");
    let (status, problem) = api.call(&api.user, Method::POST, &stop, None).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("group All Users"),
        "{problem}"
    );
    let (status, _) = api.call(&api.admin, Method::POST, &stop, None).await;
    assert_eq!(status, StatusCode::OK, "an administrator may");
}

/// A session keeps what it was launched with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_holds_for_the_next_session() {
    let api = Api::start().await;
    let wish = json!({ "workspace_id": api.workspace("Terminal").await });
    let session = api.ok(Method::POST, "/api/v1/sessions", Some(wish)).await;
    let id = session["id"].as_str().unwrap();
    api.until_state(id, "running").await;
    set(&api, "allow_kasm_delete", json!(false)).await;
    let path = format!("/api/v1/sessions/{id}");
    let (status, problem) = api.call(&api.user, Method::DELETE, &path, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{problem}");
}

/// What is taken away from a group is taken from its members at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permissions_that_are_taken_away_end_at_once() {
    let api = Api::start().await;
    let all_users = format!("/api/v1/groups/{ALL_USERS}");
    let give = async |permissions: Value| {
        let body = Some(json!({ "permissions": permissions }));
        let (status, problem) = api.call(&api.admin, Method::PATCH, &all_users, body).await;
        assert_eq!(status, StatusCode::OK, "{problem}");
    };
    give(json!(["user", "sessions_view"])).await;
    let answer = api
        .raw(&api.user, Method::GET, "/api/v1/events?all=true", None)
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    let mut body = answer.into_body();
    let wish = json!({ "workspace_id": api.workspace("Terminal").await });
    let session = api
        .ok(Method::POST, "/api/v1/sessions", Some(wish.clone()))
        .await;
    let path = format!("/api/v1/sessions/{}", session["id"].as_str().unwrap());

    give(json!([])).await;
    let end = tokio::time::timeout(Duration::from_secs(2), async {
        while body.frame().await.is_some() {}
    });
    assert!(end.await.is_ok(), "everybody's events are still told");
    for (method, path, body) in [
        (Method::GET, path.as_str(), None),
        (Method::POST, "/api/v1/sessions", Some(wish)),
    ] {
        let (status, problem) = api.call(&api.user, method, path, body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
        let told = problem["detail"].as_str().unwrap();
        assert!(told.contains("permission user"), "{told}");
    }
    let (status, _) = api.call(&api.admin, Method::GET, &path, None).await;
    assert_eq!(status, StatusCode::OK);
}
