//! What an administrator does on the command line.

pub mod audit;
mod audit_line;
pub mod keys;
mod moment;
pub mod output;
mod password;
pub mod seed;
mod terminal;
pub mod user;
