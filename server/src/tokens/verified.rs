//! Cache of verified tokens. Verifying the signature is most of the cost of a request, and many
//! times more with `EdDSA`; for a cached token only the times are checked again.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use app::{backend::Caller, protocol::error::Code};
use uuid::Uuid;

use crate::domain::access::AuthRequirement;

/// Leeway in seconds for `nbf` and `iat`: another machine's clock may be ahead. `exp` has none.
pub(crate) const LEEWAY: i64 = 5;
/// Largest number of cached tokens: about a kilobyte each.
const CAPACITY: usize = 4096;

/// Contents of a verified token.
#[derive(Clone)]
pub(super) struct Verified {
    pub(super) caller: Caller,
    pub(super) not_before: i64,
}

impl Verified {
    /// Checks the times of the token.
    pub(super) fn at(self, now: i64) -> Result<SignedToken, Code> {
        let Self { caller, not_before } = self;
        let is_ahead = check_time(now, caller.issued_at, not_before, caller.expires_at)?;
        Ok(SignedToken { caller, not_before, is_ahead })
    }
}

/// A token with a valid signature, issuer and audience that has not expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedToken {
    caller: Caller,
    not_before: i64,
    is_ahead: bool,
}

impl SignedToken {
    /// Returns its claims.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Returns its claims.
    #[must_use]
    pub fn into_caller(self) -> Caller {
        self.caller
    }

    /// Returns whether its `iat` or `nbf` is ahead of the clock. Such a token is rejected, unless
    /// this server has certainly issued it and the clock was set back since.
    #[must_use]
    pub fn is_ahead(&self) -> bool {
        self.is_ahead
    }

    /// Returns whether this server can have issued it for a session of this user, at this
    /// generation and with this end, whatever the clock says now: the times of a token are within
    /// the lifetime of its session.
    #[must_use]
    pub fn is_of_session(&self, user: Uuid, generation: i64, ends_at: i64) -> bool {
        let caller = &self.caller;
        caller.user == user
            && caller.generation <= generation
            && caller.issued_at.max(self.not_before) <= caller.expires_at
            && caller.expires_at <= ends_at
    }

    /// Checks that an operation accepts tokens of this type.
    ///
    /// # Errors
    ///
    /// `token_wrong_type` if it does not.
    pub fn check_type(&self, expected: AuthRequirement) -> Result<(), Code> {
        if expected.takes(self.caller.token_type) { Ok(()) } else { Err(Code::TokenWrongType) }
    }
}

/// Checks that a token has not expired. Returns whether it is from the future. Times are in seconds
/// of Unix time.
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

/// Verified tokens of a key ring. They are dropped with it: no cached token outlives its key.
#[derive(Default)]
pub(super) struct VerifiedTokens(RwLock<HashMap<String, Verified>>);

impl VerifiedTokens {
    pub(super) fn get(&self, token: &str) -> Option<Verified> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    pub(super) fn add(&self, token: &str, verified: Verified) {
        let mut tokens = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= CAPACITY {
            // Clearing is cheaper than tracking usage: each token can be verified again.
            tokens.clear();
        }
        tokens.insert(token.to_owned(), verified);
    }
}
