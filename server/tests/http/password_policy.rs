//! Password policy and comparison (security invariants 26 to 28).

use axum::http::StatusCode;
use serde_json::json;

use crate::app::{App, Response};

async fn register(app: &App, username: &str, password: &str) -> Response {
    app.post("/api/auth/register")
        .json(&json!({ "username": username, "password": password }))
        .send()
        .await
}

#[tokio::test]
async fn invariant_26_password_of_any_characters_is_judged_by_length() {
    let app = App::start().await;
    let emoji = "🔑 ".repeat(32);
    for (number, password) in
        ["correct!", &"x".repeat(128), &emoji, "        9", "ÄÖÜäöüßẞ"].iter().enumerate()
    {
        let name = format!("person{number}");
        assert_eq!(register(&app, &name, password).await.status, StatusCode::CREATED, "{password}");
        let body = json!({ "username": name, "password": password });
        assert_eq!(
            app.post("/api/auth/login").json(&body).send().await.status,
            StatusCode::OK,
            "{password}"
        );
    }
    for password in ["1234 67", "ÄÖÜäöüß", &"x".repeat(129)] {
        let response = register(&app, "alice", password).await;
        response.assert_failure(400, "validation_failed");
        assert!(
            response.json()["fields"]["password"].as_str().unwrap().contains("characters"),
            "{password}"
        );
    }
}

#[tokio::test]
async fn invariant_27_overlong_password_is_refused_before_hashing() {
    let app = App::start().await;
    let id = app.register("alice").await.json()["user"]["id"].as_str().unwrap().parse().unwrap();
    // Verifying this hash would fail.
    let (_, hash) = app.server.store.user_with_hash("alice").await.unwrap().unwrap();
    app.server.store.replace_hash(id, &hash, "no hash").await.unwrap();
    for path in ["/api/auth/login", "/api/auth/register"] {
        for (bytes, status, code) in [
            (1025, 400, "validation_failed"),
            (60_000, 400, "validation_failed"),
            (1_000_000, 413, "payload_too_large"),
        ] {
            let body = json!({ "username": "alice", "password": "x".repeat(bytes) });
            app.post(path).json(&body).send().await.assert_failure(status, code);
        }
    }
    let body = json!({ "username": "alice", "password": "x".repeat(1024) });
    app.post("/api/auth/login").json(&body).send().await.assert_failure(500, "internal_error");
}

#[tokio::test]
async fn invariant_26_common_password_is_refused_in_the_language_of_the_request() {
    let app = App::start().await;
    for password in [
        "12345678",
        "password1",
        "PassWord1",
        "ｐａｓｓｗｏｒｄ１",
        "iloveyou",
        "qwertyuiop",
        "passwordpassword",
    ] {
        let response = register(&app, "alice", password).await;
        response.assert_failure(400, "validation_failed");
        assert_eq!(
            response.json()["fields"],
            json!({ "password": "This password is too common" }),
            "{password}"
        );
    }
    let body = json!({ "username": "alice", "password": "12345678" });
    let response =
        app.post("/api/auth/register").header("accept-language", "zh").json(&body).send().await;
    assert_eq!(response.json()["fields"], json!({ "password": "这个密码太常见，容易被猜到" }));
}

#[tokio::test]
async fn common_password_with_the_blocklist_switched_off_is_accepted() {
    let app = App::with(&[("PASSWORD_BLOCKLIST", "off")]).await;
    assert_eq!(register(&app, "alice", "12345678").await.status, StatusCode::CREATED);
    register(&app, "bertha99", "bertha99").await.assert_failure(400, "validation_failed");
}

#[tokio::test]
async fn password_similar_to_the_username_is_refused() {
    let app = App::start().await;
    for (username, password) in [
        ("alice2027", "Alice2027"),
        ("alice2027", "alice2027!"),
        ("alice2027", "!!ＡＬＩＣＥ2027"),
        ("ada.lovelace@example.com", "ADA.LOVELACE@example.com"),
        ("ada.lovelace@example.com", "ada.lovelace"),
        ("ada.lovelace@example.com", "ada.lovelace1!"),
    ] {
        let response = register(&app, username, password).await;
        response.assert_failure(400, "validation_failed");
        assert!(
            response.json()["fields"]["password"].as_str().unwrap().contains("username"),
            "{password}"
        );
    }
    assert_eq!(
        register(&app, "alice2027", "alice2027 in wonderland").await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn invariant_28_password_normal_forms_are_equal_and_nothing_is_truncated() {
    let app = App::start().await;
    let composed = "Zw\u{f6}lf Boxk\u{e4}mpfer";
    let decomposed = "Zwo\u{308}lf Boxka\u{308}mpfer";
    assert_eq!(register(&app, "alice", decomposed).await.status, StatusCode::CREATED);
    let login = async |name: &str, password: &str| {
        app.post("/api/auth/login")
            .json(&json!({ "username": name, "password": password }))
            .send()
            .await
            .status
    };
    assert_eq!(login("alice", composed).await, StatusCode::OK);
    assert_eq!(login("alice", decomposed).await, StatusCode::OK);
    assert_eq!(login("alice", &composed.to_uppercase()).await, StatusCode::UNAUTHORIZED);
    let (long, other) = (format!("{}y", "x".repeat(100)), format!("{}z", "x".repeat(100)));
    assert_eq!(register(&app, "bertha", &long).await.status, StatusCode::CREATED);
    assert_eq!(login("bertha", &other).await, StatusCode::UNAUTHORIZED);
    assert_eq!(register(&app, "claire", "before\u{0}after it").await.status, StatusCode::CREATED);
    assert_eq!(login("claire", "before").await, StatusCode::UNAUTHORIZED);
    assert_eq!(login("claire", "before\u{0}after it").await, StatusCode::OK);
}
