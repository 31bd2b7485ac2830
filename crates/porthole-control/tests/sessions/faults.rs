//! Every fault at every step: whatever breaks, nothing is stuck, orphaned or leaked.

use crate::stack::{Stack, failure};
use porthole_control::manager::ManagerConfig;
use porthole_model::{
    ids::SessionId,
    session::{EndReason, SessionState},
};
use porthole_testkit::simulated_agent::Behaviour;
use std::time::Duration;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// The command to run is on its way.
    Requested,
    Starting,
    Running,
    /// The command to stop is on its way.
    Stopping,
    Stopped,
    /// The command to remove is on its way.
    Deleting,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    LinkLost,
    Reboot,
    ContainersLost,
    Stutter,
    ReportsFailure,
    ServerKilled,
    ServerKilledAndReboot,
    ServerKilledAndContainersLost,
}

const STEPS: [Step; 6] = [
    Step::Requested,
    Step::Starting,
    Step::Running,
    Step::Stopping,
    Step::Stopped,
    Step::Deleting,
];

const FAULTS: [Fault; 8] = [
    Fault::LinkLost,
    Fault::Reboot,
    Fault::ContainersLost,
    Fault::Stutter,
    Fault::ReportsFailure,
    Fault::ServerKilled,
    Fault::ServerKilledAndReboot,
    Fault::ServerKilledAndContainersLost,
];

async fn bring_to(stack: &Stack, step: Step) -> SessionId {
    let (agent, manager) = (stack.agent(), stack.control.manager());
    match step {
        Step::Requested => {
            agent.behave(|b| b.late = true);
            stack.request().await.unwrap().id
        }
        Step::Starting => {
            agent.behave(|b| b.hold_starts = true);
            let id = stack.request().await.unwrap().id;
            stack.until(id, SessionState::Starting).await;
            id
        }
        Step::Running => stack.running().await,
        Step::Stopping | Step::Stopped => {
            let id = stack.running().await;
            agent.behave(|b| b.late = matches!(step, Step::Stopping));
            manager.stop(id, None).await.unwrap();
            if matches!(step, Step::Stopped) {
                stack.until(id, SessionState::Stopped).await;
            }
            id
        }
        Step::Deleting => {
            let id = stack.running().await;
            agent.behave(|b| b.late = true);
            manager.delete(id, EndReason::User, None).await.unwrap();
            id
        }
    }
}

async fn strike(stack: &mut Stack, fault: Fault, id: SessionId) {
    match fault {
        Fault::LinkLost => stack.cut().await,
        Fault::Reboot => stack.agent().reboot(),
        Fault::ContainersLost => stack.agent().lose_containers(),
        Fault::Stutter => stack.agent().behave(|b| b.stutter = true),
        Fault::ReportsFailure => stack.agent().crash(id, failure("It broke")),
        Fault::ServerKilled => stack.restart_server().await,
        Fault::ServerKilledAndReboot => {
            stack.kill_server();
            stack.agent().reboot();
            stack.restart_server().await;
        }
        Fault::ServerKilledAndContainersLost => {
            stack.kill_server();
            stack.agent().lose_containers();
            stack.restart_server().await;
        }
    }
}

async fn heal(stack: &Stack) {
    stack.agent().behave(|b| *b = Behaviour::default());
    stack.agent().catch_up();
    stack.agent().finish_starts();
    if !stack.control.links().connected(stack.agent_id()) {
        stack.reconnect().await;
    }
    stack
        .wait("the link", async || {
            stack.control.links().connected(stack.agent_id())
        })
        .await;
    // Commands that got lost are sent again after this.
    stack.clock.advance(Duration::from_secs(6));
    stack.agent().finish_starts();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_at_every_step_heals() {
    for step in STEPS {
        for fault in FAULTS {
            let mut stack = Stack::start().await;
            let id = bring_to(&stack, step).await;
            strike(&mut stack, fault, id).await;
            if matches!(fault, Fault::Reboot) {
                let agent = stack.agent_id();
                stack
                    .wait("the link's end", async || {
                        !stack.control.links().connected(agent)
                    })
                    .await;
            }
            heal(&stack).await;
            stack.settle().await;
            let state = stack.find(id).await.map(|session| session.state);
            check(step, fault, state);
            stack.clean().await;
            println!("{step:?} {fault:?}: {state:?}");
        }
    }
}

/// What its user finds afterwards.
fn check(step: Step, fault: Fault, state: Option<SessionState>) {
    use Fault::{ContainersLost, LinkLost, Reboot, ReportsFailure, ServerKilled, Stutter};
    let story = format!("{fault:?} while {step:?} ended in {state:?}");
    match (step, fault) {
        (Step::Deleting, _) => assert_eq!(state, None, "{story}"),
        (Step::Running | Step::Requested, LinkLost | Reboot | Stutter | ServerKilled) => {
            assert_eq!(state, Some(SessionState::Running), "{story}");
        }
        (Step::Running, ContainersLost | ReportsFailure) => {
            assert_eq!(state, Some(SessionState::Failed), "{story}");
        }
        (Step::Stopping | Step::Stopped, LinkLost | Reboot | Stutter | ServerKilled) => {
            assert_eq!(state, Some(SessionState::Stopped), "{story}");
        }
        _ => assert!(state.is_some(), "{story}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_agent_keeps_its_sessions_and_a_delete_waits_for_it() {
    let stack = Stack::start().await;
    let (kept, deleted) = (stack.running().await, stack.running().await);
    stack.cut().await;
    stack.clock.advance(Duration::from_secs(1000));
    stack.control.manager().round().await.unwrap();
    assert_eq!(stack.find(kept).await.unwrap().state, SessionState::Running);

    stack
        .control
        .manager()
        .delete(deleted, EndReason::User, None)
        .await
        .unwrap();
    assert!(
        stack.find(deleted).await.is_none(),
        "gone for its user at once"
    );
    assert_eq!(stack.reserved().await, 1000);
    assert_eq!(
        stack.agent().sessions().len(),
        2,
        "nobody could tell the agent"
    );

    stack.connect(0).await;
    stack.settle().await;
    assert_eq!(stack.agent().sessions().len(), 1, "told when it came back");
    stack.clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_answers_nothing_stops_no_user() {
    let stack = Stack::start().await;
    let running = stack.running().await;
    stack.agent().behave(|b| b.ignore = true);
    let manager = stack.control.manager();

    let asked = stack.request().await.unwrap().id;
    stack.clock.advance(Duration::from_secs(31));
    stack.until(asked, SessionState::Failed).await;

    manager.stop(running, None).await.unwrap();
    stack.clock.advance(Duration::from_secs(61));
    stack
        .wait("the warning", async || {
            stack
                .find(running)
                .await
                .is_some_and(|session| session.failure.is_some())
        })
        .await;
    assert_eq!(
        stack.find(running).await.unwrap().state,
        SessionState::Stopping
    );
    manager
        .delete(running, EndReason::User, None)
        .await
        .unwrap();
    stack.clock.advance(Duration::from_secs(61));
    stack.until_gone(running).await;

    stack.agent().behave(|b| b.ignore = false);
    stack.clock.advance(Duration::from_secs(6));
    stack.settle().await;
    stack.clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_an_agent_that_is_lost_fails_in_time() {
    let stack = Stack::start().await;
    stack.agent().behave(|b| b.hold_starts = true);
    let id = stack.request().await.unwrap().id;
    stack.until(id, SessionState::Starting).await;
    stack.cut().await;
    stack.clock.advance(Duration::from_secs(121));
    stack.until(id, SessionState::Failed).await;
    let failure = stack.find(id).await.unwrap().failure.unwrap();
    assert!(failure.what.contains("connection was lost"), "{failure}");
    assert!(failure.part.contains("a1"), "{failure}");
    // It comes back with the session running: that one was given up.
    stack.agent().finish_starts();
    stack.connect(0).await;
    stack.settle().await;
    assert!(stack.agent().sessions().is_empty());
    // And again, from the beginning.
    stack.agent().behave(|b| b.hold_starts = false);
    stack.control.manager().retry(id, None).await.unwrap();
    stack.until(id, SessionState::Running).await;
    stack.clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_elsewhere_leaves_nothing_on_the_first_agent() {
    let stack = Stack::with(ManagerConfig::default(), &[4000, 2000]).await;
    stack.agent().behave(|b| b.hold_starts = true);
    let id = stack.request().await.unwrap().id;
    stack.until(id, SessionState::Starting).await;
    assert_eq!(
        stack.find(id).await.unwrap().agent_id,
        Some(stack.agent_id())
    );
    stack.cut().await;
    stack.clock.advance(Duration::from_secs(121));
    stack.until(id, SessionState::Failed).await;
    stack.control.manager().retry(id, None).await.unwrap();
    stack.until(id, SessionState::Running).await;
    assert_eq!(
        stack.find(id).await.unwrap().agent_id,
        Some(stack.agents[1].0)
    );
    stack.connect(0).await;
    stack.settle().await;
    assert!(
        stack.agent().sessions().is_empty(),
        "the first attempt's remains are gone"
    );
    assert_eq!(stack.agents[1].1.sessions().len(), 1);
}
