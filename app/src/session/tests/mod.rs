//! Tests of the session's rules without a browser. This file has a fake browser around one tab,
//! which records requests, events and messages. `requests` tests a single tab, `reauth`
//! re-authentication, `tabs` messages from other tabs; `model` has several tabs and a server that
//! rotates refresh tokens, and `properties` states invariants of any sequence of steps.

mod fake_server;
mod model;
mod properties;
mod reauth;
mod requests;
mod tabs;

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::future::{FutureExt, LocalBoxFuture};
use http::Method;
use uuid::Uuid;

use super::{
    core::{Ports, Session},
    message::Message,
    ports::{
        Channel, Fetch, Lock, LockGuard, Observer, PersistedSession, Runtime, Storage, StorageScope,
    },
    state::{AuthState, SessionEnd},
    token,
    transport::{ApiRequest, ApiResponse, NetworkError},
};
use crate::protocol::{Refreshed, Role, TokenPair, TokenScheme, User};

type Outcome = Result<ApiResponse, NetworkError>;

/// The environment of one session, with a record of its requests, events and messages.
#[derive(Default)]
struct FakeBrowser {
    /// `path token`, in order.
    sent: RefCell<Vec<String>>,
    bodies: RefCell<Vec<Option<Bytes>>>,
    /// Responses, one queue for each path.
    responses: RefCell<HashMap<String, VecDeque<Outcome>>>,
    stored: RefCell<HashMap<StorageScope, PersistedSession>>,
    storage_is_forbidden: Cell<bool>,
    now: Cell<Duration>,
    events: RefCell<Vec<String>>,
    broadcasts: RefCell<Vec<Message>>,
    lock_behaviors: RefCell<VecDeque<LockBehavior>>,
}

/// Behaviour of the lock.
#[derive(Clone, Copy, Default)]
enum LockBehavior {
    /// Granted at once and held.
    #[default]
    Held,
    /// Granted at once, and lost to another tab before the response arrives.
    LostDuringRequest,
    /// Times out.
    TimesOut,
    /// Never granted: another tab holds it.
    NeverGranted,
}

#[derive(Clone)]
struct FakePort(Rc<FakeBrowser>);

/// Completes at the second poll, so that concurrent requests overlap.
struct Later(bool);
impl Future for Later {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Fetch for FakePort {
    fn send(
        &self,
        request: ApiRequest,
        bearer: Option<String>,
    ) -> LocalBoxFuture<'static, Outcome> {
        let browser = Rc::clone(&self.0);
        browser.sent.borrow_mut().push(format!(
            "{} {}",
            request.url,
            bearer.map(|token| label(&token)).unwrap_or_default()
        ));
        browser.bodies.borrow_mut().push(request.body);
        async move {
            Later(false).await;
            let mut responses = browser.responses.borrow_mut();
            responses
                .get_mut(&request.url)
                .and_then(VecDeque::pop_front)
                .unwrap_or_else(|| Ok(ok(r#"{"message":"ok"}"#)))
        }
        .boxed_local()
    }
}

impl Storage for FakePort {
    fn load(&self, scope: StorageScope) -> Option<PersistedSession> {
        self.0.stored.borrow().get(&scope).cloned()
    }
    fn save(&self, scope: StorageScope, persisted: &PersistedSession) -> bool {
        if !self.0.storage_is_forbidden.get() {
            self.0.stored.borrow_mut().insert(scope, persisted.clone());
        }
        !self.0.storage_is_forbidden.get()
    }
    fn clear(&self, scope: StorageScope) {
        self.0.stored.borrow_mut().remove(&scope);
    }
}

impl Runtime for FakePort {
    fn now(&self) -> Duration {
        self.0.now.get()
    }
    fn sleep(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
        Later(false).boxed_local()
    }
    fn spawn(&self, _: LocalBoxFuture<'static, ()>) {
        // In these tests the caller always awaits the task.
    }
}

impl Lock for FakePort {
    fn acquire(&self, _: String) -> LocalBoxFuture<'static, Option<Box<dyn LockGuard>>> {
        let guard = |extensions_left| async move {
            Some(Box::new(FakeGuard { extensions_left: Cell::new(extensions_left) })
                as Box<dyn LockGuard>)
        };
        match self.0.lock_behaviors.borrow_mut().pop_front().unwrap_or_default() {
            LockBehavior::Held => guard(u32::MAX).boxed_local(),
            LockBehavior::LostDuringRequest => guard(1).boxed_local(),
            LockBehavior::TimesOut => async { None }.boxed_local(),
            LockBehavior::NeverGranted => std::future::pending().boxed_local(),
        }
    }
}

/// A lock that is lost after a number of extensions.
struct FakeGuard {
    extensions_left: Cell<u32>,
}

impl LockGuard for FakeGuard {
    fn extend(&self) -> bool {
        let left = self.extensions_left.get();
        self.extensions_left.set(left.saturating_sub(1));
        left > 0
    }
}

impl Channel for FakePort {
    fn broadcast(&self, message: &Message) {
        self.0.broadcasts.borrow_mut().push(message.clone());
    }
}

impl Observer for FakePort {
    fn auth_changed(&self, auth: AuthState) {
        let said = auth.user().map_or_else(|| format!("{auth:?}"), |user| user.username.clone());
        self.0.events.borrow_mut().push(said);
    }
    fn tokens_refreshed(&self) {
        self.0.events.borrow_mut().push("renewed".to_owned());
    }
    fn renewal_rescheduled(&self) {}
    fn reauth_pending(&self, is_asking: bool) {
        self.0.events.borrow_mut().push(if is_asking { "asking" } else { "asked" }.to_owned());
    }
    fn session_ended(&self, end: SessionEnd) {
        self.0.events.borrow_mut().push(format!("{end:?}"));
    }
}

impl FakeBrowser {
    fn respond(&self, path: &str, outcomes: impl IntoIterator<Item = Outcome>) {
        self.responses.borrow_mut().entry(path.to_owned()).or_default().extend(outcomes);
    }
    fn sent(&self) -> Vec<String> {
        self.sent.take()
    }
    fn events(&self) -> Vec<String> {
        self.events.take()
    }
    fn broadcasts(&self) -> Vec<Message> {
        self.broadcasts.take()
    }
    fn advance(&self, seconds: u64) {
        self.now.set(self.now.get() + Duration::from_secs(seconds));
    }
}

fn response(status: u16, content_type: &str, body: &str) -> ApiResponse {
    let body = Bytes::copy_from_slice(body.as_bytes());
    ApiResponse { status, content_type: content_type.to_owned(), body, date: None }
}
fn ok(body: &str) -> ApiResponse {
    response(200, "application/json", body)
}
#[expect(clippy::unnecessary_wraps, reason = "an outcome, as responses are queued")]
fn error_response(status: u16, body: &str) -> Outcome {
    Ok(response(status, "application/json", body))
}
/// Responses of a proxy in the server's place.
fn proxy_responses() -> impl Iterator<Item = Outcome> {
    const STATUSES: [u16; 16] =
        [200, 201, 204, 301, 302, 303, 307, 400, 401, 403, 404, 407, 429, 500, 503, 511];
    const JSON: &str = "application/json";
    let bodies = [
        ("text/html", "<html>Log in to the network</html>"),
        ("", ""),
        (JSON, ""),
        (JSON, "null"),
        (JSON, r#"{"error":"invalid_token","error_description":"Sign in first"}"#),
        (JSON, r#"{"code":401,"message":"Unauthorized"}"#),
        (JSON, r#"{"code":"token_revoked","message":"Sign in first"}"#),
    ];
    STATUSES.into_iter().flat_map(move |status| {
        bodies.map(|(content_type, body)| {
            Ok(ApiResponse { date: Some(0), ..response(status, content_type, body) })
        })
    })
}
fn rejected(code: &str) -> Outcome {
    error_response(401, &format!(r#"{{"code":"{code}","message":"?","request_id":"r"}}"#))
}

const ISSUED_AT: i64 = 1_700_000_000;

/// A token with readable parts: the session id is the user's name, the signature the kind.
fn token(kind: &str, session: &str, generation: i64) -> String {
    let claims = format!(
        r#"{{"sid":"{session}","gen":{generation},"iat":{ISSUED_AT},"exp":{}}}"#,
        ISSUED_AT + 900
    );
    format!("e30.{}.{kind}", base64url(&claims))
}

/// Label of a token in these tests: `a.2.x` is the access token of the second generation.
fn label(token: &str) -> String {
    let generation = token::claims(token).map_or(0, |claims| claims.generation);
    format!("{}.{generation}.x", token.rsplit('.').next().unwrap())
}

fn base64url(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digit = |bytes: &[u8], at: usize| {
        let bits = bytes
            .iter()
            .chain([&0, &0])
            .take(3)
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize])
    };
    text.as_bytes()
        .chunks(3)
        .flat_map(|bytes| (0..=bytes.len()).map(move |at| digit(bytes, at)))
        .collect()
}

fn pair(number: u8) -> TokenPair {
    pair_of("bob", number.into())
}
fn pair_of(session: &str, generation: i64) -> TokenPair {
    TokenPair {
        access_token: token("a", session, generation),
        refresh_token: token("r", session, generation),
        token_type: TokenScheme::Bearer,
        expires_in: 900,
        refresh_expires_in: 604_800,
    }
}
#[expect(clippy::unnecessary_wraps, reason = "an outcome, as responses are queued")]
fn refreshed(number: u8) -> Outcome {
    let refreshed = Refreshed::new("ok".to_owned(), pair(number));
    Ok(ok(&serde_json::to_string(&refreshed).unwrap()))
}
fn user(name: &str) -> User {
    let id = Uuid::from_u128(name.bytes().fold(0, |id, byte| id << 8 | u128::from(byte)));
    User { id, username: name.to_owned(), nickname: None, avatar_url: None, role: Role::User }
}
fn me() -> ApiRequest {
    request(Method::GET, "/api/me")
}
fn request(method: Method, url: &str) -> ApiRequest {
    ApiRequest {
        method,
        url: url.to_owned(),
        content_type: String::new(),
        accept: String::new(),
        body: None,
    }
}
fn persisted(number: u8, name: &str) -> PersistedSession {
    let TokenPair { access_token, refresh_token, .. } = pair_of(name, number.into());
    PersistedSession { access_token, refresh_token, user: user(name) }
}

fn session() -> (Rc<FakeBrowser>, Rc<Session>) {
    let browser = Rc::new(FakeBrowser::default());
    let port = FakePort(Rc::clone(&browser));
    let session = Session::new(Ports {
        fetch: Box::new(port.clone()),
        storage: Box::new(port.clone()),
        runtime: Box::new(port.clone()),
        lock: Box::new(port.clone()),
        channel: Box::new(port.clone()),
        observer: Box::new(port),
    });
    (browser, session)
}

/// A session of Bob in `localStorage`.
fn signed_in() -> (Rc<FakeBrowser>, Rc<Session>) {
    let (browser, session) = session();
    session.start(pair(1), user("bob"), true);
    browser.events();
    browser.broadcasts();
    (browser, session)
}
