//! The session's rules, without a browser.

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
use futures::{
    executor::block_on,
    future::{FutureExt, LocalBoxFuture, join, join3},
};
use http::Method;
use uuid::Uuid;

use super::{
    core::{Ports, Session},
    ports::{Clock, Fetch, Observer, Place, Saved, Storage},
    state::{Auth, Ending, LoggedOut},
    wire::{Answer, Call, NoAnswer},
};
use crate::api::{Role, TokenPair, TokenScheme, User, error::Reason};

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
}

#[derive(Clone)]
struct Port(Rc<World>);

/// Is ready at the second look, so that calls which run together overlap.
struct Turn(bool);
impl Future for Turn {
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
        world.sent.borrow_mut().push(format!("{} {}", call.url, bearer.unwrap_or_default()));
        world.bodies.borrow_mut().push(call.body);
        async move {
            Turn(false).await;
            let mut answers = world.answers.borrow_mut();
            answers.get_mut(&call.url).and_then(VecDeque::pop_front).unwrap_or_else(|| Ok(ok("{}")))
        }
        .boxed_local()
    }
}

impl Storage for Port {
    fn load(&self, place: Place) -> Option<Saved> {
        self.0.kept.borrow().get(&place).cloned()
    }
    fn save(&self, place: Place, saved: &Saved) {
        if !self.0.storage_is_forbidden.get() {
            self.0.kept.borrow_mut().insert(place, saved.clone());
        }
    }
    fn clear(&self, place: Place) {
        self.0.kept.borrow_mut().remove(&place);
    }
}

impl Clock for Port {
    fn now(&self) -> Duration {
        self.0.now.get()
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
    fn pass(&self, seconds: u64) {
        self.now.set(self.now.get() + Duration::from_secs(seconds));
    }
}

fn ok(body: &str) -> Answer {
    Answer { status: 200, body: Bytes::copy_from_slice(body.as_bytes()), date: None }
}
#[expect(clippy::unnecessary_wraps, reason = "an outcome, as answers are queued")]
fn failure(status: u16, body: &str) -> Outcome {
    Ok(Answer { status, body: Bytes::copy_from_slice(body.as_bytes()), date: None })
}
fn refused(code: &str) -> Outcome {
    failure(401, &format!(r#"{{"code":"{code}","message":"?","request_id":"r"}}"#))
}
fn pair(number: u8) -> TokenPair {
    TokenPair {
        access_token: format!("a.{number}.x"),
        refresh_token: format!("r.{number}.x"),
        token_type: TokenScheme::Bearer,
        expires_in: 900,
        refresh_expires_in: 604_800,
    }
}
#[expect(clippy::unnecessary_wraps, reason = "an outcome, as answers are queued")]
fn refreshed(number: u8) -> Outcome {
    let mut json = serde_json::to_value(pair(number)).unwrap();
    json["message"] = "ok".into();
    Ok(ok(&json.to_string()))
}
fn user(name: &str) -> User {
    let id = Uuid::from_u128(name.bytes().fold(0, |id, byte| id << 8 | u128::from(byte)));
    User { id, username: name.to_owned(), nickname: None, avatar_url: None, role: Role::User }
}
fn me() -> Call {
    call(Method::GET, "/api/me")
}
fn call(method: Method, url: &str) -> Call {
    Call { method, url: url.to_owned(), content_type: String::new(), accept: String::new(), body: None }
}
fn saved(number: u8, name: &str) -> Saved {
    Saved { access: format!("a.{number}.x"), refresh: format!("r.{number}.x"), user: user(name) }
}

fn session() -> (Rc<World>, Rc<Session>) {
    let world = Rc::new(World::default());
    let port = Port(Rc::clone(&world));
    let session = Session::new(Ports {
        fetch: Box::new(port.clone()),
        storage: Box::new(port.clone()),
        clock: Box::new(port.clone()),
        observer: Box::new(port),
    });
    (world, session)
}

/// Bob has logged in, and is remembered.
fn signed_in() -> (Rc<World>, Rc<Session>) {
    let (world, session) = session();
    session.begin(pair(1), user("bob"), true);
    world.heard();
    (world, session)
}

#[test]
fn a_session_is_kept_where_the_person_wants_it() {
    for (remember, place, other) in [(true, Place::Browser, Place::Tab), (false, Place::Tab, Place::Browser)] {
        let (world, session) = session();
        world.kept.borrow_mut().insert(other, saved(9, "old"));
        session.begin(pair(1), user("bob"), remember);
        assert!(world.kept.borrow().get(&place) == Some(&saved(1, "bob")));
        assert!(!world.kept.borrow().contains_key(&other));
        assert_eq!(world.heard(), ["bob"]);
    }
}

#[test]
fn a_reload_restores_it_and_rubbish_is_a_guest() {
    let (world, session) = session();
    session.restore();
    assert_eq!(world.heard(), ["Guest"]);
    world.kept.borrow_mut().insert(Place::Browser, saved(1, "bob"));
    session.restore();
    assert_eq!(world.heard(), ["bob"]);
    // The tab's own session goes before the remembered one.
    world.kept.borrow_mut().insert(Place::Tab, saved(2, "amy"));
    session.restore();
    assert_eq!(world.heard(), ["amy"]);
    world.kept.borrow_mut().remove(&Place::Tab);
    world.kept.borrow_mut().insert(Place::Browser, Saved { refresh: "undefined".to_owned(), ..saved(1, "bob") });
    session.restore();
    assert_eq!(world.heard(), ["Guest"]);
}

#[test]
fn a_call_carries_the_token_and_open_calls_carry_none() {
    let (world, session) = signed_in();
    for path in ["/api/me", "/api/auth/login", "/api/auth/register"] {
        block_on(session.call(call(Method::POST, path))).unwrap();
    }
    assert_eq!(world.sent(), ["/api/me a.1.x", "/api/auth/login ", "/api/auth/register "]);
}

#[test]
fn a_wrong_password_is_no_expired_token() {
    let (world, session) = signed_in();
    world.answer("/api/auth/login", [refused("invalid_credentials")]);
    world.answer("/api/me", [refused("fresh_required"), refused("invalid_credentials"), failure(401, "<html>")]);
    assert_eq!(block_on(session.call(call(Method::POST, "/api/auth/login"))).unwrap().status, 401);
    for _ in 0..3 {
        assert_eq!(block_on(session.call(me())).unwrap().status, 401);
    }
    assert_eq!(world.sent().iter().filter(|call| call.contains("refresh")).count(), 0);
}

#[test]
fn a_refused_token_is_renewed_and_the_call_repeated_with_its_body() {
    let (world, session) = signed_in();
    world.answer("/api/x", [refused("token_expired"), Ok(ok("done"))]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    let with_body = Call { body: Some(Bytes::from_static(b"{\"a\":1}")), ..call(Method::POST, "/api/x") };
    assert_eq!(&block_on(session.call(with_body)).unwrap().body[..], b"done");
    assert_eq!(world.sent(), ["/api/x a.1.x", "/api/auth/refresh r.1.x", "/api/x a.2.x"]);
    assert_eq!(world.bodies.take()[2].as_deref(), Some(&b"{\"a\":1}"[..]));
    assert!(world.kept.borrow()[&Place::Browser] == saved(2, "bob"));
    assert_eq!(world.heard(), ["renewed"]);
}

#[test]
fn a_call_is_repeated_once_only() {
    let (world, session) = signed_in();
    world.answer("/api/me", [refused("token_expired"), refused("token_expired"), Ok(ok("never"))]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    assert_eq!(block_on(session.call(me())).unwrap().status, 401);
    assert_eq!(world.sent().len(), 3);
}

#[test]
fn however_many_calls_fail_together_one_refresh_is_sent() {
    let (world, session) = signed_in();
    world.answer("/api/me", [refused("token_expired"), refused("token_expired"), refused("token_expired")]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    let (one, two, three) = block_on(join3(session.call(me()), session.call(me()), session.call(me())));
    assert_eq!([one, two, three].map(|answer| answer.unwrap().status), [200; 3]);
    let sent = world.sent();
    assert_eq!(sent.iter().filter(|call| call.contains("refresh")).count(), 1, "{sent:?}");
    assert_eq!(sent.iter().filter(|call| *call == "/api/me a.2.x").count(), 3, "{sent:?}");
}

#[test]
fn a_refusal_that_comes_after_the_refresh_only_repeats_the_call() {
    let (world, session) = signed_in();
    world.answer("/api/me", [refused("token_expired")]);
    world.answer("/api/slow", [refused("token_expired")]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    let slow = {
        let session = Rc::clone(&session);
        async move { session.call(call(Method::GET, "/api/slow")).await }
    };
    block_on(async {
        // It has been sent with the first token, and its answer is looked at when the refresh has long ended.
        let mut slow = Box::pin(slow);
        assert!(futures::poll!(slow.as_mut()).is_pending());
        session.call(me()).await.unwrap();
        assert_eq!(slow.await.unwrap().status, 200);
    });
    assert_eq!(
        world.sent(),
        ["/api/slow a.1.x", "/api/me a.1.x", "/api/auth/refresh r.1.x", "/api/me a.2.x", "/api/slow a.2.x"]
    );
}

#[test]
fn a_refused_refresh_ends_the_session_with_one_notice() {
    for (refusal, why) in [
        (refused("token_expired"), format!("{:?}", Ending::Expired)),
        (
            failure(401, r#"{"code":"token_revoked","message":"?","reason":"reused","request_id":"r"}"#),
            format!("{:?}", Ending::Revoked(Reason::Reused)),
        ),
    ] {
        let (world, session) = signed_in();
        world.answer("/api/me", [refused("token_expired"), refused("token_expired")]);
        world.answer("/api/auth/refresh", [refusal]);
        let (one, two) = block_on(join(session.call(me()), session.call(me())));
        assert_eq!([one.unwrap().status, two.unwrap().status], [401, 401]);
        assert_eq!(world.heard(), [why, "Guest".to_owned()]);
        assert!(world.kept.borrow().is_empty());
        assert_eq!(world.sent().len(), 3, "no log-out with a dead token");
    }
}

#[test]
fn an_outage_is_no_refusal() {
    let busy = r#"{"code":"unavailable","message":"busy","request_id":"r"}"#;
    for (outcome, status) in [
        (Err(NoAnswer), None),
        (failure(500, "oops"), Some(500)),
        (failure(503, busy), Some(503)),
        (failure(429, busy), Some(429)),
        // An answer of a proxy that knows nothing of us must not pass for the call's.
        (Ok(ok("<html>")), None),
        (failure(302, ""), None),
    ] {
        let (world, session) = signed_in();
        world.answer("/api/me", [refused("token_expired"), refused("token_expired")]);
        world.answer("/api/auth/refresh", [outcome, refreshed(2)]);
        assert_eq!(block_on(session.call(me())).ok().map(|answer| answer.status), status);
        assert!(world.kept.borrow()[&Place::Browser] == saved(1, "bob"), "the tokens stay");
        assert_eq!(world.heard(), [""; 0]);
        // It can be tried again.
        assert_eq!(block_on(session.call(me())).unwrap().status, 200);
    }
}

#[test]
fn logging_out_uses_the_refresh_token_and_always_ends_here() {
    for (outcome, result) in [
        (Ok(ok("{}")), LoggedOut::Everywhere),
        (refused("token_revoked"), LoggedOut::Everywhere),
        (Err(NoAnswer), LoggedOut::HereOnly),
        (failure(503, ""), LoggedOut::HereOnly),
    ] {
        let (world, session) = signed_in();
        world.answer("/api/auth/logout", [outcome]);
        assert_eq!(block_on(session.log_out()), result);
        assert_eq!(world.sent(), ["/api/auth/logout r.1.x"]);
        assert!(world.kept.borrow().is_empty());
        assert_eq!(world.heard(), ["Guest"]);
    }
}

#[test]
fn what_runs_while_somebody_logs_out_neither_refreshes_nor_complains() {
    let (world, session) = signed_in();
    world.answer("/api/me", [refused("token_revoked")]);
    let (answer, _) = block_on(join(session.call(me()), session.log_out()));
    assert_eq!(answer.unwrap().status, 401);
    assert_eq!(world.sent(), ["/api/me a.1.x", "/api/auth/logout r.1.x"]);
    assert_eq!(world.heard(), ["Guest"]);
}

#[test]
fn a_refresh_that_comes_back_after_a_log_out_brings_nobody_back() {
    let (world, session) = signed_in();
    world.answer("/api/me", [refused("token_expired")]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    block_on(async {
        let mut call = Box::pin(session.call(me()));
        while !world.sent.borrow().iter().any(|call| call.contains("refresh")) {
            assert!(futures::poll!(call.as_mut()).is_pending());
        }
        session.log_out().await;
        assert_eq!(call.await.unwrap().status, 401);
    });
    assert!(world.kept.borrow().is_empty());
    assert_eq!(world.heard(), ["Guest"]);
}

#[test]
fn a_call_of_one_person_is_never_repeated_as_another() {
    let (world, session) = signed_in();
    world.answer("/api/x", [refused("token_expired")]);
    block_on(async {
        let mut call = Box::pin(session.call(call(Method::POST, "/api/x")));
        assert!(futures::poll!(call.as_mut()).is_pending());
        session.log_out().await;
        session.begin(pair(7), user("amy"), true);
        assert_eq!(call.await.unwrap().status, 401);
    });
    assert_eq!(world.sent(), ["/api/x a.1.x", "/api/auth/logout r.1.x"]);
}

#[test]
fn a_pair_that_another_tab_has_fetched_is_taken_over() {
    let (world, session) = signed_in();
    world.kept.borrow_mut().insert(Place::Browser, saved(2, "bob"));
    world.answer("/api/me", [refused("token_expired")]);
    assert_eq!(block_on(session.call(me())).unwrap().status, 200);
    assert_eq!(world.sent(), ["/api/me a.1.x", "/api/me a.2.x"]);
}

#[test]
fn another_persons_session_in_storage_is_neither_used_nor_forgotten() {
    let (world, session) = signed_in();
    world.kept.borrow_mut().insert(Place::Browser, saved(7, "amy"));
    world.answer("/api/me", [refused("token_expired")]);
    world.answer("/api/auth/refresh", [refused("token_revoked")]);
    block_on(session.call(me())).unwrap();
    assert_eq!(world.sent(), ["/api/me a.1.x", "/api/auth/refresh r.1.x"]);
    assert!(world.kept.borrow()[&Place::Browser] == saved(7, "amy"));
}

#[test]
fn without_storage_a_session_lives_as_long_as_the_page() {
    let (world, session) = session();
    world.storage_is_forbidden.set(true);
    session.begin(pair(1), user("bob"), true);
    world.answer("/api/me", [refused("token_expired")]);
    world.answer("/api/auth/refresh", [refreshed(2)]);
    assert_eq!(block_on(session.call(me())).unwrap().status, 200);
    assert_eq!(world.heard(), ["bob", "renewed"]);
}

#[test]
fn a_token_is_renewed_ahead_of_its_time() {
    let (world, session) = signed_in();
    assert_eq!(session.renewal_due_in(), Some(Duration::from_mins(13)), "two minutes before 15");
    world.pass(779);
    block_on(session.renew_if_due());
    assert_eq!(world.sent(), [""; 0]);
    world.pass(1);
    world.answer("/api/auth/refresh", [Err(NoAnswer), refreshed(2)]);
    block_on(session.renew_if_due());
    assert_eq!(world.heard(), [""; 0], "a failure is silent");
    assert_eq!(session.renewal_due_in(), Some(Duration::from_secs(15)), "and is not repeated at once");
    world.pass(15);
    block_on(session.renew_if_due());
    assert_eq!(world.sent().len(), 2);
    assert_eq!(session.renewal_due_in(), Some(Duration::from_mins(13)));

    session.begin(TokenPair { expires_in: 10, ..pair(3) }, user("bob"), true);
    assert_eq!(session.renewal_due_in(), Some(Duration::from_secs(8)), "a fifth of a short life");
}

#[test]
fn after_a_reload_the_servers_clock_tells_how_long_a_token_lives() {
    let (world, session) = session();
    // {"iat":1700000000,"exp":1700000900}
    let access = "e30.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDAwMDkwMH0.x".to_owned();
    world.kept.borrow_mut().insert(Place::Browser, Saved { access, ..saved(1, "bob") });
    session.restore();
    assert_eq!(session.renewal_due_in(), None);
    assert_eq!(session.seconds_until(1_700_000_900), None);
    world.pass(1000);
    world.answer("/api/me", [Ok(Answer { date: Some(1_700_000_100), ..ok("{}") })]);
    block_on(session.call(me())).unwrap();
    assert_eq!(session.renewal_due_in(), Some(Duration::from_secs(800 - 120)));
    world.pass(300);
    assert_eq!(session.seconds_until(1_700_000_900), Some(500));
}
