//! How long a launch takes, and `docker run` of the same image as the floor. Not a test of limits,
//! which depend on the machine: run it alone with `--ignored --nocapture`.

use crate::harness::{TestHost, docker, spec};
use porthole_model::session::LaunchStep;
use porthole_wire::agent::{Phase, ServerMessage};
use std::time::{Duration, Instant};

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

#[test]
#[ignore = "measures"]
fn launch_against_docker_run() {
    const ROUNDS: usize = 9;
    let mut host = TestHost::start(1);
    let image = host.window_image();
    let (mut floor, mut started, mut running) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        host.wait_warm(1);
        crate::harness::pause(3000);
        // The same container without Porthole: same network, limits and rights.
        let begin = Instant::now();
        let network = &host.config.network;
        let limits = [
            "--memory=512m",
            "--memory-swap=512m",
            "--cpus=1",
            "--pids-limit=2048",
        ];
        let rights = ["--cap-drop=ALL", "--security-opt=no-new-privileges"];
        let first = [
            "run",
            "-d",
            "--init",
            "--network",
            network,
            "--entrypoint",
            "sleep",
        ];
        let id = docker(&[&first[..], &limits, &rights, &[&image, "60"]].concat());
        floor.push(begin.elapsed());
        docker(&["rm", "-f", &id]);
        crate::harness::pause(1000);

        let session = spec(&image);
        let id = session.session_id;
        let begin = Instant::now();
        host.tell_run(&session);
        host.wait(60, "started", |world| {
            world
                .sessions
                .get(&id)
                .is_some_and(|report| match &report.phase {
                    Phase::Starting { progress } => progress.step == LaunchStep::Window,
                    phase => *phase == Phase::Running,
                })
        });
        started.push(begin.elapsed());
        host.wait_running(id);
        running.push(begin.elapsed());
        host.tell(ServerMessage::Remove { session_id: id });
        host.wait(60, "removed", |world| world.removed.contains(&id));
    }
    let (floor, started, running) = (median(floor), median(started), median(running));
    println!("docker run          {floor:6.0} ms");
    println!(
        "container started   {started:6.0} ms  {:.2} x",
        started / floor
    );
    println!("first window        {running:6.0} ms");
}
