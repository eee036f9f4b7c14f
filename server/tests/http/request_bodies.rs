//! Request bodies: any content gets a documented response.

use axum::http::StatusCode;
use proptest::prelude::*;
use serde_json::json;

use crate::app::{App, PASSWORD, Response};

async fn send(app: &App, path: &str, body: impl Into<Vec<u8>>) -> Response {
    app.post(path).header("content-type", "application/json").body(body.into()).send().await
}

#[tokio::test]
async fn request_with_body_other_than_an_object_is_bad_request() {
    let app = App::start().await;
    app.register("alice").await;
    for body in [
        json!(["alice", PASSWORD]),
        json!(["alice", PASSWORD, null]),
        json!([]),
        json!("alice"),
        json!(1),
    ] {
        for path in ["/api/auth/login", "/api/auth/register"] {
            send(&app, path, body.to_string()).await.assert_failure(400, "bad_request");
        }
    }
    // Unknown members must be valid UTF-8, too.
    let rest = json!({ "username": "alice", "password": PASSWORD }).to_string().split_off(1);
    for unknown in [&b"\"x\":\"\xff\","[..], b"\"\xc3\x28\":1,", b"\"x\":\"\xed\xa0\x80\","] {
        let body = [b"{", unknown, rest.as_bytes()].concat();
        send(&app, "/api/auth/login", body).await.assert_failure(400, "bad_request");
    }
    let spaced = format!(" \r\n\t{}\n", json!({ "username": "alice", "password": PASSWORD }));
    assert_eq!(send(&app, "/api/auth/login", spaced).await.status, StatusCode::OK);
}

#[tokio::test]
async fn request_with_deeply_nested_body_does_not_overflow_the_stack() {
    let app = App::start().await;
    app.register("alice").await;
    let nested = |(open, close): (&str, &str), depth: usize| {
        format!("{}0{}", open.repeat(depth), close.repeat(depth))
    };
    let with = |member: &str, value: &str| {
        let password = if member == "password" {
            String::new()
        } else {
            format!(r#","password":"{PASSWORD}""#)
        };
        format!(r#"{{"{member}":{value},"username":"alice"{password}}}"#)
    };
    for brackets in [("[", "]"), (r#"{"a":"#, "}")] {
        for depth in [100, 127, 128, 129, 1_000, 10_000] {
            // In an unknown member it is ignored; in a known member it has the wrong type.
            let unknown = with("unknown", &nested(brackets, depth));
            assert_eq!(
                send(&app, "/api/auth/login", unknown).await.status,
                StatusCode::OK,
                "{depth}"
            );
            let known = with("password", &nested(brackets, depth));
            send(&app, "/api/auth/login", known).await.assert_failure(400, "bad_request");
        }
        for path in ["/api/auth/login", "/api/auth/register"] {
            let response = send(&app, path, with("unknown", &nested(brackets, 100_000))).await;
            response.assert_failure(413, "payload_too_large");
            send(&app, path, brackets.0.repeat(10_000)).await.assert_failure(400, "bad_request");
        }
    }
    assert_eq!(app.login("alice").await.access.split('.').count(), 3, "it goes on afterwards");
}

/// Objects similar to a login or registration, and arbitrary bytes.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        any::<String>().prop_map(|text| json!(text).to_string()),
        "[\\[{\"a:1,}\\]]{0,20}",
        prop::sample::select(vec![
            "null",
            "true",
            "0",
            "\"\"",
            "\"alice\"",
            "\"correct horse battery\"",
            "\"\\ud800\""
        ])
        .prop_map(str::to_owned),
    ];
    let member = ("username|password|nickname|remember|x", value)
        .prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let object = prop::collection::vec(member, 0..5)
        .prop_map(|members| format!("{{{}}}", members.join(",")).into_bytes());
    prop_oneof![1 => prop::collection::vec(any::<u8>(), 0..200), 3 => object]
}

#[test]
fn request_with_arbitrary_body_gets_a_documented_response() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = runtime.block_on(App::with(&[("RATE_LIMITS", "off")]));
    proptest!(ProptestConfig::with_cases(200), |(body in bodies(), registers: bool)| {
        let path = if registers { "/api/auth/register" } else { "/api/auth/login" };
        let response = runtime.block_on(send(&app, path, body));
        match response.status.as_u16() {
            200 | 201 => prop_assert!(response.json()["user"].is_object()),
            400 if response.json()["code"] == "validation_failed" => response.assert_failure(400, "validation_failed"),
            400 => response.assert_failure(400, "bad_request"),
            401 => response.assert_failure(401, "invalid_credentials"),
            409 => response.assert_failure(409, "username_taken"),
            other => prop_assert!(false, "{other}: {}", response.text()),
        }
    });
}
