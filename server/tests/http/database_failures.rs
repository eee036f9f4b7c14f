//! Database failures: no request passes unchecked, no acknowledged change is lost, and requests
//! succeed afterwards.

use axum::http::StatusCode;
use sea_orm::ConnectionTrait as _;
use serde_json::json;

use crate::app::{App, PASSWORD};

#[tokio::test]
async fn invariant_44_request_with_locked_database_is_503_until_it_is_unlocked() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let stranger = app.database().await;
    let lock = if app.is_on_postgres() {
        "BEGIN; LOCK TABLE sessions IN EXCLUSIVE MODE"
    } else {
        "BEGIN EXCLUSIVE"
    };
    stranger.execute_unprepared(lock).await.unwrap();
    let response = app.refresh(&pair.refresh).await;
    response.assert_failure(503, "unavailable");
    assert_eq!(
        app.me(&pair.access).await.status,
        StatusCode::OK,
        "what has been seen needs no query"
    );
    stranger.execute_unprepared("ROLLBACK").await.unwrap();
    assert_eq!(app.refresh(&pair.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn invariant_44_request_with_missing_tables_is_refused() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let app = app.restart().await;
    let stranger = app.database().await;
    stranger.execute_unprepared("ALTER TABLE sessions RENAME TO elsewhere").await.unwrap();
    app.me(&pair.access).await.assert_failure(503, "unavailable");
    app.post("/api/auth/login")
        .json(&json!({ "username": "alice", "password": PASSWORD }))
        .send()
        .await
        .assert_failure(503, "unavailable");
    stranger.execute_unprepared("ALTER TABLE elsewhere RENAME TO sessions").await.unwrap();
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
}
