//! HTML pages for errors outside the app: an internal error, an unknown file, a method or a host that
//! is not served.

use app::{
    backend::{Failure, RequestId},
    i18n::{Lang, document::DocumentStrings, messages::Messages, strings::Strings},
    page_settings::SiteInfo,
    protocol::error::Code,
};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::Response,
};

use super::{
    pages,
    plain_page::{self, PlainPage},
};
use crate::clock::Env;

/// Style of these pages beyond the common one.
const STYLE: &str = "main { display: grid; place-content: center; justify-items: center; max-width: 36rem; text-align: center; }
main svg { width: 6rem; stroke-width: 1.4; }
p { margin: 0.25rem 0; }
code { overflow-wrap: anywhere; }
main a { display: inline-block; padding: 0.625rem; font-weight: 600; }
";
/// Bytes of a nonce: it cannot be guessed (CSP Level 3 §2.3.1 asks for 128 bits).
const NONCE_BYTES: usize = 16;
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Returns whether the response is displayed by a browser: responses under `/api` are for programs.
pub(super) fn is_for_browser(uri: &Uri, headers: &HeaderMap) -> bool {
    let path = uri.path();
    let is_api = path == "/api" || path.starts_with("/api/");
    let mut accepted =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    !is_api && accepted.any(|accepted| accepted.contains("text/html"))
}

/// Returns whether a response to a browser is an error without a page.
pub(super) fn lacks_page<B>(response: &Response<B>) -> bool {
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    is_error && response.headers().get(header::CONTENT_TYPE) != Some(&HTML)
}

/// Replaces the body of an error response by a page, with the request id.
pub(super) fn page(
    status: StatusCode,
    mut headers: HeaderMap,
    lang: Lang,
    site: &SiteInfo,
    id: &RequestId,
    env: &Env,
) -> Response<Body> {
    let nonce = format!("{:032x}", u128::from_be_bytes(env.random::<NONCE_BYTES>()));
    let (title, text) = texts(status, lang);
    let strings = DocumentStrings::of(lang);
    let content = format!(
        "<svg viewBox=\"0 0 32 32\" aria-hidden=\"true\"><path d=\"M5 28V15a11 11 0 0 1 22 0v13M2.5 28h27M10 28V15.5a6 6 0 0 1 12 0V28M18.6 20.5v1.5\"/></svg>\n\
         <h1>{title}</h1>\n<p>{text}{id}</p>\n\
         <p><a href=\"\">{reload}</a> <a href=\"/\">{home}</a></p>\n",
        // An unknown address is no case for the log.
        id = if status == StatusCode::NOT_FOUND {
            String::new()
        } else {
            format!(" <code>{}</code>", id.0)
        },
        reload = strings.reload,
        home = Strings::of(lang).to_home,
    );
    let style = format!("<style nonce=\"{nonce}\">{}{STYLE}</style>", plain_page::STYLE);
    let page = PlainPage { lang, site, title: &title, style: &style, content: &content };
    let mut response = Response::new(Body::from(page.html()));
    *response.status_mut() = status;
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::CONTENT_ENCODING);
    headers.insert(header::VARY, pages::VARY);
    headers.insert(header::CONTENT_TYPE, HTML);
    if let Ok(policy) = HeaderValue::try_from(plain_page::policy(&format!("'nonce-{nonce}'"))) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    *response.headers_mut() = headers;
    response
}

/// Title and explanation of an error.
fn texts(status: StatusCode, lang: Lang) -> (String, &'static str) {
    let strings = Strings::of(lang);
    let message = |code: Code| Failure::from(code).into_api_error(lang, "").message;
    let request = DocumentStrings::of(lang).request_number;
    match status {
        StatusCode::NOT_FOUND => (strings.not_found.to_owned(), strings.not_found_text),
        StatusCode::METHOD_NOT_ALLOWED => (message(Code::MethodNotAllowed), request),
        StatusCode::SERVICE_UNAVAILABLE => (message(Code::Unavailable), request),
        status if status.is_client_error() => (message(Code::BadRequest), request),
        _ => (Messages::of(lang).page_failed.to_owned(), strings.help_server_error),
    }
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

    #[test]
    fn page_of_any_status_names_it_in_both_languages() {
        for (status, lang, title) in [
            (404, Lang::En, "Page not found"),
            (404, Lang::Zh, "页面不存在"),
            (405, Lang::En, "This method is not allowed here"),
            (400, Lang::En, "The request could not be understood"),
            (413, Lang::Zh, "请求格式不正确"),
            (503, Lang::En, "The service is busy, please try again shortly"),
            (500, Lang::Zh, "此页面未能显示"),
        ] {
            let (found, text) = texts(StatusCode::from_u16(status).unwrap(), lang);
            assert_eq!(found, title, "{status}");
            assert!(!text.is_empty());
        }
    }
}
