use axum::http::StatusCode;
use serde_json::{Value, json};
use server::clock::Clock as _;

use crate::app::{App, PASSWORD};

#[tokio::test]
async fn an_account_is_made_and_shown_without_anything_of_its_password() {
    let app = App::start().await;
    let answer = app
        .post("/api/auth/register")
        .json(&json!({ "username": " Alice ", "password": PASSWORD, "nickname": " Al ", "unknown": 1 }))
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let body = answer.json();
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
async fn what_is_refused_is_told_field_by_field() {
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
        let answer = app.post("/api/auth/register").json(&body).send().await;
        answer.assert_failure(400, "validation_failed");
        let told: Vec<_> = answer.json()["fields"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(told, fields, "{body}");
    }
}

#[tokio::test]
async fn a_wrong_type_is_a_bad_request() {
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
async fn optional_members_may_be_null_or_blank() {
    let app = App::start().await;
    for (username, nickname) in
        [("alice", json!(null)), ("bertha", json!("")), ("claire", json!("  "))]
    {
        let body = json!({ "username": username, "password": PASSWORD, "nickname": nickname });
        let answer = app.post("/api/auth/register").json(&body).send().await;
        assert_eq!(answer.json()["user"]["nickname"], Value::Null, "{}", answer.text());
    }
}

#[tokio::test]
async fn invariant_38_a_name_is_taken_in_every_spelling() {
    let app = App::start().await;
    assert_eq!(app.register("Admin").await.status, StatusCode::CREATED);
    for name in ["Admin", "admin", " ADMIN ", "ａｄｍｉｎ"] {
        let answer = app.register(name).await;
        answer.assert_failure(409, "username_taken");
        let message = format!("The username {} is taken", name.trim());
        assert_eq!(answer.json()["fields"]["username"], message.as_str());
        assert_eq!(answer.json()["message"], message.as_str());
    }
    assert_eq!(app.register("A@example.com").await.status, StatusCode::CREATED);
    app.register(" a@EXAMPLE.com").await.assert_failure(409, "username_taken");
    for (first, second) in [("bob1", "bobl"), ("rob.o", "rob_o")] {
        assert_eq!(app.register(first).await.status, StatusCode::CREATED);
        assert_eq!(app.register(second).await.status, StatusCode::CREATED);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_39_of_simultaneous_registrations_of_a_name_one_wins() {
    let app = std::sync::Arc::new(App::start().await);
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let app = std::sync::Arc::clone(&app);
            tokio::spawn(async move {
                app.register(if number % 2 == 0 { "Racer" } else { "ｒacer" }).await
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        match answer.status {
            StatusCode::CREATED => made += 1,
            _ => answer.assert_failure(409, "username_taken"),
        }
    }
    assert_eq!(made, 1);
    app.login("racer").await;
}

#[tokio::test]
async fn the_shortest_password_is_a_setting() {
    let app = App::with(&[("PASSWORD_MIN_LENGTH", "6")]).await;
    let body = |password: &str| json!({ "username": "alice", "password": password });
    let answer = app.post("/api/auth/register").json(&body("12345")).send().await;
    assert_eq!(answer.json()["fields"]["password"], "Use at least 6 characters");
    assert_eq!(
        app.post("/api/auth/register").json(&body("ab-c d")).send().await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn invariant_29_passwords_are_kept_as_phc_strings_of_the_promised_cost() {
    let app = App::start().await;
    app.register("alice").await;
    let (_, hash) = app.server.store.user_with_hash("alice").await.unwrap().unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
}
