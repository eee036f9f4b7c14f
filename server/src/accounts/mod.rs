//! Use cases of user accounts: registration, profiles, lookup and password hashing.

pub mod addresses;
mod fair_queue;
mod hash_queue;
pub mod hashing;
pub mod lookup;
mod profile;
mod registration;
pub mod user_cache;

pub use registration::AccountService;
