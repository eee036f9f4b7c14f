//! Invitations: `/api/invitations`, and `GATEHOUSE_REGISTRATION=invite`.

use ::app::i18n::mail::Mail;
use axum::http::StatusCode;
use serde_json::{Value, json};
use server::store::{AccountChange, Event};

use crate::{
    app::{App, PASSWORD, Response, Tokens},
    recovery::start,
};

/// Starts in the mode `open` to make an administrator, and goes on in the mode `invite`.
async fn invite_only(has_mail: bool) -> (App, Tokens) {
    let app = if has_mail { start(&[]).await } else { App::start().await };
    app.register("root").await;
    let role = Some(::app::protocol::Role::Admin);
    app.change_in_another_process("root", AccountChange { role, ..AccountChange::default() }).await;
    let app = app.restart_with(&[("REGISTRATION", "invite")]).await;
    let admin = app.login("root").await;
    (app, admin)
}

async fn invite(app: &App, admin: &Tokens, body: &Value) -> Response {
    app.post("/api/invitations").bearer(&admin.access).json(body).send().await
}

async fn list(app: &App, admin: &Tokens) -> Vec<Value> {
    let response = app.get("/api/invitations").bearer(&admin.access).send().await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    response.json()["invitations"].as_array().unwrap().clone()
}

async fn register(app: &App, username: &str, invitation: &str) -> Response {
    let body = json!({ "username": username, "password": PASSWORD, "invitation": invitation });
    app.post("/api/auth/register").json(&body).send().await
}

fn token(link: &Value) -> String {
    link.as_str().unwrap().rsplit_once('#').expect("a fragment").1.to_owned()
}

#[tokio::test]
async fn invitation_without_mail_is_a_link_for_one_registration() {
    let (app, admin) = invite_only(false).await;
    let created = invite(&app, &admin, &json!({ "email": "ada@example.com" })).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    let body = created.json();
    assert_eq!(body["sent"], false);
    assert!(body["link"].as_str().unwrap().starts_with("/register#"), "{body}");
    let listed = list(&app, &admin).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["id"], &listed[0]["email"], &listed[0]["created_by"]),
        (&body["id"], &json!(null), &json!("root"))
    );
    assert!(!listed[0].to_string().contains(&token(&body["link"])));
    let token = token(&body["link"]);
    register(&app, "bob", "").await.assert_failure(403, "registration_closed");
    for wrong in ["x", &"A".repeat(43)] {
        register(&app, "bob", wrong).await.assert_failure(400, "code_invalid");
    }
    // A registration that fails does not use it up.
    register(&app, "ROOT", &token).await.assert_failure(409, "username_taken");
    register(&app, "b", &token).await.assert_failure(400, "validation_failed");
    assert_eq!(register(&app, "bob", &token).await.status, StatusCode::CREATED);
    register(&app, "eve", &token).await.assert_failure(400, "code_invalid");
    assert!(list(&app, &admin).await.is_empty());
    assert_eq!(app.count("SELECT count(*) FROM users").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_registrations_with_one_invitation_succeed_once() {
    let (app, admin) = invite_only(false).await;
    let token = token(&invite(&app, &admin, &json!({})).await.json()["link"]);
    let tasks: Vec<_> = (0..6)
        .map(|number| {
            let body = json!({
                "username": format!("user{number}"), "password": PASSWORD, "invitation": token,
            });
            tokio::spawn(app.post("/api/auth/register").json(&body).send())
        })
        .collect();
    let mut created = 0;
    for task in tasks {
        let response = task.await.unwrap();
        match response.status {
            StatusCode::CREATED => created += 1,
            _ => response.assert_failure(400, "code_invalid"),
        }
    }
    assert_eq!(created, 1);
    assert_eq!(app.count("SELECT count(*) FROM users").await, 2);
}

#[tokio::test]
async fn invitation_by_mail_verifies_its_address_for_the_new_account() {
    let (app, admin) = invite_only(true).await;
    invite(&app, &admin, &json!({ "email": "no address" }))
        .await
        .assert_failure(400, "validation_failed");
    let created = invite(&app, &admin, &json!({ "email": "Ada@Example.com" })).await.json();
    assert_eq!(created["sent"], true);
    assert!(created["link"].as_str().unwrap().starts_with("https://accounts.example/register#"));
    assert_eq!(list(&app, &admin).await[0]["email"], "Ada@Example.com");
    let mails = app.take_mails().await;
    let [mail] = &mails[..] else { panic!("{mails:?}") };
    let Some(Mail::Invitation { token: sent }) = &mail.mail else { panic!("{mail:?}") };
    assert_eq!((&*mail.recipient, &sent.0), ("Ada@Example.com", &token(&created["link"])));
    assert_eq!(register(&app, "ada", &sent.0).await.status, StatusCode::CREATED);
    assert!(app.take_mails().await.is_empty(), "there is nothing to verify");
    let pair = app.login("ada@example.com").await;
    let me = app.me(&pair.access).await.json();
    assert_eq!(
        (&me["username"], &me["email"], &me["email_verified"]),
        (&json!("ada"), &json!("Ada@Example.com"), &json!(true))
    );
}

#[tokio::test]
async fn invitation_after_seven_days_or_revoked_is_refused() {
    let (app, admin) = invite_only(false).await;
    let first = invite(&app, &admin, &json!({})).await.json();
    app.clock.advance(7 * 86_400 - 1);
    let admin = app.login("root").await;
    let second = invite(&app, &admin, &json!({ "email": "" })).await.json();
    assert_eq!(list(&app, &admin).await.len(), 2);
    app.clock.advance(1);
    register(&app, "ada", &token(&first["link"])).await.assert_failure(400, "code_invalid");
    let path = |body: &Value| format!("/api/invitations?id={}", body["id"].as_str().unwrap());
    let revoke = async |path: String| app.delete(&path).bearer(&admin.access).send().await;
    revoke(path(&first)).await.assert_failure(404, "not_found");
    assert_eq!(revoke(path(&second)).await.status, StatusCode::OK);
    revoke(path(&second)).await.assert_failure(404, "not_found");
    register(&app, "ada", &token(&second["link"])).await.assert_failure(400, "code_invalid");
    assert!(list(&app, &admin).await.is_empty());
    assert_eq!(app.audited(Event::InvitationCreated).await.len(), 2);
    assert_eq!(app.audited(Event::InvitationRevoked).await.len(), 1);
}

#[tokio::test]
async fn invitations_are_for_administrators_and_not_needed_where_registration_is_open() {
    let app = App::start().await;
    let user = app.register_and_login("alice").await;
    app.get("/api/invitations").bearer(&user.access).send().await.assert_failure(403, "forbidden");
    invite(&app, &user, &json!({})).await.assert_failure(403, "forbidden");
    let revoking = app.delete("/api/invitations?id=019b76da-a800-7000-8000-000000000000");
    revoking.bearer(&user.access).send().await.assert_failure(403, "forbidden");
    assert_eq!(register(&app, "bob", "any").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn invitation_is_used_up_also_where_registration_is_open() {
    let (app, admin) = invite_only(false).await;
    let app = app.restart_with(&[("REGISTRATION", "open")]).await;
    let token = token(&invite(&app, &admin, &json!({})).await.json()["link"]);
    assert_eq!(register(&app, "bob", &token).await.status, StatusCode::CREATED);
    assert_eq!(list(&app, &admin).await, Vec::<Value>::new());
    // Registration needs none: a link that is not valid is ignored.
    assert_eq!(register(&app, "carol", &token).await.status, StatusCode::CREATED);
}
