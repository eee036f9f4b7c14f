//! Types and rules without I/O.

pub mod access;
