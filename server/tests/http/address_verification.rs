//! Verification of addresses by mail, change of the address, and `GATEHOUSE_REQUIRE_VERIFIED_ADDRESS`.

use ::app::i18n::mail::{AlertKind, Mail};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use server::store::Event;

use crate::{
    app::{App, PASSWORD, Response, Tokens},
    recovery::{only_code, start},
};

async fn verify(app: &App, body: &Value, bearer: Option<&str>) -> Response {
    let request = app.post("/api/auth/verify-address").json(body);
    match bearer {
        Some(token) => request.bearer(token).send().await,
        None => request.send().await,
    }
}

async fn change(app: &App, token: &str, email: &Value) -> Response {
    let body = json!({ "email": email });
    app.call(Method::PATCH, "/api/me").bearer(token).json(&body).send().await
}

async fn log_in(app: &App, username: &str) -> Response {
    let body = json!({ "username": username, "password": PASSWORD });
    app.post("/api/auth/login").json(&body).send().await
}

/// Returns address, whether it is verified, and the pending address of a profile.
async fn address(app: &App, pair: &Tokens) -> (Value, Value, Value) {
    let me = app.me(&pair.access).await.json();
    (me["email"].clone(), me["email_verified"].clone(), me["pending_email"].clone())
}

async fn verified(app: &App, username: &str, email: &str) -> Tokens {
    let pair = app.register_and_login(username).await;
    app.take_mails().await;
    assert_eq!(
        app.call(Method::PATCH, "/api/me")
            .bearer(&pair.access)
            .json(&json!({ "email": email }))
            .send()
            .await
            .status,
        StatusCode::ACCEPTED
    );
    let (_, token, _) = only_code(app).await;
    let response = verify(app, &json!({ "token": token }), None).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    pair
}

#[tokio::test]
async fn registration_with_an_address_sends_a_verification_that_works_once() {
    let app = start(&[]).await;
    assert_eq!(app.register("handle").await.status, StatusCode::CREATED);
    assert!(app.take_mails().await.is_empty());
    let pair = app.register_and_login("Ada@MÜNCHEN.example").await;
    let (recipient, token, digits) = only_code(&app).await;
    assert_eq!(recipient, "Ada@münchen.example");
    let shown = json!("Ada@münchen.example");
    assert_eq!(address(&app, &pair).await, (json!(null), json!(false), shown.clone()));
    let response = verify(&app, &json!({ "token": token }), None).await;
    assert_eq!((response.status, &response.json()["email"]), (StatusCode::OK, &shown));
    assert_eq!(address(&app, &pair).await, (shown, json!(true), json!(null)));
    for body in [json!({ "token": token }), json!({ "code": digits })] {
        verify(&app, &body, Some(&pair.access)).await.assert_failure(400, "code_invalid");
    }
    assert_eq!(app.audited(Event::AddressVerified).await.len(), 1);
}

#[tokio::test]
async fn invariant_35_digits_of_a_verification_count_for_the_own_account_only() {
    let app = start(&[]).await;
    let pair = app.register_and_login("ada@example.com").await;
    let (_, _, digits) = only_code(&app).await;
    let other = app.register_and_login("bob").await;
    let body = json!({ "code": digits });
    verify(&app, &body, None).await.assert_failure(401, "token_missing");
    verify(&app, &body, Some("x.y.z")).await.assert_failure(401, "token_malformed");
    verify(&app, &body, Some(&other.access)).await.assert_failure(400, "code_invalid");
    let wrong = if digits == "00000000" { "00000001" } else { "00000000" };
    for code in ["1234", "", wrong] {
        let refused = verify(&app, &json!({ "code": code }), Some(&pair.access)).await;
        refused.assert_failure(400, "code_invalid");
    }
    assert_eq!(verify(&app, &body, Some(&pair.access)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn verification_after_a_day_or_for_a_taken_address_is_refused() {
    let app = start(&[]).await;
    app.register("ada@example.com").await;
    let (_, token, _) = only_code(&app).await;
    app.clock.advance(24 * 3600);
    verify(&app, &json!({ "token": token }), None).await.assert_failure(400, "code_invalid");
    // Two accounts claim an address; the one that verifies first has it.
    let (alice, bob) = (app.register_and_login("alice").await, app.register_and_login("bob").await);
    let mut tokens = Vec::new();
    for pair in [&alice, &bob] {
        let response = change(&app, &pair.access, &json!("shared@example.com")).await;
        assert_eq!(response.status, StatusCode::ACCEPTED);
        tokens.push(only_code(&app).await.1);
    }
    assert_eq!(verify(&app, &json!({ "token": tokens[1] }), None).await.status, StatusCode::OK);
    // The other learns of it by a message to that address only.
    let expected = (json!(null), json!(false), json!("shared@example.com"));
    assert_eq!(address(&app, &alice).await, expected);
    let late = verify(&app, &json!({ "token": tokens[0] }), None).await;
    late.assert_failure(409, "address_taken");
    let again = change(&app, &alice.access, &json!("shared@example.com")).await;
    assert_eq!(again.status, StatusCode::ACCEPTED);
    assert_eq!(log_in(&app, "shared@example.com").await.json()["user"]["username"], "bob");
}

#[tokio::test]
async fn verification_by_a_command_ends_the_codes_that_were_sent_to_other_addresses() {
    let app = start(&[]).await;
    let pair = verified(&app, "alice", "old@example.com").await;
    assert_eq!(
        change(&app, &pair.access, &json!("other@example.com")).await.status,
        StatusCode::ACCEPTED
    );
    let (_, token, _) = only_code(&app).await;
    app.verify("alice", "new@example.com").await;
    verify(&app, &json!({ "token": token }), None).await.assert_failure(400, "code_invalid");
    assert_eq!(address(&app, &pair).await, (json!("new@example.com"), json!(true), json!(null)));
}

#[tokio::test]
async fn change_of_the_address_changes_nothing_before_the_new_one_is_verified() {
    let app = start(&[]).await;
    let pair = verified(&app, "alice", "old@example.com").await;
    let before = (json!("old@example.com"), json!(true), json!(null));
    assert_eq!(address(&app, &pair).await, before);
    let response = change(&app, &pair.access, &json!("new@example.com")).await;
    assert_eq!(response.status, StatusCode::ACCEPTED, "{}", response.text());
    let body = response.json();
    assert_eq!(
        (&body["email"], &body["pending_email"]),
        (&json!("old@example.com"), &json!("new@example.com"))
    );
    let (recipient, token, digits) = only_code(&app).await;
    assert_eq!(recipient, "new@example.com");
    log_in(&app, "new@example.com").await.assert_failure(401, "invalid_credentials");
    assert_eq!(log_in(&app, "old@example.com").await.status, StatusCode::OK);
    let response = verify(&app, &json!({ "code": digits }), Some(&pair.access)).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    assert_eq!(address(&app, &pair).await, (json!("new@example.com"), json!(true), json!(null)));
    log_in(&app, "old@example.com").await.assert_failure(401, "invalid_credentials");
    assert_eq!(log_in(&app, "new@example.com").await.status, StatusCode::OK);
    verify(&app, &json!({ "token": token }), None).await.assert_failure(400, "code_invalid");
    // The former address is told, with a way back.
    let mails = app.take_mails().await;
    let to_former = mails.iter().filter(|mail| mail.recipient == "old@example.com");
    let undo = to_former.filter_map(|mail| match &mail.mail {
        Some(Mail::Alert(alert)) if alert.kind == AlertKind::AddressChanged => Some(&alert.undo),
        _ => None,
    });
    let has_undo: Vec<_> = undo.map(Option::is_some).collect();
    assert_eq!(has_undo, [true], "{mails:?}");
}

#[tokio::test]
async fn change_of_the_address_requires_a_fresh_token_and_ends_after_an_hour() {
    let app = start(&[]).await;
    let pair = verified(&app, "alice", "old@example.com").await;
    let stale = app.refresh(&pair.refresh).await.pair();
    for email in [json!("new@example.com"), json!(null)] {
        change(&app, &stale.access, &email).await.assert_failure(401, "fresh_required");
    }
    assert!(app.take_mails().await.is_empty());
    let pair = log_in(&app, "alice").await.pair();
    assert_eq!(
        change(&app, &pair.access, &json!("new@example.com")).await.status,
        StatusCode::ACCEPTED
    );
    let (_, token, _) = only_code(&app).await;
    app.clock.advance(3600);
    verify(&app, &json!({ "token": token }), None).await.assert_failure(400, "code_invalid");
    let pair = log_in(&app, "alice").await.pair();
    let waiting = (json!("old@example.com"), json!(true), json!("new@example.com"));
    assert_eq!(address(&app, &pair).await, waiting);
    // The own address again takes the change back; so does its spelling.
    let response = change(&app, &pair.access, &json!("OLD@example.com")).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    assert_eq!(address(&app, &pair).await, (json!("OLD@example.com"), json!(true), json!(null)));
}

#[tokio::test]
async fn removal_of_a_verified_address_tells_it_and_frees_it() {
    let app = start(&[]).await;
    let pair = verified(&app, "alice", "old@example.com").await;
    assert_eq!(change(&app, &pair.access, &json!(null)).await.status, StatusCode::OK);
    assert_eq!(address(&app, &pair).await, (json!(null), json!(false), json!(null)));
    let mails = app.take_mails().await;
    let [notice] = &mails[..] else { panic!("{mails:?}") };
    let Some(Mail::Alert(alert)) = &notice.mail else { panic!("{notice:?}") };
    assert_eq!((&*notice.recipient, alert.kind), ("old@example.com", AlertKind::AddressRemoved));
    log_in(&app, "old@example.com").await.assert_failure(401, "invalid_credentials");
    verified(&app, "bob", "OLD@example.com").await;
}

#[tokio::test]
async fn address_tricks_are_refused_or_the_same_address() {
    let app = start(&[("MAILS_PER_ACCOUNT", "100")]).await;
    let pair = verified(&app, "alice", "ada@example.com").await;
    let long = format!("{}@example.com", "a".repeat(243));
    for email in [
        "a\r\nBcc: eve@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "\"ada\"@example.com",
        "ada@[192.0.2.1]",
        "ada@example.com\u{0}",
        "ada@ex ample.com",
        "ada",
        &long,
    ] {
        let response = change(&app, &pair.access, &json!(email)).await;
        response.assert_failure(400, "validation_failed");
        assert!(response.json()["fields"]["email"].is_string(), "{email:?}");
    }
    // The same address in other spellings: nothing to verify.
    for email in [" ADA@EXAMPLE.COM ", "ａｄａ@example。com", "ada@example.com\r\n"] {
        let response = change(&app, &pair.access, &json!(email)).await;
        assert_eq!(response.status, StatusCode::OK, "{email:?}: {}", response.text());
    }
    assert!(app.take_mails().await.is_empty());
    // Other addresses, among them one of 254 characters.
    let longest = format!("{}@example.com", "a".repeat(242));
    for email in ["ada+x@example.com", "a.da@example.com", &longest] {
        let response = change(&app, &pair.access, &json!(email)).await;
        assert_eq!(response.status, StatusCode::ACCEPTED, "{email:?}");
        assert_eq!(only_code(&app).await.0, email);
    }
    // Both forms of an international domain are one address.
    let other = verified(&app, "bob", "bob@münchen.example").await;
    let response = change(&app, &other.access, &json!("bob@xn--mnchen-3ya.example")).await;
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(log_in(&app, "BOB@MÜNCHEN.example").await.status, StatusCode::OK);
}

#[tokio::test]
async fn verification_sent_again_is_limited_and_leaves_the_last_three_codes_valid() {
    let app = start(&[]).await;
    let pair = app.register_and_login("ada@example.com").await;
    let mut tokens = vec![only_code(&app).await.1];
    let send = async || app.post("/api/me/addresses/verify").bearer(&pair.access).send().await;
    for _ in 0..5 {
        // Codes of one millisecond have no order.
        app.clock.advance(1);
        assert_eq!(send().await.status, StatusCode::ACCEPTED);
        tokens.push(only_code(&app).await.1);
    }
    send().await.assert_failure(429, "too_many_attempts");
    verify(&app, &json!({ "token": tokens[2] }), None).await.assert_failure(400, "code_invalid");
    assert_eq!(verify(&app, &json!({ "token": tokens[3] }), None).await.status, StatusCode::OK);
    verify(&app, &json!({ "token": tokens[5] }), None).await.assert_failure(400, "code_invalid");
    app.clock.advance(3600);
    let pair = log_in(&app, "ada@example.com").await.pair();
    let again = app.post("/api/me/addresses/verify").bearer(&pair.access).send().await;
    again.assert_failure(404, "not_found");
}

#[tokio::test]
async fn login_without_a_verified_address_where_it_is_required_is_refused_after_the_right_password()
{
    let app = start(&[("REQUIRE_VERIFIED_ADDRESS", "on")]).await;
    // A registration needs an address.
    let refused = app.register("handle").await;
    refused.assert_failure(400, "validation_failed");
    assert!(refused.json()["fields"]["username"].is_string());
    assert_eq!(app.register("ada@example.com").await.status, StatusCode::CREATED);
    app.take_mails().await;
    let wrong = json!({ "username": "ada@example.com", "password": "wrong" });
    let answer = app.post("/api/auth/login").json(&wrong).send().await;
    answer.assert_failure(401, "invalid_credentials");
    log_in(&app, "ada@example.com").await.assert_failure(403, "address_unverified");
    assert_eq!(app.count("SELECT count(*) FROM sessions").await, 0);
    let sending = app.post("/api/auth/send-verification").json(&wrong).send().await;
    sending.assert_failure(401, "invalid_credentials");
    let unknown = json!({ "username": "unknown@example.com", "password": "wrong" });
    let none = app.post("/api/auth/send-verification").json(&unknown).send().await;
    assert_eq!(none.comparable(), sending.comparable());
    let right = json!({ "username": "ada@example.com", "password": PASSWORD });
    let sending = app.post("/api/auth/send-verification").json(&right).send().await;
    assert_eq!(sending.status, StatusCode::ACCEPTED, "{}", sending.text());
    let (_, token, _) = only_code(&app).await;
    assert_eq!(verify(&app, &json!({ "token": token }), None).await.status, StatusCode::OK);
    assert_eq!(log_in(&app, "ada@example.com").await.status, StatusCode::OK);
}

#[tokio::test]
async fn invariant_37_verification_by_mail_takes_the_username_of_another_account() {
    let app = start(&[]).await;
    let attacker = app.register_and_login("victim@example.com").await;
    let (_, old, _) = only_code(&app).await;
    let victim = verified(&app, "victim", "victim@example.com").await;
    app.me(&attacker.access).await.assert_failure(401, "token_revoked");
    app.refresh(&attacker.refresh).await.assert_failure(401, "token_revoked");
    let pair = log_in(&app, "victim@example.com").await.pair();
    let me = app.me(&pair.access).await.json();
    assert_eq!(me["id"], app.me(&victim.access).await.json()["id"]);
    // The mail that the attacker's registration has sent gives the address to neither.
    verify(&app, &json!({ "token": old }), None).await.assert_failure(409, "address_taken");
    let lost = app.audited(Event::AddressLost).await;
    assert_eq!(lost.len(), 1);
    assert_eq!((&lost[0].address, &lost[0].user_agent), (&None, &None));
}

#[tokio::test]
async fn administrator_sees_verifies_and_sends_the_verification_of_an_address() {
    let app = start(&[]).await;
    let admin = app.admin("root").await;
    let pair = app.register_and_login("ada@example.com").await;
    app.take_mails().await;
    let id = app.me(&pair.access).await.json()["id"].clone();
    let details = async || {
        let path = format!("/api/users/account?id={}", id.as_str().unwrap());
        let body = app.get(&path).bearer(&admin.access).send().await.json();
        (body["email_verified"].clone(), body["pending_email"].clone())
    };
    assert_eq!(details().await, (json!(false), json!("ada@example.com")));
    let call = async |path: &str, token: &str, id: &Value| {
        app.post(path).bearer(token).json(&json!({ "id": id })).send().await
    };
    let (verify, send) = ("/api/users/verify-address", "/api/users/send-verification");
    for path in [verify, send] {
        call(path, &pair.access, &id).await.assert_failure(403, "forbidden");
        call(path, &admin.access, &json!("x")).await.assert_failure(404, "not_found");
        call(path, &admin.access, &json!(null)).await.assert_failure(400, "validation_failed");
    }
    assert_eq!(call(send, &admin.access, &id).await.status, StatusCode::ACCEPTED);
    assert_eq!(only_code(&app).await.0, "ada@example.com");
    let stale = app.refresh(&admin.refresh).await.pair();
    call(verify, &stale.access, &id).await.assert_failure(401, "fresh_required");
    assert_eq!(call(verify, &admin.access, &id).await.status, StatusCode::OK);
    assert_eq!(details().await, (json!(true), json!(null)));
    for path in [verify, send] {
        call(path, &admin.access, &id).await.assert_failure(404, "not_found");
    }
    let entry = app.audited(Event::AddressVerified).await.pop().unwrap();
    assert!(entry.detail.is_some_and(|detail| detail.starts_with("by ")));
}
