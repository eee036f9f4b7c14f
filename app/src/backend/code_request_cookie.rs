//! The cookie that binds the digits of a reset to the browser that has asked for them. It
//! authenticates nothing by itself.

use cookie::{Cookie, SameSite, time::Duration};
use http::{HeaderMap, HeaderValue, header};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use super::{ClientInfo, cookies};

/// Lifetime in seconds: that of the digits.
const MAX_AGE_SECONDS: i64 = 1800;

/// Cookie with the id of a request for a code.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeRequestCookie(pub String);

impl CodeRequestCookie {
    /// Name of the cookie.
    pub const NAME: &'static str = "code_request";
    /// Path of the endpoints that it is sent to.
    pub const PATH: &'static str = "/api/auth";

    /// Reads the cookie of a request.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let cookie = cookies(headers).find(|cookie| cookie.name() == Self::NAME)?;
        Some(Self(cookie.value().to_owned()))
    }

    /// Adds the cookie to the response: hidden from scripts and from other sites.
    pub(crate) fn set(&self, client_info: &ClientInfo) {
        let cookie = Cookie::build((Self::NAME, &*self.0))
            .path(Self::PATH)
            .max_age(Duration::seconds(MAX_AGE_SECONDS))
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(client_info.is_encrypted);
        let line = HeaderValue::try_from(cookie.to_string());
        if let (Some(options), Ok(line)) = (use_context::<ResponseOptions>(), line) {
            options.append_header(header::SET_COOKIE, line);
        }
    }
}

impl std::fmt::Debug for CodeRequestCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeRequestCookie(…)")
    }
}
