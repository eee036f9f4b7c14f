//! Blocklist of revoked tokens whose session is still active: an in-memory copy of the table,
//! checked on each request. It is bounded: if the table has more entries, requests query the table.

use std::collections::HashMap;

use parking_lot::RwLock;

use crate::store::BlockedToken;

/// Largest number of entries in memory: about 100 bytes each.
const CAPACITY: usize = 100_000;

/// Revoked tokens, each until its expiry.
#[derive(Debug)]
pub struct Blocklist {
    contents: RwLock<Contents>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Contents {
    expires_at: HashMap<String, i64>,
    /// The sequence number of the last entry that was read.
    last: i64,
    /// Set once the table has more entries than fit.
    is_incomplete: bool,
}

impl Default for Blocklist {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl Blocklist {
    fn with_capacity(capacity: usize) -> Self {
        Self { contents: RwLock::default(), capacity }
    }

    /// Returns the sequence number to continue reading the table after; `None` once the list is
    /// full.
    #[must_use]
    pub fn read_from(&self) -> Option<i64> {
        let contents = self.contents.read();
        (!contents.is_incomplete).then_some(contents.last)
    }

    /// Returns whether the list has all entries of the table.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.contents.read().is_incomplete
    }

    /// Adds entries of the table.
    pub fn add(&self, tokens: Vec<BlockedToken>) {
        if tokens.is_empty() {
            return;
        }
        let mut contents = self.contents.write();
        if contents.is_incomplete {
            return;
        }
        for BlockedToken { seq, jti, expires_at } in tokens {
            if contents.expires_at.len() >= self.capacity {
                contents.is_incomplete = true;
                // All requests query the table from now on.
                contents.expires_at = HashMap::new();
                return;
            }
            contents.expires_at.insert(jti, expires_at);
            contents.last = contents.last.max(seq);
        }
    }

    /// Returns whether a token is listed; `None` if only the table can tell.
    #[must_use]
    pub fn contains(&self, jti: &str) -> Option<bool> {
        let contents = self.contents.read();
        (!contents.is_incomplete).then(|| contents.expires_at.contains_key(jti))
    }

    /// Removes expired entries.
    pub fn remove_expired(&self, now: i64) {
        let mut contents = self.contents.write();
        contents.expires_at.retain(|_, expires_at| now < *expires_at);
    }

    /// Replaces the contents by those of another list.
    pub fn replace(&self, other: Self) {
        let contents = other.contents.into_inner();
        *self.contents.write() = contents;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(seq: i64, jti: &str, expires_at: i64) -> BlockedToken {
        BlockedToken { seq, jti: jti.to_owned(), expires_at }
    }

    #[test]
    fn remove_expired_keeps_tokens_until_their_expiry() {
        let list = Blocklist::default();
        list.add(vec![token(1, "a", 100), token(2, "b", 200)]);
        assert_eq!(list.read_from(), Some(2));
        list.remove_expired(99);
        assert_eq!((list.contains("a"), list.contains("b")), (Some(true), Some(true)));
        list.remove_expired(100);
        assert_eq!((list.contains("a"), list.contains("b")), (Some(false), Some(true)));
        assert_eq!(list.read_from(), Some(2), "what was read is not read again");
    }

    #[test]
    fn add_beyond_capacity_defers_to_the_table() {
        let list = Blocklist::with_capacity(3);
        list.add((1..=3).map(|seq| token(seq, &seq.to_string(), 100)).collect());
        assert_eq!((list.contains("3"), list.contains("4")), (Some(true), Some(false)));
        list.add(vec![token(4, "4", 100)]);
        assert_eq!((list.contains("3"), list.contains("5"), list.read_from()), (None, None, None));
        list.remove_expired(100);
        assert_eq!(list.contains("5"), None);
        let other = Blocklist::with_capacity(3);
        other.add(vec![token(4, "4", 100)]);
        list.replace(other);
        assert_eq!(
            (list.contains("4"), list.contains("5"), list.read_from()),
            (Some(true), Some(false), Some(4))
        );
    }
}
