//! Usernames and passwords of a request, before they are checked.

use super::{Failure, FieldErrors};
use crate::{
    protocol::{
        auth::{Credentials, Registration},
        error::Code,
        profile::PasswordChange,
    },
    validation::{Problem, password},
};

/// A username and a password to log in with.
#[derive(Clone)]
pub struct LoginAttempt {
    /// As typed: an invalid username is an unknown account.
    pub username: String,
    /// As typed.
    pub password: String,
    /// True if the session survives closing the browser.
    pub remember: bool,
}

impl LoginAttempt {
    /// Parses the body of a login. The rules for new usernames and passwords do not apply, so that
    /// a wrong one cannot be told from an unknown one.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] if one is missing, or the password longer than the limit.
    pub fn parse(credentials: Credentials) -> Result<Self, Failure> {
        let username = credentials.username.unwrap_or_default();
        let password = credentials.password.unwrap_or_default();
        let mut fields = FieldErrors::default();
        if username.trim().is_empty() {
            fields.reject("username", Problem::UsernameMissing);
        }
        let password = fields.check("password", PasswordAttempt::parse(password));
        fields.into_result()?;
        let PasswordAttempt(password) = password.ok_or(Failure::Plain(Code::InternalError))?;
        Ok(Self { username, password, remember: credentials.remember.unwrap_or(true) })
    }
}

/// A password that is presented to authenticate: any text up to the length limit.
#[derive(Clone)]
pub struct PasswordAttempt(pub String);

impl PasswordAttempt {
    /// Parses a member of a request.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] of this field, if it is missing or longer than the limit.
    pub fn new(field: &'static str, password: Option<String>) -> Result<Self, Failure> {
        let mut fields = FieldErrors::default();
        let password = fields.check(field, Self::parse(password.unwrap_or_default()));
        fields.into_result()?;
        password.ok_or(Failure::Plain(Code::InternalError))
    }

    /// Parses a password.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if it is empty or longer than [`password::MAX_BYTES`].
    pub fn parse(typed: String) -> Result<Self, Problem> {
        match typed.len() {
            0 => Err(Problem::PasswordMissing),
            1..=password::MAX_BYTES => Ok(Self(typed)),
            _ => Err(Problem::PasswordTooLong),
        }
    }
}

/// A password change, before it is checked.
#[derive(Clone)]
pub struct NewPassword {
    /// The current password, as typed.
    pub current: String,
    /// The new password, as typed.
    pub new: String,
}

impl From<PasswordChange> for NewPassword {
    /// Missing members become empty, which the password rules reject.
    fn from(change: PasswordChange) -> Self {
        Self {
            current: change.current_password.unwrap_or_default(),
            new: change.password.unwrap_or_default(),
        }
    }
}

/// A registration, before it is checked.
#[derive(Clone)]
pub struct NewAccount {
    /// As typed.
    pub username: String,
    /// As typed.
    pub password: String,
    /// As typed.
    pub nickname: String,
    /// Token of an invitation, as given.
    pub invitation: Option<String>,
}

impl From<Registration> for NewAccount {
    /// Missing members become empty, which the rules reject as far as they are required.
    fn from(registration: Registration) -> Self {
        Self {
            username: registration.username.unwrap_or_default(),
            password: registration.password.unwrap_or_default(),
            nickname: registration.nickname.unwrap_or_default(),
            invitation: registration.invitation,
        }
    }
}
