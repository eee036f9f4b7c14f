//! Rules of the session: its start and end, and the token that a request carries. Token refresh is
//! in `refresh.rs`, re-authentication in `reauth.rs`, synchronisation between tabs in `tabs.rs`.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures::channel::oneshot;

use super::{
    message::Message,
    ports::{Channel, Fetch, Lock, Observer, PersistedSession, Runtime, Storage, StorageScope},
    refresh::{InFlightRefresh, RefreshOutcome},
    state::{AuthState, LogoutOutcome, SessionEnd},
    token,
    transport::{ApiRequest, ApiResponse, NetworkError},
};
use crate::protocol::{TokenPair, User, error::Reason};

/// Time before its expiry at which an access token is renewed, at most a fifth of its lifetime.
const RENEWAL_MARGIN: Duration = Duration::from_mins(2);

/// The browser session.
pub struct Session {
    pub(super) ports: Ports,
    pub(super) inner: RefCell<Inner>,
}

/// The session's interfaces to the browser.
pub struct Ports {
    /// Sends requests.
    pub fetch: Box<dyn Fetch>,
    /// Keeps the session across reloads.
    pub storage: Box<dyn Storage>,
    /// Measures lifetimes of tokens, and runs background tasks.
    pub runtime: Box<dyn Runtime>,
    /// Lets one tab at a time refresh.
    pub lock: Box<dyn Lock>,
    /// Reaches the other tabs.
    pub channel: Box<dyn Channel>,
    /// Receives events.
    pub observer: Box<dyn Observer>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) current: Option<CurrentSession>,
    /// Claims of the access token of the last session that ended in this page.
    pub(super) ended: Option<token::Claims>,
    /// Number of logins and logouts in this page: responses to requests of an earlier epoch change
    /// nothing.
    pub(super) epoch: u32,
    /// The refresh in flight, shared by all requests that need one.
    pub(super) in_flight: Option<InFlightRefresh>,
    /// Notifies the refresh in flight that newer tokens have arrived from another tab.
    pub(super) superseded: Option<oneshot::Sender<()>>,
    /// Earliest time of the next renewal after a failed one.
    pub(super) backoff_until: Duration,
    /// Time of the server's clock (Unix time in seconds), and when it was received.
    pub(super) server_clock: Option<(i64, Duration)>,
    /// Requests that wait for re-authentication. The password prompt is shown while there are any.
    pub(super) reauth_waiters: Vec<oneshot::Sender<String>>,
    /// The last access token issued for a password.
    pub(super) fresh_token: Option<String>,
    /// A logout is in progress: rejected tokens are expected.
    pub(super) is_logging_out: bool,
}

/// The current session. Memory is authoritative while the page lives; storage only restores it.
pub(super) struct CurrentSession {
    pub(super) persisted: PersistedSession,
    pub(super) scope: StorageScope,
    /// It was seen in storage: if it disappears from there, another tab has ended it.
    pub(super) is_stored: bool,
    pub(super) expiry: Option<TokenExpiry>,
}

/// Expiry of the access token, by the page's clock.
#[derive(Clone, Copy)]
pub(super) struct TokenExpiry {
    pub(super) expires_at: Duration,
    lifetime: Duration,
}

impl Session {
    /// Creates a session that has not been restored from storage yet.
    #[must_use]
    pub fn new(ports: Ports) -> Rc<Self> {
        Rc::new(Self { ports, inner: RefCell::default() })
    }

    /// Starts a session after a login.
    pub fn start(&self, tokens: TokenPair, user: User, remember: bool) {
        let scope =
            if remember { StorageScope::LocalStorage } else { StorageScope::SessionStorage };
        // A session in this tab's storage would take precedence over the remembered one. The
        // reverse does not matter: other tabs keep the remembered session.
        if remember {
            self.ports.storage.clear(StorageScope::SessionStorage);
        }
        let expiry = Some(self.expiry_of(&tokens));
        let persisted = PersistedSession {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            user,
        };
        let is_stored = self.ports.storage.save(scope, &persisted);
        let current = CurrentSession { persisted: persisted.clone(), scope, is_stored, expiry };
        self.replace_session(Some(current));
        if remember {
            self.ports.channel.broadcast(&Message::SessionStarted(persisted));
        }
    }

    /// Sends a request with the session's access token. If the token is rejected, it is refreshed
    /// and the request repeated once; if a fresh token is required, the user re-authenticates and
    /// the request is repeated once.
    ///
    /// # Errors
    ///
    /// [`NetworkError`] if the server did not respond, or a proxy responded in its place.
    pub async fn send(self: &Rc<Self>, request: ApiRequest) -> Result<ApiResponse, NetworkError> {
        let Some(mut used) = self.access_token().filter(|_| !request.is_public()) else {
            return self.send_once(request, None).await;
        };
        let epoch = self.epoch();
        let mut response = self.send_once(request.clone(), Some(used.clone())).await?;
        if response.is_token_rejected() {
            used = match self.refresh(used, epoch).await {
                RefreshOutcome::Refreshed(token) => token,
                RefreshOutcome::SessionOver => return Ok(response),
                RefreshOutcome::Failed(result) => return result,
            };
            response = self.send_once(request.clone(), Some(used.clone())).await?;
        }
        if !response.requires_reauth() {
            return Ok(response);
        }
        match self.require_fresh_token(&used, epoch).await {
            Some(token) => self.send_once(request, Some(token)).await,
            None => Ok(response),
        }
    }

    /// The current access token.
    #[must_use]
    pub fn access_token(&self) -> Option<String> {
        let inner = self.inner.borrow();
        inner.current.as_ref().map(|current| current.persisted.access_token.clone())
    }

    /// Time until the access token should be renewed; `None` if its expiry is unknown.
    #[must_use]
    pub fn renewal_due_in(&self) -> Option<Duration> {
        let inner = self.inner.borrow();
        let expiry = inner.current.as_ref()?.expiry?;
        let margin = RENEWAL_MARGIN.min(expiry.lifetime / 5);
        let due = expiry.expires_at.saturating_sub(margin).max(inner.backoff_until);
        Some(due.saturating_sub(self.ports.runtime.now()))
    }

    /// Renews the access token if that is due. A failure is not reported: the next request will
    /// report it.
    pub async fn renew_if_due(self: &Rc<Self>) {
        if self.renewal_due_in() == Some(Duration::ZERO)
            && let Some(access_token) = self.access_token()
        {
            self.refresh(access_token, self.epoch()).await;
        }
    }

    /// Ends the backoff of a failed renewal, once the network is available again.
    pub fn network_restored(&self) {
        self.inner.borrow_mut().backoff_until = Duration::ZERO;
        self.ports.observer.renewal_rescheduled();
    }

    /// Seconds until a time of the server's clock (Unix time in seconds); `None` until the server
    /// has responded once.
    #[must_use]
    pub fn seconds_until(&self, moment: i64) -> Option<i64> {
        let (server_time, received_at) = self.inner.borrow().server_clock?;
        let elapsed = self.ports.runtime.now().saturating_sub(received_at).as_secs();
        Some(moment.saturating_sub(server_time).saturating_sub_unsigned(elapsed))
    }

    /// Ends the session. Authenticates with the refresh token, since the access token may have
    /// expired. In this browser the session ends in any case.
    pub async fn log_out(&self) -> LogoutOutcome {
        let (epoch, refresh_token) = {
            let mut inner = self.inner.borrow_mut();
            inner.is_logging_out = true;
            let current = inner.current.as_ref();
            (inner.epoch, current.map(|current| current.persisted.refresh_token.clone()))
        };
        let is_revoked = match refresh_token {
            // If the token is rejected, the server has ended the session before.
            Some(refresh_token) => {
                let result = self.send_once(ApiRequest::logout(), Some(refresh_token)).await;
                result.is_ok_and(|response| {
                    response.is_confirmation() || response.is_token_rejected()
                })
            }
            None => true,
        };
        // After a second logout request the user may have logged in again in between.
        if self.epoch() == epoch {
            self.end_session(Some(SessionEnd::Revoked(Reason::LoggedOut)));
        }
        if is_revoked { LogoutOutcome::Everywhere } else { LogoutOutcome::LocalOnly }
    }

    /// Removes the session from memory and storage. The other tabs are notified if `end` is given,
    /// that is unless one of them has sent the notification.
    pub(super) fn end_session(&self, end: Option<SessionEnd>) {
        if let Some(ended) = self.replace_session(None) {
            self.clear_stored(&ended);
            if let Some(end) = end {
                let session_id = ended.persisted.session_id();
                self.ports.channel.broadcast(&Message::SessionEnded { session_id, end });
            }
        }
    }

    /// Removes a session from storage, unless another tab has logged in since: storage then holds
    /// another session.
    pub(super) fn clear_stored(&self, ended: &CurrentSession) {
        let stored = self.ports.storage.load(ended.scope);
        if stored.is_none_or(|stored| stored.session_id() == ended.persisted.session_id()) {
            self.ports.storage.clear(ended.scope);
        }
    }

    /// Replaces the current session and returns the previous one.
    pub(super) fn replace_session(
        &self,
        current: Option<CurrentSession>,
    ) -> Option<CurrentSession> {
        let auth = current.as_ref().map_or(AuthState::Guest, |current| {
            AuthState::SignedIn(current.persisted.user.clone())
        });
        let before = {
            let mut inner = self.inner.borrow_mut();
            let ended = inner
                .current
                .as_ref()
                .and_then(|ended| token::claims(&ended.persisted.access_token))
                .or_else(|| inner.ended.take());
            let next = Inner {
                current,
                ended,
                epoch: inner.epoch + 1,
                server_clock: inner.server_clock,
                ..Inner::default()
            };
            std::mem::replace(&mut *inner, next)
        };
        if !before.reauth_waiters.is_empty() {
            self.ports.observer.reauth_pending(false);
        }
        self.update_expiry();
        self.ports.observer.auth_changed(auth);
        self.ports.observer.renewal_rescheduled();
        before.current
    }

    /// Sends a request once. A response from a proxy counts as a network error: neither its status
    /// nor its clock is used.
    pub(super) async fn send_once(
        &self,
        request: ApiRequest,
        bearer: Option<String>,
    ) -> Result<ApiResponse, NetworkError> {
        let accept = request.accept.clone();
        let response = self.ports.fetch.send(request, bearer).await?;
        if !response.is_from_server(&accept) {
            return Err(NetworkError);
        }
        if let Some(date) = response.date {
            self.inner.borrow_mut().server_clock = Some((date, self.ports.runtime.now()));
            if self.update_expiry() {
                self.ports.observer.renewal_rescheduled();
            }
        }
        Ok(response)
    }

    /// Computes the token's expiry from its claims and the server's clock. Needed after a reload,
    /// for tokens from another tab, whose time of arrival is unknown, and after sleep, during which
    /// the page's clock may stop. Returns whether the token expires earlier than known.
    pub(super) fn update_expiry(&self) -> bool {
        let mut inner = self.inner.borrow_mut();
        let Some((server_time, received_at)) = inner.server_clock else { return false };
        let Some(current) = inner.current.as_mut() else { return false };
        let Some(claims) = token::claims(&current.persisted.access_token) else { return false };
        let expiry = TokenExpiry {
            expires_at: received_at + seconds(claims.exp - server_time),
            lifetime: seconds(claims.exp - claims.iat),
        };
        let is_earlier = current.expiry.is_none_or(|known| expiry.expires_at < known.expires_at);
        if is_earlier {
            current.expiry = Some(expiry);
        }
        is_earlier
    }

    pub(super) fn expiry_of(&self, tokens: &TokenPair) -> TokenExpiry {
        self.expiry_in(tokens.expires_in)
    }

    /// Expiry of a token that has just been issued for this many seconds.
    pub(super) fn expiry_in(&self, expires_in: i64) -> TokenExpiry {
        let lifetime = seconds(expires_in);
        TokenExpiry { expires_at: self.ports.runtime.now() + lifetime, lifetime }
    }

    pub(super) fn epoch(&self) -> u32 {
        self.inner.borrow().epoch
    }
}

fn seconds(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}
