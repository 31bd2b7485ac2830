//! The console's files: each as it is, and compressed by the console's build where that makes it
//! smaller.

use super::headers::policy_with_scripts;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use bytes::Bytes;

/// A file of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleFile {
    /// What it holds.
    pub data: Bytes,
    /// The SHA-256 of that.
    pub hash: [u8; 32],
}

/// Finds a file of the console by its path, such as `assets/main.js`, and `assets/main.js.br` for
/// the same compressed. The program brings them along, so that this crate need not be built again
/// when the console was.
pub type ConsoleFiles = fn(&str) -> Option<ConsoleFile>;

const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>Porthole</title>\
    <p>This server was built without its console. Run <code>npm ci &amp;&amp; npm run build</code> in \
    <code>web/</code>, and build the server again. The API works all the same: \
    <a href=/api/v1/openapi.json>/api/v1/openapi.json</a>.";

/// A file of the console; any path that names none is a page of the console, which its own router
/// draws.
pub(super) fn serve(files: ConsoleFiles, request: &Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if !path.is_empty()
        && let Some(answer) = answer(files, request, path)
    {
        return answer;
    }
    // What looks like a file and is none must not come back as a page.
    let extension = path
        .rsplit('/')
        .next()
        .and_then(|last| last.rsplit_once('.'));
    if path.starts_with("assets/") || extension.is_some_and(|(_, kind)| kind != "html") {
        return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
    }
    answer(files, request, "index.html").unwrap_or_else(|| Html(NOT_BUILT).into_response())
}

/// The encodings that files are kept in, the best first, with the ending of their names.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The file in the best form that the client takes.
fn choose(
    files: ConsoleFiles,
    headers: &HeaderMap,
    path: &str,
) -> Option<(ConsoleFile, Option<&'static str>)> {
    let packed = ENCODINGS.into_iter().find_map(|(encoding, ending)| {
        let file = takes(headers, encoding).then(|| files(&format!("{path}{ending}")));
        Some((file??, Some(encoding)))
    });
    packed.or_else(|| Some((files(path)?, None)))
}

/// Whether a client names an encoding as one that it takes (RFC 9110, section 12.5.3).
fn takes(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| {
            let (name, weight) = item.split_once(';').unwrap_or((item, ""));
            let weight = weight.trim().strip_prefix("q=").map(str::trim);
            let refused = weight.is_some_and(|weight| weight.parse() == Ok(0.0_f32));
            name.trim().eq_ignore_ascii_case(encoding) && !refused
        })
}

fn answer(files: ConsoleFiles, request: &Request, path: &str) -> Option<Response> {
    let (file, encoding) = choose(files, request.headers(), path)?;
    let tag = file
        .hash
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
    let mut headers = HeaderMap::from_iter([
        (header::ETAG, tag),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ]);
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, &kind);
    if path == "index.html" {
        let page = files(path)?;
        let policy = policy_with_scripts(&String::from_utf8_lossy(&page.data));
        set(header::CONTENT_SECURITY_POLICY, &policy);
    }
    if let Some(encoding) = encoding {
        set(header::CONTENT_ENCODING, encoding);
    }
    Some(if same {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, file.data).into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_say_what_they_take() {
        let takes = |accepted: &'static str, encoding| {
            let value = HeaderValue::from_static(accepted);
            takes(
                &HeaderMap::from_iter([(header::ACCEPT_ENCODING, value)]),
                encoding,
            )
        };
        assert!(takes("gzip, deflate, br, zstd", "br"));
        assert!(takes("GZIP;q=0.5", "gzip"));
        assert!(!takes("gzip, deflate", "br"));
        assert!(!takes("br;q=0, gzip", "br"));
        assert!(!takes("br; q=0.000", "br"));
        assert!(!takes("brotli", "br"));
        assert!(!super::takes(&HeaderMap::new(), "gzip"));
    }
}
