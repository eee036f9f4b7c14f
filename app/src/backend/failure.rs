//! Failures of use cases, and their conversion to API errors.

use crate::{
    i18n::{
        Lang,
        messages::{self, Messages},
    },
    protocol::error::{ApiError, Code, Reason},
    validation::Problem,
};

/// Rejected fields and the problem of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<(&'static str, Problem)>);

impl FieldErrors {
    /// Rejects a field.
    pub fn reject(&mut self, field: &'static str, problem: impl Into<Problem>) {
        self.0.push((field, problem.into()));
    }

    /// Records the problem of a field, if it has one; returns its value otherwise.
    pub fn check<T>(
        &mut self,
        field: &'static str,
        result: Result<T, impl Into<Problem>>,
    ) -> Option<T> {
        result.map_err(|problem| self.reject(field, problem)).ok()
    }

    /// Ends the validation.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] if a field was rejected.
    pub fn into_result(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::Validation(self)) }
    }
}

/// A failure of a use case, in no language yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A failure that is described by its code.
    #[error("{0:?}")]
    Plain(Code),
    /// Fields were rejected.
    #[error("refused fields: {0:?}")]
    Validation(FieldErrors),
    /// The request was rejected with a code and a specific problem.
    #[error("{0:?}: {1:?}")]
    Refused(Code, Problem),
    /// The token's session was revoked.
    #[error("the session is over: {0:?}")]
    Revoked(Option<Reason>),
    /// The username is taken; as the user wrote it.
    #[error("the name is taken")]
    UsernameTaken(String),
    /// Rate limit exceeded; seconds until a retry may succeed.
    #[error("throttled for {0} s")]
    TooManyAttempts(u32),
    /// The caller has too many uploads in progress; seconds until a retry may succeed.
    #[error("too many uploads for {0} s")]
    TooManyUploads(u32),
    /// Temporarily unavailable; seconds until a retry may succeed.
    #[error("unavailable for {0} s")]
    Unavailable(u32),
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self::Plain(code)
    }
}

impl Failure {
    /// Returns a validation failure of one field.
    #[must_use]
    pub fn field(field: &'static str, problem: impl Into<Problem>) -> Self {
        Self::Validation(FieldErrors(vec![(field, problem.into())]))
    }

    /// The error code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Plain(code) | Self::Refused(code, _) => *code,
            Self::Validation(_) => Code::ValidationFailed,
            Self::Revoked(_) => Code::TokenRevoked,
            Self::UsernameTaken(_) => Code::UsernameTaken,
            Self::TooManyAttempts(_) | Self::TooManyUploads(_) => Code::TooManyAttempts,
            Self::Unavailable(_) => Code::Unavailable,
        }
    }

    /// Converts it to an API error in a language.
    #[must_use]
    pub fn into_api_error(self, lang: Lang, request_id: &str) -> ApiError {
        let mut error = ApiError {
            message: message_for(self.code(), lang).to_owned(),
            request_id: request_id.to_owned(),
            ..ApiError::local(self.code())
        };
        match self {
            Self::Plain(_) => {}
            Self::Validation(fields) => {
                // The first problem of a field is the one to mend first.
                for (field, problem) in fields.0 {
                    error.fields.entry(field.to_owned()).or_insert_with(|| problem.text(lang));
                }
            }
            Self::Refused(_, problem) => error.message = problem.text(lang),
            Self::Revoked(reason) => error.reason = reason,
            Self::UsernameTaken(name) => {
                error.message = messages::username_taken(lang, &name);
                error.fields.insert("username".to_owned(), error.message.clone());
            }
            Self::TooManyUploads(seconds) => {
                Messages::of(lang).too_many_uploads.clone_into(&mut error.message);
                error.retry_after = Some(seconds);
            }
            Self::TooManyAttempts(seconds) | Self::Unavailable(seconds) => {
                error.retry_after = Some(seconds);
            }
        }
        error
    }
}

fn message_for(code: Code, lang: Lang) -> &'static str {
    let messages = Messages::of(lang);
    match code {
        Code::BadRequest => messages.bad_request,
        Code::ValidationFailed => messages.validation_failed,
        Code::InvalidCredentials => messages.invalid_credentials,
        Code::TokenMissing => messages.token_missing,
        Code::TokenMalformed | Code::TokenInvalid | Code::TokenWrongType => messages.token_invalid,
        Code::TokenExpired => messages.token_expired,
        Code::TokenRevoked => messages.token_revoked,
        Code::FreshRequired => messages.fresh_required,
        Code::CodeInvalid => messages.code_invalid,
        Code::AccountDisabled => messages.account_disabled,
        Code::AddressUnverified => messages.address_unverified,
        Code::RegistrationClosed => messages.registration_closed,
        Code::Forbidden => messages.forbidden,
        Code::NotFound => messages.not_found,
        Code::MethodNotAllowed => messages.method_not_allowed,
        Code::UsernameTaken => messages.username_taken,
        Code::AddressTaken => messages.address_taken,
        Code::LastAdmin => messages.last_admin,
        Code::PayloadTooLarge => messages.payload_too_large,
        Code::UnsupportedMediaType => messages.unsupported_media_type,
        Code::TooManyAttempts => messages.too_many_attempts,
        Code::InternalError | Code::Network | Code::Unknown => messages.internal_error,
        Code::Unavailable => messages.unavailable,
    }
}
