//! Tokens that nobody here has made (security invariants 1 and 3 to 6). The codec's own tests go
//! through every claim.

use std::{io::ErrorKind, net::TcpListener};

use axum::http::StatusCode;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::{
    app::{App, START},
    forged_tokens::{self, forge, sign},
};

#[tokio::test]
async fn invariant_01_no_other_algorithm_is_taken_and_none_least_of_all() {
    let app = forged_tokens::app().await;
    let pair = app.person("alice").await;
    assert_eq!(
        app.me(&forge(&pair.access, |_, _| {})).await.status,
        StatusCode::OK,
        "the secret is the right one"
    );
    let mut answers = Vec::new();
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
        answers.extend([app.me(&signed).await, app.me(&unsigned).await]);
    }
    // With our secret, and as it says.
    for (algorithm, name) in [(Algorithm::HS384, "HS384"), (Algorithm::HS512, "HS512")] {
        let token = sign(&pair.access, forged_tokens::SECRET.as_bytes(), algorithm, |header, _| {
            header["alg"] = json!(name);
        });
        answers.push(app.me(&token).await);
    }
    let unsigned = format!("{}.", pair.access.rsplit_once('.').unwrap().0);
    answers.push(app.me(&unsigned).await);
    for answer in &answers {
        answer.assert_failure(401, "token_invalid");
        assert_eq!(answer.told(), answers[0].told());
    }
}

#[tokio::test]
async fn invariant_03_a_token_does_not_say_where_its_key_is() {
    let app = forged_tokens::app().await;
    let pair = app.person("alice").await;
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
        let answer = app.me(&forge(&pair.access, |header, _| header["kid"] = kid.clone())).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{kid}: {}", answer.text());
    }
    // Whoever has signed with a secret of their own tells where it is to be had.
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
        "somebody has looked there"
    );
}

#[tokio::test]
async fn invariant_04_each_type_of_token_is_good_for_its_own_use_alone() {
    let app = forged_tokens::app().await;
    let pair = app.person("alice").await;
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
async fn invariant_05_issuer_and_audience_are_ours() {
    let app = forged_tokens::app().await;
    let pair = app.person("alice").await;
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
        let pair = theirs.person("alice").await;
        assert_eq!(theirs.me(&pair.access).await.status, StatusCode::OK);
        app.me(&pair.access).await.assert_failure(401, "token_invalid");
    }
}

#[tokio::test]
async fn invariant_06_a_token_is_good_from_its_beginning_to_its_end_and_not_a_second_longer() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    app.clock.advance(899);
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
    app.clock.advance(1);
    app.me(&pair.access).await.assert_failure(401, "token_expired");
    // Before its beginning it is good only where its session shows that the clock was set back
    // since.
    app.clock.set(-907);
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
    let bertha = app.person("bertha").await;
    app.clock.set(-6);
    let answer = app
        .delete("/api/me")
        .bearer(&bertha.access)
        .json(&json!({ "username": "bertha" }))
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    app.me(&bertha.access).await.assert_failure(401, "token_invalid");
}

#[tokio::test]
async fn invariant_06_clock_that_was_set_back_signs_no_session_out_and_lets_no_other_token_in() {
    let app = forged_tokens::app().await;
    let pair = app.person("alice").await;
    let ended = app.login("alice").await;
    app.clock.advance(60);
    let pair = app.refresh(&pair.refresh).await.pair();
    app.logout(&ended.access).await;
    app.clock.set(-3600);
    // Also where neither token nor session is in memory.
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
    // A token of the generation before, used twice within the grace, is a retry.
    assert_eq!(app.refresh(&pair.refresh).await.status, StatusCode::OK);
    app.clock.advance(11);
    app.refresh(&pair.refresh).await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn invariant_14_clock_that_was_set_back_lengthens_the_grace_once() {
    let app = App::start().await;
    let first = app.person("alice").await;
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
async fn invariant_06_times_are_whole_seconds_within_five_of_ours() {
    let app = forged_tokens::app().await;
    let pair = app.person("alice").await;
    let with = async |claim: &str, value: Value| {
        app.me(&forge(&pair.access, |_, claims| claims[claim] = value)).await
    };
    for (seconds, code) in [(-1, Some("token_expired")), (0, Some("token_expired")), (1, None)] {
        let answer = with("exp", json!(START + seconds)).await;
        assert_eq!(answer.json().get("code").and_then(Value::as_str), code, "exp {seconds:+}");
    }
    for claim in ["nbf", "iat"] {
        assert_eq!(with(claim, json!(START + 5)).await.status, StatusCode::OK, "{claim}");
        // A token of ours begins before it expires, and is of a session that we know.
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
