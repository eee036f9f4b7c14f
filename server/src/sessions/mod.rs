//! Sessions: login, authentication, refresh, logout, and their administration.

mod acknowledgements;
mod activity;
mod address_verification;
pub mod administration;
mod audit_log;
mod authenticate;
mod caches;
mod change_limit;
mod change_password;
mod cleanup;
mod clock_check;
mod deletion;
mod device_cookie;
pub mod invitations;
mod login;
mod login_attempts;
mod logout;
mod password_check;
mod reauthenticate;
mod recovery;
mod refresh;
mod service;
mod token_pair;
mod undo;
mod user_sessions;

pub use service::{MailRules, SessionDependencies, SessionRules, SessionService, StartError};
