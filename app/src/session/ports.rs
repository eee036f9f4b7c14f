//! What the session needs of the browser, as small traits: its rules are tested without one.

use std::time::Duration;

use futures::future::LocalBoxFuture;

use super::{
    message::Message,
    state::{Auth, Ending},
    token,
    wire::{Answer, Call, NoAnswer},
};
use crate::protocol::User;

/// Sends a call.
pub trait Fetch {
    /// Sends it, with `Authorization: Bearer` where a token is given.
    fn send(
        &self,
        call: Call,
        bearer: Option<String>,
    ) -> LocalBoxFuture<'static, Result<Answer, NoAnswer>>;
}

/// Where a session is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// `sessionStorage`: the session belongs to its tab.
    Tab,
    /// `localStorage`: the session is remembered, and all tabs share it.
    Browser,
}

/// A session as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Saved {
    /// Signs calls.
    pub access: String,
    /// Gets the next pair.
    pub refresh: String,
    /// Whose it is.
    pub user: User,
}

impl Saved {
    /// Whether it is a session's and not rubbish, nor half of one session and half of another,
    /// which is what a look sees while another tab is writing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        token::is_shaped(&self.access)
            && token::is_shaped(&self.refresh)
            && sid(&self.access).unwrap_or_default() == self.session()
    }

    /// The session's name.
    #[must_use]
    pub fn session(&self) -> String {
        sid(&self.refresh).unwrap_or_default()
    }

    /// Whether it is of the same session, and was made later.
    #[must_use]
    pub fn succeeds(&self, other: &Self) -> bool {
        self.session() == other.session() && self.age() > other.age()
    }

    /// A generation's refresh token is always the same; its access tokens tell when each was made.
    fn age(&self) -> Option<(i64, i64)> {
        Some((token::claims(&self.refresh)?.generation, token::claims(&self.access)?.iat))
    }
}

fn sid(token: &str) -> Option<String> {
    Some(token::claims(token)?.sid)
}

/// The browser's storage. It may be missing, full, forbidden or full of rubbish, and none of that
/// is an error.
pub trait Storage {
    /// What is kept at a place, whatever it looks like.
    fn load(&self, place: Place) -> Option<Saved>;
    /// Keeps a session; whether that was possible. All of it or nothing: half a session would be
    /// rubbish after the next reload.
    fn save(&self, place: Place, saved: &Saved) -> bool;
    /// Forgets what is kept at a place.
    fn clear(&self, place: Place);
}

/// Time, and what goes on in it.
pub trait Runtime {
    /// The time since some moment in the past, by a clock that never goes back.
    fn now(&self) -> Duration;
    /// Is ready after a while.
    fn wait(&self, time: Duration) -> LocalBoxFuture<'static, ()>;
    /// Runs something to its end, also when nobody waits for it any more.
    fn run(&self, task: LocalBoxFuture<'static, ()>);
}

/// What one tab has at a time.
pub trait Lock {
    /// Waits until this tab has the lock of a name; nothing where that has not come to pass in good
    /// time. A tab that is gone has no lock for long.
    fn take(&self, name: String) -> LocalBoxFuture<'static, Option<Box<dyn Turn>>>;
}

/// A tab's turn. It ends when it is dropped, or a moment later: what it has brought about goes
/// ahead of it to the other tabs.
pub trait Turn {
    /// Keeps it for as long as a call may take; whether it still is this tab's. Where locks are
    /// leases it may have passed to another while this one was asleep.
    fn keep(&self) -> bool;
}

/// The way to the browser's other tabs.
pub trait Channel {
    /// Tells them something; this tab does not hear it.
    fn tell(&self, message: &Message);
}

/// Whoever wants to know what becomes of the session.
pub trait Observer {
    /// Another state has begun.
    fn changed(&self, auth: Auth);
    /// The session has its next pair of tokens.
    fn renewed(&self);
    /// The time of the next renewal is another, or has become known.
    fn planned(&self);
    /// The person is asked for the password, or is no longer.
    fn asking(&self, is_asking: bool);
    /// The session was ended by the server; [`changed`](Observer::changed) comes after it.
    fn ended(&self, why: Ending);
}
