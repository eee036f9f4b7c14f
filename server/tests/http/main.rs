//! Black-box tests over the real router and a real SQLite file, a file a feature. The clock is
//! moved, never slept.

// A page is a type as deep as its elements.
#![recursion_limit = "512"]
#![expect(unreachable_pub, reason = "a test is no library: its modules share what they need")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod app;
mod audit;
mod avatar;
mod bodies;
mod cors;
mod deletion;
mod devices;
mod durability;
mod export;
mod files;
mod forgeries;
mod forging;
mod fresh;
mod headers;
mod held_requests;
mod keys;
mod login;
mod logout;
mod me;
mod names;
mod openapi;
mod pages;
mod password_change;
mod passwords;
mod pictures;
mod profile;
mod reauthentication;
mod refresh;
mod register;
mod s3;
mod standing;
mod throttling;
mod tokens;
mod users;
mod wire;
