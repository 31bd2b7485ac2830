//! The container engine as a bystander sees it: through its own command line.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// An engine's address, and its process where the test owns it.
pub struct Engine {
    socket: PathBuf,
    own: Option<OwnEngine>,
}

struct OwnEngine {
    folder: PathBuf,
    process: Child,
}

impl Engine {
    /// The engine that the machine's own set-up started.
    pub fn of_the_machine() -> Self {
        Self {
            socket: PathBuf::from("/var/run/docker.sock"),
            own: None,
        }
    }

    /// A second engine for a test that kills it; images are copied from the machine's.
    pub fn private(folder: PathBuf, images: &[&str]) -> Self {
        std::fs::create_dir_all(&folder).expect("the engine's folder");
        let socket = folder.join("docker.sock");
        let process = start_engine(&folder);
        let engine = Self {
            socket,
            own: Some(OwnEngine { folder, process }),
        };
        engine.wait_until_it_answers();
        let mut save = Command::new("docker")
            .arg("save")
            .args(images)
            .stdout(Stdio::piped())
            .spawn()
            .expect("docker save");
        let loaded = engine
            .docker()
            .arg("load")
            .stdin(save.stdout.take().expect("the images"))
            .stdout(Stdio::null())
            .status()
            .expect("docker load");
        let saved = save.wait().expect("docker save ends");
        assert!(
            saved.success() && loaded.success(),
            "the images were not copied"
        );
        engine
    }

    pub fn url(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// `docker` against this engine.
    pub fn docker(&self) -> Command {
        let mut command = Command::new("docker");
        command.args(["--host", &self.url()]);
        command
    }

    /// What a `docker` command prints.
    pub fn output(&self, arguments: &[&str]) -> String {
        let output = self.docker().args(arguments).output().expect("docker runs");
        assert!(
            output.status.success(),
            "docker {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub fn containers(&self, filters: &[String]) -> Vec<String> {
        let mut arguments = vec!["ps", "-a", "--format", "{{.Names}}"];
        for filter in filters {
            arguments.extend(["--filter", filter]);
        }
        self.output(&arguments).lines().map(str::to_owned).collect()
    }

    pub fn remove_containers(&self, filter: &str) {
        let Ok(list) = self
            .docker()
            .args(["ps", "-aq", "--filter", filter])
            .output()
        else {
            return;
        };
        let ids = String::from_utf8_lossy(&list.stdout);
        if !ids.trim().is_empty() {
            let _ = self
                .docker()
                .args(["rm", "-f"])
                .args(ids.split_whitespace())
                .output();
        }
    }

    /// kill -9 of the engine, then a new one on the same data.
    pub fn kill_and_restart(&mut self) {
        let own = self
            .own
            .as_mut()
            .expect("only an engine of the test's own is killed");
        own.process.kill().expect("kill");
        own.process.wait().expect("wait");
        wait_for_containerd_to_go(&own.folder);
        own.process = start_engine(&own.folder);
        self.wait_until_it_answers();
    }

    fn wait_until_it_answers(&self) {
        let started = Instant::now();
        while !self
            .docker()
            .arg("info")
            .output()
            .is_ok_and(|output| output.status.success())
        {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "the test's engine does not answer"
            );
            // No event to await: the engine tells nobody when it is ready.
            #[expect(
                clippy::disallowed_methods,
                reason = "bounded; another process's start"
            )]
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(own) = &mut self.own {
            let running = Command::new("docker")
                .args([
                    "--host",
                    &format!("unix://{}", self.socket.display()),
                    "ps",
                    "-aq",
                ])
                .output();
            if let Ok(running) = running {
                let ids = String::from_utf8_lossy(&running.stdout).into_owned();
                let _ = Command::new("docker")
                    .args([
                        "--host",
                        &format!("unix://{}", self.socket.display()),
                        "rm",
                        "-f",
                    ])
                    .args(ids.split_whitespace())
                    .output();
            }
            crate::stack::signal(own.process.id(), "TERM");
            let _ = own.process.wait();
            let _ = std::fs::remove_dir_all(&own.folder);
        }
    }
}

/// The killed engine takes its containerd along; a new one that finds the old one's process dying
/// takes it for alive and waits in vain.
fn wait_for_containerd_to_go(folder: &std::path::Path) {
    let file = folder.join("exec/containerd/containerd.pid");
    let Ok(pid) = std::fs::read_to_string(&file) else {
        return;
    };
    // One that ended has no words left, even while nobody has taken note of its end.
    let words = PathBuf::from("/proc").join(pid.trim()).join("cmdline");
    let started = Instant::now();
    while std::fs::read(&words).is_ok_and(|words| !words.is_empty()) {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "the killed engine's containerd stays"
        );
        #[expect(clippy::disallowed_methods, reason = "bounded; another process's end")]
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = std::fs::remove_file(file);
}

fn start_engine(folder: &std::path::Path) -> Child {
    let at = |name: &str| folder.join(name).display().to_string();
    // A pid file of a killed engine would keep the next from starting.
    let _ = std::fs::remove_file(folder.join("docker.pid"));
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("dockerd.log"))
        .expect("the engine's log");
    // In a network namespace of its own: `--bridge none` takes the host's docker0 away, and with it
    // the network of every other container.
    Command::new("unshare")
        .args(["--net", "--", "dockerd"])
        .args(["--host", &format!("unix://{}", at("docker.sock"))])
        .args([
            "--data-root",
            &at("data"),
            "--exec-root",
            &at("exec"),
            "--pidfile",
            &at("docker.pid"),
        ])
        .args(["--bridge", "none", "--iptables=false", "--ip6tables=false"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("dockerd starts; it needs root")
}
