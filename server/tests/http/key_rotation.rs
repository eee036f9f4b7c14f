//! Signing keys: rotation keeps sessions, retirement rejects the tokens of a key; public keys are
//! published.

use axum::http::{Method, StatusCode};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use server::commands::keys::{self, CommandError, KeysCommand};
use sha2::Sha256;

use crate::app::{App, START};

const JWKS: &str = "/.well-known/jwks.json";

impl App {
    /// Runs `gatehouse keys …` and returns its output.
    async fn keys(&self, command: KeysCommand) -> Result<String, CommandError> {
        let mut out = Vec::new();
        keys::run(command, &self.config(), &self.env(), &mut out).await?;
        Ok(String::from_utf8(out).expect("text"))
    }

    /// Rotates with the command, lets the server read the key file as it does periodically, and
    /// returns the new key id.
    async fn rotate(&self) -> String {
        let said = self.keys(KeysCommand::Rotate).await.expect("rotated");
        self.server.state.keys.reload().await.expect("reloaded");
        let kid = said.split(' ').nth(1).expect("a name").to_owned();
        assert_eq!(self.server.state.keys.ring().signing().kid, kid);
        kid
    }

    async fn retire(&self, kid: &str) -> Result<String, CommandError> {
        let said = self.keys(KeysCommand::Retire { kid: kid.to_owned() }).await;
        self.server.state.keys.reload().await.expect("reloaded");
        said
    }

    async fn jwks(&self) -> Value {
        self.get(JWKS).send().await.json()
    }
}

fn header(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap())
        .unwrap()
}

fn kid(token: &str) -> String {
    header(token)["kid"].as_str().expect("a kid").to_owned()
}

#[tokio::test]
async fn invariant_08_key_rotation_keeps_sessions() {
    for algorithm in ["HS256", "EdDSA"] {
        let app = App::with(&[("JWT_ALGORITHM", algorithm)]).await;
        let before = app.register_and_login("alice").await;
        let new = app.rotate().await;
        assert_eq!(app.me(&before.access).await.status, StatusCode::OK);
        let refreshed = app.refresh(&before.refresh).await.pair();
        for token in [&refreshed.access, &refreshed.refresh, &app.login("alice").await.access] {
            assert_eq!(
                header(token),
                json!({ "alg": algorithm, "kid": new, "typ": header(token)["typ"] })
            );
        }
        assert_eq!(app.me(&refreshed.access).await.status, StatusCode::OK);
        let app = app.restart().await;
        assert_eq!(
            app.me(&before.access).await.status,
            StatusCode::OK,
            "{algorithm}: also after a restart"
        );
        assert_eq!(app.refresh(&refreshed.refresh).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn refresh_retry_across_a_key_rotation_is_not_reuse() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let first = app.refresh(&pair.refresh).await.pair();
    app.rotate().await;
    let again = app.refresh(&pair.refresh).await;
    assert_eq!(again.status, StatusCode::OK);
    for successor in [&first.refresh, &again.pair().refresh] {
        assert_eq!(
            app.refresh(successor).await.status,
            StatusCode::OK,
            "both are the same generation"
        );
    }
    assert_eq!(app.logout(&first.refresh).await.status, StatusCode::OK);
    app.me(&first.access).await.assert_failure(401, "token_revoked");
}

#[tokio::test]
async fn invariant_08_token_of_a_retired_key_is_rejected() {
    let app = App::start().await;
    let before = app.register_and_login("alice").await;
    let old = kid(&before.access);
    assert!(matches!(app.retire(&old).await, Err(CommandError::Change(_))), "it signs");
    assert_eq!(app.me(&before.access).await.status, StatusCode::OK);
    app.rotate().await;
    let after = app.login("alice").await;
    let said = app.retire(&old).await.unwrap();
    assert!(said.contains("log in again"), "it is not safe yet: {said}");
    app.me(&before.access).await.assert_failure(401, "token_invalid");
    app.refresh(&before.refresh).await.assert_failure(401, "token_invalid");
    assert_eq!(app.me(&after.access).await.status, StatusCode::OK);
    let error = app.retire(&old).await.unwrap_err().to_string();
    assert!(error.contains(&old) && error.contains("keys list"), "{error}");
}

#[tokio::test]
async fn key_list_shows_when_retiring_affects_no_session() {
    let app = App::start().await;
    let old = kid(&app.register_and_login("alice").await.access);
    let said = app.keys(KeysCommand::List).await.unwrap();
    assert!(
        said.contains(&format!("{old}  HS256      2027-01-15T08:00:00Z  signing      -")),
        "{said}"
    );
    assert!(said.contains("One key"), "{said}");
    app.clock.advance(60);
    let last = app.login("alice").await;
    let new = app.rotate().await;
    let said = app.keys(KeysCommand::List).await.unwrap();
    assert!(
        said.contains(&format!("{new}  HS256      2027-01-15T08:01:00Z  signing      -")),
        "{said}"
    );
    // Seven days after the last token of the old key, plus the polling interval of other servers.
    let old_row = format!("{old}  HS256      2027-01-15T08:00:00Z  verify only  ");
    assert!(said.contains(&format!("{old_row}from 2027-01-22T08:01:05Z")), "{said}");
    app.clock.advance(604_800);
    app.refresh(&last.refresh).await.assert_failure(401, "token_expired");
    app.clock.advance(5);
    let said = app.keys(KeysCommand::List).await.unwrap();
    assert!(said.contains(&format!("{old_row}now")), "{said}");
    let said = app.retire(&old).await.unwrap();
    assert!(said.contains(&old) && !said.contains("log in again"), "{said}");
}

#[tokio::test]
async fn algorithm_change_keeps_sessions() {
    let app = App::start().await;
    let hmac = app.register_and_login("alice").await;
    let app = app.restart_with(&[("JWT_ALGORITHM", "EdDSA")]).await;
    assert_eq!(app.me(&hmac.access).await.status, StatusCode::OK);
    let eddsa = app.refresh(&hmac.refresh).await.pair();
    assert_eq!(header(&eddsa.access)["alg"], "EdDSA");
    let app = app.restart_with(&[("JWT_ALGORITHM", "HS256")]).await;
    for token in [&hmac.access, &eddsa.access] {
        assert_eq!(app.me(token).await.status, StatusCode::OK);
    }
    let back = app.login("alice").await;
    assert_eq!(header(&back.access)["alg"], "HS256");
    assert_ne!(
        kid(&back.access),
        kid(&hmac.access),
        "a key that has stopped signing never signs again"
    );
    let entries = app.server.store.audit_entries().await.unwrap();
    let rotated: Vec<_> = entries
        .iter()
        .filter(|entry| entry.event == "key_rotated")
        .map(|entry| entry.detail.clone())
        .collect();
    assert_eq!(
        rotated,
        [&eddsa, &back].map(|pair| Some(kid(&pair.access))),
        "each with the key that signs since then"
    );
}

#[tokio::test]
async fn token_of_a_new_key_in_a_process_with_stale_keys_is_accepted() {
    let app = App::start().await;
    app.register("alice").await;
    let (other, router) = app.second().await;
    let new = app.rotate().await;
    let pair = app.login("alice").await;
    assert_eq!(kid(&pair.access), new);
    assert!(other.state.keys.ring().get(&new).is_none());
    assert_eq!(
        app.get("/api/me").bearer(&pair.access).to(&router).send().await.status,
        StatusCode::OK
    );
    assert!(other.state.keys.ring().get(&new).is_some());
}

#[tokio::test]
async fn invariant_02_token_signed_with_a_public_key_is_rejected() {
    let app = App::with(&[("JWT_ALGORITHM", "EdDSA")]).await;
    let pair = app.register_and_login("alice").await;
    let published = app.get(JWKS).send().await;
    let x = published.json()["keys"][0]["x"].as_str().unwrap().to_owned();
    let raw = URL_SAFE_NO_PAD.decode(&x).unwrap();
    // The prefix of an Ed25519 SubjectPublicKeyInfo (RFC 8410 §4).
    let der =
        [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00], raw.as_slice()]
            .concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&der)
    );
    let jwk = published.json()["keys"][0].to_string();
    let claims = pair.access.split('.').nth(1).unwrap();
    let kid = kid(&pair.access);
    for secret in [raw, x.into_bytes(), der, pem.into_bytes(), jwk.into_bytes(), published.bytes] {
        for alg in ["HS256", "EdDSA"] {
            let header = json!({ "alg": alg, "kid": kid, "typ": "at+jwt" }).to_string();
            let message = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(header));
            let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
            mac.update(message.as_bytes());
            let token =
                format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
            app.me(&token).await.assert_failure(401, "token_invalid");
        }
    }
    // A correct signature with another `alg` is rejected, too.
    let (_, signed) = pair.access.split_once('.').unwrap();
    for alg in ["HS256", "none", "Ed25519"] {
        let header = json!({ "alg": alg, "kid": kid, "typ": "at+jwt" }).to_string();
        let token = format!("{}.{signed}", URL_SAFE_NO_PAD.encode(header));
        app.me(&token).await.assert_failure(401, "token_invalid");
    }
}

#[tokio::test]
async fn jwks_with_symmetric_keys_is_empty() {
    let app = App::start().await;
    app.rotate().await;
    let response = app.get(JWKS).send().await;
    assert_eq!((response.status, response.text().as_str()), (StatusCode::OK, r#"{"keys":[]}"#));
    let app = App::with(&[("JWT_SECRET", "of nobody's business, and long enough")]).await;
    assert_eq!(app.jwks().await, json!({ "keys": [] }));
}

#[tokio::test]
async fn invariant_08_jwks_lists_public_keys_while_they_sign_or_verify() {
    let app = App::with(&[("JWT_ALGORITHM", "EdDSA")]).await;
    let old = kid(&app.register_and_login("alice").await.access);
    let keys = app.jwks().await;
    let x = keys["keys"][0]["x"].as_str().unwrap();
    assert_eq!(URL_SAFE_NO_PAD.decode(x).unwrap().len(), 32);
    let expected =
        json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": old, "x": x });
    assert_eq!(keys, json!({ "keys": [expected] }), "nothing else: least of all d");
    // Rotated by another process: the server has not read the file yet.
    app.keys(KeysCommand::Rotate).await.unwrap();
    let kids = |keys: &Value| -> Vec<String> {
        let keys = keys["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };
    let both = kids(&app.jwks().await);
    let new = kid(&app.login("alice").await.access);
    assert_eq!(both, [new.clone(), old.clone()]);
    app.retire(&old).await.unwrap();
    assert_eq!(kids(&app.jwks().await), [new]);
}

#[tokio::test]
async fn jwks_is_cacheable_and_allows_any_origin() {
    let app =
        App::with(&[("JWT_ALGORITHM", "EdDSA"), ("ALLOWED_ORIGINS", "https://app.example")]).await;
    let response = app.get(JWKS).header("origin", "https://anybody.example").send().await;
    assert_eq!(response.header("content-type"), Some("application/jwk-set+json"));
    assert_eq!(response.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    assert_eq!(response.header("access-control-allow-credentials"), None);
    assert!(response.header("x-request-id").is_some());

    let tag = response.header("etag").expect("a tag").to_owned();
    let ask = |tags: String| app.get(JWKS).header("if-none-match", tags).send();
    for tags in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()] {
        let same = ask(tags.clone()).await;
        assert_eq!((same.status, same.bytes.len()), (StatusCode::NOT_MODIFIED, 0), "{tags}");
        assert_eq!(same.header("etag"), Some(tag.as_str()));
        assert_eq!(same.header("cache-control"), Some("public, max-age=300"));
    }
    assert_eq!(ask("\"other\"".into()).await.status, StatusCode::OK);
    app.rotate().await;
    let changed = ask(tag.clone()).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
}

#[tokio::test]
async fn jwks_with_other_methods_is_405() {
    let app = App::with(&[("JWT_ALGORITHM", "EdDSA")]).await;
    let got = app.get(JWKS).send().await;
    let head = app.call(Method::HEAD, JWKS).send().await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), Some(got.bytes.len().to_string().as_str()));
    assert_eq!(head.header("etag"), got.header("etag"));
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let response = app.call(method, JWKS).send().await;
        response.assert_failure(405, "method_not_allowed");
        assert_eq!(response.header("allow"), Some("GET,HEAD"));
    }
}

#[tokio::test]
async fn invariant_42_key_changes_are_audited() {
    let app = App::start().await;
    let old = kid(&app.register_and_login("alice").await.access);
    app.clock.advance(10);
    let new = app.rotate().await;
    app.clock.advance(10);
    assert!(app.retire("nobody").await.is_err());
    app.retire(&old).await.unwrap();
    let entries = app.server.store.audit_entries().await.unwrap();
    let comparable: Vec<_> = entries
        .iter()
        .filter(|entry| entry.event.starts_with("key_"))
        .map(|entry| {
            assert_eq!((entry.user, entry.session), (None, None));
            assert_eq!((&entry.address, &entry.user_agent), (&None, &None));
            (
                entry.event.as_str(),
                entry.outcome.as_str(),
                entry.at - START,
                entry.detail.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        comparable,
        [
            ("key_rotated", "success", 10, Some(new.as_str())),
            ("key_retired", "success", 20, Some(old.as_str()))
        ]
    );
}

#[tokio::test]
async fn key_rotation_with_configured_secret_is_refused() {
    let app = App::with(&[("JWT_SECRET", "of nobody's business, and long enough")]).await;
    let pair = app.register_and_login("alice").await;
    let file = app.folder.path().join("data/keys.json");
    // With PostgreSQL there is none.
    let before = std::fs::read(&file).ok();
    for command in [KeysCommand::Rotate, KeysCommand::Retire { kid: "configured".into() }] {
        let error = app.keys(command).await.unwrap_err().to_string();
        assert!(
            error.contains("nothing to rotate") && error.contains("GATEHOUSE_JWT_SECRET"),
            "{error}"
        );
    }
    assert_eq!(std::fs::read(&file).ok(), before);
    let said = app.keys(KeysCommand::List).await.unwrap();
    assert!(
        said.contains("configured") && said.contains("not used") && !said.contains("business"),
        "{said}"
    );
    assert_eq!(app.me(&pair.access).await.status, StatusCode::OK);
}
