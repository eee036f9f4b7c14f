//! Context of the request that a server function handles: caller, client, language, and the head
//! of the response.

use std::{net::IpAddr, sync::Arc};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;
use server_fn::error::ServerFnErrorErr;
use uuid::Uuid;

use super::{Backend, CodeRequestCookie, DeviceCookie, Failure};
use crate::{
    i18n::{Lang, messages::Messages},
    protocol::{
        TokenType,
        error::{ApiError, Code},
    },
};

/// The authenticated caller: the claims of a valid token. Known before the request's body is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account: the token's `sub`.
    pub user: Uuid,
    /// The session: the token's `sid`.
    pub session: Uuid,
    /// The token's `jti`.
    pub jti: String,
    /// The token's `type`.
    pub token_type: TokenType,
    /// The session's generation that the token belongs to.
    pub generation: i64,
    /// `iat`, in seconds of Unix time.
    pub issued_at: i64,
    /// `exp`, in seconds of Unix time.
    pub expires_at: i64,
    /// True if the token was issued for a password, not for a refresh.
    pub fresh: bool,
}

/// The client of a request, as far as the connection and trusted proxies tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// Client IP.
    pub address: Option<IpAddr>,
    /// User agent: at most 256 characters, without control characters.
    pub user_agent: Option<String>,
    /// True if the request came over TLS, to the server itself or to a trusted proxy.
    pub is_encrypted: bool,
    /// Language that the client asks for: of the response, and of mails that the request causes.
    pub lang: Lang,
}

/// Identifies a request in responses and in the log.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// The request that a server function handles, provided through Leptos' context: all that the
/// function knows of the HTTP request.
#[derive(Clone)]
pub struct RequestContext {
    /// The use cases of the server.
    pub backend: Backend,
    /// The request id.
    pub id: RequestId,
    /// The language of the response.
    pub lang: Lang,
    /// The client.
    pub client_info: ClientInfo,
    /// The known-device cookies of the request.
    pub device_cookies: Vec<DeviceCookie>,
    /// The cookie that binds the digits of a reset to the browser.
    pub code_request: Option<CodeRequestCookie>,
    /// The caller, if the access rule of the endpoint requires a token.
    pub caller: Option<Caller>,
}

impl RequestContext {
    /// Returns the current request.
    ///
    /// # Errors
    ///
    /// `internal_error` outside a request, where no context is provided.
    pub fn current() -> Result<Arc<Self>, ApiError> {
        use_context().ok_or_else(|| Failure::from(Code::InternalError).into())
    }

    /// Returns the authenticated caller.
    ///
    /// # Errors
    ///
    /// `token_missing` if no token was checked: a function without an access rule fails closed.
    pub fn caller(&self) -> Result<&Caller, Failure> {
        self.caller.as_ref().ok_or(Failure::Plain(Code::TokenMissing))
    }

    /// Returns a message in the language of the request.
    #[must_use]
    pub fn message(&self, select: impl FnOnce(&Messages) -> &'static str) -> String {
        select(Messages::of(self.lang)).to_owned()
    }
}

/// Returns the language of an API response.
#[must_use]
pub fn api_lang(headers: &HeaderMap) -> Lang {
    Lang::choose(None, headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))
}

/// Sets the status of a success that is not 200.
pub(crate) fn set_status(status: StatusCode) {
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

/// Converts a failure of a server function's codec.
pub(crate) fn codec_failure(error: &ServerFnErrorErr) -> Failure {
    match error {
        ServerFnErrorErr::Args(_)
        | ServerFnErrorErr::MissingArg(_)
        | ServerFnErrorErr::Deserialization(_) => Code::BadRequest.into(),
        _ => Code::InternalError.into(),
    }
}

impl From<Failure> for ApiError {
    /// In the language and with the id of the current request.
    fn from(failure: Failure) -> Self {
        match use_context::<Arc<RequestContext>>() {
            Some(request) => failure.into_api_error(request.lang, &request.id.0),
            None => failure.into_api_error(Lang::default(), ""),
        }
    }
}
