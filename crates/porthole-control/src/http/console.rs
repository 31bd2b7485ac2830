//! The console's files, embedded in the binary.

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../../web/console/dist"]
#[allow_missing = true]
struct Console;

const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>Porthole</title>\
    <p>This server was built without its console. Run <code>npm ci &amp;&amp; npm run build</code> in \
    <code>web/</code>, and build the server again. The API works all the same: \
    <a href=/api/v1/openapi.json>/api/v1/openapi.json</a>.";

/// A file of the console; any path that names none is a page of the console, which its own router
/// draws.
pub(super) fn serve(request: &Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if let Some(file) = Console::get(path).filter(|_| !path.is_empty()) {
        return answer(request, path, file);
    }
    // What looks like a file and is none must not come back as a page.
    let extension = path
        .rsplit('/')
        .next()
        .and_then(|last| last.rsplit_once('.'));
    if path.starts_with("assets/") || extension.is_some_and(|(_, kind)| kind != "html") {
        return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
    }
    match Console::get("index.html") {
        Some(index) => answer(request, "index.html", index),
        None => Html(NOT_BUILT).into_response(),
    }
}

fn answer(request: &Request, path: &str, file: EmbeddedFile) -> Response {
    let hash = file.metadata.sha256_hash();
    let tag = hash
        .iter()
        .take(16)
        .fold(String::from("\""), |tag, byte| format!("{tag}{byte:02x}"))
        + "\"";
    let tag = HeaderValue::from_str(&tag).unwrap_or_else(|_| HeaderValue::from_static("\"0\""));
    // The build puts a hash of the content into the names below assets/.
    let caching = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let same = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .is_some_and(|tags| {
            // A compressor on the way makes a strong tag weak (RFC 9110, section 8.8.3).
            tags.split(',')
                .any(|known| known.trim().trim_start_matches("W/").as_bytes() == tag.as_bytes())
        });
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let kind = match kind.type_().as_str() {
        "text" => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    };
    let headers = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        (
            header::CONTENT_TYPE,
            HeaderValue::from_str(&kind)
                .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream")),
        ),
    ];
    if same {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, file.data.into_owned()).into_response()
    }
}
