//! The session in a browser: `fetch`, storage and the clock of the page, and signals that pages
//! read.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use bytes::Bytes;
use futures::{
    channel::oneshot,
    future::{FutureExt, LocalBoxFuture},
};
use http::Method;
use leptos::prelude::*;
use reqwasm::http::{self as net, Request};
use web_sys::RequestRedirect;

use super::{
    channel::TabChannel,
    core::{Ports, Session},
    lock::TabLock,
    ports::{Fetch, Observer, Runtime},
    state::{Auth, Ending, LoggedOut},
    storage::WebStorage,
    wire::{Answer, Call, NoAnswer, with_retry_after},
};
use crate::{
    dom,
    protocol::{LoggedIn, Reauthenticated, User, paths},
};

/// After this many milliseconds without an answer there is none.
const PATIENCE: u32 = 30_000;
/// Everything about a person may be much, and the line slow.
const PATIENCE_FOR_EXPORT: u32 = 600_000;
/// Who logs out wants to be gone: the session ends here even if the server is slow.
const PATIENCE_AT_LOGOUT: u32 = 5_000;

thread_local! {
    static SESSION: RefCell<Option<Rc<Session>>> = const { RefCell::new(None) };
}

/// What pages read of the session.
#[derive(Clone, Copy)]
pub struct Signals {
    /// Who is signed in.
    pub auth: RwSignal<Auth>,
    /// Counts the pairs of tokens that this page has received by a refresh.
    pub renewals: RwSignal<u32>,
    /// Counts the changes of when the next renewal is due.
    pub plans: RwSignal<u32>,
    /// Whether the person is asked for the password.
    pub asking: RwSignal<bool>,
    /// How the server has ended the last session.
    pub ended: RwSignal<Option<Ending>>,
    /// How many calls are running.
    pub running: RwSignal<u32>,
}

impl Signals {
    /// The signals of the page at hand.
    #[must_use]
    pub fn of_page() -> Self {
        expect_context()
    }
}

/// Makes the session's signals.
pub fn provide() -> Signals {
    let signals = Signals {
        auth: RwSignal::new(Auth::Unknown),
        renewals: RwSignal::new(0),
        plans: RwSignal::new(0),
        asking: RwSignal::new(false),
        ended: RwSignal::new(None),
        running: RwSignal::new(0),
    };
    provide_context(signals);
    signals
}

/// Makes the session behind the signals, and reads the storage. Called once, in the browser.
pub fn begin_page(signals: Signals) {
    let session = Session::new(Ports {
        fetch: Box::new(Network(signals)),
        storage: Box::new(WebStorage),
        runtime: Box::new(Page::default()),
        lock: Box::new(TabLock),
        channel: Box::new(TabChannel::open(|message| {
            if let Some(session) = current() {
                session.hear(message);
            }
        })),
        observer: Box::new(signals),
    });
    SESSION.set(Some(Rc::clone(&session)));
    session.restore();
}

/// The page's session; none on the server.
pub(super) fn current() -> Option<Rc<Session>> {
    SESSION.with_borrow(Clone::clone)
}

/// Sends a call with the session's token.
///
/// # Errors
///
/// [`NoAnswer`] where none came.
pub async fn send(call: Call) -> Result<Answer, NoAnswer> {
    match current() {
        Some(session) => session.call(call).await,
        None => Err(NoAnswer),
    }
}

/// Begins a session with what a log-in has answered.
pub fn begin(answer: LoggedIn, remember: bool) {
    if let Some(session) = current() {
        let (tokens, user) = answer.into_parts();
        session.begin(tokens, user, remember);
    }
}

/// Goes on with the token that the person's password was exchanged for.
pub fn prove(proof: Reauthenticated) {
    if let Some(session) = current() {
        session.prove(proof);
    }
}

/// The person would rather not give the password: what waits for it is given up.
pub fn decline() {
    if let Some(session) = current() {
        session.decline();
    }
}

/// Shows a person, who is the same, as they are from now on: here and in the other tabs.
pub fn know(user: User) {
    if let Some(session) = current() {
        session.know(user);
    }
}

/// Ends the session.
pub async fn log_out() -> LoggedOut {
    match current() {
        Some(session) => session.log_out().await,
        None => LoggedOut::Everywhere,
    }
}

/// Seconds until a moment of the server's clock (seconds of Unix time), where that clock is known.
#[must_use]
pub fn seconds_until(moment: i64) -> Option<i64> {
    current()?.seconds_until(moment)
}

/// Seconds until the token is renewed ahead of its time, if the person is active then.
#[must_use]
pub fn seconds_until_renewal() -> Option<i64> {
    current()?.renewal_due_in().and_then(|due_in| due_in.as_secs().try_into().ok())
}

impl Observer for Signals {
    fn changed(&self, auth: Auth) {
        // The style sheet shows what fits before and after the page is awake.
        let state = if auth.user().is_some() { "member" } else { "guest" };
        if let Some(root) = document().document_element() {
            // Only a text that is no attribute's name could fail here.
            let _ = root.set_attribute("data-auth", state);
        }
        self.auth.set(auth);
    }

    fn renewed(&self) {
        self.renewals.update(|count| *count += 1);
    }

    fn planned(&self) {
        self.plans.update(|count| *count += 1);
    }

    fn asking(&self, is_asking: bool) {
        self.asking.set(is_asking);
    }

    fn ended(&self, why: Ending) {
        self.ended.set(Some(why));
    }
}

/// The page, which has time and runs things.
#[derive(Default)]
struct Page {
    /// How far the wall clock is ahead of the page's.
    lead: Cell<f64>,
}

impl Runtime for Page {
    fn now(&self) -> Duration {
        let passed = window().performance().map_or(0.0, |performance| performance.now());
        // The page's clock may stand still while the machine sleeps; the wall clock does not, but
        // may be set back.
        self.lead.set(self.lead.get().max(js_sys::Date::now() - passed));
        Duration::try_from_secs_f64((passed + self.lead.get()) / 1000.0).unwrap_or_default()
    }

    fn wait(&self, time: Duration) -> LocalBoxFuture<'static, ()> {
        wait(time)
    }

    fn run(&self, task: LocalBoxFuture<'static, ()>) {
        dom::spawn(task);
    }
}

/// Is ready after a while.
pub(super) fn wait(time: Duration) -> LocalBoxFuture<'static, ()> {
    let (over, waiting) = oneshot::channel::<()>();
    later(time, Box::new(move || drop(over)));
    waiting.map(drop).boxed_local()
}

/// Does something after a while. It is boxed so that the code around it is there once.
pub(super) fn later(time: Duration, deed: Box<dyn FnOnce()>) {
    set_timeout(deed, time);
}

/// `fetch`, by way of reqwasm.
struct Network(Signals);

impl Fetch for Network {
    fn send(
        &self,
        call: Call,
        bearer: Option<String>,
    ) -> LocalBoxFuture<'static, Result<Answer, NoAnswer>> {
        let running = Running::begin(self.0.running);
        async move {
            let _running = running;
            fetch(call, bearer).await.map_err(|_| NoAnswer)
        }
        .boxed_local()
    }
}

async fn fetch(call: Call, bearer: Option<String>) -> Result<Answer, reqwasm::Error> {
    let patience = match &*call.url {
        paths::LOGOUT => PATIENCE_AT_LOGOUT,
        paths::EXPORT => PATIENCE_FOR_EXPORT,
        _ => PATIENCE,
    };
    let mut request = Request::new(&call.url)
        .method(method(&call.method))
        .abort_signal(Some(&web_sys::AbortSignal::timeout_with_u32(patience)))
        // The interface redirects nowhere: what does must get neither password nor token.
        .redirect(RequestRedirect::Error)
        .header("Accept", &call.accept)
        .header("Accept-Language", dom::lang().tag());
    if let Some(bearer) = bearer {
        request = request.header("Authorization", &format!("Bearer {bearer}"));
    }
    if let Some(body) = call.body {
        request = request
            .header("Content-Type", &call.content_type)
            .body(js_sys::Uint8Array::from(&*body));
    }
    let response = request.send().await?;
    let date = response.headers().get("Date").map(|date| js_sys::Date::parse(&date) / 1000.0);
    let retry_after = response.headers().get("Retry-After");
    Ok(Answer {
        status: response.status(),
        content_type: response.headers().get("Content-Type").unwrap_or_default(),
        body: Bytes::from(with_retry_after(response.binary().await?, retry_after)),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole seconds; what is no date becomes no date here"
        )]
        date: date.filter(|date| date.is_finite()).map(|date| date as i64),
    })
}

fn method(method: &Method) -> net::Method {
    match method.as_str() {
        "POST" => net::Method::POST,
        "PUT" => net::Method::PUT,
        "PATCH" => net::Method::PATCH,
        "DELETE" => net::Method::DELETE,
        _ => net::Method::GET,
    }
}

/// Counts a call for as long as it runs, also where nobody waits for its end.
struct Running(RwSignal<u32>);

impl Running {
    fn begin(count: RwSignal<u32>) -> Self {
        count.update(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.update(|count| *count = count.saturating_sub(1));
    }
}
