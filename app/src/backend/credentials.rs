//! Names and passwords as they came.

use super::{Failure, FieldErrors};
use crate::{
    protocol::error::Code,
    validation::{Problem, password},
};

/// Name and password as they came.
#[derive(Clone)]
pub struct Credentials {
    /// As typed: what is no name is simply no account.
    pub username: String,
    /// As typed.
    pub password: String,
    /// Whether the session outlives the browser's window.
    pub remember: bool,
}

impl Credentials {
    /// A log-in as it came. No rule of names and passwords applies, so that a wrong one cannot be
    /// told from an unknown one.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] where one is missing, or the password too long to be looked at.
    pub fn new(
        username: Option<String>,
        password: Option<String>,
        remember: Option<bool>,
    ) -> Result<Self, Failure> {
        let (username, password) = (username.unwrap_or_default(), password.unwrap_or_default());
        let mut fields = FieldErrors::default();
        if username.trim().is_empty() {
            fields.reject("username", Problem::UsernameMissing);
        }
        let password = fields.check("password", PasswordAttempt::parse(password));
        fields.into_result()?;
        let PasswordAttempt(password) = password.ok_or(Failure::Plain(Code::InternalError))?;
        Ok(Self { username, password, remember: remember.unwrap_or(true) })
    }
}

/// A password that somebody presents to show who they are: any text that is not too long to be
/// looked at.
#[derive(Clone)]
pub struct PasswordAttempt(pub String);

impl PasswordAttempt {
    /// A password as it came.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] of this field, where it is missing or too long to be looked at.
    pub fn new(field: &'static str, password: Option<String>) -> Result<Self, Failure> {
        let mut fields = FieldErrors::default();
        let password = fields.check(field, Self::parse(password.unwrap_or_default()));
        fields.into_result()?;
        password.ok_or(Failure::Plain(Code::InternalError))
    }

    /// A password as it was typed.
    ///
    /// # Errors
    ///
    /// The [`Problem`] that there is none, or one that is too long to be looked at.
    pub fn parse(typed: String) -> Result<Self, Problem> {
        match typed.len() {
            0 => Err(Problem::PasswordMissing),
            1..=password::MAX_BYTES => Ok(Self(typed)),
            _ => Err(Problem::PasswordTooLong),
        }
    }
}

/// Another password for an account, as it came.
#[derive(Clone)]
pub struct NewPassword {
    /// The one that it is to replace, as typed.
    pub current: String,
    /// As typed.
    pub new: String,
}

impl NewPassword {
    /// Both as they came; what is missing counts as empty, and is refused by the rules as such.
    #[must_use]
    pub fn new(current: Option<String>, new: Option<String>) -> Self {
        Self { current: current.unwrap_or_default(), new: new.unwrap_or_default() }
    }
}

/// A registration as it came.
#[derive(Clone)]
pub struct NewAccount {
    /// As typed.
    pub username: String,
    /// As typed.
    pub password: String,
    /// As typed.
    pub nickname: String,
}

impl NewAccount {
    /// A registration as it came; what is missing counts as empty, and is refused by the rules as
    /// such.
    #[must_use]
    pub fn new(
        username: Option<String>,
        password: Option<String>,
        nickname: Option<String>,
    ) -> Self {
        Self {
            username: username.unwrap_or_default(),
            password: password.unwrap_or_default(),
            nickname: nickname.unwrap_or_default(),
        }
    }
}
