//! What the administrator's commands do.

pub mod audit;
mod audit_line;
mod moment;
