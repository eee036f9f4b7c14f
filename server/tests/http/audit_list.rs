//! The audit log, as administrators read and follow it.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{App, PASSWORD, Response, START, Tokens};

async fn ask(app: &App, pair: &Tokens, query: &str) -> Response {
    app.get(&format!("/api/audit{query}")).bearer(&pair.access).send().await
}

async fn page(app: &App, pair: &Tokens, query: &str) -> Value {
    let response = ask(app, pair, query).await;
    assert_eq!(response.status, StatusCode::OK, "{query}: {}", response.text());
    response.json()
}

fn events(page: &Value) -> Vec<String> {
    let entries = page["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
}

fn ids(page: &Value) -> Vec<i64> {
    let entries = page["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn audit_list_entry_names_user_actor_client_and_details() {
    let app = App::start().await;
    let admin = app.admin("root").await;
    app.register("alice").await;
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    let login = json!({ "username": "alice", "password": PASSWORD });
    let logged_in =
        app.post("/api/auth/login").header("user-agent", agent).json(&login).send().await;
    assert_eq!(logged_in.status, StatusCode::OK);
    let alice = logged_in.pair();
    let (id, root) = (app.id_of(&alice).await, app.id_of(&admin).await);
    let disable = json!({ "id": id, "disabled": true });
    app.call(axum::http::Method::PATCH, "/api/users")
        .bearer(&admin.access)
        .json(&disable)
        .send()
        .await;
    let shown = page(&app, &admin, &format!("?user={id}")).await;
    assert_eq!(
        events(&shown),
        ["session_revoked", "user_disabled", "logged_in", "registered"],
        "newest first"
    );
    let entry = &shown["entries"][0];
    assert_eq!(entry["user"], json!({ "id": id, "username": "alice" }));
    assert_eq!(entry["actor"], json!({ "id": root, "username": "root" }));
    assert_eq!(entry["detail"], "disabled");
    let login = &shown["entries"][2];
    assert_eq!(
        (&login["outcome"], &login["browser"], &login["system"], &login["user_agent"]),
        (&json!("success"), &json!("Firefox"), &json!("Linux"), &json!(agent))
    );
    assert_eq!((&login["at"], &login["actor"]), (&json!(START), &Value::Null));
    assert_eq!(shown["next"], Value::Null);
    // The username in any spelling selects the same.
    assert_eq!(page(&app, &admin, "?user=ALICE").await["entries"], shown["entries"]);
}

#[tokio::test]
async fn audit_list_with_filters_returns_matching_entries_only() {
    let app = App::start().await;
    let admin = app.admin("root").await;
    app.register_and_login("alice").await;
    let wrong = json!({ "username": "alice", "password": "wrong" });
    app.post("/api/auth/login").json(&wrong).send().await;
    app.clock.advance(100);
    app.login("alice").await;
    for (query, expected) in [
        ("?event=registered", 2),
        ("?event=logged_in&outcome=wrong_password", 1),
        ("?outcome=throttled", 0),
        ("?user=alice&event=logged_in", 3),
        ("?since=1800000100", 2),
        ("?since=1800000101", 0),
        ("?event=&outcome=&user=&since=&before=&after=&limit=&unknown=1&user=", 0),
    ] {
        if query.matches("user=").count() > 1 {
            ask(&app, &admin, query).await.assert_failure(400, "bad_request");
            continue;
        }
        let found = page(&app, &admin, query).await;
        assert_eq!(found["entries"].as_array().unwrap().len(), expected, "{query}: {found}");
        assert_eq!(found["next"], Value::Null, "{query}");
    }
}

#[tokio::test]
async fn audit_list_with_invalid_query_is_refused() {
    let app = App::start().await;
    let admin = app.admin("root").await;
    let latest = page(&app, &admin, "").await["latest"].as_str().unwrap().to_owned();
    for (query, field) in [
        ("?event=logged".to_owned(), "event"),
        ("?outcome=failure".to_owned(), "outcome"),
        ("?since=yesterday".to_owned(), "since"),
        ("?since=-1".to_owned(), "since"),
        ("?user=nobody".to_owned(), "user"),
        ("?limit=0".to_owned(), "limit"),
        ("?limit=101".to_owned(), "limit"),
        ("?before=x".to_owned(), "before"),
        ("?after=ZS0x".to_owned(), "after"),
        (format!("?before={latest}&after={latest}"), "before"),
    ] {
        let response = ask(&app, &admin, &query).await;
        response.assert_failure(400, "validation_failed");
        let fields: Vec<_> =
            response.json()["fields"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, [field], "{query}");
    }
}

#[tokio::test]
async fn audit_list_pages_are_complete_while_entries_are_added() {
    let app = App::with(&[("RATE_LIMITS", "off")]).await;
    let admin = app.admin("root").await;
    for number in 0..12 {
        app.register(&format!("user{number}")).await;
    }
    let all = ids(&page(&app, &admin, "?limit=100").await);
    let mut seen = Vec::new();
    let mut query = "?limit=5".to_owned();
    loop {
        let part = page(&app, &admin, &query).await;
        seen.extend(ids(&part));
        app.register(&format!("late{}", seen.len())).await;
        let Some(next) = part["next"].as_str() else { break };
        query = format!("?limit=5&before={next}");
    }
    assert_eq!(seen, all);
}

#[tokio::test]
async fn audit_list_after_a_cursor_returns_every_entry_written_since() {
    let app = App::with(&[("RATE_LIMITS", "off")]).await;
    let admin = app.admin("root").await;
    let first = page(&app, &admin, "?event=registered").await;
    // The administrator's own.
    assert_eq!(events(&first), ["registered"]);
    let mut latest = first["latest"].as_str().unwrap().to_owned();
    let mut seen: BTreeSet<i64> = ids(&first).into_iter().collect();
    for round in 0..4 {
        for number in 0..7 {
            app.register(&format!("user{round}x{number}")).await;
        }
        // Small pages, until one is not full.
        loop {
            let query = format!("?event=registered&limit=3&after={latest}");
            let part = page(&app, &admin, &query).await;
            assert!(ids(&part).is_sorted_by(|one, other| one > other), "newest first");
            assert_eq!(part["next"], Value::Null);
            part["latest"].as_str().unwrap().clone_into(&mut latest);
            let found = ids(&part);
            seen.extend(found.iter().copied());
            if found.len() < 3 {
                break;
            }
        }
        assert_eq!(seen.len(), 1 + 7 * (round + 1));
        app.clock.advance(if round % 2 == 0 { 3 } else { 30 });
    }
    // None is repeated.
    app.register("newest").await;
    let part = page(&app, &admin, &format!("?event=registered&after={latest}")).await;
    assert_eq!(events(&part), ["registered"]);
    let latest = part["latest"].as_str().unwrap();
    assert_eq!(events(&page(&app, &admin, &format!("?after={latest}")).await), [""; 0]);
}

#[tokio::test]
async fn audit_list_hides_personal_data_of_deleted_accounts() {
    let app = App::start().await;
    let (admin, alice) = (app.admin("root").await, app.register_and_login("alice").await);
    let id = app.id_of(&alice).await;
    let body = json!({ "username": "alice" });
    app.delete("/api/me").bearer(&alice.access).json(&body).send().await;
    let all = page(&app, &admin, "").await;
    assert_eq!(events(&all)[0], "account_deleted");
    assert!(!all.to_string().contains(&id), "{all}");
    assert_eq!(events(&page(&app, &admin, &format!("?user={id}")).await), [""; 0]);
}

#[tokio::test]
async fn invariant_41_audit_list_and_account_pages_are_refused_to_members() {
    let app = App::start().await;
    let (admin, alice) = (app.admin("root").await, app.register_and_login("alice").await);
    let (id, own) = (app.id_of(&admin).await, app.id_of(&alice).await);
    for path in [
        "/api/audit".to_owned(),
        format!("/api/audit?user={own}"),
        format!("/api/users/account?id={id}"),
        format!("/api/users/account?id={own}"),
        format!("/api/users/sessions?id={id}"),
        format!("/api/users/sessions?id={own}"),
    ] {
        app.get(&path).bearer(&alice.access).send().await.assert_failure(403, "forbidden");
        app.get(&path).send().await.assert_failure(401, "token_missing");
        assert_eq!(app.get(&path).bearer(&admin.access).send().await.status, StatusCode::OK);
    }
    // A role that is lost ends the access on the next request.
    let other = app.admin("other").await;
    let body = json!({ "id": id, "role": "user" });
    app.call(axum::http::Method::PATCH, "/api/users")
        .bearer(&other.access)
        .json(&body)
        .send()
        .await;
    ask(&app, &admin, "").await.assert_failure(403, "forbidden");
}
