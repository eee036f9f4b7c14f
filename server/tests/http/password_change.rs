//! Password change: `POST /api/me/password`.

use axum::http::StatusCode;
use serde_json::{Value, json};
use server::store::{AuditEntry, Event, InsertSessionOutcome, NewSession};

use crate::{
    app::{App, PASSWORD, Response, START},
    forged_tokens::parts,
};

const NEW: &str = "battery horse correct";

async fn change(app: &App, token: &str, body: &Value) -> Response {
    app.post("/api/me/password").bearer(token).json(body).send().await
}

fn to_new() -> Value {
    json!({ "current_password": PASSWORD, "password": NEW })
}

async fn login(app: &App, password: &str) -> Response {
    app.post("/api/auth/login")
        .json(&json!({ "username": "alice", "password": password }))
        .send()
        .await
}

#[tokio::test]
async fn invariant_11_password_change_ends_the_other_sessions() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let others = [app.login("alice").await, app.login("alice").await];
    let bertha = app.register_and_login("bertha").await;
    let response = change(&app, &pair.access, &to_new()).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    assert_eq!(
        response.json(),
        json!({ "message": "Password changed. Your other devices are logged out" })
    );
    for other in &others {
        for response in [app.me(&other.access).await, app.refresh(&other.refresh).await] {
            response.assert_failure(401, "token_revoked");
            assert_eq!(response.json()["reason"], "password_changed");
        }
    }
    assert_eq!(app.me(&bertha.access).await.status, StatusCode::OK);
    login(&app, PASSWORD).await.assert_failure(401, "invalid_credentials");
    let app = app.restart().await;
    assert_eq!(app.me(&others[0].access).await.json()["reason"], "password_changed");
    assert_eq!(login(&app, NEW).await.status, StatusCode::OK);
    let pair = app.refresh(&pair.refresh).await.pair();
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
}

#[tokio::test]
async fn profile_states_when_the_password_was_set() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    assert_eq!(app.me(&pair.access).await.json()["password_changed_at"], START);
    app.clock.advance(100);
    login(&app, PASSWORD).await;
    assert_eq!(app.me(&pair.access).await.json()["password_changed_at"], START);
    let response = change(&app, &pair.access, &to_new()).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    let me = app.me(&pair.access).await.json();
    assert_eq!(
        (&me["password_changed_at"], &me["created_at"]),
        (&json!(START + 100), &json!(START))
    );
}

#[tokio::test]
async fn invariant_11_login_verified_before_a_password_change_begins_no_session() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let store = &app.server.store;
    let (account, hash) = store.user_with_hash("alice").await.unwrap().unwrap();
    let entries = store.audit_entries().await.unwrap();
    let session = store.session(entries.last().unwrap().session.unwrap()).await.unwrap().unwrap();
    change(&app, &pair.access, &to_new()).await;
    let later = server::domain::session::Session { id: app.env().uuid(), ..session };
    let entry = || AuditEntry {
        user: Some(account.user.id),
        ..AuditEntry::of(Event::LoggedIn, START, app::backend::ClientInfo::default())
    };
    let before = store.audit_entries().await.unwrap().len();
    let new = NewSession {
        session: later.clone(),
        password_hash: hash,
        is_known_device: true,
        cleared_subject: None,
    };
    assert_eq!(
        store.insert_session(new, 100, entry()).await.unwrap(),
        InsertSessionOutcome::PasswordChanged
    );
    assert_eq!(store.session(later.id).await.unwrap(), None);
    assert_eq!(store.audit_entries().await.unwrap().len(), before);
    let (_, hash) = store.user_with_hash("alice").await.unwrap().unwrap();
    let new = NewSession {
        session: later,
        password_hash: hash,
        is_known_device: true,
        cleared_subject: None,
    };
    let done = InsertSessionOutcome::Inserted { ended: Vec::new(), device_epoch: 1 };
    assert_eq!(store.insert_session(new, 100, entry()).await.unwrap(), done);
}

#[tokio::test]
async fn invariant_11_login_to_account_disabled_after_verification_begins_no_session() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let store = &app.server.store;
    let (account, hash) = store.user_with_hash("alice").await.unwrap().unwrap();
    let id = parts(&pair.access).1["sid"].as_str().unwrap().parse().unwrap();
    let session = store.session(id).await.unwrap().unwrap();
    app.disable("alice").await;
    let later = server::domain::session::Session { id: app.env().uuid(), ..session };
    let entry = AuditEntry {
        user: Some(account.user.id),
        ..AuditEntry::of(Event::LoggedIn, START, app::backend::ClientInfo::default())
    };
    let new = NewSession {
        session: later.clone(),
        password_hash: hash,
        is_known_device: true,
        cleared_subject: None,
    };
    assert_eq!(
        store.insert_session(new, 100, entry).await.unwrap(),
        InsertSessionOutcome::AccountDisabled
    );
    assert_eq!(store.session(later.id).await.unwrap(), None);
}

#[tokio::test]
async fn invariant_20_password_change_requires_fresh_token() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let stale = app.refresh(&pair.refresh).await.pair().access;
    change(&app, &stale, &to_new()).await.assert_failure(401, "fresh_required");
    app.post("/api/me/password")
        .bearer(&stale)
        .body("rubbish")
        .send()
        .await
        .assert_failure(401, "fresh_required");
    app.post("/api/me/password").json(&to_new()).send().await.assert_failure(401, "token_missing");
    let body = json!({ "password": PASSWORD });
    let fresh = app.post("/api/auth/reauthenticate").bearer(&stale).json(&body).send().await.json();
    assert_eq!(
        change(&app, fresh["access_token"].as_str().unwrap(), &to_new()).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn password_change_applies_the_registration_rules_and_reports_both_fields() {
    let app = App::start().await;
    let pair = app.register_and_login("alice2027").await;
    for (body, fields) in [
        (json!({}), vec!["current_password", "password"]),
        (
            json!({ "current_password": null, "password": "short" }),
            vec!["current_password", "password"],
        ),
        (
            json!({ "current_password": "x".repeat(1025), "password": NEW }),
            vec!["current_password"],
        ),
        (json!({ "current_password": PASSWORD, "password": "password1" }), vec!["password"]),
        (json!({ "current_password": PASSWORD, "password": "Alice2027!" }), vec!["password"]),
        (json!({ "current_password": PASSWORD, "password": "x".repeat(129) }), vec!["password"]),
        (json!({ "current_password": "wrong", "password": NEW }), vec!["current_password"]),
    ] {
        let response = change(&app, &pair.access, &body).await;
        response.assert_failure(400, "validation_failed");
        let comparable: Vec<_> =
            response.json()["fields"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(comparable, fields, "{body}");
    }
    let response =
        app.post("/api/me/password").bearer(&pair.access).header("accept-language", "zh");
    let response =
        response.json(&json!({ "current_password": "wrong", "password": NEW })).send().await;
    assert_eq!(response.json()["fields"], json!({ "current_password": "密码错误" }));
    let body = json!({ "username": "alice2027", "password": PASSWORD });
    assert_eq!(
        app.post("/api/auth/login").json(&body).send().await.status,
        StatusCode::OK,
        "nothing has changed"
    );
}

#[tokio::test]
async fn invariant_33_password_change_with_wrong_password_counts_as_a_failure() {
    let app = App::with(&[("LOGIN_FAILURES_PER_ACCOUNT", "2")]).await;
    let pair = app.register_and_login("alice").await;
    let wrong = json!({ "current_password": "wrong", "password": NEW });
    // A validation error is not counted as a guess.
    for _ in 0..3 {
        let body = json!({ "current_password": "wrong", "password": "short" });
        change(&app, &pair.access, &body).await.assert_failure(400, "validation_failed");
    }
    for _ in 0..2 {
        change(&app, &pair.access, &wrong).await.assert_failure(400, "validation_failed");
    }
    change(&app, &pair.access, &to_new()).await.assert_failure(429, "too_many_attempts");
    app.clock.advance(900);
    let pair = login(&app, PASSWORD).await.pair();
    assert_eq!(change(&app, &pair.access, &to_new()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn password_change_keeps_its_own_device_known() {
    let app = App::start().await;
    app.register("alice").await;
    let cookie = |response: &Response| {
        response.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    };
    let body = json!({ "username": "alice", "password": PASSWORD });
    let before = app.post("/api/auth/login").json(&body).send().await;
    let changed = change(&app, &before.pair().access, &to_new()).await;
    assert!(changed.header("set-cookie").unwrap().contains("; Path=/api/auth/login"));
    let body = json!({ "username": "alice", "password": NEW });
    for (cookie, new_devices) in [(cookie(&changed), 0), (cookie(&before), 1)] {
        let login = app.post("/api/auth/login").header("cookie", &cookie).json(&body);
        assert_eq!(login.send().await.status, StatusCode::OK);
        assert_eq!(app.audited(Event::NewDevice).await.len(), new_devices);
    }
}

#[tokio::test]
async fn password_change_twice_at_once_succeeds_once() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let other = app.login("alice").await;
    let to = |password: &str| json!({ "current_password": PASSWORD, "password": password });
    let (one, two) = (to(NEW), to("a third one altogether"));
    let (one, two) =
        tokio::join!(change(&app, &pair.access, &one), change(&app, &other.access, &two));
    let mut comparable = [one.status.as_u16(), two.status.as_u16()];
    comparable.sort_unstable();
    assert!(comparable == [200, 400] || comparable == [200, 401], "{} {}", one.text(), two.text());
    let (winner, loser) =
        if one.status == StatusCode::OK { (NEW, other) } else { ("a third one altogether", pair) };
    assert_eq!(login(&app, winner).await.status, StatusCode::OK);
    assert_eq!(app.me(&loser.access).await.json()["reason"], "password_changed");
}

#[tokio::test]
async fn invariant_42_password_change_and_each_ended_session_are_audited() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    app.login("alice").await;
    change(&app, &pair.access, &json!({ "current_password": "wrong", "password": NEW })).await;
    change(&app, &pair.access, &to_new()).await;
    let mut entries = app.server.store.audit_entries().await.unwrap();
    entries.retain(|entry| entry.event != "new_device");
    let comparable: Vec<_> = entries[3..]
        .iter()
        .map(|entry| (&*entry.event, &*entry.outcome, entry.detail.as_deref()))
        .collect();
    assert_eq!(
        comparable,
        [
            ("password_changed", "wrong_password", None),
            ("session_revoked", "success", Some("password_changed")),
            ("password_changed", "success", None),
        ]
    );
    assert_eq!((entries[4].session, entries[5].session), (entries[2].session, entries[1].session));
    assert!(entries[3..].iter().all(|entry| entry.user == entries[0].user));
}
