//! Password reset by mail: `/api/auth/forgot` and `/api/auth/reset`.

use std::collections::BTreeSet;

use ::app::i18n::mail::{AlertKind, Mail};
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use server::store::{AuditFilter, Event, Outcome, QueuedMessage, StoredEntry};

use crate::app::{App, PASSWORD, Response, Tokens};

/// A password that is chosen with a reset.
pub const NEW_PASSWORD: &str = "staple of the horses";
const SITE: &str = "https://accounts.example";

/// Starts with mail.
pub async fn start(settings: &[(&str, &str)]) -> App {
    let mail = [
        ("MAIL_URL", "folder:mail"),
        ("MAIL_FROM", "no-reply@accounts.example"),
        ("PUBLIC_URL", SITE),
    ];
    App::with(&[&mail, settings].concat()).await
}

impl App {
    /// Takes the messages out of the outbox, oldest first.
    pub async fn take_mails(&self) -> Vec<QueuedMessage> {
        let (store, now) = (&self.server.store, self.env().now());
        let mut mails = store.claim_messages(now, now + 1, 1_000).await.unwrap();
        for mail in &mails {
            store.delete_message(mail.id).await.unwrap();
        }
        mails.sort_by_key(|mail| mail.id);
        mails
    }

    /// Returns the audit entries of an event, oldest first.
    pub async fn audited(&self, event: Event) -> Vec<StoredEntry> {
        let filter = AuditFilter { event: Some(event), ..AuditFilter::default() };
        self.server.store.audit_page(filter, 0, 1_000).await.unwrap()
    }

    /// Requests a reset, and waits for what the server does after the response.
    pub async fn forgot(&self, username: &str) -> Response {
        let before = self.audited(Event::ResetRequested).await.len();
        let body = json!({ "username": username });
        let response = self.post("/api/auth/forgot").json(&body).send().await;
        if response.status == StatusCode::ACCEPTED {
            self.wait_for(Event::ResetRequested, before + 1).await;
        }
        response
    }

    /// Waits until an event has been audited as many times.
    pub async fn wait_for(&self, event: Event, times: usize) {
        while self.audited(event).await.len() < times {
            tokio::task::yield_now().await;
        }
    }

    pub async fn reset(&self, body: &Value, cookie: Option<&str>) -> Response {
        let request = self.post("/api/auth/reset").json(body);
        match cookie {
            Some(cookie) => request.header("cookie", cookie).send().await,
            None => request.send().await,
        }
    }
}

/// Returns token and digits of a mail; [`None`] of one without digits.
fn code_of(mail: &QueuedMessage) -> Option<(String, String)> {
    match mail.mail.as_ref().expect("a known mail") {
        Mail::ResetPassword { code, .. }
        | Mail::VerifyAddress(code)
        | Mail::ChangeAddress(code) => Some((code.token.0.clone(), code.digits.0.clone())),
        _ => None,
    }
}

fn code(mail: &QueuedMessage) -> (String, String) {
    code_of(mail).unwrap_or_else(|| panic!("{mail:?}"))
}

/// Takes the mails, of which one has a code, and returns its recipient, token and digits.
pub async fn only_code(app: &App) -> (String, String, String) {
    let mails = app.take_mails().await;
    let mut codes =
        mails.iter().filter_map(|mail| code_of(mail).map(|code| (mail.recipient.clone(), code)));
    match (codes.next(), codes.next()) {
        (Some((recipient, (token, digits))), None) => (recipient, token, digits),
        _ => panic!("{mails:?}"),
    }
}

/// Returns the cookie of a response, as a browser sends it back.
fn cookie(response: &Response) -> String {
    let line = response.headers.get(header::SET_COOKIE).expect("a cookie").to_str().unwrap();
    line.split(';').next().unwrap().to_owned()
}

async fn log_in(app: &App, username: &str, password: &str) -> Response {
    let body = json!({ "username": username, "password": password });
    app.post("/api/auth/login").json(&body).send().await
}

async fn registered(app: &App, username: &str) -> Tokens {
    let pair = app.register_and_login(username).await;
    app.take_mails().await;
    pair
}

fn by_token(token: &str) -> Value {
    json!({ "token": token, "password": NEW_PASSWORD })
}

#[tokio::test]
async fn shutdown_waits_for_work_that_continues_after_its_response() {
    let app = start(&[("MAILS_PER_ACCOUNT", "1"), ("MAILS_SECONDS", "600")]).await;
    let body = json!({ "username": "ada" });
    for _ in 0..2 {
        let response = app.post("/api/auth/forgot").json(&body).send().await;
        assert_eq!(response.status, StatusCode::ACCEPTED);
    }
    app.server.tasks.finish().await;
    // The second request exceeds the limit: its audit entry is written in the background as well.
    let outcomes: BTreeSet<_> =
        app.audited(Event::ResetRequested).await.into_iter().map(|entry| entry.outcome).collect();
    assert_eq!(outcomes, BTreeSet::from(["unknown_account".to_owned(), "throttled".to_owned()]));
}

#[tokio::test]
async fn invariant_36_reset_sets_the_password_ends_all_sessions_and_begins_none() {
    let app = start(&[]).await;
    let pair = registered(&app, "ada@example.com").await;
    assert_eq!(app.me(&pair.access).await.json()["email_verified"], false);
    for _ in 0..10 {
        log_in(&app, "ada@example.com", "wrong").await.assert_failure(401, "invalid_credentials");
    }
    log_in(&app, "ada@example.com", PASSWORD).await.assert_failure(429, "too_many_attempts");
    assert_eq!(app.forgot("ADA@example.com").await.status, StatusCode::ACCEPTED);
    let (recipient, token, _) = only_code(&app).await;
    assert_eq!(recipient, "ada@example.com");
    let response = app.reset(&by_token(&token), None).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    assert_eq!(response.members(), ["message"]);
    assert!(!response.headers.contains_key(header::SET_COOKIE));
    let refused = app.me(&pair.access).await;
    refused.assert_failure(401, "token_revoked");
    assert_eq!(refused.json()["reason"], "password_changed");
    app.refresh(&pair.refresh).await.assert_failure(401, "token_revoked");
    // The failures of others are forgiven; the former password does not log in.
    log_in(&app, "ada@example.com", PASSWORD).await.assert_failure(401, "invalid_credentials");
    let pair = log_in(&app, "ada@example.com", NEW_PASSWORD).await.pair();
    let me = app.me(&pair.access).await.json();
    assert_eq!((&me["email"], &me["email_verified"]), (&json!("ada@example.com"), &json!(true)));
    // The address is told.
    let mails = app.take_mails().await;
    let is_notice = |mail: &&QueuedMessage| matches!(&mail.mail, Some(Mail::Alert(alert)) if alert.kind == AlertKind::PasswordChanged);
    let told: Vec<_> = mails.iter().filter(is_notice).map(|mail| &*mail.recipient).collect();
    assert_eq!(told, ["ada@example.com"]);
    let events = app.audited(Event::PasswordReset).await;
    assert_eq!(events.len(), 1);
    assert!(events[0].user.is_some());
}

#[tokio::test]
async fn invariant_35_reset_code_works_once_and_not_after_its_time() {
    let app = start(&[]).await;
    registered(&app, "ada@example.com").await;
    app.forgot("ada@example.com").await;
    let (_, first, _) = only_code(&app).await;
    app.forgot("ada@example.com").await;
    let (_, second, _) = only_code(&app).await;
    assert_eq!(app.reset(&by_token(&second), None).await.status, StatusCode::OK);
    // Success ends the others too.
    for token in [&second, &first] {
        app.reset(&by_token(token), None).await.assert_failure(400, "code_invalid");
    }
    app.forgot("ada@example.com").await;
    app.take_mails().await;
    app.clock.advance(29 * 60);
    app.forgot("ada@example.com").await;
    let (_, token, _) = only_code(&app).await;
    app.clock.advance(30 * 60);
    app.reset(&by_token(&token), None).await.assert_failure(400, "code_invalid");
    for other in ["", "x", &"A".repeat(43)] {
        app.reset(&by_token(other), None).await.assert_failure(400, "code_invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_35_parallel_uses_of_a_reset_code_succeed_once() {
    let app = start(&[]).await;
    registered(&app, "ada@example.com").await;
    for round in 0..3 {
        let asked = app.forgot("ada@example.com").await;
        let (_, token, digits) = only_code(&app).await;
        let by_digits =
            json!({ "code": digits, "username": "ada@example.com", "password": NEW_PASSWORD });
        let cookie = cookie(&asked);
        let uses = (0..6).map(|number| {
            let body = if number % 2 == 0 { by_token(&token) } else { by_digits.clone() };
            let request = app.post("/api/auth/reset").json(&body).header("cookie", &cookie);
            tokio::spawn(request.send())
        });
        let mut succeeded = 0;
        for response in futures::future::join_all(uses).await {
            let response = response.unwrap();
            match response.status {
                StatusCode::OK => succeeded += 1,
                _ => response.assert_failure(400, "code_invalid"),
            }
        }
        assert_eq!(succeeded, 1, "round {round}");
        app.take_mails().await;
    }
}

#[tokio::test]
async fn invariant_35_reset_digits_count_in_the_browser_that_asked_and_five_times() {
    let app = start(&[]).await;
    registered(&app, "ada@example.com").await;
    let asked = app.forgot("ada@example.com").await;
    let (_, _, digits) = only_code(&app).await;
    let body = |digits: &str| json!({ "code": digits, "username": "ada@example.com", "password": NEW_PASSWORD });
    let own = cookie(&asked);
    let other = cookie(&app.forgot("bob").await);
    for cookie in [None, Some(&*other), Some("code_request=x")] {
        app.reset(&body(&digits), cookie).await.assert_failure(400, "code_invalid");
    }
    let wrong = if digits == "00000000" { "00000001" } else { "00000000" };
    for _ in 0..4 {
        app.reset(&body(wrong), Some(&own)).await.assert_failure(400, "code_invalid");
    }
    let spaced = format!(" {} {}", &digits[..4], &digits[4..]);
    let response = app.reset(&body(&spaced), Some(&own)).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    let again = app.forgot("ada@example.com").await;
    let (_, _, digits) = only_code(&app).await;
    let own = cookie(&again);
    for _ in 0..5 {
        app.reset(&body(wrong), Some(&own)).await.assert_failure(400, "code_invalid");
    }
    app.reset(&body(&digits), Some(&own)).await.assert_failure(400, "code_invalid");
}

#[tokio::test]
async fn invariant_36_reset_requests_get_the_same_response_with_and_without_an_account() {
    let app = start(&[]).await;
    registered(&app, "ada@example.com").await;
    registered(&app, "handle").await;
    registered(&app, "disabled@example.com").await;
    app.disable("disabled@example.com").await;
    let comparable = |response: &Response| {
        let (status, body, mut headers) = response.comparable();
        for (name, value) in &mut headers {
            if name == "set-cookie" {
                let (cookie, attributes) = value.split_once(';').unwrap();
                *value = format!("{} {attributes}", cookie.len());
            }
        }
        (status, body, headers)
    };
    let expected = comparable(&app.forgot("ada@example.com").await);
    assert_eq!(expected.0, StatusCode::ACCEPTED);
    for other in [
        "unknown@example.com",
        "unknown",
        "handle",
        "disabled@example.com",
        "not a name",
        "a\u{0}b",
        "\"quoted\"@example.com",
    ] {
        assert_eq!(comparable(&app.forgot(other).await), expected, "{other}");
    }
    let mails = app.take_mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    let outcomes: Vec<_> =
        app.audited(Event::ResetRequested).await.into_iter().map(|entry| entry.outcome).collect();
    let unknown = Outcome::UnknownAccount.as_str();
    assert_eq!(
        outcomes,
        ["success", unknown, unknown, "address_unverified", "disabled", unknown, unknown, unknown]
    );
    for body in [json!({}), json!({ "username": " " })] {
        let response = app.post("/api/auth/forgot").json(&body).send().await;
        response.assert_failure(400, "validation_failed");
    }
    // Digits for an account and for none are refused alike.
    let body =
        |name: &str| json!({ "code": "12345678", "username": name, "password": NEW_PASSWORD });
    let known = app.reset(&body("ada@example.com"), None).await.comparable();
    assert_eq!(app.reset(&body("unknown@example.com"), None).await.comparable(), known);
    assert_eq!(known.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn reset_requests_beyond_the_limit_of_an_account_are_dropped_silently() {
    let app = start(&[("MAILS_PER_ACCOUNT", "3"), ("MAILS_SECONDS", "600")]).await;
    registered(&app, "ada@example.com").await;
    for name in ["ada@example.com", "unknown@example.com"] {
        let mut bodies = BTreeSet::new();
        for number in 0..8 {
            let body = json!({ "username": name });
            let response = app.post("/api/auth/forgot").json(&body).send().await;
            assert_eq!(response.status, StatusCode::ACCEPTED, "{number}");
            bodies.insert(response.text());
        }
        assert_eq!(bodies.len(), 1);
    }
    // Three each, and one entry about further ones.
    app.wait_for(Event::ResetRequested, 8).await;
    let events = app.audited(Event::ResetRequested).await;
    let throttled = events.iter().filter(|entry| entry.outcome == "throttled").count();
    assert_eq!((events.len(), throttled), (8, 2));
    assert_eq!(app.take_mails().await.len(), 3);
    app.clock.advance(200);
    app.forgot("ada@example.com").await;
    assert_eq!(app.take_mails().await.len(), 1);
}

#[tokio::test]
async fn reset_requests_beyond_the_limit_of_a_client_are_refused() {
    let app = start(&[("MAILS_PER_ADDRESS", "3")]).await;
    let ask = async |address: &str, name: &str| {
        let body = json!({ "username": name });
        app.post("/api/auth/forgot").from(address).json(&body).send().await
    };
    for number in 0..3 {
        let response = ask("192.0.2.7", &format!("user{number}")).await;
        assert_eq!(response.status, StatusCode::ACCEPTED);
    }
    ask("192.0.2.7", "user3").await.assert_failure(429, "too_many_attempts");
    assert_eq!(ask("198.51.100.7", "user3").await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn invariant_36_link_of_a_reset_names_the_configured_origin_whatever_the_host() {
    let app = start(&[]).await;
    registered(&app, "ada@example.com").await;
    let before = app.audited(Event::ResetRequested).await.len();
    let response = app
        .post("/api/auth/forgot")
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "http")
        .header("forwarded", "host=evil.example")
        .header("origin", "https://evil.example")
        .json(&json!({ "username": "ada@example.com" }))
        .send()
        .await;
    assert_eq!(response.status, StatusCode::ACCEPTED);
    app.wait_for(Event::ResetRequested, before + 1).await;
    let mails = app.take_mails().await;
    let (token, _) = code(&mails[0]);
    let site = app.config().mail.unwrap().site;
    let rendered = mails[0].mail.as_ref().unwrap().render(mails[0].lang, &site);
    for text in [&rendered.text, &rendered.html] {
        assert!(text.contains(&format!("{SITE}/reset#{token}")), "{text}");
        assert!(!text.contains("evil"), "{text}");
    }
    // Opening the link sends the path alone, and changes nothing: the fragment stays in the browser.
    for _ in 0..3 {
        app.get("/reset").send().await;
    }
    assert_eq!(app.reset(&by_token(&token), None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn invariant_37_reset_by_the_owner_of_an_address_ends_what_another_person_had_set_up() {
    let app = start(&[]).await;
    // The attacker registers the victim's address, stays logged in, and prepares another address.
    let attacker = registered(&app, "victim@example.com").await;
    let change = json!({ "email": "attacker@example.com" });
    let changing = app.call(Method::PATCH, "/api/me").bearer(&attacker.access).json(&change);
    assert_eq!(changing.send().await.status, StatusCode::ACCEPTED);
    let (_, prepared, _) = only_code(&app).await;
    app.forgot("victim@example.com").await;
    let (recipient, token, _) = only_code(&app).await;
    assert_eq!(recipient, "victim@example.com");
    assert_eq!(app.reset(&by_token(&token), None).await.status, StatusCode::OK);
    app.me(&attacker.access).await.assert_failure(401, "token_revoked");
    app.refresh(&attacker.refresh).await.assert_failure(401, "token_revoked");
    log_in(&app, "victim@example.com", PASSWORD).await.assert_failure(401, "invalid_credentials");
    let spent = app.post("/api/auth/verify-address").json(&json!({ "token": prepared }));
    spent.send().await.assert_failure(400, "code_invalid");
    let pair = log_in(&app, "victim@example.com", NEW_PASSWORD).await.pair();
    let me = app.me(&pair.access).await.json();
    assert_eq!(
        (&me["email"], &me["email_verified"], &me["pending_email"]),
        (&json!("victim@example.com"), &json!(true), &Value::Null)
    );
}

#[tokio::test]
async fn reset_goes_to_the_verified_address_and_never_to_an_unverified_contact_address() {
    // The contact address was entered while there was no mail.
    let app = App::start().await;
    let pair = app.register_and_login("handle").await;
    let body = json!({ "email": "typo@example.com" });
    let saving = app.call(Method::PATCH, "/api/me").bearer(&pair.access).json(&body);
    assert_eq!(saving.send().await.status, StatusCode::OK);
    let app = app
        .restart_with(&[
            ("MAIL_URL", "folder:mail"),
            ("MAIL_FROM", "no-reply@accounts.example"),
            ("PUBLIC_URL", SITE),
        ])
        .await;
    for name in ["handle", "typo@example.com"] {
        app.forgot(name).await;
    }
    assert!(app.take_mails().await.is_empty());
    app.verify("handle", "right@example.com").await;
    for name in ["handle", "RIGHT@example.com"] {
        app.forgot(name).await;
        assert_eq!(only_code(&app).await.0, "right@example.com", "{name}");
    }
    // Also if the username is another address.
    registered(&app, "name@example.com").await;
    app.verify("name@example.com", "mine@example.com").await;
    app.forgot("name@example.com").await;
    assert_eq!(only_code(&app).await.0, "mine@example.com");
}

#[tokio::test]
async fn invariant_34_reset_by_mail_works_while_logins_are_rate_limited() {
    let app = start(&[]).await;
    registered(&app, "ada@example.com").await;
    for _ in 0..10 {
        log_in(&app, "ada@example.com", "wrong").await.assert_failure(401, "invalid_credentials");
    }
    log_in(&app, "ada@example.com", PASSWORD).await.assert_failure(429, "too_many_attempts");
    app.forgot("ada@example.com").await;
    let (_, token, _) = only_code(&app).await;
    assert_eq!(app.reset(&by_token(&token), None).await.status, StatusCode::OK);
    assert_eq!(log_in(&app, "ada@example.com", NEW_PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn reset_with_an_invalid_password_is_refused_and_keeps_the_code() {
    let app = start(&[]).await;
    registered(&app, "ada@example.com").await;
    app.forgot("ada@example.com").await;
    let (_, token, _) = only_code(&app).await;
    for password in ["", "short", "ada@example.com", "password123"] {
        let response = app.reset(&json!({ "token": token, "password": password }), None).await;
        response.assert_failure(400, "validation_failed");
        assert!(response.json()["fields"]["password"].is_string(), "{password}");
    }
    let digits = json!({ "code": "12345678", "password": NEW_PASSWORD });
    let response = app.reset(&digits, None).await;
    response.assert_failure(400, "validation_failed");
    assert!(response.json()["fields"]["username"].is_string());
    assert_eq!(app.reset(&by_token(&token), None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn reset_code_of_an_account_that_was_disabled_or_lost_the_address_is_refused() {
    let app = start(&[]).await;
    registered(&app, "ada@example.com").await;
    app.forgot("ada@example.com").await;
    let (_, token, _) = only_code(&app).await;
    app.disable("ada@example.com").await;
    app.reset(&by_token(&token), None).await.assert_failure(400, "code_invalid");
    registered(&app, "bob@example.com").await;
    app.forgot("bob@example.com").await;
    let (_, token, _) = only_code(&app).await;
    registered(&app, "owner").await;
    app.verify("owner", "bob@example.com").await;
    app.reset(&by_token(&token), None).await.assert_failure(400, "code_invalid");
}

#[tokio::test]
async fn requests_for_mail_without_mail_are_not_found() {
    let app = App::start().await;
    let admin = app.admin("root@example.com").await;
    let id = app.me(&admin.access).await.json()["id"].clone();
    let name = json!({ "username": "root@example.com" });
    app.post("/api/auth/forgot").json(&name).send().await.assert_failure(404, "not_found");
    let attempt = json!({ "username": "root@example.com", "password": PASSWORD });
    let sending = app.post("/api/auth/send-verification").json(&attempt);
    sending.send().await.assert_failure(404, "not_found");
    let own = app.post("/api/me/addresses/verify").bearer(&admin.access);
    own.send().await.assert_failure(404, "not_found");
    let other = app.post("/api/users/send-verification").bearer(&admin.access);
    other.json(&json!({ "id": id })).send().await.assert_failure(404, "not_found");
}
