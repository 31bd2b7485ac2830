//! Requests to a control plane with an agent.

use crate::stack::Stack;
use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use porthole_control::{RequestContext, app::first_start::FirstPasswords, manager::ManagerConfig};
use porthole_model::permission::Permission;
use secrecy::ExposeSecret;
use serde_json::Value;
use std::time::Duration;
use tower::ServiceExt;

pub struct Api {
    pub stack: Stack,
    router: Router,
    pub admin: String,
    pub user: String,
}

impl Api {
    /// The first users, the default workspaces, and one agent with 4 cores.
    pub async fn start() -> Self {
        Self::with(ManagerConfig::default()).await
    }

    pub async fn with(config: ManagerConfig) -> Self {
        let stack = Stack::with(config, &[4000]).await;
        let password = || Some("a good password".to_owned().into());
        let first = FirstPasswords {
            admin: password(),
            user: password(),
        };
        stack.control.first_start(first).await.unwrap();
        let admin = login(&stack, "admin@kasm.local").await;
        let user = login(&stack, "user@kasm.local").await;
        Self {
            router: stack.control.router(),
            stack,
            admin,
            user,
        }
    }

    pub async fn raw(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> axum::response::Response {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap()
    }

    pub async fn call(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let answer = self.raw(token, method, path, body).await;
        let status = answer.status();
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        let value = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&text).unwrap()
        };
        (status, value)
    }

    /// A call of the user that must succeed.
    pub async fn ok(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, value) = self.call(&self.user, method, path, body).await;
        assert!(status.is_success(), "{path}: {status} {value}");
        value
    }

    /// A POST without a login, as clients with an API key send it.
    pub async fn with_key(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call("", Method::POST, path, Some(body)).await
    }

    pub async fn api_key(&self) -> (String, String) {
        let context = RequestContext::system("test");
        let (key, secret) = self
            .stack
            .control
            .create_api_key(
                &context,
                "test",
                None,
                [Permission::User, Permission::GlobalAdmin].into(),
            )
            .await
            .unwrap();
        (key.key, secret.expose_secret().to_owned())
    }

    pub async fn workspace(&self, name: &str) -> String {
        let list = self.ok(Method::GET, "/api/v1/workspaces", None).await;
        let found = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["name"] == name);
        found.unwrap_or_else(|| panic!("{name} in {list}"))["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub async fn until_state(&self, id: &str, state: &str) -> Value {
        let path = format!("/api/v1/sessions/{id}");
        for _ in 0..1000 {
            let session = self.ok(Method::GET, &path, None).await;
            if session["state"] == state {
                return session;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{id} never became {state}");
    }
}

async fn login(stack: &Stack, username: &str) -> String {
    let context = RequestContext {
        actor: porthole_control::Actor::Nobody,
        ..RequestContext::system("test")
    };
    let password = "a good password".to_owned().into();
    let signed_in = stack
        .control
        .login(&context, username, password, "test")
        .await
        .unwrap();
    signed_in.token.expose_secret().to_owned()
}
