use axum::http::StatusCode;
use serde_json::{Value, json};
use server::clock::Clock as _;

use crate::app::{App, PASSWORD, assert_one_registered};

#[tokio::test]
async fn registration_returns_the_account_without_password_data() {
    let app = App::start().await;
    let response = app
        .post("/api/auth/register")
        .json(&json!({ "username": " Alice ", "password": PASSWORD, "nickname": " Al ", "unknown": 1 }))
        .send()
        .await;
    assert_eq!(response.status, StatusCode::CREATED, "{}", response.text());
    let body = response.json();
    assert_eq!(body["message"], "Registered. Please log in.");
    let user = body["user"].as_object().unwrap();
    let mut members: Vec<_> = user.keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["avatar_url", "id", "nickname", "role", "username"]);
    assert_eq!(user["username"], "Alice");
    assert_eq!(user["nickname"], "Al");
    assert_eq!(user["avatar_url"], Value::Null);
    assert_eq!(user["role"], "user");
    let id: uuid::Uuid = user["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(id.get_version_num(), 7);
    let (seconds, _) = id.get_timestamp().unwrap().to_unix();
    assert_eq!(seconds.cast_signed(), app.clock.now());
}

#[tokio::test]
async fn registration_with_invalid_members_is_reported_by_field() {
    let app = App::start().await;
    for (body, fields) in [
        (json!({}), vec!["password", "username"]),
        (json!({ "username": null, "password": null }), vec!["password", "username"]),
        (json!({ "username": "", "password": "" }), vec!["password", "username"]),
        (json!({ "username": "  ", "password": PASSWORD }), vec!["username"]),
        (json!({ "username": "ab", "password": PASSWORD }), vec!["username"]),
        (json!({ "username": "a b c", "password": PASSWORD }), vec!["username"]),
        (json!({ "username": "admin\u{200b}", "password": PASSWORD }), vec!["username"]),
        (json!({ "username": "\u{430}dmin", "password": PASSWORD }), vec!["username"]),
        (json!({ "username": "x@", "password": PASSWORD }), vec!["username"]),
        (json!({ "username": "x".repeat(10_000), "password": PASSWORD }), vec!["username"]),
        (json!({ "username": "alice", "password": "1234567" }), vec!["password"]),
        (json!({ "username": "alice", "password": "x".repeat(129) }), vec!["password"]),
        (json!({ "username": "alice", "password": "x".repeat(60_000) }), vec!["password"]),
        (json!({ "username": "alice1234", "password": "ALICE1234" }), vec!["password"]),
        (
            json!({ "username": "alice", "password": PASSWORD, "nickname": "x".repeat(65) }),
            vec!["nickname"],
        ),
        (
            json!({ "username": "alice", "password": PASSWORD, "nickname": "a\r\nb" }),
            vec!["nickname"],
        ),
    ] {
        let response = app.post("/api/auth/register").json(&body).send().await;
        response.assert_failure(400, "validation_failed");
        let comparable: Vec<_> =
            response.json()["fields"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(comparable, fields, "{body}");
    }
}

#[tokio::test]
async fn registration_with_members_of_the_wrong_type_is_bad_request() {
    let app = App::start().await;
    for body in [
        json!({ "username": 1, "password": PASSWORD }),
        json!({ "username": ["alice"], "password": PASSWORD }),
        json!({ "username": "alice", "password": { "a": 1 } }),
        json!({ "username": "alice", "password": true }),
        json!({ "username": "alice", "password": PASSWORD, "nickname": 7 }),
        json!(["alice", PASSWORD]),
        json!("alice"),
        json!(null),
        json!(3),
    ] {
        app.post("/api/auth/register").json(&body).send().await.assert_failure(400, "bad_request");
    }
}

#[tokio::test]
async fn registration_with_null_or_blank_optional_members_succeeds() {
    let app = App::start().await;
    for (username, nickname) in
        [("alice", json!(null)), ("bertha", json!("")), ("claire", json!("  "))]
    {
        let body = json!({ "username": username, "password": PASSWORD, "nickname": nickname });
        let response = app.post("/api/auth/register").json(&body).send().await;
        assert_eq!(response.json()["user"]["nickname"], Value::Null, "{}", response.text());
    }
}

#[tokio::test]
async fn invariant_38_registration_of_another_spelling_is_refused() {
    let app = App::start().await;
    assert_eq!(app.register("Admin").await.status, StatusCode::CREATED);
    for name in ["Admin", "admin", " ADMIN ", "ａｄｍｉｎ"] {
        let response = app.register(name).await;
        response.assert_failure(409, "username_taken");
        let message = format!("The username {} is taken", name.trim());
        assert_eq!(response.json()["fields"]["username"], message.as_str());
        assert_eq!(response.json()["message"], message.as_str());
    }
    assert_eq!(app.register("A@example.com").await.status, StatusCode::CREATED);
    app.register(" a@EXAMPLE.com").await.assert_failure(409, "username_taken");
    for (first, second) in [("bob1", "bobl"), ("rob.o", "rob_o")] {
        assert_eq!(app.register(first).await.status, StatusCode::CREATED);
        assert_eq!(app.register(second).await.status, StatusCode::CREATED);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_39_concurrent_registrations_of_a_name_succeed_once() {
    let app = std::sync::Arc::new(App::start().await);
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let app = std::sync::Arc::clone(&app);
            tokio::spawn(async move {
                app.register(if number % 2 == 0 { "Racer" } else { "ｒacer" }).await
            })
        })
        .collect();
    assert_one_registered(tasks).await;
    app.login("racer").await;
}

#[tokio::test]
async fn registration_applies_the_configured_minimum_password_length() {
    let app = App::with(&[("PASSWORD_MIN_LENGTH", "6")]).await;
    let body = |password: &str| json!({ "username": "alice", "password": password });
    let response = app.post("/api/auth/register").json(&body("12345")).send().await;
    assert_eq!(response.json()["fields"]["password"], "Use at least 6 characters");
    assert_eq!(
        app.post("/api/auth/register").json(&body("ab-c d")).send().await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn invariant_29_registration_stores_a_phc_string_with_the_documented_cost() {
    let app = App::start().await;
    app.register("alice").await;
    let (_, hash) = app.server.store.user_with_hash("alice").await.unwrap().unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
}

#[tokio::test]
async fn registration_while_closed_or_without_invitation_is_refused_and_creates_nothing() {
    for policy in ["closed", "invite"] {
        let app = App::with(&[("REGISTRATION", policy)]).await;
        // Also of an invalid name: nothing about names is told.
        for username in ["alice", "", "a"] {
            app.register(username).await.assert_failure(403, "registration_closed");
        }
        assert_eq!(app.count("SELECT count(*) FROM users").await, 0, "{policy}");
    }
    let app = App::with(&[("REGISTRATION", "open")]).await;
    assert_eq!(app.register("alice").await.status, StatusCode::CREATED);
}
