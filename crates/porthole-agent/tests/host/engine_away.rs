//! The engine goes away and comes back: its socket is cut by a proxy in between.

use crate::harness::{TestHost, pause, spec, until};
use porthole_wire::agent::{Phase, ServerMessage};
use std::{
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
};

struct Proxy {
    path: PathBuf,
    open: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<UnixStream>>>,
}

impl Proxy {
    fn start(path: &Path) -> Self {
        let proxy = Self {
            path: path.to_owned(),
            open: Arc::new(AtomicBool::new(false)),
            connections: Arc::default(),
        };
        proxy.restore();
        proxy
    }

    fn cut(&self) {
        self.open.store(false, SeqCst);
        let _ = std::fs::remove_file(&self.path);
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
    }

    fn restore(&self) {
        self.open.store(true, SeqCst);
        let listener = UnixListener::bind(&self.path).unwrap();
        let (open, connections) = (self.open.clone(), self.connections.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                if !open.load(SeqCst) {
                    return;
                }
                let Ok(engine) = UnixStream::connect("/var/run/docker.sock") else {
                    return;
                };
                for (from, to) in [(&client, &engine), (&engine, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(std::net::Shutdown::Write);
                    });
                }
                connections.lock().unwrap().extend([client, engine]);
            }
        });
    }
}

#[test]
fn the_engine_may_go_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("engine.sock");
    let proxy = Proxy::start(&socket);
    let mut host = TestHost::start_with(1, |config| {
        config.engine = format!("unix://{}", socket.display());
    });
    let image = host.window_image();
    let session = spec(&image);
    host.wait_warm(1);
    host.tell_run(&session);
    host.wait_running(session.session_id);

    proxy.cut();
    let world = host.wait(20, "the problem", |world| {
        world
            .report
            .as_ref()
            .is_some_and(|report| !report.problems.is_empty())
    });
    let problem = &world.report.unwrap().problems[0];
    assert!(problem.what.contains("does not answer"), "{problem:?}");
    assert_eq!(
        world.sessions[&session.session_id].phase,
        Phase::Running,
        "as far as is known"
    );

    // What is asked for meanwhile is done once it is back.
    let late = spec(&image);
    host.tell_run(&late);
    host.tell(ServerMessage::Remove {
        session_id: session.session_id,
    });
    pause(1500);
    proxy.restore();
    host.wait(30, "no problem", |world| {
        world
            .report
            .as_ref()
            .is_some_and(|report| report.problems.is_empty())
    });
    host.wait(40, "the late one", |world| {
        world
            .sessions
            .get(&late.session_id)
            .is_some_and(|report| report.phase == Phase::Running)
    });
    host.wait(40, "removed", |world| {
        world.removed.contains(&session.session_id)
    });
    host.remove(late.session_id);
    host.wait_clean(1);
}

#[test]
fn an_agent_may_start_before_its_engine() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("engine.sock");
    let proxy = Proxy::start(&socket);
    let mut host = TestHost::start_with(0, |config| {
        config.engine = format!("unix://{}", socket.display());
    });
    let session = spec(&host.window_image());
    host.tell_run(&session);
    host.wait_running(session.session_id);
    proxy.cut();
    host.kill();
    host.run();
    let world = host.wait(20, "a report", |world| {
        world
            .report
            .as_ref()
            .is_some_and(|report| !report.problems.is_empty())
    });
    assert!(
        world.sessions.contains_key(&session.session_id),
        "sessions are known by their claims"
    );
    proxy.restore();
    host.wait(20, "running", |world| {
        world
            .sessions
            .get(&session.session_id)
            .is_some_and(|r| r.container_id.is_some())
    });
    host.wait_running(session.session_id);
    host.remove(session.session_id);
    until(20, "the end", || {
        host.containers("display").is_empty().then_some(())
    });
}
