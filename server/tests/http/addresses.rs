//! Verified addresses: login with them, and what becomes of other accounts that claim them.

use axum::http::StatusCode;
use serde_json::json;
use server::{
    accounts::{addresses::verification, lookup},
    domain::email_address::EmailAddress,
    store::{AuditEntry, Event, VerificationOutcome},
};
use uuid::Uuid;

use crate::app::{App, PASSWORD, Response};

impl App {
    /// Verifies an address of an account as a command does.
    pub async fn verify(&self, username: &str, address: &str) -> VerificationOutcome {
        let store = &self.server.store;
        let user = lookup::find(store, username).await.unwrap().expect("an account");
        self.verify_as(user, address).await
    }

    async fn verify_as(&self, user: Uuid, address: &str) -> VerificationOutcome {
        let address = EmailAddress::parse(address).expect("an address");
        let verification = verification(&self.env(), user, address).unwrap();
        let entry = AuditEntry::of(
            Event::AddressVerified,
            self.env().now(),
            ::app::backend::ClientInfo::default(),
        );
        let outcome = self.server.store.verify_address(verification, entry).await.unwrap();
        self.server.state.sessions.invalidate_caches().await.unwrap();
        outcome
    }
}

async fn login(app: &App, username: &str) -> Response {
    app.post("/api/auth/login")
        .json(&json!({ "username": username, "password": PASSWORD }))
        .send()
        .await
}

fn username(response: &Response) -> String {
    response.json()["user"]["username"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn login_with_a_verified_address_in_any_spelling_finds_the_account() {
    let app = App::start().await;
    app.register("alice").await;
    login(&app, "ada@münchen.example").await.assert_failure(401, "invalid_credentials");
    app.verify("alice", "Ada@MÜNCHEN.example").await;
    for typed in [
        "ada@münchen.example",
        " ADA@xn--mnchen-3ya.EXAMPLE ",
        "ａｄａ＠münchen。example",
        "alice",
        "ALICE",
    ] {
        let response = login(&app, typed).await;
        assert_eq!(response.status, StatusCode::OK, "{typed}: {}", response.text());
        assert_eq!(username(&response), "alice");
    }
    // A plus tag makes another address.
    for typed in ["ada+x@münchen.example", "ada@munchen.example", "ada@münchen.example.", "ada"] {
        login(&app, typed).await.assert_failure(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn login_failures_by_username_and_by_address_share_one_limit() {
    let app = App::start().await;
    app.register("alice").await;
    app.verify("alice", "ada@example.com").await;
    for number in 0..10 {
        let typed = if number % 2 == 0 { "alice" } else { "ADA@example.com" };
        let wrong = json!({ "username": typed, "password": "wrong" });
        app.post("/api/auth/login")
            .json(&wrong)
            .send()
            .await
            .assert_failure(401, "invalid_credentials");
    }
    for typed in ["alice", "ada@example.com"] {
        login(&app, typed).await.assert_failure(429, "too_many_attempts");
    }
}

#[tokio::test]
async fn login_with_an_unverified_contact_address_is_refused() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let body = json!({ "email": "ada@example.com" });
    let saved = app.call(axum::http::Method::PATCH, "/api/me").bearer(&pair.access).json(&body);
    assert_eq!(saved.send().await.status, StatusCode::OK);
    login(&app, "ada@example.com").await.assert_failure(401, "invalid_credentials");
}

#[tokio::test]
async fn registration_of_the_verified_address_of_another_account_is_refused() {
    let app = App::start().await;
    app.register("alice").await;
    app.verify("alice", "ada@example.com").await;
    for typed in ["ada@example.com", "ADA@example.com", "ａｄａ@example.com"] {
        app.register(typed).await.assert_failure(409, "username_taken");
    }
    assert_eq!(app.register("ada+x@example.com").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn verification_of_an_address_that_another_account_has_verified_changes_nothing() {
    let app = App::start().await;
    app.register("alice").await;
    app.register("mallory").await;
    app.verify("alice", "ada@example.com").await;
    assert_eq!(app.verify("mallory", "ADA@example.com").await, VerificationOutcome::Taken);
    assert_eq!(username(&login(&app, "ada@example.com").await), "alice");
}

#[tokio::test]
async fn verification_of_another_address_replaces_the_first_one() {
    let app = App::start().await;
    app.register("alice").await;
    app.verify("alice", "ada@example.com").await;
    app.verify("alice", "ada@example.org").await;
    login(&app, "ada@example.com").await.assert_failure(401, "invalid_credentials");
    let pair = login(&app, "ada@example.org").await.pair();
    assert_eq!(app.me(&pair.access).await.json()["email"], "ada@example.org");
    // Another person may have it now.
    assert_eq!(app.register("ada@example.com").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn invariant_37_username_of_an_account_that_never_verified_it_goes_to_the_owner_of_the_address()
 {
    let app = App::start().await;
    let attacker = app.register_and_login("victim@example.com").await;
    let id = app.me(&attacker.access).await.json()["id"].clone();
    let claim = json!({ "email": "victim@example.com" });
    let claiming = app.call(axum::http::Method::PATCH, "/api/me").bearer(&attacker.access);
    assert_eq!(claiming.json(&claim).send().await.status, StatusCode::OK);
    assert_eq!(app.register("victim").await.status, StatusCode::CREATED);
    let outcome = app.verify("victim", "Victim@Example.com").await;
    let VerificationOutcome::Verified(verified) = outcome else { panic!("{outcome:?}") };
    assert_eq!(verified.access.former.map(|id| id.to_string()).as_deref(), id.as_str());
    assert_eq!(verified.access.ended.len(), 1);
    // The attacker's sessions have ended, and the address leads to the owner.
    app.me(&attacker.access).await.assert_failure(401, "token_revoked");
    app.refresh(&attacker.refresh).await.assert_failure(401, "token_revoked");
    assert_eq!(username(&login(&app, "victim@example.com").await), "victim");
    // The attacker's password is that of no account any more, under no name.
    let renamed = app.count("SELECT count(*) FROM users WHERE username LIKE 'user-%'").await;
    assert_eq!(renamed, 1);
    let name = lookup_name(&app, verified.access.former.unwrap()).await;
    login(&app, &name).await.assert_failure(401, "invalid_credentials");
    // Also once the owner gives the address up.
    app.verify("victim", "other@example.com").await;
    login(&app, "victim@example.com").await.assert_failure(401, "invalid_credentials");
}

async fn lookup_name(app: &App, id: Uuid) -> String {
    app.server.store.user(id).await.unwrap().unwrap().user.username
}

#[tokio::test]
async fn contact_address_changed_by_its_user_is_not_verified_any_more() {
    let app = App::start().await;
    app.register("alice").await;
    app.verify("alice", "ada@example.com").await;
    let pair = login(&app, "ada@example.com").await.pair();
    for (email, logs_in) in [("ADA@Example.com", true), ("new@example.com", false)] {
        let body = json!({ "email": email });
        let saving = app.call(axum::http::Method::PATCH, "/api/me").bearer(&pair.access);
        assert_eq!(saving.json(&body).send().await.status, StatusCode::OK);
        let status = login(&app, "ada@example.com").await.status;
        assert_eq!(status == StatusCode::OK, logs_in, "{email}: {status}");
    }
    login(&app, "new@example.com").await.assert_failure(401, "invalid_credentials");
}

#[tokio::test]
async fn account_deletion_frees_its_verified_address() {
    let app = App::start().await;
    app.register("alice").await;
    app.verify("alice", "ada@example.com").await;
    let pair = login(&app, "ada@example.com").await.pair();
    let body = json!({ "username": "alice" });
    let deleting = app.delete("/api/me").bearer(&pair.access).json(&body);
    assert_eq!(deleting.send().await.status, StatusCode::OK);
    assert_eq!(app.count("SELECT count(*) FROM addresses").await, 0);
    assert_eq!(app.register("ada@example.com").await.status, StatusCode::CREATED);
}
