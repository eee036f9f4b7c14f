//! How what Gatehouse promises is kept true.

pub mod accounts;
pub mod clock;
pub mod config;
pub mod failure;
pub mod http;
pub mod mirror;
pub mod sessions;
pub mod start;
pub mod store;
pub mod tokens;
