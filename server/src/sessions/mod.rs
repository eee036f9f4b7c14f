//! Who is signed in: log in, refresh, log out, and who calls.

mod acknowledgements;
mod caller;
mod login;
mod rotation;
mod service;
pub mod upkeep;

pub use rotation::Lifetimes;
pub use service::SessionService;
