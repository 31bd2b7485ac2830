//! A whole Porthole on a free port, with a data directory and an engine label of its own.

use crate::engine::Engine;
use porthole_client::{api::Client, trust::Trust};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

pub const ADMIN: &str = "admin@kasm.local";
pub const USER: &str = "user@kasm.local";
pub const ADMIN_PASSWORD: &str = "admin-password-1";
pub const USER_PASSWORD: &str = "user-password-1";

/// The server's process and all that belongs to it.
pub struct Stack {
    pub folder: PathBuf,
    pub base: String,
    pub engine: Engine,
    settings: Vec<(String, String)>,
    server: Child,
}

/// A folder that is unique to this test.
pub fn fresh_folder(name: &str) -> PathBuf {
    let unique = porthole_model::ids::RequestId::new().simple();
    let folder = std::env::temp_dir().join(format!("porthole-test-{name}-{unique}"));
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

impl Stack {
    /// Starts with the machine's engine.
    pub fn start(name: &str) -> Self {
        Self::start_with(
            name,
            Engine::of_the_machine(),
            &[("agent.warm_displays", "1")],
        )
    }

    pub fn start_with(name: &str, engine: Engine, settings: &[(&str, &str)]) -> Self {
        let folder = fresh_folder(name);
        let settings: Vec<_> = settings
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let (server, base) = spawn(&folder, "127.0.0.1:0", &engine, &settings);
        Self {
            folder,
            base,
            engine,
            settings,
            server,
        }
    }

    /// Ends the server without a chance to clean up.
    pub fn kill(&mut self) {
        self.server.kill().expect("the server can be killed");
        self.server.wait().expect("the server ends");
    }

    /// Starts it again where it was.
    pub fn start_again(&mut self) {
        let address = self
            .base
            .trim_start_matches("https://")
            .replace("localhost", "127.0.0.1");
        let (server, base) = spawn(&self.folder, &address, &self.engine, &self.settings);
        (self.server, self.base) = (server, base);
    }

    /// Asks it to stop, as Ctrl-C does, and waits.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        signal(self.server.id(), "INT");
        wait_for_end(&mut self.server, Duration::from_secs(20))
    }

    pub async fn user(&self) -> Client {
        self.client()
            .login(USER, USER_PASSWORD)
            .await
            .expect("the user signs in")
    }

    pub async fn admin(&self) -> Client {
        self.client()
            .login(ADMIN, ADMIN_PASSWORD)
            .await
            .expect("the administrator signs in")
    }

    pub fn client(&self) -> Client {
        Client::new(&self.base, Trust::Anyone).expect("a client")
    }

    /// The id of the local agent: the label on its containers.
    pub fn agent_id(&self) -> String {
        std::fs::read_to_string(self.folder.join("agent/id"))
            .expect("the agent's id")
            .trim()
            .to_owned()
    }

    /// The names of this stack's containers of a role, running or not.
    pub fn containers(&self, role: &str) -> Vec<String> {
        self.engine.containers(&[
            format!("label=porthole.agent={}", self.agent_id()),
            format!("label=porthole.role={role}"),
        ])
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let agent = std::fs::read_to_string(self.folder.join("agent/id")).unwrap_or_default();
        if matches!(self.server.try_wait(), Ok(None)) {
            signal(self.server.id(), "TERM");
            let _ = wait_for_end(&mut self.server, Duration::from_secs(20));
        }
        if !agent.trim().is_empty() {
            self.engine
                .remove_containers(&format!("label=porthole.agent={}", agent.trim()));
        }
        if std::thread::panicking() {
            eprintln!("kept for a look: {}", self.folder.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn spawn(
    folder: &Path,
    listen: &str,
    engine: &Engine,
    settings: &[(String, String)],
) -> (Child, String) {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("server.log"))
        .expect("a log file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_porthole"));
    command
        .arg("serve")
        .arg("--data-dir")
        .arg(folder)
        .args([
            "--listen",
            listen,
            "--set",
            "log.level=info,porthole_agent=debug",
        ])
        .args(["--set", &format!("agent.engine={}", engine.url())])
        .env("PORTHOLE_ADMIN_PASSWORD", ADMIN_PASSWORD)
        .env("PORTHOLE_USER_PASSWORD", USER_PASSWORD)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log);
    for (key, value) in settings {
        command.args(["--set", &format!("{key}={value}")]);
    }
    let mut server = command.spawn().expect("the server's process starts");
    let output = server.stdout.take().expect("its output");
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    let mut seen = Vec::new();
    let address = loop {
        match receive.recv_timeout(Duration::from_secs(30)) {
            Ok(line) => {
                let address = line
                    .split_whitespace()
                    .find(|word| word.starts_with("https://"));
                if let Some(address) = address {
                    break Some(address.to_owned());
                }
                seen.push(line);
            }
            Err(_) => break None,
        }
    };
    if let Some(address) = address {
        return (server, address);
    }
    let _ = server.kill();
    let _ = server.wait();
    let log = std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
    panic!("the server printed no address; output {seen:?}; log:\n{log}");
}

/// Sends a signal by its name.
pub fn signal(pid: u32, name: &str) {
    let done = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
    assert!(
        done.is_ok_and(|status| status.success()),
        "kill -{name} {pid}"
    );
}

fn wait_for_end(child: &mut Child, most: Duration) -> std::process::ExitStatus {
    let pid = child.id();
    let (send, receive) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        // The watchdog makes the wait bounded: a process that does not end is killed.
        scope.spawn(move || {
            if receive.recv_timeout(most) == Err(mpsc::RecvTimeoutError::Timeout) {
                signal(pid, "KILL");
            }
        });
        let status = child.wait().expect("the process ends");
        drop(send);
        status
    })
}

/// Asks again until the answer is there, every 50 ms; there is no event to await across processes.
pub async fn until<T, F, Fut>(what: &str, seconds: u64, mut ask: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(seconds), asking)
        .await
        .unwrap_or_else(|_| panic!("{what} did not happen within {seconds} s"))
}
