//! How what Gatehouse promises is kept true.

// A page is a type as deep as its elements.
#![recursion_limit = "512"]

pub mod accounts;
pub mod clock;
pub mod commands;
pub mod config;
pub mod failure;
pub mod files;
pub mod http;
pub mod limits;
pub mod log;
pub mod mirror;
pub mod network;
pub mod objects;
pub mod pictures;
pub mod sessions;
pub mod start;
pub mod store;
pub mod tokens;

/// A request is some hundred small allocations: this allocator makes and frees them in a fraction
/// of the system's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
