//! The Kasm-compatible calls on sessions: their shapes, and a client that others wrote.

use crate::api::Api;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{net::TcpListener, process::Command};

async fn running(api: &Api, credentials: &Value, kasm: &Value) -> Value {
    for _ in 0..500 {
        let mut body = credentials.clone();
        body["kasm_id"] = kasm["kasm_id"].clone();
        body["user_id"] = kasm["user_id"].clone();
        let (status, answer) = api.with_key("/api/public/get_kasm_status", body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(
            answer["error_message"],
            Value::Null,
            "while it starts too: {answer}"
        );
        assert!(
            answer["kasm"].is_object() && answer["kasm_url"].is_string(),
            "{answer}"
        );
        if answer["operational_status"] == "running" {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never ran");
}

/// `curl -X POST …/request_kasm -H "Authorization: Bearer …" -d '{"image_id": …}'`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bearer_token_is_enough() {
    let api = Api::start().await;
    let image = api.workspace("Terminal").await.replace('-', "");
    let body = json!({ "image_id": image, "enable_sharing": false });
    let kasm = api
        .ok(Method::POST, "/api/public/request_kasm", Some(body))
        .await;
    assert_eq!(
        (&kasm["status"], &kasm["username"]),
        (&json!("starting"), &json!("user@kasm.local"))
    );
    for id in ["kasm_id", "user_id"] {
        let id = kasm[id].as_str().unwrap();
        assert!(id.len() == 32 && !id.contains('-'), "{id}");
    }
    let url = format!(
        "/#/connect/kasm/{}/{}/{}",
        kasm["kasm_id"].as_str().unwrap(),
        kasm["user_id"].as_str().unwrap(),
        kasm["session_token"].as_str().unwrap()
    );
    assert_eq!(kasm["kasm_url"], url);
    // Whoever follows the link is signed in.
    let token = json!({ "token": kasm["session_token"] });
    let (status, answer) = api
        .call("", Method::POST, "/api/v1/auth/token-login", Some(token))
        .await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let list = api.ok(Method::GET, "/api/public/get_kasms", None).await;
    assert_eq!(
        list["kasms"][0]["kasm_id"], kasm["kasm_id"],
        "one spelling everywhere"
    );
    let one = json!({ "kasm_id": kasm["kasm_id"] });
    let gone = api
        .ok(Method::POST, "/api/public/destroy_kasm", Some(one.clone()))
        .await;
    assert_eq!(gone, json!({}));
    let (_, answer) = api
        .call(
            &api.user,
            Method::POST,
            "/api/public/get_kasm_status",
            Some(one),
        )
        .await;
    assert!(answer["error_message"].is_string(), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_key_does_all_of_it() {
    let api = Api::start().await;
    let (key, secret) = api.api_key().await;
    let credentials = json!({ "api_key": key, "api_key_secret": secret });
    let with = |more: Value| {
        let mut body = credentials.clone();
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let (_, users) = api.with_key("/api/public/get_users", with(json!({}))).await;
    let user = users["users"]
        .as_array()
        .unwrap()
        .iter()
        .find(|u| u["username"] == "user@kasm.local");
    let user_id = user.unwrap()["user_id"].clone();
    let image = api.workspace("Terminal").await;
    let body = with(json!({
        "user_id": user_id, "image_id": image, "enable_sharing": false,
        "kasm_url": "https://example.com/", "environment": { "A": "b" },
        "client_timezone": "Europe/Berlin",
    }));
    let (status, kasm) = api.with_key("/api/public/request_kasm", body).await;
    assert_eq!(status, StatusCode::OK, "{kasm}");
    let status = running(&api, &credentials, &kasm).await;
    let object = &status["kasm"];
    assert_eq!(object["image"]["friendly_name"], "Terminal");
    assert!(object["memory"].is_u64() && object["cores"].is_f64());
    assert_eq!(object["operational_progress"], 100);
    assert_ne!(status["kasm_url"], kasm["kasm_url"], "the token is renewed");
    let id = kasm["kasm_id"].as_str().unwrap().parse().unwrap();
    let environment = api.stack.agent().spec(id).unwrap().environment;
    assert_eq!(environment["LAUNCH_URL"], "https://example.com/");
    assert_eq!(
        (environment["A"].as_str(), environment["TZ"].as_str()),
        ("b", "Europe/Berlin")
    );

    let one = with(json!({ "kasm_id": kasm["kasm_id"], "user_id": user_id }));
    let (_, answer) = api.with_key("/api/public/keepalive", one.clone()).await;
    assert_eq!(answer, json!({ "usage_reached": false }));
    let exec = with(json!({
        "kasm_id": kasm["kasm_id"], "user_id": user_id,
        "exec_config": { "cmd": "bash -c 'echo hi > /tmp/hi'", "user": "root", "environment": {} },
    }));
    let (_, answer) = api.with_key("/api/public/exec_command_kasm", exec).await;
    assert!(
        answer["kasm"].is_object() && answer["current_time"].is_string(),
        "{answer}"
    );
    let (_, exec) = api.stack.agent().execs().pop().unwrap();
    assert_eq!(exec.cmd, ["bash", "-c", "echo hi > /tmp/hi"]);

    let (_, answer) = api.with_key("/api/stop_kasm", one.clone()).await;
    assert_eq!(answer, json!({}));
    api.until_state(kasm["kasm_id"].as_str().unwrap(), "stopped")
        .await;
    let (_, answer) = api.with_key("/api/public/resume_kasm", one.clone()).await;
    assert_eq!(answer, json!({}));
    let listed = with(json!({ "user_id": user_id }));
    let (_, answer) = api.with_key("/api/public/get_user_kasms", listed).await;
    assert_eq!(answer["kasms"].as_array().unwrap().len(), 1);
    let (_, answer) = api.with_key("/api/public/destroy_kasm", one).await;
    assert_eq!(answer, json!({}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_have_the_words_that_clients_know() {
    let api = Api::start().await;
    let (key, secret) = api.api_key().await;
    let image = api.workspace("Terminal").await;
    let with = |more: Value| {
        let mut body = json!({ "api_key": key, "api_key_secret": secret });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let wrong = json!({ "api_key": key, "api_key_secret": "no", "image_id": image });
    let (status, answer) = api.with_key("/api/public/request_kasm", wrong).await;
    assert_eq!(
        (status, &answer["error_message"]),
        (StatusCode::FORBIDDEN, &json!("Unauthorized"))
    );
    let (_, answer) = api
        .with_key("/api/public/request_kasm", with(json!({})))
        .await;
    assert_eq!(answer["error_message"], "No Default Image Found");
    let (_, answer) = api
        .with_key(
            "/api/public/get_kasm_status",
            with(json!({ "kasm_id": "x" })),
        )
        .await;
    assert_eq!(answer["error_message"], "Invalid kasm_id");

    let users = async || api.stack.control.store().users().count().await.unwrap();
    let before = users().await;
    api.stack.cut().await;
    let (_, answer) = api
        .with_key(
            "/api/public/request_kasm",
            with(json!({ "image_id": image })),
        )
        .await;
    let text = answer["error_message"].as_str().unwrap();
    assert!(
        text.starts_with("No resources are available to create the requested Kasm."),
        "{text}"
    );
    assert!(text.contains("agent a1 is not connected"), "{text}");
    assert_eq!(users().await, before, "no anonymous user is left of it");
    api.stack.connect(0).await;
    let (_, kasm) = api
        .with_key(
            "/api/public/request_kasm",
            with(json!({ "image_id": image })),
        )
        .await;
    assert!(
        kasm["username"].as_str().unwrap().starts_with("anon_"),
        "{kasm}"
    );
}

/// A Python with the package `kasm` in it; made once, in the build's own directory.
async fn python() -> PathBuf {
    if let Some(python) = std::env::var_os("PORTHOLE_KASM_PYTHON") {
        return python.into();
    }
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("venv-kasm");
    let python = venv.join("bin/python");
    if run(Command::new(&python).args(["-c", "import kasm"]))
        .await
        .is_err()
    {
        let make = "needs Python 3.10 or later with venv and the package kasm from PyPI; give one in \
                    PORTHOLE_KASM_PYTHON";
        let made = run(Command::new("python3").args(["-m", "venv"]).arg(&venv)).await;
        assert!(made.is_ok(), "{make}: {made:?}");
        let install = ["-m", "pip", "install", "--quiet", "kasm==1.18.1.0"];
        let installed = run(Command::new(&python).args(install)).await;
        assert!(installed.is_ok(), "{make}: {installed:?}");
    }
    python
}

async fn run(command: &mut Command) -> Result<String, String> {
    let output = command.kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_mins(2), output).await;
    let output = output
        .map_err(|_| "it took too long".to_owned())?
        .map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!("{text}{errors}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_package_kasm_drives_a_session() {
    let api = Api::start().await;
    let (key, secret) = api.api_key().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let service = api
        .stack
        .control
        .router()
        .into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    let script = Path::new("tests/sessions/kasm_client.py");
    let mut client = Command::new(python().await);
    client
        .arg(script)
        .env("PORT", port.to_string())
        .env("KEY", key)
        .env("SECRET", secret);
    let said = run(&mut client).await;
    server.abort();
    let said = said.unwrap_or_else(|error| panic!("the client failed:\n{error}"));
    assert!(said.contains("destroyed"), "{said}");
    assert_eq!(api.stack.reserved().await, 0);
}
