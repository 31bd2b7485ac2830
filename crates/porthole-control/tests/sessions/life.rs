//! The life of a session where nothing breaks: what is promised to its user.

use crate::stack::{Stack, failure};
use porthole_control::{
    Event, Revocation,
    manager::{ManagerConfig, Refused},
};
use porthole_model::{
    ids::UserId,
    session::{EndReason, SessionState},
};
use porthole_wire::close::CloseReason;
use std::{collections::HashSet, time::Duration};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_request_to_gone() {
    let stack = Stack::start().await;
    let manager = stack.control.manager();
    let id = stack.running().await;
    let session = stack.find(id).await.unwrap();
    assert!(session.started_at.is_some() && session.container_id.is_some());
    assert_eq!(stack.reserved().await, 1000);
    let spec = stack.agent().spec(id).unwrap();
    assert_eq!((spec.width, spec.resources), (1280, session.resources));

    manager.stop(id, Some("user".into())).await.unwrap();
    stack.until(id, SessionState::Stopped).await;
    assert_eq!(stack.reserved().await, 0, "a stopped session holds nothing");
    assert_eq!(
        stack.find(id).await.unwrap().expires_at,
        None,
        "nor does its time run"
    );

    manager.resume(id, Some("user".into())).await.unwrap();
    stack.until(id, SessionState::Running).await;
    assert_eq!(stack.reserved().await, 1000);

    manager
        .delete(id, EndReason::User, Some("user".into()))
        .await
        .unwrap();
    stack.until_gone(id).await;
    assert_eq!(stack.reserved().await, 0);
    assert!(stack.agent().sessions().is_empty());
    let events = stack.events(id).await;
    let expected = [
        "requested",
        "running",
        "stopping",
        "stopped",
        "resumed",
        "running",
        "deleted",
        "removed",
    ];
    assert_eq!(events, expected);
    let history = stack.control.store().sessions().history(id).await.unwrap();
    assert_eq!(history[0].actor.as_deref(), Some("user@kasm.local"));
    assert_eq!(history[7].reason.as_deref(), Some("user"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeating_a_wish_changes_nothing() {
    let stack = Stack::start().await;
    let manager = stack.control.manager();
    let id = stack.running().await;
    manager.resume(id, None).await.unwrap();
    for _ in 0..2 {
        manager.stop(id, None).await.unwrap();
    }
    stack.until(id, SessionState::Stopped).await;
    manager.stop(id, None).await.unwrap();
    let extended = manager.extend(id, None).await;
    assert!(
        matches!(extended, Err(Refused::State { .. })),
        "{extended:?}"
    );
    assert_eq!(
        stack
            .events(id)
            .await
            .iter()
            .filter(|e| *e == "stopping")
            .count(),
        1
    );
    manager.delete(id, EndReason::User, None).await.unwrap();
    stack.until_gone(id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_requests_for_the_last_core_give_one_session() {
    let stack = Stack::with(ManagerConfig::default(), &[1000]).await;
    let requests = (0..20).map(|_| stack.request());
    let answers = futures_util::future::join_all(requests).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(
            refused.to_string(),
            "needs 1.0 cores; agent a1 has 0.0 free of 1.0"
        );
    }
    assert_eq!(stack.reserved().await, 1000);
    stack.settle().await;
    stack.clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_users_limit_holds_against_racing_requests() {
    let stack = Stack::with(ManagerConfig::default(), &[64_000]).await;
    let user = UserId::new();
    let requests = (0..12).map(|_| stack.control.manager().request(stack.launch(user, 500)));
    let answers = futures_util::future::join_all(requests).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 5);
    let refused = answers
        .iter()
        .find_map(|answer| answer.as_ref().err())
        .unwrap();
    assert!(
        refused
            .to_string()
            .starts_with("you have 5 sessions and may have 5"),
        "{refused}"
    );
    assert!(stack.request().await.is_ok(), "another user is not touched");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_gives_the_numbers_of_each_agent() {
    let stack = Stack::with(ManagerConfig::default(), &[2000, 2000]).await;
    let manager = stack.control.manager();
    for _ in 0..2 {
        manager
            .request(stack.launch(UserId::new(), 1500))
            .await
            .unwrap();
    }
    let refused = manager
        .request(stack.launch(UserId::new(), 2000))
        .await
        .unwrap_err();
    let text = "needs 2.0 cores; agent a1 has 0.5 free of 2.0; \
                needs 2.0 cores; agent a2 has 0.5 free of 2.0";
    assert_eq!(refused.to_string(), text);
    stack.cut().await;
    let refused = manager
        .request(stack.launch(UserId::new(), 2000))
        .await
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("agent a1 is not connected; "),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_a_stopped_session_takes_nothing_from_others() {
    let stack = Stack::with(ManagerConfig::default(), &[1000]).await;
    let manager = stack.control.manager();
    let stopped = stack.running().await;
    manager.stop(stopped, None).await.unwrap();
    stack.until(stopped, SessionState::Stopped).await;
    stack.running().await;
    stack.agent().behave(|b| b.ignore = true);
    manager
        .delete(stopped, EndReason::User, None)
        .await
        .unwrap();
    stack.until(stopped, SessionState::Deleting).await;
    assert_eq!(stack.reserved().await, 1000, "only the running one's");
    stack.agent().behave(|b| b.ignore = false);
    // Then the command is repeated.
    stack.clock.advance(Duration::from_secs(10));
    stack.clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_holds_nothing_and_can_be_tried_again() {
    let stack = Stack::start().await;
    let manager = stack.control.manager();
    stack
        .agent()
        .behave(|b| b.fail_starts = Some(failure("The image has no tag")));
    let id = stack.request().await.unwrap().id;
    stack.until(id, SessionState::Failed).await;
    assert_eq!(stack.reserved().await, 0);
    let told = stack.find(id).await.unwrap().failure.unwrap();
    assert_eq!(told, failure("The image has no tag"));
    stack.settle().await;

    stack.agent().behave(|b| b.fail_starts = None);
    manager.retry(id, None).await.unwrap();
    stack.until(id, SessionState::Running).await;
    assert_eq!(stack.find(id).await.unwrap().failure, None);

    stack
        .agent()
        .crash(id, failure("The container ended with code 1"));
    stack.until(id, SessionState::Failed).await;
    manager.delete(id, EndReason::User, None).await.unwrap();
    stack.until_gone(id).await;
    let history = stack.control.store().sessions().history(id).await.unwrap();
    assert_eq!(history.last().unwrap().reason.as_deref(), Some("failed"));
}

/// The failure of the first attempt is still in the agent's reports when the second begins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_failure_does_not_end_the_new_attempt() {
    let stack = Stack::start().await;
    let id = stack.running().await;
    stack.agent().behave(|b| b.late = true);
    stack.agent().crash(id, failure("old"));
    stack.until(id, SessionState::Failed).await;
    stack.control.manager().retry(id, None).await.unwrap();
    // The agent reports the old failure again, and only then reads its commands.
    for _ in 0..3 {
        stack.agent().report();
        stack.control.manager().round().await.unwrap();
    }
    stack.agent().catch_up();
    stack.until(id, SessionState::Running).await;
    assert_eq!(
        stack
            .events(id)
            .await
            .iter()
            .filter(|e| *e == "failed")
            .count(),
        1
    );
    stack.clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lives_while_it_is_viewed_and_an_hour_longer() {
    let stack = Stack::start().await;
    let (viewed, left) = (stack.running().await, stack.running().await);
    stack.agent().viewers(viewed, 1);
    stack
        .wait("the viewer", async || {
            let observed = stack.control.links().observed(stack.agent_id(), viewed);
            observed.is_some_and(|observed| observed.report.viewers == 1)
        })
        .await;
    for _ in 0..4 {
        stack.clock.advance(Duration::from_secs(1000));
        stack.control.manager().round().await.unwrap();
    }
    stack.until_gone(left).await;
    let history = stack
        .control
        .store()
        .sessions()
        .history(left)
        .await
        .unwrap();
    assert_eq!(history.last().unwrap().reason.as_deref(), Some("expired"));
    assert_eq!(
        stack.find(viewed).await.unwrap().state,
        SessionState::Running
    );

    stack.agent().viewers(viewed, 0);
    stack
        .wait("the viewer's leave", async || {
            let observed = stack.control.links().observed(stack.agent_id(), viewed);
            observed.is_some_and(|observed| observed.report.viewers == 0)
        })
        .await;
    stack.clock.advance(Duration::from_mins(50));
    stack
        .control
        .manager()
        .extend(viewed, Some("user".into()))
        .await
        .unwrap();
    stack.clock.advance(Duration::from_mins(50));
    stack.control.manager().round().await.unwrap();
    assert!(stack.find(viewed).await.is_some(), "it was extended");
    stack.clock.advance(Duration::from_secs(601));
    stack.until_gone(viewed).await;
    stack.clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_down_gives_time_to_come_back() {
    let mut stack = Stack::start().await;
    let id = stack.running().await;
    stack.kill_server();
    stack.clock.advance(Duration::from_secs(100_000));
    stack.restart_server().await;
    stack.reconnect().await;
    stack.control.manager().round().await.unwrap();
    assert_eq!(stack.find(id).await.unwrap().state, SessionState::Running);
    stack.clock.advance(Duration::from_secs(301));
    stack.until_gone(id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_listens_is_told() {
    let stack = Stack::start().await;
    let mut events = stack.control.events().subscribe();
    let mut revoked = stack.control.events().subscribe_revocations();
    let id = stack.running().await;
    stack.control.manager().stop(id, None).await.unwrap();
    let cut = tokio::time::timeout(Duration::from_secs(2), revoked.recv()).await;
    let stopped = Revocation::SessionEnded(id, CloseReason::Stopped);
    assert_eq!(
        cut.unwrap().unwrap(),
        stopped,
        "streams are cut when the wish is there"
    );
    stack.until(id, SessionState::Stopped).await;
    stack
        .control
        .manager()
        .delete(id, EndReason::Administrator, None)
        .await
        .unwrap();
    stack.until_gone(id).await;
    let mut seen = HashSet::new();
    while let Ok(event) = events.try_recv() {
        match event {
            Event::Session { session_id, .. } if session_id == id => {
                seen.insert("session");
            }
            Event::SessionGone {
                session_id, reason, ..
            } if session_id == id => {
                assert_eq!(reason, EndReason::Administrator);
                seen.insert("gone");
            }
            _ => {}
        }
    }
    assert_eq!(seen, HashSet::from(["session", "gone"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_is_told_and_counts_as_news() {
    let stack = Stack::start().await;
    stack.agent().behave(|b| b.hold_starts = true);
    let id = stack.request().await.unwrap().id;
    stack.until(id, SessionState::Starting).await;
    for percent in 1..=4 {
        stack.clock.advance(Duration::from_secs(100));
        stack.agent().progress(percent * 20);
        stack
            .wait("progress", async || {
                let observed = stack.control.links().observed(stack.agent_id(), id);
                observed.is_some_and(|o| {
                    format!("{:?}", o.report.phase).contains(&format!("Some({})", percent * 20))
                })
            })
            .await;
        stack.control.manager().round().await.unwrap();
        assert_eq!(stack.find(id).await.unwrap().state, SessionState::Starting);
    }
    stack.clock.advance(Duration::from_secs(121));
    stack.until(id, SessionState::Failed).await;
    let failure = stack.find(id).await.unwrap().failure.unwrap();
    assert!(failure.what.contains("did not start in time"), "{failure}");
    stack.settle().await;
    assert_eq!(stack.reserved().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_user_leaves_no_session() {
    let stack = Stack::start().await;
    let user = UserId::new();
    for _ in 0..2 {
        stack
            .control
            .manager()
            .request(stack.launch(user, 500))
            .await
            .unwrap();
    }
    let other = stack.running().await;
    stack
        .control
        .manager()
        .delete_of_user(user, EndReason::UserDeleted)
        .await
        .unwrap();
    stack
        .wait("the sessions' end", async || stack.all().await.len() == 1)
        .await;
    assert_eq!(stack.all().await[0].id, other);
}
