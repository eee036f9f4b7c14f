//! Several servers on one database: what one changes, the others learn from the table `changes`.

use std::sync::Arc;

use axum::{Router, http::StatusCode};
use serde_json::json;
use server::{clock::ManualClock, startup::Server};

use crate::app::{App, PASSWORD, Response, START, Tokens};

/// A second server on the data of another one.
struct Node<'a> {
    app: &'a App,
    server: Server,
    router: Router,
}

impl<'a> Node<'a> {
    async fn beside(app: &'a App) -> Self {
        let (server, router) = app.second().await;
        Self { app, server, router }
    }

    async fn me(&self, token: &str) -> Response {
        self.app.get("/api/me").bearer(token).to(&self.router).send().await
    }

    async fn poll(&self) {
        self.server.state.sessions.poll_changes().await.expect("polled");
    }
}

async fn set_nickname_behind_the_cache(app: &App, username: &str, nickname: &str) {
    app.execute(&format!("UPDATE users SET nickname = '{nickname}' WHERE username = '{username}'"))
        .await;
}

#[tokio::test]
async fn changes_of_another_node_invalidate_only_what_they_name() {
    let app = App::start().await;
    let (alice, bertha) =
        (app.register_and_login("alice").await, app.register_and_login("bertha").await);
    let node = Node::beside(&app).await;
    for pair in [&alice, &bertha] {
        assert_eq!(node.me(&pair.access).await.json()["nickname"], json!(null));
    }
    for name in ["alice", "bertha"] {
        set_nickname_behind_the_cache(&app, name, "from elsewhere").await;
    }
    let changed = app.call(axum::http::Method::PATCH, "/api/me").bearer(&bertha.access);
    let changed = changed.json(&json!({ "nickname": "Bertha" })).send().await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    node.poll().await;
    assert_eq!(node.me(&bertha.access).await.json()["nickname"], "Bertha");
    assert_eq!(node.me(&alice.access).await.json()["nickname"], json!(null), "still cached");
    assert_eq!(app.logout(&bertha.access).await.status, StatusCode::OK);
    node.poll().await;
    node.me(&bertha.access).await.assert_failure(401, "token_revoked");
    assert_eq!(node.me(&alice.access).await.json()["nickname"], json!(null), "still cached");
}

#[tokio::test]
async fn refresh_adds_no_change() {
    let app = App::start().await;
    let mut pair = app.register_and_login("alice").await;
    for _ in 0..3 {
        pair = app.refresh(&pair.refresh).await.pair();
        assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM changes").await, 0);
    app.logout(&pair.access).await;
    assert_eq!(app.count("SELECT COUNT(*) FROM changes").await, 1);
}

/// A session of which the second refresh response was lost, and that a node has cached in between.
async fn superseded_in_a_cache(app: &App, node: &Node<'_>) -> (Tokens, Tokens, Tokens) {
    let first = app.register_and_login("alice").await;
    let lost = app.refresh(&first.refresh).await.pair();
    assert_eq!(node.me(&first.access).await.status, StatusCode::OK, "it caches generation 2");
    app.clock.advance(11);
    let third = app.refresh(&first.refresh).await.pair();
    (first, lost, third)
}

#[tokio::test]
async fn invariant_09_superseded_generation_is_refused_by_a_node_that_had_cached_it() {
    let app = App::start().await;
    let node = Node::beside(&app).await;
    let (_, lost, third) = superseded_in_a_cache(&app, &node).await;
    node.poll().await;
    let refused = node.me(&lost.access).await;
    refused.assert_failure(401, "token_revoked");
    assert_eq!(refused.json()["reason"], "reused");
    app.server.state.sessions.poll_changes().await.unwrap();
    app.me(&third.access).await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn older_and_newer_generations_than_a_cached_one_are_accepted() {
    let app = App::start().await;
    let node = Node::beside(&app).await;
    let (first, _, third) = superseded_in_a_cache(&app, &node).await;
    node.poll().await;
    for token in [&first.access, &third.access] {
        assert_eq!(node.me(token).await.status, StatusCode::OK);
    }
    let next = app.refresh(&third.refresh).await.pair();
    for token in [&next.access, &third.access, &first.access] {
        assert_eq!(node.me(token).await.status, StatusCode::OK, "without a poll");
    }
}

#[tokio::test]
async fn refresh_on_another_node_after_it_was_cached_detects_reuse() {
    let app = App::start().await;
    let node = Node::beside(&app).await;
    let first = app.register_and_login("alice").await;
    assert_eq!(node.me(&first.access).await.status, StatusCode::OK);
    let second = app.refresh(&first.refresh).await.pair();
    assert_eq!(app.me(&second.access).await.status, StatusCode::OK, "it is acknowledged");
    app.server.state.sessions.write_acknowledgements().await.unwrap();
    app.clock.advance(11);
    let replayed = app.post("/api/auth/refresh").bearer(&first.refresh).to(&node.router).send();
    let refused = replayed.await;
    refused.assert_failure(401, "token_revoked");
    assert_eq!(refused.json()["reason"], "reused");
    app.server.state.sessions.poll_changes().await.unwrap();
    app.me(&second.access).await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn invariant_44_tokens_are_refused_while_the_database_is_silent_for_over_five_seconds() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let sessions = app.server.state.sessions.clone();
    tokio::spawn(async move { sessions.follow_changes().await });
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
    app.execute("ALTER TABLE changes RENAME TO elsewhere").await;
    app.server.state.sessions.poll_changes().await.unwrap_err();
    app.clock.advance(5);
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK, "a short pause is no failure");
    app.clock.advance(1);
    let refused = app.me(&pair.access).await;
    refused.assert_failure(503, "unavailable");
    assert!(refused.header("retry-after").is_some());
    app.refresh(&pair.refresh).await.assert_failure(503, "unavailable");
    app.execute("ALTER TABLE elsewhere RENAME TO changes").await;
    app.server.state.sessions.poll_changes().await.unwrap();
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK, "nothing was lost");
}

#[tokio::test]
async fn node_with_a_clock_three_seconds_ahead_or_behind_refuses_no_token() {
    let app = App::start().await;
    app.register("alice").await;
    for offset in [3, -3] {
        let clock = Arc::new(ManualClock::new(START + offset));
        let (server, router) = app.second_with_clock(&clock).await;
        let node = Node { app: &app, server, router };
        let login = app
            .post("/api/auth/login")
            .json(&json!({ "username": "alice", "password": PASSWORD }))
            .to(&node.router)
            .send();
        let (here, there) = (app.login("alice").await, login.await.pair());
        for pair in [&here, &there] {
            assert_eq!(node.me(&pair.access).await.status, StatusCode::OK, "{offset}");
            assert_eq!(app.me(&pair.access).await.status, StatusCode::OK, "{offset}");
        }
        let refreshed = app.post("/api/auth/refresh").bearer(&here.refresh).to(&node.router);
        let refreshed = refreshed.send().await.pair();
        let next = app.refresh(&refreshed.refresh).await.pair();
        for token in [&refreshed.access, &next.access] {
            assert_eq!(node.me(token).await.status, StatusCode::OK, "{offset}");
            assert_eq!(app.me(token).await.status, StatusCode::OK, "{offset}");
        }
        node.poll().await;
    }
}
