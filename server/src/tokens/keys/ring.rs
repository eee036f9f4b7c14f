//! The verification keys, with the one that signs.

use std::collections::HashMap;

use jsonwebtoken::jwk::JwkSet;
use secrecy::SecretSlice;

use super::Key;
use crate::tokens::verified::VerifiedTokens;

/// An immutable set of keys. A change replaces the whole ring.
pub struct KeyRing {
    signing: Key,
    others: HashMap<String, Key>,
    /// Cache of verified tokens of these keys.
    pub(in crate::tokens) verified: VerifiedTokens,
    /// Derives the `jti`s of refresh tokens. It never rotates: a `jti` must not change.
    pub(in crate::tokens) refresh_jti_key: SecretSlice<u8>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").field("signing", &self.signing.kid).finish_non_exhaustive()
    }
}

impl KeyRing {
    pub(super) fn new(signing: Key, others: Vec<Key>, refresh_jti_key: SecretSlice<u8>) -> Self {
        let others = others.into_iter().map(|key| (key.kid.clone(), key)).collect();
        Self { signing, others, verified: VerifiedTokens::default(), refresh_jti_key }
    }

    /// Returns whether it has the same keys as another ring, by their ids, which are never reused.
    pub(super) fn has_keys_of(&self, other: &Self) -> bool {
        self.signing.kid == other.signing.kid
            && self.others.len() == other.others.len()
            && self.others.keys().all(|kid| other.others.contains_key(kid))
    }

    /// Returns the signing key.
    #[must_use]
    pub fn signing(&self) -> &Key {
        &self.signing
    }

    /// Returns the key with this id.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&Key> {
        if self.signing.kid == kid { Some(&self.signing) } else { self.others.get(kid) }
    }

    /// Returns the public keys (RFC 7517 §5), the signing one first.
    #[must_use]
    pub fn public(&self) -> JwkSet {
        let mut others: Vec<_> = self.others.values().collect();
        others.sort_unstable_by(|a, b| a.kid.cmp(&b.kid));
        let keys = std::iter::once(&self.signing).chain(others);
        JwkSet { keys: keys.filter_map(Key::public).cloned().collect() }
    }
}
