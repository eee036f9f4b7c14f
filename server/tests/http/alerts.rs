//! Alerts, and "It was not me".

use axum::http::{Method, StatusCode};
use serde_json::json;
use server::{accounts::lookup, store::VerificationOutcome};
use uuid::Uuid;

use crate::{
    app::{App, PASSWORD, Response, Tokens},
    smtp::{Received, SmtpServer},
};

const OTHER_PASSWORD: &str = "another horse battery";
const ADDRESS: &str = "ada@example.com";

async fn start(smtp: &SmtpServer) -> App {
    App::with(&[
        ("MAIL_URL", &smtp.url()),
        ("MAIL_FROM", "no-reply@accounts.example"),
        ("PUBLIC_URL", "https://accounts.example"),
    ])
    .await
}

async fn user(app: &App, username: &str) -> Uuid {
    lookup::find(&app.server.store, username).await.unwrap().unwrap()
}

/// Starts with an account `ada`, its session, and its verified address.
async fn start_with_ada() -> (SmtpServer, App, Tokens) {
    let smtp = SmtpServer::start();
    let app = start(&smtp).await;
    let tokens = app.register_and_login("ada").await;
    verify(&app, "ada", ADDRESS).await;
    (smtp, app, tokens)
}

/// Gives an account a verified address.
async fn verify(app: &App, username: &str, address: &str) {
    let outcome = app.verify(username, address).await;
    assert!(matches!(outcome, VerificationOutcome::Verified(_)), "{outcome:?}");
}

/// Sends what waits, and returns the messages to an address.
async fn messages_to(app: &App, smtp: &SmtpServer, address: &str) -> Vec<Received> {
    app.server.mail.as_ref().unwrap().deliver_due().await.unwrap();
    let received = smtp.received().into_iter();
    received.filter(|message| message.recipients == [address]).collect()
}

/// Subjects of messages, without the name of the site.
fn subjects(messages: &[Received]) -> Vec<String> {
    let subject = |message: &Received| message.header("Subject").unwrap();
    messages.iter().map(subject).map(|text| text.replace("Gatehouse: ", "")).collect()
}

/// Returns the token of a link, if there is one.
fn token(message: &Received, path: &str) -> Option<String> {
    // Quoted-printable: lines are folded.
    let text = message.data.replace("=\r\n", "");
    let (_, rest) = text.split_once(&format!("https://accounts.example/{path}#"))?;
    let is_part = |letter: &char| letter.is_ascii_alphanumeric() || "-_".contains(*letter);
    Some(rest.chars().take_while(is_part).collect())
}

async fn undo(app: &App, token: &str) -> Response {
    app.post("/api/auth/undo").json(&json!({ "token": token })).send().await
}

async fn log_in(app: &App, username: &str, password: &str) -> Response {
    let body = json!({ "username": username, "password": password });
    app.post("/api/auth/login").json(&body).send().await
}

async fn change_password(app: &App, access: &str, current: &str, new: &str) {
    let body = json!({ "current_password": current, "password": new });
    let changed = app.call(Method::POST, "/api/me/password").bearer(access).json(&body).send();
    assert_eq!(changed.await.status, StatusCode::OK);
}

#[tokio::test]
async fn login_from_a_new_device_sends_an_alert_to_the_verified_address() {
    let smtp = SmtpServer::start();
    let app = start(&smtp).await;
    app.register("ada").await;
    verify(&app, "ada", ADDRESS).await;
    app.login("ada").await;
    assert_eq!(messages_to(&app, &smtp, ADDRESS).await, [], "the first login");
    let body = json!({ "username": "ada", "password": PASSWORD });
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let login = app.post("/api/auth/login").header("user-agent", agent).from("192.0.2.7");
    assert_eq!(login.json(&body).send().await.status, StatusCode::OK);
    let messages = messages_to(&app, &smtp, ADDRESS).await;
    assert_eq!(subjects(&messages), ["Login from a new device"]);
    for fact in ["2027-01-15 08:00 UTC", "Firefox on Linux", "192.0.2.7", "ada"] {
        assert!(messages[0].data.contains(fact), "{fact}: {}", messages[0].data);
    }
    assert!(token(&messages[0], "undo").is_some());
}

#[tokio::test]
async fn login_from_a_new_device_without_that_alert_sends_none() {
    let (smtp, app, tokens) = start_with_ada().await;
    for (is_on, count) in [(false, 0), (true, 1)] {
        let body = json!({ "alert_new_device": is_on });
        let changed = app.call(Method::PATCH, "/api/me").bearer(&tokens.access).json(&body);
        assert_eq!(changed.send().await.status, StatusCode::OK);
        assert_eq!(app.me(&tokens.access).await.json()["alert_new_device"], is_on);
        app.login("ada").await;
        assert_eq!(messages_to(&app, &smtp, ADDRESS).await.len(), count);
    }
}

#[tokio::test]
async fn change_without_verified_address_or_without_mail_sends_no_alert() {
    let smtp = SmtpServer::start();
    let app = start(&smtp).await;
    let tokens = app.register_and_login("ada@example.com").await;
    app.login("ada@example.com").await;
    change_password(&app, &tokens.access, PASSWORD, OTHER_PASSWORD).await;
    let alerts = "SELECT count(*) FROM outbox WHERE kind NOT IN ('verify_address')";
    assert_eq!(app.count(alerts).await, 0, "a claim is told nothing");
    let app = App::start().await;
    let tokens = app.register_and_login("ada").await;
    verify(&app, "ada", ADDRESS).await;
    app.login("ada").await;
    change_password(&app, &tokens.access, PASSWORD, OTHER_PASSWORD).await;
    assert_eq!(app.count("SELECT count(*) FROM outbox").await, 0);
}

#[tokio::test]
async fn password_change_export_and_disabling_send_alerts_in_the_language_of_the_user() {
    let smtp = SmtpServer::start();
    let app = start(&smtp).await;
    let body = json!({ "username": "ada", "password": PASSWORD });
    let registering = app.post("/api/auth/register").header("accept-language", "zh");
    assert_eq!(registering.json(&body).send().await.status, StatusCode::CREATED);
    verify(&app, "ada", ADDRESS).await;
    let tokens = app.login("ada").await;
    change_password(&app, &tokens.access, PASSWORD, OTHER_PASSWORD).await;
    let export = app.get("/api/me/export").bearer(&tokens.access).send().await;
    assert_eq!(export.status, StatusCode::OK);
    app.disable("ada").await;
    let messages = messages_to(&app, &smtp, ADDRESS).await;
    assert_eq!(messages.len(), 3);
    for message in &messages {
        assert_eq!(message.header("Content-Language").as_deref(), Some("zh"));
    }
}

#[tokio::test]
async fn alert_of_a_disabled_account_names_neither_client_nor_undo() {
    let smtp = SmtpServer::start();
    let app = start(&smtp).await;
    app.register("ada").await;
    verify(&app, "ada", ADDRESS).await;
    let root = app.admin("root@example.com").await;
    let id = user(&app, "ada").await;
    let body = json!({ "id": id, "disabled": true });
    let disabling = app.call(Method::PATCH, "/api/users").bearer(&root.access).from("192.0.2.99");
    assert_eq!(disabling.json(&body).send().await.status, StatusCode::OK);
    let messages = messages_to(&app, &smtp, ADDRESS).await;
    assert_eq!(subjects(&messages), ["Your account was disabled"]);
    assert!(!messages[0].data.contains("192.0.2.99"));
    assert_eq!(token(&messages[0], "undo"), None);
}

#[tokio::test]
async fn invariant_54_undo_ends_all_sessions_and_the_password_and_sends_a_reset() {
    let (smtp, app, tokens) = start_with_ada().await;
    change_password(&app, &tokens.access, PASSWORD, OTHER_PASSWORD).await;
    let messages = messages_to(&app, &smtp, ADDRESS).await;
    assert_eq!(subjects(&messages), ["Your password was changed"]);
    let token_of_alert = token(&messages[0], "undo").unwrap();
    let undone = undo(&app, &token_of_alert).await;
    assert_eq!((undone.status, undone.json()["reset"].clone()), (StatusCode::OK, json!(true)));
    app.me(&tokens.access).await.assert_failure(401, "token_revoked");
    app.refresh(&tokens.refresh).await.assert_failure(401, "token_revoked");
    for password in [PASSWORD, OTHER_PASSWORD] {
        log_in(&app, "ada", password).await.assert_failure(401, "invalid_credentials");
    }
    let messages = messages_to(&app, &smtp, ADDRESS).await;
    assert_eq!(subjects(&messages[1..]), ["Reset your password"]);
    assert!(token(&messages[1], "reset").is_some());
    undo(&app, &token_of_alert).await.assert_failure(400, "code_invalid");
}

#[tokio::test]
async fn undo_with_an_invalid_or_expired_token_changes_nothing() {
    let (smtp, app, tokens) = start_with_ada().await;
    app.login("ada").await;
    let messages = messages_to(&app, &smtp, ADDRESS).await;
    let right = token(&messages[0], "undo").unwrap();
    for wrong in [String::new(), "x".to_owned(), "A".repeat(43), right.to_uppercase()] {
        undo(&app, &wrong).await.assert_failure(400, "code_invalid");
    }
    app.clock.advance(72 * 3600);
    undo(&app, &right).await.assert_failure(400, "code_invalid");
    assert_eq!(app.refresh(&tokens.refresh).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_54_undo_concurrently_succeeds_once() {
    let (smtp, app, _) = start_with_ada().await;
    app.login("ada").await;
    let messages = messages_to(&app, &smtp, ADDRESS).await;
    let token = token(&messages[0], "undo").unwrap();
    let attempts = (0..6).map(|_| undo(&app, &token));
    let outcomes = futures::future::join_all(attempts).await;
    let done = outcomes.iter().filter(|response| response.status == StatusCode::OK).count();
    assert_eq!(done, 1, "{outcomes:?}");
    let resets = messages_to(&app, &smtp, ADDRESS).await.len() - 1;
    assert_eq!(resets, 1);
}

#[tokio::test]
async fn invariant_54_undo_restores_the_address_of_the_alert_and_silences_later_ones() {
    let (smtp, app, tokens) = start_with_ada().await;
    // Another person has the password and changes it, and then the address.
    change_password(&app, &tokens.access, PASSWORD, OTHER_PASSWORD).await;
    app.clock.advance(60);
    verify(&app, "ada", "eve@example.com").await;
    app.clock.advance(60);
    assert_eq!(log_in(&app, "ada", OTHER_PASSWORD).await.status, StatusCode::OK);
    let eves = messages_to(&app, &smtp, "eve@example.com").await;
    let eves_token = token(eves.last().unwrap(), "undo").unwrap();
    let messages = messages_to(&app, &smtp, ADDRESS).await;
    let token = token(&messages[0], "undo").unwrap();
    assert_eq!(undo(&app, &token).await.status, StatusCode::OK);
    // The reset goes to the restored address alone.
    let resets = |messages: Vec<Received>| {
        subjects(&messages).iter().filter(|subject| *subject == "Reset your password").count()
    };
    assert_eq!(resets(messages_to(&app, &smtp, ADDRESS).await), 1);
    assert_eq!(resets(messages_to(&app, &smtp, "eve@example.com").await), 0);
    let verified = app.server.store.addresses(user(&app, "ada").await).await.unwrap().verified;
    assert_eq!(verified.unwrap().key(), "ada@example.com");
    undo(&app, &eves_token).await.assert_failure(400, "code_invalid");
}

#[tokio::test]
async fn invariant_54_undo_of_a_later_address_does_not_silence_earlier_alerts() {
    let (smtp, app, tokens) = start_with_ada().await;
    change_password(&app, &tokens.access, PASSWORD, OTHER_PASSWORD).await;
    app.clock.advance(60);
    verify(&app, "ada", "eve@example.com").await;
    assert_eq!(log_in(&app, "ada", OTHER_PASSWORD).await.status, StatusCode::OK);
    let eves = messages_to(&app, &smtp, "eve@example.com").await;
    assert_eq!(undo(&app, &token(&eves[0], "undo").unwrap()).await.status, StatusCode::OK);
    let messages = messages_to(&app, &smtp, ADDRESS).await;
    assert_eq!(undo(&app, &token(&messages[0], "undo").unwrap()).await.status, StatusCode::OK);
    let verified = app.server.store.addresses(user(&app, "ada").await).await.unwrap().verified;
    assert_eq!(verified.unwrap().key(), "ada@example.com");
}

#[tokio::test]
async fn invariant_53_link_is_that_of_the_settings_whatever_host_a_request_names() {
    let (smtp, app, tokens) = start_with_ada().await;
    let body = json!({ "current_password": PASSWORD, "password": OTHER_PASSWORD });
    let changing = app
        .post("/api/me/password")
        .bearer(&tokens.access)
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example");
    assert_eq!(changing.json(&body).send().await.status, StatusCode::OK);
    let messages = messages_to(&app, &smtp, ADDRESS).await;
    assert!(token(&messages[0], "undo").is_some());
    assert!(!messages[0].data.contains("evil.example"), "{}", messages[0].data);
}

#[tokio::test]
async fn many_logins_from_new_devices_send_ten_alerts_an_hour() {
    let (smtp, app, _) = start_with_ada().await;
    for _ in 0..12 {
        app.login("ada").await;
    }
    assert_eq!(messages_to(&app, &smtp, ADDRESS).await.len(), 10);
    app.clock.advance(3600);
    app.login("ada").await;
    assert_eq!(messages_to(&app, &smtp, ADDRESS).await.len(), 11);
}

#[tokio::test]
async fn account_deletion_deletes_its_messages_and_codes() {
    let smtp = SmtpServer::start();
    let app = start(&smtp).await;
    app.register("ada").await;
    verify(&app, "ada", ADDRESS).await;
    app.login("ada").await;
    let tokens = app.login("ada").await;
    let rows = ["SELECT count(*) FROM outbox", "SELECT count(*) FROM one_time_codes"];
    for table in rows {
        assert!(app.count(table).await > 0, "{table}");
    }
    let body = json!({ "username": "ada" });
    let deleting = app.delete("/api/me").bearer(&tokens.access).json(&body).send();
    assert_eq!(deleting.await.status, StatusCode::OK);
    for table in rows {
        assert_eq!(app.count(table).await, 0, "{table}");
    }
}
