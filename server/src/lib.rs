//! How what Gatehouse promises is kept true.

// A page is a type as deep as its elements.
#![recursion_limit = "512"]

pub mod accounts;
pub mod clock;
pub mod commands;
pub mod config;
pub mod failure;
pub mod http;
pub mod mirror;
pub mod sessions;
pub mod start;
pub mod store;
pub mod tokens;
