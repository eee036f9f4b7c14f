//! Cache of verified tokens. Verifying the signature is most of the cost of a request, and many
//! times more with `EdDSA`; for a cached token only the times are checked again.

use std::collections::HashMap;

use parking_lot::RwLock;

use crate::domain::claims::VerifiedClaims;

/// Largest number of cached tokens: about a kilobyte each.
const CAPACITY: usize = 4096;

/// Verified tokens of a key ring. They are dropped with it: no cached token outlives its key.
#[derive(Default)]
pub(super) struct VerifiedTokens(RwLock<HashMap<String, VerifiedClaims>>);

impl VerifiedTokens {
    pub(super) fn get(&self, token: &str) -> Option<VerifiedClaims> {
        self.0.read().get(token).cloned()
    }

    pub(super) fn add(&self, token: &str, verified: VerifiedClaims) {
        let mut tokens = self.0.write();
        if tokens.len() >= CAPACITY {
            // Clearing is cheaper than tracking usage: each token can be verified again.
            tokens.clear();
        }
        tokens.insert(token.to_owned(), verified);
    }
}
