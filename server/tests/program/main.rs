//! Tests of the executable: start, stop, commands, signals, crashes and full disks.

#![expect(unreachable_pub, reason = "a test is no library: its modules share what they need")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures for `make soak`, and tests that cannot run here"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the program is interrupted at moments of real time"
)]

mod audit;
mod backup;
mod cluster;
mod cluster_failures;
mod concurrent_refresh;
mod connections;
mod crash_durability;
#[path = "../support/database.rs"]
mod database;
mod health;
mod interrupted_startup;
mod key_commands;
mod logging;
mod mail;
mod metrics;
mod postgres;
mod postgres_server;
mod process;
mod seed;
mod shutdown;
#[expect(dead_code, reason = "shared with the tests of the API, which use more of it")]
#[path = "../support/smtp.rs"]
mod smtp;
mod standard_output;
mod startup;
mod storage_failures;
mod user_commands;
