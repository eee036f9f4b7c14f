//! Error codes of a protected operation by kind of invalid token. The unit tests of the codec cover
//! every claim.

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::app::{App, PASSWORD};

#[tokio::test]
async fn request_with_each_kind_of_invalid_token_gets_its_code() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    for (value, code) in [
        (None, "token_missing"),
        (Some(String::new()), "token_missing"),
        (Some("Bearer".into()), "token_missing"),
        (Some("Bearer   ".into()), "token_missing"),
        (Some(format!("Basic {}", pair.access)), "token_missing"),
        (Some(pair.access.clone()), "token_missing"),
        (Some("Bearer x".into()), "token_malformed"),
        (Some("Bearer a.b.c".into()), "token_malformed"),
        (Some(format!("Bearer {}.x", pair.access)), "token_malformed"),
        (Some(format!("Bearer {0} {0}", pair.access)), "token_malformed"),
        (Some(format!("Bearer {}", unsigned(&pair.access))), "token_invalid"),
        (Some(format!("Bearer {}A", pair.access)), "token_invalid"),
        (Some(format!("Bearer {}", pair.refresh)), "token_wrong_type"),
    ] {
        let call = app.get("/api/me");
        let call = match &value {
            Some(value) => call.header("authorization", value),
            None => call,
        };
        call.send().await.assert_failure(401, code);
    }
    app.refresh(&pair.access).await.assert_failure(401, "token_wrong_type");
    app.post("/api/auth/verify")
        .bearer(&pair.refresh)
        .send()
        .await
        .assert_failure(401, "token_wrong_type");
    for scheme in ["bearer", "BEARER"] {
        let response = app
            .get("/api/me")
            .header("authorization", format!("{scheme} {}", pair.access))
            .send()
            .await;
        assert_eq!(response.status, StatusCode::OK);
    }
}

/// Returns the token with the algorithm "none" and no signature.
fn unsigned(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
    let claims = token.split('.').nth(1).unwrap();
    format!("{header}.{claims}.")
}

#[tokio::test]
async fn request_with_two_authorization_headers_is_bad_request() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    for call in [
        app.get("/api/me"),
        app.post("/api/auth/refresh"),
        app.delete("/api/auth/logout"),
        app.post("/api/auth/login").json(&json!({ "username": "alice", "password": PASSWORD })),
    ] {
        call.bearer(&pair.access)
            .bearer(&pair.access)
            .send()
            .await
            .assert_failure(400, "bad_request");
    }
}

#[tokio::test]
async fn request_without_valid_token_is_refused_before_body_validation() {
    let app = App::start().await;
    for call in [app.post("/api/auth/refresh"), app.post("/api/auth/verify")] {
        let call = call.header("content-type", "text/plain").body(vec![b'x'; 200_000]);
        call.send().await.assert_failure(401, "token_missing");
    }
}

#[tokio::test]
async fn token_of_another_installation_is_rejected() {
    let (ours, theirs) = (App::start().await, App::start().await);
    ours.register("alice").await;
    let pair = theirs.register_and_login("alice").await;
    ours.me(&pair.access).await.assert_failure(401, "token_invalid");
    ours.refresh(&pair.refresh).await.assert_failure(401, "token_invalid");
}

#[tokio::test]
async fn token_of_an_unknown_session_is_rejected() {
    let secret = [("JWT_SECRET", "shared by two installations, for this test")];
    let (ours, theirs) = (App::with(&secret).await, App::with(&secret).await);
    let pair = theirs.register_and_login("alice").await;
    ours.me(&pair.access).await.assert_failure(401, "token_revoked");
    ours.refresh(&pair.refresh).await.assert_failure(401, "token_revoked");
}
