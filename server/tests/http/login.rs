use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    app::{App, PASSWORD, Response, START, Tokens},
    forged_tokens::parts,
};

async fn login(app: &App, body: &Value) -> Response {
    app.post("/api/auth/login").json(body).send().await
}

#[tokio::test]
async fn login_response_has_the_documented_members() {
    let app = App::start().await;
    app.register("Alice").await;
    let response = login(&app, &json!({ "username": "alice", "password": PASSWORD })).await;
    assert_eq!(response.status, StatusCode::OK);
    let body = response.json();
    assert_eq!(
        response.members(),
        [
            "access_token",
            "expires_in",
            "message",
            "refresh_expires_in",
            "refresh_token",
            "token_type",
            "user"
        ]
    );
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 900);
    assert_eq!(body["refresh_expires_in"], 604_800);
    assert_eq!(body["user"]["username"], "Alice");
    assert_eq!(body["message"], "Logged in");
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let profile = app.me(&response.pair().access).await.json();
    assert_eq!(profile["login_time"], START);
    assert_eq!(profile["fresh"], true);
}

#[tokio::test]
async fn login_without_remember_issues_a_shorter_refresh_token() {
    let app = App::start().await;
    app.register("alice").await;
    for (remember, seconds) in
        [(json!(false), 43_200), (json!(true), 604_800), (json!(null), 604_800)]
    {
        let response = login(
            &app,
            &json!({ "username": "alice", "password": PASSWORD, "remember": remember }),
        )
        .await;
        assert_eq!(response.json()["refresh_expires_in"], seconds, "{remember}");
    }
    login(&app, &json!({ "username": "alice", "password": PASSWORD, "remember": "yes" }))
        .await
        .assert_failure(400, "bad_request");
}

#[tokio::test]
async fn invariant_31_login_with_wrong_password_or_unknown_account_gets_the_same_response() {
    let app = App::start().await;
    app.register("alice").await;
    let long_name = "x".repeat(20_000);
    let responses = [
        login(&app, &json!({ "username": "alice", "password": "wrong horse battery" })).await,
        login(&app, &json!({ "username": "nobody", "password": PASSWORD })).await,
        login(&app, &json!({ "username": "not a name!", "password": "x" })).await,
        login(&app, &json!({ "username": "alice\u{0}", "password": PASSWORD })).await,
        login(&app, &json!({ "username": long_name, "password": PASSWORD })).await,
        login(&app, &json!({ "username": "alice", "password": format!("{PASSWORD} ") })).await,
        login(&app, &json!({ "username": "alice", "password": "x".repeat(1024) })).await,
    ];
    for response in &responses {
        response.assert_failure(401, "invalid_credentials");
        assert_eq!(response.comparable(), responses[0].comparable());
        assert_eq!(response.bytes.len(), responses[0].bytes.len());
    }
}

#[tokio::test]
async fn login_with_missing_members_is_reported_by_field() {
    let app = App::start().await;
    for (body, fields) in [
        (json!({}), vec!["password", "username"]),
        (json!({ "username": null, "password": "" }), vec!["password", "username"]),
        (json!({ "username": " ", "password": "x" }), vec!["username"]),
        (json!({ "username": "alice" }), vec!["password"]),
        (json!({ "username": "alice", "password": "x".repeat(1025) }), vec!["password"]),
    ] {
        let response = login(&app, &body).await;
        response.assert_failure(400, "validation_failed");
        let comparable: Vec<_> =
            response.json()["fields"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(comparable, fields, "{body}");
    }
    for body in [json!({ "username": 5, "password": [] }), json!([]), json!("x")] {
        login(&app, &body).await.assert_failure(400, "bad_request");
    }
}

#[tokio::test]
async fn login_accepts_every_spelling_of_the_name_and_normal_form_of_the_password() {
    let app = App::start().await;
    let body = json!({ "username": "Zo\u{eb}@example.com".replace('\u{eb}', "e"), "password": "pa\u{df}wo\u{308}rter" });
    assert_eq!(app.post("/api/auth/register").json(&body).send().await.status, StatusCode::CREATED);
    for (username, password) in
        [("zoe@EXAMPLE.com", "pa\u{df}wo\u{308}rter"), (" Zoe@example.com ", "pa\u{df}w\u{f6}rter")]
    {
        let response = login(&app, &json!({ "username": username, "password": password })).await;
        assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    }
}

#[tokio::test]
async fn invariant_31_login_to_disabled_account_says_so_only_with_the_right_password() {
    let app = App::start().await;
    app.register("alice").await;
    app.disable("alice").await;
    login(&app, &json!({ "username": "alice", "password": "wrong" }))
        .await
        .assert_failure(401, "invalid_credentials");
    login(&app, &json!({ "username": "alice", "password": PASSWORD }))
        .await
        .assert_failure(403, "account_disabled");
}

#[tokio::test]
async fn invariant_29_login_with_hash_of_other_parameters_upgrades_it() {
    let app = App::start().await;
    let id = app.register("alice").await.json()["user"]["id"].as_str().unwrap().parse().unwrap();
    let cheap = server::accounts::hashing::Cost { memory: 64, passes: 1, lanes: 1 };
    let hasher =
        server::accounts::hashing::Hasher::new(cheap, 1, app.server.state.env.clone()).unwrap();
    let password = server::domain::password::Password::presented(PASSWORD.into());
    let old = hasher.hash(&password, server::accounts::hashing::Client::LOCAL).await.unwrap();
    let (_, made) = app.server.store.user_with_hash("alice").await.unwrap().unwrap();
    app.server.store.replace_hash(id, &made, &old).await.unwrap();

    login(&app, &json!({ "username": "alice", "password": "wrong" }))
        .await
        .assert_failure(401, "invalid_credentials");
    assert_eq!(app.server.store.user_with_hash("alice").await.unwrap().unwrap().1, old);
    app.login("alice").await;
    let (_, new) = app.server.store.user_with_hash("alice").await.unwrap().unwrap();
    assert!(new.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{new}");
    app.login("alice").await;
}

#[tokio::test]
async fn invariant_19_login_reuses_no_presented_identifier() {
    let app = App::start().await;
    let mallory = app.register_and_login("mallory").await;
    app.register("alice").await;
    let body = json!({ "username": "alice", "password": PASSWORD });
    let first = app.post("/api/auth/login").json(&body).send().await;
    let name = first.header("set-cookie").unwrap().split('=').next().unwrap().to_owned();
    let planted = format!("{name}=AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA");
    let response = app
        .post("/api/auth/login")
        .bearer(&mallory.access)
        .header("cookie", &planted)
        .json(&body)
        .send()
        .await;
    assert_eq!(response.status, StatusCode::OK);
    assert!(
        !response.header("set-cookie").unwrap().starts_with(&planted),
        "a device that we have not named"
    );
    let session = |pair: &Tokens| parts(&pair.access).1["sid"].clone();
    let sessions = [&mallory, &first.pair(), &response.pair()].map(session);
    assert!(sessions[0] != sessions[2] && sessions[1] != sessions[2], "{sessions:?}");
    assert_eq!(app.me(&response.pair().access).await.json()["username"], "alice");
    assert_eq!(app.me(&mallory.access).await.json()["username"], "mallory");
}

#[tokio::test]
async fn login_beyond_a_hundred_sessions_ends_the_oldest() {
    let app = App::start().await;
    let first = app.register_and_login("alice").await;
    app.clock.advance(1);
    let second = app.login("alice").await;
    for _ in 0..98 {
        app.clock.advance(1);
        app.login("alice").await;
    }
    assert_eq!(app.me(&first.access).await.status, StatusCode::OK);
    let entries = || async {
        let entries = app.server.store.audit_entries().await.unwrap();
        entries.into_iter().filter(|entry| entry.event == "session_revoked").collect::<Vec<_>>()
    };
    assert_eq!(entries().await, []);
    app.clock.advance(1);
    app.login("alice").await;
    let comparable = entries().await;
    assert_eq!(comparable.len(), 1);
    assert_eq!(comparable[0].detail.as_deref(), Some("ended_elsewhere"));
    assert!(comparable[0].user.is_some() && comparable[0].session.is_some());
    let response = app.me(&first.access).await;
    response.assert_failure(401, "token_revoked");
    assert_eq!(response.json()["reason"], "ended_elsewhere");
    assert_eq!(app.me(&second.access).await.status, StatusCode::OK);
}
