//! Black-box tests over the real router and a real database, one file per feature: SQLite files, or
//! PostgreSQL with `GATEHOUSE_TEST_POSTGRES`. No test sleeps: the clock is injected and moved.
//!
//! # Vocabulary
//!
//! - [`app::App`]: an application with its own data folder and clock. `restart` opens the same
//!   folder again, as after a kill; `second` opens it beside the running one, as another process
//!   would.
//! - [`app::RequestBuilder`] and [`app::Response`]:
//!   `app.post(path).bearer(token).json(&body).send()`. `assert_failure(status, code)` checks the
//!   conventions of all error responses, too.
//! - [`app::Tokens`]: the access and the refresh token of a session. `register_and_login` and
//!   `admin` return those of a new user and of a new administrator.
//! - *Fresh* token: an access token issued for a password (login, reauthentication), not by a
//!   refresh.
//! - *Generation*: the number of a refresh token in its session, which each rotation increments.
//! - *Grace*: the ten seconds in which the predecessor of a refresh token returns the same
//!   successor.
//! - *Reuse*: a refresh token presented after its successor was used, or after the grace. It
//!   revokes the session.
//! - *Blocklist*: revoked tokens whose sessions continue, until they expire.
//! - *Known device*: a browser with a device cookie of the account, set by an earlier login. The
//!   cookie does not authenticate; it only selects another failure limit.
//! - *Orphan*: a stored object without a row in the database, deleted by the sweep.
//!
//! Tests are named `<action>_<condition>_<outcome>`. Those of a security invariant begin with its
//! number in SECURITY.md: `invariant_09_logout_rejects_both_tokens_on_the_next_request`.

// The type of a view is as deep as its elements.
#![recursion_limit = "512"]
#![expect(unreachable_pub, reason = "a test is no library: its modules share what they need")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod account_deletion;
mod activity;
mod address_verification;
mod addresses;
mod alerts;
mod api_conventions;
mod app;
mod audit;
mod audit_list;
mod authorization;
mod avatar;
mod cors;
#[path = "../support/database.rs"]
mod database;
mod database_failures;
mod export;
mod files;
mod forged_tokens;
mod fresh_install;
mod health;
mod invitations;
mod key_rotation;
mod late_authorization;
mod login;
mod logout;
mod mail;
mod me;
mod moderation;
mod openapi;
mod outages;
mod pages;
mod password_change;
mod password_policy;
mod pictures;
mod profile;
mod rate_limits;
mod reauthentication;
mod recovery;
mod refresh;
mod register;
mod request_bodies;
mod s3;
mod security_headers;
mod session_list;
mod several_nodes;
#[expect(dead_code, reason = "shared with the tests of the program, which use TLS")]
#[path = "../support/smtp.rs"]
mod smtp;
mod snapshots;
mod token_forgery;
mod tokens;
mod usernames;
mod users;
