//! The tables' rows.

pub(super) mod revoked_token;
pub(super) mod session;
pub(super) mod user;
