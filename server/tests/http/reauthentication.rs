//! The password, once more: `POST /api/auth/reauthenticate`.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    app::{Answer, App, PASSWORD, START},
    forged_tokens::parts,
};

async fn reauthenticate(app: &App, token: &str, body: &Value) -> Answer {
    app.post("/api/auth/reauthenticate").bearer(token).json(body).send().await
}

fn right() -> Value {
    json!({ "password": PASSWORD })
}

#[tokio::test]
async fn the_password_gives_a_fresh_token_and_the_session_goes_on_as_it_is() {
    let app = App::start().await;
    let first = app.person("alice").await;
    app.clock.advance(60);
    let pair = app.refresh(&first.refresh).await.pair();
    assert_eq!(app.me(&pair.access).await.json()["fresh"], false);
    app.clock.advance(40);
    let answer = reauthenticate(&app, &pair.access, &right()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let mut body = answer.json();
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
async fn who_has_lost_the_answer_to_a_refresh_is_not_taken_for_a_thief_by_it() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    app.refresh(&pair.refresh).await;
    app.clock.advance(60);
    let fresh = reauthenticate(&app, &pair.access, &right()).await.json();
    let fresh = fresh["access_token"].as_str().unwrap();
    assert_eq!(app.me(fresh).await.status, StatusCode::OK);
    assert_eq!(app.refresh(&pair.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn it_lives_no_longer_than_its_session() {
    let app = App::with(&[("SESSION_MAX_SECONDS", "1000")]).await;
    let pair = app.person("alice").await;
    app.clock.advance(300);
    assert_eq!(reauthenticate(&app, &pair.access, &right()).await.json()["expires_in"], 700);
}

#[tokio::test]
async fn what_is_no_password_and_what_is_the_wrong_one() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    for body in [
        json!({}),
        json!({ "password": null }),
        json!({ "password": "" }),
        json!({ "password": "x".repeat(1025) }),
    ] {
        let answer = reauthenticate(&app, &pair.access, &body).await;
        answer.assert_failure(400, "validation_failed");
        assert!(answer.json()["fields"]["password"].is_string(), "{body}");
    }
    reauthenticate(&app, &pair.access, &json!({ "password": 5 }))
        .await
        .assert_failure(400, "bad_request");
    for wrong in ["wrong", "x", &format!("{PASSWORD} "), &"x".repeat(1024)] {
        let answer = reauthenticate(&app, &pair.access, &json!({ "password": wrong })).await;
        answer.assert_failure(401, "invalid_credentials");
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
async fn it_is_the_password_of_whoever_calls() {
    let app = App::start().await;
    app.register("alice").await;
    let body = json!({ "username": "bertha", "password": "battery horse correct" });
    app.post("/api/auth/register").json(&body).send().await;
    let bertha = app.post("/api/auth/login").json(&body).send().await.pair();
    let asked = json!({ "username": "alice", "password": PASSWORD });
    reauthenticate(&app, &bertha.access, &asked).await.assert_failure(401, "invalid_credentials");
}

#[tokio::test]
async fn invariant_33_who_holds_a_token_and_guesses_is_counted_and_a_restart_forgives_none() {
    let app = App::with(&[("LOGIN_FAILURES_PER_ACCOUNT", "3")]).await;
    let pair = app.person("Alice").await;
    let wrong = json!({ "password": "wrong" });
    let login = |password: &str| {
        app.post("/api/auth/login")
            .json(&json!({ "username": "alice", "password": password }))
            .send()
    };
    // A right one forgives those before it.
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
    let answer = reauthenticate(&app, &pair.access, &right()).await;
    answer.assert_failure(429, "too_many_attempts");
    assert_eq!(answer.header("retry-after"), Some("900"));
    // Its person is not kept from logging in by it.
    assert_eq!(login(PASSWORD).await.status, StatusCode::OK);
    app.clock.advance(899);
    let app = app.restart().await;
    reauthenticate(&app, &pair.access, &right()).await.assert_failure(429, "too_many_attempts");
}

#[tokio::test]
async fn invariant_34_who_is_signed_in_is_not_kept_out_by_strangers_who_guess() {
    let app = App::with(&[("LOGIN_FAILURES_PER_ACCOUNT", "2")]).await;
    let pair = app.person("alice").await;
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
async fn invariant_42_each_try_is_in_the_audit_log() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    reauthenticate(&app, &pair.access, &json!({ "password": "wrong" })).await;
    reauthenticate(&app, &pair.access, &right()).await;
    let entries = app.server.store.audit_entries().await.unwrap();
    let told: Vec<_> = entries.iter().filter(|entry| entry.event == "reauthenticated").collect();
    assert_eq!(
        told.iter().map(|entry| &*entry.outcome).collect::<Vec<_>>(),
        ["wrong_password", "success"]
    );
    assert!(told.iter().all(|entry| entry.user.is_some() && entry.session.is_some()));
}
