//! Security headers of every kind of response (security invariant 24).

use std::fs;

use axum::{
    Router,
    http::{Method, StatusCode},
    routing::get,
};
use serde_json::json;
use server::http::{
    pages::{self, Pages},
    static_files::Site,
};

use crate::app::{App, PASSWORD, RequestBuilder, Response};

impl App {
    /// The whole router: API, pages and a site of one file.
    fn whole(&self) -> Router {
        let root = self.folder.path().join("site");
        fs::create_dir_all(root.join("pkg")).expect("a folder");
        fs::write(root.join("pkg/gatehouse.css"), "body {}").expect("a file");
        fs::write(root.join("favicon.svg"), "<svg/>").expect("a file");
        let pages = Pages::of(Site::open(&root, None));
        self.server.router(pages::router(&pages).route("/panics", get(panics)))
    }
}

async fn panics() -> StatusCode {
    panic!("as it was asked to")
}

#[track_caller]
fn assert_guarded(what: &str, response: &Response) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(response.header(name), Some(value), "{what}");
    }
    assert!(
        response.header("permissions-policy").is_some_and(|policy| policy.contains("camera=()")),
        "{what}"
    );
    let policies: Vec<_> = response.headers.get_all("content-security-policy").iter().collect();
    assert_eq!(policies.len(), 1, "{what}");
    let policy = response.header("content-security-policy").unwrap();
    for part in ["frame-ancestors 'none'", "base-uri 'none'", "default-src '"] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    for part in ["unsafe-inline", "'unsafe-eval'", "*", "http:", "https:"] {
        assert!(!policy.contains(part), "{what}: {policy}");
    }
    assert!(response.header("cache-control").is_some(), "{what}");
    assert!(response.header("x-request-id").is_some(), "{what}");
    for name in ["server", "x-powered-by"] {
        assert_eq!(response.header(name), None, "{what}");
    }
}

#[tokio::test]
async fn invariant_24_every_kind_of_response_has_security_headers() {
    let app = App::start().await;
    let whole = app.whole();
    let pair = app.register_and_login("alice").await;
    let login = json!({ "username": "alice", "password": PASSWORD });
    let kinds: Vec<(&str, RequestBuilder, u16, &str)> = vec![
        ("a page", app.get("/login"), 200, "no-store, no-transform"),
        ("a page of one's own", app.get("/profile"), 200, "no-store, no-transform"),
        ("no page", app.get("/nothing"), 404, "no-store, no-transform"),
        ("another verb", app.call(Method::PUT, "/login"), 405, "no-store, no-transform"),
        ("a form", app.post("/login"), 303, "no-store"),
        ("a file", app.get("/pkg/gatehouse.css"), 200, "no-cache"),
        ("an icon", app.get("/favicon.svg"), 200, "public, max-age=3600"),
        ("no file", app.get("/pkg/nothing.js"), 404, "no-store"),
        ("a success", app.get("/api/me").bearer(&pair.access), 200, "no-store"),
        ("a log-in", app.post("/api/auth/login").json(&login), 200, "no-store"),
        ("a failure", app.get("/api/me"), 401, "no-store"),
        ("no operation", app.get("/api/nothing"), 404, "no-store"),
        (
            "no JSON",
            app.post("/api/auth/login").header("content-type", "application/json"),
            400,
            "no-store",
        ),
        ("an unsupported method", app.call(Method::OPTIONS, "/api/me"), 405, "no-store"),
        ("the public keys", app.get("/.well-known/jwks.json"), 200, "public, max-age=300"),
        ("the description", app.get("/api/openapi.json"), 200, "no-store"),
        ("its page", app.get("/api/docs"), 200, "no-store"),
        ("a panic", app.get("/panics"), 500, "no-store"),
    ];
    for (what, call, status, kept) in kinds {
        let response = call.to(&whole).send().await;
        assert_eq!(response.status.as_u16(), status, "{what}");
        assert_guarded(what, &response);
        assert_eq!(response.header("cache-control"), Some(kept), "{what}");
        assert_eq!(response.header("strict-transport-security"), None, "{what}");
    }
}

#[tokio::test]
async fn invariant_24_page_csp_allows_only_its_own_nonce() {
    let app = App::start().await;
    let whole = app.whole();
    let mut nonces = Vec::new();
    for path in ["/", "/login", "/register", "/profile", "/nothing"] {
        let response = app.get(path).to(&whole).send().await;
        let policy = response.header("content-security-policy").unwrap().to_owned();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert!(nonce.len() >= 22, "128 bits: {nonce}");
        let directive = |name: &str| {
            policy
                .split(';')
                .map(str::trim)
                .find_map(|part| part.strip_prefix(name))
                .unwrap_or_default()
                .trim()
        };
        assert_eq!(directive("script-src"), format!("'self' 'nonce-{nonce}' 'wasm-unsafe-eval'"));
        assert_eq!(directive("style-src"), format!("'self' 'nonce-{nonce}'"));
        for (name, sources) in
            [("object-src", "'none'"), ("form-action", "'self'"), ("connect-src", "'self'")]
        {
            assert_eq!(directive(name), sources, "{name}");
        }
        let html = response.text();
        for tag in html.split("<script").skip(1).chain(html.split("<style").skip(1)) {
            assert!(
                tag.split('>').next().unwrap().contains(&format!("nonce=\"{nonce}\"")),
                "{path}: {tag}"
            );
        }
        for forbidden in [" style=\"", " onclick=", " onload=", "javascript:"] {
            assert!(!html.contains(forbidden), "{path}: {forbidden}");
        }
        nonces.push(nonce);
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 5, "each is good once");
}

#[tokio::test]
async fn invariant_24_https_response_has_hsts() {
    let app = App::with(&[("TRUSTED_PROXIES", "10.0.0.1")]).await;
    let whole = app.whole();
    for path in
        ["/login", "/nothing", "/pkg/gatehouse.css", "/api/me", "/.well-known/jwks.json", "/panics"]
    {
        let ask = |peer: &str, proto: &str| {
            app.get(path).to(&whole).from(peer).header("x-forwarded-proto", proto).send()
        };
        let comparable = ask("10.0.0.1", "https").await;
        let age = comparable
            .header("strict-transport-security")
            .and_then(|value| value.strip_prefix("max-age="));
        assert!(age.unwrap().parse::<u64>().unwrap() >= 31_536_000, "{path}: a year at least");
        // Browsers ignore it over plain HTTP; untrusted proxies are ignored.
        assert_eq!(
            ask("10.0.0.1", "http").await.header("strict-transport-security"),
            None,
            "{path}"
        );
        assert_eq!(
            ask("192.0.2.1", "https").await.header("strict-transport-security"),
            None,
            "{path}"
        );
    }
}
