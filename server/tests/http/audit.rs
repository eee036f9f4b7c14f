//! The audit log: actor, event, time, client and outcome.

use serde_json::json;

use crate::app::{App, START};

#[tokio::test]
async fn audit_cleanup_of_expired_events_deletes_them() {
    let app = App::with(&[("AUDIT_DAYS", "30")]).await;
    app.register("alice").await;
    app.clock.advance(86_400);
    app.register("bertha").await;
    app.clock.advance(29 * 86_400 - 1);
    app.server.state.sessions.delete_expired().await.unwrap();
    assert_eq!(app.server.store.audit_entries().await.unwrap().len(), 2);
    app.clock.advance(1);
    app.server.state.sessions.delete_expired().await.unwrap();
    let left: Vec<_> = app
        .server
        .store
        .audit_entries()
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.at - START)
        .collect();
    assert_eq!(left, [86_400]);
}

#[tokio::test]
async fn invariant_42_audit_of_each_security_event_has_one_row_with_actor_and_client() {
    let app = App::start().await;
    let agent = "Browser/1.0 (a \u{e4}) ".repeat(40);
    let register = json!({ "username": "alice", "password": crate::app::PASSWORD });
    let registered = app
        .post("/api/auth/register")
        .header("user-agent", "Tester/1")
        .json(&register)
        .send()
        .await;
    let id: uuid::Uuid = registered.json()["user"]["id"].as_str().unwrap().parse().unwrap();
    app.clock.advance(5);
    let pair = app.login("alice").await;
    for (username, password) in [("alice", "wrong"), ("nobody", "wrong")] {
        let body = json!({ "username": username, "password": password });
        app.post("/api/auth/login").header("user-agent", &agent).json(&body).send().await;
    }
    app.refresh(&pair.refresh).await;
    app.logout(&pair.refresh).await;

    // Refused logins are recorded asynchronously.
    let entries = loop {
        let entries = app.server.store.audit_entries().await.unwrap();
        if entries.len() >= 5 {
            break entries;
        }
        tokio::task::yield_now().await;
    };
    let mut comparable: Vec<_> = entries
        .iter()
        .map(|entry| (entry.event.as_str(), entry.outcome.as_str(), entry.user, entry.at - START))
        .collect();
    comparable.sort();
    let mut expected = [
        ("registered", "success", Some(id), 0),
        ("logged_in", "success", Some(id), 5),
        ("logged_in", "wrong_password", Some(id), 5),
        ("logged_in", "unknown_account", None, 5),
        ("logged_out", "success", Some(id), 5),
    ];
    expected.sort();
    assert_eq!(comparable, expected);
    assert_eq!(entries[0].user_agent.as_deref(), Some("Tester/1"));
    assert!(
        entries
            .iter()
            .filter_map(|entry| entry.user_agent.as_ref())
            .all(|agent| agent.chars().count() <= 256)
    );
    let sessions: std::collections::HashSet<_> =
        entries.iter().filter_map(|entry| entry.session).collect();
    assert_eq!(sessions.len(), 1, "log-in and log-out name the same session");
}

const DAY: i64 = 86_400;

#[tokio::test]
async fn invariant_42_audit_cleanup_with_clock_far_ahead_deletes_nothing() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    app.server.state.sessions.delete_expired().await.unwrap();
    app.clock.advance(DAY);
    app.register_and_login("bertha").await;

    // A start with a clock 400 days ahead.
    app.clock.set(400 * DAY);
    let app = app.restart().await;
    let entries = async |app: &App| app.server.store.audit_entries().await.unwrap().len();
    app.server.state.sessions.delete_expired().await.unwrap();
    app.clock.advance(600);
    app.server.state.sessions.delete_expired().await.unwrap();
    // Requests meanwhile, and a restart.
    app.login("alice").await;
    let app = app.restart().await;
    app.server.state.sessions.delete_expired().await.unwrap();
    assert_eq!(entries(&app).await, 6);
    app.clock.set(-400 * DAY);
    app.server.state.sessions.delete_expired().await.unwrap();
    assert_eq!(entries(&app).await, 6);
    assert_eq!(
        app.refresh(&pair.refresh).await.status,
        axum::http::StatusCode::OK,
        "the session is there, too"
    );

    // A clock that jumps while the server runs.
    app.clock.set(400 * DAY);
    app.server.state.sessions.delete_expired().await.unwrap();
    app.clock.set(-400 * DAY);
    assert_eq!(entries(&app).await, 6);
}

#[tokio::test]
async fn cleanup_after_a_long_pause_waits_for_a_confirmed_clock() {
    let app = App::start().await;
    app.register_and_login("alice").await;
    app.server.state.sessions.delete_expired().await.unwrap();
    // The machine was off for more than a year, and the clock is right.
    app.clock.set(400 * DAY);
    let app = app.restart().await;
    let entries = async || app.server.store.audit_entries().await.unwrap().len();
    app.server.state.sessions.delete_expired().await.unwrap();
    app.clock.advance(3600);
    app.server.state.sessions.delete_expired().await.unwrap();
    assert_eq!(entries().await, 2, "nothing has happened since");
    app.login("alice").await;
    app.server.state.sessions.delete_expired().await.unwrap();
    let left = app.server.store.audit_entries().await.unwrap();
    assert!(
        left.iter().all(|entry| entry.at == app.env().now()),
        "the log-in of now is left: {left:?}"
    );
}

#[tokio::test]
async fn login_after_failures_recorded_by_a_clock_ahead_succeeds() {
    let app = App::start().await;
    app.register("alice").await;
    let wrong = json!({ "username": "alice", "password": "wrong" });
    app.clock.set(DAY);
    for _ in 0..10 {
        app.post("/api/auth/login")
            .json(&wrong)
            .send()
            .await
            .assert_failure(401, "invalid_credentials");
    }
    app.post("/api/auth/login").json(&wrong).send().await.assert_failure(429, "too_many_attempts");
    app.clock.set(-DAY);
    // Current failures count as usual, beside the ones dated ahead.
    for _ in 0..10 {
        app.post("/api/auth/login")
            .json(&wrong)
            .send()
            .await
            .assert_failure(401, "invalid_credentials");
    }
    app.post("/api/auth/login").json(&wrong).send().await.assert_failure(429, "too_many_attempts");
    app.clock.advance(900);
    app.login("alice").await;
}
