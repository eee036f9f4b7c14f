//! Who is signed in: log in, refresh, log out, and who calls.

mod acknowledgements;
pub mod administration;
mod agents;
mod attempts;
mod caller;
mod clock_check;
mod deletion;
mod devices;
mod login;
mod own;
mod password;
mod rotation;
mod service;
pub mod upkeep;

pub use rotation::Lifetimes;
pub use service::{SessionRules, SessionService};
