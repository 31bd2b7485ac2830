//! The console's files, headers of every answer, and paths that are nothing.

use crate::support::{Caller, Server};
use axum::http::Method;

#[tokio::test]
async fn paths_below_the_api_are_never_pages() {
    let server = Server::start().await;
    for path in [
        "/api/v1/nothing",
        "/api/v2/users",
        "/api/public/nothing",
        "/api/",
    ] {
        let answer = server.get(&Caller::nobody(), path).await;
        assert!(answer.header("content-type").contains("json"), "{path}");
        answer.expect(404);
    }
    let answer = server
        .call(&Caller::nobody(), Method::PUT, "/api/v1/users", None)
        .await;
    assert!(answer.header("allow").contains("GET"));
    let problem = answer.expect(405);
    assert_eq!(problem["detail"], "PUT can not be used on /api/v1/users");
}

#[tokio::test]
async fn the_console_is_served_for_its_own_pages() {
    let server = Server::start().await;
    for path in ["/", "/login", "/session/0193", "/admin/users", "/api/docs"] {
        let answer = server.get(&Caller::nobody(), path).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}");
        assert!(
            answer.header("content-type").starts_with("text/html"),
            "{path}"
        );
        assert!(
            answer
                .header("content-security-policy")
                .contains("frame-ancestors 'none'")
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    for path in [
        "/assets/gone-123.js",
        "/favicon-gone.png",
        "/..%2f..%2fetc/passwd.txt",
    ] {
        assert_eq!(
            server.get(&Caller::nobody(), path).await.status.as_u16(),
            404,
            "{path}"
        );
    }
    server
        .call(&Caller::nobody(), Method::POST, "/login", None)
        .await
        .expect(405);
}

#[tokio::test]
async fn answers_are_not_kept_by_caches() {
    let server = Server::start().await;
    let user = server.user().await;
    let answer = server.get(&user, "/api/v1/me").await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.header("x-request-id").is_empty());
    let health = server
        .get(&Caller::nobody(), "/api/__healthcheck")
        .await
        .expect(200);
    assert_eq!(health["ok"], true);
}

#[tokio::test]
async fn a_page_that_did_not_change_is_not_sent_again() {
    let server = Server::start().await;
    let answer = server.get(&Caller::nobody(), "/").await;
    assert!(answer.text.starts_with("<title>A page</title>"));
    let tag = answer.header("etag").to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}")] {
        let again = server
            .get(&Caller::nobody().with("if-none-match", known), "/")
            .await;
        assert_eq!(again.status.as_u16(), 304);
    }
}

#[tokio::test]
async fn a_file_is_sent_in_the_best_form_that_the_client_takes() {
    let server = Server::start().await;
    for (takes, encoding, text) in [
        ("gzip, deflate, br", "br", "compressed"),
        // No form of its own; what is this small is not compressed on the way either.
        ("gzip", "", "let a = 1;"),
        ("br;q=0", "", "let a = 1;"),
    ] {
        let caller = Caller::nobody().with("accept-encoding", takes);
        let answer = server.get(&caller, "/assets/a-1.js").await;
        assert_eq!(answer.header("content-encoding"), encoding, "{takes}");
        assert_eq!(answer.text, text);
        assert!(answer.header("content-type").starts_with("text/javascript"));
        assert!(answer.header("cache-control").contains("immutable"));
        assert!(answer.header("vary").contains("accept-encoding"));
    }
}

#[tokio::test]
async fn of_scripts_in_the_page_only_its_own_may_run() {
    let server = Server::start().await;
    let answer = server.get(&Caller::nobody(), "/login").await;
    let policy = answer.header("content-security-policy");
    // printf 'let b = 2;' | openssl dgst -sha256 -binary | base64
    assert!(
        policy
            .starts_with("script-src 'sha256-/VxadKDFjxChkEqCBxYHGM8PchobZLHFZXlH4lVDfJI=' 'self'"),
        "{policy}"
    );
    assert!(
        !server
            .get(&Caller::nobody(), "/assets/a-1.js")
            .await
            .header("content-security-policy")
            .contains("sha256-")
    );
}
