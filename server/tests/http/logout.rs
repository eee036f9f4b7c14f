use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::app::{App, Pair};

async fn assert_dead(app: &App, pair: &Pair) {
    for answer in [
        app.me(&pair.access).await,
        app.refresh(&pair.refresh).await,
        app.logout(&pair.refresh).await,
    ] {
        answer.assert_failure(401, "token_revoked");
        assert_eq!(answer.json()["reason"], "logged_out");
    }
}

#[tokio::test]
async fn invariant_09_both_tokens_are_dead_from_the_next_request_on() {
    let app = App::start().await;
    for by_refresh in [false, true] {
        let name = format!("alice{by_refresh}");
        let pair = app.person(&name).await;
        let other = app.login(&name).await;
        let answer = app.logout(if by_refresh { &pair.refresh } else { &pair.access }).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(answer.json()["message"], "You are logged out");
        assert_dead(&app, &pair).await;
        assert_eq!(
            app.me(&other.access).await.status,
            StatusCode::OK,
            "another session of the person lives on"
        );
    }
}

#[tokio::test]
async fn invariant_09_every_access_token_of_the_session_dies_with_it() {
    let app = App::start().await;
    let first = app.person("alice").await;
    let second = app.refresh(&first.refresh).await.pair();
    app.logout(&second.access).await;
    assert_dead(&app, &first).await;
    assert_dead(&app, &second).await;
}

#[tokio::test]
async fn it_takes_any_unexpired_token_whatever_its_generation() {
    let app = App::start().await;
    let first = app.person("alice").await;
    let second = app.refresh(&first.refresh).await.pair();
    let third = app.refresh(&second.refresh).await.pair();
    app.clock.advance(901);
    app.logout(&first.access).await.assert_failure(401, "token_expired");
    assert_eq!(app.logout(&first.refresh).await.status, StatusCode::OK);
    app.refresh(&third.refresh).await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn invariant_09_it_survives_a_crash() {
    let app = App::start().await;
    let (ended, living) = (app.person("alice").await, app.person("bertha").await);
    app.logout(&ended.access).await;
    let app = app.restart().await;
    assert_dead(&app, &ended).await;
    assert_eq!(app.me(&living.access).await.status, StatusCode::OK, "keys and sessions are kept");
    assert_eq!(app.refresh(&living.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn invariant_09_another_process_on_the_same_data_follows() {
    let app = App::start().await;
    let (ended, living) = (app.person("alice").await, app.person("bertha").await);
    let (second, router) = app.second().await;
    let me = |pair: &Pair| app.get("/api/me").bearer(&pair.access).to(&router).send();
    assert_eq!(me(&ended).await.status, StatusCode::OK, "its memory knows the session now");
    second.state.sessions.poll_changes().await.unwrap();
    app.logout(&ended.access).await;
    let refreshed = app.refresh(&living.refresh).await.pair();
    second.state.sessions.poll_changes().await.unwrap();
    me(&ended).await.assert_failure(401, "token_revoked");
    assert_eq!(me(&refreshed).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_generation_that_another_process_made_is_known_at_once() {
    let app = App::start().await;
    let pair = app.person("alice").await;
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

/// Puts a token of a living session on the list, as another program would.
async fn revoke(app: &App, token: &str) {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    let (jti, expires_at) = (claims["jti"].as_str().unwrap(), &claims["exp"]);
    insert(app, &format!("SELECT '{jti}', 'access', {expires_at}, 0, 'logged_out'")).await;
}

/// Puts rows on the list, and has the server follow.
async fn insert(app: &App, rows: &str) {
    app.execute(&format!(
        "INSERT INTO revoked_tokens (jti, type, expires_at, revoked_at, reason) {rows}"
    ))
    .await;
    app.server.state.sessions.poll_changes().await.unwrap();
}

#[tokio::test]
async fn invariant_10_logged_out_tokens_are_refused_until_they_expire() {
    let app = App::start().await;
    let pair = app.person("alice").await;
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
async fn invariant_10_a_revoked_token_is_on_the_list_until_it_expires() {
    let app = App::start().await;
    let pair = app.person("alice").await;
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
async fn invariant_10_an_entry_that_takes_the_place_of_a_swept_one_is_followed() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    insert(&app, "VALUES ('another', 'access', 1800000001, 0, 'logged_out')").await;
    app.clock.advance(1);
    app.server.state.sessions.delete_expired().await.unwrap();
    revoke(&app, &pair.access).await;
    app.me(&pair.access).await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn invariant_10_a_list_that_is_too_long_for_memory_is_looked_up() {
    let app = App::start().await;
    let (alice, bertha) = (app.person("alice").await, app.person("bertha").await);
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
    // Most have expired: memory knows the rest.
    app.clock.advance(60);
    app.server.state.sessions.delete_expired().await.unwrap();
    for pair in [&alice, &bertha] {
        app.me(&pair.access).await.assert_failure(401, "token_revoked");
    }
    assert_eq!(app.server.store.revoked_tokens(0, 10).await.unwrap().len(), 2);
}
