//! The session list: `GET` and `DELETE /api/me/sessions`.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    app::{App, PASSWORD, Response, START, Tokens},
    forged_tokens::parts,
};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const PATH: &str = "/api/me/sessions";

async fn list(app: &App, token: &str) -> Vec<Value> {
    let response = app.get(PATH).bearer(token).send().await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    response.json()["sessions"].as_array().unwrap().clone()
}

async fn end(app: &App, token: &str, query: &str) -> Response {
    app.delete(&format!("{PATH}{query}")).bearer(token).send().await
}

fn id(pair: &Tokens) -> String {
    parts(&pair.access).1["sid"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_over(response: &Response, reason: &str) {
    response.assert_failure(401, "token_revoked");
    assert_eq!(response.json()["reason"], reason);
}

#[tokio::test]
async fn session_list_shows_clients_and_times_with_the_current_session_first() {
    let app = App::start().await;
    app.register("alice").await;
    let body = json!({ "username": "alice", "password": PASSWORD, "remember": false });
    let login =
        app.post("/api/auth/login").from("192.0.2.7").header("user-agent", FIREFOX).json(&body);
    let first = login.send().await.pair();
    app.clock.advance(10);
    let second = app.login("alice").await;
    app.clock.advance(10);
    let third = app.login("alice").await;
    app.register_and_login("bertha").await;
    app.clock.advance(30);
    let refreshed =
        app.post("/api/auth/refresh").from("2001:db8::7").header("user-agent", "curl/8.5.0");
    let first = Tokens {
        refresh: first.refresh.clone(),
        ..refreshed.bearer(&first.refresh).send().await.pair()
    };
    app.clock.advance(50);
    let entry = |pair: &Tokens, values: Value| {
        let mut entry = json!({
            "id": id(pair), "browser": null, "system": null, "address": null, "expires_at": START + 2_592_000,
            "current": false, "new_device": true, "remember": true,
        });
        entry.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
        entry
    };
    let (of_first, of_second, of_third) = (
        json!({
            "browser": "curl", "address": "2001:db8::7", "created_at": START, "last_seen_at": START + 50,
            "new_device": false, "remember": false,
        }),
        json!({ "created_at": START + 10, "last_seen_at": START + 10, "expires_at": START + 2_592_010 }),
        json!({
            "created_at": START + 20, "last_seen_at": START + 100, "expires_at": START + 2_592_020, "current": true,
        }),
    );
    assert_eq!(
        list(&app, &third.access).await,
        [entry(&third, of_third), entry(&first, of_first), entry(&second, of_second)]
    );
    let of_this = &list(&app, &second.access).await[0];
    assert_eq!(
        (&of_this["id"], &of_this["last_seen_at"]),
        (&json!(id(&second)), &json!(START + 100))
    );
}

#[tokio::test]
async fn session_list_omits_ended_sessions() {
    let app = App::start().await;
    app.register("alice").await;
    let body = json!({ "username": "alice", "password": PASSWORD, "remember": false });
    let short = app.post("/api/auth/login").json(&body).send().await.pair();
    let out = app.login("alice").await;
    app.logout(&out.access).await;
    let pair = app.login("alice").await;
    let ids = async |token: &str| {
        let listed = list(&app, token).await;
        listed.iter().map(|device| device["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&pair.access).await, [id(&pair), id(&short)]);
    app.clock.advance(43_199);
    let pair = app.refresh(&pair.refresh).await.pair();
    assert_eq!(ids(&pair.access).await, [id(&pair), id(&short)]);
    app.clock.advance(1);
    assert_eq!(ids(&pair.access).await, [id(&pair)], "its refresh token has expired");
}

#[tokio::test]
async fn invariant_20_session_ended_by_another_session_is_refused_on_its_next_request() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let (lost, other) = (app.login("alice").await, app.login("alice").await);
    let (_server, elsewhere) = app.second().await;
    let stale = app.refresh(&pair.refresh).await.pair().access;
    let response = end(&app, &stale, &format!("?id={}", id(&lost))).await;
    assert_eq!(
        (response.status, response.json()),
        (StatusCode::OK, json!({ "message": "Device logged out" }))
    );
    for response in [app.me(&lost.access).await, app.refresh(&lost.refresh).await] {
        assert_over(&response, "ended_elsewhere");
    }
    assert_over(
        &app.get("/api/me").bearer(&lost.access).to(&elsewhere).send().await,
        "ended_elsewhere",
    );
    assert_eq!(app.me(&other.access).await.status, StatusCode::OK);
    assert_eq!(list(&app, &stale).await.len(), 2);
    end(&app, &stale, &format!("?id={}", id(&lost))).await.assert_failure(404, "not_found");

    let app = app.restart().await;
    assert_over(&app.me(&lost.access).await, "ended_elsewhere");
    let response = end(&app, &stale, "").await;
    assert_eq!(response.json(), json!({ "message": "All other devices logged out" }));
    assert_over(&app.me(&other.access).await, "ended_elsewhere");
    assert_eq!(list(&app, &stale).await.len(), 1);
    assert_eq!(end(&app, &stale, "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn session_end_of_the_current_session_logs_it_out() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let other = app.login("alice").await;
    assert_eq!(end(&app, &pair.access, &format!("?id={}", id(&pair))).await.status, StatusCode::OK);
    assert_over(&app.me(&pair.access).await, "logged_out");
    assert_over(&app.refresh(&pair.refresh).await, "logged_out");
    assert_eq!(app.me(&other.access).await.status, StatusCode::OK);
}

#[tokio::test]
async fn invariant_41_session_end_of_another_user_is_not_found() {
    let app = App::start().await;
    let (alice, bertha) =
        (app.register_and_login("alice").await, app.register_and_login("bertha").await);
    let unknown = end(&app, &alice.access, "?id=01890a5d-ac96-774b-bcce-b302099a8057").await;
    unknown.assert_failure(404, "not_found");
    // An empty id is invalid and does not mean all sessions.
    let other = app.login("alice").await;
    for query in [
        format!("?id={}", id(&bertha)),
        "?id=".to_owned(),
        "?id=x".to_owned(),
        "?id=%00&x=1".to_owned(),
    ] {
        let response = end(&app, &alice.access, &query).await;
        assert_eq!(response.comparable(), unknown.comparable(), "{query}");
    }
    for query in [
        format!("?id={0}&id={0}", id(&bertha)),
        "?id[]=x".to_owned(),
        format!("?id={}", "x".repeat(3000)),
    ] {
        end(&app, &alice.access, &query).await.assert_failure(400, "bad_request");
    }
    for pair in [&alice, &bertha, &other] {
        assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
    }
    assert!(!list(&app, &alice.access).await.iter().any(|device| device["id"] == id(&bertha)));
}

#[tokio::test]
async fn session_list_with_refresh_token_is_refused() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    for call in [app.get(PATH), app.delete(PATH)] {
        call.send().await.assert_failure(401, "token_missing");
    }
    for call in [app.get(PATH), app.delete(PATH)] {
        call.bearer(&pair.refresh).send().await.assert_failure(401, "token_wrong_type");
    }
}

#[tokio::test]
async fn login_from_an_unknown_device_is_marked_and_audited() {
    let app = App::with(&[("AUDIT_DAYS", "1")]).await;
    app.register("alice").await;
    let body = json!({ "username": "alice", "password": PASSWORD });
    let first = app.post("/api/auth/login").json(&body).send().await;
    let cookie = first.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let is_new = async |app: &App, response: &Response| {
        list(app, &response.pair().access).await[0]["new_device"].clone()
    };
    assert_eq!(is_new(&app, &first).await, false, "the first of all");
    // After the retention of the audit log, and a restart.
    app.clock.advance(2 * 86_400);
    app.server.state.sessions.delete_expired().await.unwrap();
    let app = app.restart().await;
    let again = app.post("/api/auth/login").header("cookie", &cookie).json(&body).send().await;
    assert_eq!(is_new(&app, &again).await, false);
    app.clock.advance(5);
    let wrong = json!({ "username": "alice", "password": "wrong" });
    app.post("/api/auth/login")
        .json(&wrong)
        .send()
        .await
        .assert_failure(401, "invalid_credentials");
    let strange = app
        .post("/api/auth/login")
        .from("192.0.2.7")
        .header("user-agent", FIREFOX)
        .json(&body)
        .send()
        .await;
    assert_eq!(is_new(&app, &strange).await, true);
    let entries = app.server.store.audit_entries().await.unwrap();
    let comparable: Vec<_> = entries.iter().filter(|entry| entry.event == "new_device").collect();
    assert_eq!(comparable.len(), 1);
    assert_eq!(
        (comparable[0].address.as_deref(), comparable[0].user_agent.as_deref()),
        (Some("192.0.2.7"), Some(FIREFOX))
    );
    assert_eq!(comparable[0].session.unwrap().to_string(), id(&strange.pair()));
}

#[tokio::test]
async fn invariant_42_session_ended_by_another_session_is_audited() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let others = [app.login("alice").await, app.login("alice").await, app.login("alice").await];
    end(&app, &pair.access, &format!("?id={}", id(&others[0]))).await;
    end(&app, &pair.access, "?id=x").await;
    end(&app, &pair.access, "").await;
    let entries = app.server.store.audit_entries().await.unwrap();
    let comparable: Vec<_> =
        entries.iter().filter(|entry| entry.event == "session_revoked").collect();
    let sessions: Vec<_> =
        comparable.iter().map(|entry| entry.session.unwrap().to_string()).collect();
    assert_eq!(sessions[0], id(&others[0]));
    assert_eq!(sessions.len(), 3);
    assert!(sessions.contains(&id(&others[1])) && sessions.contains(&id(&others[2])));
    assert!(comparable.iter().all(|entry| entry.detail.as_deref() == Some("ended_elsewhere") && entry.user.is_some()));
}
