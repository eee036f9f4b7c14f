//! The session in a browser: adapters for the traits of [`ports`](super::ports), and the context
//! that pages read.

pub mod activity;
pub mod channel;
mod fetch;
pub mod lock;
mod runtime;
pub mod storage;
pub mod upload;

use std::{cell::RefCell, rc::Rc};

use bytes::Bytes;
use http::Method;
use leptos::prelude::*;
use uuid::Uuid;

use self::{
    channel::TabChannel, fetch::BrowserFetch, lock::TabLock, runtime::PageRuntime,
    storage::WebStorage,
};
use super::{
    core::{Ports, Session},
    ports::Observer,
    state::{AuthState, LogoutOutcome, SessionEnd},
    token,
    transport::{ApiRequest, ApiResponse, NetworkError},
};
use crate::protocol::{
    LoggedIn, Reauthenticated, User,
    error::{ApiError, Code},
};

thread_local! {
    static SESSION: RefCell<Option<Rc<Session>>> = const { RefCell::new(None) };
}

/// The session's signals, as pages read them.
#[derive(Clone, Copy)]
pub struct SessionContext {
    /// Authentication state.
    pub auth: RwSignal<AuthState>,
    /// Number of token refreshes that this page has seen.
    pub tokens_refreshed: RwSignal<u32>,
    /// Number of changes to the time of the next renewal.
    pub renewal_schedule_changed: RwSignal<u32>,
    /// Requests wait for re-authentication.
    pub reauth_pending: RwSignal<bool>,
    /// Reason for which the server ended the last session.
    pub session_ended: RwSignal<Option<SessionEnd>>,
    /// Number of requests in flight.
    pub pending_requests: RwSignal<u32>,
}

impl SessionContext {
    /// The context of the current page.
    #[must_use]
    pub fn of_page() -> Self {
        expect_context()
    }

    /// Returns the id of the signed-in user.
    #[must_use]
    pub fn user_id(self) -> Option<Uuid> {
        self.auth.with(|auth| auth.user().map(|user| user.id))
    }

    /// As [`Self::user_id`], without subscribing.
    #[must_use]
    pub fn user_id_untracked(self) -> Option<Uuid> {
        self.auth.with_untracked(|auth| auth.user().map(|user| user.id))
    }
}

/// Creates the session context and provides it to all components.
pub fn provide_session_context() -> SessionContext {
    let context = SessionContext {
        auth: RwSignal::new(AuthState::Unknown),
        tokens_refreshed: RwSignal::new(0),
        renewal_schedule_changed: RwSignal::new(0),
        reauth_pending: RwSignal::new(false),
        session_ended: RwSignal::new(None),
        pending_requests: RwSignal::new(0),
    };
    provide_context(context);
    context
}

/// Creates the page's session and restores it from storage. Called once, in the browser.
pub fn start(context: SessionContext) {
    let session = Session::new(Ports {
        fetch: Box::new(BrowserFetch { pending_requests: context.pending_requests }),
        storage: Box::new(WebStorage),
        runtime: Box::new(PageRuntime::default()),
        lock: Box::new(TabLock),
        channel: Box::new(TabChannel::open(|message| {
            if let Some(session) = current() {
                session.receive(message);
            }
        })),
        observer: Box::new(context),
    });
    SESSION.set(Some(Rc::clone(&session)));
    session.restore();
}

/// The page's session; `None` on the server.
fn current() -> Option<Rc<Session>> {
    SESSION.with_borrow(Clone::clone)
}

/// Sends a request with the session's access token.
///
/// # Errors
///
/// [`NetworkError`] if the server did not respond, or a proxy responded in its place.
pub async fn send(request: ApiRequest) -> Result<ApiResponse, NetworkError> {
    match current() {
        Some(session) => session.send(request).await,
        None => Err(NetworkError),
    }
}

/// Downloads data that is not JSON.
///
/// # Errors
///
/// The error of the response, or [`Code::Network`] if there was none.
pub async fn download(url: &str, accept: &str) -> Result<Bytes, ApiError> {
    let request = ApiRequest::new(url, "", accept, Method::GET, None);
    let response = send(request).await.map_err(|_| ApiError::local(Code::Network))?;
    match response.error() {
        Some(error) => Err(error),
        None => Ok(response.body),
    }
}

/// Starts a session from the response to a login.
pub fn start_session(response: LoggedIn, remember: bool) {
    if let Some(session) = current() {
        let (tokens, user) = response.into_parts();
        session.start(tokens, user, remember);
    }
}

/// Continues waiting requests with the fresh token of a re-authentication.
pub fn complete_reauth(response: Reauthenticated) {
    if let Some(session) = current() {
        session.complete_reauth(response);
    }
}

/// Cancels re-authentication, and with it the requests that wait for it.
pub fn cancel_reauth() {
    if let Some(session) = current() {
        session.cancel_reauth();
    }
}

/// Updates the name and avatar of the current user in all tabs. Ignored for any other user.
pub fn update_user(user: User) {
    if let Some(session) = current() {
        session.update_user(user);
    }
}

/// Ends the session, in this browser in any case.
pub async fn log_out() -> LogoutOutcome {
    match current() {
        Some(session) => session.log_out().await,
        None => LogoutOutcome::Everywhere,
    }
}

/// Returns the id of the current session.
#[must_use]
pub fn session_id() -> Option<Uuid> {
    let claims = token::claims(&current()?.access_token()?)?;
    Uuid::try_parse(&claims.sid).ok()
}

/// Seconds until a time of the server's clock (Unix time in seconds); `None` until the server has
/// responded once.
#[must_use]
pub fn seconds_until(moment: i64) -> Option<i64> {
    current()?.seconds_until(moment)
}

/// Seconds until the access token is renewed ahead of its expiry, if the user is active then.
#[must_use]
pub fn seconds_until_renewal() -> Option<i64> {
    current()?.renewal_due_in().and_then(|due_in| due_in.as_secs().try_into().ok())
}

impl Observer for SessionContext {
    fn auth_changed(&self, auth: AuthState) {
        // The style sheet selects by this attribute, before and after hydration.
        let state = if auth.user().is_some() { "member" } else { "guest" };
        if let Some(root) = document().document_element() {
            // Fails only for an invalid attribute name.
            let _ = root.set_attribute("data-auth", state);
        }
        self.auth.set(auth);
    }

    fn tokens_refreshed(&self) {
        self.tokens_refreshed.update(|count| *count += 1);
    }

    fn renewal_rescheduled(&self) {
        self.renewal_schedule_changed.update(|count| *count += 1);
    }

    fn reauth_pending(&self, is_pending: bool) {
        self.reauth_pending.set(is_pending);
    }

    fn session_ended(&self, end: SessionEnd) {
        self.session_ended.set(Some(end));
    }
}
