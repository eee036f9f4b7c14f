//! A disk that fails: nothing is let through unchecked, nothing that was answered is lost, and it
//! goes on afterwards.

use axum::http::StatusCode;
use sea_orm::{ConnectionTrait as _, Database};
use serde_json::json;

use crate::app::{App, PASSWORD};

/// A connection of somebody else to the application's database.
async fn stranger(app: &App) -> sea_orm::DatabaseConnection {
    let path = app.folder.path().join("data/gatehouse.sqlite");
    Database::connect(format!("sqlite://{}", path.display())).await.unwrap()
}

#[tokio::test]
async fn invariant_44_a_database_that_is_locked_is_unavailable_and_answers_again_afterwards() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    let stranger = stranger(&app).await;
    stranger.execute_unprepared("BEGIN EXCLUSIVE").await.unwrap();
    let answer = app.refresh(&pair.refresh).await;
    answer.assert_failure(503, "unavailable");
    assert_eq!(
        app.me(&pair.access).await.status,
        StatusCode::OK,
        "what has been seen needs no query"
    );
    stranger.execute_unprepared("ROLLBACK").await.unwrap();
    assert_eq!(app.refresh(&pair.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn invariant_44_without_its_tables_nothing_is_let_through() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    let app = app.restart().await;
    let stranger = stranger(&app).await;
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
