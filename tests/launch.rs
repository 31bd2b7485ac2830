//! From a click to nothing left.

use crate::stack::{Stack, until};
use porthole_client::{api::Client, stream::Stream};
use porthole_model::session::SessionState;
use std::time::Duration;

/// Launches a workspace by its name and waits until it runs.
pub async fn running(client: &Client, name: &str) -> porthole_client::api::Session {
    let workspaces = client.workspaces().await.expect("workspaces");
    let workspace = workspaces
        .iter()
        .find(|workspace| workspace.name == name)
        .unwrap_or_else(|| panic!("{name} is not among {workspaces:?}"));
    let session = client
        .launch(workspace.id, 1280, 720)
        .await
        .expect("launch");
    reaches(client, session.id, SessionState::Running, 60).await
}

/// Waits until a session is in a state; a failure that was not asked for ends the wait.
pub async fn reaches(
    client: &Client,
    id: porthole_model::ids::SessionId,
    state: SessionState,
    seconds: u64,
) -> porthole_client::api::Session {
    until(&format!("session {state}"), seconds, || async {
        let session = client.session(id).await.ok()?;
        assert!(
            session.state == state || session.state != SessionState::Failed,
            "the session failed: {:?}",
            session.failure
        );
        (session.state == state).then_some(session)
    })
    .await
}

/// Waits until nothing of any session is left: containers, sockets, reservations.
pub async fn nothing_left(stack: &Stack) {
    until("the containers to go", 60, || async {
        stack.containers("workspace").is_empty().then_some(())
    })
    .await;
    let admin = stack.admin().await;
    until("the reservations to go", 30, || async {
        let agents: serde_json::Value = admin.get("/api/v1/agents").await.ok()?;
        let none = agents["items"].as_array()?.iter().all(|agent| {
            agent["reserved"]["cores"].as_f64() == Some(0.0)
                && agent["reserved"]["memory_bytes"].as_u64() == Some(0)
        });
        none.then_some(())
    })
    .await;
    // What is left of displays are the warm ones, each with a folder and without a claim.
    until("claims to go", 30, || async {
        let displays = std::fs::read_dir(stack.folder.join("agent/displays")).ok()?;
        let claimed = displays
            .flatten()
            .any(|folder| folder.path().join("claim").exists());
        (!claimed).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn click_to_desktop_to_nothing() {
    let stack = Stack::start("launch");
    let user = stack.user().await;
    let session = running(&user, "Terminal").await;
    let mut stream = Stream::open(&user, session.id)
        .await
        .expect("the stream opens");
    let first = stream
        .first_picture(Duration::from_secs(10))
        .await
        .expect("a picture");
    assert_eq!(
        (first.width, first.height),
        (1280, 720),
        "the size that was asked for"
    );
    let container = stack.containers("workspace").pop().expect("one container");
    until("a picture with a terminal in it", 20, || async {
        let colours = stack_colours(&user, session.id).await?;
        (colours > 2).then_some(())
    })
    .await;
    stream
        .type_text("echo through-the-stream > /home/kasm-user/proof\n")
        .await
        .expect("typing");
    until("the typed command's file", 20, || async {
        let output = stack
            .engine
            .docker()
            .args(["exec", &container, "cat", "/home/kasm-user/proof"])
            .output()
            .ok()?;
        (output.stdout == b"through-the-stream\n").then_some(())
    })
    .await;
    user.delete(session.id).await.expect("delete");
    let closed = stream
        .closed(Duration::from_secs(5))
        .await
        .expect("the stream ends with the session");
    assert_eq!(closed.code, 4410, "{}", closed.reason);
    nothing_left(&stack).await;
}

/// How many kilobytes of JPEG a thumbnail has: a blank screen has one or two.
async fn stack_colours(user: &Client, id: porthole_model::ids::SessionId) -> Option<usize> {
    let picture = user
        .bytes(&format!(
            "/api/v1/sessions/{id}/thumbnail?width=640&height=360"
        ))
        .await
        .ok()?;
    Some(picture.len() / 1024)
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_and_resumed_with_its_disk() {
    let stack = Stack::start("resume");
    let user = stack.user().await;
    let session = running(&user, "Terminal").await;
    let container = stack.containers("workspace").pop().expect("one container");
    stack.engine.output(&[
        "exec",
        &container,
        "sh",
        "-c",
        "echo kept > /home/kasm-user/kept",
    ]);
    let path = format!("/api/v1/sessions/{}", session.id);
    let _: serde_json::Value = user
        .post(&format!("{path}/stop"), serde_json::json!({}))
        .await
        .expect("stop");
    reaches(&user, session.id, SessionState::Stopped, 60).await;
    assert_eq!(
        stack
            .engine
            .output(&["inspect", "-f", "{{.State.Running}}", &container]),
        "false"
    );
    let _: serde_json::Value = user
        .post(&format!("{path}/resume"), serde_json::json!({}))
        .await
        .expect("resume");
    reaches(&user, session.id, SessionState::Running, 60).await;
    assert_eq!(
        stack
            .engine
            .output(&["exec", &container, "cat", "/home/kasm-user/kept"]),
        "kept"
    );
    let mut stream = Stream::open(&user, session.id)
        .await
        .expect("the stream opens");
    stream
        .first_picture(Duration::from_secs(10))
        .await
        .expect("a picture");
    user.delete(session.id).await.expect("delete");
    nothing_left(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_users_session_is_out_of_reach() {
    let stack = Stack::start("others");
    let user = stack.user().await;
    let session = running(&user, "Terminal").await;
    let admin = stack.admin().await;
    let other: serde_json::Value = admin
        .post(
            "/api/v1/users",
            serde_json::json!({ "username": "other@kasm.local", "password": "other-password-1" }),
        )
        .await
        .expect("another user");
    assert!(other["id"].is_string());
    let other = stack
        .client()
        .login("other@kasm.local", "other-password-1")
        .await
        .expect("login");
    for refused in [
        other.session(session.id).await.err(),
        other.connect(session.id).await.err(),
        other.delete(session.id).await.err(),
    ] {
        assert!(
            matches!(
                refused,
                Some(porthole_client::ClientError::Refused { status: 404, .. })
            ),
            "{refused:?}"
        );
    }
    // Inside the session, neither the stream's socket nor the engine can be found.
    let container = stack.containers("workspace").pop().expect("one container");
    let found = stack.engine.output(&[
        "exec", &container, "sh", "-c",
        "find / -xdev -name 'display.sock' -o -xdev -name 'docker.sock' 2>/dev/null; ls /run/porthole 2>/dev/null; true",
    ]);
    assert_eq!(found, "");
    user.delete(session.id).await.expect("delete");
    nothing_left(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_out_cuts_the_running_stream_within_two_seconds() {
    let stack = Stack::start("revoke");
    let user = stack.user().await;
    let session = running(&user, "Terminal").await;
    let mut stream = Stream::open(&user, session.id)
        .await
        .expect("the stream opens");
    stream
        .first_picture(Duration::from_secs(10))
        .await
        .expect("a picture");
    let _: serde_json::Value = user
        .post("/api/v1/auth/logout-everywhere", serde_json::json!({}))
        .await
        .expect("sign out");
    let closed = stream
        .closed(Duration::from_secs(2))
        .await
        .expect("cut within two seconds");
    assert_eq!(closed.code, 4403, "{}", closed.reason);
    stack.user().await.delete(session.id).await.expect("delete");
    nothing_left(&stack).await;
}
