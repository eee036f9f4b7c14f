//! Health checks over the router.

use axum::http::{Method, StatusCode};

use crate::app::App;

#[tokio::test]
async fn invariant_52_health_checks_answer_without_token_and_without_details() {
    let app = App::start().await;
    for path in ["/livez", "/readyz"] {
        let response = app.get(path).send().await;
        assert_eq!(response.status, StatusCode::OK, "{path}");
        assert_eq!(response.bytes, b"ok\n", "{path}");
        assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(response.header("x-request-id"), None, "it has no middleware");
        // A token is neither needed nor looked at.
        let response = app.get(path).bearer("nonsense").send().await;
        assert_eq!(response.status, StatusCode::OK, "{path}");
        let response = app.call(Method::HEAD, path).send().await;
        assert_eq!((response.status, &*response.bytes), (StatusCode::OK, &b""[..]), "{path}");
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let response = app.call(method.clone(), path).send().await;
            assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(response.header("allow"), Some("GET,HEAD"));
            assert_eq!(response.header("cache-control"), Some("no-store"));
        }
    }
}

#[tokio::test]
async fn readiness_ends_with_the_beginning_of_the_shutdown() {
    let app = App::start().await;
    assert_eq!(app.get("/readyz").send().await.status, StatusCode::OK);
    app.server.state.readiness.stop();
    let response = app.get("/readyz").send().await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.bytes, b"unavailable\n");
    assert_eq!(app.get("/livez").send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn readiness_before_the_database_is_open_is_false() {
    assert!(!server::http::health::Readiness::default().is_ready().await);
}
