//! Requests to `/api/v1`.

use crate::{
    ClientError,
    trust::{Trust, client_config},
};
use porthole_model::{
    ids::{SessionId, WorkspaceId},
    session::{Failure, Progress, SessionState},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::time::Duration;

/// A signed-in client.
#[derive(Clone)]
pub struct Client {
    pub(crate) base: String,
    pub(crate) trust: Trust,
    http: reqwest::Client,
    token: Option<String>,
}

/// What there is to launch.
#[derive(Debug, Clone, Deserialize)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// The image it runs.
    pub image: String,
    /// Whether it can be launched now.
    pub available: bool,
}

/// A session as the API tells it.
#[derive(Debug, Clone, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Where it is on its way.
    pub state: SessionState,
    /// How far its launch is.
    pub progress: Option<Progress>,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// Where and how to open a stream.
#[derive(Debug, Clone, Deserialize)]
pub struct Connect {
    /// The stream's address, relative to the server.
    pub url: String,
    /// The query parameter `ticket`; good for one stream.
    pub ticket: String,
}

#[derive(Deserialize)]
struct List<T> {
    items: Vec<T>,
}

impl Client {
    /// A client that is not signed in yet. `base` is such as `https://localhost:8443`.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(base: &str, trust: Trust) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(client_config(&trust)?)
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| ClientError::Tls(error.to_string()))?;
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            trust,
            http,
            token: None,
        })
    }

    /// The same client with a Bearer token.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn login(self, username: &str, password: &str) -> Result<Self, ClientError> {
        #[derive(Deserialize)]
        struct Login {
            token: String,
        }
        let body = json!({ "username": username, "password": password });
        let login: Login = self.post("/api/v1/auth/login", body).await?;
        Ok(self.with_token(&login.token))
    }

    /// What may be launched.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn workspaces(&self) -> Result<Vec<Workspace>, ClientError> {
        Ok(self
            .get::<List<Workspace>>("/api/v1/workspaces")
            .await?
            .items)
    }

    /// One's own sessions.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn sessions(&self) -> Result<Vec<Session>, ClientError> {
        Ok(self.get::<List<Session>>("/api/v1/sessions").await?.items)
    }

    /// Launches a workspace.
    ///
    /// # Errors
    /// When the server refuses, such as for want of cores.
    pub async fn launch(
        &self,
        workspace: WorkspaceId,
        width: u16,
        height: u16,
    ) -> Result<Session, ClientError> {
        let body = json!({ "workspace_id": workspace, "width": width, "height": height });
        self.post("/api/v1/sessions", body).await
    }

    /// One session.
    ///
    /// # Errors
    /// When there is none, or it is not one's own.
    pub async fn session(&self, id: SessionId) -> Result<Session, ClientError> {
        self.get(&format!("/api/v1/sessions/{id}")).await
    }

    /// Asks for a stream's address and ticket.
    ///
    /// # Errors
    /// When the session has no display yet, or one may not see it.
    pub async fn connect(&self, id: SessionId) -> Result<Connect, ClientError> {
        self.post(&format!("/api/v1/sessions/{id}/connect"), json!({}))
            .await
    }

    /// Deletes a session.
    ///
    /// # Errors
    /// When there is none.
    pub async fn delete(&self, id: SessionId) -> Result<(), ClientError> {
        let path = format!("/api/v1/sessions/{id}");
        self.send("DELETE", &path, self.http.delete(self.url(&path)))
            .await
            .map(|_| ())
    }

    /// Any GET that answers JSON.
    ///
    /// # Errors
    /// When the server refuses, or the answer is not of the type.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let value = self
            .send("GET", path, self.http.get(self.url(path)))
            .await?;
        serde_json::from_value(value).map_err(|error| ClientError::Answer {
            path: path.into(),
            error: error.to_string(),
        })
    }

    /// Any POST that takes and answers JSON.
    ///
    /// # Errors
    /// When the server refuses, or the answer is not of the type.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Value,
    ) -> Result<T, ClientError> {
        let value = self
            .send("POST", path, self.http.post(self.url(path)).json(&body))
            .await?;
        serde_json::from_value(value).map_err(|error| ClientError::Answer {
            path: path.into(),
            error: error.to_string(),
        })
    }

    /// Any GET that answers something else than JSON.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn bytes(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let response = self
            .answer("GET", path, self.http.get(self.url(path)))
            .await?;
        let bytes = response
            .bytes()
            .await
            .map_err(|error| self.unreachable(&error))?;
        Ok(bytes.to_vec())
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) async fn send(
        &self,
        method: &'static str,
        path: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<Value, ClientError> {
        let response = self.answer(method, path, request).await?;
        let text = response
            .text()
            .await
            .map_err(|error| self.unreachable(&error))?;
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|error| ClientError::Answer {
            path: path.into(),
            error: error.to_string(),
        })
    }

    pub(crate) async fn answer(
        &self,
        method: &'static str,
        path: &str,
        mut request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, ClientError> {
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response
            .text()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        let detail = ["detail", "title", "error_message"]
            .iter()
            .find_map(|key| problem.get(key).and_then(Value::as_str))
            .map_or_else(|| text.chars().take(300).collect(), str::to_owned);
        Err(ClientError::Refused {
            method,
            path: path.into(),
            status: status.as_u16(),
            detail,
        })
    }

    fn unreachable(&self, error: &reqwest::Error) -> ClientError {
        ClientError::Unreachable {
            url: self.base.clone(),
            error: root_cause(error),
        }
    }
}

/// The innermost reason: what reqwest puts around it says only that sending failed.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
