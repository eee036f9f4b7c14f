//! The browser's session: who is signed in, where that is kept, and how calls are signed.
//!
//! The rules ([`core`], `renewal`, `proof`, `tabs`, [`lease`], [`token`], [`state`]) know no
//! browser; [`browser`] gives them one. [`guards`] keeps pages to those whom they are for,
//! [`activity`] renews the token while the person is there.

pub mod activity;
pub mod browser;
pub mod channel;
pub mod core;
pub mod guards;
pub mod lease;
pub mod lock;
pub mod message;
pub mod ports;
mod proof;
mod renewal;
pub mod state;
pub mod storage;
mod tabs;
#[cfg(test)]
mod tests;
pub mod token;
pub mod upload;
pub mod wire;
