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

mod account_deletion;
mod api_conventions;
mod app;
mod audit;
mod authorization;
mod avatar;
mod cors;
mod database_failures;
mod export;
mod files;
mod forged_tokens;
mod fresh_install;
mod key_rotation;
mod late_authorization;
mod login;
mod logout;
mod me;
mod openapi;
mod pages;
mod password_change;
mod password_policy;
mod pictures;
mod profile;
mod rate_limits;
mod reauthentication;
mod refresh;
mod register;
mod request_bodies;
mod s3;
mod security_headers;
mod session_list;
mod token_forgery;
mod tokens;
mod usernames;
mod users;
