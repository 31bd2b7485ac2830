//! Whatever users do and whatever breaks, in whatever order: once all is healed, store and agents
//! agree, and once all is deleted, nothing is left.

use crate::stack::{Stack, failure};
use porthole_control::manager::ManagerConfig;
use porthole_model::session::EndReason;
use porthole_testkit::simulated_agent::Behaviour;
use proptest::{prelude::*, test_runner::TestRunner};
use std::time::Duration;

#[derive(Debug, Clone)]
enum Move {
    Request,
    Stop(usize),
    Resume(usize),
    Retry(usize),
    Delete(usize),
    Crash(usize),
    Cut(usize),
    Connect(usize),
    Reboot(usize),
    Lose(usize),
    Late(usize),
    CatchUp(usize),
    Stutter(usize, bool),
    Ignore(usize, bool),
    FailStarts(usize, bool),
    HoldStarts(usize, bool),
    FinishStarts(usize),
    Pass(u64),
    Round,
    RestartServer,
}

fn a_move() -> impl Strategy<Value = Move> {
    let (one, agent) = (0..6usize, 0..2usize);
    prop_oneof![
        6 => Just(Move::Request),
        3 => one.clone().prop_map(Move::Stop),
        3 => one.clone().prop_map(Move::Resume),
        3 => one.clone().prop_map(Move::Retry),
        3 => one.clone().prop_map(Move::Delete),
        2 => one.prop_map(Move::Crash),
        2 => agent.clone().prop_map(Move::Cut),
        3 => agent.clone().prop_map(Move::Connect),
        1 => agent.clone().prop_map(Move::Reboot),
        1 => agent.clone().prop_map(Move::Lose),
        2 => agent.clone().prop_map(Move::Late),
        2 => agent.clone().prop_map(Move::CatchUp),
        1 => (agent.clone(), any::<bool>()).prop_map(|(a, on)| Move::Stutter(a, on)),
        1 => (agent.clone(), any::<bool>()).prop_map(|(a, on)| Move::Ignore(a, on)),
        1 => (agent.clone(), any::<bool>()).prop_map(|(a, on)| Move::FailStarts(a, on)),
        1 => (agent.clone(), any::<bool>()).prop_map(|(a, on)| Move::HoldStarts(a, on)),
        2 => agent.prop_map(Move::FinishStarts),
        3 => (1..200u64).prop_map(Move::Pass),
        4 => Just(Move::Round),
        1 => Just(Move::RestartServer),
    ]
}

async fn make(stack: &mut Stack, step: &Move) {
    let sessions = stack.all().await;
    let pick = |index: usize| sessions.get(index).map(|session| session.id);
    let manager = stack.control.manager().clone();
    // Refusals are fine here; what matters is where everything ends.
    match *step {
        Move::Request => drop(stack.request().await),
        Move::Stop(i) => {
            if let Some(id) = pick(i) {
                let _ = manager.stop(id, None).await;
            }
        }
        Move::Resume(i) => {
            if let Some(id) = pick(i) {
                let _ = manager.resume(id, None).await;
            }
        }
        Move::Retry(i) => {
            if let Some(id) = pick(i) {
                let _ = manager.retry(id, None).await;
            }
        }
        Move::Delete(i) => {
            if let Some(id) = pick(i) {
                let _ = manager.delete(id, EndReason::User, None).await;
            }
        }
        Move::Crash(i) => {
            if let Some(id) = pick(i) {
                stack
                    .agents
                    .iter()
                    .for_each(|(_, agent)| agent.crash(id, failure("x")));
            }
        }
        Move::Cut(a) => stack.agents[a].1.disconnect(),
        Move::Connect(a) => stack.connect(a).await,
        Move::Reboot(a) => stack.agents[a].1.reboot(),
        Move::Lose(a) => stack.agents[a].1.lose_containers(),
        Move::Late(a) => stack.agents[a].1.behave(|b| b.late = true),
        Move::CatchUp(a) => stack.agents[a].1.catch_up(),
        Move::Stutter(a, on) => stack.agents[a].1.behave(|b| b.stutter = on),
        Move::Ignore(a, on) => stack.agents[a].1.behave(|b| b.ignore = on),
        Move::FailStarts(a, on) => {
            stack.agents[a]
                .1
                .behave(|b| b.fail_starts = on.then(|| failure("no")));
        }
        Move::HoldStarts(a, on) => stack.agents[a].1.behave(|b| b.hold_starts = on),
        Move::FinishStarts(a) => stack.agents[a].1.finish_starts(),
        Move::Pass(seconds) => stack.clock.advance(Duration::from_secs(seconds)),
        Move::Round => manager.round().await.unwrap(),
        Move::RestartServer => stack.restart_server().await,
    }
    let loads = stack.control.store().agents().loads().await.unwrap();
    for load in loads {
        let name = &load.agent.name;
        assert!(
            load.reserved.cores.0 <= 2000,
            "{name} is overbooked: {:?}",
            load.reserved
        );
    }
}

async fn end(stack: &Stack) {
    for (_, agent) in &stack.agents {
        agent.behave(|b| *b = Behaviour::default());
        agent.catch_up();
    }
    stack.reconnect().await;
    for _ in 0..3 {
        stack
            .agents
            .iter()
            .for_each(|(_, agent)| agent.finish_starts());
        stack.clock.advance(Duration::from_secs(6));
        stack.control.manager().round().await.unwrap();
    }
    // What was held when the behaviour changed is released as it comes.
    let helper = async {
        loop {
            stack
                .agents
                .iter()
                .for_each(|(_, agent)| agent.finish_starts());
            stack.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    };
    tokio::select! {
        () = stack.settle() => {}
        () = helper => {}
    }
    let holding = stack
        .all()
        .await
        .iter()
        .filter(|s| s.state.holds_resources())
        .count() as u32;
    assert_eq!(
        stack.reserved().await,
        holding * 1000,
        "reservations are those of sessions"
    );
    stack.clean().await;
}

#[test]
fn once_healed_everything_agrees() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(24);
    let config = ProptestConfig {
        cases,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(&proptest::collection::vec(a_move(), 1..40), |moves| {
            runtime.block_on(async {
                let mut stack = Stack::with(ManagerConfig::default(), &[2000, 2000]).await;
                for step in &moves {
                    make(&mut stack, step).await;
                }
                end(&stack).await;
            });
            Ok(())
        })
        .unwrap();
}
