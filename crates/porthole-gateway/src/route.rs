//! The routes, and the checks before a stream.

use crate::{Gateway, files, policy::Policy, registry::Refused, splice};
use axum::{
    Extension, Router,
    extract::{
        ConnectInfo, Path, Query, State,
        ws::{WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::any,
};
use porthole_model::ids::SessionId;
use porthole_wire::{close::CloseReason, ticket::Grant};
use serde::Deserialize;
use std::net::SocketAddr;

pub(crate) fn router(gateway: Gateway) -> Router {
    // `any`: over HTTP/2 a WebSocket is opened with CONNECT (RFC 8441).
    Router::new()
        .route("/gateway/v1/sessions/{session_id}/display", any(display))
        .merge(files::router())
        .with_state(gateway)
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(default)]
    ticket: String,
}

async fn display(
    State(gateway): State<Gateway>,
    Path(session_id): Path<String>,
    Query(parameters): Query<Parameters>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Response {
    let config = &gateway.inner.config;
    let proxied = peer.is_some_and(|peer| (config.trusted_proxy)(peer.0.0.ip()));
    if !same_origin(&headers, &uri, proxied) {
        let text = "this page may not open streams of this server: its origin is another";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    let grant = gateway
        .inner
        .verifier
        .verify(&parameters.ticket)
        .ok()
        .filter(|grant| session_id.parse() == Ok::<SessionId, _>(grant.session_id))
        .filter(|grant| grant.files.is_none());
    let policy = grant.as_ref().map(Policy::new);
    let max_message = policy.as_ref().map_or(4096, Policy::max_message);
    upgrade
        .protocols(["binary"])
        .max_message_size(max_message)
        .max_frame_size(max_message)
        // What is sent is written at once; nothing gathers.
        .write_buffer_size(0)
        .on_upgrade(move |socket| async move {
            match grant.zip(policy) {
                Some((grant, policy)) => stream(&gateway, socket, grant, &policy).await,
                // A browser's page sees close codes, not the status of a refused upgrade.
                None => splice::close(socket, CloseReason::BadTicket).await,
            }
        })
}

async fn stream(gateway: &Gateway, socket: WebSocket, grant: Grant, policy: &Policy) {
    let (stream_id, session_id, user_id) = (grant.stream_id, grant.session_id, grant.user_id);
    let admitted = match gateway.inner.registry.admit(grant) {
        Ok(admitted) => admitted,
        Err(refused) => {
            tracing::info!(%stream_id, %session_id, %user_id, ?refused, "stream refused");
            let reason = match refused {
                Refused::Ticket => CloseReason::BadTicket,
                Refused::Full | Refused::GoingAway => CloseReason::GoingAway,
            };
            return splice::close(socket, reason).await;
        }
    };
    tracing::info!(%stream_id, %session_id, %user_id, "stream opened");
    let ended = splice::run(socket, &gateway.inner, &admitted.live, policy).await;
    let info = admitted.live.info();
    tracing::info!(
        %stream_id, %session_id, %user_id, ended,
        bytes_down = info.bytes_down, bytes_up = info.bytes_up, withheld = info.withheld,
        "stream closed"
    );
}

/// Whether the page that asks is ours. Browsers always send `Origin`; a client without it is no
/// browser, and has nobody else's cookies or pages to abuse.
pub(crate) fn same_origin(headers: &HeaderMap, uri: &Uri, proxied: bool) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Some((_, origin)) = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
    else {
        return false;
    };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let forwarded = text("x-forwarded-host").filter(|_| proxied);
    let host = forwarded
        // The first is the one the browser asked for.
        .and_then(|hosts| hosts.split(',').next())
        .or_else(|| text("host"))
        .or_else(|| uri.authority().map(axum::http::uri::Authority::as_str));
    host.is_some_and(|host| without_default_port(host.trim()) == without_default_port(origin))
}

/// Browsers leave the default ports out of `Origin`; a proxy may put them into the host.
fn without_default_port(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    host.strip_suffix(":443")
        .or_else(|| host.strip_suffix(":80"))
        .map_or(host.clone(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &str)], proxied: bool) -> bool {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (
                    header::HeaderName::from_static(name),
                    value.parse().unwrap(),
                )
            })
            .collect();
        same_origin(&headers, &Uri::from_static("/"), proxied)
    }

    #[test]
    fn origin_must_be_the_host() {
        assert!(check(&[("host", "desk.example:8443")], false));
        assert!(check(
            &[
                ("host", "desk.example:8443"),
                ("origin", "https://desk.example:8443")
            ],
            false
        ));
        assert!(check(
            &[
                ("host", "Desk.example:443"),
                ("origin", "https://desk.example")
            ],
            false
        ));
        for origin in [
            "https://evil.example",
            "null",
            "https://desk.example.evil",
            "https://desk.example:1",
        ] {
            assert!(
                !check(&[("host", "desk.example"), ("origin", origin)], false),
                "{origin}"
            );
        }
    }

    #[test]
    fn a_forwarded_host_counts_only_from_a_proxy() {
        let headers = [
            ("host", "127.0.0.1:8443"),
            ("x-forwarded-host", "desk.example, inner"),
            ("origin", "https://desk.example"),
        ];
        assert!(check(&headers, true));
        assert!(!check(&headers, false));
    }
}
