//! The engine itself is killed: one of the test's own, so that others are left alone.

use crate::harness::{CORE, TestHost, name, spec, until};
use porthole_wire::agent::Phase;
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A Docker daemon of its own, with its own folder, without touching the host's network rules.
struct Daemon {
    dir: PathBuf,
    process: Child,
}

impl Daemon {
    fn start(dir: &Path) -> Self {
        let process = spawn(dir);
        let daemon = Self {
            dir: dir.to_owned(),
            process,
        };
        daemon.ready();
        daemon
    }

    fn ready(&self) {
        until(60, "the daemon", || self.docker(&["version"]).map(|_| ()));
    }

    fn address(&self) -> String {
        format!("unix://{}/docker.sock", self.dir.display())
    }

    fn docker(&self, args: &[&str]) -> Option<String> {
        let output = Command::new("docker")
            .arg("-H")
            .arg(self.address())
            .args(args)
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn restart(&mut self) {
        // Where nobody reaps it, its dead containerd would be taken for a live one.
        for pid in ["pid", "exec/containerd/containerd.pid"] {
            let _ = std::fs::remove_file(self.dir.join(pid));
        }
        self.process = spawn(&self.dir);
        self.ready();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(list) = self.docker(&["ps", "-aq"]) {
            for id in list.lines() {
                self.docker(&["rm", "-fv", id]);
            }
        }
        let networks = self.docker(&["network", "ls", "-q", "--filter", "name=porthole"]);
        for id in networks.unwrap_or_default().lines() {
            self.docker(&["network", "rm", id]);
        }
        // It ends its own containerd with itself when it is asked, not when it is killed.
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").arg(&pid).status();
        let _ = self.process.wait();
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
        let mounts = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for mount in mounts.filter(|mount| Path::new(mount).starts_with(&self.dir)) {
            let _ = Command::new("umount").args(["-l", mount]).status();
        }
    }
}

fn spawn(dir: &Path) -> Child {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(dir.join("log"))
        .unwrap();
    let path = |name: &str| dir.join(name).display().to_string();
    // In a network namespace of its own: `--bridge=none` takes the host's docker0 away, and with it
    // the network of every other container.
    Command::new("unshare")
        .args(["--net", "--", "dockerd"])
        .args(["--data-root", &path("data"), "--exec-root", &path("exec")])
        .args([
            "--pidfile",
            &path("pid"),
            "-H",
            &format!("unix://{}", path("docker.sock")),
        ])
        .args(["--bridge=none", "--iptables=false", "--ip-masq=false"])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("dockerd is installed, and the test runs as root")
}

#[test]
#[ignore = "starts a Docker daemon of its own: needs root and minutes"]
fn sessions_go_on_after_the_engine_was_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(dir.path());
    let host = TestHost::start_with(1, |config| config.engine = daemon.address());
    let display = host.config.display_image.to_string();
    for image in [CORE, display.as_str()] {
        let archive = dir.path().join("image.tar");
        let archive = archive.to_str().unwrap();
        crate::harness::docker(&["save", "-o", archive, image]);
        assert!(daemon.docker(&["load", "-q", "-i", archive]).is_some());
    }
    let file = dir.path().join("Dockerfile");
    let lines = format!("FROM {CORE}\nENTRYPOINT [\"xmessage\", \"porthole\"]\nCMD []\n");
    std::fs::write(&file, lines).unwrap();
    let context = dir.path().join("context");
    std::fs::create_dir(&context).unwrap();
    let (file, context) = (file.to_str().unwrap(), context.to_str().unwrap());
    daemon
        .docker(&["build", "-q", "-t", "window:1", "-f", file, context])
        .unwrap();

    let session = spec("window:1");
    let id = session.session_id;
    host.wait_warm(1);
    host.tell_run(&session);
    host.wait_running(id);
    daemon
        .docker(&["exec", &name(id), "touch", "/home/kasm-user/kept"])
        .unwrap();

    let seen = host.world().phases.len();
    daemon.kill();
    host.wait(30, "the problem", |world| {
        world
            .report
            .as_ref()
            .is_some_and(|report| !report.problems.is_empty())
    });
    // Asked for while it is away: begun when it is back.
    let late = spec("window:1");
    host.tell_run(&late);
    daemon.restart();
    host.wait(60, "no problem", |world| {
        world
            .report
            .as_ref()
            .is_some_and(|report| report.problems.is_empty())
    });
    for session in [&session, &late] {
        host.wait(90, "running", |world| {
            world.is(session.session_id, &Phase::Running)
        });
    }
    let phases = host.world().phases[seen..].to_vec();
    println!("{phases:?}");
    until(60, "the file", || {
        let files = daemon.docker(&["exec", &name(id), "ls", "/home/kasm-user"]);
        files
            .is_some_and(|files| files.contains("kept"))
            .then_some(())
    });
    host.remove(id);
    host.remove(late.session_id);
    until(60, "nothing left but a warm display", || {
        (daemon.docker(&["ps", "-aq"])?.lines().count() == 1).then_some(())
    });
}
