//! A call and its answer as plain data: a call can be sent again after a refresh, which a browser's
//! `Request` cannot.

use bytes::Bytes;
use http::Method;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::protocol::{
    error::{ApiError, Code, Reason},
    paths,
};

/// A call to the server. It names no token: that is added when it is sent, so that a repeat carries
/// the newest.
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
        Self::without_body(Method::POST, paths::REFRESH)
    }

    /// Ends the session.
    #[must_use]
    pub fn logout() -> Self {
        Self::without_body(Method::DELETE, paths::LOGOUT)
    }

    fn without_body(method: Method, url: &str) -> Self {
        const JSON: &str = "application/json";
        Self {
            method,
            url: url.to_owned(),
            content_type: JSON.to_owned(),
            accept: JSON.to_owned(),
            body: None,
        }
    }

    /// Whether it is answered without a session. A 401 to such a call is no expired token (a wrong
    /// password, say).
    #[must_use]
    pub fn is_open(&self) -> bool {
        [paths::LOGIN, paths::REGISTER, paths::REFRESH].contains(&self.url.as_str())
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its `Content-Type`, empty where it has none.
    pub content_type: String,
    /// Its body.
    pub body: Bytes,
    /// Its `Date`, in seconds of Unix time: the server's clock, which is the one that tokens live
    /// by.
    pub date: Option<i64>,
}

/// A failure is read from its body alone. This puts into it what the head of the answer says about
/// another try: `Retry-After` in seconds (RFC 9110 §10.2.3).
#[must_use]
pub fn with_retry_after(body: Vec<u8>, header: Option<String>) -> Vec<u8> {
    match (header.and_then(|seconds| seconds.parse::<u32>().ok()), body.strip_prefix(b"{")) {
        (Some(seconds), Some(members)) => {
            [format!("{{\"retry_after\":{seconds},").as_bytes(), members].concat()
        }
        _ => body,
    }
}

/// No answer came: no network, no server, or not in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAnswer;

impl Answer {
    /// Whether it comes from our server. Captive portals, gateways and sign-on proxies answer in
    /// its place, with any status: a success is ours only with the media type that was asked for,
    /// anything else only with the envelope of a failure.
    #[must_use]
    pub fn is_ours(&self, accept: &str) -> bool {
        match self.status {
            200..=299 => self.content_type.starts_with(accept.trim_end_matches('*')),
            _ => self.failure().is_some(),
        }
    }

    /// The failure that it reports: a body with our envelope, whose code belongs to the status. A
    /// code that this version does not know may come from a newer server.
    #[must_use]
    pub fn failure(&self) -> Option<ApiError> {
        if self.status < 400 {
            return None;
        }
        let error: ApiError = serde_json::from_slice(&self.body).ok()?;
        let fits = error.code == Code::Unknown || error.code.status() == self.status;
        (fits && !error.request_id.is_empty()).then_some(error)
    }

    /// The body of a success; nothing where the answer is a failure, or the body is of another
    /// shape.
    #[must_use]
    pub fn success<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok().filter(|_| (200..300).contains(&self.status))
    }

    /// Whether it confirms an operation that has nothing else to tell ([`crate::protocol::Done`]).
    /// Gateways that answer failures with 200 write a `code` beside their `message`, which no
    /// success of ours has.
    #[must_use]
    pub fn is_done(&self) -> bool {
        #[derive(Deserialize)]
        struct Body {
            #[serde(rename = "message")]
            _message: String,
            code: Option<IgnoredAny>,
        }
        self.success::<Body>().is_some_and(|body| body.code.is_none())
    }

    /// Whether it refuses the token in a way that a refresh may mend.
    #[must_use]
    pub fn refuses_token(&self) -> bool {
        self.failure().is_some_and(|error| error.code.is_about_token())
    }

    /// Whether it asks for a token that comes straight from the password.
    #[must_use]
    pub fn asks_for_password(&self) -> bool {
        self.failure().is_some_and(|error| error.code == Code::FreshRequired)
    }

    /// Why the session is over, where the answer tells.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.failure().and_then(|error| error.reason)
    }
}

/// The data of a success, or the failure. An answer that is neither counts as none.
///
/// # Errors
///
/// The failure that the answer reports, and [`Code::Network`] where there is no answer of ours.
pub fn read<T: DeserializeOwned>(outcome: &Result<Answer, NoAnswer>) -> Result<T, ApiError> {
    let answer = outcome.as_ref().ok();
    answer.and_then(Answer::success).ok_or_else(|| {
        answer.and_then(Answer::failure).unwrap_or_else(|| ApiError::local(Code::Network))
    })
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

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        let body = Bytes::copy_from_slice(body.as_bytes());
        Answer { status, content_type: content_type.to_owned(), body, date: None }
    }

    #[test]
    fn answer_without_envelope_is_not_ours_whatever_its_status() {
        const JSON: &str = "application/json";
        const ENVELOPE: &str = r#"{"code":"token_revoked","message":"?","request_id":"r"}"#;
        for status in [101, 200, 204, 301, 302, 307, 400, 401, 403, 404, 429, 500, 502, 503, 511] {
            for (content_type, body) in [
                ("text/html; charset=utf-8", "<html>"),
                ("text/html", ENVELOPE),
                ("", ""),
                (JSON, ""),
                (JSON, "{}"),
                (JSON, r#"{"code":401,"message":"Unauthorized","request_id":"r"}"#),
                (JSON, r#"{"code":"token_revoked","message":"?"}"#),
                (JSON, r#"{"code":"token_revoked","message":"?","request_id":""}"#),
                (JSON, r#"{"error":"invalid_token"}"#),
            ] {
                let answer = answer(status, content_type, body);
                let says = format!("{status} {content_type} {body}");
                // Whether JSON is that of a success, its type decides.
                let is_ours = (content_type == JSON && (200..300).contains(&status))
                    || (body == ENVELOPE && status == 401);
                assert_eq!(answer.is_ours(JSON), is_ours, "{says}");
                assert_eq!(answer.refuses_token(), body == ENVELOPE && status == 401, "{says}");
                assert!(!answer.asks_for_password(), "{says}");
                assert!(!answer.is_done(), "{says}");
            }
        }
        assert!(answer(200, JSON, r#"{"message":"Logged out","more":1}"#).is_done());
        assert!(answer(200, "image/webp", "RIFF").is_ours("image/*"));
        assert!(!answer(200, "text/html", "<html>").is_ours("image/*"));
        let newer = answer(418, JSON, r#"{"code":"teapot","message":"?","request_id":"r"}"#);
        assert!(newer.is_ours(JSON) && !newer.refuses_token());
    }

    #[test]
    fn reading_answer_gives_success_failure_or_network_error() {
        use crate::protocol::Done;
        let code = |outcome: Result<Answer, NoAnswer>| {
            read::<Done>(&outcome).map(|_| ()).map_err(|error| error.code)
        };
        let envelope = r#"{"code":"unavailable","message":"?","request_id":"r"}"#;
        assert_eq!(code(Ok(answer(200, "", r#"{"message":"?"}"#))), Ok(()));
        assert_eq!(code(Ok(answer(503, "", envelope))), Err(Code::Unavailable));
        assert_eq!(
            code(Ok(answer(500, "", envelope))),
            Err(Code::Network),
            "the code of another status"
        );
        assert_eq!(code(Ok(answer(200, "", "<html>"))), Err(Code::Network));
        assert_eq!(code(Ok(answer(401, "", "<html>"))), Err(Code::Network));
        assert_eq!(code(Err(NoAnswer)), Err(Code::Network));
    }
}
