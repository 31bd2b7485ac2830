//! Signing in and out.

use crate::support::{ADMIN, Caller, PASSWORD, Server, USER};
use axum::http::Method;
use porthole_control::{Revocation, app::first_start::FirstPasswords};
use serde_json::json;

#[tokio::test]
async fn the_first_start_happens_once() {
    let server = Server::start().await;
    assert!(
        server
            .control
            .first_start(FirstPasswords::default())
            .await
            .unwrap()
            .is_empty()
    );
    server.admin().await;
}

#[tokio::test]
async fn sign_in_by_cookie_and_by_token() {
    let server = Server::start().await;
    let answer = server.try_login("  ADMIN@kasm.local ", PASSWORD).await;
    let cookie = answer.header("set-cookie").to_owned();
    for part in [
        "__Host-porthole=",
        "HttpOnly",
        "Secure",
        "SameSite=Lax",
        "Path=/",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.to_lowercase().contains("domain="));
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 43, "256 bits");

    let by_cookie = Caller::nobody().with("cookie", format!("other=1; {}", answer.cookie()));
    for caller in [by_cookie, Caller::bearer(&token)] {
        let me = server.get(&caller, "/api/v1/me").await.expect(200);
        assert_eq!(me["user"]["username"], ADMIN);
        assert_eq!(me["is_admin"], true);
    }
    // Only a hash of the token is stored.
    let login = server.control.store().logins().find(&token).await.unwrap();
    assert!(login.is_none());
}

#[tokio::test]
async fn nothing_tells_which_half_is_wrong() {
    let server = Server::start().await;
    let wrong = server.try_login(USER, "wrong password").await;
    let unknown = server.try_login("ghost@kasm.local", "wrong password").await;
    let mut texts = [wrong, unknown].map(|answer| answer.expect(401));
    for text in &mut texts {
        text.as_object_mut().unwrap().remove("request_id");
    }
    assert_eq!(texts[0], texts[1]);
}

#[tokio::test]
async fn five_wrong_passwords_lock_real_and_unreal_accounts_alike() {
    let server = Server::start().await;
    let signed_in = server.user().await;
    for name in [USER, "ghost@kasm.local"] {
        for _ in 0..5 {
            server.try_login(name, "wrong").await.expect(401);
        }
        server.try_login(name, PASSWORD).await.expect(423);
    }
    // Who is signed in stays so: wrong passwords of others do not throw anybody out.
    server.get(&signed_in, "/api/v1/me").await.expect(200);
    // API keys are not locked out, and an administrator unlocks.
    let admin = server.admin().await;
    let path = format!("/api/v1/users/{}", server.user_id(USER).await);
    let user = server.get(&admin, &path).await.expect(200);
    assert_eq!(user["locked"], true);
    server
        .patch(&admin, &path, json!({ "locked": false }))
        .await
        .expect(200);
    server.try_login(USER, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn too_many_failures_must_wait() {
    let server = Server::start().await;
    for nth in 0..50 {
        let body = json!({ "username": format!("ghost{nth}"), "password": "wrong" });
        let caller = Caller::nobody().from("198.51.100.9");
        server
            .post(&caller, "/api/v1/auth/login", body)
            .await
            .expect(401);
    }
    let body = json!({ "username": USER, "password": PASSWORD });
    let caller = Caller::nobody().from("198.51.100.9");
    let answer = server
        .post(&caller, "/api/v1/auth/login", body.clone())
        .await;
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=901).contains(&wait), "{wait}");
    answer.expect(429);
    let elsewhere = Caller::nobody().from("198.51.100.10");
    server
        .post(&elsewhere, "/api/v1/auth/login", body)
        .await
        .expect(200);
}

#[tokio::test]
async fn signing_out_ends_the_login_and_its_streams() {
    let server = Server::start().await;
    let mut revocations = server.control.events().subscribe_revocations();
    let (one, two) = (server.user().await, server.user().await);
    let answer = server
        .call(&one, Method::POST, "/api/v1/auth/logout", None)
        .await;
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    answer.expect(204);
    assert!(matches!(
        revocations.recv().await,
        Ok(Revocation::LoginEnded(_))
    ));
    server.get(&one, "/api/v1/me").await.expect(401);
    server.get(&two, "/api/v1/me").await.expect(200);

    let three = server.user().await;
    server
        .call(&three, Method::POST, "/api/v1/auth/logout-everywhere", None)
        .await
        .expect(204);
    assert!(matches!(
        revocations.recv().await,
        Ok(Revocation::UserRevoked(_))
    ));
    for caller in [two, three] {
        server.get(&caller, "/api/v1/me").await.expect(401);
    }
}

#[tokio::test]
async fn changing_the_password_ends_the_other_logins() {
    let server = Server::start().await;
    let (one, two) = (server.user().await, server.user().await);
    let path = "/api/v1/auth/password";
    let short = json!({ "current_password": PASSWORD, "new_password": "short" });
    assert_eq!(
        server.post(&one, path, short).await.expect(422)["errors"][0]["field"],
        "new_password"
    );
    let wrong = json!({ "current_password": "wrong", "new_password": "another password" });
    assert_eq!(
        server.post(&one, path, wrong).await.expect(422)["errors"][0]["field"],
        "current_password"
    );
    let right = json!({ "current_password": PASSWORD, "new_password": "another password" });
    server.post(&one, path, right).await.expect(204);
    server.get(&one, "/api/v1/me").await.expect(200);
    server.get(&two, "/api/v1/me").await.expect(401);
    server.try_login(USER, PASSWORD).await.expect(401);
    server.try_login(USER, "another password").await.expect(200);
}

#[tokio::test]
async fn switching_off_locking_and_deleting_end_access_at_once() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let path = format!("/api/v1/users/{}", server.user_id(USER).await);
    for (end, again) in [
        (json!({ "disabled": true }), json!({ "disabled": false })),
        (json!({ "locked": true }), json!({ "locked": false })),
        (
            json!({ "password": "reset by admin" }),
            json!({ "password": PASSWORD }),
        ),
    ] {
        let user = server.user().await;
        let mut revocations = server.control.events().subscribe_revocations();
        server.patch(&admin, &path, end).await.expect(200);
        assert!(matches!(
            revocations.try_recv(),
            Ok(Revocation::UserRevoked(_))
        ));
        server.get(&user, "/api/v1/me").await.expect(401);
        server.patch(&admin, &path, again).await.expect(200);
    }
    let user = server.user().await;
    let mut revocations = server.control.events().subscribe_revocations();
    server.delete(&admin, &path).await.expect(204);
    assert!(matches!(
        revocations.try_recv(),
        Ok(Revocation::UserRevoked(_))
    ));
    server.get(&user, "/api/v1/me").await.expect(401);
}

#[tokio::test]
async fn a_switched_off_account_is_told_only_to_its_owner() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let path = format!("/api/v1/users/{}", server.user_id(USER).await);
    server
        .patch(&admin, &path, json!({ "disabled": true }))
        .await
        .expect(200);
    server.try_login(USER, "wrong").await.expect(401);
    let told = server.try_login(USER, PASSWORD).await.expect(403);
    assert!(told["detail"].as_str().unwrap().contains("switched off"));
}

#[tokio::test]
async fn other_sites_can_not_use_the_cookie() {
    let server = Server::start().await;
    let cookie = server.try_login(USER, PASSWORD).await.cookie();
    let path = "/api/v1/auth/logout";
    let with = |headers: &[(&'static str, &str)]| {
        headers.iter().fold(
            Caller::nobody()
                .with("cookie", cookie.clone())
                .with("host", "desk.example.com"),
            |caller, (name, value)| caller.with(name, *value),
        )
    };
    for refused in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[],
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://desk.example.com"),
        ],
    ] {
        server
            .call(&with(refused), Method::POST, path, None)
            .await
            .expect(403);
        // Reading is harmless: the answer is out of the other site's reach.
        server.get(&with(refused), "/api/v1/me").await.expect(200);
    }
    let ours = with(&[("origin", "https://desk.example.com")]);
    let body = json!({ "current_password": "x", "new_password": "another password" });
    server
        .post(&ours, "/api/v1/auth/password", body)
        .await
        .expect(422);
    server
        .call(
            &with(&[("sec-fetch-site", "same-origin")]),
            Method::POST,
            path,
            None,
        )
        .await
        .expect(204);
}

#[tokio::test]
async fn api_keys_act_until_they_are_deleted() {
    let server = Server::start().await;
    let admin = server.admin().await;
    let (key, secret) = server.api_key().await;
    assert_eq!((key.len(), secret.len()), (12, 32));
    let listed = server.get(&admin, "/api/v1/api-keys").await.expect(200);
    assert!(!listed.to_string().contains(&secret));
    let basic = |secret: &str| {
        use base64::{Engine, prelude::BASE64_STANDARD};
        let pair = BASE64_STANDARD.encode(format!("{key}:{secret}"));
        Caller::nobody().with("authorization", format!("Basic {pair}"))
    };
    server
        .get(&basic(&secret), "/api/v1/users")
        .await
        .expect(200);
    server
        .get(&basic("wrong"), "/api/v1/users")
        .await
        .expect(401);
    server.get(&basic(&secret), "/api/v1/me").await.expect(403);
    let listed = server.get(&admin, "/api/v1/api-keys").await.expect(200);
    assert!(listed["items"][0]["last_used_at"].is_string());
    let path = format!(
        "/api/v1/api-keys/{}",
        listed["items"][0]["id"].as_str().unwrap()
    );
    server.delete(&admin, &path).await.expect(204);
    server
        .get(&basic(&secret), "/api/v1/users")
        .await
        .expect(401);
    let past = json!({ "name": "old", "expires_at": "2020-01-01T00:00:00Z" });
    server
        .post(&admin, "/api/v1/api-keys", past)
        .await
        .expect(422);
}

#[tokio::test]
async fn a_link_signs_in_and_is_good_for_nothing_else() {
    use porthole_control::RequestContext;
    use porthole_model::ids::SessionId;
    use secrecy::ExposeSecret;
    let server = Server::start().await;
    let user = server
        .control
        .store()
        .users()
        .find_by_name(USER)
        .await
        .unwrap()
        .unwrap();
    let system = RequestContext::system("test");
    let session = SessionId::new();
    let old = server
        .control
        .link_token(&system, user.id, session)
        .await
        .unwrap();
    let new = server
        .control
        .link_token(&system, user.id, session)
        .await
        .unwrap();
    server
        .get(&Caller::bearer(new.expose_secret()), "/api/v1/me")
        .await
        .expect(401);
    let follow = |token: &str| json!({ "token": token });
    let path = "/api/v1/auth/token-login";
    server
        .post(&Caller::nobody(), path, follow(old.expose_secret()))
        .await
        .expect(401);
    let answer = server
        .post(&Caller::nobody(), path, follow(new.expose_secret()))
        .await;
    assert!(answer.header("set-cookie").starts_with("__Host-porthole="));
    let caller = Caller::bearer(answer.json()["token"].as_str().unwrap());
    assert_eq!(
        server.get(&caller, "/api/v1/me").await.expect(200)["user"]["username"],
        USER
    );
}
