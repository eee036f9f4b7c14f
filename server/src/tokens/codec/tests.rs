use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;

fn codec() -> Codec {
    let folder = tempfile::tempdir().unwrap();
    let keys = KeyRing::load_or_create(folder.path(), None, &World::system()).unwrap();
    Codec::new(keys, "gatehouse".into(), "gatehouse".into())
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

/// A token of the codec's own key that says something else.
fn forge(codec: &Codec, change: impl FnOnce(&mut Value, &mut Value)) -> String {
    let (mut header, mut claims) = parts(&codec.access(&grant(), true, &World::system()).unwrap());
    change(&mut header, &mut claims);
    let message =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let key = codec.keys.current().unwrap();
    format!("{message}.{}", jsonwebtoken::crypto::sign(message.as_bytes(), &key.encoding, key.algorithm).unwrap())
}

#[test]
fn a_token_says_what_it_was_made_for() {
    let codec = codec();
    let token = codec.access(&grant(), true, &World::system()).unwrap();
    let caller = codec.verify(&token, Auth::Access, NOW).unwrap();
    assert_eq!((caller.user, caller.session, caller.generation), (Uuid::from_u128(1), Uuid::from_u128(2), 3));
    assert!(caller.fresh);
    let (header, claims) = parts(&token);
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(claims["type"], "access");
    assert_eq!(claims["gen"], 3);
    assert_eq!((&claims["iat"], &claims["nbf"], &claims["exp"]), (&json!(NOW), &json!(NOW), &json!(NOW + 900)));
    let (header, claims) = parts(&codec.refresh(&grant()).unwrap());
    assert_eq!(header["typ"], "rt+jwt");
    assert_eq!(claims.get("fresh"), None);
}

#[test]
fn refresh_tokens_repeat_and_access_tokens_never_do() {
    let codec = codec();
    assert_eq!(codec.refresh(&grant()).unwrap(), codec.refresh(&grant()).unwrap());
    let next = Grant { generation: 4, ..grant() };
    assert_ne!(codec.refresh(&grant()).unwrap(), codec.refresh(&next).unwrap());
    let world = World::system();
    assert_ne!(codec.access(&grant(), true, &world).unwrap(), codec.access(&grant(), true, &world).unwrap());
}

#[test]
fn time_is_exact_for_expiry_and_lenient_for_the_beginning() {
    let codec = codec();
    let token = codec.access(&grant(), true, &World::system()).unwrap();
    for (now, expected) in [
        (NOW - 6, Some(Code::TokenInvalid)),
        (NOW - 5, None),
        (NOW + 899, None),
        (NOW + 900, Some(Code::TokenExpired)),
        (NOW + 901, Some(Code::TokenExpired)),
    ] {
        assert_eq!(codec.verify(&token, Auth::Access, now).err(), expected, "{}", now - NOW);
    }
}

#[test]
fn a_token_that_was_seen_is_asked_again_for_its_time_and_type() {
    let codec = codec();
    let token = codec.access(&grant(), true, &World::system()).unwrap();
    for _ in 0..2 {
        assert!(codec.verify(&token, Auth::Access, NOW).is_ok());
        assert_eq!(codec.verify(&token, Auth::Refresh, NOW), Err(Code::TokenWrongType));
        assert_eq!(codec.verify(&token, Auth::Access, NOW - 6), Err(Code::TokenInvalid));
        assert_eq!(codec.verify(&token, Auth::Access, NOW + 900), Err(Code::TokenExpired));
        let (signed, _) = token.rsplit_once('.').unwrap();
        assert_eq!(codec.verify(&format!("{signed}.AAAA"), Auth::Access, NOW), Err(Code::TokenInvalid));
    }
    for _ in 0..KNOWN_MAX + 10 {
        let token = codec.access(&grant(), true, &World::system()).unwrap();
        assert!(codec.verify(&token, Auth::Access, NOW).is_ok());
    }
    assert!(codec.known.read().unwrap().len() <= KNOWN_MAX);
}

#[test]
fn each_claim_is_required_and_typed() {
    let codec = codec();
    for claim in ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "type", "fresh", "gen"] {
        let expected = if claim == "type" { Code::TokenWrongType } else { Code::TokenInvalid };
        let without = forge(&codec, |_, claims| {
            claims.as_object_mut().unwrap().remove(claim);
        });
        assert_eq!(codec.verify(&without, Auth::Access, NOW), Err(expected), "no {claim}");
        for value in [json!(null), json!([]), json!({}), json!(1.5), json!("1"), json!(u64::MAX)] {
            let odd = forge(&codec, |_, claims| claims[claim] = value.clone());
            if claim != "jti" || !value.is_string() {
                assert_eq!(codec.verify(&odd, Auth::Access, NOW), Err(expected), "{claim} = {value}");
            }
        }
    }
}

#[test]
fn the_algorithm_is_the_keys_and_nothing_in_the_header_is_followed() {
    let codec = codec();
    for alg in ["none", "None", "nOnE", "HS384", "HS512", "RS256", "EdDSA", "hs256", ""] {
        let token = forge(&codec, |header, _| header["alg"] = json!(alg));
        assert_eq!(codec.verify(&token, Auth::Access, NOW), Err(Code::TokenInvalid), "{alg}");
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        assert_eq!(codec.verify(&unsigned, Auth::Access, NOW), Err(Code::TokenInvalid), "{alg}, unsigned");
    }
    for kid in [json!("../../dev/null"), json!("' OR 1=1--"), json!("x".repeat(1000)), json!(7), json!(null)] {
        let token = forge(&codec, |header, _| header["kid"] = kid.clone());
        assert_eq!(codec.verify(&token, Auth::Access, NOW), Err(Code::TokenInvalid), "{kid}");
    }
    let critical = forge(&codec, |header, _| header["crit"] = json!(["exp"]));
    assert_eq!(codec.verify(&critical, Auth::Access, NOW), Err(Code::TokenInvalid));
    let extra = forge(&codec, |header, _| header["jku"] = json!("https://evil.example/keys"));
    assert!(codec.verify(&extra, Auth::Access, NOW).is_ok(), "a member that means nothing changes nothing");
}

#[test]
fn the_types_in_header_and_claims_agree_and_are_the_expected_one() {
    let codec = codec();
    let access = codec.access(&grant(), false, &World::system()).unwrap();
    let refresh = codec.refresh(&grant()).unwrap();
    assert_eq!(codec.verify(&access, Auth::Refresh, NOW), Err(Code::TokenWrongType));
    assert_eq!(codec.verify(&refresh, Auth::Access, NOW), Err(Code::TokenWrongType));
    assert!(codec.verify(&access, Auth::EitherToken, NOW).is_ok());
    assert!(codec.verify(&refresh, Auth::EitherToken, NOW).is_ok());
    assert_eq!(codec.verify(&access, Auth::Nobody, NOW), Err(Code::TokenWrongType));
    for typ in [json!("JWT"), json!("rt+jwt"), json!("AT+JWT"), json!(null), json!(1)] {
        let token = forge(&codec, |header, _| header["typ"] = typ.clone());
        assert_eq!(codec.verify(&token, Auth::EitherToken, NOW), Err(Code::TokenWrongType), "{typ}");
    }
}

#[test]
fn form_comes_first_then_signature_then_time_then_the_rest() {
    let codec = codec();
    let valid = codec.access(&grant(), true, &World::system()).unwrap();
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
        assert_eq!(codec.verify(&token, Auth::Access, NOW), Err(Code::TokenMalformed), "{token}");
    }
    let expired_and_foreign = forge(&codec, |_, claims| {
        claims["exp"] = json!(NOW);
        claims["iss"] = json!("somebody else");
    });
    assert_eq!(codec.verify(&expired_and_foreign, Auth::Access, NOW), Err(Code::TokenExpired));
    let expired_and_unsigned = format!("{}.AAAA", expired_and_foreign.rsplit_once('.').unwrap().0);
    assert_eq!(codec.verify(&expired_and_unsigned, Auth::Access, NOW), Err(Code::TokenInvalid));
    let array = forge(&codec, |_, claims| claims["aud"] = json!(["gatehouse"]));
    assert_eq!(codec.verify(&array, Auth::Access, NOW), Err(Code::TokenInvalid));
    let twice = format!("{header}.{}.{signature}", encode(r#"{"exp":1,"exp":2}"#));
    assert_eq!(codec.verify(&twice, Auth::Access, NOW), Err(Code::TokenInvalid));
}

#[test]
fn another_key_signs_nothing_here() {
    let (ours, theirs) = (codec(), codec());
    let token = theirs.access(&grant(), true, &World::system()).unwrap();
    assert_eq!(ours.verify(&token, Auth::Access, NOW), Err(Code::TokenInvalid));
}

proptest! {
    #[test]
    fn rubbish_is_refused_and_never_panics(token in "[ -~]{0,200}") {
        prop_assert!(codec().verify(&token, Auth::EitherToken, NOW).is_err());
    }

    #[test]
    fn a_token_with_one_byte_changed_is_refused(position in 0_usize..400, byte in b'!'..=b'~') {
        let codec = codec();
        let valid = codec.access(&grant(), true, &World::system()).unwrap();
        let mut bytes = valid.clone().into_bytes();
        let position = position % bytes.len();
        bytes[position] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assume!(changed != valid);
        prop_assert!(codec.verify(&changed, Auth::Access, NOW).is_err());
    }
}
