//! The program itself: how it starts, what it says when it cannot, and what it keeps when it is killed.

#![expect(unreachable_pub, reason = "a test is no library: its modules share what they need")]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod audit;
mod connections;
mod durability;
mod keys;
mod logging;
mod output;
mod process;
mod refreshing;
mod seed;
mod starting;
mod user;
