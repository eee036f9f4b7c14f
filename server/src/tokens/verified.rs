//! Tokens that were found good under a ring of keys. What they say does not change: on the next
//! call only the time is to be asked again. Checking a signature is most of what a call costs, and
//! with `EdDSA` many times more.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use app::{
    backend::Caller,
    protocol::{error::Code, operations::AuthRequirement},
};
use uuid::Uuid;

/// Seconds by which another machine's clock may be ahead of ours, for `nbf` and `iat`. `exp` has no
/// leeway.
pub(crate) const LEEWAY: i64 = 5;
/// Tokens that are kept in memory at most: about a kilobyte each.
const CAPACITY: usize = 4096;

/// What a good token says.
#[derive(Clone)]
pub(super) struct Verified {
    pub(super) caller: Caller,
    pub(super) not_before: i64,
}

impl Verified {
    /// The token at a time, if it has not expired.
    pub(super) fn at(self, now: i64) -> Result<SignedToken, Code> {
        let Self { caller, not_before } = self;
        let is_ahead = check_time(now, caller.issued_at, not_before, caller.expires_at)?;
        Ok(SignedToken { caller, not_before, is_ahead })
    }
}

/// A token that one of our keys has signed for this issuer and audience, and that has not expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedToken {
    caller: Caller,
    not_before: i64,
    is_ahead: bool,
}

impl SignedToken {
    /// What it says.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What it says.
    #[must_use]
    pub fn into_caller(self) -> Caller {
        self.caller
    }

    /// Whether its `iat` or `nbf` is ahead of the clock: it is refused, unless it is certain that
    /// this server has issued it and that the clock was set back since.
    #[must_use]
    pub fn is_ahead(&self) -> bool {
        self.is_ahead
    }

    /// Whether this server can have issued it for a session of this user that has come to this
    /// generation and ends at this time, whatever the clock says now: the times of a token are
    /// within the life of its session.
    #[must_use]
    pub fn is_of_session(&self, user: Uuid, generation: i64, ends_at: i64) -> bool {
        let caller = &self.caller;
        caller.user == user
            && caller.generation <= generation
            && caller.issued_at.max(self.not_before) <= caller.expires_at
            && caller.expires_at <= ends_at
    }

    /// Checks that an operation takes tokens of this type.
    ///
    /// # Errors
    ///
    /// `token_wrong_type`
    pub fn check_type(&self, expected: AuthRequirement) -> Result<(), Code> {
        if expected.takes(self.caller.token_type) { Ok(()) } else { Err(Code::TokenWrongType) }
    }
}

/// Checks that a token has not expired. Returns whether it is from the future. All times are in
/// seconds of Unix time.
pub(super) fn check_time(
    now: i64,
    issued_at: i64,
    not_before: i64,
    expires_at: i64,
) -> Result<bool, Code> {
    if now >= expires_at {
        return Err(Code::TokenExpired);
    }
    let latest = now.saturating_add(LEEWAY);
    Ok(not_before > latest || issued_at > latest)
}

/// The good tokens of a ring. They go with it: no token outlives its key here.
#[derive(Default)]
pub(super) struct VerifiedTokens(RwLock<HashMap<String, Verified>>);

impl VerifiedTokens {
    pub(super) fn get(&self, token: &str) -> Option<Verified> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    pub(super) fn add(&self, token: &str, verified: Verified) {
        let mut tokens = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= CAPACITY {
            // Which are worth keeping is not worth knowing: each can be checked again.
            tokens.clear();
        }
        tokens.insert(token.to_owned(), verified);
    }
}
