//! Contents of tokens, and the rules for their times.

use app::{backend::Caller, protocol::error::Code};
use uuid::Uuid;

use super::access::AuthRequirement;

/// Leeway in seconds for `nbf` and `iat`: another machine's clock may be ahead. `exp` has none.
pub const LEEWAY: i64 = 5;

/// Contents of a token to issue.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The account.
    pub user: Uuid,
    /// The session.
    pub session: Uuid,
    /// The generation of the session.
    pub generation: i64,
    /// Seconds of Unix time.
    pub issued_at: i64,
    /// Seconds of Unix time.
    pub expires_at: i64,
}

/// Contents of a verified token.
#[derive(Clone, Debug)]
pub struct VerifiedClaims {
    /// The caller.
    pub caller: Caller,
    /// Its `nbf`, in seconds of Unix time.
    pub not_before: i64,
}

impl VerifiedClaims {
    /// Checks the times of the token.
    ///
    /// # Errors
    ///
    /// `token_expired` once it has expired.
    pub fn at(self, now: i64) -> Result<SignedToken, Code> {
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
///
/// # Errors
///
/// `token_expired` once it has expired.
pub fn check_time(
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
