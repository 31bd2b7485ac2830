//! Ends nobody asked for: of the agent, of containers, of programs.

use crate::harness::{CORE, TestHost, docker, name, pause, spec, until};
use porthole_model::resources::Bytes;
use porthole_wire::agent::{Phase, ServerMessage};

#[test]
fn the_agent_may_be_killed_at_any_step_of_a_launch() {
    let mut host = TestHost::start(1);
    let image = host.window_image();
    for delay in [0, 20, 60, 120, 250, 500, 900] {
        let session = spec(&image);
        let id = session.session_id;
        host.tell_run(&session);
        pause(delay);
        host.kill();
        host.run();
        // The server tells its wishes anew.
        host.tell_run(&session);
        host.wait_running(id);
        assert_eq!(host.containers("workspace"), [name(id)], "after {delay} ms");
        host.remove(id);
        assert!(host.containers("workspace").is_empty(), "after {delay} ms");
    }
    host.wait_clean(1);
}

#[test]
fn the_agent_may_be_killed_at_any_step_of_a_removal() {
    let mut host = TestHost::start(0);
    let image = host.window_image();
    for delay in [0, 20, 60, 150, 300] {
        let session = spec(&image);
        let id = session.session_id;
        host.tell_run(&session);
        host.wait_running(id);
        host.tell(ServerMessage::Remove { session_id: id });
        pause(delay);
        host.kill();
        host.run();
        // A removal that began is gone on with, even if nobody says it again.
        if delay < 100 {
            host.tell(ServerMessage::Remove { session_id: id });
        }
        host.wait_clean(0);
    }
}

#[test]
fn sessions_and_warm_displays_outlive_the_agent() {
    let mut host = TestHost::start(1);
    let image = host.window_image();
    let (running, stopped) = (spec(&image), spec(&image));
    for session in [&running, &stopped] {
        host.tell_run(session);
        host.wait_running(session.session_id);
    }
    host.tell(ServerMessage::Stop {
        session_id: stopped.session_id,
    });
    host.wait(30, "stopped", |w| {
        w.sessions[&stopped.session_id].phase == Phase::Stopped
    });
    until(30, "three displays", || {
        (host.containers("display").len() == 3).then_some(())
    });
    host.wait_warm(1);
    let before = host.containers("display");
    host.kill();
    host.run();
    let world = host.wait(20, "the report", |world| world.report.is_some());
    // Never, not even in the first report, are they left out.
    assert!(world.sessions.contains_key(&running.session_id));
    assert!(world.sessions.contains_key(&stopped.session_id));
    let world = host.wait(20, "all as it was", |world| {
        let phase = |id| world.sessions.get(&id).map(|report| report.phase.clone());
        phase(running.session_id) == Some(Phase::Running)
            && phase(stopped.session_id) == Some(Phase::Stopped)
            && world.sessions[&running.session_id].container_id.is_some()
    });
    assert!(world.sessions[&running.session_id].display_id.is_some());
    assert_eq!(
        host.containers("display"),
        before,
        "the warm display is used again"
    );
    host.remove(running.session_id);
    host.remove(stopped.session_id);
    host.wait_clean(1);
}

#[test]
fn what_is_half_made_or_unknown_is_removed() {
    let mut host = TestHost::start(0);
    host.kill();
    let agent = format!("porthole.agent={}", host.config.agent_id);
    let role = "porthole.role=workspace";
    docker(&[
        "create",
        "--label",
        &agent,
        "--label",
        role,
        "--entrypoint",
        "true",
        CORE,
    ]);
    // Another agent's is none of ours.
    let other = docker(&[
        "create",
        "--label",
        "porthole.agent=other",
        "--entrypoint",
        "true",
        CORE,
    ]);
    let empty = host
        .config
        .runtime_dir
        .join("displays")
        .join(SessionId::new().to_string());
    std::fs::create_dir_all(empty.join("stream")).unwrap();
    host.run();
    host.wait_clean(0);
    docker(&["rm", &other]);
}

#[test]
fn a_program_that_ends_is_a_failure_with_its_last_words() {
    let mut host = TestHost::start(1);
    let image = host.image("echo cannot find my configuration >&2; exit 3");
    let session = spec(&image);
    host.tell_run(&session);
    let failure = host.wait_failed(session.session_id);
    assert!(failure.what.contains("exit code 3"), "{failure:?}");
    assert!(
        failure.advice.contains("cannot find my configuration"),
        "{failure:?}"
    );
    assert!(failure.part.contains(&image), "{failure:?}");
    host.wait_clean(1);
    // It can be tried again, with a better image under the same name.
    host.tell_run(&session);
    host.wait(20, "another try", |world| {
        world
            .phases
            .iter()
            .filter(|(_, p)| matches!(p, Phase::Failed { .. }))
            .count()
            == 2
    });
    host.remove(session.session_id);
}

#[test]
fn a_start_command_that_does_not_exist_is_explained() {
    let mut host = TestHost::start(0);
    let image = host.image("exit 0");
    let file = format!("FROM {image}\nENTRYPOINT [\"/nonexistent\"]\n");
    let path = host.dir().join("Dockerfile");
    std::fs::write(&path, file).unwrap();
    let context = host.dir().join("empty");
    std::fs::create_dir(&context).unwrap();
    docker(&[
        "build",
        "-q",
        "-t",
        &image,
        "-f",
        path.to_str().unwrap(),
        context.to_str().unwrap(),
    ]);
    let session = spec(&image);
    host.tell_run(&session);
    let failure = host.wait_failed(session.session_id);
    assert!(failure.what.contains("could not be started"), "{failure:?}");
    assert!(failure.advice.contains("/nonexistent"), "{failure:?}");
    host.wait_clean(0);
}

#[test]
fn running_out_of_memory_says_so() {
    let mut host = TestHost::start(1);
    let mut session = spec(&host.image("exec tail /dev/zero"));
    session.resources.memory = Bytes::mib(64);
    host.tell_run(&session);
    let failure = host.wait_failed(session.session_id);
    assert!(
        failure.what.contains("memory") && failure.what.contains("64 MiB"),
        "{failure:?}"
    );
    host.wait_clean(1);
}

#[test]
fn a_container_killed_or_removed_from_outside_is_noticed() {
    let mut host = TestHost::start(0);
    let image = host.window_image();
    for how in [["kill", "-s", "KILL"].as_slice(), &["rm", "-f"]] {
        let session = spec(&image);
        host.tell_run(&session);
        host.wait_running(session.session_id);
        docker(&[how, &[&name(session.session_id)]].concat());
        let failure = host.wait_failed(session.session_id);
        let told = ["killed", "removed from outside"]
            .iter()
            .any(|t| failure.what.contains(t));
        assert!(told, "{failure:?}");
        host.wait_clean(0);
        host.remove(session.session_id);
    }
}

#[test]
fn a_display_that_dies_comes_back_with_its_session() {
    let mut host = TestHost::start(0);
    let session = spec(&host.window_image());
    let id = session.session_id;
    host.tell_run(&session);
    host.wait_running(id);
    docker(&["exec", &name(id), "touch", "/home/kasm-user/kept"]);
    let display = host.containers("display").remove(0);
    let seen = host.world().phases.len();
    docker(&["kill", &display]);
    let world = host.wait(60, "running again", |world| {
        let since = &world.phases[seen..];
        since
            .iter()
            .any(|(_, p)| matches!(p, Phase::Starting { .. }))
            && world.is(id, &Phase::Running)
    });
    let told = world.phases[seen..].iter().any(|(_, phase)| match phase {
        Phase::Starting { progress } => progress
            .detail
            .as_deref()
            .is_some_and(|detail| detail.contains("display ended")),
        _ => false,
    });
    assert!(told, "the user sees what happened");
    assert!(docker(&["exec", &name(id), "ls", "/home/kasm-user"]).contains("kept"));
    // Removed, it cannot come back: the container is bound to that very one.
    docker(&["rm", "-f", &display]);
    let failure = host.wait_failed(id);
    assert!(
        failure.what.contains("display was removed from outside"),
        "{failure:?}"
    );
    host.remove(id);
    host.wait_clean(0);
}

#[test]
fn a_warm_display_that_dies_is_replaced() {
    let host = TestHost::start(1);
    host.wait_warm(1);
    let first = host.containers("display");
    docker(&["kill", &first[0]]);
    until(30, "another display", || {
        let now = host.containers("display");
        (now.len() == 1 && now != first).then_some(())
    });
    host.wait_clean(1);
}

use porthole_model::ids::SessionId;
