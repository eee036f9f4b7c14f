//! Sessions: login, authentication, refresh, logout, and their administration.

mod acknowledgements;
pub mod administration;
mod authenticate;
pub mod background_tasks;
mod clock_check;
mod deletion;
mod device_cookie;
mod login;
mod login_attempts;
mod password;
mod rotation;
mod service;
mod user_agent;
mod user_sessions;

pub use rotation::Lifetimes;
pub use service::{SessionRules, SessionService};
