//! The HTML page for internal errors. It depends on nothing that may be broken too: no rendering, no
//! files.

use app::{
    backend::RequestId,
    i18n::{Lang, messages::Messages, strings::Strings},
};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::Response,
};

use super::pages;
use crate::clock::Env;

const PAGE: &str = include_str!("error_page.html");
/// Bytes of a nonce: it cannot be guessed (CSP Level 3 §2.3.1 asks for 128 bits).
const NONCE_BYTES: usize = 16;

/// Returns whether the response is displayed by a browser: responses under `/api` are for programs.
pub(super) fn is_for_browser(uri: &Uri, headers: &HeaderMap) -> bool {
    let path = uri.path();
    let is_api = path == "/api" || path.starts_with("/api/");
    let mut accepted =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    !is_api && accepted.any(|accepted| accepted.contains("text/html"))
}

/// Renders the page, with the request id.
pub(super) fn page(lang: Lang, id: &RequestId, env: &Env) -> Response<Body> {
    let nonce = format!("{:032x}", u128::from_be_bytes(env.random::<NONCE_BYTES>()));
    let strings = Strings::of(lang);
    let parts = [
        ("{lang}", lang.tag()),
        ("{nonce}", &nonce),
        ("{product}", strings.product),
        ("{what}", Messages::of(lang).page_failed),
        ("{why}", strings.help_server_error),
        ("{id}", &*id.0),
        ("{reload}", strings.reload),
        ("{home}", strings.to_home),
    ];
    let page = parts.iter().fold(PAGE.to_owned(), |page, (place, text)| page.replace(place, text));
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let headers = response.headers_mut();
    headers.insert(header::VARY, pages::VARY);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_page_is_for_browsers_and_not_for_the_api() {
        for (path, accepted, expected) in [
            ("/profile", "text/html,application/xhtml+xml,*/*;q=0.8", true),
            ("/apis", "text/html", true),
            ("/api/me", "text/html", false),
            ("/api", "text/html", false),
            ("/profile", "application/json", false),
            ("/profile", "*/*", false),
        ] {
            let headers =
                HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accepted))]);
            assert_eq!(
                is_for_browser(&Uri::from_static(path), &headers),
                expected,
                "{path} {accepted}"
            );
        }
    }
}
