//! Cookies of requests and responses.

use cookie::{Cookie, SameSite, time::Duration};
use http::{HeaderMap, HeaderValue, header};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use super::ClientInfo;

/// Returns the cookies of a request (RFC 6265 §5.4), without malformed ones.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(Cookie::split_parse).flatten()
}

/// Adds a cookie to the response: hidden from scripts and from other sites, and sent to this path
/// only.
pub(super) fn set_cookie(
    (name, value): (&str, &str),
    path: &str,
    max_age_seconds: i64,
    client_info: &ClientInfo,
) {
    let cookie = Cookie::build((name, value))
        .path(path)
        .max_age(Duration::seconds(max_age_seconds))
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(client_info.is_encrypted);
    let line = HeaderValue::try_from(cookie.to_string());
    if let (Some(options), Ok(line)) = (use_context::<ResponseOptions>(), line) {
        options.append_header(header::SET_COOKIE, line);
    }
}
