//! A session's files over HTTP, below `/gateway/v1/sessions/{session_id}/files`.
//!
//! | | |
//! | --- | --- |
//! | `POST` | uses a ticket up and opens a [`pass`]; everything else needs that |
//! | `GET …/list?path=` | what a folder holds |
//! | `GET …/content?path=` | a file; ranges (RFC 9110, section 14), so that a download can go on |
//! | `GET …/archive?path=` | a folder as zip |
//! | `GET`, `PUT`, `DELETE …/uploads/{id}` | how much there is of an upload, more of it, its end |
//!
//! Paths are below the session's home, percent-encoded bytes. What a file is allowed to be is
//! judged here, from what is seen here: name, size, and the type that the first bytes tell.
//! Contents are passed on as they come; nothing is held but a few frames.

mod archive;
mod audit;
mod channel;
mod download;
mod list;
mod pass;
mod problem;
mod sniff;
mod upload;
mod zip;

pub(crate) use pass::Passes;

use crate::Gateway;
use axum::{
    Router,
    extract::{ConnectInfo, FromRequestParts, Path},
    http::{header, request::Parts},
    routing::{get, post},
};
use pass::{Pass, Using};
use porthole_files::path::HomePath;
use porthole_model::ids::SessionId;
use problem::Problem;
use std::{collections::HashMap, net::SocketAddr, sync::Arc};

pub(crate) fn router() -> Router<Gateway> {
    let base = "/gateway/v1/sessions/{session_id}/files";
    let path = |rest: &str| format!("{base}{rest}");
    Router::new()
        .route(base, post(pass::open))
        .route(&path("/list"), get(list::list))
        .route(&path("/content"), get(download::content))
        .route(&path("/archive"), get(archive::archive))
        .route(
            &path("/uploads/{upload_id}"),
            get(upload::offset)
                .put(upload::append)
                .delete(upload::discard),
        )
}

/// A request of somebody who has a pass for the session in its path.
pub(crate) struct Visitor {
    pass: Arc<Pass>,
    /// Keeps the pass while the request goes on.
    using: Using,
    parameters: HashMap<String, String>,
}

impl Visitor {
    /// A parameter as it stands in the URL, still encoded.
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    fn path(&self) -> Result<HomePath, Problem> {
        let text = self.parameter("path").unwrap_or_default();
        text.parse()
            .map_err(|error| Problem::bad_request(format!("path: {error}")))
    }

    fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        self.parameter(name)
            .map(|text| {
                text.parse().map_err(|_| {
                    Problem::bad_request(format!("{name}: a number of bytes is expected"))
                })
            })
            .transpose()
    }
}

/// Whether one of our own pages asks, or no browser.
fn from_here(parts: &Parts, gateway: &Gateway) -> bool {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let proxied = peer.is_some_and(|peer| (gateway.inner.config.trusted_proxy)(peer.0.ip()));
    let site = parts.headers.get("sec-fetch-site");
    let same_site = site.is_none_or(|site| site == "same-origin" || site == "none");
    same_site && crate::route::same_origin(&parts.headers, &parts.uri, proxied)
}

async fn session_id(parts: &mut Parts) -> Result<SessionId, Problem> {
    let Path(all) = Path::<HashMap<String, String>>::from_request_parts(parts, &())
        .await
        .map_err(|_| Problem::no_pass())?;
    all.get("session_id")
        .and_then(|text| text.parse().ok())
        .ok_or_else(Problem::no_pass)
}

impl FromRequestParts<Gateway> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Problem> {
        if !from_here(parts, gateway) {
            return Err(Problem::elsewhere());
        }
        let session_id = session_id(parts).await?;
        let bearer = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let cookies = parts
            .headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .filter(|(name, _)| *name == pass::COOKIE)
            .map(|(_, value)| value);
        let using = bearer
            .into_iter()
            .chain(cookies)
            .find_map(|token| gateway.inner.passes.find(token, session_id))
            .ok_or_else(Problem::no_pass)?;
        let parameters = parts
            .uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(Self {
            pass: using.pass().clone(),
            using,
            parameters,
        })
    }
}
