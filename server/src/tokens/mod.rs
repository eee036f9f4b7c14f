//! Tokens: signing keys, issuing and verification, and the blocklist.

pub mod algorithm;
pub mod bearer;
pub mod blocklist;
pub mod codec;
mod header;
pub mod keys;
mod ring_provider;
mod verified;
