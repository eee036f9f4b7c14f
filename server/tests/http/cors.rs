use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::app::App;

const LISTED: &str = "https://app.example";

#[tokio::test]
async fn invariant_23_cors_by_default_allows_no_other_origin() {
    let app = App::start().await;
    let response = app.get("/api/me").header("origin", LISTED).send().await;
    response.assert_failure(401, "token_missing");
    assert_eq!(
        (response.header("access-control-allow-origin"), response.header("vary")),
        (None, None)
    );
}

#[tokio::test]
async fn invariant_23_cors_of_a_listed_origin_is_matched_exactly() {
    let app = App::with(&[("ALLOWED_ORIGINS", "https://app.example,http://localhost:5173")]).await;
    let response = app.get("/api/me").header("origin", LISTED).send().await;
    assert_eq!(response.header("access-control-allow-origin"), Some(LISTED));
    assert_eq!(response.header("vary"), Some("origin"));
    assert_eq!(response.header("access-control-allow-credentials"), None);
    for origin in [
        "https://app.example.evil",
        "https://app.example:8443",
        "http://app.example",
        "null",
        "https://evil",
    ] {
        let response = app.get("/api/me").header("origin", origin).send().await;
        assert_eq!(response.header("access-control-allow-origin"), None, "{origin}");
        assert_eq!(response.header("vary"), Some("origin"));
    }
}

#[tokio::test]
async fn preflight_from_a_listed_origin_is_answered() {
    let app = App::with(&[("ALLOWED_ORIGINS", LISTED)]).await;
    let ask = |origin: &'static str| {
        app.call(Method::OPTIONS, "/api/auth/logout")
            .header("origin", origin)
            .header("access-control-request-method", "DELETE")
            .header("access-control-request-headers", "authorization")
            .send()
    };
    let response = ask(LISTED).await;
    assert_eq!((response.status, response.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(response.header("access-control-allow-methods"), Some("GET,POST,PUT,PATCH,DELETE"));
    assert_eq!(response.header("access-control-allow-origin"), Some(LISTED));
    assert!(response.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(response.header("access-control-max-age"), Some("600"));
    let response = ask("https://evil.example").await;
    assert_eq!(response.header("access-control-allow-origin"), None);
    let call = app.post("/api/auth/login").json(&json!({})).header("origin", LISTED);
    assert_eq!(call.send().await.header("access-control-allow-origin"), Some(LISTED));
}
