//! Pages of other origins (Fetch Standard, "CORS protocol"): none by default, those of a list
//! exactly. They bring the token in a header; cookies have no say.

use axum::http::{HeaderMap, HeaderValue, header};

/// Seconds for which a browser may remember the answer to its question.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const REQUEST_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, accept-language");
const RESPONSE_HEADERS: HeaderValue =
    HeaderValue::from_static("retry-after, www-authenticate, x-request-id");

/// What the browser is told about the page that calls.
pub(super) struct Cors {
    origin: Option<HeaderValue>,
    is_question: bool,
    lists_any: bool,
}

impl Cors {
    /// Reads a request's headers against the list.
    pub(super) fn read(headers: &HeaderMap, allowed: &[String]) -> Self {
        let listed = |origin: &&HeaderValue| {
            allowed.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes())
        };
        Self {
            origin: headers.get(header::ORIGIN).filter(listed).cloned(),
            is_question: headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD),
            lists_any: !allowed.is_empty(),
        }
    }

    /// Writes an answer's headers. Its list of verbs is there already.
    pub(super) fn write(self, headers: &mut HeaderMap) {
        if self.lists_any {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        let Some(origin) = self.origin else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
        if let (true, Some(allow)) = (self.is_question, headers.get(header::ALLOW).cloned()) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
    }
}
