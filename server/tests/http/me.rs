use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{App, START};

#[tokio::test]
async fn profile_response_has_the_documented_members() {
    let app = App::start().await;
    app.register("Alice").await;
    app.clock.advance(50);
    let pair = app.login("alice").await;
    let response = app.me(&pair.access).await;
    assert_eq!(response.status, StatusCode::OK);
    let mut body = response.json();
    assert!(body.as_object_mut().unwrap().remove("id").unwrap().is_string());
    assert_eq!(
        body,
        json!({
            "username": "Alice", "nickname": null, "avatar_url": null, "role": "user",
            "email": null, "email_verified": false, "pending_email": null, "alert_new_device": true, "mobile": null, "created_at": START,
            "password_changed_at": START,
            "login_time": START + 50, "expiration_time": START + 950, "token_type": "access", "fresh": true,
        })
    );
    assert_eq!(response.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn verify_returns_the_claims_of_the_token() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    for call in [
        app.post("/api/auth/verify"),
        app.post("/api/auth/verify").json(&json!({})),
        app.post("/api/auth/verify").header("content-type", "text/plain").body("rubbish"),
    ] {
        let response = call.bearer(&pair.access).send().await;
        assert_eq!(response.status, StatusCode::OK, "{}", response.text());
        assert_eq!(
            response.json(),
            json!({ "active": true, "username": "alice", "expiration_time": START + 900, "fresh": true })
        );
    }
    let refreshed = app.refresh(&pair.refresh).await.pair();
    let response = app.post("/api/auth/verify").bearer(&refreshed.access).send().await;
    assert_eq!(response.json()["fresh"], false);
}

#[tokio::test]
async fn invariant_11_disabled_account_is_refused_on_the_next_request() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    app.disable("alice").await;
    for response in [app.me(&pair.access).await, app.refresh(&pair.refresh).await] {
        response.assert_failure(401, "token_revoked");
        assert_eq!(response.json()["reason"], "disabled");
    }
}

#[tokio::test]
async fn invariant_41_request_naming_another_user_returns_data_of_the_token_only() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let expected: Value = app.me(&pair.access).await.json();
    let other = app.register_and_login("bertha").await;
    let id = app.me(&other.access).await.json()["id"].as_str().unwrap().to_owned();
    for call in [
        app.get(&format!("/api/me?id={id}&user={id}&username=bertha")),
        app.get("/api/me").json(&json!({ "id": id, "username": "bertha" })),
        app.get("/api/me").header("x-user-id", &id).header("x-forwarded-user", "bertha"),
        app.get("/api/me?x=1&y[=2"),
        app.get("/api/me").json(&json!([1, 2])),
        app.get("/api/me").header("content-type", "image/png").body("\u{0}"),
        app.get("/api/me").header("accept", "text/html"),
        app.get("/api/me").header("cookie", "access_token=x"),
    ] {
        assert_eq!(call.bearer(&pair.access).send().await.json(), expected);
    }
    // No path contains a user id.
    for path in [format!("/api/users/{id}"), format!("/api/me/{id}"), format!("/api/sessions/{id}")]
    {
        app.get(&path).bearer(&pair.access).send().await.assert_failure(404, "not_found");
    }
}

#[tokio::test]
async fn invariant_43_token_in_url_body_or_cookie_is_ignored() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    for (call, token) in [
        (app.get(&format!("/api/me?access_token={}", pair.access)), &pair.access),
        (
            app.get(&format!("/api/me?token={0}&authorization=Bearer%20{0}", pair.access)),
            &pair.access,
        ),
        (app.post(&format!("/api/auth/refresh?refresh_token={}", pair.refresh)), &pair.refresh),
        (app.delete(&format!("/api/auth/logout?access_token={}", pair.access)), &pair.access),
        (app.post("/api/auth/verify"), &pair.access),
        (app.post("/api/auth/refresh"), &pair.refresh),
    ] {
        let call = call.header(
            "cookie",
            format!("access_token={token}; refresh_token={token}; token={token}"),
        );
        let body = json!({ "access_token": token, "refresh_token": token, "token": token });
        call.json(&body).send().await.assert_failure(401, "token_missing");
    }
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
}
