//! What the session needs of the browser, as small traits: its rules are tested without one.

use std::time::Duration;

use futures::future::LocalBoxFuture;

use super::{
    state::{Auth, Ending},
    wire::{Answer, Call, NoAnswer},
};
use crate::api::User;

/// Sends a call.
pub trait Fetch {
    /// Sends it, with `Authorization: Bearer` where a token is given.
    fn send(&self, call: Call, bearer: Option<String>) -> LocalBoxFuture<'static, Result<Answer, NoAnswer>>;
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

/// The browser's storage. It may be missing, full, forbidden or full of rubbish, and none of that is an error.
pub trait Storage {
    /// What is kept at a place, whatever it looks like.
    fn load(&self, place: Place) -> Option<Saved>;
    /// Keeps a session. All of it or nothing: half a session would be rubbish after the next reload.
    fn save(&self, place: Place, saved: &Saved);
    /// Forgets what is kept at a place.
    fn clear(&self, place: Place);
}

/// A clock that never jumps.
pub trait Clock {
    /// The time since some moment in the past.
    fn now(&self) -> Duration;
}

/// Whoever wants to know what becomes of the session.
pub trait Observer {
    /// Another state has begun.
    fn changed(&self, auth: Auth);
    /// The session has its next pair of tokens.
    fn renewed(&self);
    /// The time of the next renewal is another, or has become known.
    fn planned(&self);
    /// The session was ended by the server; [`changed`](Observer::changed) comes after it.
    fn ended(&self, why: Ending);
}
