//! Properties of all parsers of untrusted input: checked with proptest in `make test`, and with
//! libFuzzer in `make fuzz`.

use std::sync::{Arc, LazyLock};

use app::{
    backend::{LoginAttempt, NewAccount},
    protocol::auth::{Credentials, Registration},
    routes::redirect,
    validation,
};
use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use server::{
    clock::Env,
    domain::{
        claims::Grant,
        common_passwords::COMMON_PASSWORDS,
        password::{Password, Policy},
        username::{self, Username},
    },
    tokens::{algorithm::Algorithm, bearer::bearer, codec::Codec, keys::KeyStore},
};
use unicode_normalization::UnicodeNormalization as _;
use uuid::Uuid;

const NOW: i64 = 1_800_000_000;
const OURS: &str = "gatehouse";

struct Tokens {
    keys: Arc<KeyStore>,
    codec: Codec,
    /// The header of an access token.
    header: String,
}

/// Issuer and audience of a token. Its other members may exceed the types of this test.
#[derive(serde::Deserialize)]
struct Named {
    iss: String,
    aud: String,
}

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let (keys, _) =
        KeyStore::open(folder.path(), Algorithm::Hs256, None, &Env::system()).expect("keys");
    let keys = Arc::new(keys);
    let codec = Codec::new(Arc::clone(&keys), OURS.into(), OURS.into());
    let (user, session) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let grant = Grant { user, session, generation: 3, issued_at: NOW, expires_at: NOW + 900 };
    let token = codec.access(&grant, true, &Env::system()).expect("a token");
    let header = token.split('.').next().expect("a header").to_owned();
    Tokens { keys, codec, header }
});

/// Unsigned text is never accepted as a token; signed claims are accepted only within their times
/// and audience.
pub fn token(bytes: &[u8]) {
    let Tokens { keys, codec, header } = &*TOKENS;
    let encoded = URL_SAFE_NO_PAD.encode(bytes);
    let text = String::from_utf8_lossy(bytes);
    let unsigned = format!("{header}.{encoded}.{encoded}");
    for token in [&*text, &unsigned, &format!("{encoded}.{encoded}.{encoded}")] {
        assert!(codec.verify(token, NOW).is_err(), "{token}");
    }
    let message = format!("{header}.{encoded}");
    let signature = keys.ring().signing().sign(&message).expect("a signature");
    if let Ok(token) = codec.verify(&format!("{message}.{signature}"), NOW) {
        let caller = token.caller();
        assert!(
            caller.expires_at > NOW && (caller.issued_at <= NOW + 5 || token.is_ahead()),
            "{caller:?}"
        );
        let text = std::str::from_utf8(bytes).expect("JSON is text, also where nobody looks at it");
        let named: Named = serde_json::from_str(text).expect("claims");
        assert_eq!((&*named.iss, &*named.aud), (OURS, OURS));
    }
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value);
        if let Ok(token) = bearer(&headers) {
            assert!(
                !token.is_empty() && token.trim_ascii() == token && text.contains(token),
                "{token}"
            );
        }
    }
}

/// A valid username is found by every spelling and fits into one line.
pub fn name(text: &str) {
    let parsed = Username::parse(text);
    // The rule shared with forms: within ASCII it agrees with the server, except for checks that
    // only the server can do; otherwise it rejects nothing that the server accepts.
    let form = validation::username::check(text);
    assert!(parsed.is_err() || form.is_ok(), "{text:?}");
    if text.is_ascii() && form.is_ok() {
        assert!(
            matches!(&parsed, Ok(_) | Err(validation::Problem::Server(_))),
            "{text:?}: {parsed:?}"
        );
    }
    let Ok(name) = parsed else { return };
    if validation::username::is_address(text) {
        assert!(name.key().is_ascii() && validation::username::is_email(name.key()), "{text:?}");
        assert!(text.is_ascii() <= (name.shown() == text.trim()), "{text:?}");
    } else {
        assert_eq!(name.shown(), text.trim());
    }
    assert!((1..=validation::username::EMAIL_MAX).contains(&name.shown().chars().count()));
    assert!(
        !name.shown().chars().any(|character| character.is_control() || character.is_whitespace()),
        "{text:?}"
    );
    for typed in [text, name.shown(), name.key()] {
        assert_eq!(username::lookup_key(typed).as_deref(), Some(name.key()), "{typed:?}");
    }
    let nfd: String = name.shown().nfd().collect();
    assert_eq!(username::lookup_key(&nfd).as_deref(), Some(name.key()), "{nfd:?}");
}

/// The length of a password is counted in normal form, and all normal forms get the same verdict.
pub fn password(text: &str) {
    let policy = Policy { min: 8, common: Some(&COMMON_PASSWORDS) };
    let owner = Username::parse("Mallory7").expect("a name");
    let nfc: String = text.nfc().collect();
    let verdict = Password::chosen(text.to_owned(), &policy, Some(&owner)).map(drop);
    if verdict.is_ok() {
        assert!((8..=128).contains(&nfc.chars().count()), "{text:?}");
    }
    let nfd: String = text.nfd().collect();
    if [text, &nfc, &nfd].iter().all(|form| form.len() <= validation::password::MAX_BYTES) {
        for form in [nfc, nfd] {
            assert_eq!(
                Password::chosen(form, &policy, Some(&owner)).map(drop),
                verdict,
                "{text:?}"
            );
        }
    }
}

/// A redirect target is the given path of this origin, or the default.
pub fn redirect(text: &str) {
    let target = redirect::target(Some(text));
    assert!(target == text || target == redirect::DEFAULT.path());
    let mut characters = target.chars();
    assert_eq!(characters.next(), Some('/'));
    assert!(!matches!(characters.next(), Some('/' | '\\')), "{text:?}");
    assert!(!target.contains('\\') && !target.chars().any(char::is_control), "{text:?}");
    let page = target.split(['?', '#']).next().unwrap_or_default();
    for closed in ["/login", "/register", "/api"] {
        assert!(page != closed && !page.starts_with(&format!("{closed}/")), "{text:?}");
    }
}

/// A body that parses is valid for its operation, within the length limits.
pub fn body(bytes: &[u8]) {
    if let Ok(credentials) = serde_json::from_slice::<Credentials>(bytes)
        && let Ok(attempt) = LoginAttempt::parse(credentials)
    {
        assert!(!attempt.username.trim().is_empty());
        assert!((1..=validation::password::MAX_BYTES).contains(&attempt.password.len()));
    }
    if let Ok(registration) = serde_json::from_slice::<Registration>(bytes) {
        let account = NewAccount::from(registration);
        name(&account.username);
        self::password(&account.password);
        if let Ok(Some(nickname)) = validation::nickname::parse(&account.nickname) {
            assert!(
                (1..=64).contains(&nickname.chars().count())
                    && !nickname.chars().any(char::is_control)
            );
        }
    }
}
