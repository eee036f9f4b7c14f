//! The server: HTTP API, sessions, persistence and CLI commands.

// A page is a type as deep as its elements.
#![recursion_limit = "512"]

pub mod accounts;
pub mod cache;
pub mod clock;
pub mod commands;
pub mod config;
pub mod domain;
pub mod failure;
pub mod files;
pub mod http;
pub mod limits;
pub mod log;
pub mod mail;
pub mod metrics;
pub mod network;
pub mod objects;
pub mod pictures;
pub mod sessions;
pub mod startup;
pub mod store;
pub mod task;
pub mod tokens;

/// A request makes some hundred small allocations, which this allocator serves faster than the
/// system's. Libraries in C, as SQLite, use it as well (a feature in the workspace's table). Its
/// options are compiled in (`.cargo/config.toml`).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
