//! Server-side rendering of the pages.

use std::{borrow::Cow, sync::Arc};

use app::{
    backend::cookies,
    document::{served, shell},
    i18n::Lang,
    page_settings::{PageSettings, SiteInfo},
    protocol::invitations::RegistrationPolicy,
    routes::Page,
};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts},
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::get,
};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use serde_json::json;
use tower_http::compression::CompressionLayer;

use super::static_files::{CACHE_ONE_HOUR, Site};

/// Settings of the pages.
#[derive(Clone, Debug)]
pub struct Pages {
    /// The client and its style sheet.
    pub site: Site,
    /// Name and links of the site.
    pub info: Arc<SiteInfo>,
    /// Minimum length of a new password, in code points.
    pub password_min: usize,
    /// Seconds that a remembered login lasts without a visit.
    pub remember_seconds: usize,
    /// True if mail is sent.
    pub mail: bool,
    /// Policy of registration.
    pub registration: RegistrationPolicy,
    /// True if a login requires a verified address.
    pub require_verified_address: bool,
    /// True if pages reload when their sources change: in development only.
    pub reload: bool,
}

impl Pages {
    /// Pages of a site with default settings.
    #[must_use]
    pub fn of(site: Site) -> Self {
        Self {
            site,
            info: Arc::default(),
            password_min: 8,
            remember_seconds: 604_800,
            mail: false,
            registration: RegistrationPolicy::Open,
            require_verified_address: false,
            reload: false,
        }
    }
}

/// Pages depend on the language.
pub(super) const VARY: HeaderValue = HeaderValue::from_static("Accept-Language, Cookie");

/// Pages are not cached: their nonce is valid once. Proxies must not rewrite them: hydration finds
/// nodes by their order.
const UNCHANGED: HeaderValue = HeaderValue::from_static("no-store, no-transform");

/// Serves all pages, with a "not found" page for unknown paths.
pub fn router<S: Clone + Send + Sync + 'static>(pages: &Pages) -> Router<S> {
    // The executor that rendering spawns tasks on. Fails if it is set already.
    let _ = any_spawner::Executor::init_tokio();
    let render = {
        let pages = pages.clone();
        leptos_axum::render_app_to_stream_with_context(move || prepare(&pages), render)
    };
    // Compression leaks no secret: pages contain no tokens, and a nonce is valid once. Gzip at its
    // default level: the fastest level adds 0.2 kB to a page, and brotli would save 0.3 kB for
    // twice the time.
    let page = get(render)
        .layer(map_response(finish))
        .post(redirect_to_page)
        .layer(CompressionLayer::new());
    let manifest = manifest(&pages.info);
    pages
        .site
        .router()
        .route(MANIFEST, get(async move || manifest))
        .fallback_service(page.with_state::<()>(()))
}

/// Path of the web app manifest.
const MANIFEST: &str = "/app.webmanifest";

/// The web app manifest, with the name of the site.
fn manifest(info: &SiteInfo) -> impl IntoResponse + Clone + use<> {
    let icon = |src: &str, sizes: &str, purpose: &str| json!({ "src": src, "sizes": sizes, "type": "image/png", "purpose": purpose });
    let manifest = json!({
        "id": "/",
        "name": info.name,
        "short_name": info.name,
        "start_url": "/",
        "scope": "/",
        "display": "browser",
        "background_color": "#f9f8f5",
        "theme_color": "#f9f8f5",
        "icons": [
            { "src": "/favicon.svg", "sizes": "any", "type": "image/svg+xml" },
            icon("/icon-192.png", "192x192", "any"),
            icon("/icon-512.png", "512x512", "any"),
            icon("/icon-maskable-512.png", "512x512", "maskable"),
        ],
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/manifest+json")),
        (header::CACHE_CONTROL, CACHE_ONE_HOUR),
    ];
    (headers, manifest.to_string())
}

/// Provides the context of a page and sets its headers.
fn prepare(pages: &Pages) {
    let parts = use_context::<Parts>();
    provide_context(PageSettings {
        lang: parts.as_ref().map(|parts| language(&parts.headers)).unwrap_or_default(),
        password_min: pages.password_min,
        remember_seconds: pages.remember_seconds,
        site: Arc::clone(&pages.info),
        mail: pages.mail,
        registration: pages.registration,
        require_verified_address: pages.require_verified_address,
        assets: pages.site.assets.clone(),
        reload: pages.reload,
    });
    let Some(response) = use_context::<ResponseOptions>() else { return };
    response.insert_header(header::VARY, VARY);
    let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
    if let Ok(policy) = HeaderValue::try_from(policy(&nonce, pages.reload)) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Completes the HTML of a page, among others with the checksum by which the browser detects changes
/// by proxies, and adds the cache headers.
async fn finish(page: Response) -> Response {
    let (mut head, body) = page.into_parts();
    head.headers.insert(header::CACHE_CONTROL, UNCHANGED);
    // Pages have no streamed parts, so collecting the body delays nothing.
    let Ok(html) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let body = match std::str::from_utf8(&html).map(served) {
        Ok(Cow::Owned(page)) => Body::from(page),
        _ => Body::from(html),
    };
    Response::from_parts(head, body)
}

fn render() -> impl IntoView {
    let path = use_context::<Parts>().map(|parts| parts.uri.path().to_owned()).unwrap_or_default();
    use_context::<PageSettings>().map(|settings| shell(&settings, &path))
}

/// The content security policy of a page (CSP Level 3): own resources, and scripts with the nonce
/// of the response.
fn policy(nonce: &str, reload: bool) -> String {
    // In development a WebSocket on another port reports changes of the sources.
    let socket = if reload { " ws:" } else { "" };
    format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data: blob:; connect-src 'self'{socket}; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    )
}

/// Returns the language of a page: the user's choice, else the browser's preference.
pub(super) fn language(headers: &HeaderMap) -> Lang {
    let chosen = cookies(headers).find(|cookie| cookie.name() == Lang::COOKIE);
    let chosen = chosen.map(|cookie| cookie.value().to_owned());
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Lang::choose(chosen.as_deref(), accepted)
}

/// Handles a form that was submitted without JavaScript: discards the body and redirects to the
/// page, so that no URL carries a field.
async fn redirect_to_page(uri: Uri, _request: Request<Body>) -> Response {
    // Existing pages only: "//elsewhere" would be a redirect to another host.
    if Page::at(uri.path()) == Page::NotFound {
        return StatusCode::NOT_FOUND.into_response();
    }
    let target = if uri.path().starts_with("//") {
        "/"
    } else {
        uri.path_and_query().map_or("/", |uri| uri.as_str())
    };
    let location = HeaderValue::try_from(target).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use axum::http::{HeaderName, Method};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn ask(
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
    ) -> (Response<()>, String) {
        let site = Site::open(Path::new("/nowhere"), None);
        let pages = Pages { password_min: 9, ..Pages::of(site) };
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let answer =
            router::<()>(&pages).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (Response::from_parts(parts, ()), String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn get_page_renders_it_with_its_headers() {
        for (path, status, heading) in [
            ("/", 200, "Your account, in your hands"),
            ("/login", 200, "Log in to your account"),
            ("/login/", 200, "Log in to your account"),
            ("/login?redirect=%2Fprofile", 200, "Log in to your account"),
            ("/register", 200, "Create your account"),
            ("/profile", 200, "Profile"),
            ("/nothing", 404, "Page not found"),
            ("/profile/x", 404, "Page not found"),
        ] {
            let (answer, body) = ask(Method::GET, path, &[]).await;
            assert_eq!(answer.status(), status, "{path}");
            assert!(body.contains(heading), "{path}: {body}");
            assert!(!body.contains("<!>") && body.ends_with("</body></html>"), "{path}: {body}");
            assert!(body.contains("data-password-min=\"9\""), "{body}");
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
            assert_eq!(answer.headers()[header::VARY], VARY, "{path}");
            assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store, no-transform", "{path}");
            let shape = body.split("data-shape=\"").nth(1).and_then(|rest| rest.split('"').next());
            assert!(
                shape.is_some_and(|shape| shape.parse::<u32>().is_ok_and(|shape| shape > 0)),
                "{path}: {shape:?}"
            );
        }
    }

    #[tokio::test]
    async fn get_page_with_accept_encoding_compresses_it() {
        let site = Site::open(Path::new("/nowhere"), None);
        let pages = Pages::of(site);
        for (accepted, encoding) in [("gzip, br", Some("gzip")), ("identity", None)] {
            let request =
                Request::builder().uri("/login").header(header::ACCEPT_ENCODING, accepted);
            let answer =
                router::<()>(&pages).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            let sent =
                answer.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap());
            assert_eq!(sent, encoding);
            let vary: Vec<_> = answer
                .headers()
                .get_all(header::VARY)
                .iter()
                .map(|value| value.to_str().unwrap())
                .collect();
            assert!(
                vary.join(", ").to_ascii_lowercase().contains("accept-encoding")
                    || encoding.is_none()
            );
        }
    }

    #[tokio::test]
    async fn get_page_puts_the_nonce_on_every_script() {
        let (answer, body) = ask(Method::GET, "/login", &[]).await;
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert!(nonce.len() >= 22, "{nonce}");
        assert!(
            !policy.contains("unsafe-inline")
                && !policy.contains("'unsafe-eval'")
                && !policy.contains("ws:")
        );
        for tag in body.split("<script").skip(1) {
            assert!(
                tag.split('>').next().unwrap().contains(&format!("nonce=\"{nonce}\"")),
                "{tag}"
            );
        }
        assert!(!body.contains(" style=\""), "the policy forbids them");
        let (other, _) = ask(Method::GET, "/login", &[]).await;
        assert_ne!(other.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap(), policy);
    }

    #[tokio::test]
    async fn get_page_uses_the_chosen_or_preferred_language() {
        for (cookie, accepted, lang) in [
            ("", "zh-CN,en;q=0.5", "zh"),
            ("", "fr", "en"),
            ("theme=dark; lang=zh", "en", "zh"),
            ("lang=xx", "zh", "zh"),
            ("xlang=zh", "en", "en"),
        ] {
            let headers = [(header::COOKIE, cookie), (header::ACCEPT_LANGUAGE, accepted)];
            let (_, body) = ask(Method::GET, "/login", &headers).await;
            assert!(body.contains(&format!("<html lang=\"{lang}\"")), "{cookie} {accepted}");
        }
    }

    #[tokio::test]
    async fn invariant_25_form_submission_without_javascript_redirects_to_its_own_page_only() {
        for (path, status, location) in [
            ("/login?redirect=%2Fx", 303, Some("/login?redirect=%2Fx")),
            ("/register", 303, Some("/register")),
            ("//", 303, Some("/")),
            ("//evil.example", 404, None),
            ("/nothing", 404, None),
        ] {
            let (answer, _) = ask(Method::POST, path, &[]).await;
            assert_eq!(answer.status(), status, "{path}");
            let sent = answer.headers().get(header::LOCATION).map(|value| value.to_str().unwrap());
            assert_eq!(sent, location, "{path}");
        }
        assert_eq!(ask(Method::DELETE, "/login", &[]).await.0.status(), 405);
    }
}
