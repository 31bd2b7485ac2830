//! A control plane on an empty database, and requests to it.

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use porthole_control::{
    ConsoleFile, Control, ControlConfig, RequestContext, app::first_start::FirstPasswords,
};
use porthole_model::{
    ids::{SessionId, UserId},
    permission::Permission,
};
use porthole_store::{
    Store,
    groups::{ALL_USERS, GroupDetails},
    users::NewUser,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tower::ServiceExt;

pub const ADMIN: &str = "admin@kasm.local";
pub const USER: &str = "user@kasm.local";
pub const PASSWORD: &str = "a good password";

pub struct Server {
    pub control: Control,
    router: Router,
}

/// Who sends a request.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    headers: Vec<(&'static str, String)>,
    address: Option<SocketAddr>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {:?}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// The token in the cookie that was set.
    pub fn cookie(&self) -> String {
        let cookie = self.header("set-cookie");
        let (pair, _) = cookie.split_once(';').unwrap();
        pair.to_owned()
    }
}

impl Caller {
    pub fn nobody() -> Self {
        Self::default()
    }

    pub fn bearer(token: &str) -> Self {
        Self::nobody().with("authorization", format!("Bearer {token}"))
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn from(mut self, address: &str) -> Self {
        self.address = Some(SocketAddr::new(address.parse().unwrap(), 40_000));
        self
    }
}

/// A console of a page and a script; the script compressed, too.
fn console(path: &str) -> Option<ConsoleFile> {
    let (data, hash) = match path {
        "index.html" => ("<title>A page</title><script>let b = 2;</script>", [1; 32]),
        "assets/a-1.js" => ("let a = 1;", [2; 32]),
        "assets/a-1.js.br" => ("compressed", [3; 32]),
        _ => return None,
    };
    Some(ConsoleFile {
        data: data.into(),
        hash,
    })
}

impl Server {
    pub async fn start() -> Self {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let config = ControlConfig {
            console,
            ..ControlConfig::default()
        };
        let control = Control::new(config, store);
        let given = FirstPasswords {
            admin: Some(PASSWORD.into()),
            user: Some(PASSWORD.into()),
        };
        assert_eq!(control.first_start(given).await.unwrap().len(), 2);
        Self {
            router: control.router(),
            control,
        }
    }

    pub async fn send(&self, caller: &Caller, request: Request<Body>) -> Answer {
        let (mut parts, body) = request.into_parts();
        for (name, value) in &caller.headers {
            parts.headers.insert(*name, value.parse().unwrap());
        }
        let address = caller
            .address
            .unwrap_or_else(|| ([192, 0, 2, 7], 40_000).into());
        parts.extensions.insert(ConnectInfo(address));
        let request = Request::from_parts(parts, body);
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub async fn call(
        &self,
        caller: &Caller,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(caller, request.body(body).unwrap()).await
    }

    pub async fn get(&self, caller: &Caller, path: &str) -> Answer {
        self.call(caller, Method::GET, path, None).await
    }

    pub async fn post(&self, caller: &Caller, path: &str, body: Value) -> Answer {
        self.call(caller, Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, caller: &Caller, path: &str, body: Value) -> Answer {
        self.call(caller, Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, caller: &Caller, path: &str) -> Answer {
        self.call(caller, Method::DELETE, path, None).await
    }

    pub async fn try_login(&self, username: &str, password: &str) -> Answer {
        let body = json!({ "username": username, "password": password });
        self.post(&Caller::nobody(), "/api/v1/auth/login", body)
            .await
    }

    pub async fn login(&self, username: &str) -> Caller {
        let login = self.try_login(username, PASSWORD).await.expect(200);
        Caller::bearer(login["token"].as_str().unwrap())
    }

    pub async fn admin(&self) -> Caller {
        self.login(ADMIN).await
    }

    pub async fn user(&self) -> Caller {
        self.login(USER).await
    }

    /// A new user who may do just this, signed in.
    pub async fn with_permissions(&self, permissions: &[Permission]) -> Caller {
        let store = self.control.store();
        let name = format!("u{}", UserId::new().simple());
        let details = GroupDetails {
            name: name.clone(),
            description: String::new(),
            priority: 50,
            permissions: permissions.iter().copied().collect(),
        };
        let group = store.groups().create(details).await.unwrap();
        let first = store.users().find_by_name(USER).await.unwrap().unwrap();
        let new = NewUser {
            username: name.clone(),
            password_hash: store.users().password_hash(first.id).await.unwrap(),
            groups: [group.id, ALL_USERS].into(),
            ..NewUser::default()
        };
        let user = store.users().create(new).await.unwrap();
        let context = RequestContext::system("test");
        let token = self
            .control
            .link_token(&context, user.id, SessionId::new())
            .await
            .unwrap();
        let body = json!({ "token": token.expose_secret() });
        let login = self
            .post(&Caller::nobody(), "/api/v1/auth/token-login", body)
            .await
            .expect(200);
        Caller::bearer(login["token"].as_str().unwrap())
    }

    /// Makes an API key; its two halves.
    pub async fn api_key(&self) -> (String, String) {
        let admin = self.admin().await;
        let key = self
            .post(&admin, "/api/v1/api-keys", json!({ "name": "test" }))
            .await
            .expect(201);
        let half = |name: &str| key[name].as_str().unwrap().to_owned();
        (half("key"), half("secret"))
    }

    pub async fn user_id(&self, username: &str) -> String {
        let user = self
            .control
            .store()
            .users()
            .find_by_name(username)
            .await
            .unwrap()
            .unwrap();
        user.id.to_string()
    }
}
