//! Whatever comes as a body is answered, and as the contract says.

use axum::http::StatusCode;
use proptest::prelude::*;
use serde_json::json;

use crate::app::{Answer, App, PASSWORD};

async fn send(app: &App, path: &str, body: impl Into<Vec<u8>>) -> Answer {
    app.post(path).header("content-type", "application/json").body(body.into()).send().await
}

#[tokio::test]
async fn a_body_is_an_object() {
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
    // Not even where nobody looks at it may it be anything else than text.
    let rest = json!({ "username": "alice", "password": PASSWORD }).to_string().split_off(1);
    for unknown in [&b"\"x\":\"\xff\","[..], b"\"\xc3\x28\":1,", b"\"x\":\"\xed\xa0\x80\","] {
        let body = [b"{", unknown, rest.as_bytes()].concat();
        send(&app, "/api/auth/login", body).await.assert_failure(400, "bad_request");
    }
    let spaced = format!(" \r\n\t{}\n", json!({ "username": "alice", "password": PASSWORD }));
    assert_eq!(send(&app, "/api/auth/login", spaced).await.status, StatusCode::OK);
}

#[tokio::test]
async fn however_deep_a_body_is_nobody_falls_into_it() {
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
            // Where nobody looks it does no harm; where somebody does, it is not what was asked
            // for.
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
            let answer = send(&app, path, with("unknown", &nested(brackets, 100_000))).await;
            answer.assert_failure(413, "payload_too_large");
            send(&app, path, brackets.0.repeat(10_000)).await.assert_failure(400, "bad_request");
        }
    }
    assert_eq!(app.login("alice").await.access.split('.').count(), 3, "it goes on afterwards");
}

/// Objects that are nearly a log-in or a registration, and what is nothing at all.
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
fn whatever_comes_is_answered() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = runtime.block_on(App::with(&[("RATE_LIMITS", "off")]));
    proptest!(ProptestConfig::with_cases(200), |(body in bodies(), registers: bool)| {
        let path = if registers { "/api/auth/register" } else { "/api/auth/login" };
        let answer = runtime.block_on(send(&app, path, body));
        match answer.status.as_u16() {
            200 | 201 => prop_assert!(answer.json()["user"].is_object()),
            400 if answer.json()["code"] == "validation_failed" => answer.assert_failure(400, "validation_failed"),
            400 => answer.assert_failure(400, "bad_request"),
            401 => answer.assert_failure(401, "invalid_credentials"),
            409 => answer.assert_failure(409, "username_taken"),
            other => prop_assert!(false, "{other}: {}", answer.text()),
        }
    });
}
