use super::*;
use crate::domain::access::AuthRequirement;
use crate::tokens::{algorithm::Algorithm, keys::rotate};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;

fn codec_of(algorithm: Algorithm) -> Codec {
    let folder = tempfile::tempdir().unwrap();
    let (keys, _) = KeyStore::open(folder.path(), algorithm, None, &Env::system()).unwrap();
    Codec::new(Arc::new(keys), "gatehouse".into(), "gatehouse".into())
}

fn codec() -> Codec {
    codec_of(Algorithm::Hs256)
}

fn grant() -> Grant {
    Grant {
        user: Uuid::from_u128(1),
        session: Uuid::from_u128(2),
        generation: 3,
        issued_at: NOW,
        expires_at: NOW + 900,
    }
}

fn parts(token: &str) -> (Value, Value) {
    let (header, claims, _) = split(token).unwrap();
    let read = |part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (read(header), read(claims))
}

/// Verifies a token of an unknown session.
fn verify(codec: &Codec, token: &str, expected: AuthRequirement, now: i64) -> Result<Caller, Code> {
    let token = codec.verify(token, now)?;
    if token.is_ahead() {
        return Err(Code::TokenInvalid);
    }
    token.check_type(expected).map(|()| token.into_caller())
}

/// A token with the codec's key and other claims.
fn forge(codec: &Codec, change: impl FnOnce(&mut Value, &mut Value)) -> String {
    let (mut header, mut claims) = parts(&codec.access(&grant(), true, &Env::system()).unwrap());
    change(&mut header, &mut claims);
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    format!("{message}.{}", codec.keys.ring().signing().sign(&message).unwrap())
}

#[test]
fn access_and_refresh_tokens_carry_their_grant() {
    for codec in Algorithm::ALL.map(codec_of) {
        carry_their_grant(&codec);
    }
}

fn carry_their_grant(codec: &Codec) {
    let token = codec.access(&grant(), true, &Env::system()).unwrap();
    let caller = verify(codec, &token, AuthRequirement::Access, NOW).unwrap();
    assert_eq!(
        (caller.user, caller.session, caller.generation),
        (Uuid::from_u128(1), Uuid::from_u128(2), 3)
    );
    assert!(caller.fresh);
    let (header, claims) = parts(&token);
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(claims["type"], "access");
    assert_eq!(claims["gen"], 3);
    assert_eq!(
        (&claims["iat"], &claims["nbf"], &claims["exp"]),
        (&json!(NOW), &json!(NOW), &json!(NOW + 900))
    );
    let (header, claims) = parts(&codec.refresh(&grant()).unwrap());
    assert_eq!(header["typ"], "rt+jwt");
    assert_eq!(claims.get("fresh"), None);
}

#[test]
fn refresh_token_is_deterministic_and_access_token_unique() {
    for codec in Algorithm::ALL.map(codec_of) {
        assert_eq!(codec.refresh(&grant()).unwrap(), codec.refresh(&grant()).unwrap());
    }
    let codec = codec();
    let next = Grant { generation: 4, ..grant() };
    assert_ne!(codec.refresh(&grant()).unwrap(), codec.refresh(&next).unwrap());
    let env = Env::system();
    assert_ne!(
        codec.access(&grant(), true, &env).unwrap(),
        codec.access(&grant(), true, &env).unwrap()
    );
}

#[test]
fn verify_has_leeway_for_nbf_and_iat_and_none_for_exp() {
    let codec = codec();
    let token = codec.access(&grant(), true, &Env::system()).unwrap();
    for (now, expected) in [
        (NOW - 6, Some(Code::TokenInvalid)),
        (NOW - 5, None),
        (NOW + 899, None),
        (NOW + 900, Some(Code::TokenExpired)),
        (NOW + 901, Some(Code::TokenExpired)),
    ] {
        assert_eq!(
            verify(&codec, &token, AuthRequirement::Access, now).err(),
            expected,
            "{}",
            now - NOW
        );
    }
}

#[test]
fn verify_token_from_the_future_reports_whether_it_can_be_ours() {
    let codec = codec();
    let ours = codec.access(&grant(), true, &Env::system()).unwrap();
    let past = NOW - 3600;
    let token = codec.verify(&ours, past).unwrap();
    let is_of = |token: &SignedToken, user, generation, ends_at| {
        token.is_of_session(Uuid::from_u128(user), generation, ends_at)
    };
    assert!(token.is_ahead() && is_of(&token, 1, 3, NOW + 900) && is_of(&token, 1, 4, NOW + 1000));
    assert!(!is_of(&token, 2, 3, NOW + 900), "of another account");
    assert!(!is_of(&token, 1, 2, NOW + 900), "of a generation that is still to come");
    assert!(!is_of(&token, 1, 3, NOW + 899), "it would outlive its session");
    assert_eq!(token.check_type(AuthRequirement::Refresh), Err(Code::TokenWrongType));
    for claim in ["iat", "nbf"] {
        let odd = forge(&codec, |_, claims| claims[claim] = json!(NOW + 901));
        let token = codec.verify(&odd, past).unwrap();
        assert!(token.is_ahead() && !is_of(&token, 1, 3, NOW + 10_000), "{claim} after exp");
    }
    // Other defects do not change the code.
    for (claim, value) in
        [("iss", json!("another")), ("type", json!("refresh")), ("type", json!(null))]
    {
        let odd = forge(&codec, |_, claims| claims[claim] = value.clone());
        assert_eq!(codec.verify(&odd, past), Err(Code::TokenInvalid), "{claim} = {value}");
    }
}

#[test]
fn verify_with_missing_or_mistyped_claim_fails() {
    let codec = codec();
    for claim in ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "type", "fresh", "gen"] {
        let expected = if claim == "type" { Code::TokenWrongType } else { Code::TokenInvalid };
        let without = forge(&codec, |_, claims| {
            claims.as_object_mut().unwrap().remove(claim);
        });
        assert_eq!(
            verify(&codec, &without, AuthRequirement::Access, NOW),
            Err(expected),
            "no {claim}"
        );
        for value in [json!(null), json!([]), json!({}), json!(1.5), json!("1"), json!(u64::MAX)] {
            let odd = forge(&codec, |_, claims| claims[claim] = value.clone());
            if claim != "jti" || !value.is_string() {
                assert_eq!(
                    verify(&codec, &odd, AuthRequirement::Access, NOW),
                    Err(expected),
                    "{claim} = {value}"
                );
            }
        }
    }
}

#[test]
fn verify_with_forged_header_fails() {
    let codec = codec();
    for (codec, other) in [(&codec, "EdDSA"), (&codec_of(Algorithm::EdDsa), "HS256")] {
        for alg in [
            other, "none", "None", "nOnE", "HS384", "HS512", "RS256", "ES256", "Ed25519", "hs256",
            "eddsa", "",
        ] {
            let token = forge(codec, |header, _| header["alg"] = json!(alg));
            assert_eq!(
                verify(codec, &token, AuthRequirement::Access, NOW),
                Err(Code::TokenInvalid),
                "{alg}"
            );
            let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
            assert_eq!(
                verify(codec, &unsigned, AuthRequirement::Access, NOW),
                Err(Code::TokenInvalid),
                "{alg}, unsigned"
            );
        }
    }
    for kid in [
        json!("../../dev/null"),
        json!("' OR 1=1--"),
        json!("x".repeat(1000)),
        json!(7),
        json!(null),
    ] {
        let token = forge(&codec, |header, _| header["kid"] = kid.clone());
        assert_eq!(
            verify(&codec, &token, AuthRequirement::Access, NOW),
            Err(Code::TokenInvalid),
            "{kid}"
        );
    }
    let critical = forge(&codec, |header, _| header["crit"] = json!(["exp"]));
    assert_eq!(verify(&codec, &critical, AuthRequirement::Access, NOW), Err(Code::TokenInvalid));
    let extra = forge(&codec, |header, _| header["jku"] = json!("https://evil.example/keys"));
    assert!(
        verify(&codec, &extra, AuthRequirement::Access, NOW).is_ok(),
        "a member that means nothing changes nothing"
    );
}

#[test]
fn verify_token_signed_with_public_key_as_secret_fails() {
    let codec = codec_of(Algorithm::EdDsa);
    let jwk = codec.keys.ring().public().keys.remove(0);
    let x = serde_json::to_value(&jwk).unwrap()["x"].as_str().unwrap().to_owned();
    let raw = URL_SAFE_NO_PAD.decode(&x).unwrap();
    // RFC 8410 §4: prefix of an exchanged public key.
    let der =
        [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00], raw.as_slice()]
            .concat();
    let document = serde_json::to_vec(&jwk).unwrap();
    let (mut header, claims) = parts(&codec.access(&grant(), true, &Env::system()).unwrap());
    for alg in ["HS256", "EdDSA"] {
        header["alg"] = json!(alg);
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        for secret in [raw.as_slice(), x.as_bytes(), &der, &document, b""] {
            let secret = jsonwebtoken::EncodingKey::from_secret(secret);
            let algorithm = jsonwebtoken::Algorithm::HS256;
            let signature =
                jsonwebtoken::crypto::sign(message.as_bytes(), &secret, algorithm).unwrap();
            assert_eq!(
                verify(&codec, &format!("{message}.{signature}"), AuthRequirement::Access, NOW),
                Err(Code::TokenInvalid),
                "{alg}"
            );
        }
    }
}

#[test]
fn verify_after_rotation_accepts_tokens_of_the_previous_key() {
    let folder = tempfile::tempdir().unwrap();
    let env = Env::system();
    let (keys, _) = KeyStore::open(folder.path(), Algorithm::Hs256, None, &env).unwrap();
    let codec = Codec::new(Arc::new(keys), "gatehouse".into(), "gatehouse".into());
    let mut tokens = vec![codec.access(&grant(), true, &env).unwrap()];
    let jti = codec.refresh_jti(grant().session, 3).unwrap();
    for algorithm in [Algorithm::EdDsa, Algorithm::EdDsa, Algorithm::Hs256] {
        let kid = rotate(folder.path(), algorithm, &env).unwrap().signing.kid;
        codec.keys.reload_if_changed();
        let token = codec.access(&grant(), true, &env).unwrap();
        let (header, _) = parts(&token);
        assert_eq!((&header["kid"], &header["alg"]), (&json!(kid), &json!(algorithm.as_str())));
        tokens.push(token);
        for token in &tokens {
            assert!(verify(&codec, token, AuthRequirement::Access, NOW).is_ok());
        }
    }
    assert_eq!(
        codec.refresh_jti(grant().session, 3).unwrap(),
        jti,
        "names of refresh tokens never change"
    );
    // A token of one key whose header names another one.
    let foreign = forge(&codec, |header, _| header["kid"] = parts(&tokens[0]).0["kid"].clone());
    assert_eq!(verify(&codec, &foreign, AuthRequirement::Access, NOW), Err(Code::TokenInvalid));
}

#[test]
fn verify_with_unexpected_or_contradicting_type_fails() {
    let codec = codec();
    let access = codec.access(&grant(), false, &Env::system()).unwrap();
    let refresh = codec.refresh(&grant()).unwrap();
    assert_eq!(verify(&codec, &access, AuthRequirement::Refresh, NOW), Err(Code::TokenWrongType));
    assert_eq!(verify(&codec, &refresh, AuthRequirement::Access, NOW), Err(Code::TokenWrongType));
    assert!(verify(&codec, &access, AuthRequirement::AccessOrRefresh, NOW).is_ok());
    assert!(verify(&codec, &refresh, AuthRequirement::AccessOrRefresh, NOW).is_ok());
    assert_eq!(verify(&codec, &access, AuthRequirement::Public, NOW), Err(Code::TokenWrongType));
    for typ in [json!("JWT"), json!("rt+jwt"), json!("AT+JWT"), json!(null), json!(1)] {
        let token = forge(&codec, |header, _| header["typ"] = typ.clone());
        assert_eq!(
            verify(&codec, &token, AuthRequirement::AccessOrRefresh, NOW),
            Err(Code::TokenWrongType),
            "{typ}"
        );
    }
}

#[test]
fn verify_with_several_defects_reports_the_first_in_order() {
    let codec = codec();
    let valid = codec.access(&grant(), true, &Env::system()).unwrap();
    let (header, claims, signature) = split(&valid).unwrap();
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    for token in [
        String::new(),
        "a".into(),
        "a.b".into(),
        format!("{valid}.x"),
        format!("{header}.{claims}=.{signature}"),
        format!("{header}.{claims}.{signature}="),
        format!("{header}.{claims}.sig nature"),
        format!("{}.{claims}.{signature}", encode("[]")),
        format!("{}.{claims}.{signature}", encode("\"x\"")),
        format!("{header}.{}.{signature}", encode("[1]")),
        format!("{header}.{}.{signature}", encode("{")),
        format!("{header}.{}.{signature}", encode("")),
        format!("{header}.{}.{signature}", "A".repeat(5000)),
    ] {
        assert_eq!(
            verify(&codec, &token, AuthRequirement::Access, NOW),
            Err(Code::TokenMalformed),
            "{token}"
        );
    }
    let expired_and_foreign = forge(&codec, |_, claims| {
        claims["exp"] = json!(NOW);
        claims["iss"] = json!("somebody else");
    });
    assert_eq!(
        verify(&codec, &expired_and_foreign, AuthRequirement::Access, NOW),
        Err(Code::TokenExpired)
    );
    let expired_and_unsigned = format!("{}.AAAA", expired_and_foreign.rsplit_once('.').unwrap().0);
    assert_eq!(
        verify(&codec, &expired_and_unsigned, AuthRequirement::Access, NOW),
        Err(Code::TokenInvalid)
    );
    let array = forge(&codec, |_, claims| claims["aud"] = json!(["gatehouse"]));
    assert_eq!(verify(&codec, &array, AuthRequirement::Access, NOW), Err(Code::TokenInvalid));
    let twice = format!("{header}.{}.{signature}", encode(r#"{"exp":1,"exp":2}"#));
    assert_eq!(verify(&codec, &twice, AuthRequirement::Access, NOW), Err(Code::TokenInvalid));
}

#[test]
fn verify_token_of_unknown_key_fails() {
    let (ours, theirs) = (codec(), codec());
    let token = theirs.access(&grant(), true, &Env::system()).unwrap();
    assert_eq!(verify(&ours, &token, AuthRequirement::Access, NOW), Err(Code::TokenInvalid));
}

proptest! {
    #[test]
    fn verify_of_arbitrary_text_fails_without_panic(token in "[ -~]{0,200}") {
        prop_assert!(verify(&codec(), &token, AuthRequirement::AccessOrRefresh, NOW).is_err());
    }

    #[test]
    fn verify_with_one_byte_changed_fails(position in 0_usize..1000, byte in b'!'..=b'~', hmac: bool) {
        let codec = codec_of(if hmac { Algorithm::Hs256 } else { Algorithm::EdDsa });
        let valid = codec.access(&grant(), true, &Env::system()).unwrap();
        let mut bytes = valid.clone().into_bytes();
        let position = position % bytes.len();
        bytes[position] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assume!(changed != valid);
        prop_assert!(verify(&codec, &changed, AuthRequirement::Access, NOW).is_err());
    }
}
