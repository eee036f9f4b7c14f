//! The session's rules: which token a call carries, and when a session begins and ends. How it gets
//! its next pair of tokens is in `renewal.rs`, how the person proves to be there in `proof.rs`,
//! what it tells the browser's other tabs and hears from them in `tabs.rs`.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures::channel::oneshot;

use super::{
    message::Message,
    ports::{Channel, Fetch, Lock, Observer, Place, Runtime, Saved, Storage},
    renewal::{Flight, Renewal},
    state::{Auth, Ending, LoggedOut},
    token,
    wire::{Answer, Call, NoAnswer},
};
use crate::protocol::{TokenPair, User, error::Reason};

/// A token is renewed this long before it expires, or a fifth of its life before where that is
/// less.
const MARGIN: Duration = Duration::from_mins(2);

/// The browser's session.
pub struct Session {
    pub(super) ports: Ports,
    pub(super) inner: RefCell<Inner>,
}

/// What the session needs of the browser.
pub struct Ports {
    /// Sends calls.
    pub fetch: Box<dyn Fetch>,
    /// Keeps the session over a reload.
    pub storage: Box<dyn Storage>,
    /// Measures the life of tokens, and sees things through.
    pub runtime: Box<dyn Runtime>,
    /// Lets one tab at a time refresh.
    pub lock: Box<dyn Lock>,
    /// Reaches the other tabs.
    pub channel: Box<dyn Channel>,
    /// Is told what happens.
    pub observer: Box<dyn Observer>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) held: Option<Held>,
    /// Counts the people of this page: an answer that belongs to an earlier one changes nothing.
    pub(super) number: u32,
    /// The refresh that runs. Everybody who needs one waits for it.
    pub(super) flight: Option<Flight>,
    /// Tells the refresh that runs that another pair is held now.
    pub(super) news: Option<oneshot::Sender<()>>,
    /// Not before this is a failed renewal tried again ahead of time.
    pub(super) paused_until: Duration,
    /// What the server's clock said, and when.
    pub(super) server: Option<(i64, Duration)>,
    /// The calls that wait for the person's password. While there are any, the person is being
    /// asked.
    pub(super) waiting: Vec<oneshot::Sender<String>>,
    /// The last token that came straight from the password.
    pub(super) proof: Option<String>,
    /// The person is logging out: from now on a refused token is no news.
    pub(super) leaving: bool,
}

/// Memory is the source of truth while the page lives; storage only restores it.
pub(super) struct Held {
    pub(super) saved: Saved,
    pub(super) place: Place,
    /// Whether it has been seen in storage: what never was there is not missed.
    pub(super) is_kept: bool,
    pub(super) life: Option<Life>,
}

#[derive(Clone, Copy)]
pub(super) struct Life {
    pub(super) ends: Duration,
    length: Duration,
}

impl Session {
    /// A session that has not looked into storage yet.
    #[must_use]
    pub fn new(ports: Ports) -> Rc<Self> {
        Rc::new(Self { ports, inner: RefCell::default() })
    }

    /// Begins a session with what a log-in has answered.
    pub fn begin(&self, tokens: TokenPair, user: User, remember: bool) {
        let place = if remember { Place::Browser } else { Place::Tab };
        // The tab's own session would go before the remembered one. The reverse is other tabs'
        // business.
        if remember {
            self.ports.storage.clear(Place::Tab);
        }
        let life = Some(self.life_of(&tokens));
        let saved = Saved { access: tokens.access_token, refresh: tokens.refresh_token, user };
        let is_kept = self.ports.storage.save(place, &saved);
        self.put(Some(Held { saved: saved.clone(), place, is_kept, life }));
        if remember {
            self.ports.channel.tell(&Message::Began(saved));
        }
    }

    /// Sends a call with the session's token. Where the token is refused, it is renewed and the
    /// call repeated, each once; where one is asked for that comes straight from the password, the
    /// person is asked for it, and the call repeated once.
    ///
    /// # Errors
    ///
    /// [`NoAnswer`] where none came.
    pub async fn call(self: &Rc<Self>, call: Call) -> Result<Answer, NoAnswer> {
        let used = self.inner.borrow().held.as_ref().map(|held| held.saved.access.clone());
        let Some(used) = used.filter(|_| !call.is_open()) else {
            return self.send(call, None).await;
        };
        let number = self.number();
        let mut used = used;
        let mut answer = self.send(call.clone(), Some(used.clone())).await?;
        if answer.refuses_token() {
            used = match self.renew(used, number).await {
                Renewal::Fresh(token) => token,
                Renewal::Over => return Ok(answer),
                Renewal::Failed(outcome) => return outcome,
            };
            answer = self.send(call.clone(), Some(used.clone())).await?;
        }
        if !answer.asks_for_password() {
            return Ok(answer);
        }
        match self.proven(&used, number).await {
            Some(token) => self.send(call, Some(token)).await,
            None => Ok(answer),
        }
    }

    /// How long until the token should be renewed ahead of its time; nothing where that is not
    /// known.
    #[must_use]
    pub fn renewal_due_in(&self) -> Option<Duration> {
        let inner = self.inner.borrow();
        let life = inner.held.as_ref()?.life?;
        let due = life.ends.saturating_sub(MARGIN.min(life.length / 5)).max(inner.paused_until);
        Some(due.saturating_sub(self.ports.runtime.now()))
    }

    /// Renews the token ahead of its time, where that is due. A failure is silent: the next call
    /// will tell.
    pub async fn renew_if_due(self: &Rc<Self>) {
        if self.renewal_due_in() != Some(Duration::ZERO) {
            return;
        }
        let Some(access) = self.inner.borrow().held.as_ref().map(|held| held.saved.access.clone())
        else {
            return;
        };
        self.renew(access, self.number()).await;
    }

    /// The network is back: what was put off because of it need not wait.
    pub fn resume(&self) {
        self.inner.borrow_mut().paused_until = Duration::ZERO;
        self.ports.observer.planned();
    }

    /// Seconds until a moment of the server's clock (seconds of Unix time); nothing before the
    /// server has answered once.
    #[must_use]
    pub fn seconds_until(&self, moment: i64) -> Option<i64> {
        let (said, at) = self.inner.borrow().server?;
        let passed = self.ports.runtime.now().saturating_sub(at).as_secs();
        Some(moment.saturating_sub(said).saturating_sub_unsigned(passed))
    }

    /// Ends the session with the refresh token, since the access token may have expired. Here it
    /// ends in any case.
    pub async fn log_out(&self) -> LoggedOut {
        let (number, refresh) = {
            let mut inner = self.inner.borrow_mut();
            inner.leaving = true;
            (inner.number, inner.held.as_ref().map(|held| held.saved.refresh.clone()))
        };
        let told = match refresh {
            // A refused token: the server knows already that the session is over.
            Some(refresh) => {
                let outcome = self.send(Call::logout(), Some(refresh)).await;
                outcome.is_ok_and(|answer| answer.is_done() || answer.refuses_token())
            }
            None => true,
        };
        // Who has asked twice may have logged in again since the first time.
        if self.number() == number {
            self.end(Some(Ending::Revoked(Reason::LoggedOut)));
        }
        if told { LoggedOut::Everywhere } else { LoggedOut::HereOnly }
    }

    /// Forgets the session, here and in storage. The other tabs are told why it has ended, where
    /// they are not the ones who told.
    pub(super) fn end(&self, why: Option<Ending>) {
        if let Some(held) = self.put(None) {
            // Another tab may have logged somebody in meanwhile: that session is not ours to
            // forget.
            let session = held.saved.session();
            if self.ports.storage.load(held.place).is_none_or(|kept| kept.session() == session) {
                self.ports.storage.clear(held.place);
            }
            if let Some(why) = why {
                self.ports.channel.tell(&Message::Ended { session, why });
            }
        }
    }

    /// Puts another session, or none, into the place of the one that it gives back.
    pub(super) fn put(&self, held: Option<Held>) -> Option<Held> {
        let auth =
            held.as_ref().map_or(Auth::Guest, |held| Auth::SignedIn(held.saved.user.clone()));
        let before = {
            let mut inner = self.inner.borrow_mut();
            let next =
                Inner { held, number: inner.number + 1, server: inner.server, ..Inner::default() };
            std::mem::replace(&mut *inner, next)
        };
        if !before.waiting.is_empty() {
            self.ports.observer.asking(false);
        }
        self.learn_life();
        self.ports.observer.changed(auth);
        self.ports.observer.planned();
        before.held
    }

    /// Sends a call once. An answer that is not ours is none: nothing is concluded from its status,
    /// nor from its clock.
    pub(super) async fn send(
        &self,
        call: Call,
        bearer: Option<String>,
    ) -> Result<Answer, NoAnswer> {
        let accept = call.accept.clone();
        let answer = self.ports.fetch.send(call, bearer).await?;
        if !answer.is_ours(&accept) {
            return Err(NoAnswer);
        }
        if let Some(date) = answer.date {
            self.inner.borrow_mut().server = Some((date, self.ports.runtime.now()));
            if self.learn_life() {
                self.ports.observer.planned();
            }
        }
        Ok(answer)
    }

    /// After a reload, and of a pair that another tab has received, nobody knows when that was: the
    /// token's own times and the server's clock tell. They also tell where our clock stood still,
    /// as it may while the machine sleeps. Whether they did.
    pub(super) fn learn_life(&self) -> bool {
        let mut inner = self.inner.borrow_mut();
        let Some((said, at)) = inner.server else { return false };
        let Some(held) = inner.held.as_mut() else { return false };
        let Some(times) = token::claims(&held.saved.access) else { return false };
        let life =
            Life { ends: at + seconds(times.exp - said), length: seconds(times.exp - times.iat) };
        let is_news = held.life.is_none_or(|known| life.ends < known.ends);
        if is_news {
            held.life = Some(life);
        }
        is_news
    }

    pub(super) fn life_of(&self, tokens: &TokenPair) -> Life {
        self.life(tokens.expires_in)
    }

    /// The life of a token that has just come, of which this many seconds are left.
    pub(super) fn life(&self, left: i64) -> Life {
        let length = seconds(left);
        Life { ends: self.ports.runtime.now() + length, length }
    }

    pub(super) fn number(&self) -> u32 {
        self.inner.borrow().number
    }
}

fn seconds(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}
