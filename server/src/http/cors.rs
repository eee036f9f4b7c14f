//! Cross-origin requests (Fetch Standard, "CORS protocol"): from the origins of a list only. Tokens
//! are sent in a header, so credentials (cookies) are not allowed.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Time that a browser may cache the response to a preflight request.
const MAX_AGE: Duration = Duration::from_mins(10);

/// Middleware that allows these origins; `None` without origins.
pub(super) fn layer(allowed_origins: &[String]) -> Option<CorsLayer> {
    let origins: Vec<_> =
        allowed_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    if origins.is_empty() {
        return None;
    }
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT_LANGUAGE])
        .expose_headers([
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            HeaderName::from_static("x-request-id"),
        ])
        .max_age(MAX_AGE)
        .vary([header::ORIGIN]);
    Some(layer)
}
