//! A call and its answer as plain data: a call can be sent again after a refresh, which a browser's `Request` cannot.

use bytes::Bytes;
use http::Method;
use server_fn::ServerFn;

use crate::api::{
    auth::{Login, Logout, Refresh, Register},
    error::{ApiError, Code, Reason},
};

/// A call to the server. It names no token: that is added when it is sent, so that a repeat carries the newest.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its verb.
    pub method: Method,
    /// Its path and query, on this origin.
    pub url: String,
    /// What the body is.
    pub content_type: String,
    /// What the answer should be.
    pub accept: String,
    /// The body.
    pub body: Option<Bytes>,
}

impl Call {
    /// Asks for the next pair of tokens.
    #[must_use]
    pub fn refresh() -> Self {
        Self::without_body(Method::POST, Refresh::PATH)
    }

    /// Ends the session.
    #[must_use]
    pub fn logout() -> Self {
        Self::without_body(Method::DELETE, Logout::PATH)
    }

    fn without_body(method: Method, url: &str) -> Self {
        const JSON: &str = "application/json";
        Self { method, url: url.to_owned(), content_type: JSON.to_owned(), accept: JSON.to_owned(), body: None }
    }

    /// Whether it is answered without a session. A 401 to such a call is no expired token (a wrong password, say).
    #[must_use]
    pub fn is_open(&self) -> bool {
        [Login::PATH, Register::PATH, Refresh::PATH].contains(&self.url.as_str())
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Bytes,
    /// Its `Date`, in seconds of Unix time: the server's clock, which is the one that tokens live by.
    pub date: Option<i64>,
}

/// A failure is read from its body alone. This puts into it what the head of the answer says about another try: `Retry-After`
/// in seconds (RFC 9110 §10.2.3).
#[must_use]
pub fn with_retry_after(body: Vec<u8>, header: Option<String>) -> Vec<u8> {
    match (header.and_then(|seconds| seconds.parse::<u32>().ok()), body.strip_prefix(b"{")) {
        (Some(seconds), Some(members)) => [format!("{{\"retry_after\":{seconds},").as_bytes(), members].concat(),
        _ => body,
    }
}

/// No answer came: no network, no server, or not in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAnswer;

impl Answer {
    /// Whether it refuses the token in a way that a refresh may mend.
    #[must_use]
    pub fn refuses_token(&self) -> bool {
        self.status == 401 && self.error().is_some_and(|error| error.code.is_about_token())
    }

    /// Whether it asks for a token that comes straight from the password.
    #[must_use]
    pub fn asks_for_password(&self) -> bool {
        self.status == 401 && self.error().is_some_and(|error| error.code == Code::FreshRequired)
    }

    /// Why the session is over, where the answer tells.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.error().and_then(|error| error.reason)
    }

    fn error(&self) -> Option<ApiError> {
        serde_json::from_slice(&self.body).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_head_says_about_another_try_gets_into_the_failure() {
        let body = || br#"{"code":"too_many_attempts","message":"x"}"#.to_vec();
        let retry_after = |header: Option<&str>| {
            let body = with_retry_after(body(), header.map(str::to_owned));
            serde_json::from_slice::<ApiError>(&body).unwrap().retry_after
        };
        assert_eq!(retry_after(Some("42")), Some(42));
        assert_eq!(retry_after(None), None);
        assert_eq!(retry_after(Some("Sat, 21 Nov 2026 14:00:00 GMT")), None);
        assert_eq!(with_retry_after(b"<h1>".to_vec(), Some("42".to_owned())), b"<h1>");
    }
}
