//! Who there is: names, passwords, lookup.

pub mod directory;
pub mod hashing;
pub mod password;
mod registration;
pub mod username;

pub use registration::AccountService;
