//! Tokens that were found good under a ring of keys. What they say does not change: on the next call only the time is to be asked
//! again. Checking a signature is most of what a call costs, and with `EdDSA` many times more.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use app::{api::error::Code, backend::Caller};

/// Seconds by which another machine's clock may be ahead of ours, for `nbf` and `iat`. `exp` has no leeway.
const LEEWAY: i64 = 5;
/// Tokens that are kept in memory at most: about a kilobyte each.
const CAPACITY: usize = 4096;

/// What a good token says.
#[derive(Clone)]
pub(super) struct Verified {
    pub(super) caller: Caller,
    pub(super) not_before: i64,
}

impl Verified {
    /// Whoever calls, if the token is good now: its time has come, and is not over.
    pub(super) fn at(self, now: i64) -> Result<Caller, Code> {
        let Self { caller, not_before } = self;
        check_time(now, caller.issued_at, not_before, caller.expires_at)?;
        Ok(caller)
    }
}

/// Whether a token is good at a time. All in seconds of Unix time.
pub(super) fn check_time(now: i64, issued_at: i64, not_before: i64, expires_at: i64) -> Result<(), Code> {
    if now >= expires_at {
        return Err(Code::TokenExpired);
    }
    let latest = now.saturating_add(LEEWAY);
    if not_before > latest || issued_at > latest { Err(Code::TokenInvalid) } else { Ok(()) }
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
