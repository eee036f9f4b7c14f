//! Account deletion: `DELETE /api/me`.

use std::sync::Arc;

use app::backend::ClientInfo;
use axum::http::StatusCode;
use image::ImageFormat;
use serde_json::{Value, json};
use server::store::{AuditEntry, AuditFilter, Event};

use crate::{
    app::{App, PASSWORD, Response},
    pictures::picture,
};

async fn delete(app: &App, token: &str, body: &Value) -> Response {
    app.delete("/api/me").bearer(token).json(body).send().await
}

fn alice() -> Value {
    json!({ "username": "alice" })
}

/// Changes the database from outside the server, as a command would.
async fn execute(app: &App, sql: &str) {
    app.execute(sql).await;
    app.server.state.sessions.invalidate_caches().await.unwrap();
}

/// Counts the rows of the tables with user data.
async fn rows(app: &App) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in
        ["users", "sessions", "files", "username_skeletons", "login_failures", "orphaned_objects"]
    {
        counts.push(app.count(&format!("SELECT COUNT(*) FROM {table}")).await);
    }
    counts
}

#[tokio::test]
async fn invariant_11_account_deletion_removes_all_its_data_at_once() {
    let app = App::start().await;
    let bertha = app.register_and_login("bertha").await;
    let before = rows(&app).await;
    let (pair, other) = (app.register_and_login("Alice").await, app.login("alice").await);
    let (_server, elsewhere) = app.second().await;
    assert_eq!(
        app.get("/api/me").bearer(&other.access).to(&elsewhere).send().await.status,
        StatusCode::OK
    );
    let wrong = json!({ "username": "alice", "password": "wrong" });
    app.post("/api/auth/login")
        .json(&wrong)
        .send()
        .await
        .assert_failure(401, "invalid_credentials");
    let picture = picture(ImageFormat::Png, 64, 64);
    for call in
        [app.call(axum::http::Method::PUT, "/api/me/avatar"), app.post("/api/me/files?name=x.png")]
    {
        let response = call.bearer(&pair.access).body(picture.clone()).send().await;
        assert!(response.status.is_success(), "{}", response.text());
    }
    let avatar = app.me(&pair.access).await.json()["avatar_url"].as_str().unwrap().to_owned();
    assert_eq!(app.get(&avatar).send().await.status, StatusCode::OK);

    let response = app
        .delete("/api/me")
        .bearer(&pair.access)
        .header("accept-language", "zh")
        .json(&json!({ "username": " ＡＬＩＣＥ" }));
    let response = response.send().await;
    assert_eq!(
        (response.status, response.json()),
        (StatusCode::OK, json!({ "message": "您的账户及全部数据已删除" }))
    );
    for token in [&pair.access, &other.access] {
        app.me(token).await.assert_failure(401, "token_revoked");
    }
    app.refresh(&other.refresh).await.assert_failure(401, "token_revoked");
    delete(&app, &pair.access, &alice()).await.assert_failure(401, "token_revoked");
    assert_eq!(app.get(&avatar).send().await.status, StatusCode::NOT_FOUND);
    assert_eq!(rows(&app).await, before);
    assert_eq!(crate::pictures::objects(&app), Vec::<String>::new());
    let right = json!({ "username": "alice", "password": PASSWORD });
    app.post("/api/auth/login")
        .json(&right)
        .send()
        .await
        .assert_failure(401, "invalid_credentials");
    assert_eq!(app.me(&bertha.access).await.status, StatusCode::OK);

    let app = app.restart().await;
    app.me(&other.access).await.assert_failure(401, "token_revoked");
    // The username is available, and its next owner gets none of the old data.
    let again = app.register_and_login("alice").await;
    let me = app.me(&again.access).await.json();
    assert_eq!((&me["avatar_url"], &me["nickname"]), (&json!(null), &json!(null)));
    app.me(&other.access).await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn account_deletion_in_another_process_is_followed() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let (server, elsewhere) = app.second().await;
    let there = || app.get("/api/me").bearer(&pair.access).to(&elsewhere).send();
    server.state.sessions.poll_changes().await.unwrap();
    assert_eq!(there().await.status, StatusCode::OK);
    assert_eq!(delete(&app, &pair.access, &alice()).await.status, StatusCode::OK);
    server.state.sessions.poll_changes().await.unwrap();
    there().await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn invariant_20_account_deletion_requires_fresh_token_and_username() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let stale = app.refresh(&pair.refresh).await.pair().access;
    delete(&app, &stale, &alice()).await.assert_failure(401, "fresh_required");
    for body in [
        json!({}),
        json!({ "username": null }),
        json!({ "username": "" }),
        json!({ "username": "alic" }),
        json!({ "username": "x".repeat(5000) }),
    ] {
        let response = delete(&app, &pair.access, &body).await;
        response.assert_failure(400, "validation_failed");
        assert_eq!(
            response.json()["fields"],
            json!({ "username": "Type your username to confirm" }),
            "{body}"
        );
    }
    delete(&app, &pair.access, &json!([])).await.assert_failure(400, "bad_request");
    delete(&app, &pair.access, &json!({ "username": 1 })).await.assert_failure(400, "bad_request");
    // Members in the query string confirm nothing.
    let response =
        app.delete("/api/me?username=alice").bearer(&pair.access).json(&json!({})).send().await;
    response.assert_failure(400, "validation_failed");
    app.delete("/api/me?username=alice")
        .bearer(&pair.access)
        .send()
        .await
        .assert_failure(415, "unsupported_media_type");
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
}

#[tokio::test]
async fn account_deletion_frees_confusable_names_unless_another_account_has_one() {
    let app = App::start().await;
    // Confusable ASCII names may coexist: their skeleton is taken until the last of them is
    // deleted.
    let (one, other) = (app.register_and_login("ap1").await, app.register_and_login("apl").await);
    let cyrillic = "\u{430}\u{440}1";
    delete(&app, &one.access, &json!({ "username": "ap1" })).await;
    app.register(cyrillic).await.assert_failure(409, "username_taken");
    delete(&app, &other.access, &json!({ "username": "apl" })).await;
    assert_eq!(app.register(cyrillic).await.status, StatusCode::CREATED);
    // A name with other letters owns its skeleton alone.
    app.register("\u{430}\u{440}\u{435}").await;
    app.register("ape").await.assert_failure(409, "username_taken");
    let body = json!({ "username": "\u{430}\u{440}\u{435}", "password": PASSWORD });
    let ape = app.post("/api/auth/login").json(&body).send().await.pair();
    delete(&app, &ape.access, &json!({ "username": "\u{430}\u{440}\u{435}" })).await;
    assert_eq!(app.register("ape").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn account_deletion_of_the_last_administrator_is_refused() {
    let app = App::start().await;
    let (root, second) =
        (app.register_and_login("root").await, app.register_and_login("second").await);
    execute(&app, "UPDATE users SET role = 'admin' WHERE username_key = 'root'").await;
    let response = delete(&app, &root.access, &json!({ "username": "root" })).await;
    response.assert_failure(409, "last_admin");
    execute(&app, "UPDATE users SET role = 'admin', disabled_at = 1 WHERE username_key = 'second'")
        .await;
    delete(&app, &root.access, &json!({ "username": "root" }))
        .await
        .assert_failure(409, "last_admin");
    assert_eq!(app.me(&root.access).await.status, StatusCode::OK);
    execute(&app, "UPDATE users SET disabled_at = NULL").await;
    // Of two concurrent deletions, one is refused.
    let (one, two) = (json!({ "username": "root" }), json!({ "username": "second" }));
    let (one, two) =
        tokio::join!(delete(&app, &root.access, &one), delete(&app, &second.access, &two));
    let mut comparable = [one.status.as_u16(), two.status.as_u16()];
    comparable.sort_unstable();
    assert_eq!(comparable, [200, 409]);
}

#[tokio::test]
async fn invariant_42_account_deletion_anonymizes_its_audit_events() {
    let app = App::start().await;
    let body = json!({ "username": "alice", "password": PASSWORD });
    app.post("/api/auth/register")
        .from("192.0.2.7")
        .header("user-agent", "Tester/1")
        .json(&body)
        .send()
        .await;
    let login =
        app.post("/api/auth/login").from("192.0.2.7").header("user-agent", "Tester/1").json(&body);
    let pair = login.send().await.pair();
    app.register_and_login("bertha").await;
    let call = app
        .delete("/api/me")
        .from("192.0.2.7")
        .header("user-agent", "Tester/1")
        .bearer(&pair.access);
    assert_eq!(call.json(&alice()).send().await.status, StatusCode::OK);
    let entries = app.server.store.audit_entries().await.unwrap();
    let comparable: Vec<_> =
        entries.iter().map(|entry| (&*entry.event, entry.user.is_some())).collect();
    let expected = [
        ("registered", false),
        ("logged_in", false),
        ("registered", true),
        ("logged_in", true),
        ("account_deleted", false),
    ];
    assert_eq!(comparable, expected);
    for entry in entries.iter().filter(|entry| entry.user.is_none()) {
        assert_eq!(
            (&entry.address, &entry.user_agent, entry.session, &entry.detail),
            (&None, &None, None, &None)
        );
    }
}

/// Adds this many audit events, files and ended sessions to an account.
async fn fill(app: &App, entries: u32, files: u32, sessions: u32) {
    let many = "WITH RECURSIVE many(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM many WHERE number < ";
    let user = "(SELECT id FROM users WHERE username_key = 'alice')";
    let id = if app.is_on_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
    for sql in [
        format!(
            "{many} {entries}) INSERT INTO audit_events (at, event, outcome, user_id, session_id, address, user_agent) \
             SELECT 1800000000, 'profile_changed', 'success', {user}, {user}, '192.0.2.7', 'Tester/1' FROM many"
        ),
        format!(
            "{many} {files}) INSERT INTO files (id, user_id, name, media_type, size, stored_bytes, width, height, \
             created_at) SELECT {id}, {user}, 'x', 'image/png', 1, 1, 1, 1, 0 FROM many"
        ),
        format!(
            "{many} {sessions}) INSERT INTO sessions (id, user_id, generation, acknowledged, undelivered, remember, created_at, \
             refreshed_at, expires_at, ended_at, end_reason, address, new_device) \
             SELECT {id}, {user}, 1, true, '', true, 0, 0, 1900000000, 1800000000, 'logged_out', '192.0.2.7', false FROM many"
        ),
    ] {
        app.execute(&sql).await;
    }
}

/// Counts rows that identify a deleted user.
async fn left(app: &App) -> i64 {
    app.count(
        "SELECT (SELECT COUNT(*) FROM audit_events WHERE address IS NOT NULL OR \
         (user_id IS NOT NULL AND user_id NOT IN (SELECT id FROM users))) \
         + (SELECT COUNT(*) FROM files) + (SELECT COUNT(*) FROM sessions)",
    )
    .await
}

#[tokio::test]
async fn invariant_42_account_deletion_of_many_rows_hides_them_and_deletes_in_batches() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let id: uuid::Uuid = app.me(&pair.access).await.json()["id"].as_str().unwrap().parse().unwrap();
    fill(&app, 1_600, 1_100, 600).await;
    assert_eq!(delete(&app, &pair.access, &alice()).await.status, StatusCode::OK);

    app.me(&pair.access).await.assert_failure(401, "token_revoked");
    assert!(left(&app).await > 1_000, "the rest is left to the background");
    let entries = app.server.store.audit_entries().await.unwrap();
    assert_eq!(entries.len(), 1_603);
    for entry in &entries {
        assert_eq!(
            (entry.user, entry.session, &entry.address, &entry.user_agent),
            (None, None, &None, &None)
        );
    }
    let filter = AuditFilter { user: Some(id), ..AuditFilter::default() };
    assert_eq!(app.server.store.audit_page(filter, 0, 5_000).await.unwrap(), []);
    // The username is available, and its next owner sees none of the data.
    let again = app.register_and_login("alice").await;
    let files = app.get("/api/me/files").bearer(&again.access).send().await.json();
    assert_eq!((&files["used"], &files["files"]), (&json!(0), &json!([])));
    assert_eq!(delete(&app, &again.access, &alice()).await.status, StatusCode::OK);

    // A crash between the batches.
    assert!(app.server.store.continue_deletions().await.unwrap());
    let app = app.restart().await;
    assert!(left(&app).await > 0);
    app.server.state.sessions.finish_deletions().await.unwrap();
    assert_eq!(left(&app).await, 0);
    assert_eq!(app.count("SELECT COUNT(*) FROM deleted_users").await, 0);
    assert!(
        app.count("SELECT COUNT(*) FROM orphaned_objects").await > 1_000,
        "the deletions have not waited for all"
    );
    app.server.state.files.sweep().await.unwrap();
    assert_eq!(app.count("SELECT COUNT(*) FROM orphaned_objects").await, 0);
}

#[tokio::test]
async fn write_during_deletion_of_a_large_account_waits_for_one_batch_at_most() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    fill(&app, 30_000, 5_000, 10).await;
    assert_eq!(delete(&app, &pair.access, &alice()).await.status, StatusCode::OK);
    let sessions = app.server.state.sessions.clone();
    let finishing = tokio::spawn(async move { sessions.finish_deletions().await });
    for number in 0..5 {
        app.register_and_login(&format!("person{number}")).await;
    }
    let behind = app.count("SELECT COUNT(*) FROM deleted_users").await;
    assert_eq!(behind, 1, "ten changes were written before sixty portions");
    finishing.await.unwrap().unwrap();
    assert_eq!(app.count("SELECT COUNT(*) FROM deleted_users").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_42_request_during_account_deletion_records_no_personal_data() {
    let app = Arc::new(App::with(&[("RATE_LIMITS", "off")]).await);
    for number in 0..5 {
        let name = format!("alice{number}");
        let pair = app.register_and_login(&name).await;
        let calls: Vec<_> = (0..8)
            .map(|call| {
                let (app, token) = (Arc::clone(&app), pair.access.clone());
                tokio::spawn(async move {
                    for time in 0..20 {
                        let body = json!({ "nickname": format!("{call} {time}") });
                        let call = app.call(axum::http::Method::PATCH, "/api/me").from("192.0.2.7");
                        call.header("user-agent", "Tester/1")
                            .bearer(&token)
                            .json(&body)
                            .send()
                            .await;
                        app.delete("/api/me/sessions?id=x")
                            .from("192.0.2.7")
                            .bearer(&token)
                            .send()
                            .await;
                    }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        assert_eq!(
            delete(&app, &pair.access, &json!({ "username": name })).await.status,
            StatusCode::OK
        );
        for call in calls {
            call.await.unwrap();
        }
    }
    let entries =
        app.count("SELECT COUNT(*) FROM audit_events WHERE event = 'profile_changed'").await;
    let telling = "user_id IS NOT NULL OR session_id IS NOT NULL OR address IS NOT NULL OR user_agent IS NOT NULL";
    assert_eq!(
        app.count(&format!("SELECT COUNT(*) FROM audit_events WHERE {telling}")).await,
        0,
        "of {entries}"
    );
}

#[tokio::test]
async fn invariant_42_audit_event_about_a_deleted_account_is_anonymous() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let id: uuid::Uuid = app.me(&pair.access).await.json()["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(delete(&app, &pair.access, &alice()).await.status, StatusCode::OK);
    let client_info =
        ClientInfo { address: Some("192.0.2.7".parse().unwrap()), ..ClientInfo::default() };
    let entry = AuditEntry {
        user: Some(id),
        session: Some(id),
        ..AuditEntry::of(Event::LoggedIn, 0, client_info)
    };
    app.server.store.insert_audit_entry(entry).await.unwrap();
    let entries = app.server.store.audit_entries().await.unwrap();
    let last = entries.last().unwrap();
    assert_eq!(
        (&*last.event, last.user, last.session, &last.address),
        ("logged_in", None, None, &None)
    );
}
