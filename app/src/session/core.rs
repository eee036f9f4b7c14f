//! The session's rules: which token a call carries, when a pair is renewed, and when a session is over.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures::future::{FutureExt, LocalBoxFuture, Shared};

use super::{
    ports::{Clock, Fetch, Observer, Place, Saved, Storage},
    state::{Auth, Ending, LoggedOut},
    token,
    wire::{Answer, Call, NoAnswer},
};
use crate::api::{Refreshed, TokenPair, User};

/// A token is renewed this long before it expires, or a fifth of its life before where that is less.
const MARGIN: Duration = Duration::from_mins(2);
/// How long a renewal that failed is left alone, so that an outage is not made worse.
const PAUSE: Duration = Duration::from_secs(15);

/// The browser's session.
pub struct Session {
    ports: Ports,
    inner: RefCell<Inner>,
}

/// What the session needs of the browser.
pub struct Ports {
    /// Sends calls.
    pub fetch: Box<dyn Fetch>,
    /// Keeps the session over a reload.
    pub storage: Box<dyn Storage>,
    /// Measures the life of tokens.
    pub clock: Box<dyn Clock>,
    /// Is told what happens.
    pub observer: Box<dyn Observer>,
}

#[derive(Default)]
struct Inner {
    held: Option<Held>,
    /// Counts the sessions of this page: an answer that belongs to an earlier one changes nothing.
    number: u32,
    /// The refresh that runs. Everybody who needs one waits for it.
    flight: Option<Shared<LocalBoxFuture<'static, Renewal>>>,
    /// Not before this is a failed renewal tried again ahead of time.
    paused_until: Duration,
    /// What the server's clock said, and when.
    server: Option<(i64, Duration)>,
    /// The person is logging out: from now on a refused token is no news.
    leaving: bool,
}

/// Memory is the source of truth while the page lives; storage only restores it.
struct Held {
    saved: Saved,
    place: Place,
    life: Option<Life>,
}

#[derive(Clone, Copy)]
struct Life {
    ends: Duration,
    length: Duration,
}

/// What became of the wish for a newer token.
#[derive(Clone)]
enum Renewal {
    /// Here it is.
    Fresh(String),
    /// The session is over.
    Over,
    /// The refresh itself failed, which is no refusal: the tokens stay.
    Failed(Result<Answer, NoAnswer>),
}

impl Session {
    /// A session that has not looked into storage yet.
    #[must_use]
    pub fn new(ports: Ports) -> Rc<Self> {
        Rc::new(Self { ports, inner: RefCell::default() })
    }

    /// Reads the storage: the tab's own session goes before the remembered one.
    pub fn restore(&self) {
        let kept = [Place::Tab, Place::Browser].into_iter().find_map(|place| Some((place, self.load(place)?)));
        let auth = kept.as_ref().map_or(Auth::Guest, |(_, saved)| Auth::SignedIn(saved.user.clone()));
        self.inner.borrow_mut().held = kept.map(|(place, saved)| Held { saved, place, life: None });
        self.ports.observer.changed(auth);
    }

    /// Begins a session with what a log-in has answered.
    pub fn begin(&self, tokens: TokenPair, user: User, remember: bool) {
        let place = if remember { Place::Browser } else { Place::Tab };
        for other in [Place::Tab, Place::Browser] {
            self.ports.storage.clear(other);
        }
        let life = Some(self.life_of(&tokens));
        let saved = Saved { access: tokens.access_token, refresh: tokens.refresh_token, user: user.clone() };
        self.ports.storage.save(place, &saved);
        self.reset(Some(Held { saved, place, life }));
        self.ports.observer.changed(Auth::SignedIn(user));
        self.ports.observer.planned();
    }

    /// Sends a call with the session's token. Where the token is refused, it is renewed and the call repeated, each once.
    ///
    /// # Errors
    ///
    /// [`NoAnswer`] where none came.
    pub async fn call(self: &Rc<Self>, call: Call) -> Result<Answer, NoAnswer> {
        let used = self.inner.borrow().held.as_ref().map(|held| held.saved.access.clone());
        let Some(used) = used.filter(|_| !call.is_open()) else { return self.send(call, None).await };
        let number = self.number();
        let answer = self.send(call.clone(), Some(used.clone())).await?;
        if !answer.refuses_token() {
            return Ok(answer);
        }
        match self.renew(&used, number).await {
            Renewal::Fresh(token) => self.send(call, Some(token)).await,
            Renewal::Over => Ok(answer),
            Renewal::Failed(outcome) => outcome,
        }
    }

    /// How long until the token should be renewed ahead of its time; nothing where that is not known.
    #[must_use]
    pub fn renewal_due_in(&self) -> Option<Duration> {
        let inner = self.inner.borrow();
        let life = inner.held.as_ref()?.life?;
        let due = life.ends.saturating_sub(MARGIN.min(life.length / 5)).max(inner.paused_until);
        Some(due.saturating_sub(self.ports.clock.now()))
    }

    /// Renews the token ahead of its time, where that is due. A failure is silent: the next call will tell.
    pub async fn renew_if_due(self: &Rc<Self>) {
        if self.renewal_due_in() != Some(Duration::ZERO) {
            return;
        }
        let Some(access) = self.inner.borrow().held.as_ref().map(|held| held.saved.access.clone()) else { return };
        self.renew(&access, self.number()).await;
    }

    /// Seconds until a moment of the server's clock (seconds of Unix time); nothing before the server has answered once.
    #[must_use]
    pub fn seconds_until(&self, moment: i64) -> Option<i64> {
        let (said, at) = self.inner.borrow().server?;
        let passed = self.ports.clock.now().saturating_sub(at).as_secs();
        Some(moment.saturating_sub(said).saturating_sub_unsigned(passed))
    }

    /// Ends the session with the refresh token, since the access token may have expired. Here it ends in any case.
    pub async fn log_out(&self) -> LoggedOut {
        let refresh = {
            let mut inner = self.inner.borrow_mut();
            inner.leaving = true;
            inner.held.as_ref().map(|held| held.saved.refresh.clone())
        };
        let told = match refresh {
            // 401: the server knows already that it is over.
            Some(refresh) => {
                matches!(self.send(Call::logout(), Some(refresh)).await, Ok(Answer { status: 200 | 401, .. }))
            }
            None => true,
        };
        self.end();
        if told { LoggedOut::Everywhere } else { LoggedOut::HereOnly }
    }

    /// A newer token than `used`, which was refused or will be: the one that is held by now, else that of a refresh. However
    /// many ask together, one refresh is sent.
    async fn renew(self: &Rc<Self>, used: &str, number: u32) -> Renewal {
        let flight = {
            let mut inner = self.inner.borrow_mut();
            if inner.number != number || inner.leaving {
                return Renewal::Over;
            }
            match &inner.held {
                None => return Renewal::Over,
                Some(held) if held.saved.access != used => return Renewal::Fresh(held.saved.access.clone()),
                Some(_) => {}
            }
            let session = Rc::clone(self);
            inner
                .flight
                .get_or_insert_with(|| async move { session.refresh(number).await }.boxed_local().shared())
                .clone()
        };
        flight.await
    }

    async fn refresh(&self, number: u32) -> Renewal {
        if let Some(token) = self.adopt() {
            return Renewal::Fresh(token);
        }
        let refresh = self.inner.borrow().held.as_ref().map(|held| held.saved.refresh.clone());
        let Some(refresh) = refresh else { return Renewal::Over };
        let outcome = self.send(Call::refresh(), Some(refresh)).await;
        if self.number() != number {
            // Logged out, or in again, while it ran: the answer belongs to nobody.
            return Renewal::Over;
        }
        self.inner.borrow_mut().flight = None;
        match outcome {
            Ok(answer) if answer.status == 200 => match serde_json::from_slice::<Refreshed>(&answer.body) {
                Ok(refreshed) => Renewal::Fresh(self.hold(refreshed.tokens)),
                Err(_) => self.failed(Err(NoAnswer)),
            },
            Ok(answer) if answer.status == 401 => {
                if !self.inner.borrow().leaving {
                    self.ports.observer.ended(answer.reason().map_or(Ending::Expired, Ending::Revoked));
                    self.end();
                }
                Renewal::Over
            }
            Ok(answer) if answer.status >= 400 => self.failed(Ok(answer)),
            // An answer that is none of ours must not pass for that of the call.
            Ok(_) | Err(NoAnswer) => self.failed(Err(NoAnswer)),
        }
    }

    fn failed(&self, outcome: Result<Answer, NoAnswer>) -> Renewal {
        self.inner.borrow_mut().paused_until = self.ports.clock.now() + PAUSE;
        self.ports.observer.planned();
        Renewal::Failed(outcome)
    }

    /// Takes over the pair that another tab has fetched for the same session, instead of fetching a third.
    fn adopt(&self) -> Option<String> {
        let access = {
            let mut inner = self.inner.borrow_mut();
            let held = inner.held.as_mut().filter(|held| held.place == Place::Browser)?;
            let kept = self.load(held.place)?;
            if kept.user.id != held.saved.user.id || kept.access == held.saved.access {
                return None;
            }
            held.saved = kept;
            held.life = None;
            let access = held.saved.access.clone();
            inner.flight = None;
            access
        };
        self.learn_life();
        self.ports.observer.renewed();
        self.ports.observer.planned();
        Some(access)
    }

    /// Holds and keeps a session's next pair; gives its access token.
    fn hold(&self, tokens: TokenPair) -> String {
        let life = self.life_of(&tokens);
        if let Some(held) = &mut self.inner.borrow_mut().held {
            held.saved.access.clone_from(&tokens.access_token);
            held.saved.refresh = tokens.refresh_token;
            held.life = Some(life);
            self.ports.storage.save(held.place, &held.saved);
        }
        self.ports.observer.renewed();
        self.ports.observer.planned();
        tokens.access_token
    }

    /// Forgets the session, here and in storage.
    fn end(&self) {
        if let Some(held) = self.reset(None) {
            // Another tab may have logged somebody else in meanwhile: that session is not ours to forget.
            let is_ours = self.load(held.place).is_none_or(|kept| kept.user.id == held.saved.user.id);
            if is_ours {
                self.ports.storage.clear(held.place);
            }
        }
        self.ports.observer.changed(Auth::Guest);
        self.ports.observer.planned();
    }

    /// Puts another session, or none, into the place of the one that it gives back.
    fn reset(&self, held: Option<Held>) -> Option<Held> {
        let mut inner = self.inner.borrow_mut();
        let next = Inner { held, number: inner.number + 1, server: inner.server, ..Inner::default() };
        std::mem::replace(&mut *inner, next).held
    }

    async fn send(&self, call: Call, bearer: Option<String>) -> Result<Answer, NoAnswer> {
        let answer = self.ports.fetch.send(call, bearer).await?;
        if let Some(date) = answer.date {
            self.inner.borrow_mut().server = Some((date, self.ports.clock.now()));
            if self.learn_life() {
                self.ports.observer.planned();
            }
        }
        Ok(answer)
    }

    /// After a reload nobody knows when the token was received: its own times and the server's clock tell. Whether they did.
    fn learn_life(&self) -> bool {
        let mut inner = self.inner.borrow_mut();
        let Some((said, at)) = inner.server else { return false };
        let Some(held) = inner.held.as_mut().filter(|held| held.life.is_none()) else { return false };
        let Some(times) = token::times(&held.saved.access) else { return false };
        held.life = Some(Life { ends: at + seconds(times.exp - said), length: seconds(times.exp - times.iat) });
        true
    }

    fn life_of(&self, tokens: &TokenPair) -> Life {
        let length = seconds(tokens.expires_in);
        Life { ends: self.ports.clock.now() + length, length }
    }

    fn load(&self, place: Place) -> Option<Saved> {
        self.ports.storage.load(place).filter(|kept| token::is_shaped(&kept.access) && token::is_shaped(&kept.refresh))
    }

    fn number(&self) -> u32 {
        self.inner.borrow().number
    }
}

fn seconds(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}
