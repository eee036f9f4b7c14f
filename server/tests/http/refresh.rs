use axum::http::StatusCode;
use serde_json::json;

use crate::{
    app::{App, START},
    forged_tokens::{self, forge},
};

#[tokio::test]
async fn refresh_issues_a_new_pair_that_is_not_fresh() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    app.clock.advance(100);
    let response = app.refresh(&pair.refresh).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    let body = response.json();
    assert_eq!(
        response.members(),
        [
            "access_token",
            "expires_in",
            "message",
            "refresh_expires_in",
            "refresh_token",
            "token_type"
        ]
    );
    assert_eq!((&body["expires_in"], &body["refresh_expires_in"]), (&json!(900), &json!(604_800)));
    let next = response.pair();
    assert_ne!((&next.access, &next.refresh), (&pair.access, &pair.refresh));
    let profile = app.me(&next.access).await.json();
    assert_eq!((&profile["login_time"], &profile["fresh"]), (&json!(START + 100), &json!(false)));
    assert_eq!(
        app.me(&pair.access).await.status,
        StatusCode::OK,
        "the access token before it lives on"
    );
}

#[tokio::test]
async fn refresh_with_any_body_and_content_type_succeeds() {
    let app = App::start().await;
    let mut pair = app.register_and_login("alice").await;
    for call in [
        app.post("/api/auth/refresh"),
        app.post("/api/auth/refresh").json(&json!({})),
        app.post("/api/auth/refresh").header("content-type", "application/json").body("{"),
        app.post("/api/auth/refresh")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("a=b"),
        app.post("/api/auth/refresh").body(vec![b'x'; 100_000]),
    ] {
        let response = call.bearer(&pair.refresh).send().await;
        assert_eq!(response.status, StatusCode::OK, "{}", response.text());
        pair = response.pair();
    }
}

#[tokio::test]
async fn invariant_13_refresh_repeated_within_ten_seconds_returns_the_same_successor() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let first = app.refresh(&pair.refresh).await.pair();
    app.clock.advance(10);
    let again = app.refresh(&pair.refresh).await;
    assert_eq!(again.pair().refresh, first.refresh, "the same bytes");
    assert_ne!(again.pair().access, first.access, "access tokens are always new");
    assert_eq!(again.json()["refresh_expires_in"], 604_800 - 10);
    assert_eq!(app.refresh(&first.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn invariant_12_refresh_with_a_used_token_ends_the_session() {
    let app = App::start().await;
    let first = app.register_and_login("alice").await;
    let other = app.login("alice").await;
    let second = app.refresh(&first.refresh).await.pair();
    let third = app.refresh(&second.refresh).await.pair();
    for pair in [&first, &first, &third] {
        let response = app.refresh(&pair.refresh).await;
        response.assert_failure(401, "token_revoked");
        assert_eq!(response.json()["reason"], "reused");
    }
    for pair in [&first, &second, &third] {
        app.me(&pair.access).await.assert_failure(401, "token_revoked");
    }
    assert_eq!(
        app.me(&other.access).await.status,
        StatusCode::OK,
        "another session of the person lives on"
    );
    assert_eq!(reuses(&app).await, 1, "one event, however often it is tried");
}

#[tokio::test]
async fn invariant_12_refresh_after_the_grace_with_used_successor_is_reuse() {
    let app = App::start().await;
    let first = app.register_and_login("alice").await;
    let second = app.refresh(&first.refresh).await.pair();
    assert_eq!(app.me(&second.access).await.status, StatusCode::OK, "the acknowledgement");
    app.clock.advance(11);
    for _ in 0..3 {
        let response = app.refresh(&first.refresh).await;
        response.assert_failure(401, "token_revoked");
        assert_eq!(response.json()["reason"], "reused");
    }
    app.refresh(&second.refresh).await.assert_failure(401, "token_revoked");
    for pair in [&first, &second] {
        app.me(&pair.access).await.assert_failure(401, "token_revoked");
    }
    assert_eq!(reuses(&app).await, 1, "one event, however often it is tried");
}

#[tokio::test]
async fn invariant_14_grace_covers_the_predecessor_only_and_does_not_slide() {
    let app = App::start().await;
    let first = app.register_and_login("alice").await;
    let second = app.refresh(&first.refresh).await.pair();
    assert_eq!(app.me(&second.access).await.status, StatusCode::OK, "the acknowledgement");
    // The grace lasts ten seconds, regardless of repeated use.
    for _ in 0..2 {
        app.clock.advance(5);
        assert_eq!(app.refresh(&first.refresh).await.pair().refresh, second.refresh);
    }
    app.clock.advance(1);
    app.refresh(&first.refresh).await.assert_failure(401, "token_revoked");

    let first = app.login("alice").await;
    let second = app.refresh(&first.refresh).await.pair();
    app.refresh(&second.refresh).await.pair();
    // Still within its ten seconds, but no longer the immediate predecessor.
    let response = app.refresh(&first.refresh).await;
    response.assert_failure(401, "token_revoked");
    assert_eq!(response.json()["reason"], "reused");
}

#[tokio::test]
async fn acknowledgement_of_a_refresh_survives_a_crash() {
    let app = App::start().await;
    let first = app.register_and_login("alice").await;
    let second = app.refresh(&first.refresh).await.pair();
    app.me(&second.access).await;
    app.server.state.sessions.write_acknowledgements().await.unwrap();
    let app = app.restart().await;
    app.clock.advance(11);
    app.refresh(&first.refresh).await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn invariant_15_lost_refresh_response_keeps_the_session_and_its_token_ends_it() {
    for presents_refresh in [true, false] {
        let app = App::start().await;
        let first = app.register_and_login("alice").await;
        let lost = app.refresh(&first.refresh).await.pair();
        app.clock.advance(60);
        let next = app.refresh(&first.refresh).await.pair();
        assert_ne!(next.refresh, lost.refresh);
        assert_eq!(app.me(&next.access).await.status, StatusCode::OK);
        app.clock.advance(60);
        let response = if presents_refresh {
            app.refresh(&lost.refresh).await
        } else {
            app.me(&lost.access).await
        };
        response.assert_failure(401, "token_revoked");
        assert_eq!(response.json()["reason"], "reused");
        app.me(&next.access).await.assert_failure(401, "token_revoked");
        assert_eq!(reuses(&app).await, 1);
    }
}

#[tokio::test]
async fn refresh_with_a_future_generation_is_rejected_and_ends_nothing() {
    let app = forged_tokens::app().await;
    let pair = app.register_and_login("alice").await;
    for (token, path) in [(&pair.access, "/api/auth/verify"), (&pair.refresh, "/api/auth/refresh")]
    {
        let ahead = forge(token, |_, claims| claims["gen"] = json!(7));
        let response = app.post(path).bearer(&ahead).send().await;
        response.assert_failure(401, "token_revoked");
        assert_eq!(response.json().get("reason"), None);
    }
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
    assert_eq!(app.refresh(&pair.refresh).await.status, StatusCode::OK);
}

/// Counts the reuse events in the audit log.
async fn reuses(app: &App) -> usize {
    let entries = app.server.store.audit_entries().await.unwrap();
    entries.iter().filter(|entry| entry.event == "refresh_reused").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_13_parallel_refreshes_of_a_token_get_one_successor() {
    let app = std::sync::Arc::new(App::start().await);
    let pair = app.register_and_login("alice").await;
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (app, token) = (std::sync::Arc::clone(&app), pair.refresh.clone());
            tokio::spawn(async move { app.refresh(&token).await })
        })
        .collect();
    let mut successors = std::collections::HashSet::new();
    for task in tasks {
        let response = task.await.unwrap();
        assert_eq!(response.status, StatusCode::OK, "{}", response.text());
        successors.insert(response.pair().refresh);
    }
    assert_eq!(successors.len(), 1);
}

#[tokio::test]
async fn refresh_without_rotation_returns_the_same_refresh_token() {
    let app = App::with(&[("REFRESH_ROTATION", "off")]).await;
    let pair = app.register_and_login("alice").await;
    for _ in 0..3 {
        app.clock.advance(1000);
        let response = app.refresh(&pair.refresh).await;
        assert_eq!(response.pair().refresh, pair.refresh);
        assert_eq!(app.me(&response.pair().access).await.status, StatusCode::OK);
    }
    assert_eq!(app.refresh(&pair.refresh).await.json()["refresh_expires_in"], 604_800 - 3000);
}

#[tokio::test]
async fn invariant_17_session_ends_thirty_days_after_login_despite_refreshes() {
    const DAY: i64 = 86_400;
    let app = App::start().await;
    let mut pair = app.register_and_login("alice").await;
    for day in 1..30 {
        app.clock.advance(DAY);
        let response = app.refresh(&pair.refresh).await;
        let left = (30 - day) * DAY;
        assert_eq!(response.json()["refresh_expires_in"], left.min(7 * DAY), "day {day}");
        pair = response.pair();
    }
    app.clock.advance(DAY - 1);
    let last = app.refresh(&pair.refresh).await;
    assert_eq!(last.json()["expires_in"], 1, "an access token does not outlive its session either");
    app.clock.advance(1);
    app.me(&last.pair().access).await.assert_failure(401, "token_expired");
    app.refresh(&last.pair().refresh).await.assert_failure(401, "token_expired");
}

#[tokio::test]
async fn invariant_18_token_lifetimes_are_exact_to_the_second() {
    for (remember, seconds) in [(true, 604_800), (false, 43_200)] {
        let app = App::start().await;
        app.register("alice").await;
        let body =
            json!({ "username": "alice", "password": crate::app::PASSWORD, "remember": remember });
        let login = async || app.post("/api/auth/login").json(&body).send().await.pair();
        let (first, second) = (login().await, login().await);
        app.clock.advance(899);
        assert_eq!(app.me(&first.access).await.status, StatusCode::OK);
        app.clock.advance(1);
        app.me(&first.access).await.assert_failure(401, "token_expired");
        app.clock.advance(seconds - 900 - 1);
        assert_eq!(app.refresh(&first.refresh).await.status, StatusCode::OK, "{seconds} s");
        app.clock.advance(1);
        app.refresh(&second.refresh).await.assert_failure(401, "token_expired");
    }
}

#[tokio::test]
async fn invariant_18_token_lifetimes_are_configurable() {
    let settings = [
        ("ACCESS_TOKEN_SECONDS", "5"),
        ("REFRESH_TOKEN_SECONDS", "60"),
        ("SESSION_MAX_SECONDS", "90"),
        ("REFRESH_GRACE_SECONDS", "0"),
    ];
    let app = App::with(&settings).await;
    let pair = app.register_and_login("alice").await;
    app.clock.advance(5);
    app.me(&pair.access).await.assert_failure(401, "token_expired");
    app.clock.advance(54);
    let next = app.refresh(&pair.refresh).await;
    assert_eq!(
        (&next.json()["expires_in"], &next.json()["refresh_expires_in"]),
        (&json!(5), &json!(31))
    );
    app.clock.advance(1);
    app.refresh(&pair.refresh).await.assert_failure(401, "token_expired");
}

#[tokio::test]
async fn session_cleanup_deletes_ended_sessions_once_their_tokens_expired() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    app.logout(&pair.access).await;
    app.clock.advance(604_799);
    app.server.state.sessions.delete_expired().await.unwrap();
    app.server.state.sessions.invalidate_caches().await.unwrap();
    let response = app.refresh(&pair.refresh).await;
    response.assert_failure(401, "token_revoked");
    assert_eq!(response.json()["reason"], "logged_out", "it is still known why");
    assert_eq!(app.count("SELECT COUNT(*) FROM sessions").await, 1);
    app.clock.advance(1);
    app.server.state.sessions.delete_expired().await.unwrap();
    assert_eq!(app.count("SELECT COUNT(*) FROM sessions").await, 0);
}
