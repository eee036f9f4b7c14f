//! A fresh installation, and the value of a stolen database (security invariants 46 and 48).

use axum::http::StatusCode;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::json;

use crate::app::{App, PASSWORD};

#[tokio::test]
async fn invariant_46_fresh_installation_has_no_accounts_and_only_documented_routes() {
    let app = App::start().await;
    for name in ["admin", "root", "administrator", "test", "user", "guest", "gatehouse", "demo"] {
        for password in ["admin", "password", "changeme", "gatehouse", "123456", name] {
            let body = json!({ "username": name, "password": password });
            let response = app.post("/api/auth/login").json(&body).send().await;
            response.assert_failure(401, "invalid_credentials");
        }
    }
    for path in [
        "/metrics",
        "/debug",
        "/health",
        "/actuator",
        "/.env",
        "/.git/config",
        "/data/keys.json",
        "/admin",
    ] {
        assert_eq!(app.get(path).send().await.status, StatusCode::NOT_FOUND, "{path}");
        app.get(&format!("/api{path}")).send().await.assert_failure(404, "not_found");
    }
}

/// Returns every value of every table as text.
async fn everything(app: &App) -> Vec<String> {
    let database = app.database().await;
    let ask = async |sql: String| {
        let rows = database
            .query_all_raw(Statement::from_string(database.get_database_backend(), sql))
            .await
            .unwrap();
        rows.iter()
            .map(|row| row.try_get_by_index::<Option<String>>(0).unwrap().unwrap_or_default())
            .collect::<Vec<_>>()
    };
    let mut values = Vec::new();
    let tables = if app.is_on_postgres() {
        "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()"
    } else {
        "SELECT name FROM sqlite_schema WHERE type = 'table'"
    };
    for table in ask(tables.to_owned()).await {
        let columns = if app.is_on_postgres() {
            format!(
                "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}'"
            )
        } else {
            format!("SELECT name FROM pragma_table_info('{table}')")
        };
        for column in ask(columns).await {
            let text = format!("CAST(\"{column}\" AS TEXT)");
            let value = if app.is_on_postgres() {
                text
            } else {
                format!(
                    "CASE typeof(\"{column}\") WHEN 'blob' THEN LOWER(HEX(\"{column}\")) ELSE {text} END"
                )
            };
            values.extend(ask(format!("SELECT {value} FROM \"{table}\"")).await);
        }
    }
    values.retain(|value| !value.is_empty());
    values.sort();
    values.dedup();
    values
}

#[tokio::test]
async fn invariant_48_database_contents_presented_as_credentials_are_rejected() {
    let app = App::with(&[("RATE_LIMITS", "off")]).await;
    let first = app.register_and_login("alice").await;
    let pair = app.refresh(&first.refresh).await.pair();
    app.logout(&app.login("alice").await.access).await;
    let login = app
        .post("/api/auth/login")
        .json(&json!({ "username": "alice", "password": PASSWORD }))
        .send()
        .await;
    let device = login
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .split_once('=')
        .unwrap()
        .1
        .to_owned();

    let stolen = everything(&app).await;
    assert!(stolen.len() > 20, "{stolen:?}");
    assert!(stolen.iter().any(|value| value == "alice"));
    assert!(stolen.iter().any(|value| value.starts_with("$argon2id$")));
    for secret in [&pair.access, &pair.refresh, &login.pair().refresh] {
        let signature = secret.rsplit('.').next().unwrap();
        assert!(
            !stolen
                .iter()
                .any(|value| value.contains(secret.as_str()) || value.contains(signature))
        );
    }
    let (device, tag) = device.split_once('.').unwrap();
    assert!(
        !stolen.iter().any(|value| value.contains(tag) || value.contains(PASSWORD)),
        "{device}"
    );
    // Values of the database, presented as credentials.
    for value in stolen.iter().filter(|value| value.bytes().all(|byte| byte.is_ascii_graphic())) {
        for response in [app.me(value).await, app.refresh(value).await] {
            assert_eq!(response.status, StatusCode::UNAUTHORIZED, "{value}");
        }
    }
    let hash = stolen.iter().find(|value| value.starts_with("$argon2id$")).unwrap();
    let body = json!({ "username": "alice", "password": hash });
    app.post("/api/auth/login").json(&body).send().await.assert_failure(401, "invalid_credentials");
}
