use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::app::App;

const LISTED: &str = "https://app.example";

#[tokio::test]
async fn invariant_23_no_other_origin_is_answered_by_default() {
    let app = App::start().await;
    let answer = app.get("/api/me").header("origin", LISTED).send().await;
    answer.assert_failure(401, "token_missing");
    assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), (None, None));
}

#[tokio::test]
async fn invariant_23_a_listed_origin_is_answered_exactly() {
    let app = App::with(&[("ALLOWED_ORIGINS", "https://app.example,http://localhost:5173")]).await;
    let answer = app.get("/api/me").header("origin", LISTED).send().await;
    assert_eq!(answer.header("access-control-allow-origin"), Some(LISTED));
    assert_eq!(answer.header("vary"), Some("Origin"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    for origin in [
        "https://app.example.evil",
        "https://app.example:8443",
        "http://app.example",
        "null",
        "https://evil",
    ] {
        let answer = app.get("/api/me").header("origin", origin).send().await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        assert_eq!(answer.header("vary"), Some("Origin"));
    }
}

#[tokio::test]
async fn a_browsers_question_is_answered_for_a_listed_origin() {
    let app = App::with(&[("ALLOWED_ORIGINS", LISTED)]).await;
    let ask = |origin: &'static str| {
        app.call(Method::OPTIONS, "/api/auth/logout")
            .header("origin", origin)
            .header("access-control-request-method", "DELETE")
            .header("access-control-request-headers", "authorization")
            .send()
    };
    let answer = ask(LISTED).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.header("access-control-allow-methods"), Some("DELETE, OPTIONS"));
    assert!(answer.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(answer.header("access-control-max-age"), Some("600"));
    let answer = ask("https://evil.example").await;
    assert_eq!(answer.header("access-control-allow-methods"), None);
    let call = app.post("/api/auth/login").json(&json!({})).header("origin", LISTED);
    assert_eq!(call.send().await.header("access-control-allow-origin"), Some(LISTED));
}
