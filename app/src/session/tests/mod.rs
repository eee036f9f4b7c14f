//! The session's rules, without a browser: here, a world around one tab that says what it was
//! asked. `calls` tests a tab by itself, `proof` what it asks the person, `tabs` what it makes of
//! the others; `model` has several tabs and a server that follows the contract, and `properties`
//! says what is true of them whatever happens.

mod calls;
mod model;
mod proof;
mod properties;
mod server;
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
    ports::{Channel, Fetch, Lock, Observer, Place, Runtime, Saved, Storage, Turn},
    state::{Auth, Ending},
    token,
    wire::{Answer, Call, NoAnswer},
};
use crate::protocol::{Refreshed, Role, TokenPair, TokenScheme, User};

type Outcome = Result<Answer, NoAnswer>;

/// Everything outside the session, and what it was asked.
#[derive(Default)]
struct World {
    /// `path bearer`, in order.
    sent: RefCell<Vec<String>>,
    bodies: RefCell<Vec<Option<Bytes>>>,
    /// The answers, a queue a path.
    answers: RefCell<HashMap<String, VecDeque<Outcome>>>,
    kept: RefCell<HashMap<Place, Saved>>,
    storage_is_forbidden: Cell<bool>,
    now: Cell<Duration>,
    heard: RefCell<Vec<String>>,
    told: RefCell<Vec<Message>>,
    turns: RefCell<VecDeque<Chance>>,
}

/// What becomes of the wish for the lock.
#[derive(Clone, Copy, Default)]
enum Chance {
    /// It is there at once, and stays.
    #[default]
    Lasts,
    /// It is there at once, and has passed to another tab when the answer comes.
    Passes,
    /// It is not there in good time.
    Fails,
    /// It is there once somebody else lets it go, which does not happen here.
    Waits,
}

#[derive(Clone)]
struct Port(Rc<World>);

/// Is ready at the second look, so that calls which run together overlap.
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

impl Fetch for Port {
    fn send(&self, call: Call, bearer: Option<String>) -> LocalBoxFuture<'static, Outcome> {
        let world = Rc::clone(&self.0);
        world.sent.borrow_mut().push(format!(
            "{} {}",
            call.url,
            bearer.map(|token| name(&token)).unwrap_or_default()
        ));
        world.bodies.borrow_mut().push(call.body);
        async move {
            Later(false).await;
            let mut answers = world.answers.borrow_mut();
            answers
                .get_mut(&call.url)
                .and_then(VecDeque::pop_front)
                .unwrap_or_else(|| Ok(ok(r#"{"message":"ok"}"#)))
        }
        .boxed_local()
    }
}

impl Storage for Port {
    fn load(&self, place: Place) -> Option<Saved> {
        self.0.kept.borrow().get(&place).cloned()
    }
    fn save(&self, place: Place, saved: &Saved) -> bool {
        if !self.0.storage_is_forbidden.get() {
            self.0.kept.borrow_mut().insert(place, saved.clone());
        }
        !self.0.storage_is_forbidden.get()
    }
    fn clear(&self, place: Place) {
        self.0.kept.borrow_mut().remove(&place);
    }
}

impl Runtime for Port {
    fn now(&self) -> Duration {
        self.0.now.get()
    }
    fn wait(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
        Later(false).boxed_local()
    }
    fn run(&self, _: LocalBoxFuture<'static, ()>) {
        // Everybody here waits for what was asked for.
    }
}

impl Lock for Port {
    fn take(&self, _: String) -> LocalBoxFuture<'static, Option<Box<dyn Turn>>> {
        let turn = |lasts| async move {
            Some(Box::new(TurnOf { lasts: Cell::new(lasts) }) as Box<dyn Turn>)
        };
        match self.0.turns.borrow_mut().pop_front().unwrap_or_default() {
            Chance::Lasts => turn(u32::MAX).boxed_local(),
            Chance::Passes => turn(1).boxed_local(),
            Chance::Fails => async { None }.boxed_local(),
            Chance::Waits => std::future::pending().boxed_local(),
        }
    }
}

/// A turn, and at how many more looks it will be there.
struct TurnOf {
    lasts: Cell<u32>,
}

impl Turn for TurnOf {
    fn keep(&self) -> bool {
        let left = self.lasts.get();
        self.lasts.set(left.saturating_sub(1));
        left > 0
    }
}

impl Channel for Port {
    fn tell(&self, message: &Message) {
        self.0.told.borrow_mut().push(message.clone());
    }
}

impl Observer for Port {
    fn changed(&self, auth: Auth) {
        let said = auth.user().map_or_else(|| format!("{auth:?}"), |user| user.username.clone());
        self.0.heard.borrow_mut().push(said);
    }
    fn renewed(&self) {
        self.0.heard.borrow_mut().push("renewed".to_owned());
    }
    fn planned(&self) {}
    fn asking(&self, is_asking: bool) {
        self.0.heard.borrow_mut().push(if is_asking { "asking" } else { "asked" }.to_owned());
    }
    fn ended(&self, why: Ending) {
        self.0.heard.borrow_mut().push(format!("{why:?}"));
    }
}

impl World {
    fn answer(&self, path: &str, outcomes: impl IntoIterator<Item = Outcome>) {
        self.answers.borrow_mut().entry(path.to_owned()).or_default().extend(outcomes);
    }
    fn sent(&self) -> Vec<String> {
        self.sent.take()
    }
    fn heard(&self) -> Vec<String> {
        self.heard.take()
    }
    fn told(&self) -> Vec<Message> {
        self.told.take()
    }
    fn pass(&self, seconds: u64) {
        self.now.set(self.now.get() + Duration::from_secs(seconds));
    }
}

fn answer(status: u16, content_type: &str, body: &str) -> Answer {
    let body = Bytes::copy_from_slice(body.as_bytes());
    Answer { status, content_type: content_type.to_owned(), body, date: None }
}
fn ok(body: &str) -> Answer {
    answer(200, "application/json", body)
}
#[expect(clippy::unnecessary_wraps, reason = "an outcome, as answers are queued")]
fn failure(status: u16, body: &str) -> Outcome {
    Ok(answer(status, "application/json", body))
}
/// Answers that something between browser and server gives in the server's place.
fn foreign() -> impl Iterator<Item = Outcome> {
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
            Ok(Answer { date: Some(0), ..answer(status, content_type, body) })
        })
    })
}
fn refused(code: &str) -> Outcome {
    failure(401, &format!(r#"{{"code":"{code}","message":"?","request_id":"r"}}"#))
}

const MADE_AT: i64 = 1_700_000_000;

/// A token that says what it is: the session has its person's name, the signature its kind.
fn token(kind: &str, session: &str, generation: i64) -> String {
    let claims = format!(
        r#"{{"sid":"{session}","gen":{generation},"iat":{MADE_AT},"exp":{}}}"#,
        MADE_AT + 900
    );
    format!("e30.{}.{kind}", base64url(&claims))
}

/// What a token is called in these tests: `a.2.x` is the access token of the second generation.
fn name(token: &str) -> String {
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
#[expect(clippy::unnecessary_wraps, reason = "an outcome, as answers are queued")]
fn refreshed(number: u8) -> Outcome {
    let refreshed = Refreshed::new("ok".to_owned(), pair(number));
    Ok(ok(&serde_json::to_string(&refreshed).unwrap()))
}
fn user(name: &str) -> User {
    let id = Uuid::from_u128(name.bytes().fold(0, |id, byte| id << 8 | u128::from(byte)));
    User { id, username: name.to_owned(), nickname: None, avatar_url: None, role: Role::User }
}
fn me() -> Call {
    call(Method::GET, "/api/me")
}
fn call(method: Method, url: &str) -> Call {
    Call {
        method,
        url: url.to_owned(),
        content_type: String::new(),
        accept: String::new(),
        body: None,
    }
}
fn saved(number: u8, name: &str) -> Saved {
    let TokenPair { access_token: access, refresh_token: refresh, .. } =
        pair_of(name, number.into());
    Saved { access, refresh, user: user(name) }
}

fn session() -> (Rc<World>, Rc<Session>) {
    let world = Rc::new(World::default());
    let port = Port(Rc::clone(&world));
    let session = Session::new(Ports {
        fetch: Box::new(port.clone()),
        storage: Box::new(port.clone()),
        runtime: Box::new(port.clone()),
        lock: Box::new(port.clone()),
        channel: Box::new(port.clone()),
        observer: Box::new(port),
    });
    (world, session)
}

/// Bob has logged in, and is remembered.
fn signed_in() -> (Rc<World>, Rc<Session>) {
    let (world, session) = session();
    session.begin(pair(1), user("bob"), true);
    world.heard();
    world.told();
    (world, session)
}
