use axum::http::StatusCode;

use crate::app::{App, Pair};

async fn assert_dead(app: &App, pair: &Pair) {
    for answer in [app.me(&pair.access).await, app.refresh(&pair.refresh).await, app.logout(&pair.refresh).await] {
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
        assert_eq!(app.me(&other.access).await.status, StatusCode::OK, "another session of the person lives on");
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
    second.state.sessions.follow().await.unwrap();
    app.logout(&ended.access).await;
    let refreshed = app.refresh(&living.refresh).await.pair();
    second.state.sessions.follow().await.unwrap();
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
    assert_eq!(me(next.access).await.status, StatusCode::OK, "no waiting for the next look at the table");
}

#[tokio::test]
async fn invariant_10_a_revoked_token_is_on_the_list_until_it_expires() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    app.logout(&pair.access).await;
    let now = crate::app::START;
    let listed = app.server.store.revoked_tokens(now).await.unwrap();
    let mut ends: Vec<_> = listed.iter().map(|(_, expires_at)| expires_at - now).collect();
    ends.sort_unstable();
    assert_eq!(ends, [900, 604_800], "the presented token and the current refresh token");
    app.clock.advance(900);
    app.server.state.sessions.sweep().await.unwrap();
    assert_eq!(app.server.store.revoked_tokens(0).await.unwrap().len(), 1);
    app.clock.advance(86_400);
    app.refresh(&pair.refresh).await.assert_failure(401, "token_revoked");
    app.clock.advance(604_800 - 900 - 86_400 - 1);
    app.server.state.sessions.sweep().await.unwrap();
    app.refresh(&pair.refresh).await.assert_failure(401, "token_revoked");
    app.clock.advance(1);
    app.server.state.sessions.sweep().await.unwrap();
    assert!(app.server.store.revoked_tokens(0).await.unwrap().is_empty(), "it has expired by itself");
    app.refresh(&pair.refresh).await.assert_failure(401, "token_expired");
}
