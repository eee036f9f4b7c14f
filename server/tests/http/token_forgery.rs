//! Forged tokens (security invariants 1 and 3 to 6). The unit tests of the codec cover every claim.

use std::{io::ErrorKind, net::TcpListener};

use axum::http::StatusCode;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::{
    app::{App, START},
    forged_tokens::{self, forge, sign},
};

#[tokio::test]
async fn invariant_01_token_with_other_algorithm_or_none_is_rejected() {
    let app = forged_tokens::app().await;
    let pair = app.register_and_login("alice").await;
    assert_eq!(
        app.me(&forge(&pair.access, |_, _| {})).await.status,
        StatusCode::OK,
        "the secret is the right one"
    );
    let mut responses = Vec::new();
    for alg in [
        json!("none"),
        json!("None"),
        json!("nOnE"),
        json!("NONE"),
        json!(""),
        json!("HS384"),
        json!("HS512"),
        json!("RS256"),
        json!("EdDSA"),
        json!("hs256"),
        json!(null),
        json!(["HS256"]),
    ] {
        let signed = forge(&pair.access, |header, _| header["alg"] = alg);
        let unsigned = format!("{}.", signed.rsplit_once('.').unwrap().0);
        responses.extend([app.me(&signed).await, app.me(&unsigned).await]);
    }
    // Signed with the application's secret and the stated algorithm.
    for (algorithm, name) in [(Algorithm::HS384, "HS384"), (Algorithm::HS512, "HS512")] {
        let token = sign(&pair.access, forged_tokens::SECRET.as_bytes(), algorithm, |header, _| {
            header["alg"] = json!(name);
        });
        responses.push(app.me(&token).await);
    }
    let unsigned = format!("{}.", pair.access.rsplit_once('.').unwrap().0);
    responses.push(app.me(&unsigned).await);
    for response in &responses {
        response.assert_failure(401, "token_invalid");
        assert_eq!(response.comparable(), responses[0].comparable());
    }
}

#[tokio::test]
async fn invariant_03_token_with_embedded_key_or_key_url_is_rejected() {
    let app = forged_tokens::app().await;
    let pair = app.register_and_login("alice").await;
    for kid in [
        json!("../../dev/null"),
        json!("/dev/null"),
        json!("' OR 1=1--"),
        json!("unknown"),
        json!(""),
        json!(7),
        json!(null),
        json!("x".repeat(10_000)),
    ] {
        let response = app.me(&forge(&pair.access, |header, _| header["kid"] = kid.clone())).await;
        assert_eq!(response.status, StatusCode::UNAUTHORIZED, "{kid}: {}", response.text());
    }
    // A token signed with an attacker's key that says where to fetch it.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("http://{}/keys", listener.local_addr().unwrap());
    let secret = b"the secret of somebody else, who is not us";
    let jwk =
        json!({ "kty": "oct", "k": "dGhlIHNlY3JldCBvZiBzb21lYm9keSBlbHNlLCB3aG8gaXMgbm90IHVz" });
    for (member, value) in
        [("jku", json!(address)), ("x5u", json!(address)), ("jwk", jwk), ("x5c", json!([address]))]
    {
        let token =
            sign(&pair.access, secret, Algorithm::HS256, |header, _| header[member] = value);
        app.me(&token).await.assert_failure(401, "token_invalid");
    }
    assert_eq!(
        listener.accept().unwrap_err().kind(),
        ErrorKind::WouldBlock,
        "the address was requested"
    );
}

#[tokio::test]
async fn invariant_04_token_of_the_wrong_type_is_rejected() {
    let app = forged_tokens::app().await;
    let pair = app.register_and_login("alice").await;
    app.me(&pair.refresh).await.assert_failure(401, "token_wrong_type");
    app.post("/api/auth/verify")
        .bearer(&pair.refresh)
        .send()
        .await
        .assert_failure(401, "token_wrong_type");
    app.refresh(&pair.access).await.assert_failure(401, "token_wrong_type");
    for (typ, kind) in [
        (json!("JWT"), json!("access")),
        (json!("at+jwt"), json!("refresh")),
        (json!("rt+jwt"), json!("access")),
        (json!(null), json!("access")),
        (json!("at+jwt"), json!(null)),
        (json!("at+jwt"), json!("mfa")),
    ] {
        let token = forge(&pair.access, |header, claims| {
            header["typ"] = typ.clone();
            claims["type"] = kind.clone();
        });
        app.me(&token).await.assert_failure(401, "token_wrong_type");
    }
}

#[tokio::test]
async fn invariant_05_token_with_other_issuer_or_audience_is_rejected() {
    let app = forged_tokens::app().await;
    let pair = app.register_and_login("alice").await;
    for claim in ["iss", "aud"] {
        for value in [
            json!("another"),
            json!(["gatehouse"]),
            json!(["gatehouse", "another"]),
            json!(""),
            json!(null),
        ] {
            let token = forge(&pair.access, |_, claims| claims[claim] = value.clone());
            app.me(&token).await.assert_failure(401, "token_invalid");
        }
        let token = forge(&pair.access, |_, claims| {
            claims.as_object_mut().unwrap().remove(claim);
        });
        app.me(&token).await.assert_failure(401, "token_invalid");
    }
    let secret = ("JWT_SECRET", forged_tokens::SECRET);
    for other in [("JWT_ISSUER", "another"), ("JWT_AUDIENCE", "another")] {
        let theirs = App::with(&[secret, other]).await;
        let pair = theirs.register_and_login("alice").await;
        assert_eq!(theirs.me(&pair.access).await.status, StatusCode::OK);
        app.me(&pair.access).await.assert_failure(401, "token_invalid");
    }
}

#[tokio::test]
async fn invariant_06_token_outside_nbf_and_exp_is_rejected_to_the_second() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    app.clock.advance(899);
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
    app.clock.advance(1);
    app.me(&pair.access).await.assert_failure(401, "token_expired");
    // Before `nbf` it is accepted only if its session proves that the clock was set back.
    app.clock.set(-907);
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
    let bertha = app.register_and_login("bertha").await;
    app.clock.set(-6);
    let response = app
        .delete("/api/me")
        .bearer(&bertha.access)
        .json(&json!({ "username": "bertha" }))
        .send()
        .await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    app.me(&bertha.access).await.assert_failure(401, "token_invalid");
}

#[tokio::test]
async fn invariant_06_clock_set_back_keeps_sessions_and_accepts_no_other_token() {
    let app = forged_tokens::app().await;
    let pair = app.register_and_login("alice").await;
    let ended = app.login("alice").await;
    app.clock.advance(60);
    let pair = app.refresh(&pair.refresh).await.pair();
    app.logout(&ended.access).await;
    app.clock.set(-3600);
    // Also if neither token nor session is cached.
    let app = app.restart().await;
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
    app.me(&pair.refresh).await.assert_failure(401, "token_wrong_type");
    app.refresh(&pair.access).await.assert_failure(401, "token_wrong_type");
    app.me(&ended.access).await.assert_failure(401, "token_revoked");
    for (claim, value) in [
        ("sid", json!(uuid::Uuid::from_u128(1))),
        ("sub", json!(uuid::Uuid::from_u128(1))),
        ("gen", json!(3)),
        ("exp", json!(START + 2_592_001)),
        ("iat", json!(START + 2_592_000)),
        ("nbf", json!(START + 2_592_000)),
        ("iss", json!("another")),
        ("type", json!("refresh")),
    ] {
        let token = forge(&pair.access, |_, claims| claims[claim] = value.clone());
        app.me(&token).await.assert_failure(401, "token_invalid");
    }
    let next = app.refresh(&pair.refresh).await.pair();
    assert_eq!(app.me(&next.access).await.status, StatusCode::OK);
    assert_eq!(app.me(&next.access).await.json()["login_time"], START + 60 - 3600);
    // A token of the previous generation, used twice within the grace, is a retry.
    assert_eq!(app.refresh(&pair.refresh).await.status, StatusCode::OK);
    app.clock.advance(11);
    app.refresh(&pair.refresh).await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn invariant_14_clock_set_back_extends_the_grace_once() {
    let app = App::start().await;
    let first = app.register_and_login("alice").await;
    let second = app.refresh(&first.refresh).await.pair();
    assert_eq!(app.me(&second.access).await.status, StatusCode::OK);
    app.clock.set(-3600);
    for seconds in [0, 10] {
        app.clock.advance(seconds);
        assert_eq!(app.refresh(&first.refresh).await.status, StatusCode::OK);
    }
    assert_eq!(app.me(&second.access).await.status, StatusCode::OK);
    app.clock.advance(1);
    app.refresh(&first.refresh).await.assert_failure(401, "token_revoked");
    app.me(&second.access).await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn invariant_06_token_with_times_beyond_five_seconds_leeway_is_rejected() {
    let app = forged_tokens::app().await;
    let pair = app.register_and_login("alice").await;
    let with = async |claim: &str, value: Value| {
        app.me(&forge(&pair.access, |_, claims| claims[claim] = value)).await
    };
    for (seconds, code) in [(-1, Some("token_expired")), (0, Some("token_expired")), (1, None)] {
        let response = with("exp", json!(START + seconds)).await;
        assert_eq!(response.json().get("code").and_then(Value::as_str), code, "exp {seconds:+}");
    }
    for claim in ["nbf", "iat"] {
        assert_eq!(with(claim, json!(START + 5)).await.status, StatusCode::OK, "{claim}");
        // A genuine token begins before it expires and belongs to a known session.
        with(claim, json!(START + 86_400 * 365_000)).await.assert_failure(401, "token_invalid");
        let foreign = forge(&pair.access, |_, claims| {
            claims[claim] = json!(START + 6);
            claims["sid"] = json!(uuid::Uuid::from_u128(1));
        });
        app.me(&foreign).await.assert_failure(401, "token_invalid");
    }
    for claim in ["exp", "nbf", "iat"] {
        for odd in [
            json!("1800000100"),
            json!(1_800_000_100.5),
            json!(1_u64 << 63),
            json!(null),
            json!([]),
            json!(true),
        ] {
            with(claim, odd).await.assert_failure(401, "token_invalid");
        }
        let without = forge(&pair.access, |_, claims| {
            claims.as_object_mut().unwrap().remove(claim);
        });
        app.me(&without).await.assert_failure(401, "token_invalid");
    }
}
