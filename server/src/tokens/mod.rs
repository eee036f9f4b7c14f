//! Tokens: the keys that sign them, what they say, and which of them were revoked.

pub mod bearer;
pub mod blocklist;
pub mod codec;
pub mod keys;
