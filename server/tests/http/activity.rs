//! Recent activity: `GET /api/me/activity`.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    app::{App, PASSWORD, Response, START},
    forged_tokens::parts,
};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn list(app: &App, token: &str, query: &str) -> Response {
    app.get(&format!("/api/me/activity{query}")).bearer(token).send().await
}

async fn events(app: &App, token: &str) -> Vec<Value> {
    let response = list(app, token, "?limit=100").await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    response.json()["events"].as_array().unwrap().clone()
}

async fn login_from(app: &App, username: &str, password: &str) -> Response {
    app.post("/api/auth/login")
        .from("192.0.2.7")
        .header("user-agent", FIREFOX)
        .json(&json!({ "username": username, "password": password }))
        .send()
        .await
}

#[tokio::test]
async fn activity_lists_own_events_with_client_and_active_session() {
    let app = App::start().await;
    let other = app.register_and_login("bob").await;
    assert_eq!(app.register("alice").await.status, StatusCode::CREATED);
    app.clock.advance(60);
    login_from(&app, "alice", "wrong").await.assert_failure(401, "invalid_credentials");
    let pair = login_from(&app, "alice", PASSWORD).await.pair();
    let seen = events(&app, &pair.access).await;
    let session = parts(&pair.access).1["sid"].clone();
    let client = |outcome: &str| {
        json!({
            "event": "logged_in", "at": START + 60, "browser": "Firefox", "system": "Linux",
            "address": "192.0.2.7", "outcome": outcome,
        })
    };
    let mut login = client("success");
    login["session_id"] = session;
    assert_eq!(seen[..2], [login, client("wrong_password")]);
    assert_eq!((&seen[2]["event"], &seen[2]["at"]), (&json!("registered"), &json!(START)));
    assert_eq!(seen.len(), 3, "nothing of another account: {seen:?}");
    // The session of an earlier login that has ended cannot be ended again.
    let again = login_from(&app, "alice", PASSWORD).await.pair();
    app.logout(&pair.refresh).await;
    let seen = events(&app, &again.access).await;
    let ended = seen.iter().find(|event| event["event"] == "logged_out").unwrap();
    assert_eq!(ended.get("session_id"), None);
    let logins = seen.iter().filter(|event| event.get("session_id").is_some());
    assert!(logins.clone().count() >= 1);
    assert!(logins.into_iter().all(|event| event["session_id"] == parts(&again.access).1["sid"]));
    assert_eq!(events(&app, &other.access).await.len(), 2);
}

#[tokio::test]
async fn activity_shows_a_login_from_a_new_device_once() {
    let app = App::start().await;
    app.register_and_login("alice").await;
    let pair = login_from(&app, "alice", PASSWORD).await.pair();
    let seen = events(&app, &pair.access).await;
    let names: Vec<_> = seen.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["new_device", "logged_in", "registered"]);
}

#[tokio::test]
async fn activity_is_paged_by_cursor_and_ends_after_ninety_days() {
    let app = App::with(&[("RATE_LIMITS", "off"), ("SESSION_MAX_SECONDS", "31536000")]).await;
    app.register("alice").await;
    for _ in 0..3 {
        app.login("alice").await;
    }
    app.clock.advance(90 * 86_400);
    let pair = app.login("alice").await;
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = list(&app, &pair.access, &query).await.json();
        seen.extend(page["events"].as_array().unwrap().iter().map(|event| event["at"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=2&after={next}");
    }
    // The registration and the first logins are exactly as old as the period.
    assert!(seen.len() >= 5, "{seen:?}");
    app.clock.advance(1);
    let later = events(&app, &pair.access).await;
    assert!(later.iter().all(|event| event["at"] == START + 90 * 86_400), "{later:?}");
}

#[tokio::test]
async fn activity_hides_the_client_of_administrators() {
    let app = App::start().await;
    let admin = app.admin("root").await;
    let alice = app.register_and_login("alice").await;
    let id = app.me(&alice.access).await.json()["id"].clone();
    let change = app.call(Method::PATCH, "/api/users").bearer(&admin.access).from("198.51.100.9");
    let change = change.header("user-agent", FIREFOX).json(&json!({ "id": id, "role": "admin" }));
    assert_eq!(change.send().await.status, StatusCode::OK);
    let seen = events(&app, &alice.access).await;
    let changed = seen.iter().find(|event| event["event"] == "role_changed").unwrap();
    assert_eq!(
        (&changed["address"], &changed["browser"], &changed["system"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn activity_with_invalid_query_or_token_is_refused() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    for (query, field) in [("?after=x", "after"), ("?limit=0", "limit"), ("?limit=101", "limit")] {
        let response = list(&app, &pair.access, query).await;
        response.assert_failure(400, "validation_failed");
        assert!(response.json()["fields"][field].is_string(), "{query}");
    }
    app.get("/api/me/activity").send().await.assert_failure(401, "token_missing");
    list(&app, &pair.refresh, "").await.assert_failure(401, "token_wrong_type");
}
