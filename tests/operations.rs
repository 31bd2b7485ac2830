//! What an administrator does around the server.

use crate::stack::{ADMIN, Stack, signal, until};
use porthole_client::{ClientError, api::Client, files::Files, trust::Trust};
use std::{process::Command, time::Duration};

fn porthole() -> Command {
    Command::new(env!("CARGO_BIN_EXE_porthole"))
}

#[test]
fn config_check_names_what_is_wrong() {
    let folder = crate::stack::fresh_folder("config");
    let file = folder.join("porthole.toml");
    std::fs::write(
        &file,
        "listen = \"0.0.0.0:8443\"\n[agent]\nwarm_display = 3\n",
    )
    .expect("a file");
    let check = || {
        porthole()
            .args(["config", "check", "--config"])
            .arg(&file)
            .output()
            .expect("it runs")
    };
    let output = check();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(
        error.contains("agent.warm_display") && error.contains("porthole.toml"),
        "{error}"
    );
    std::fs::write(
        &file,
        "listen = \"0.0.0.0:8443\"\n[agent]\nwarm_displays = 3\n",
    )
    .expect("a file");
    assert!(check().status.success());
    std::fs::remove_dir_all(folder).expect("cleaning up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_certificate_is_taken_up_without_a_restart() {
    let stack = Stack::start("certificate");
    let folder = stack.folder.join("certs");
    let new = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let fingerprint = {
        use sha2::{Digest, Sha256};
        hex::encode(Sha256::digest(new.cert.der()))
    };
    let pinned = Client::new(&stack.base, Trust::Fingerprint(fingerprint)).expect("a client");
    let before = pinned.get::<serde_json::Value>("/api/__healthcheck").await;
    assert!(
        matches!(before, Err(ClientError::Unreachable { .. })),
        "{before:?}"
    );
    std::fs::write(
        folder.join("kasm_nginx.key"),
        new.signing_key.serialize_pem(),
    )
    .expect("the key");
    std::fs::write(folder.join("kasm_nginx.crt"), new.cert.pem()).expect("the certificate");
    until("the new certificate", 20, || async {
        pinned
            .get::<serde_json::Value>("/api/__healthcheck")
            .await
            .ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_goes_the_whole_way_and_names_what_fails() {
    let mut stack = Stack::start("doctor");
    let doctor = |stack: &Stack| {
        let output = porthole()
            .args(["doctor", "--data-dir"])
            .arg(&stack.folder)
            .args([
                "--listen",
                &stack
                    .base
                    .trim_start_matches("https://")
                    .replace("localhost", "127.0.0.1"),
            ])
            .output()
            .expect("the doctor runs");
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let (well, words) = tokio::task::block_in_place(|| doctor(&stack));
    assert!(
        well && words.contains("through the gateway") && words.contains("All is well"),
        "{words}"
    );
    stack.kill();
    let (well, words) = tokio::task::block_in_place(|| doctor(&stack));
    assert!(!well && words.contains("FAILED  server"), "{words}");
    stack.start_again();
    let admin = stack.admin().await;
    until("the doctor's session to go", 60, || async {
        admin
            .sessions()
            .await
            .expect("sessions")
            .is_empty()
            .then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_on_the_server_and_old_sign_ins_end() {
    let stack = Stack::start("password");
    let old = stack.admin().await;
    for _ in 0..5 {
        let wrong = stack.client().login(ADMIN, "wrong-password").await;
        assert!(matches!(
            wrong,
            Err(ClientError::Refused {
                status: 401 | 423 | 429,
                ..
            })
        ));
    }
    let locked = stack
        .client()
        .login(ADMIN, crate::stack::ADMIN_PASSWORD)
        .await;
    assert!(
        matches!(
            locked,
            Err(ClientError::Refused {
                status: 423 | 429,
                ..
            })
        ),
        "locked after five"
    );
    let output = porthole()
        .args(["user", "password", ADMIN, "--data-dir"])
        .arg(&stack.folder)
        .output()
        .expect("the command runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    let password = words
        .split_whitespace()
        .last()
        .expect("a password")
        .to_owned();
    until("the new password to work", 30, || async {
        stack.client().login(ADMIN, &password).await.ok()
    })
    .await;
    until("the old sign-in to end", 10, || async {
        old.workspaces().await.err()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_check_answers_and_a_second_server_on_the_port_says_what_to_do() {
    let stack = Stack::start("health");
    let health: serde_json::Value = stack
        .client()
        .get("/api/__healthcheck")
        .await
        .expect("healthy");
    assert_eq!(health["ok"], true);
    let address = stack
        .base
        .trim_start_matches("https://")
        .replace("localhost", "127.0.0.1");
    let other = crate::stack::fresh_folder("second");
    let output = porthole()
        .args(["serve", "--listen", &address, "--data-dir"])
        .arg(&other)
        .output()
        .expect("it ends by itself");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(error.contains("PORTHOLE_LISTEN"), "{error}");
    std::fs::remove_dir_all(other).expect("cleaning up");
}

/// The agent as a process of its own, over the network, against a server without one.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_in_its_own_process_runs_sessions_and_survives_kill() {
    let stack = Stack::start_with(
        "remote-agent",
        crate::engine::Engine::of_the_machine(),
        &[("agent.enabled", "false")],
    );
    let admin = stack.admin().await;
    let refused = {
        let workspaces = admin.workspaces().await.expect("workspaces");
        let terminal = workspaces
            .iter()
            .find(|w| w.name == "Terminal")
            .expect("Terminal")
            .id;
        admin.launch(terminal, 800, 600).await
    };
    assert!(
        matches!(refused, Err(ClientError::Refused { status: 409, .. })),
        "{refused:?}"
    );
    let added: serde_json::Value = admin
        .post("/api/v1/agents", serde_json::json!({ "name": "a2" }))
        .await
        .expect("an agent");
    let token = added["token"].as_str().expect("a token").to_owned();
    let mut agent = RemoteAgent::start(&stack, &token);
    connected(&admin, true).await;
    let session = crate::launch::running(&admin, "Terminal").await;
    let mut stream = porthole_client::stream::Stream::open(&admin, session.id)
        .await
        .expect("a stream");
    stream
        .first_picture(Duration::from_secs(10))
        .await
        .expect("a picture");
    agent.kill();
    connected(&admin, false).await;
    agent.start_again(&stack, &token);
    connected(&admin, true).await;
    let mut stream = until("the stream again", 20, || async {
        porthole_client::stream::Stream::open(&admin, session.id)
            .await
            .ok()
    })
    .await;
    stream
        .first_picture(Duration::from_secs(10))
        .await
        .expect("a picture");
    admin.delete(session.id).await.expect("delete");
    until("the container to go", 60, || async {
        agent.containers("workspace").is_empty().then_some(())
    })
    .await;
}

/// Gateway in the server, agent elsewhere, helper in the container: each way, with the agent killed
/// between two halves.
#[tokio::test(flavor = "multi_thread")]
async fn files_go_through_an_agent_in_its_own_process() {
    const UPLOAD: &str = "00112233445566778899aabbccddeeff";
    let stack = Stack::start_with(
        "remote-files",
        crate::engine::Engine::of_the_machine(),
        &[
            ("agent.enabled", "false"),
            ("files.denied_names", "*.refused"),
        ],
    );
    let admin = stack.admin().await;
    let added: serde_json::Value = admin
        .post("/api/v1/agents", serde_json::json!({ "name": "a2" }))
        .await
        .expect("an agent");
    let token = added["token"].as_str().expect("a token").to_owned();
    let mut agent = RemoteAgent::start(&stack, &token);
    connected(&admin, true).await;
    let session = crate::launch::running(&admin, "Terminal").await;

    // More than a window of frames, so that credit goes both ways over the agent's socket.
    let content: Vec<u8> = (0..12_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let (size, half) = (content.len() as u64, content.len() / 2);
    let files = Files::open(&admin, session.id).await.expect("files");
    let first = files
        .upload(UPLOAD, "%C3%A4%0A.bin", size, 0, content[..half].to_vec())
        .await
        .expect("the first half");
    assert_eq!((first.offset, first.path), (half as u64, None));

    agent.kill();
    connected(&admin, false).await;
    agent.start_again(&stack, &token);
    connected(&admin, true).await;
    let files = until("the files again", 20, || async {
        let files = Files::open(&admin, session.id).await.ok()?;
        let there = files.standing(UPLOAD).await.ok()?;
        (there.offset == half as u64).then_some(files)
    })
    .await;
    let rest = content[half..].to_vec();
    let whole = files
        .upload(UPLOAD, "%C3%A4%0A.bin", size, half as u64, rest)
        .await
        .expect("the second half");
    let path = whole.path.expect("it is whole");
    assert_eq!(path, "Uploads/%C3%A4%0A.bin");
    let back = files.download(&path).await.expect("the file");
    assert!(back == content, "byte for byte");
    let refused = files.upload(UPLOAD, "a.refused", 1, 0, vec![0]).await;
    assert!(
        matches!(refused, Err(ClientError::Refused { status: 403, .. })),
        "{refused:?}"
    );

    // What was answered is in the audit log, and stays there when the session is gone.
    admin.delete(session.id).await.expect("delete");
    until("the container to go", 60, || async {
        agent.containers("workspace").is_empty().then_some(())
    })
    .await;
    let told = until("the download's end to be recorded", 20, || async {
        let log: serde_json::Value = admin.get("/api/v1/audit-events").await.ok()?;
        let told: Vec<_> = log["items"]
            .as_array()?
            .iter()
            .map(|event| {
                assert_eq!(event["username"], ADMIN);
                assert_eq!(event["workspace_name"], "Terminal");
                assert_eq!(event["session_id"], session.id.to_string());
                let detail = |name: &str| event["details"][name].as_str().map(str::to_owned);
                let target = event["target"].as_str().map(str::to_owned);
                (detail("direction"), target, detail("outcome"))
            })
            .collect();
        (told.len() >= 3).then_some(told)
    })
    .await;
    let line = |direction: &str, target: &str, outcome: &str| {
        let some = |text: &str| Some(text.to_owned());
        (some(direction), some(target), some(outcome))
    };
    for expected in [
        line("upload", "Uploads/ä\n.bin", "completed"),
        line("download", "Uploads/ä\n.bin", "completed"),
        line("upload", "Uploads/a.refused", "refused"),
    ] {
        assert!(told.contains(&expected), "{expected:?} in {told:?}");
    }
}

async fn connected(admin: &Client, wanted: bool) {
    until("the agent's link", 40, || async {
        let agents: serde_json::Value = admin.get("/api/v1/agents").await.ok()?;
        let agent = agents["items"]
            .as_array()?
            .iter()
            .find(|agent| agent["name"] == "a2")?;
        // One that has just come has not said yet what it offers.
        let offers = agent["offered"]["cores"].as_f64()? > 0.0;
        (agent["connected"] == wanted && (offers || !wanted)).then_some(())
    })
    .await;
}

struct RemoteAgent {
    process: std::process::Child,
    id: String,
}

impl RemoteAgent {
    fn start(stack: &Stack, token: &str) -> Self {
        let process = Self::spawn(stack, token);
        let id = token
            .split('.')
            .nth(1)
            .expect("an id in the token")
            .to_owned();
        let id = id
            .parse::<porthole_model::ids::AgentId>()
            .expect("an id")
            .to_string();
        Self { process, id }
    }

    fn start_again(&mut self, stack: &Stack, token: &str) {
        self.process = Self::spawn(stack, token);
    }

    fn spawn(stack: &Stack, token: &str) -> std::process::Child {
        let folder = stack.folder.join("remote-agent");
        std::fs::create_dir_all(&folder).expect("a folder");
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("log"))
            .expect("a log");
        porthole()
            .args([
                "agent",
                "--server",
                &stack.base,
                "--token",
                token,
                "--data-dir",
            ])
            .arg(&folder)
            .args(["--set", "agent.warm_displays=1"])
            .stderr(log)
            .spawn()
            .expect("the agent starts")
    }

    fn kill(&mut self) {
        self.process.kill().expect("kill");
        self.process.wait().expect("wait");
    }

    fn containers(&self, role: &str) -> Vec<String> {
        crate::engine::Engine::of_the_machine().containers(&[
            format!("label=porthole.agent={}", self.id),
            format!("label=porthole.role={role}"),
        ])
    }
}

impl Drop for RemoteAgent {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            signal(self.process.id(), "KILL");
            let _ = self.process.wait();
        }
        crate::engine::Engine::of_the_machine()
            .remove_containers(&format!("label=porthole.agent={}", self.id));
    }
}
