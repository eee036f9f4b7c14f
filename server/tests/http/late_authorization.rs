//! Requests whose bodies arrive after the caller has lost the right to make them (security
//! invariant 49), and changes whose callers lose it before they are written.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use ::app::{backend::ClientInfo, protocol::Role};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use server::store::{
    AccountChange, AccountChangeError, ActError, Actor, AuditContext, AuditEntry, Denied, Event,
    FileLimits, PasswordChange, StoredFile, UserChange,
};
use server::{
    domain::access::AuthRequirement,
    http::{Endpoint, Input, endpoints},
};
use uuid::Uuid;

use crate::{
    app::{App, PASSWORD, START, Tokens},
    forged_tokens::parts,
};
use server::domain::session::EndReason;

/// A request whose head was authenticated and whose body is incomplete.
struct Held {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Held {
    /// Sends the head and, once the server asks for the body, its first byte.
    fn begin(server: SocketAddr, operation: &Endpoint, token: &str, body: &str) -> Self {
        let mut stream = TcpStream::connect(server).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        let Endpoint { method, path, .. } = operation;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: gatehouse.test\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("sent");
        // The server asks for the body after the first authentication.
        let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut go_on).expect("an answer");
        assert!(
            go_on.starts_with(b"HTTP/1.1 100"),
            "{method} {path}: {}",
            String::from_utf8_lossy(&go_on)
        );
        let (first, rest) = body.as_bytes().split_at(1);
        stream.write_all(first).expect("sent");
        Self { stream, rest: rest.to_vec() }
    }

    /// Sends the rest of the body and reads the response.
    fn finish(mut self) -> (u16, Value) {
        self.stream.write_all(&self.rest).expect("sent");
        let mut response = String::new();
        self.stream.read_to_string(&mut response).expect("an answer");
        let status =
            response.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let (_, body) = response.split_once("\r\n\r\n").expect("a body");
        (status, serde_json::from_str(body).unwrap_or_else(|_| panic!("not JSON: {response}")))
    }
}

/// Ways to lose the right to make a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    None,
    LoggedOut,
    EndedElsewhere,
    PasswordChanged,
    Disabled,
    Deleted,
    Demoted,
    Expired,
}

impl Loss {
    const ALL: [Self; 8] = [
        Self::None,
        Self::LoggedOut,
        Self::EndedElsewhere,
        Self::PasswordChanged,
        Self::Disabled,
        Self::Deleted,
        Self::Demoted,
        Self::Expired,
    ];

    async fn happen(self, app: &App, name: &str, pair: &Tokens) {
        let change = |change| app.change_in_another_process(name, change);
        match self {
            Self::None => {}
            Self::LoggedOut => assert_eq!(app.logout(&pair.access).await.status, StatusCode::OK),
            Self::EndedElsewhere => {
                let other = app.login(name).await;
                let response = app.delete("/api/me/sessions").bearer(&other.access).send().await;
                assert_eq!(response.status, StatusCode::OK);
            }
            Self::PasswordChanged => {
                let other = app.login(name).await;
                let body =
                    json!({ "current_password": PASSWORD, "password": "battery horse correct" });
                let response =
                    app.post("/api/me/password").bearer(&other.access).json(&body).send().await;
                assert_eq!(response.status, StatusCode::OK, "{}", response.text());
            }
            Self::Disabled => app.disable(name).await,
            Self::Deleted => {
                let other = app.login(name).await;
                let response = app
                    .delete("/api/me")
                    .bearer(&other.access)
                    .json(&json!({ "username": name }))
                    .send()
                    .await;
                assert_eq!(response.status, StatusCode::OK, "{}", response.text());
            }
            Self::Demoted => {
                change(AccountChange { role: Some(Role::User), ..AccountChange::default() }).await;
            }
            Self::Expired => app.clock.advance(900),
        }
    }

    /// The expected response.
    fn response(self) -> (u16, Value, Value) {
        let revoked = |reason: Value| (401, json!("token_revoked"), reason);
        match self {
            Self::None => unreachable!("nothing is lost"),
            Self::LoggedOut => revoked(json!("logged_out")),
            Self::EndedElsewhere => revoked(json!("ended_elsewhere")),
            Self::PasswordChanged => revoked(json!("password_changed")),
            Self::Disabled => revoked(json!("disabled")),
            Self::Deleted => revoked(Value::Null),
            Self::Demoted => (403, json!("forbidden"), Value::Null),
            Self::Expired => (401, json!("token_expired"), Value::Null),
        }
    }
}

async fn caller(app: &App, name: &str, is_admin: bool) -> Tokens {
    if is_admin { app.admin(name).await } else { app.register_and_login(name).await }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_49_body_arriving_after_access_was_revoked_is_refused_by_every_operation() {
    let app = App::start().await;
    let server = app.listen().await;
    app.admin("root").await;
    let with_body = endpoints().iter().filter(|operation| {
        matches!(operation.input, Input::Json | Input::Upload)
            && operation.auth != AuthRequirement::Public
    });
    let mut cases = 0;
    for operation in with_body {
        for loss in Loss::ALL {
            let is_admin = operation.auth.is_for_admins();
            if loss == Loss::Demoted && !is_admin {
                continue;
            }
            cases += 1;
            let name = format!("person{cases}");
            let pair = caller(&app, &name, is_admin).await;
            let takes_access = operation.auth.takes(::app::protocol::TokenType::Access);
            let token = if takes_access { &pair.access } else { &pair.refresh };
            let held = Held::begin(server, operation, token, "{ }");
            loss.happen(&app, &name, &pair).await;
            let (status, body) = held.finish();
            let context =
                format!("{} {} {loss:?}: {status} {body}", operation.method, operation.path);
            if loss == Loss::None {
                assert!(![401, 403].contains(&status), "{context}");
            } else {
                assert_eq!(
                    (status, body["code"].clone(), body["reason"].clone()),
                    loss.response(),
                    "{context}"
                );
            }
        }
    }
    assert!(cases >= 7 * 6, "{cases}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_49_held_request_of_a_disabled_administrator_restores_neither_account_nor_role() {
    let app = App::start().await;
    let server = app.listen().await;
    app.admin("root").await;
    let pair = app.admin("mallory").await;
    let id = parts(&pair.access).1["sub"].as_str().unwrap().to_owned();
    let operation = endpoints()
        .iter()
        .find(|of| of.path == "/api/users" && of.method == Method::PATCH)
        .unwrap();
    let body = json!({ "id": id, "disabled": false, "role": "admin" }).to_string();
    let held = Held::begin(server, operation, &pair.access, &body);
    let change = AccountChange { disabled: Some(true), role: Some(Role::User), end_sessions: true };
    app.change_in_another_process("mallory", change).await;
    assert_eq!(held.finish().0, 401);
    let account = app.server.store.user(id.parse().unwrap()).await.unwrap().unwrap();
    assert!(account.disabled_at.is_some() && account.user.role == Role::User);
}

/// Returns all data of an account that a change could affect.
async fn snapshot(app: &App, user: Uuid) -> String {
    let store = &app.server.store;
    let entries = store.audit_entries().await.unwrap();
    let account = store.user(user).await.unwrap();
    let (devices, files) =
        (store.all_sessions(user).await.unwrap(), store.files(user, None, 10).await.unwrap());
    format!("{account:?} {devices:?} {files:?} {entries:?}")
}

/// Tries every change of a session after access was lost, and asserts that each is denied for this
/// reason.
async fn assert_all_denied(app: &App, actor: Actor, expected: Denied) {
    let store = &app.server.store;
    let Actor { user, session, at, .. } = actor;
    let entry = || AuditEntry {
        user: Some(user),
        session: Some(session),
        ..AuditEntry::of(Event::ProfileChanged, at, ClientInfo::default())
    };
    let file = StoredFile {
        id: Uuid::from_u128(7),
        user,
        name: "x.png".to_owned(),
        media_type: "image/png".to_owned(),
        size: 1,
        stored_bytes: 1,
        width: 1,
        height: 1,
        created_at: at,
    };
    let rename = |mut account: server::store::StoredUser| {
        account.user.nickname = Some("renamed".to_owned());
        UserChange { user: Some(account), entry: None, verification: None, answer: () }
    };
    let password = PasswordChange {
        user,
        old_hash: None,
        new_hash: "x".to_owned(),
        kept: Some(session),
        cleared_subject: None,
    };
    let denials = [
        store.change_user(actor, rename).await.map(drop),
        store.change_password_as(actor, password, entry()).await.map(drop),
        store.set_avatar(actor, Some("/avatars/x-512.jpg".to_owned()), entry()).await.map(drop),
        store.insert_file(actor, file, FileLimits { files: 10, bytes: 1_000 }).await.map(drop),
        store.remove_file(actor, Uuid::from_u128(7)).await.map(drop),
        store.end_device(actor, session, entry()).await.map(drop),
        store.end_other_sessions(actor, entry()).await.map(drop),
        store.end_session(actor, EndReason::LoggedOut, entry()).await,
        store.clear_login_failures(actor, None, entry()).await,
        store.insert_audit_entry_as(actor, entry()).await,
        store.delete_user(actor, Vec::new(), entry()).await.map(drop),
    ];
    for (number, denial) in denials.into_iter().enumerate() {
        assert!(
            matches!(denial, Err(ActError::Denied(denied)) if denied == expected),
            "{number}: {denial:?}"
        );
    }
    let context = AuditContext { at, by: user.to_string(), client_info: ClientInfo::default() };
    let change = AccountChange { role: Some(Role::Admin), ..AccountChange::default() };
    let done = store.change_account_as(actor, user, change, context).await;
    assert!(
        matches!(done, Err(AccountChangeError::Denied(denied)) if denied == expected),
        "{done:?}"
    );
}

#[tokio::test]
async fn invariant_49_change_of_a_session_ended_before_commit_is_denied_in_its_transaction() {
    let app = App::start().await;
    app.admin("root").await;
    for (number, loss) in Loss::ALL.into_iter().enumerate() {
        let name = format!("person{number}");
        let pair = app.admin(&name).await;
        let claims = parts(&pair.access).1;
        let id = |claim: &str| claims[claim].as_str().unwrap().parse().unwrap();
        let actor =
            Actor { user: id("sub"), session: id("sid"), at: START, role: Some(Role::Admin) };
        loss.happen(&app, &name, &pair).await;
        let (at, expected) = match loss {
            Loss::None => {
                let entry = AuditEntry::of(Event::Exported, START, ClientInfo::default());
                app.server.store.insert_audit_entry_as(actor, entry).await.expect("allowed");
                continue;
            }
            Loss::LoggedOut => (START, Denied::SessionOver(Some(EndReason::LoggedOut))),
            Loss::EndedElsewhere => (START, Denied::SessionOver(Some(EndReason::EndedElsewhere))),
            Loss::PasswordChanged => (START, Denied::SessionOver(Some(EndReason::PasswordChanged))),
            Loss::Disabled => (START, Denied::SessionOver(Some(EndReason::Disabled))),
            Loss::Deleted => (START, Denied::SessionOver(None)),
            Loss::Demoted => (START, Denied::Role),
            // Ending its own session is always allowed.
            Loss::Expired => (START + 2_592_000, Denied::SessionOver(None)),
        };
        let actor = Actor { at, ..actor };
        let before = snapshot(&app, actor.user).await;
        assert_all_denied(&app, actor, expected).await;
        assert_eq!(snapshot(&app, actor.user).await, before, "{loss:?}");
    }
}

#[tokio::test]
async fn change_with_the_session_of_another_account_is_denied() {
    let app = App::start().await;
    let (alice, bertha) =
        (app.register_and_login("alice").await, app.register_and_login("bertha").await);
    let id = |pair: &Tokens, claim: &str| {
        parts(&pair.access).1[claim].as_str().unwrap().parse::<Uuid>().unwrap()
    };
    let actor =
        Actor { user: id(&alice, "sub"), session: id(&bertha, "sid"), at: START, role: None };
    assert_all_denied(&app, actor, Denied::SessionOver(None)).await;
}
