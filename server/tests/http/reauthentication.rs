//! Reauthentication: `POST /api/auth/reauthenticate`.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    app::{App, PASSWORD, Response, START},
    forged_tokens::parts,
};

async fn reauthenticate(app: &App, token: &str, body: &Value) -> Response {
    app.post("/api/auth/reauthenticate").bearer(token).json(body).send().await
}

fn right() -> Value {
    json!({ "password": PASSWORD })
}

#[tokio::test]
async fn reauthentication_issues_a_fresh_token_and_keeps_the_session() {
    let app = App::start().await;
    let first = app.register_and_login("alice").await;
    app.clock.advance(60);
    let pair = app.refresh(&first.refresh).await.pair();
    assert_eq!(app.me(&pair.access).await.json()["fresh"], false);
    app.clock.advance(40);
    let response = reauthenticate(&app, &pair.access, &right()).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    let mut body = response.json();
    let token =
        body.as_object_mut().unwrap().remove("access_token").unwrap().as_str().unwrap().to_owned();
    assert_eq!(
        body,
        json!({ "message": "Password confirmed", "token_type": "Bearer", "expires_in": 900 })
    );
    let (before, after) = (parts(&pair.access).1, parts(&token).1);
    for claim in ["sid", "sub", "gen"] {
        assert_eq!(before[claim], after[claim], "{claim}");
    }
    assert_eq!((&after["fresh"], &after["iat"]), (&json!(true), &json!(START + 100)));
    let me = app.me(&token).await.json();
    assert_eq!((&me["fresh"], &me["expiration_time"]), (&json!(true), &json!(START + 1000)));
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
    assert_eq!(app.refresh(&pair.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn reauthentication_after_a_lost_refresh_response_is_not_reuse() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    app.refresh(&pair.refresh).await;
    app.clock.advance(60);
    let fresh = reauthenticate(&app, &pair.access, &right()).await.json();
    let fresh = fresh["access_token"].as_str().unwrap();
    assert_eq!(app.me(fresh).await.status, StatusCode::OK);
    assert_eq!(app.refresh(&pair.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn reauthentication_token_expires_with_its_session() {
    let app = App::with(&[("SESSION_MAX_SECONDS", "1000")]).await;
    let pair = app.register_and_login("alice").await;
    app.clock.advance(300);
    assert_eq!(reauthenticate(&app, &pair.access, &right()).await.json()["expires_in"], 700);
}

#[tokio::test]
async fn reauthentication_with_missing_or_wrong_password_is_refused() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    for body in [
        json!({}),
        json!({ "password": null }),
        json!({ "password": "" }),
        json!({ "password": "x".repeat(1025) }),
    ] {
        let response = reauthenticate(&app, &pair.access, &body).await;
        response.assert_failure(400, "validation_failed");
        assert!(response.json()["fields"]["password"].is_string(), "{body}");
    }
    reauthenticate(&app, &pair.access, &json!({ "password": 5 }))
        .await
        .assert_failure(400, "bad_request");
    for wrong in ["wrong", "x", &format!("{PASSWORD} "), &"x".repeat(1024)] {
        let response = reauthenticate(&app, &pair.access, &json!({ "password": wrong })).await;
        response.assert_failure(401, "invalid_credentials");
    }
    app.post("/api/auth/reauthenticate")
        .json(&right())
        .send()
        .await
        .assert_failure(401, "token_missing");
    reauthenticate(&app, &pair.refresh, &right()).await.assert_failure(401, "token_wrong_type");
    app.logout(&pair.access).await;
    reauthenticate(&app, &pair.access, &right()).await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn reauthentication_with_password_of_another_user_is_refused() {
    let app = App::start().await;
    app.register("alice").await;
    let body = json!({ "username": "bertha", "password": "battery horse correct" });
    app.post("/api/auth/register").json(&body).send().await;
    let bertha = app.post("/api/auth/login").json(&body).send().await.pair();
    let asked = json!({ "username": "alice", "password": PASSWORD });
    reauthenticate(&app, &bertha.access, &asked).await.assert_failure(401, "invalid_credentials");
}

#[tokio::test]
async fn invariant_33_reauthentication_failures_count_and_survive_a_restart() {
    let app = App::with(&[("LOGIN_FAILURES_PER_ACCOUNT", "3")]).await;
    let pair = app.register_and_login("Alice").await;
    let wrong = json!({ "password": "wrong" });
    let login = |password: &str| {
        app.post("/api/auth/login")
            .json(&json!({ "username": "alice", "password": password }))
            .send()
    };
    // A success resets the count.
    for _ in 0..2 {
        for _ in 0..2 {
            reauthenticate(&app, &pair.access, &wrong)
                .await
                .assert_failure(401, "invalid_credentials");
        }
        assert_eq!(reauthenticate(&app, &pair.access, &right()).await.status, StatusCode::OK);
    }
    for _ in 0..3 {
        reauthenticate(&app, &pair.access, &wrong).await.assert_failure(401, "invalid_credentials");
    }
    let response = reauthenticate(&app, &pair.access, &right()).await;
    response.assert_failure(429, "too_many_attempts");
    assert_eq!(response.header("retry-after"), Some("900"));
    // Logins of the user are not affected.
    assert_eq!(login(PASSWORD).await.status, StatusCode::OK);
    app.clock.advance(899);
    let app = app.restart().await;
    reauthenticate(&app, &pair.access, &right()).await.assert_failure(429, "too_many_attempts");
}

#[tokio::test]
async fn invariant_34_login_lockout_does_not_affect_reauthentication() {
    let app = App::with(&[("LOGIN_FAILURES_PER_ACCOUNT", "2")]).await;
    let pair = app.register_and_login("alice").await;
    let guess = json!({ "username": "alice", "password": "wrong" });
    for _ in 0..2 {
        app.post("/api/auth/login")
            .json(&guess)
            .send()
            .await
            .assert_failure(401, "invalid_credentials");
    }
    app.post("/api/auth/login").json(&guess).send().await.assert_failure(429, "too_many_attempts");
    assert_eq!(reauthenticate(&app, &pair.access, &right()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn invariant_42_reauthentication_attempts_are_audited() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    reauthenticate(&app, &pair.access, &json!({ "password": "wrong" })).await;
    reauthenticate(&app, &pair.access, &right()).await;
    let entries = app.server.store.audit_entries().await.unwrap();
    let comparable: Vec<_> =
        entries.iter().filter(|entry| entry.event == "reauthenticated").collect();
    assert_eq!(
        comparable.iter().map(|entry| &*entry.outcome).collect::<Vec<_>>(),
        ["wrong_password", "success"]
    );
    assert!(comparable.iter().all(|entry| entry.user.is_some() && entry.session.is_some()));
}
