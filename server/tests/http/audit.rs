//! The audit log: who, what, when, from where, and how it ended.

use serde_json::json;

use crate::app::{App, START};

#[tokio::test]
async fn what_is_too_old_is_swept() {
    let app = App::with(&[("AUDIT_DAYS", "30")]).await;
    app.register("alice").await;
    app.clock.advance(86_400);
    app.register("bertha").await;
    app.clock.advance(29 * 86_400 - 1);
    app.server.state.sessions.sweep().await.unwrap();
    assert_eq!(app.server.store.audit_entries().await.unwrap().len(), 2);
    app.clock.advance(1);
    app.server.state.sessions.sweep().await.unwrap();
    let left: Vec<_> =
        app.server.store.audit_entries().await.unwrap().into_iter().map(|entry| entry.at - START).collect();
    assert_eq!(left, [86_400]);
}

#[tokio::test]
async fn invariant_42_each_event_is_there_once_with_its_person_and_its_origin() {
    let app = App::start().await;
    let agent = "Browser/1.0 (a \u{e4}) ".repeat(40);
    let register = json!({ "username": "alice", "password": crate::app::PASSWORD });
    let registered = app.post("/api/auth/register").header("user-agent", "Tester/1").json(&register).send().await;
    let id: uuid::Uuid = registered.json()["user"]["id"].as_str().unwrap().parse().unwrap();
    app.clock.advance(5);
    let pair = app.login("alice").await;
    for (username, password) in [("alice", "wrong"), ("nobody", "wrong")] {
        let body = json!({ "username": username, "password": password });
        app.post("/api/auth/login").header("user-agent", &agent).json(&body).send().await;
    }
    app.refresh(&pair.refresh).await;
    app.logout(&pair.refresh).await;

    // Nobody waits for refused log-ins: they may come a moment later.
    let entries = loop {
        let entries = app.server.store.audit_entries().await.unwrap();
        if entries.len() >= 5 {
            break entries;
        }
        tokio::task::yield_now().await;
    };
    let mut told: Vec<_> = entries
        .iter()
        .map(|entry| (entry.event.as_str(), entry.outcome.as_str(), entry.user, entry.at - START))
        .collect();
    told.sort();
    let mut expected = [
        ("registered", "success", Some(id), 0),
        ("logged_in", "success", Some(id), 5),
        ("logged_in", "wrong_password", Some(id), 5),
        ("logged_in", "unknown_account", None, 5),
        ("logged_out", "success", Some(id), 5),
    ];
    expected.sort();
    assert_eq!(told, expected);
    assert_eq!(entries[0].user_agent.as_deref(), Some("Tester/1"));
    assert!(entries.iter().filter_map(|entry| entry.user_agent.as_ref()).all(|agent| agent.chars().count() <= 256));
    let sessions: std::collections::HashSet<_> = entries.iter().filter_map(|entry| entry.session).collect();
    assert_eq!(sessions.len(), 1, "log-in and log-out name the same session");
}
