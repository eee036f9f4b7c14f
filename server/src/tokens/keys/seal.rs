//! Encryption of the signing keys for the database, which backups and administrators of databases
//! read: they must not be able to sign tokens.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::clock::Env;

/// Context of the derived key and of the encrypted text: another use has another one.
const CONTEXT: &[u8] = b"gatehouse signing keys 1";

/// Encrypts and decrypts with a key that is derived from a secret.
pub(super) struct Sealer {
    key: LessSafeKey,
}

/// The text was sealed with another secret, or was changed since.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnsealError;

impl Sealer {
    /// Derives the key; [`None`] if ring refuses, which it does for no secret.
    pub(super) fn new(secret: &SecretString) -> Option<Self> {
        let secret = Salt::new(HKDF_SHA256, CONTEXT).extract(secret.expose_secret().as_bytes());
        let derived = secret.expand(&[CONTEXT], &CHACHA20_POLY1305).ok()?;
        Some(Self { key: LessSafeKey::new(UnboundKey::from(derived)) })
    }

    /// Encrypts bytes: a random nonce and the encrypted text, in base64. Keys are written so rarely
    /// that random nonces do not repeat.
    pub(super) fn seal(&self, plain: &[u8], env: &Env) -> Result<String, UnsealError> {
        let nonce: [u8; NONCE_LEN] = env.random();
        let mut sealed = Zeroizing::new(plain.to_vec());
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(CONTEXT),
                &mut sealed,
            )
            .map_err(|_| UnsealError)?;
        Ok(STANDARD_NO_PAD.encode([&nonce, sealed.as_slice(), tag.as_ref()].concat()))
    }

    /// Decrypts what [`Sealer::seal`] has returned.
    pub(super) fn open(&self, sealed: &str) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        let bytes = STANDARD_NO_PAD.decode(sealed).map_err(|_| UnsealError)?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN).ok_or(UnsealError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| UnsealError)?;
        let mut text = Zeroizing::new(text.to_vec());
        let plain = self.key.open_in_place(nonce, Aad::from(CONTEXT), &mut text);
        let length = plain.map_err(|_| UnsealError)?.len();
        text.truncate(length);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(secret: &str) -> Sealer {
        Sealer::new(&SecretString::from(secret)).unwrap()
    }

    #[test]
    fn open_with_the_same_secret_returns_what_was_sealed() {
        let (one, env) = (sealer("one secret of any length"), Env::system());
        let sealed = one.seal(b"keys", &env).unwrap();
        assert_eq!(one.open(&sealed).unwrap().as_slice(), b"keys");
        assert_ne!(one.seal(b"keys", &env).unwrap(), sealed, "a nonce of its own");
    }

    #[test]
    fn open_with_another_secret_or_of_changed_text_fails() {
        let one = sealer("one");
        let sealed = one.seal(b"keys", &Env::system()).unwrap();
        assert_eq!(sealer("another").open(&sealed), Err(UnsealError));
        for changed in ["", "AAAA", &sealed[4..], &format!("{sealed}AAAA")] {
            assert_eq!(one.open(changed), Err(UnsealError), "{changed}");
        }
        for (place, letter) in sealed.char_indices() {
            let mut changed = sealed.clone();
            let other = if letter == 'A' { "B" } else { "A" };
            changed.replace_range(place..=place, other);
            assert!(one.open(&changed).is_err(), "{place}");
        }
    }
}
