//! How a session gets its next pair of tokens: one refresh, however many calls ask for it, in
//! however many tabs.

use std::{rc::Rc, time::Duration};

use futures::{
    channel::oneshot,
    future::{Either, FutureExt, LocalBoxFuture, Shared, select},
};

use super::{
    core::Session,
    message::Message,
    ports::Saved,
    state::Ending,
    wire::{Answer, Call, NoAnswer},
};
use crate::protocol::{Refreshed, TokenPair};

/// How long a renewal that failed is left alone, so that an outage is not made worse.
const PAUSE: Duration = Duration::from_secs(15);
/// How long other tabs have to say that they know a newer pair.
const HEARING: Duration = Duration::from_millis(100);

/// A refresh that runs, and the access token that it is to replace.
pub(super) struct Flight {
    used: String,
    renewal: Shared<LocalBoxFuture<'static, Renewal>>,
}

/// What became of the wish for a newer token.
#[derive(Clone)]
pub(super) enum Renewal {
    /// Here it is.
    Fresh(String),
    /// The session is over, or another person's.
    Over,
    /// The refresh itself failed, which is no refusal: the tokens stay.
    Failed(Result<Answer, NoAnswer>),
}

impl Session {
    /// A newer token than `used`, which was refused or will be: the one that is held by now, else
    /// that of a refresh. However many ask together, one refresh is sent.
    pub(super) async fn renew(self: &Rc<Self>, used: String, number: u32) -> Renewal {
        if let Some(known) = self.known(&used, number) {
            return known;
        }
        let renewal = {
            let mut inner = self.inner.borrow_mut();
            match &inner.flight {
                Some(flight) if flight.used == used => flight.renewal.clone(),
                _ => {
                    let (session, replaced) = (Rc::clone(self), used.clone());
                    let renewal = async move { session.refresh(&replaced, number).await }
                        .boxed_local()
                        .shared();
                    inner.flight = Some(Flight { used, renewal: renewal.clone() });
                    // Left alone halfway it would keep the other tabs waiting.
                    self.ports.runtime.run(renewal.clone().map(drop).boxed_local());
                    renewal
                }
            }
        };
        renewal.await
    }

    /// What there is to say without asking the server.
    fn known(&self, used: &str, number: u32) -> Option<Renewal> {
        let now = self.ports.runtime.now();
        let inner = self.inner.borrow();
        match inner.held.as_ref().filter(|_| inner.number == number && !inner.leaving) {
            // Logged out, or in again, meanwhile: what was asked for belongs to nobody.
            None => Some(Renewal::Over),
            // What another tab has fetched long ago is no better.
            Some(held)
                if held.saved.access != used && held.life.is_none_or(|life| now < life.ends) =>
            {
                Some(Renewal::Fresh(held.saved.access.clone()))
            }
            Some(_) => None,
        }
    }

    async fn refresh(&self, used: &str, number: u32) -> Renewal {
        let renewal = self.refresh_in_turn(used, number).await;
        self.inner.borrow_mut().flight.take_if(|flight| flight.used == used);
        renewal
    }

    /// One tab at a time. Another one may have fetched the next pair meanwhile: then this one takes
    /// it over, since a token that is presented twice looks like a thief's.
    async fn refresh_in_turn(&self, used: &str, number: u32) -> Renewal {
        let (turn, news) = loop {
            let (teller, news) = oneshot::channel();
            let name = self.lock_name(Some(teller));
            let Either::Left((Some(turn), news)) =
                select(self.ports.lock.take(name.clone()), news).await
            else {
                return self.known(used, number).unwrap_or_else(|| self.failed(Err(NoAnswer)));
            };
            self.look_again();
            // What was found may be another session, with a lock of its own.
            if self.lock_name(None) == name {
                break (turn, news);
            }
        };
        if !self.storage_vouches() {
            select(self.ports.runtime.wait(HEARING), news).await;
        }
        if let Some(known) = self.known(used, number) {
            return known;
        }
        let refresh = self.inner.borrow().held.as_ref().map(|held| held.saved.refresh.clone());
        let Some(refresh) = refresh.filter(|_| turn.keep()) else {
            return self.failed(Err(NoAnswer));
        };
        let outcome = self.send(Call::refresh(), Some(refresh.clone())).await;
        if !turn.keep() {
            // Another tab has asked too, and its answer counts: ours may have been replaced by it.
            self.look_again();
            return self.known(used, number).unwrap_or_else(|| self.failed(Err(NoAnswer)));
        }
        let refreshed = outcome.as_ref().ok().and_then(Answer::success::<Refreshed>);
        if let Some(refreshed) =
            refreshed.filter(|_| self.number() == number && !self.inner.borrow().leaving)
        {
            return self.hold(refreshed.into_tokens(), used);
        }
        if let Some(known) = self.known(used, number) {
            return known;
        }
        match outcome {
            // The refusal of what is not held any more says nothing.
            _ if !self.holds(&refresh) => self.failed(Err(NoAnswer)),
            // Only our server's refusal ends a session: a status alone may come from anything in
            // between.
            Ok(answer) if answer.refuses_token() => {
                let why = Ending::of(answer.reason());
                self.ports.observer.ended(why);
                self.end(Some(why));
                Renewal::Over
            }
            Ok(answer) if answer.status >= 400 => self.failed(Ok(answer)),
            // A success that brings no tokens must not pass for that of the call.
            Ok(_) | Err(NoAnswer) => self.failed(Err(NoAnswer)),
        }
    }

    /// The name of the lock of the session at hand. Who is given is told when another pair is held.
    fn lock_name(&self, teller: Option<oneshot::Sender<()>>) -> String {
        let mut inner = self.inner.borrow_mut();
        if teller.is_some() {
            inner.news = teller;
        }
        inner.held.as_ref().map(|held| held.saved.session()).unwrap_or_default()
    }

    fn holds(&self, refresh: &str) -> bool {
        self.inner.borrow().held.as_ref().is_some_and(|held| held.saved.refresh == refresh)
    }

    fn failed(&self, outcome: Result<Answer, NoAnswer>) -> Renewal {
        self.inner.borrow_mut().paused_until = self.ports.runtime.now() + PAUSE;
        self.ports.observer.planned();
        Renewal::Failed(outcome)
    }

    /// Holds and keeps a session's next pair, and shows it to the other tabs.
    fn hold(&self, tokens: TokenPair, used: &str) -> Renewal {
        let life = self.life_of(&tokens);
        let saved = {
            let mut inner = self.inner.borrow_mut();
            let Some(held) = &mut inner.held else { return Renewal::Over };
            let saved = Saved {
                access: tokens.access_token,
                refresh: tokens.refresh_token,
                user: held.saved.user.clone(),
            };
            // Without any lock another tab may have been faster.
            if held.saved.access != used && !saved.succeeds(&held.saved) {
                return Renewal::Fresh(held.saved.access.clone());
            }
            held.saved = saved.clone();
            held.life = Some(life);
            held.is_kept = self.ports.storage.save(held.place, &saved);
            saved
        };
        let access = saved.access.clone();
        self.ports.channel.tell(&Message::Renewed(saved));
        self.ports.observer.renewed();
        self.ports.observer.planned();
        Renewal::Fresh(access)
    }
}
