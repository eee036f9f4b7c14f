use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_800_000_000;

fn env() -> Env {
    let clock = std::sync::Arc::new(crate::clock::ManualClock::new(NOW));
    Env { clock, ..Env::system() }
}

fn again(file: &KeyFile) -> KeyFile {
    KeyFile::parse(&file.to_bytes().unwrap()).unwrap()
}

#[test]
fn parse_of_version_1_file_succeeds() {
    let secret = "A".repeat(43);
    let content = format!(
        r#"{{"version":1,"current":"-k_1","keys":[{{"kid":"-k_1","algorithm":"HS256","secret":"{secret}","created_at":5}}],
            "refresh_names":"{secret}"}}"#
    );
    let file = KeyFile::parse(content.as_bytes()).unwrap();
    let key = KeyInfo {
        kid: "-k_1".into(),
        algorithm: Algorithm::Hs256,
        created_at: 5,
        status: KeyStatus::Signing,
    };
    assert_eq!(file.list(), [key]);
    assert_eq!(again(&file).list(), file.list());
}

#[test]
fn parse_of_invalid_file_names_the_defect() {
    let good = "A".repeat(43);
    let key = |kid: &str, algorithm: &str, secret: &str| {
        format!(r#"{{"kid":"{kid}","algorithm":"{algorithm}","secret":"{secret}","created_at":0}}"#)
    };
    let file = |version: u32, keys: &str, names: &str| {
        format!(
            r#"{{"version":{version},"current":"a","keys":[{keys}],"refresh_names":"{names}"}}"#
        )
    };
    let (a, b) = (key("a", "HS256", &good), key("b", "EdDSA", &good));
    assert!(KeyFile::parse(file(1, &format!("{a},{b}"), &good).as_bytes()).is_ok());
    for (content, why) in [
        (String::new(), "EOF"),
        ("[]".into(), "invalid"),
        ("{}".into(), "missing field"),
        (file(2, &a, &good), "version is 2"),
        (file(1, &b, &good), "no key a"),
        (file(1, &format!("{a},{a}"), &good), "two keys"),
        (file(1, &format!("{a},{b},{b}"), &good), "two keys"),
        (file(1, &a, "AAAA"), "too short"),
        (file(1, &key("a", "HS256", "AAAA"), &good), "too short"),
        (file(1, &key("a", "EdDSA", &format!("{good}AAAA")), &good), "instead of 32"),
        (file(1, &key("a", "HS256", "!"), &good), "Invalid"),
        (file(1, &key("a", "none", &good), &good), "unknown variant"),
        (file(1, &format!("{a},{}", key("c", "RS256", &good)), &good), "unknown variant"),
    ] {
        let told =
            KeyFile::parse(content.as_bytes()).err().unwrap_or_else(|| panic!("taken: {content}"));
        assert!(told.contains(why), "{told}: {content}");
        assert!(!told.contains(&good), "{told}");
    }
}

#[test]
fn ring_with_configured_secret_replaces_stored_keys() {
    let file = KeyFile::generate(Algorithm::EdDsa, &env());
    let secret = SecretString::from("a secret of at least 32 bytes, as it has to be");
    let ring = file.ring(Some(&secret)).unwrap();
    assert_eq!(
        (ring.signing().kid.as_str(), ring.signing().algorithm),
        (CONFIGURED, Algorithm::Hs256)
    );
    assert!(ring.get(&file.signing.kid).is_none());
    assert!(ring.public().keys.is_empty());
    assert!(!format!("{ring:?}").contains("secret of"));
}

#[test]
fn public_keys_are_eddsa_keys_with_the_signing_key_first() {
    let mut file = KeyFile::generate(Algorithm::EdDsa, &env());
    file.rotate(Algorithm::Hs256, &env());
    let last = file.rotate(Algorithm::EdDsa, &env()).signing.kid;
    let public = file.ring(None).unwrap().public();
    assert_eq!(public.keys.len(), 2);
    assert_eq!(public.keys[0].common.key_id.as_ref(), Some(&last));
}

/// A change by an administrator.
#[derive(Clone, Debug)]
enum Act {
    Rotate(Algorithm),
    /// The key at this index, modulo the number of keys.
    Retire(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        any::<bool>().prop_map(|hmac| Act::Rotate(if hmac {
            Algorithm::Hs256
        } else {
            Algorithm::EdDsa
        })),
        (0_usize..8).prop_map(Act::Retire),
    ]
}

proptest! {
    #[test]
    fn any_changes_keep_one_signing_key_and_tokens_until_retirement(
        acts in proptest::collection::vec(act(), 0..20)
    ) {
        let env = env();
        let mut file = KeyFile::generate(Algorithm::Hs256, &env);
        let names = file.refresh_jti_key.0.clone();
        let mut signed = Vec::new();
        for act in acts {
            let ring = file.ring(None).unwrap();
            let key = ring.signing();
            signed.push((key.kid.clone(), key.sign("message").unwrap()));
            match act {
                Act::Rotate(algorithm) => {
                    let rotated = file.rotate(algorithm, &env);
                    prop_assert_eq!(&rotated.previous.kid, &key.kid);
                    prop_assert_eq!(rotated.previous.status, KeyStatus::VerifyOnly { since: Some(NOW) });
                    prop_assert_eq!(rotated.signing.algorithm, algorithm);
                }
                Act::Retire(place) => {
                    let keys = file.list();
                    let wanted = &keys[place % keys.len()];
                    let retired = file.retire(&wanted.kid);
                    if wanted.status == KeyStatus::Signing {
                        prop_assert_eq!(retired, Err(RetireError::SigningKey));
                    } else {
                        prop_assert_eq!(retired.as_ref(), Ok(wanted));
                        prop_assert_eq!(file.retire(&wanted.kid), Err(RetireError::UnknownKey));
                        signed.retain(|(kid, _)| *kid != wanted.kid);
                    }
                }
            }
            let listed = file.list();
            prop_assert_eq!(listed.iter().filter(|key| key.status == KeyStatus::Signing).count(), 1);
            file = again(&file);
            prop_assert_eq!(file.list(), listed);
            let ring = file.ring(None).unwrap();
            for (kid, signature) in &signed {
                prop_assert!(ring.get(kid).unwrap().verifies("message", signature));
            }
            for key in &file.list() {
                prop_assert!(ring.get(&key.kid).is_some());
            }
            prop_assert!(ring.public().keys.iter().all(|key| key.common.key_algorithm
                == Some(jsonwebtoken::jwk::KeyAlgorithm::EdDSA)));
        }
        prop_assert_eq!(&file.refresh_jti_key.0, &names, "it never rotates");
    }
}
