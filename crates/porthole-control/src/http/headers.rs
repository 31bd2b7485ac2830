//! Headers that every answer carries.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

/// What the console's pages may load, and from where.
/// WebAssembly is the viewer's decoder; it allows no other code to be made.
const CONTENT_SECURITY_POLICY: &str = "script-src 'self' 'wasm-unsafe-eval'; default-src 'self'; \
    img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
    worker-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/// The policy for a page with scripts of its own: those, told by their hashes, and no others
/// (Content Security Policy Level 3, section 2.3.1).
pub(super) fn policy_with_scripts(page: &str) -> String {
    let scripts = page.split("<script>").skip(1);
    let hashes = scripts
        .filter_map(|rest| rest.split_once("</script>"))
        .fold(String::new(), |hashes, (script, _)| {
            let hash = BASE64_STANDARD.encode(Sha256::digest(script));
            hashes + " 'sha256-" + &hash + "'"
        });
    CONTENT_SECURITY_POLICY.replacen("script-src", &format!("script-src{hashes}"), 1)
}

/// Adds the security headers, and keeps API answers out of caches unless they say otherwise.
pub(super) async fn secure(request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(self), microphone=(self), clipboard-read=(self), clipboard-write=(self), \
             fullscreen=(self), geolocation=()",
        ),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if api {
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
    }
    response
}
