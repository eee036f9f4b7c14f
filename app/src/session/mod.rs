//! The browser session: login state, its storage, and authenticated requests.
//!
//! The rules ([`core`], `refresh`, `reauth`, `tabs`, [`lease`], [`token`], [`state`]) use the
//! traits of [`ports`] and no browser; [`browser`] implements these traits. *Refresh* is the
//! exchange of a refresh token for new tokens; *renewal* is a refresh ahead of expiry, while the
//! user is active.

pub mod browser;
pub mod core;
pub mod lease;
pub mod message;
pub mod ports;
mod reauth;
mod refresh;
pub mod state;
mod tabs;
#[cfg(test)]
mod tests;
pub mod token;
pub mod transport;
