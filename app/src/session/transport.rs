//! Requests and responses as plain data: unlike a browser's `Request`, an [`ApiRequest`] can be
//! sent again after a refresh.

use bytes::Bytes;
use http::Method;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::protocol::{
    error::{ApiError, Code, Reason},
    json::from_slice,
    paths,
};

/// A request to the API. It holds no token: that is added when it is sent, so that a repeated
/// request carries the newest one.
#[derive(Clone, Debug)]
pub struct ApiRequest {
    /// HTTP method.
    pub method: Method,
    /// Path and query, on this origin.
    pub url: String,
    /// `Content-Type` of the body.
    pub content_type: String,
    /// `Accept` header: media type of the response.
    pub accept: String,
    /// Body.
    pub body: Option<Bytes>,
}

impl ApiRequest {
    /// Creates a request.
    #[must_use]
    pub fn new(
        url: &str,
        content_type: &str,
        accept: &str,
        method: Method,
        body: Option<Bytes>,
    ) -> Self {
        Self {
            method,
            url: url.to_owned(),
            content_type: content_type.to_owned(),
            accept: accept.to_owned(),
            body,
        }
    }

    /// The request for the next pair of tokens.
    #[must_use]
    pub fn refresh() -> Self {
        Self::without_body(Method::POST, paths::REFRESH)
    }

    /// The request that ends the session.
    #[must_use]
    pub fn logout() -> Self {
        Self::without_body(Method::DELETE, paths::LOGOUT)
    }

    /// The request that only checks the access token.
    #[must_use]
    pub fn verify() -> Self {
        Self::without_body(Method::POST, paths::VERIFY)
    }

    fn without_body(method: Method, url: &str) -> Self {
        const JSON: &str = "application/json";
        Self::new(url, JSON, JSON, method, None)
    }

    /// Returns whether the operation needs no access token. A 401 from it does not mean an expired
    /// token, but a wrong password, say.
    #[must_use]
    pub fn is_public(&self) -> bool {
        [paths::LOGIN, paths::REGISTER, paths::REFRESH].contains(&self.url.as_str())
    }
}

/// A response of the API.
#[derive(Clone, Debug)]
pub struct ApiResponse {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, empty if missing.
    pub content_type: String,
    /// Body.
    pub body: Bytes,
    /// `Date` in Unix time (seconds): the server's clock, which the expiry of tokens refers to.
    pub date: Option<i64>,
}

/// Adds the `Retry-After` header, in seconds (RFC 9110 §10.2.3), to the body of an error: errors
/// are parsed from their body alone.
#[must_use]
pub fn with_retry_after(body: Vec<u8>, header: Option<String>) -> Vec<u8> {
    match (header.and_then(|seconds| seconds.parse::<u32>().ok()), body.strip_prefix(b"{")) {
        (Some(seconds), Some(members)) => {
            [format!("{{\"retry_after\":{seconds},").as_bytes(), members].concat()
        }
        _ => body,
    }
}

/// The server did not respond: no network, no server, a timeout, or a proxy in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkError;

impl ApiResponse {
    /// Returns whether the response comes from the server. Captive portals, gateways and sign-on
    /// proxies respond in its place, with any status: a success must have the requested media type,
    /// any other response the body of an API error.
    #[must_use]
    pub fn is_from_server(&self, accept: &str) -> bool {
        match self.status {
            200..=299 => self.content_type.starts_with(accept.trim_end_matches('*')),
            _ => self.error().is_some(),
        }
    }

    /// The API error in the body, if its code belongs to the status. A code that this version does
    /// not know may come from a newer server.
    #[must_use]
    pub fn error(&self) -> Option<ApiError> {
        if self.status < 400 {
            return None;
        }
        let error: ApiError = from_slice(&self.body).ok()?;
        let fits = error.code == Code::Unknown || error.code.status() == self.status;
        (fits && !error.request_id.is_empty()).then_some(error)
    }

    /// The decoded body of a success; `None` for an error or a body of another type.
    #[must_use]
    pub fn success<T: DeserializeOwned>(&self) -> Option<T> {
        from_slice(&self.body).ok().filter(|_| (200..300).contains(&self.status))
    }

    /// Returns whether it confirms an operation that returns no data ([`crate::protocol::Done`]).
    /// Gateways that report errors with status 200 add a `code` to their `message`, which no
    /// success of the API has.
    #[must_use]
    pub fn is_confirmation(&self) -> bool {
        #[derive(Deserialize)]
        struct Body {
            #[serde(rename = "message")]
            _message: String,
            code: Option<IgnoredAny>,
        }
        self.success::<Body>().is_some_and(|body| body.code.is_none())
    }

    /// Returns whether the token was rejected for a reason that a refresh may resolve.
    #[must_use]
    pub fn is_token_rejected(&self) -> bool {
        self.error().is_some_and(|error| error.code.is_about_token())
    }

    /// Returns whether the operation requires a fresh token, that is re-authentication.
    #[must_use]
    pub fn requires_reauth(&self) -> bool {
        self.error().is_some_and(|error| error.code == Code::FreshRequired)
    }

    /// The reason why the session was revoked, if given.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.error().and_then(|error| error.reason)
    }
}

/// Decodes the result of a request.
///
/// # Errors
///
/// The API error of the response, or [`Code::Network`] if there is no response of the server.
pub fn decode<T: DeserializeOwned>(
    result: &Result<ApiResponse, NetworkError>,
) -> Result<T, ApiError> {
    let response = result.as_ref().ok();
    response.and_then(ApiResponse::success).ok_or_else(|| {
        response.and_then(ApiResponse::error).unwrap_or_else(|| ApiError::local(Code::Network))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_retry_after_on_error_adds_header_to_body() {
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

    fn response(status: u16, content_type: &str, body: &str) -> ApiResponse {
        let body = Bytes::copy_from_slice(body.as_bytes());
        ApiResponse { status, content_type: content_type.to_owned(), body, date: None }
    }

    #[test]
    fn is_from_server_without_api_error_body_is_false_for_any_status() {
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
                let response = response(status, content_type, body);
                let says = format!("{status} {content_type} {body}");
                // JSON with a success status passes here; decoding it to the expected type decides.
                let is_from_server = (content_type == JSON && (200..300).contains(&status))
                    || (body == ENVELOPE && status == 401);
                assert_eq!(response.is_from_server(JSON), is_from_server, "{says}");
                assert_eq!(
                    response.is_token_rejected(),
                    body == ENVELOPE && status == 401,
                    "{says}"
                );
                assert!(!response.requires_reauth(), "{says}");
                assert!(!response.is_confirmation(), "{says}");
            }
        }
        assert!(response(200, JSON, r#"{"message":"Logged out","more":1}"#).is_confirmation());
        assert!(response(200, "image/webp", "RIFF").is_from_server("image/*"));
        assert!(!response(200, "text/html", "<html>").is_from_server("image/*"));
        let newer = response(418, JSON, r#"{"code":"teapot","message":"?","request_id":"r"}"#);
        assert!(newer.is_from_server(JSON) && !newer.is_token_rejected());
    }

    #[test]
    fn decode_of_response_returns_success_api_error_or_network_error() {
        use crate::protocol::Done;
        let code = |outcome: Result<ApiResponse, NetworkError>| {
            decode::<Done>(&outcome).map(|_| ()).map_err(|error| error.code)
        };
        let envelope = r#"{"code":"unavailable","message":"?","request_id":"r"}"#;
        assert_eq!(code(Ok(response(200, "", r#"{"message":"?"}"#))), Ok(()));
        assert_eq!(code(Ok(response(503, "", envelope))), Err(Code::Unavailable));
        assert_eq!(
            code(Ok(response(500, "", envelope))),
            Err(Code::Network),
            "code of another status"
        );
        assert_eq!(code(Ok(response(200, "", "<html>"))), Err(Code::Network));
        assert_eq!(code(Ok(response(401, "", "<html>"))), Err(Code::Network));
        assert_eq!(code(Err(NetworkError)), Err(Code::Network));
    }
}
