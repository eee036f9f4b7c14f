//! Entities of SeaORM, one per table.

pub(super) mod address;
pub(super) mod audit_event;
pub(super) mod change;
pub(super) mod cleanup;
pub(super) mod deleted_user;
pub(super) mod file;
pub(super) mod login_failure;
pub(super) mod object_store;
pub(super) mod one_time_code;
pub(super) mod orphaned_object;
pub(super) mod outbox;
pub(super) mod removal_notice;
pub(super) mod revoked_token;
pub(super) mod session;
pub(super) mod signing_key;
pub(super) mod user;
pub(super) mod user_word;
pub(super) mod username_skeleton;

/// Names of all tables.
pub(super) const TABLES: [&str; 18] = [
    "addresses",
    "audit_events",
    "changes",
    "cleanups",
    "deleted_users",
    "files",
    "login_failures",
    "object_stores",
    "one_time_codes",
    "orphaned_objects",
    "outbox",
    "removal_notices",
    "revoked_tokens",
    "sessions",
    "signing_keys",
    "user_words",
    "username_skeletons",
    "users",
];
