//! The tokens that were revoked before their time: the table's mirror in memory, asked on each request.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

/// The names of revoked tokens, each until its token would have expired by itself.
#[derive(Debug, Default)]
pub struct Blocklist {
    expires_at: RwLock<HashMap<String, i64>>,
}

impl Blocklist {
    /// Puts tokens on the list: their `jti` and `exp`, in seconds of Unix time.
    pub fn add(&self, tokens: impl IntoIterator<Item = (String, i64)>) {
        self.expires_at.write().unwrap_or_else(PoisonError::into_inner).extend(tokens);
    }

    /// Whether a token is on the list.
    #[must_use]
    pub fn contains(&self, jti: &str) -> bool {
        self.expires_at.read().unwrap_or_else(PoisonError::into_inner).contains_key(jti)
    }

    /// Forgets what has expired.
    pub fn sweep(&self, now: i64) {
        self.expires_at.write().unwrap_or_else(PoisonError::into_inner).retain(|_, expires_at| now < *expires_at);
    }

    /// How many tokens are on the list.
    #[must_use]
    pub fn len(&self) -> usize {
        self.expires_at.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no token is on the list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stays_until_it_would_have_expired() {
        let list = Blocklist::default();
        list.add([("a".to_owned(), 100), ("b".to_owned(), 200)]);
        list.sweep(99);
        assert!(list.contains("a") && list.contains("b"));
        list.sweep(100);
        assert!(!list.contains("a") && list.contains("b"));
        assert_eq!(list.len(), 1);
    }
}
