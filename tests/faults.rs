//! kill -9 of every part at every step; afterwards everything converges and nothing is leaked.

use crate::{
    engine::Engine,
    launch::{nothing_left, reaches, running},
    stack::{Stack, fresh_folder, until},
};
use porthole_client::stream::Stream;
use porthole_model::session::SessionState;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_finds_its_sessions_again() {
    let mut stack = Stack::start("server-killed");
    let user = stack.user().await;
    let session = running(&user, "Terminal").await;
    let container = stack.containers("workspace");
    stack.kill();
    assert_eq!(
        stack.containers("workspace"),
        container,
        "the session goes on without the server"
    );
    stack.start_again();
    // The sign-in is in the store, so the token still works.
    reaches(&user, session.id, SessionState::Running, 30).await;
    let mut stream = until("the stream", 20, || async {
        Stream::open(&user, session.id).await.ok()
    })
    .await;
    stream
        .first_picture(Duration::from_secs(10))
        .await
        .expect("a picture");
    assert_eq!(
        stack.containers("workspace"),
        container,
        "it is the same container"
    );
    user.delete(session.id).await.expect("delete");
    nothing_left(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_sessions_running() {
    let mut stack = Stack::start("ctrl-c");
    let user = stack.user().await;
    let session = running(&user, "Terminal").await;
    assert!(stack.stop().success(), "a clean end");
    assert_eq!(stack.containers("workspace").len(), 1);
    stack.start_again();
    reaches(&user, session.id, SessionState::Running, 30).await;
    user.delete(session.id).await.expect("delete");
    nothing_left(&stack).await;
}

/// The server is killed at growing delays after the click, and after the deletion.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_at_any_step_of_launch_and_delete() {
    let mut stack = Stack::start("any-step");
    for delay in [0, 30, 80, 150, 250, 400, 800] {
        let user = stack.user().await;
        let workspaces = user.workspaces().await.expect("workspaces");
        let terminal = workspaces
            .iter()
            .find(|w| w.name == "Terminal")
            .expect("Terminal");
        let launching = user.launch(terminal.id, 1024, 768);
        let killed = tokio::time::timeout(Duration::from_millis(delay), launching).await;
        if let Ok(Ok(_)) = killed {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        stack.kill();
        stack.start_again();
        // Whatever was accepted comes to run; whatever was not is not there.
        let sessions = user.sessions().await.expect("sessions");
        for session in &sessions {
            reaches(&user, session.id, SessionState::Running, 60).await;
        }
        assert_eq!(
            stack.containers("workspace").len(),
            sessions.len(),
            "after {delay} ms"
        );
        for session in &sessions {
            let deleting = user.delete(session.id);
            let _ = tokio::time::timeout(Duration::from_millis(delay), deleting).await;
        }
        stack.kill();
        stack.start_again();
        for session in user.sessions().await.expect("sessions") {
            let _ = user.delete(session.id).await;
        }
        nothing_left(&stack).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_display_comes_back_and_the_disk_is_kept() {
    let stack = Stack::start("display-killed");
    let user = stack.user().await;
    let session = running(&user, "Terminal").await;
    let mut stream = Stream::open(&user, session.id)
        .await
        .expect("the stream opens");
    stream
        .first_picture(Duration::from_secs(10))
        .await
        .expect("a picture");
    let container = stack.containers("workspace").pop().expect("a workspace");
    stack.engine.output(&[
        "exec",
        &container,
        "sh",
        "-c",
        "echo kept > /home/kasm-user/kept",
    ]);
    let display = display_of(&stack);
    stack.engine.output(&["kill", "--signal", "KILL", &display]);
    let closed = stream
        .closed(Duration::from_secs(5))
        .await
        .expect("the stream ends");
    assert_eq!(closed.code, 4502, "{}", closed.reason);
    // The killed display shows nothing, so a picture is proof that one is back.
    until("a picture of a display that is back", 60, || async {
        let session = user.session(session.id).await.ok()?;
        assert_ne!(session.state, SessionState::Failed, "{:?}", session.failure);
        let mut stream = Stream::open(&user, session.id).await.ok()?;
        stream.first_picture(Duration::from_secs(3)).await.ok()
    })
    .await;
    reaches(&user, session.id, SessionState::Running, 60).await;
    let container = stack.containers("workspace").pop().expect("a workspace");
    assert_eq!(
        stack
            .engine
            .output(&["exec", &container, "cat", "/home/kasm-user/kept"]),
        "kept"
    );
    user.delete(session.id).await.expect("delete");
    nothing_left(&stack).await;
}

/// The display container that a session holds: the one that is not warm.
fn display_of(stack: &Stack) -> String {
    let workspace = stack.containers("workspace").pop().expect("a workspace");
    let id = stack.engine.output(&[
        "inspect",
        "-f",
        "{{index .Config.Labels \"porthole.display\"}}",
        &workspace,
    ]);
    format!("porthole-display-{}", id.replace('-', ""))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_engine_comes_back_and_everything_converges() {
    let folder = fresh_folder("engine");
    let images = ["porthole/display:0.1.0", "porthole/terminal:1.0"];
    let engine = Engine::private(folder, &images);
    let mut stack = Stack::start_with("engine-killed", engine, &[("agent.warm_displays", "1")]);
    let user = stack.user().await;
    let session = running(&user, "Terminal").await;
    // Once while it runs.
    stack.engine.kill_and_restart();
    settle(&stack, &user, session.id).await;
    // Once in the middle of a launch.
    let workspaces = user.workspaces().await.expect("workspaces");
    let terminal = workspaces
        .iter()
        .find(|w| w.name == "Terminal")
        .expect("Terminal");
    let launched = until("a launch to be accepted", 60, || async {
        user.launch(terminal.id, 800, 600).await.ok()
    })
    .await;
    stack.engine.kill_and_restart();
    settle(&stack, &user, launched.id).await;
    for session in user.sessions().await.expect("sessions") {
        user.delete(session.id).await.expect("delete");
    }
    nothing_left(&stack).await;
}

/// Waits until a session either runs again or tells why not, and can then be tried again.
async fn settle(
    _stack: &Stack,
    user: &porthole_client::api::Client,
    id: porthole_model::ids::SessionId,
) {
    let state = until("the session to settle", 120, || async {
        let session = user.session(id).await.ok()?;
        match session.state {
            SessionState::Failed => {
                assert!(
                    session
                        .failure
                        .is_some_and(|failure| !failure.advice.is_empty())
                );
                Some(SessionState::Failed)
            }
            SessionState::Running => {
                let mut stream = Stream::open(user, id).await.ok()?;
                stream.first_picture(Duration::from_secs(3)).await.ok()?;
                Some(SessionState::Running)
            }
            _ => None,
        }
    })
    .await;
    if state == SessionState::Failed {
        let path = format!("/api/v1/sessions/{id}/retry");
        let _: serde_json::Value = user
            .post(&path, serde_json::json!({}))
            .await
            .expect("try again");
        reaches(user, id, SessionState::Running, 120).await;
    }
}
