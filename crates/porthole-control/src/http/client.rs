//! Who is at the other end of the connection, seen through trusted proxies.

use crate::Control;
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tracing::Instrument;
use uuid::Uuid;

/// The other end of a request.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its own address.
    pub ip: IpAddr,
    /// Host and port as the browser wrote them.
    pub host: Option<String>,
    /// Whether the browser speaks HTTPS.
    pub https: bool,
    /// The name of this request.
    pub request_id: String,
}

/// Finds out the client's address, names the request, and logs it.
pub(super) async fn identify(
    State(control): State<Control>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    let mut client = seen_through(peer, request.headers(), &control.config.trusted_proxies);
    // HTTP/2 has no Host header; its authority stands in the URI (RFC 9113, section 8.3.1).
    if client.host.is_none() {
        client.host = request.uri().authority().map(ToString::to_string);
    }
    let request_id = client.request_id.clone();
    let span = tracing::info_span!(
        "request",
        id = %request_id,
        method = %request.method(),
        path = %request.uri().path(),
        ip = %client.ip,
    );
    request.extensions_mut().insert(client);
    let mut response = next.run(request).instrument(span.clone()).await;
    tracing::debug!(parent: &span, status = response.status().as_u16(), "answered");
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// What the peer is, or what it forwards for when it is a trusted proxy.
fn seen_through(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Client {
    let peer = peer.to_canonical();
    let trusts = |ip: IpAddr| ip.is_loopback() || trusted.iter().any(|net| net.contains(&ip));
    let mut client = Client {
        ip: peer,
        host: text(headers, header::HOST.as_str()),
        https: true,
        request_id: Uuid::now_v7().to_string(),
    };
    if !trusts(peer) {
        return client;
    }
    // Each proxy appends the peer that it saw: from the right, the first that is not a proxy of
    // ours is the client. What is further left may be made up.
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    for hop in forwarded.into_iter().rev() {
        let Some(ip) = address(hop) else { break };
        client.ip = ip;
        if !trusts(ip) {
            break;
        }
    }
    if let Some(host) = text(headers, "x-forwarded-host") {
        client.host = Some(host);
    }
    if let Some(proto) = text(headers, "x-forwarded-proto") {
        client.https = proto.eq_ignore_ascii_case("https");
    }
    client
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .map(|ip| ip.to_canonical())
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    let first = value.split(',').next()?.trim();
    (!first.is_empty() && first.len() <= 256).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(forwarded: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        headers.insert("x-forwarded-host", "desk.example.com".parse().unwrap());
        headers.insert("host", "127.0.0.1:8443".parse().unwrap());
        headers
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn strangers_can_not_forge_their_address() {
        let client = seen_through(ip("203.0.113.9"), &headers("10.0.0.1"), &[]);
        assert_eq!(client.ip, ip("203.0.113.9"));
        assert_eq!(client.host.as_deref(), Some("127.0.0.1:8443"));
    }

    #[test]
    fn a_proxy_on_this_machine_is_believed() {
        let client = seen_through(ip("127.0.0.1"), &headers("198.51.100.7"), &[]);
        assert_eq!(client.ip, ip("198.51.100.7"));
        assert_eq!(client.host.as_deref(), Some("desk.example.com"));
    }

    #[test]
    fn what_the_client_put_in_front_is_not_believed() {
        let chain = "1.1.1.1, 198.51.100.7, 10.1.2.3";
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(
            seen_through(ip("::1"), &headers(chain), &trusted).ip,
            ip("198.51.100.7")
        );
        assert_eq!(
            seen_through(ip("::1"), &headers(chain), &[]).ip,
            ip("10.1.2.3")
        );
    }

    #[test]
    fn mapped_and_bracketed_addresses_are_read() {
        assert_eq!(address("[2001:db8::1]:443"), Some(ip("2001:db8::1")));
        assert_eq!(address("198.51.100.7:1234"), Some(ip("198.51.100.7")));
        assert_eq!(address("::ffff:198.51.100.7"), Some(ip("198.51.100.7")));
        assert_eq!(address("unknown"), None);
    }
}
