//! Rate limits of logins, registrations, refreshes and changes (security invariants 31, 33 and 34).

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::json;
use server::{
    http::{Endpoint, endpoints},
    limits::ChangeLimit,
    store::AccountChange,
};

use crate::app::{App, PASSWORD, RequestBuilder, Response, Tokens};

fn attempt(app: &App, username: &str, password: &str) -> RequestBuilder {
    app.post("/api/auth/login").json(&json!({ "username": username, "password": password }))
}

async fn fail(app: &App, username: &str, times: usize) {
    for _ in 0..times {
        attempt(app, username, "wrong").send().await.assert_failure(401, "invalid_credentials");
    }
}

#[track_caller]
fn assert_throttled(response: &Response, seconds: &str) {
    response.assert_failure(429, "too_many_attempts");
    assert_eq!(response.header("retry-after"), Some(seconds));
}

#[tokio::test]
async fn invariant_33_login_after_ten_failures_is_refused_also_after_a_restart() {
    let app = App::start().await;
    app.register("alice").await;
    fail(&app, "Alice", 9).await;
    app.clock.advance(60);
    fail(&app, " ａｌｉｃｅ ", 1).await;
    let response = attempt(&app, "alice", PASSWORD).send().await;
    assert_throttled(&response, "840");
    assert_eq!(response.json()["message"], "Too many attempts, please try again later");
    let response = attempt(&app, "alice", PASSWORD).header("accept-language", "zh").send().await;
    assert_eq!(response.json()["message"], "尝试次数过多，请稍后再试");

    let app = app.restart().await;
    assert_throttled(&attempt(&app, "alice", PASSWORD).send().await, "840");
    app.clock.advance(839);
    assert_throttled(&attempt(&app, "ALICE", PASSWORD).send().await, "1");
    app.clock.advance(1);
    app.login("alice").await;
}

#[tokio::test]
async fn login_success_resets_the_failure_count() {
    let app = App::start().await;
    app.register("alice").await;
    for _ in 0..2 {
        fail(&app, "alice", 9).await;
        app.login("alice").await;
    }
    fail(&app, "alice", 10).await;
    assert_throttled(&attempt(&app, "alice", PASSWORD).send().await, "900");
}

#[tokio::test]
async fn invariant_31_login_rate_limited_gets_the_same_response_with_and_without_an_account() {
    let app = App::with(&[("LOGIN_FAILURES_PER_ACCOUNT", "2")]).await;
    app.register("alice").await;
    let long = "x".repeat(5000);
    let mut responses = Vec::new();
    for name in ["alice", "nobody", "not a name!", "nobody@example.com", &long] {
        fail(&app, name, 2).await;
        responses.push(attempt(&app, name, PASSWORD).send().await);
    }
    for response in &responses {
        assert_throttled(response, "900");
        assert_eq!(response.comparable(), responses[0].comparable());
        assert_eq!(response.bytes.len(), responses[0].bytes.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_33_concurrent_logins_cannot_exceed_the_failure_limit() {
    let app = Arc::new(App::start().await);
    app.register("alice").await;
    let guesses: Vec<_> = (0..50)
        .map(|number| {
            let app = Arc::clone(&app);
            tokio::spawn(async move {
                attempt(&app, "alice", &format!("guess {number}")).send().await.status.as_u16()
            })
        })
        .collect();
    let mut comparable = Vec::new();
    for guess in guesses {
        comparable.push(guess.await.unwrap());
    }
    let count = |status| comparable.iter().filter(|comparable| **comparable == status).count();
    assert_eq!((count(401), count(429)), (10, 40), "{comparable:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_logins_with_the_right_password_all_succeed() {
    let app = Arc::new(App::start().await);
    app.register("alice").await;
    fail(&app, "alice", 8).await;
    let logins: Vec<_> = (0..30)
        .map(|_| {
            let app = Arc::clone(&app);
            tokio::spawn(async move { attempt(&app, "alice", PASSWORD).send().await.status })
        })
        .collect();
    for login in logins {
        assert_eq!(login.await.unwrap(), StatusCode::OK);
    }
}

#[tokio::test]
async fn login_rate_limited_does_not_verify_the_password() {
    let app = App::with(&[("LOGIN_FAILURES_PER_ACCOUNT", "1")]).await;
    let id = app.register("alice").await.json()["user"]["id"].as_str().unwrap().parse().unwrap();
    fail(&app, "alice", 1).await;
    // Verifying this hash would fail.
    let (_, hash) = app.server.store.user_with_hash("alice").await.unwrap().unwrap();
    app.server.store.replace_hash(id, &hash, "no hash").await.unwrap();
    assert_throttled(&attempt(&app, "alice", PASSWORD).send().await, "900");
    app.clock.advance(900);
    attempt(&app, "alice", PASSWORD).send().await.assert_failure(500, "internal_error");
}

#[tokio::test]
async fn invariant_33_logins_to_many_accounts_from_one_ip_are_rate_limited() {
    let app =
        App::with(&[("LOGIN_FAILURES_PER_ADDRESS", "3"), ("TRUSTED_PROXIES", "10.0.0.0/8")]).await;
    app.register("alice").await;
    let name = std::cell::Cell::new(0);
    // A different account each time: only the IP is counted.
    let guess = || {
        name.set(name.get() + 1);
        attempt(&app, &format!("person{}", name.get()), "wrong")
    };
    for (first, same, other) in [
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:2::1"),
    ] {
        for _ in 0..3 {
            guess().from(first).send().await.assert_failure(401, "invalid_credentials");
        }
        assert_throttled(&guess().from(first).send().await, "900");
        assert_throttled(&guess().from(same).send().await, "900");
        // `X-Forwarded-For` of an untrusted peer is ignored.
        assert_throttled(
            &guess().from(first).header("x-forwarded-for", "192.0.2.99").send().await,
            "900",
        );
        assert_throttled(&attempt(&app, "alice", PASSWORD).from(first).send().await, "900");
        guess().from(other).send().await.assert_failure(401, "invalid_credentials");
        assert_eq!(
            attempt(&app, "alice", PASSWORD).from(other).send().await.status,
            StatusCode::OK
        );
    }
    // Behind a trusted proxy its clients are counted; entries left of the client's may be forged.
    let through = |made_up: &str, client: &str| {
        guess().from("10.0.0.1").header("x-forwarded-for", format!("{made_up}, {client}"))
    };
    for made_up in ["203.0.113.1", "203.0.113.2", "203.0.113.3"] {
        through(made_up, "198.51.100.7").send().await.assert_failure(401, "invalid_credentials");
    }
    assert_throttled(&through("203.0.113.4", "198.51.100.7").send().await, "900");
    through("203.0.113.1", "198.51.100.8").send().await.assert_failure(401, "invalid_credentials");

    let app = app.restart().await;
    assert_throttled(&attempt(&app, "alice", PASSWORD).from("192.0.2.1").send().await, "900");
}

#[tokio::test]
async fn login_failures_from_loopback_are_not_counted() {
    let app =
        App::with(&[("LOGIN_FAILURES_PER_ADDRESS", "1"), ("REGISTRATIONS_PER_ADDRESS", "1")]).await;
    for name in ["alice", "bertha", "claire"] {
        let registration = json!({ "username": name, "password": PASSWORD });
        for address in ["127.0.0.1", "::1"] {
            let response =
                app.post("/api/auth/register").from(address).json(&registration).send().await;
            assert_ne!(response.status, StatusCode::TOO_MANY_REQUESTS);
            attempt(&app, name, "wrong")
                .from(address)
                .send()
                .await
                .assert_failure(401, "invalid_credentials");
        }
    }
}

/// Returns the device cookie of a login, as a browser sends it.
fn device(response: &Response) -> String {
    response.header("set-cookie").expect("a cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn invariant_34_login_from_a_known_device_succeeds_while_others_are_rate_limited() {
    let app = App::with(&[("LOGIN_FAILURES_PER_ADDRESS", "20")]).await;
    app.register("alice").await;
    app.register("mallory").await;
    let login = attempt(&app, "alice", PASSWORD).from("192.0.2.1").send().await;
    let cookie = login.header("set-cookie").unwrap();
    for attribute in ["; HttpOnly", "; SameSite=Strict", "; Path=/api/auth/login", "; Max-Age="] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(
        !cookie.contains("Secure") && !cookie.contains("Domain") && !cookie.contains("alice"),
        "{cookie}"
    );
    let known = device(&login);
    let strange = device(&attempt(&app, "mallory", PASSWORD).from("192.0.2.1").send().await);

    // Unknown devices exhaust the account's limit and that of the shared IP.
    for (name, times) in [("alice", 10), ("bertha", 10)] {
        for _ in 0..times {
            attempt(&app, name, "wrong")
                .from("192.0.2.1")
                .send()
                .await
                .assert_failure(401, "invalid_credentials");
        }
    }
    let try_with = async |cookie: &str, password: &str| {
        attempt(&app, "alice", password)
            .from("192.0.2.1")
            .header("cookie", format!("lang=zh; {cookie}"))
            .send()
            .await
    };
    assert_throttled(&attempt(&app, "alice", PASSWORD).send().await, "900");
    assert_throttled(&try_with(&strange, PASSWORD).await, "900");
    let made_up = format!(
        "{}=AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA",
        known.split('=').next().unwrap()
    );
    assert_throttled(&try_with(&made_up, PASSWORD).await, "900");
    let again = try_with(&known, PASSWORD).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(device(&again), known, "it stays the same device");
    assert_throttled(&attempt(&app, "alice", PASSWORD).send().await, "900");

    // A known device has the same failure limit as all unknown ones together, reset by a success.
    for _ in 0..9 {
        try_with(&known, "wrong").await.assert_failure(401, "invalid_credentials");
    }
    assert_eq!(try_with(&known, PASSWORD).await.status, StatusCode::OK);
    for _ in 0..10 {
        try_with(&known, "wrong").await.assert_failure(401, "invalid_credentials");
    }
    assert_throttled(&try_with(&known, PASSWORD).await, "900");
    let app = app.restart().await;
    let response = attempt(&app, "alice", PASSWORD).header("cookie", &known).send().await;
    assert_throttled(&response, "900");
}

#[tokio::test]
async fn invariant_33_login_with_many_device_cookies_shares_one_failure_limit() {
    let app = App::start().await;
    app.register("alice").await;
    let mut cookies = Vec::new();
    for _ in 0..60 {
        cookies.push(device(&attempt(&app, "alice", PASSWORD).send().await));
    }
    cookies.sort();
    cookies.dedup();
    assert_eq!(cookies.len(), 60);
    for (number, cookie) in cookies.iter().enumerate() {
        let response = attempt(&app, "alice", "wrong").header("cookie", cookie).send().await;
        if number < 10 {
            response.assert_failure(401, "invalid_credentials");
        } else {
            assert_throttled(&response, "900");
        }
    }
    // Unknown devices have a separate limit.
    fail(&app, "alice", 10).await;
    assert_throttled(&attempt(&app, "alice", PASSWORD).send().await, "900");
}

#[tokio::test]
async fn invariant_33_login_failures_of_known_devices_count_for_their_ip() {
    let app = App::with(&[("LOGIN_FAILURES_PER_ADDRESS", "3")]).await;
    let mut cookies = Vec::new();
    for name in ["alice", "bertha"] {
        app.register(name).await;
        cookies.push(device(&attempt(&app, name, PASSWORD).send().await));
    }
    let with = |name: &str, password: &str, cookie: &str, address: &str| {
        attempt(&app, name, password).header("cookie", cookie).from(address).send()
    };
    for _ in 0..3 {
        with("alice", "wrong", &cookies[0], "192.0.2.1")
            .await
            .assert_failure(401, "invalid_credentials");
    }
    assert_throttled(&with("alice", PASSWORD, &cookies[0], "192.0.2.1").await, "900");
    assert_throttled(&with("bertha", PASSWORD, &cookies[1], "192.0.2.1").await, "900");
    assert_throttled(&attempt(&app, "claire", "wrong").from("192.0.2.1").send().await, "900");
    for (name, cookie) in [("alice", &cookies[0]), ("bertha", &cookies[1])] {
        assert_eq!(
            with(name, PASSWORD, cookie, "192.0.2.2").await.status,
            StatusCode::OK,
            "{name}"
        );
    }
}

/// Ways to invalidate the device cookies of an account.
#[derive(Clone, Copy, Debug)]
enum Invalidation {
    PasswordChanged,
    OthersEnded,
    DisabledAndEnabled,
    EndedByAdministrator,
    DeletedAndRegistered,
}

impl Invalidation {
    /// Invalidates the cookies and returns the password of the account afterwards.
    async fn happen(self, app: &App) -> &'static str {
        let pair = app.login("alice").await;
        let outside = async |change| app.change_in_another_process("alice", change).await;
        match self {
            Self::PasswordChanged => {
                let body =
                    json!({ "current_password": PASSWORD, "password": "battery horse correct" });
                let response =
                    app.post("/api/me/password").bearer(&pair.access).json(&body).send().await;
                assert_eq!(response.status, StatusCode::OK, "{}", response.text());
                return "battery horse correct";
            }
            Self::OthersEnded => {
                let response = app.delete("/api/me/sessions").bearer(&pair.access).send().await;
                assert_eq!(response.status, StatusCode::OK, "{}", response.text());
            }
            Self::DisabledAndEnabled => {
                for disabled in [true, false] {
                    outside(AccountChange { disabled: Some(disabled), ..AccountChange::default() })
                        .await;
                }
            }
            Self::EndedByAdministrator => {
                outside(AccountChange { end_sessions: true, ..AccountChange::default() }).await;
            }
            Self::DeletedAndRegistered => {
                let body = json!({ "username": "alice" });
                let response = app.delete("/api/me").bearer(&pair.access).json(&body).send().await;
                assert_eq!(response.status, StatusCode::OK, "{}", response.text());
                assert_eq!(app.register("alice").await.status, StatusCode::CREATED);
            }
        }
        PASSWORD
    }
}

#[tokio::test]
async fn invariant_33_device_cookie_after_its_sessions_were_revoked_is_unknown() {
    for invalidation in [
        Invalidation::PasswordChanged,
        Invalidation::OthersEnded,
        Invalidation::DisabledAndEnabled,
        Invalidation::EndedByAdministrator,
        Invalidation::DeletedAndRegistered,
    ] {
        let app = App::with(&[("LOGIN_FAILURES_PER_ACCOUNT", "2")]).await;
        app.register("alice").await;
        let old = device(&attempt(&app, "alice", PASSWORD).send().await);
        let known = device(&attempt(&app, "alice", PASSWORD).header("cookie", &old).send().await);
        assert_eq!(known, old);
        let password = invalidation.happen(&app).await;
        let login = |cookie: &str| attempt(&app, "alice", password).header("cookie", cookie).send();
        let new = device(&login(&old).await);
        assert_ne!(new, old, "{invalidation:?}");
        fail(&app, "alice", 2).await;
        assert_throttled(&login(&old).await, "900");
        assert_eq!(login(&new).await.status, StatusCode::OK, "{invalidation:?}");
    }
}

#[tokio::test]
async fn invariant_31_device_cookie_of_a_deleted_account_gets_the_same_response_as_no_account() {
    let app = App::with(&[("LOGIN_FAILURES_PER_ACCOUNT", "2")]).await;
    app.register("alice").await;
    let login = attempt(&app, "alice", PASSWORD).send().await;
    let (old, pair) = (device(&login), login.pair());
    let body = json!({ "username": "alice" });
    assert_eq!(
        app.delete("/api/me").bearer(&pair.access).json(&body).send().await.status,
        StatusCode::OK
    );
    let mut responses = Vec::new();
    for cookie in [&*old, "device_x=y"] {
        responses.push(attempt(&app, "alice", PASSWORD).header("cookie", cookie).send().await);
    }
    responses[0].assert_failure(401, "invalid_credentials");
    assert_eq!(responses[0].comparable(), responses[1].comparable());
    assert_throttled(&attempt(&app, "alice", PASSWORD).header("cookie", &old).send().await, "900");
}

#[tokio::test]
async fn invariant_30_logins_beyond_the_queue_limit_of_an_ip_are_refused_and_others_succeed() {
    let app = App::with(&[("WAITING_HASHES_PER_ADDRESS", "1")]).await;
    app.register("alice").await;
    let many = async |address: &str| {
        let attempts = (0..20).map(|_| attempt(&app, "alice", PASSWORD).from(address).send());
        futures::future::join_all(attempts).await
    };
    let responses = many("192.0.2.1").await;
    let refused: Vec<_> =
        responses.iter().filter(|response| response.status != StatusCode::OK).collect();
    assert!((1..20).contains(&refused.len()), "{}", refused.len());
    for response in refused {
        assert_throttled(response, "1");
    }
    // It may be the address of a proxy that is not configured.
    assert!(many("127.0.0.1").await.iter().all(|response| response.status == StatusCode::OK));
}

#[tokio::test]
async fn invariant_21_device_cookie_does_not_authenticate_and_is_optional() {
    let app = App::with(&[("TRUSTED_PROXIES", "10.0.0.1")]).await;
    app.register("alice").await;
    let login = attempt(&app, "alice", PASSWORD).send().await;
    let known = device(&login);
    app.get("/api/me").header("cookie", &known).send().await.assert_failure(401, "token_missing");
    attempt(&app, "alice", "wrong")
        .header("cookie", &known)
        .send()
        .await
        .assert_failure(401, "invalid_credentials");
    assert_eq!(app.me(&login.pair().access).await.status, StatusCode::OK);
    for path in ["/api/auth/refresh", "/api/auth/verify"] {
        let token =
            if path.ends_with("refresh") { login.pair().refresh } else { login.pair().access };
        assert_eq!(app.post(path).bearer(&token).send().await.header("set-cookie"), None);
    }
    for (forwarded, is_secure) in [("https", true), ("http", false)] {
        let call = attempt(&app, "alice", PASSWORD)
            .from("10.0.0.1")
            .header("x-forwarded-proto", forwarded);
        assert_eq!(
            call.send().await.header("set-cookie").unwrap().contains("; Secure"),
            is_secure,
            "{forwarded}"
        );
    }
    let call =
        attempt(&app, "alice", PASSWORD).from("10.0.0.2").header("x-forwarded-proto", "https");
    assert!(
        !call.send().await.header("set-cookie").unwrap().contains("; Secure"),
        "the header of an untrusted address is ignored"
    );
}

#[tokio::test]
async fn registrations_beyond_the_limit_of_an_ip_are_rate_limited() {
    let app =
        App::with(&[("REGISTRATIONS_PER_ADDRESS", "2"), ("REGISTRATIONS_SECONDS", "100")]).await;
    let register = |name: &str, address: &str| {
        app.post("/api/auth/register")
            .from(address)
            .json(&json!({ "username": name, "password": PASSWORD }))
    };
    // Validation errors reveal nothing, so they are not counted.
    register("x", "192.0.2.1").send().await.assert_failure(400, "validation_failed");
    assert_eq!(register("alice", "192.0.2.1").send().await.status, StatusCode::CREATED);
    register("alice", "192.0.2.1").send().await.assert_failure(409, "username_taken");
    assert_throttled(&register("bertha", "192.0.2.1").send().await, "50");
    assert_throttled(&register("alice", "192.0.2.1").send().await, "50");
    assert_eq!(register("bertha", "192.0.2.2").send().await.status, StatusCode::CREATED);
    app.clock.advance(50);
    assert_eq!(register("claire", "192.0.2.1").send().await.status, StatusCode::CREATED);
    assert_throttled(&register("dora", "192.0.2.1").send().await, "50");
}

#[tokio::test]
async fn refreshes_beyond_the_limit_of_a_session_are_rate_limited() {
    let app = App::start().await;
    let (mut pair, other) = (app.register_and_login("alice").await, app.login("alice").await);
    for _ in 0..60 {
        pair = app.refresh(&pair.refresh).await.pair();
    }
    assert_throttled(&app.refresh(&pair.refresh).await, "1");
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK, "the session goes on");
    assert_eq!(app.refresh(&other.refresh).await.status, StatusCode::OK);
    app.clock.advance(1);
    assert_eq!(app.refresh(&pair.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn requests_with_limits_switched_off_are_not_limited() {
    let app = App::with(&[
        ("RATE_LIMITS", "off"),
        ("LOGIN_FAILURES_PER_ACCOUNT", "1"),
        ("REGISTRATIONS_PER_ADDRESS", "1"),
        ("REFRESHES_PER_SESSION", "1"),
    ])
    .await;
    let mut pair = app.register_and_login("alice").await;
    assert_eq!(app.register("bertha").await.status, StatusCode::CREATED);
    fail(&app, "alice", 3).await;
    for _ in 0..3 {
        pair = app.refresh(&pair.refresh).await.pair();
    }
    app.login("alice").await;
}

#[tokio::test]
async fn invariant_42_rate_limited_logins_are_audited_once() {
    let app =
        App::with(&[("LOGIN_FAILURES_PER_ACCOUNT", "1"), ("REFRESHES_PER_SESSION", "1")]).await;
    let id: uuid::Uuid =
        app.register("alice").await.json()["user"]["id"].as_str().unwrap().parse().unwrap();
    let pair = app.login("alice").await;
    for name in ["alice", "nobody"] {
        fail(&app, name, 1).await;
    }
    let next = app.refresh(&pair.refresh).await.pair();
    let flood = async || {
        for _ in 0..20 {
            for name in ["alice", "nobody"] {
                attempt(&app, name, PASSWORD).send().await;
            }
            assert_throttled(&app.refresh(&next.refresh).await, "60");
        }
    };
    flood().await;
    let throttled = async |at_least: usize| loop {
        // They are written asynchronously.
        let entries = app.server.store.audit_entries().await.unwrap();
        let entries: Vec<_> =
            entries.into_iter().filter(|entry| entry.outcome == "throttled").collect();
        if entries.len() >= at_least {
            break entries;
        }
        tokio::task::yield_now().await;
    };
    let mut comparable: Vec<_> =
        throttled(3).await.into_iter().map(|entry| (entry.event, entry.user)).collect();
    comparable.sort();
    let mut expected = vec![
        ("logged_in".to_owned(), None),
        ("logged_in".to_owned(), Some(id)),
        ("refreshed".to_owned(), Some(id)),
    ];
    expected.sort();
    assert_eq!(comparable, expected);
    app.clock.advance(899);
    attempt(&app, "nobody", PASSWORD).send().await;
    app.clock.advance(1);
    fail(&app, "nobody", 1).await;
    attempt(&app, "nobody", PASSWORD).send().await;
    assert_eq!(throttled(4).await.len(), 4);
}

#[tokio::test]
async fn failure_cleanup_deletes_expired_counters() {
    let app = App::start().await;
    fail(&app, "nobody", 2).await;
    app.clock.advance(899);
    app.server.state.sessions.delete_expired().await.unwrap();
    fail(&app, "nobody", 1).await;
    app.clock.advance(1);
    app.server.state.sessions.delete_expired().await.unwrap();
    // The cleanup returns the number of counters.
    assert_eq!(app.server.store.sweep_login_failures(i64::MAX).await.unwrap(), 1);
}

#[tokio::test]
async fn change_beyond_the_limit_of_a_session_is_refused_with_the_time_to_wait() {
    let app = App::with(&[("CHANGES_PER_SESSION", "3"), ("CHANGES_SECONDS", "60")]).await;
    let pair = app.register_and_login("alice").await;
    let id: uuid::Uuid = app.me(&pair.access).await.json()["id"].as_str().unwrap().parse().unwrap();
    let other = app.login("alice").await;
    let change = |pair: &Tokens, nickname: &str| {
        app.call(Method::PATCH, "/api/me")
            .bearer(&pair.access)
            .json(&json!({ "nickname": nickname }))
            .send()
    };
    for nickname in ["one", "two", "two"] {
        assert_eq!(change(&pair, nickname).await.status, StatusCode::OK);
    }
    for _ in 0..20 {
        assert_throttled(&change(&pair, "three").await, "20");
    }
    assert_eq!(app.me(&pair.access).await.json()["nickname"], "two");
    assert_eq!(change(&other, "four").await.status, StatusCode::OK, "another session");
    // Requests that change nothing, end the session or refresh it.
    assert_eq!(
        app.post("/api/auth/verify").bearer(&pair.access).send().await.status,
        StatusCode::OK
    );
    let next = app.refresh(&pair.refresh).await.pair();
    assert_throttled(&change(&next, "three").await, "20");
    app.clock.advance(20);
    assert_eq!(change(&next, "three").await.status, StatusCode::OK);
    assert_eq!(app.logout(&next.access).await.status, StatusCode::OK);

    let refused = loop {
        // It is written asynchronously.
        let entries = app.server.store.audit_entries().await.unwrap();
        let refused: Vec<_> =
            entries.into_iter().filter(|entry| entry.event == "change_refused").collect();
        if !refused.is_empty() {
            break refused;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(refused.len(), 1, "one entry stands for all");
    let comparable = (&*refused[0].outcome, refused[0].user, refused[0].detail.as_deref());
    assert_eq!(comparable, ("throttled", Some(id), Some("PATCH /api/me")));
}

#[tokio::test]
async fn change_of_every_kind_counts_against_the_limit() {
    let app = App::with(&[("CHANGES_PER_SESSION", "1")]).await;
    let admin = app.admin("root").await;
    let change = async |pair: &Tokens, operation: &Endpoint| {
        let call = app.call(operation.method.clone(), operation.path).bearer(&pair.access);
        call.json(&json!({ "username": "x" })).send().await
    };
    for operation in endpoints() {
        let pair = app.login("root").await;
        app.delete("/api/me/files?id=x").bearer(&pair.access).send().await;
        let response = change(&pair, operation).await;
        let is_refused = response.status == StatusCode::TOO_MANY_REQUESTS;
        assert_eq!(
            is_refused,
            operation.change_limit != ChangeLimit::None,
            "{} {}",
            operation.method,
            operation.path
        );
    }
    assert_eq!(app.me(&admin.access).await.status, StatusCode::OK, "nothing was done");
}

#[tokio::test]
async fn change_beyond_the_limit_of_an_account_is_refused_unless_it_protects_the_account() {
    let app = App::with(&[("CHANGES_PER_ACCOUNT", "2")]).await;
    let sessions =
        [app.register_and_login("alice").await, app.login("alice").await, app.login("alice").await];
    let change = |pair: &Tokens| {
        app.call(Method::PATCH, "/api/me")
            .bearer(&pair.access)
            .json(&json!({ "nickname": "x" }))
            .send()
    };
    for pair in &sessions[..2] {
        assert_eq!(change(pair).await.status, StatusCode::OK);
    }
    for pair in &sessions {
        assert_throttled(&change(pair).await, "30");
    }
    let bertha = app.register_and_login("bertha").await;
    assert_eq!(change(&bertha).await.status, StatusCode::OK, "another account");
    let owner = &sessions[0].access;
    let password = json!({ "password": PASSWORD });
    let response = app.post("/api/auth/reauthenticate").bearer(owner).json(&password).send().await;
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(app.delete("/api/me/sessions").bearer(owner).send().await.status, StatusCode::OK);
    let other = json!({ "current_password": PASSWORD, "password": "another horse battery" });
    assert_eq!(
        app.post("/api/me/password").bearer(owner).json(&other).send().await.status,
        StatusCode::OK
    );
    let name = json!({ "username": "alice" });
    assert_eq!(app.delete("/api/me").bearer(owner).json(&name).send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn change_without_limits_is_never_refused() {
    let app = App::with(&[("CHANGES_PER_SESSION", "1"), ("RATE_LIMITS", "off")]).await;
    let pair = app.register_and_login("alice").await;
    for number in 0..5 {
        let body = json!({ "nickname": number.to_string() });
        let response =
            app.call(Method::PATCH, "/api/me").bearer(&pair.access).json(&body).send().await;
        assert_eq!(response.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn log_in_to_a_disabled_account_counts_as_a_failure() {
    let app = App::start().await;
    app.register("alice").await;
    app.disable("alice").await;
    for _ in 0..10 {
        attempt(&app, "alice", PASSWORD).send().await.assert_failure(403, "account_disabled");
    }
    assert_throttled(&attempt(&app, "alice", PASSWORD).send().await, "900");
}

#[tokio::test]
async fn log_in_without_a_verified_address_where_it_is_required_counts_as_a_failure() {
    let app = crate::recovery::start(&[("REQUIRE_VERIFIED_ADDRESS", "on")]).await;
    app.register("ada@example.com").await;
    for _ in 0..10 {
        let response = attempt(&app, "ada@example.com", PASSWORD).send().await;
        response.assert_failure(403, "address_unverified");
    }
    assert_throttled(&attempt(&app, "ada@example.com", PASSWORD).send().await, "900");
}
