//! A session's whole life, and that commands can be repeated.

use crate::harness::{TestHost, docker, name, pause, spec, until};
use futures_util::{SinkExt, StreamExt};
use porthole_model::{ids::SessionId, session::LaunchStep};
use porthole_wire::agent::{Access, Phase, ServerMessage};

#[test]
fn a_session_runs_stops_resumes_and_goes() {
    let mut host = TestHost::start(1);
    let session = spec(&host.window_image());
    let id = session.session_id;
    host.wait_warm(1);
    let warm = host.containers("display");
    host.tell_run(&session);
    host.wait_running(id);
    assert_eq!(
        docker(&["exec", &name(id), "sh", "-c", "echo $DISPLAY $GREETING"]),
        ":1 hello"
    );
    let world = host.world();
    let display = world.sessions[&id].display_id.unwrap();
    assert_eq!(
        warm,
        [format!("porthole-display-{}", display.simple())],
        "the warm one was taken"
    );
    let mut steps: Vec<LaunchStep> = world
        .phases
        .iter()
        .filter_map(|(_, phase)| match phase {
            Phase::Starting { progress } => Some(progress.step),
            _ => None,
        })
        .collect();
    steps.dedup();
    assert_eq!(
        steps,
        [LaunchStep::Display, LaunchStep::Start, LaunchStep::Window]
    );

    let jpeg = host.screenshot(id);
    assert!(
        jpeg.starts_with(&[0xff, 0xd8]) && jpeg.len() > 500,
        "{} bytes",
        jpeg.len()
    );

    // A stream speaks RFB and counts as a viewer while it is there.
    host.stream(id, Access::Control, async |mut socket| {
        assert_eq!(
            socket.receive.next().await.unwrap().unwrap(),
            "RFB 003.008\n"
        );
        socket.send.send("RFB 003.008\n".into()).await.unwrap();
        assert_eq!(
            socket.receive.next().await.unwrap().unwrap(),
            [1, 1].as_slice()
        );
        host_viewers(&host, id, 1);
    });
    host_viewers(&host, id, 0);

    // The pool is filled up again.
    host.wait_warm(1);

    // What is on the session's disk outlives a stop.
    host.exec(id, &["touch", "/home/kasm-user/kept"]);
    until(10, "the file", || {
        let found = docker(&["exec", &name(id), "ls", "/home/kasm-user"]);
        found.contains("kept").then_some(())
    });
    host.tell(ServerMessage::Stop { session_id: id });
    host.wait(30, "stopped", |world| world.is(id, &Phase::Stopped));
    host.tell_run(&session);
    host.wait(60, "running again", |world| world.is(id, &Phase::Running));
    assert!(docker(&["exec", &name(id), "ls", "/home/kasm-user"]).contains("kept"));

    host.remove(id);
    host.wait_clean(1);
}

#[track_caller]
fn host_viewers(host: &TestHost, id: SessionId, viewers: u32) {
    until(10, "viewers", || {
        (host.world().sessions[&id].viewers == viewers).then_some(())
    });
}

#[test]
fn a_workspace_has_no_rights_and_no_neighbours() {
    let mut host = TestHost::start(2);
    let image = host.window_image();
    let (one, two) = (spec(&image), spec(&image));
    for session in [&one, &two] {
        host.tell_run(session);
        host.wait_running(session.session_id);
    }
    let one = name(one.session_id);
    let status = docker(&["exec", &one, "cat", "/proc/self/status"]);
    assert!(status.contains("NoNewPrivs:\t1") && status.contains("CapBnd:\t0000000000000000"));
    let two = name(two.session_id);
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let neighbour = docker(&["inspect", "-f", format, &two]);
    docker(&["exec", "-d", &two, "python3", "-m", "http.server", "8000"]);
    let try_it = format!(
        "import socket; s = socket.socket(); s.settimeout(2); print(s.connect_ex(('{neighbour}', 8000)) != 0)"
    );
    until(10, "the server", || {
        let own = try_it.replace(&neighbour, "127.0.0.1");
        (docker(&["exec", &two, "python3", "-c", &own]) == "False").then_some(())
    });
    assert_eq!(
        docker(&["exec", &one, "python3", "-c", &try_it]),
        "True",
        "neighbours are reached"
    );
    // The display's stream is nowhere in reach.
    assert!(!docker(&["exec", &one, "ls", "/run"]).contains("porthole"));
    let limits = docker(&[
        "inspect",
        "-f",
        "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}",
        &one,
    ]);
    assert_eq!(limits, "536870912 1000000000");
}

#[test]
fn running_twice_runs_once() {
    let mut host = TestHost::start(0);
    let session = spec(&host.window_image());
    for _ in 0..20 {
        host.tell_run(&session);
    }
    host.wait_running(session.session_id);
    host.tell_run(&session);
    pause(500);
    assert_eq!(host.containers("workspace").len(), 1);
    assert_eq!(host.containers("display").len(), 1);
    let starts = host
        .world()
        .phases
        .iter()
        .filter(|(_, p)| *p == Phase::Running)
        .count();
    assert_eq!(starts, 1);
    for _ in 0..3 {
        host.remove(session.session_id);
    }
    host.wait_clean(0);
}

#[test]
fn removal_comes_first_whatever_goes_on() {
    let mut host = TestHost::start(1);
    let image = host.window_image();
    for delay in [0, 30, 100, 200, 400, 700, 1200] {
        let session = spec(&image);
        host.tell_run(&session);
        pause(delay);
        host.remove(session.session_id);
        assert!(host.containers("workspace").is_empty(), "after {delay} ms");
    }
    // What never was is gone, too.
    host.remove(SessionId::new());
    host.wait_clean(1);
}

#[test]
fn a_stop_while_starting_can_be_resumed() {
    let mut host = TestHost::start(1);
    let session = spec(&host.window_image());
    let id = session.session_id;
    for delay in [0, 100, 400] {
        host.tell_run(&session);
        pause(delay);
        host.tell(ServerMessage::Stop { session_id: id });
        host.wait(40, "stopped", |world| world.is(id, &Phase::Stopped));
    }
    host.tell_run(&session);
    host.wait(60, "running", |world| world.is(id, &Phase::Running));
    host.remove(id);
    host.wait_clean(1);
}
