//! Black-box tests over the real router and a real SQLite file, a file a feature. The clock is moved, never slept.

#![expect(unreachable_pub, reason = "a test is no library: its modules share what they need")]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod app;
mod audit;
mod cors;
mod durability;
mod keys;
mod login;
mod logout;
mod me;
mod names;
mod passwords;
mod refresh;
mod register;
mod throttling;
mod tokens;
mod wire;
