//! Tokens: the keys that sign them, what they say, and which of them were revoked.

pub mod algorithm;
pub mod bearer;
pub mod blocklist;
pub mod codec;
mod header;
pub mod keys;
mod verified;

pub(crate) use verified::LEEWAY;
pub use verified::SignedToken;
