use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::app::{App, Tokens};

async fn assert_dead(app: &App, pair: &Tokens) {
    for response in [
        app.me(&pair.access).await,
        app.refresh(&pair.refresh).await,
        app.logout(&pair.refresh).await,
    ] {
        response.assert_failure(401, "token_revoked");
        assert_eq!(response.json()["reason"], "logged_out");
    }
}

#[tokio::test]
async fn invariant_09_logout_rejects_both_tokens_on_the_next_request() {
    let app = App::start().await;
    for by_refresh in [false, true] {
        let name = format!("alice{by_refresh}");
        let pair = app.register_and_login(&name).await;
        let other = app.login(&name).await;
        let response = app.logout(if by_refresh { &pair.refresh } else { &pair.access }).await;
        assert_eq!(response.status, StatusCode::OK, "{}", response.text());
        assert_eq!(response.json()["message"], "You are logged out");
        assert_dead(&app, &pair).await;
        assert_eq!(
            app.me(&other.access).await.status,
            StatusCode::OK,
            "another session of the person lives on"
        );
    }
}

#[tokio::test]
async fn invariant_09_logout_rejects_every_access_token_of_the_session() {
    let app = App::start().await;
    let first = app.register_and_login("alice").await;
    let second = app.refresh(&first.refresh).await.pair();
    app.logout(&second.access).await;
    assert_dead(&app, &first).await;
    assert_dead(&app, &second).await;
}

#[tokio::test]
async fn logout_with_any_unexpired_token_of_any_generation_succeeds() {
    let app = App::start().await;
    let first = app.register_and_login("alice").await;
    let second = app.refresh(&first.refresh).await.pair();
    let third = app.refresh(&second.refresh).await.pair();
    app.clock.advance(901);
    app.logout(&first.access).await.assert_failure(401, "token_expired");
    assert_eq!(app.logout(&first.refresh).await.status, StatusCode::OK);
    app.refresh(&third.refresh).await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn invariant_09_logout_survives_a_crash() {
    let app = App::start().await;
    let (ended, living) =
        (app.register_and_login("alice").await, app.register_and_login("bertha").await);
    app.logout(&ended.access).await;
    let app = app.restart().await;
    assert_dead(&app, &ended).await;
    assert_eq!(app.me(&living.access).await.status, StatusCode::OK, "keys and sessions are kept");
    assert_eq!(app.refresh(&living.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn invariant_09_logout_in_another_process_is_followed() {
    let app = App::start().await;
    let (ended, living) =
        (app.register_and_login("alice").await, app.register_and_login("bertha").await);
    let (second, router) = app.second().await;
    let me = |pair: &Tokens| app.get("/api/me").bearer(&pair.access).to(&router).send();
    assert_eq!(me(&ended).await.status, StatusCode::OK, "its memory knows the session now");
    second.state.sessions.poll_changes().await.unwrap();
    app.logout(&ended.access).await;
    let refreshed = app.refresh(&living.refresh).await.pair();
    second.state.sessions.poll_changes().await.unwrap();
    me(&ended).await.assert_failure(401, "token_revoked");
    assert_eq!(me(&refreshed).await.status, StatusCode::OK);
}

#[tokio::test]
async fn refresh_in_another_process_is_known_at_once() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let (_second, router) = app.second().await;
    let me = |token: String| app.get("/api/me").bearer(&token).to(&router).send();
    assert_eq!(me(pair.access.clone()).await.status, StatusCode::OK);
    let next = app.refresh(&pair.refresh).await.pair();
    assert_eq!(
        me(next.access).await.status,
        StatusCode::OK,
        "no waiting for the next look at the table"
    );
}

/// Blocklists a token of an active session, as another process would.
async fn revoke(app: &App, token: &str) {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    let (jti, expires_at) = (claims["jti"].as_str().unwrap(), &claims["exp"]);
    insert(app, &format!("SELECT '{jti}', 'access', {expires_at}, 0, 'logged_out'")).await;
}

/// Adds rows to the blocklist and lets the server follow.
async fn insert(app: &App, rows: &str) {
    app.execute(&format!(
        "INSERT INTO revoked_tokens (jti, type, expires_at, revoked_at, reason) {rows}"
    ))
    .await;
    app.server.state.sessions.poll_changes().await.unwrap();
}

#[tokio::test]
async fn invariant_10_logged_out_token_is_rejected_until_it_expires() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    app.logout(&pair.access).await;
    assert_eq!(
        app.server.store.revoked_tokens(0, 1).await.unwrap(),
        [],
        "the session's row refuses them"
    );
    app.clock.advance(899);
    app.server.state.sessions.delete_expired().await.unwrap();
    app.me(&pair.access).await.assert_failure(401, "token_revoked");
    app.clock.advance(604_800 - 899 - 1);
    for _ in 0..2 {
        app.server.state.sessions.delete_expired().await.unwrap();
        app.server.state.sessions.invalidate_caches().await.unwrap();
        app.refresh(&pair.refresh).await.assert_failure(401, "token_revoked");
    }
    app.clock.advance(1);
    app.server.state.sessions.delete_expired().await.unwrap();
    app.refresh(&pair.refresh).await.assert_failure(401, "token_expired");
}

#[tokio::test]
async fn invariant_10_revoked_token_is_blocklisted_until_it_expires() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
    revoke(&app, &pair.access).await;
    app.me(&pair.access).await.assert_failure(401, "token_revoked");
    let next = app.refresh(&pair.refresh).await.pair();
    assert_eq!(
        app.me(&next.access).await.status,
        StatusCode::OK,
        "other tokens of the session are good"
    );
    app.clock.advance(899);
    app.server.state.sessions.delete_expired().await.unwrap();
    app.me(&pair.access).await.assert_failure(401, "token_revoked");
    let app = app.restart().await;
    app.me(&pair.access).await.assert_failure(401, "token_revoked");
    app.clock.advance(1);
    app.server.state.sessions.delete_expired().await.unwrap();
    assert_eq!(
        app.server.store.revoked_tokens(0, 1).await.unwrap(),
        [],
        "it has expired by itself"
    );
    app.me(&pair.access).await.assert_failure(401, "token_expired");
}

#[tokio::test]
async fn invariant_10_blocklist_entry_that_reuses_a_deleted_row_is_followed() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    insert(&app, "VALUES ('another', 'access', 1800000001, 0, 'logged_out')").await;
    app.clock.advance(1);
    app.server.state.sessions.delete_expired().await.unwrap();
    revoke(&app, &pair.access).await;
    app.me(&pair.access).await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn invariant_10_blocklist_too_long_for_memory_is_queried() {
    let app = App::start().await;
    let (alice, bertha) =
        (app.register_and_login("alice").await, app.register_and_login("bertha").await);
    revoke(&app, &alice.access).await;
    insert(
        &app,
        "WITH RECURSIVE many(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM many WHERE number < 100000) \
         SELECT 'token' || number, 'access', 1800000060, 0, 'logged_out' FROM many",
    )
    .await;
    for _ in 0..2 {
        app.me(&alice.access).await.assert_failure(401, "token_revoked");
        assert_eq!(app.me(&bertha.access).await.status, StatusCode::OK);
    }
    revoke(&app, &bertha.access).await;
    app.me(&bertha.access).await.assert_failure(401, "token_revoked");
    // Most have expired: the rest fits in memory.
    app.clock.advance(60);
    app.server.state.sessions.delete_expired().await.unwrap();
    for pair in [&alice, &bertha] {
        app.me(&pair.access).await.assert_failure(401, "token_revoked");
    }
    assert_eq!(app.server.store.revoked_tokens(0, 10).await.unwrap().len(), 2);
}
