//! The port: what the server functions need of the server, found through context.

mod cookie;
mod users;

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;
use server_fn::error::ServerFnErrorErr;
use uuid::Uuid;

pub use cookie::Cookie;
pub use users::{AccountChanges, AccountSearch, Administration};

use crate::{
    api::{
        Profile, ProfileChanges, TokenPair, TokenType, User,
        devices::{Device, Ending},
        error::{ApiError, Code, Reason},
        files::FileList,
    },
    i18n::{
        Lang,
        messages::{self, Messages},
    },
    rules::{Problem, password},
};

/// The server, as the server functions see it.
#[derive(Clone)]
pub struct Backend {
    /// Who there is.
    pub accounts: Arc<dyn Accounts>,
    /// Who is signed in.
    pub sessions: Arc<dyn Sessions>,
    /// What they keep here.
    pub files: Arc<dyn Files>,
    /// What administrators do about others.
    pub administration: Arc<dyn Administration>,
}

/// Who there is.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Makes an account.
    async fn register(&self, account: NewAccount, origin: Origin) -> Result<User, Failure>;
    /// The caller's account and the life of the caller's token.
    async fn profile(&self, caller: &Caller) -> Result<Profile, Failure>;
    /// Changes the caller's profile. Another address or number takes a fresh token.
    async fn change_profile(&self, caller: &Caller, changes: ProfileChanges, origin: Origin)
    -> Result<Person, Failure>;
}

/// Who is signed in.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Begins a session. Of the browser's cookies only those are looked at that say which devices it was.
    async fn login(&self, credentials: Credentials, cookies: Vec<Cookie>, origin: Origin) -> Result<Entry, Failure>;
    /// Hands out the next pair for the refresh token that the caller has presented.
    async fn refresh(&self, caller: &Caller, origin: Origin) -> Result<TokenPair, Failure>;
    /// Hands out a fresh access token of the caller's session for the account's password.
    async fn reauthenticate(&self, caller: &Caller, password: Presented, origin: Origin)
    -> Result<FreshToken, Failure>;
    /// Changes the password of the caller's account, and ends the account's other sessions.
    async fn change_password(&self, caller: &Caller, change: NewPassword, origin: Origin) -> Result<(), Failure>;
    /// The devices that the caller's account is signed in on: this one first.
    async fn devices(&self, caller: &Caller) -> Result<Vec<Device>, Failure>;
    /// Ends one of the caller's sessions, or all others.
    async fn end(&self, caller: &Caller, ending: Ending, origin: Origin) -> Result<(), Failure>;
    /// Deletes the caller's account, with everything that is kept of it. What was typed must be its name.
    async fn delete_account(&self, caller: &Caller, typed: String) -> Result<(), Failure>;
    /// Ends the caller's session.
    async fn logout(&self, caller: &Caller, origin: Origin) -> Result<(), Failure>;
}

/// Somebody, as they see themself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// What others may see.
    pub user: User,
    /// Where the person may be written to.
    pub email: Option<String>,
    /// The number of the person's phone.
    pub mobile: Option<String>,
}

/// What people keep here.
#[async_trait]
pub trait Files: Send + Sync {
    /// Takes the caller's picture away.
    async fn remove_avatar(&self, caller: &Caller, origin: Origin) -> Result<User, Failure>;
    /// Some of the caller's files, newest first.
    async fn files(&self, caller: &Caller, after: Option<Uuid>, limit: Option<u32>) -> Result<FileList, Failure>;
    /// Removes one of the caller's files.
    async fn remove_file(&self, caller: &Caller, id: Uuid) -> Result<(), Failure>;
    /// Removes what belongs to nobody any more. What cannot be removed now is removed later.
    async fn clear_away(&self);
}

/// What a log-in has given.
pub struct Entry {
    /// The new session's tokens.
    pub tokens: TokenPair,
    /// Who has logged in.
    pub user: User,
    /// What the browser is to keep, so that it is known again.
    pub device: Cookie,
}

/// An access token that comes straight from a password.
pub struct FreshToken {
    /// The token.
    pub text: String,
    /// Seconds until it expires.
    pub expires_in: i64,
}

/// Whoever has presented a token that is good: known before the request's body is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account: the token's `sub`.
    pub user: Uuid,
    /// The session: the token's `sid`.
    pub session: Uuid,
    /// The token's own name: its `jti`.
    pub jti: String,
    /// What the token is for.
    pub token_type: TokenType,
    /// The session's generation that the token belongs to.
    pub generation: i64,
    /// `iat`, in seconds of Unix time.
    pub issued_at: i64,
    /// `exp`, in seconds of Unix time.
    pub expires_at: i64,
    /// Whether it comes straight from a password.
    pub fresh: bool,
}

/// From where a request came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The address of whoever has asked.
    pub address: Option<IpAddr>,
    /// What the program that asked calls itself: at most 256 characters, without control characters.
    pub user_agent: Option<String>,
    /// Whether it came over TLS, as far as that is known: to the server itself, or to a proxy that is trusted.
    pub is_encrypted: bool,
}

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
    /// A log-in as it came. No rule of names and passwords applies, so that a wrong one cannot be told from an unknown one.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] where one is missing, or the password too long to be looked at.
    pub fn new(username: Option<String>, password: Option<String>, remember: Option<bool>) -> Result<Self, Failure> {
        let (username, password) = (username.unwrap_or_default(), password.unwrap_or_default());
        let mut fields = Fields::default();
        if username.trim().is_empty() {
            fields.refuse("username", Problem::UsernameMissing);
        }
        let password = fields.judge("password", Presented::parse(password));
        fields.into_result()?;
        let Presented(password) = password.ok_or(Failure::Plain(Code::InternalError))?;
        Ok(Self { username, password, remember: remember.unwrap_or(true) })
    }
}

/// A password that somebody presents to show who they are: any text that is not too long to be looked at.
#[derive(Clone)]
pub struct Presented(pub String);

impl Presented {
    /// A password as it came.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] of this field, where it is missing or too long to be looked at.
    pub fn new(field: &'static str, password: Option<String>) -> Result<Self, Failure> {
        let mut fields = Fields::default();
        let password = fields.judge(field, Self::parse(password.unwrap_or_default()));
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
    /// A registration as it came; what is missing counts as empty, and is refused by the rules as such.
    #[must_use]
    pub fn new(username: Option<String>, password: Option<String>, nickname: Option<String>) -> Self {
        Self {
            username: username.unwrap_or_default(),
            password: password.unwrap_or_default(),
            nickname: nickname.unwrap_or_default(),
        }
    }
}

/// Fields that were refused, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(&'static str, Problem)>);

impl Fields {
    /// Refuses a field.
    pub fn refuse(&mut self, field: &'static str, problem: impl Into<Problem>) {
        self.0.push((field, problem.into()));
    }

    /// Takes a rule's verdict on a field: its value, or `None` and a note.
    pub fn judge<T>(&mut self, field: &'static str, verdict: Result<T, impl Into<Problem>>) -> Option<T> {
        verdict.map_err(|problem| self.refuse(field, problem)).ok()
    }

    /// Whether all is well.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] where a field was refused.
    pub fn into_result(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::Validation(self)) }
    }
}

/// What went wrong, before anybody has put it into words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A failure that has no more to tell than its code.
    #[error("{0:?}")]
    Plain(Code),
    /// Fields were refused.
    #[error("refused fields: {0:?}")]
    Validation(Fields),
    /// What was sent was refused as a whole, with this code.
    #[error("{0:?}: {1:?}")]
    Refused(Code, Problem),
    /// The token's session is over.
    #[error("the session is over: {0:?}")]
    Revoked(Option<Reason>),
    /// The name, as the person wrote it, belongs to somebody.
    #[error("the name is taken")]
    UsernameTaken(String),
    /// It was tried too often; the seconds tell when to try again.
    #[error("throttled for {0} s")]
    TooManyAttempts(u32),
    /// Not now; the seconds tell when to try again.
    #[error("unavailable for {0} s")]
    Unavailable(u32),
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self::Plain(code)
    }
}

impl Failure {
    /// Its code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Plain(code) | Self::Refused(code, _) => *code,
            Self::Validation(_) => Code::ValidationFailed,
            Self::Revoked(_) => Code::TokenRevoked,
            Self::UsernameTaken(_) => Code::UsernameTaken,
            Self::TooManyAttempts(_) => Code::TooManyAttempts,
            Self::Unavailable(_) => Code::Unavailable,
        }
    }

    /// Puts it into a language, for the answer to a request.
    #[must_use]
    pub fn in_words(self, lang: Lang, request_id: &str) -> ApiError {
        let mut error = ApiError {
            message: words_for(self.code(), lang).to_owned(),
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
            Self::TooManyAttempts(seconds) | Self::Unavailable(seconds) => error.retry_after = Some(seconds),
        }
        error
    }
}

fn words_for(code: Code, lang: Lang) -> &'static str {
    let messages = Messages::of(lang);
    match code {
        Code::BadRequest => messages.bad_request,
        Code::ValidationFailed => messages.validation_failed,
        Code::InvalidCredentials => messages.invalid_credentials,
        Code::TokenMissing => messages.token_missing,
        Code::TokenMalformed | Code::TokenInvalid | Code::TokenWrongType => messages.token_unusable,
        Code::TokenExpired => messages.token_expired,
        Code::TokenRevoked => messages.token_revoked,
        Code::FreshRequired => messages.fresh_required,
        Code::AccountDisabled => messages.account_disabled,
        Code::Forbidden => messages.forbidden,
        Code::NotFound => messages.not_found,
        Code::MethodNotAllowed => messages.method_not_allowed,
        Code::UsernameTaken => messages.username_taken,
        Code::LastAdmin => messages.last_admin,
        Code::PayloadTooLarge => messages.payload_too_large,
        Code::UnsupportedMediaType => messages.unsupported_media_type,
        Code::TooManyAttempts => messages.too_many_attempts,
        Code::InternalError | Code::Network | Code::Unknown => messages.internal_error,
        Code::Unavailable => messages.unavailable,
    }
}

/// The name of a request in answers and in the log.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// The request that a server function answers, found through context: all that it may know of what came over HTTP.
#[derive(Clone)]
pub struct Request {
    /// The server.
    pub backend: Backend,
    /// Its name.
    pub id: RequestId,
    /// The language of the answer.
    pub lang: Lang,
    /// From where it came.
    pub origin: Origin,
    /// The cookies that say which devices the browser was.
    pub devices: Vec<Cookie>,
    /// Whoever has presented a token that is good for this operation.
    pub caller: Option<Caller>,
}

impl Request {
    /// The request at hand.
    ///
    /// # Errors
    ///
    /// `internal_error` outside a request: the router has given no context.
    pub fn current() -> Result<Arc<Self>, ApiError> {
        use_context().ok_or_else(|| Failure::from(Code::InternalError).into())
    }

    /// Whoever calls. Fails closed: where no layer has looked at a token, there is none.
    ///
    /// # Errors
    ///
    /// `token_missing`.
    pub fn caller(&self) -> Result<&Caller, Failure> {
        self.caller.as_ref().ok_or(Failure::Plain(Code::TokenMissing))
    }
}

/// The language that an answer of the interface is given in.
#[must_use]
pub fn api_lang(headers: &HeaderMap) -> Lang {
    Lang::choose(None, headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))
}

/// Sets the status of a success that is not 200.
pub fn respond(status: StatusCode) {
    expect_context::<ResponseOptions>().set_status(status);
}

/// Sets the status and headers of a failure.
pub(crate) fn set_head(error: &ApiError) {
    let Some(options) = use_context::<ResponseOptions>() else { return };
    options.set_status(error.status());
    options.insert_header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in error.headers() {
        options.insert_header(name, value);
    }
}

/// What a codec's failure means to the caller.
pub(crate) fn codec_failure(error: &ServerFnErrorErr) -> Failure {
    match error {
        ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
            Code::BadRequest.into()
        }
        _ => Code::InternalError.into(),
    }
}

impl From<Failure> for ApiError {
    /// In the language and with the name of the request at hand.
    fn from(failure: Failure) -> Self {
        match use_context::<Arc<Request>>() {
            Some(request) => failure.in_words(request.lang, &request.id.0),
            None => failure.in_words(Lang::default(), ""),
        }
    }
}
