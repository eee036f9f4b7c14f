//! The cookie that binds the digits of a reset to the browser that has asked for them. It
//! authenticates nothing by itself.

use http::HeaderMap;

use super::{
    ClientInfo,
    cookies::{cookies, set_cookie},
};

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
        set_cookie((Self::NAME, &self.0), Self::PATH, MAX_AGE_SECONDS, client_info);
    }
}

impl std::fmt::Debug for CodeRequestCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeRequestCookie(…)")
    }
}
