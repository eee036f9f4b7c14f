//! Public information on keys.

use crate::tokens::algorithm::Algorithm;

/// Public information on a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its id: the `kid` of a header.
    pub kid: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Time of creation, in seconds of Unix time.
    pub created_at: i64,
    /// Its status.
    pub status: KeyStatus,
}

/// Result of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRotation {
    /// The new signing key.
    pub signing: KeyInfo,
    /// The signing key until now.
    pub previous: KeyInfo,
}

/// Status of a key. A key that has stopped signing never signs again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// Signs new tokens.
    Signing,
    /// Verifies existing tokens only.
    VerifyOnly {
        /// Time since which it does not sign, in seconds of Unix time; `None` if the file was edited
        /// by hand.
        since: Option<i64>,
    },
}

impl KeyStatus {
    /// Returns when a key can be retired without ending a session, given the longest token
    /// lifetime: then all of its tokens have expired.
    #[must_use]
    pub fn safe_to_retire_at(self, longest_life: i64) -> Option<i64> {
        /// Seconds until every server has reloaded the key file after a rotation.
        const RELOAD_SECONDS: i64 = 5;
        match self {
            Self::Signing => None,
            Self::VerifyOnly { since } => {
                Some(since?.saturating_add(longest_life).saturating_add(RELOAD_SECONDS))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safe_to_retire_at_is_after_the_last_expiry() {
        assert_eq!(KeyStatus::Signing.safe_to_retire_at(900), None);
        assert_eq!(KeyStatus::VerifyOnly { since: None }.safe_to_retire_at(900), None);
        let safe_at = KeyStatus::VerifyOnly { since: Some(1_000) }.safe_to_retire_at(900).unwrap();
        assert!(
            (1_901..1_960).contains(&safe_at),
            "a server that follows a moment later is thought of: {safe_at}"
        );
        assert_eq!(
            KeyStatus::VerifyOnly { since: Some(i64::MAX) }.safe_to_retire_at(900),
            Some(i64::MAX)
        );
    }
}
