//! The request that a server function answers: who calls, from where, in which language, and what
//! its answer is sent with.

use std::{net::IpAddr, sync::Arc};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;
use server_fn::error::ServerFnErrorErr;
use uuid::Uuid;

use super::{Backend, DeviceCookie, Failure};
use crate::{
    i18n::Lang,
    protocol::{
        TokenType,
        error::{ApiError, Code},
    },
};

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
pub struct ClientInfo {
    /// The address of whoever has asked.
    pub address: Option<IpAddr>,
    /// What the program that asked calls itself: at most 256 characters, without control
    /// characters.
    pub user_agent: Option<String>,
    /// Whether it came over TLS, as far as that is known: to the server itself, or to a proxy that
    /// is trusted.
    pub is_encrypted: bool,
}

/// The name of a request in answers and in the log.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// The request that a server function answers, found through context: all that it may know of what
/// came over HTTP.
#[derive(Clone)]
pub struct RequestContext {
    /// The server.
    pub backend: Backend,
    /// Its name.
    pub id: RequestId,
    /// The language of the answer.
    pub lang: Lang,
    /// From where it came.
    pub client_info: ClientInfo,
    /// The cookies that say which devices the browser was.
    pub device_cookies: Vec<DeviceCookie>,
    /// Whoever has presented a token that is good for this operation.
    pub caller: Option<Caller>,
}

impl RequestContext {
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
pub fn set_status(status: StatusCode) {
    expect_context::<ResponseOptions>().set_status(status);
}

/// Sets the status and headers of a failure.
pub(crate) fn set_error_head(error: &ApiError) {
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
        ServerFnErrorErr::Args(_)
        | ServerFnErrorErr::MissingArg(_)
        | ServerFnErrorErr::Deserialization(_) => Code::BadRequest.into(),
        _ => Code::InternalError.into(),
    }
}

impl From<Failure> for ApiError {
    /// In the language and with the name of the request at hand.
    fn from(failure: Failure) -> Self {
        match use_context::<Arc<RequestContext>>() {
            Some(request) => failure.into_api_error(request.lang, &request.id.0),
            None => failure.into_api_error(Lang::default(), ""),
        }
    }
}
